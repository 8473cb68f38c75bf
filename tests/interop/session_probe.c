/* SPDX-License-Identifier: MIT */
/*
 * A session for tests: says on its standard output what happens, a line an event, and does what its
 * standard input says: "press KEY", "release KEY", "picture FILE", "close". Links the library as
 * programs do.
 *
 *     session-probe URI [GIVE_UP_S [CA_FILE]]
 */
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "sumac/client.h"

static double now_s(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (double)now.tv_sec + (double)now.tv_nsec / 1e9;
}

static void say_event(const struct sm_event *event)
{
    static const char *const names[] = {
        [SM_EVENT_CONNECTED] = "connected", [SM_EVENT_CLOSED] = "closed",
        [SM_EVENT_CHANNEL_OPEN] = "open",   [SM_EVENT_CHANNEL_CLOSED] = "gone",
        [SM_EVENT_LINE_LOST] = "lost",      [SM_EVENT_LINE_BACK] = "back",
        [SM_EVENT_MOVED] = "moved",
    };
    size_t count = sizeof(names) / sizeof(names[0]);
    if ((size_t)event->kind >= count || !names[event->kind])
        return;
    bool has_channel =
        event->kind == SM_EVENT_CHANNEL_OPEN || event->kind == SM_EVENT_CHANNEL_CLOSED;
    printf("%.3f %s %s %s\n", now_s(), names[event->kind],
           has_channel ? sm_channel_kind_name(event->channel) : "-",
           event->error ? event->error->cause : "");
}

static bool write_picture(struct sm_session *session, const char *path)
{
    struct sm_display_view view;
    if (sm_display_lock(session, 0, &view) != SM_OK)
        return false;
    FILE *file = fopen(path, "wb");
    if (file) {
        fprintf(file, "P6\n%u %u\n255\n", (unsigned)view.width, (unsigned)view.height);
        for (uint32_t y = 0; y < view.height; y++)
            for (uint32_t x = 0; x < view.width; x++) {
                const uint8_t *p = view.pixels + y * view.stride_bytes + (size_t)x * 4;
                uint8_t rgb[3] = {p[2], p[1], p[0]};
                (void)!fwrite(rgb, 1, 3, file);
            }
    }
    sm_display_unlock(session, 0);
    return file && fclose(file) == 0;
}

static void obey(struct sm_session *session, char *line)
{
    line[strcspn(line, "\n")] = 0;
    char *argument = strchr(line, ' ');
    if (argument)
        *argument++ = 0;
    bool is_done = true;
    if (strcmp(line, "press") == 0 || strcmp(line, "release") == 0)
        is_done = argument &&
                  sm_session_send_key(session, (uint16_t)atoi(argument), line[0] == 'p') == SM_OK;
    else if (strcmp(line, "picture") == 0)
        is_done = argument && write_picture(session, argument);
    else if (strcmp(line, "close") == 0)
        sm_session_close(session);
    printf("%.3f %s %s\n", now_s(), is_done ? "done" : "refused", line);
}

static int run(struct sm_session *session)
{
    char line[512];
    struct pollfd fds[] = {{.fd = sm_session_event_fd(session), .events = POLLIN},
                           {.fd = STDIN_FILENO, .events = POLLIN}};
    for (;;) {
        (void)poll(fds, 2, -1);
        if (fds[1].revents && !fgets(line, sizeof(line), stdin))
            return 0;
        if (fds[1].revents)
            obey(session, line);
        struct sm_event event;
        while (sm_session_wait_event(session, 0, &event)) {
            say_event(&event);
            if (event.kind == SM_EVENT_CLOSED)
                return 0;
        }
    }
}

int main(int count, char **words)
{
    (void)setvbuf(stdout, NULL, _IOLBF, 0);
    (void)setvbuf(stdin, NULL, _IONBF, 0);
    struct sm_address *address = NULL;
    struct sm_session *session = NULL;
    struct sm_error error = {.kind = SM_ERROR_NONE};
    if (count < 2 || sm_address_parse(&address, words[1], &error) != SM_OK ||
        sm_session_create(&session, address) != SM_OK)
        return 2;
    enum sm_status status =
        sm_session_set_reconnect(session, count > 2 ? (uint32_t)atoi(words[2]) : 0);
    if (status == SM_OK && count > 3)
        status = sm_session_set_ca_file(session, words[3]);
    if (status == SM_OK)
        status = sm_session_use_agent(session);
    if (status == SM_OK)
        status = sm_session_connect(session, &error);
    int code = status == SM_OK ? run(session) : 2;
    if (status != SM_OK)
        fprintf(stderr, "%s\n", error.cause);
    sm_session_destroy(session);
    sm_address_destroy(address);
    return code;
}
