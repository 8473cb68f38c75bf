/* SPDX-License-Identifier: MIT */
/* A session for the time of one command, with its time limit and Ctrl-C. */
#ifndef SM_CLI_CONNECTION_H
#define SM_CLI_CONNECTION_H

#include <stdbool.h>
#include <stdint.h>

#include "cli/failure.h"
#include "cli/options.h"
#include "sumac/client.h"

struct cli_connection {
    const struct cli_options *options; /* borrowed */
    struct cli_failure *failure;       /* borrowed: where failures go */
    struct sm_session *session;        /* owned */
    int signal_fd;                     /* readable after SIGINT, SIGTERM or SIGHUP */
    uint64_t deadline_us;              /* of the whole command */
    uint32_t kinds;                    /* mask of kinds that were to be opened */
    uint32_t needed;                   /* mask of kinds whose channel 0 must not go away */
    bool knows_leds;                   /* the server has told the lock keys */
    const char *doing;                 /* what is being waited for, for people; static */
};

/** Microseconds of the monotonic clock. */
uint64_t cli_now_us(void);

/**
 * Connects and waits until the session is up.
 *
 * @param kinds   mask of the kinds of channels to open besides main
 * @param needed  those without which the command makes no sense
 * @return false with the failure filled; cli_connection_close() is due in any case
 */
bool cli_connection_open(struct cli_connection *connection, const struct cli_options *options,
                         uint32_t kinds, uint32_t needed, struct cli_failure *failure);

/** The same; `set_more` adds settings to the session before it connects, or fills the failure. */
bool cli_connection_open_with(struct cli_connection *connection, const struct cli_options *options,
                              uint32_t kinds, uint32_t needed,
                              bool (*set_more)(struct cli_connection *connection),
                              struct cli_failure *failure);

enum cli_next {
    CLI_NEXT_EVENT,
    CLI_NEXT_TIME,   /* `until_us` has come */
    CLI_NEXT_FAILED, /* the session ended, time is up, or Ctrl-C: the failure is filled */
};

/** Waits for the next event, at most until `until_us`; UINT64_MAX for the command's own limit. */
enum cli_next cli_connection_next(struct cli_connection *connection, uint64_t until_us,
                                  struct sm_event *event);

/** Lets time pass; false as above. */
bool cli_connection_pause(struct cli_connection *connection, uint32_t ms);

/** Something has got done: the time limit counts from now, and `ms` are not counted. */
void cli_connection_progress(struct cli_connection *connection, uint32_t ms);

/** Waits until channel 0 of `kind` can be used; fails if the server has none. */
bool cli_connection_need(struct cli_connection *connection, enum sm_channel_kind kind);

/**
 * Delivers what was sent and ends the session.
 *
 * @return false, with the failure filled, if the session ended before all was delivered
 */
bool cli_connection_finish(struct cli_connection *connection);

/**
 * The end of a command: nothing stays pressed, and what was sent to the machine gets through, also
 * after a failure and Ctrl-C.
 *
 * @param is_good  whether all went well until here
 * @return that; false, with the failure filled, if the rest could not be delivered
 */
bool cli_connection_let_go(struct cli_connection *connection, bool is_good);

/** Frees everything, at once if cli_connection_finish() was not called. */
void cli_connection_close(struct cli_connection *connection);

#endif
