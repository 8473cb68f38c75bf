/* SPDX-License-Identifier: MIT */
/*
 * Files on their way into the guest through its agent, which sm_session_use_agent() asks for. They
 * arrive where the guest's agent puts them: on the desktop or among the downloads of who is logged
 * in. A folder arrives as one file, NAME.tar, since agents take single files only.
 *
 * SM_EVENT_FILES says that something about them has changed: sm_session_get_files().
 */
#ifndef SUMAC_FILES_H
#define SUMAC_FILES_H

#include <stddef.h>
#include <stdint.h>

#include "sumac/error.h"
#include "sumac/session.h"
#include "sumac/status.h"

#ifdef __cplusplus
extern "C" {
#endif

enum {
    SM_FILES_MAX = 4096, /* that a session knows at a time */
    SM_FILE_NAME_SIZE = 256,
};

enum sm_file_state {
    SM_FILE_WAITING = 0, /* for those before it, or for the guest's word */
    SM_FILE_SENDING = 1,
    SM_FILE_DONE = 2,      /* the guest has all of it */
    SM_FILE_FAILED = 3,    /* `error` says why; the guest has removed its part */
    SM_FILE_CANCELLED = 4, /* by sm_session_cancel_file(); likewise */
};

/** How a file's journey stands. */
struct sm_file_progress {
    uint32_t id; /* unique in the session, from 1 */
    enum sm_file_state state;
    char name[SM_FILE_NAME_SIZE]; /* in the guest, unless it has one of that name; UTF-8 */
    uint64_t size, sent;          /* bytes */
    struct sm_error error;        /* of a FAILED one */
};

/**
 * Sends files and folders. They are opened before the call returns, all or none.
 *
 * @param paths  `count` of them, 1 to SM_FILES_MAX
 * @param ids    receives `count` ids; may be NULL
 * @param error  receives the reason for people; may be NULL
 * @return SM_OK; SM_ERR_IO if one cannot be read or is neither file nor folder; SM_ERR_STATE before
 *         the session is connected, after its end, without sm_session_use_agent(), or if the guest
 *         has no agent; SM_ERR_LIMIT for too many; SM_ERR_NOMEM
 */
SM_API SM_NODISCARD enum sm_status sm_session_send_files(struct sm_session *session,
                                                         const char *const *paths, size_t count,
                                                         uint32_t *ids, struct sm_error *error);

/** Ends the journey of a file that is under way; the guest removes its part. */
SM_API void sm_session_cancel_file(struct sm_session *session, uint32_t id);

/** Forgets a file that is DONE, FAILED or CANCELLED; others stay. */
SM_API void sm_session_forget_file(struct sm_session *session, uint32_t id);

/**
 * All files not forgotten, in the order they were given.
 *
 * @param out  receives at most `room` of them; may be NULL if `room` is 0
 * @return how many there are, which may be more than `room`
 */
SM_API size_t sm_session_get_files(struct sm_session *session, struct sm_file_progress *out,
                                   size_t room);

#ifdef __cplusplus
}
#endif

#endif
