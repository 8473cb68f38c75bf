/* SPDX-License-Identifier: MIT */
/* Clients that cannot show the host's GL buffer have a picture of it for a primary. */
#include "io/log.h"
#include "server/display/screen.h"
#include "server/display/streams.h"

bool sm_screen_sees(const struct sm_display_peer *client, uint32_t surface_id)
{
    return surface_id != 0 || !sm_display_peer_shows_gl_picture(client);
}

struct sm_display_surface *sm_screen_surface_of(const struct sm_screen *screen,
                                                const struct sm_display_peer *client, uint32_t id)
{
    return sm_screen_sees(client, id) ? sm_surfaces_find(&screen->surfaces, id)
                                      : screen->gl_picture;
}

static void take_primary(struct sm_display_peer *client)
{
    if (!sm_display_peer_knows(client, 0))
        return;
    sm_display_peer_queue_msg(client,
                              &(struct sm_display_msg){.type = SM_MSG_DISPLAY_SURFACE_DESTROY});
    sm_display_peer_set_knows(client, 0, false);
}

/* The host's arrangement of monitors may be older than the picture, or about something else. */
static bool fits(const struct sm_monitors *monitors, const struct sm_pixels *picture)
{
    uint64_t right = 0, bottom = 0;
    for (uint32_t i = 0; i < monitors->count; i++) {
        const struct sm_head *head = &monitors->heads[i];
        uint64_t head_right = (uint64_t)head->x + head->width;
        uint64_t head_bottom = (uint64_t)head->y + head->height;
        right = head_right > right ? head_right : right;
        bottom = head_bottom > bottom ? head_bottom : bottom;
    }
    return right == picture->width && bottom == picture->height;
}

void sm_screen_show_gl_picture(struct sm_screen *screen, struct sm_display_peer *client)
{
    struct sm_display_surface *picture = screen->gl_picture;
    const struct sm_monitors one = {
        .count = 1,
        .max_allowed = 1,
        .heads = {{.width = picture->pixels.width, .height = picture->pixels.height}},
    };
    take_primary(client);
    sm_display_peer_set_shows_gl_picture(client, true);
    sm_display_peer_queue_msg(client,
                              &(struct sm_display_msg){.type = SM_MSG_DISPLAY_INVAL_ALL_PALETTES});
    sm_screen_queue_surface(screen, client, picture, true);
    sm_screen_queue_monitors(client,
                             fits(&screen->monitors, &picture->pixels) ? &screen->monitors : &one);
    sm_display_peer_queue_msg(client, &(struct sm_display_msg){.type = SM_MSG_DISPLAY_MARK});
}

void sm_screen_hide_gl_picture(struct sm_screen *screen, struct sm_display_peer *client,
                               bool restore)
{
    struct sm_display_surface *primary = sm_surfaces_find(&screen->surfaces, 0);
    if (!sm_display_peer_shows_gl_picture(client))
        return;
    take_primary(client);
    sm_display_peer_set_shows_gl_picture(client, false);
    if (!restore || !primary || !sm_display_peer_is_ready(client))
        return;
    sm_screen_queue_surface(screen, client, primary, true);
    sm_screen_queue_monitors(client, &screen->monitors);
    sm_display_peer_queue_msg(client, &(struct sm_display_msg){.type = SM_MSG_DISPLAY_MARK});
}

void sm_screen_draw_gl_picture(struct sm_screen *screen, struct sm_rect area)
{
    struct sm_drawable *drawable = sm_screen_take_pixels(screen, screen->gl_picture, area, false);
    struct sm_stream_verdict verdict = {.stream = NULL};
    if (drawable)
        verdict = sm_streams_look(screen->streams, drawable->drawing);
    SM_LIST_FOR (link, &screen->clients) {
        struct sm_display_peer *client = sm_display_peer_of(link);
        if (!sm_display_peer_is_ready(client) || !sm_display_peer_shows_gl_picture(client) ||
            sm_streams_carry(&verdict, client))
            continue;
        if (drawable)
            sm_display_peer_queue_drawable(client, drawable);
        else /* when there is memory again */
            sm_display_peer_queue_missed(client, 0, area);
    }
    if (drawable)
        sm_streams_drawn(screen->streams, &verdict, drawable);
    sm_drawable_unref(drawable);
}
