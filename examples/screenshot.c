/* SPDX-License-Identifier: MIT */
/*
 * Saves what a machine shows as a PPM picture.
 *
 *     cc screenshot.c $(pkg-config --cflags --libs sumac-client) -o screenshot
 *     ./screenshot spice://localhost:5900 vm.ppm
 */
#include <stdio.h>

#include <sumac/client.h>

/* The display is held still meanwhile: write quickly, or copy. */
static int save(const struct sm_display_view *view, const char *path)
{
    FILE *file = fopen(path, "wb");
    if (!file)
        return -1;
    fprintf(file, "P6 %u %u 255\n", view->width, view->height);
    for (uint32_t y = 0; y < view->height; y++)
        for (uint32_t x = 0; x < view->width; x++) {
            const uint8_t *pixel = view->pixels + y * view->stride_bytes + x * 4;
            const uint8_t rgb[] = {pixel[2], pixel[1], pixel[0]};
            fwrite(rgb, 1, sizeof(rgb), file);
        }
    return fclose(file);
}

int main(int argc, char **argv)
{
    struct sm_address *address = NULL;
    struct sm_session *session = NULL;
    struct sm_error error = {.kind = SM_ERROR_SYSTEM, .cause = "out of memory"};
    int result = 1;
    if (argc != 3) {
        fprintf(stderr, "usage: screenshot ADDRESS FILE\n");
        return 2;
    }
    if (sm_address_parse(&address, argv[1], &error) == SM_OK &&
        sm_session_create(&session, address) == SM_OK &&
        sm_session_set_channels(session, 1u << SM_CHANNEL_KIND_DISPLAY) == SM_OK &&
        sm_session_connect(session, &error) == SM_OK) {
        struct sm_event event;
        while (result == 1 && sm_session_wait_event(session, 30000, &event)) {
            struct sm_display_info display = {.is_ready = false};
            struct sm_display_view view;
            if (event.kind == SM_EVENT_CLOSED)
                error = *event.error;
            /* Ready: the server says that the picture is complete. */
            if (sm_session_get_displays(session, &display, 1) == 0 || !display.is_ready ||
                sm_display_lock(session, display.channel_id, &view) != SM_OK)
                continue;
            result = save(&view, argv[2]) == 0 ? 0 : 3;
            sm_display_unlock(session, display.channel_id);
        }
    }
    if (result == 1)
        fprintf(stderr, "screenshot: %s\n%s\n", error.cause, error.cure);
    sm_session_destroy(session);
    sm_address_destroy(address);
    return result;
}
