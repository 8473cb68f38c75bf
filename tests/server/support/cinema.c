/* SPDX-License-Identifier: MIT */
#include "tests/server/support/cinema.h"

#include <stdlib.h>

#include "core/base/alloc.h"
#include "media/libs.h"
#include "media/video_loader.h"
#include "tests/support/check.h"

static struct sm_test_film *film_of(struct sm_test_cinema *cinema, uint32_t id)
{
    assert_true(id < TEST_CINEMA_MAX_STREAMS);
    assert_true(cinema->films[id].is_live);
    return &cinema->films[id];
}

static void set_clip(struct sm_test_film *film, const struct sm_clip *clip)
{
    free((void *)(uintptr_t)film->clip.rects);
    film->clip = *clip;
    film->clip.rects = NULL;
    if (clip->type == SM_CLIP_TYPE_RECTS)
        film->clip.rects = sm_memdup(clip->rects, sizeof(*clip->rects) * clip->num_rects);
}

/* A whole JPEG; the caller frees the pixels. */
static struct sm_pixels decode_jpeg(struct sm_test_cinema *cinema, struct sm_bytes data)
{
    struct sm_decoder_config config = {.libs = &sm_media_codec_libs, .max_pixels = 1 << 24};
    if (!cinema->decoder)
        sm_check_status(sm_decoder_create(&cinema->decoder, &config), SM_OK);
    uint32_t width, height;
    sm_check_status(sm_mjpeg_size(cinema->decoder, data, &width, &height), SM_OK);
    struct sm_pixels frame = {.data = malloc((size_t)width * height * 4),
                              .stride_bytes = (ptrdiff_t)width * 4,
                              .width = width,
                              .height = height,
                              .format = SM_PIXEL_XRGB32};
    sm_check_status(sm_mjpeg_decode(cinema->decoder, data, &frame), SM_OK);
    return frame;
}

static void show(struct sm_test_cinema *cinema, struct sm_canvas *canvas, struct sm_test_film *film,
                 uint32_t time, struct sm_rect dest, struct sm_bytes data)
{
    struct sm_pixels frame;
    if (film->ops)
        sm_check_status(film->ops->decode(film->decoder, data, &frame), SM_OK);
    else
        frame = decode_jpeg(cinema, data);
    bool has_clip = film->clip.type == SM_CLIP_TYPE_RECTS;
    sm_check_status(sm_canvas_blit(canvas, film->created.surface_id, dest,
                                   has_clip ? &film->clip : NULL, &frame, NULL),
                    SM_OK);
    if (!film->ops)
        free(frame.data);
    assert_true(film->frames == 0 || (int32_t)(time - film->last_time) > 0);
    film->last_time = time;
    film->frames++;
}

static void create(struct sm_test_cinema *cinema, const struct sm_msg_display_stream_create *msg)
{
    assert_true(msg->id < TEST_CINEMA_MAX_STREAMS);
    assert_false(cinema->films[msg->id].is_live);
    assert_int_equal(msg->flags, SM_STREAM_FLAG_TOP_DOWN);
    struct sm_test_film *film = &cinema->films[msg->id];
    *film = (struct sm_test_film){.is_live = true, .created = *msg};
    set_clip(film, &msg->clip);
    if (msg->codec_type == SM_VIDEO_MJPEG)
        return;
    const struct sm_video_module *module = sm_video_module_load();
    assert_non_null(module);
    film->ops = module->find_decoder((enum sm_video_kind)msg->codec_type);
    assert_non_null(film->ops);
    sm_check_status(film->ops->create(&film->decoder, NULL), SM_OK);
}

/* What was counted stays to be looked at. */
static void end(struct sm_test_film *film)
{
    free((void *)(uintptr_t)film->clip.rects);
    film->clip = (struct sm_clip){.type = SM_CLIP_TYPE_NONE};
    if (film->ops)
        film->ops->destroy(film->decoder);
    film->ops = NULL;
    film->is_live = false;
}

void sm_test_cinema_take(struct sm_test_cinema *cinema, struct sm_canvas *canvas,
                         const struct sm_display_msg *msg)
{
    struct sm_test_film *film;
    switch (msg->type) {
    case SM_MSG_DISPLAY_STREAM_CREATE:
        create(cinema, &msg->stream_create);
        break;
    case SM_MSG_DISPLAY_STREAM_ACTIVATE_REPORT:
        film_of(cinema, msg->stream_activate_report.stream_id)->unique_id =
            msg->stream_activate_report.unique_id;
        break;
    case SM_MSG_DISPLAY_STREAM_DATA:
        film = film_of(cinema, msg->stream_data.id);
        show(cinema, canvas, film, msg->stream_data.multi_media_time, film->created.dest,
             msg->stream_data.data);
        break;
    case SM_MSG_DISPLAY_STREAM_DATA_SIZED:
        film = film_of(cinema, msg->stream_data_sized.id);
        show(cinema, canvas, film, msg->stream_data_sized.multi_media_time,
             msg->stream_data_sized.dest, msg->stream_data_sized.data);
        break;
    case SM_MSG_DISPLAY_STREAM_CLIP:
        film = film_of(cinema, msg->stream_clip.id);
        set_clip(film, &msg->stream_clip.clip);
        break;
    case SM_MSG_DISPLAY_STREAM_DESTROY:
        end(film_of(cinema, msg->stream_destroy.id));
        break;
    case SM_MSG_DISPLAY_STREAM_DESTROY_ALL:
        for (uint32_t id = 0; id < TEST_CINEMA_MAX_STREAMS; id++)
            end(&cinema->films[id]);
        break;
    default:
        break;
    }
}

void sm_test_cinema_finish(struct sm_test_cinema *cinema)
{
    for (uint32_t id = 0; id < TEST_CINEMA_MAX_STREAMS; id++)
        end(&cinema->films[id]);
    sm_decoder_destroy(cinema->decoder);
}
