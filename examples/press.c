/* SPDX-License-Identifier: MIT */
/*
 * Presses keys and waits until the screen has changed and stood still: a step of a test that waits
 * for what happens instead of sleeping.
 *
 *     cc press.c $(pkg-config --cflags --libs sumac-client) -o press
 *     ./press spice://localhost:5900 ctrl-alt-f2
 */
#include <stdio.h>

#include <sumac/client.h>

enum { STILL_MS = 500, PATIENCE_MS = 10000 };

/* Pulls events until one of `kind` comes; false if none does in time, or the session is over. */
static bool wait_for(struct sm_session *session, enum sm_event_kind kind, int timeout_ms,
                     struct sm_event *event)
{
    while (sm_session_wait_event(session, timeout_ms, event))
        if (event->kind == kind)
            return true;
        else if (event->kind == SM_EVENT_CLOSED)
            fprintf(stderr, "press: %s\n%s\n", event->error->cause, event->error->cure);
    return false;
}

/* Keys go nowhere before their channel is open; the first picture is no answer to them. */
static bool wait_ready(struct sm_session *session)
{
    struct sm_event event;
    do
        if (!wait_for(session, SM_EVENT_CHANNEL_OPEN, PATIENCE_MS, &event))
            return false;
    while (event.channel != SM_CHANNEL_KIND_INPUTS);
    while (wait_for(session, SM_EVENT_DISPLAY_DAMAGE, STILL_MS, &event))
        continue;
    return true;
}

static int press(struct sm_session *session, const struct sm_key_chord *chord)
{
    struct sm_event event;
    if (!wait_ready(session) || sm_session_send_chord(session, chord) != SM_OK ||
        !wait_for(session, SM_EVENT_DISPLAY_DAMAGE, PATIENCE_MS, &event))
        return 1;
    do
        printf("changed: %d,%d to %d,%d\n", event.damage.left, event.damage.top, event.damage.right,
               event.damage.bottom);
    while (wait_for(session, SM_EVENT_DISPLAY_DAMAGE, STILL_MS, &event));
    return 0;
}

int main(int argc, char **argv)
{
    struct sm_address *address = NULL;
    struct sm_session *session = NULL;
    struct sm_key_chord chord;
    struct sm_error error = {.kind = SM_ERROR_SYSTEM, .cause = "out of memory"};
    char bad[32];
    int result = 1;
    if (argc != 3 || sm_key_chord_parse(&chord, argv[2], bad, sizeof(bad)) != SM_OK) {
        fprintf(stderr, "usage: press ADDRESS KEYS\n");
        return 2;
    }
    if (sm_address_parse(&address, argv[1], &error) == SM_OK &&
        sm_session_create(&session, address) == SM_OK &&
        sm_session_connect(session, &error) == SM_OK)
        result = press(session, &chord);
    else
        fprintf(stderr, "press: %s\n%s\n", error.cause, error.cure);
    sm_session_destroy(session); /* also lets go of every key */
    sm_address_destroy(address);
    return result;
}
