/* SPDX-License-Identifier: MIT */
#include "cli/paste.h"

#include "cli/connection.h"
#include "cli/keyboard.h"

enum {
    LOOK_MS = 50,
    HAND_OVER_MS = 2000, /* for the guest to pass on what it has got; it never tells */
    TAKE_MS = 1000,      /* for the guest to notice that its clipboard has changed; likewise */
    HOLD_MS = 50,
};

bool cli_paste_check_agent(struct cli_connection *c)
{
    struct sm_session_info info;
    sm_session_get_info(c->session, &info);
    return info.has_agent || cli_fail(c->failure, CLI_EXIT_NO_AGENT,
                                      "install spice-vdagent in the guest and log in there",
                                      "no agent runs in the guest that could share a clipboard");
}

static bool await_empty(struct cli_connection *c)
{
    for (size_t left, before = SIZE_MAX; (left = sm_session_agent_backlog(c->session)) > 0;
         before = left) {
        if (left != before)
            cli_connection_progress(c, 0);
        if (!cli_connection_pause(c, LOOK_MS))
            return false;
    }
    return true;
}

bool cli_paste_hand_over(struct cli_connection *c)
{
    uint64_t start_us = cli_now_us();
    c->doing = "sending what is pasted";
    if (!await_empty(c))
        return false;
    /* What it took to get there is a measure of how fast the guest is. */
    uint32_t took_ms = (uint32_t)((cli_now_us() - start_us) / 1000);
    cli_connection_progress(c, took_ms + HAND_OVER_MS);
    return cli_connection_pause(c, took_ms + HAND_OVER_MS);
}

/* A program that pastes with Shift+Insert may look at what is selected instead. */
static bool offer(struct cli_connection *c)
{
    const uint32_t text = 1u << SM_CLIPBOARD_TEXT;
    sm_session_set_clipboard_directions(c->session, SM_CLIPBOARD_TO_GUEST);
    if (sm_session_offer_clipboard(c->session, SM_SELECTION_PRIMARY, text) != SM_OK ||
        sm_session_offer_clipboard(c->session, SM_SELECTION_CLIPBOARD, text) != SM_OK)
        return cli_fail_nomem(c->failure);
    uint64_t start_us = cli_now_us();
    c->doing = "waiting for the guest's agent";
    while (!sm_session_clipboard_told(c->session, SM_SELECTION_CLIPBOARD))
        if (!cli_paste_check_agent(c) || !cli_connection_pause(c, LOOK_MS))
            return false;
    if (!await_empty(c))
        return false;
    /* What it took to get there is a measure of how fast the guest is. */
    uint32_t take_ms = TAKE_MS + (uint32_t)((cli_now_us() - start_us) / 1000);
    cli_connection_progress(c, take_ms);
    return cli_connection_pause(c, take_ms);
}

static bool press(struct cli_connection *c, const struct sm_key_chord *chord)
{
    c->doing = "pressing the keys that paste";
    if (!cli_keyboard_press(c, chord))
        return false;
    /* Also after Ctrl-C: no key stays down. */
    bool is_good = cli_connection_pause(c, HOLD_MS);
    return cli_keyboard_release(c, chord) && is_good;
}

/* Answers all who wait in one of the clipboards. */
static bool answer(struct cli_connection *c, enum sm_selection selection, const char *text,
                   size_t size, unsigned *answers)
{
    while (sm_session_clipboard_wanted(c->session, selection)) {
        enum sm_status status =
            sm_session_send_clipboard(c->session, selection, SM_CLIPBOARD_TEXT, text, size);
        if (status == SM_ERR_NOMEM)
            return cli_fail_nomem(c->failure);
        if (status != SM_OK) /* it waits no longer */
            break;
        (*answers)++;
    }
    return true;
}

/*
 * A program of the guest that keeps what is copied asks at once, and then somebody else may ask
 * when the keys are pressed: so there are answers until nobody has asked for a while.
 */
static bool serve(struct cli_connection *c, const char *text, size_t size)
{
    unsigned answers = 0, answers_before = 0;
    uint64_t until_us = UINT64_MAX;
    enum cli_next next;
    c->doing = "waiting for a program in the guest to paste";
    do {
        struct sm_event event;
        if (!cli_paste_check_agent(c) || !answer(c, SM_SELECTION_CLIPBOARD, text, size, &answers) ||
            !answer(c, SM_SELECTION_PRIMARY, text, size, &answers))
            return false;
        if (answers != answers_before) {
            cli_connection_progress(c, HAND_OVER_MS);
            until_us = cli_now_us() + HAND_OVER_MS * 1000;
        }
        answers_before = answers;
        next = cli_connection_next(c, until_us, &event);
    } while (next == CLI_NEXT_EVENT);
    return next == CLI_NEXT_TIME;
}

bool cli_paste(struct cli_connection *c, const char *text, size_t size,
               const struct sm_key_chord *chord)
{
    return cli_paste_check_agent(c) && offer(c) && press(c, chord) && serve(c, text, size) &&
           cli_paste_hand_over(c);
}
