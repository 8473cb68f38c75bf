/* SPDX-License-Identifier: MIT */
/*
 * The clipboard shared with the guest through its agent, which sm_session_use_agent() asks for.
 * Each side offers kinds of data; nothing is copied before the other side asks for one. There are
 * up to three of them, as in X11; each stands alone.
 *
 *   - SM_EVENT_CLIPBOARD_OFFER: the guest's offer has changed; sm_session_clipboard_offer().
 *   - SM_EVENT_CLIPBOARD_WANTED: the guest wants what we offered; sm_session_clipboard_wanted().
 *   - SM_EVENT_CLIPBOARD_DATA: what we asked for has come; sm_session_take_clipboard().
 *   - SM_EVENT_CLIPBOARD_PROGRESS: data have got further; sm_session_clipboard_progress().
 *
 * The `channel_id` of these events is the enum sm_selection.
 */
#ifndef SUMAC_CLIPBOARD_H
#define SUMAC_CLIPBOARD_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "sumac/error.h"
#include "sumac/session.h"
#include "sumac/status.h"

#ifdef __cplusplus
extern "C" {
#endif

/** What clipboard data are, with the numbers they have on the wire. */
enum sm_clipboard_kind {
    SM_CLIPBOARD_NOTHING = 0,
    SM_CLIPBOARD_TEXT = 1, /* UTF-8, lines end in LF, no NUL behind it */
    SM_CLIPBOARD_PNG = 2,
    SM_CLIPBOARD_BMP = 3,
    SM_CLIPBOARD_TIFF = 4,
    SM_CLIPBOARD_JPEG = 5,
    /** Files that the guest reads as it does a shared folder's (sumac/folder.h), only from here to
     * there: sm_session_send_clipboard_files(). Guests are offered them only if their machine has a
     * port for shared folders. As data: "copy" or "cut", then paths of the shared folder, each
     * beginning with a slash; a NUL behind each of these. */
    SM_CLIPBOARD_FILES = 6,
};

/** Which clipboard, with the numbers they have on the wire. */
enum sm_selection {
    SM_SELECTION_CLIPBOARD = 0, /* copy and paste; agents that know one know this */
    SM_SELECTION_PRIMARY = 1,   /* select and middle click, on X11 and Wayland */
    SM_SELECTION_SECONDARY = 2,
    SM_SELECTION_COUNT = 3,
};

/** The name of `kind` in lower case: "text", "png", "bmp", "tiff", "jpeg", "files"; "nothing" for
 * SM_CLIPBOARD_NOTHING and what has no meaning. */
SM_API const char *sm_clipboard_kind_name(enum sm_clipboard_kind kind);

enum { SM_CLIPBOARD_MAX_BYTES = 100 * 1024 * 1024 /* of one piece of data, either way */ };

/** Ways data may go, as a mask. */
enum sm_clipboard_direction {
    SM_CLIPBOARD_TO_GUEST = 1,
    SM_CLIPBOARD_FROM_GUEST = 2,
};

/**
 * Opens and closes the ways; both are open at first. In a closed one nothing is offered, asked for
 * or given, and what was offered is taken back; what is already on its way to the guest arrives.
 * What is held back is remembered: a way that is opened has what it would have had.
 *
 * @param directions  mask of enum sm_clipboard_direction
 */
SM_API void sm_session_set_clipboard_directions(struct sm_session *session, unsigned directions);

/**
 * Offers the guest what the local clipboard has; an offer of the guest's ends with it. Two that
 * take the clipboard from each other faster than people do are stopped: the guest keeps it.
 *
 * @param kinds  mask of 1u << enum sm_clipboard_kind; 0 takes the offer back
 * @return SM_OK, also if there is no agent yet: each that comes is told; SM_ERR_STATE before the
 *         session is connected, after its end, or without sm_session_use_agent(); SM_ERR_LIMIT for
 *         unknown kinds and selections; SM_ERR_NOMEM
 */
SM_API SM_NODISCARD enum sm_status
sm_session_offer_clipboard(struct sm_session *session, enum sm_selection selection, uint32_t kinds);

/** What of our offer the guest's agent has been told: a mask as above; 0 before an agent has said
 * that it can share a clipboard, and once the guest offers something itself. No event tells. */
SM_API uint32_t sm_session_clipboard_told(struct sm_session *session, enum sm_selection selection);

/** The kind the guest waits for; SM_CLIPBOARD_NOTHING if it does not wait. Each answer may show
 * the next one: SM_EVENT_CLIPBOARD_WANTED comes again then. */
SM_API enum sm_clipboard_kind sm_session_clipboard_wanted(struct sm_session *session,
                                                          enum sm_selection selection);

/**
 * Gives the guest what it waits for.
 *
 * @param kind  the one it wants, or SM_CLIPBOARD_NOTHING if it cannot be had
 * @param data  `size` bytes, copied
 * @return as sm_session_offer_clipboard(); SM_ERR_LIMIT for more than SM_CLIPBOARD_MAX_BYTES: the
 *         guest hears that there is nothing; SM_ERR_STATE if the guest does not wait
 */
SM_API SM_NODISCARD enum sm_status sm_session_send_clipboard(struct sm_session *session,
                                                             enum sm_selection selection,
                                                             enum sm_clipboard_kind kind,
                                                             const void *data, size_t size);

enum { SM_CLIPBOARD_PATHS_MAX = 1000 /* files and folders of one answer */ };

/** Files and folders of this computer that were found. Thread: one at a time. */
struct sm_copied_files;

/**
 * Looks for files and folders that a guest is to read. It needs no session, and takes as long as
 * the file systems do: where one of a network hangs, for ever. So a program with a window calls it
 * on another thread.
 *
 * @param out    receives them; the caller releases them with sm_copied_files_destroy()
 * @param paths  `count` of them, 1 to SM_CLIPBOARD_PATHS_MAX
 * @param error  receives the reason for people; may be NULL
 * @return SM_OK; SM_ERR_LIMIT for too many or none; SM_ERR_IO for one that cannot be read, is
 *         neither file nor folder, or has a name that is not UTF-8; SM_ERR_STATE if this
 *         installation cannot share files; SM_ERR_NOMEM
 */
SM_API SM_NODISCARD enum sm_status sm_copied_files_find(struct sm_copied_files **out,
                                                        const char *const *paths, size_t count,
                                                        struct sm_error *error);

/** NULL does nothing. */
SM_API void sm_copied_files_destroy(struct sm_copied_files *files);

/**
 * Answers a guest that waits for SM_CLIPBOARD_FILES: from now on, until the session ends or another
 * folder is shared, it may read these files and folders, whatever folder they lie in. It cannot
 * change them: what is cut here is copied there. Never waits for a file system.
 *
 * @param error  receives the reason for people; may be NULL
 * @return as sm_session_send_clipboard(); SM_ERR_IO if one has a name that is too long, or more
 * than 2048 were given: the guest hears that there is nothing
 */
SM_API SM_NODISCARD enum sm_status sm_session_send_copied_files(struct sm_session *session,
                                                                enum sm_selection selection,
                                                                const struct sm_copied_files *files,
                                                                struct sm_error *error);

/** sm_copied_files_find(), then sm_session_send_copied_files(). If they cannot be found, the guest
 * hears that there is nothing. */
SM_API SM_NODISCARD enum sm_status
sm_session_send_clipboard_files(struct sm_session *session, enum sm_selection selection,
                                const char *const *paths, size_t count, struct sm_error *error);

/** What the guest offers: a mask of 1u << enum sm_clipboard_kind; 0 for nothing. */
SM_API uint32_t sm_session_clipboard_offer(struct sm_session *session, enum sm_selection selection);

/**
 * Asks the guest for data it offers. SM_EVENT_CLIPBOARD_DATA follows, also if the guest goes away,
 * takes its offer back, or says nothing for 30 s; then there is nothing to take.
 *
 * @return SM_OK; SM_ERR_STATE if the guest does not offer it, or as above; SM_AGAIN while another
 *         answer is awaited; SM_ERR_NOMEM
 */
SM_API SM_NODISCARD enum sm_status sm_session_ask_clipboard(struct sm_session *session,
                                                            enum sm_selection selection,
                                                            enum sm_clipboard_kind kind);

/** Waits no more for what was asked for: no event follows, and what comes is thrown away. */
SM_API void sm_session_cancel_clipboard(struct sm_session *session, enum sm_selection selection);

/**
 * Takes the data that came.
 *
 * @param size  receives their size in bytes
 * @param kind  receives what they are; may be NULL
 * @return the caller's, released with free(); a NUL lies behind them. NULL if there are none.
 */
SM_API void *sm_session_take_clipboard(struct sm_session *session, enum sm_selection selection,
                                       size_t *size, enum sm_clipboard_kind *kind);

/** Data on their way. */
struct sm_clipboard_progress {
    bool is_to_guest;
    uint64_t done, total; /* bytes */
};

/** How far the data under way are; false if none are. */
SM_API bool sm_session_clipboard_progress(struct sm_session *session,
                                          struct sm_clipboard_progress *out);

#ifdef __cplusplus
}
#endif

#endif
