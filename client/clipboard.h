/* SPDX-License-Identifier: MIT */
/* The clipboard's part of the guest agent. On the main channel's thread, but for the public
 * functions (clipboard_session.c). Source: docs/client.md, "The guest's agent". */
#ifndef SM_CLIENT_CLIPBOARD_H
#define SM_CLIENT_CLIPBOARD_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

#include "client/channel_thread.h"
#include "core/wire/agent.h"
#include "sumac/clipboard.h"

enum {
    SM_CLIPBOARD_WANTED_MAX = 16, /* requests of the guest that wait for answers */
    SM_CLIPBOARD_KINDS_ALL = 1 << SM_CLIPBOARD_TEXT | 1 << SM_CLIPBOARD_PNG |
                             1 << SM_CLIPBOARD_BMP | 1 << SM_CLIPBOARD_TIFF |
                             1 << SM_CLIPBOARD_JPEG | 1 << SM_CLIPBOARD_FILES,
};

/** One of the clipboards. */
struct sm_client_selection {
    uint32_t ours, guests;                    /* offers: masks of kinds */
    uint32_t told;                            /* what of ours the agent knows; then `guests` is 0 */
    uint32_t serial;                          /* of grabs, both ways */
    uint32_t asked;                           /* the kind we wait for; 0: none */
    uint64_t asked_us;                        /* when, or when more of it came */
    uint32_t wanted[SM_CLIPBOARD_WANTED_MAX]; /* kinds the guest waits for, oldest first */
    size_t wanted_count;
    uint64_t released_us; /* the guest took its offer back, which is believed later; 0: no */
    uint64_t grabbed_us;  /* when the guest offered something last */
    unsigned crossings;   /* offers of ours that followed the guest's at once */
    uint8_t *data;        /* owned: what came and was not taken; or NULL */
    size_t data_size;
    uint32_t data_kind;
};

/** Data on their way to the main channel's thread. */
struct sm_clipboard_parcel {
    struct sm_clipboard_parcel *next;
    enum sm_selection selection;
    uint32_t kind;
    size_t size;
    uint8_t *data; /* owned; or NULL */
};

/** Part of a session; zero-initialised. Under the session's lock. */
struct sm_client_clipboard {
    struct sm_client_selection selections[SM_SELECTION_COUNT];
    unsigned closed;                     /* mask of enum sm_clipboard_direction */
    struct sm_clipboard_parcel *parcels; /* owned, oldest first */
    atomic_size_t parcels_size;          /* their bytes */
    uint64_t answer_us;                  /* how long an answer may take; 0: 30 s */
    bool is_moving;                      /* `progress` is of something under way */
    struct sm_clipboard_progress progress;
    /* The main channel's thread: */
    struct sm_timer *timer; /* owned; or NULL */
    uint64_t told_us;       /* when progress was told last */
    size_t received;        /* bytes of an answer, when looked last */
    bool is_max_told;       /* the agent knows how much we take */
};

/** Frees what is kept. */
void sm_client_clipboard_finish(struct sm_client_clipboard *clipboard);

/** The agent has told what it can do. */
enum sm_status sm_client_clipboard_begin(struct sm_client_channel *main);

/** The agent is gone. */
void sm_client_clipboard_end(struct sm_client_channel *main);

/** The channel will be destroyed. */
void sm_client_clipboard_detach(struct sm_client_channel *main);

/** A message of the agent about the clipboard; others are left. */
enum sm_status sm_client_clipboard_message(struct sm_client_channel *main,
                                           const struct sm_agent_msg *msg);

/** Something has arrived or left: looks how far data are. */
void sm_client_clipboard_look(struct sm_client_channel *main);

/* ---- Calls of the public functions: `argument` is an enum sm_selection ---- */

void sm_clipboard_offer_call(struct sm_client_channel *main, const void *argument);
void sm_clipboard_ask_call(struct sm_client_channel *main, const void *argument);

/** Sends the parcels. */
void sm_clipboard_parcels_call(struct sm_client_channel *main, const void *argument);

/** The ways have been opened or closed. */
void sm_clipboard_directions_call(struct sm_client_channel *main, const void *argument);

/** Puts an event of that clipboard. Any thread, no lock held. */
void sm_clipboard_tell(struct sm_session *session, enum sm_event_kind kind,
                       enum sm_selection selection);

/** Frees all parcels of a list. */
void sm_clipboard_free_parcels(struct sm_clipboard_parcel *parcels);

/* ---- Line ends (clipboard_text.c) ---- */

/** Makes LF of CRLF in place; returns the new size. */
size_t sm_clipboard_to_lf(uint8_t *text, size_t size);

/**
 * The other way round.
 *
 * @return the caller's; NULL if out of memory
 */
uint8_t *sm_clipboard_to_crlf(const uint8_t *text, size_t size, size_t *out_size);

#endif
