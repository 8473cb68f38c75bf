/* SPDX-License-Identifier: MIT */
/* Files that are copied here and pasted in the guest. Any thread. Source: docs/files.md. */
#include <stdlib.h>
#include <string.h>

#include "client/error.h"
#include "client/session_private.h"
#include "core/base/writer.h"

enum { LIST_MAX = SM_CLIPBOARD_PATHS_MAX * (SM_DAV_PLACE_SIZE + 1) };

/* What is cut here stays where it is: the guest may only read. */
static const char ACTION[] = "copy";

static enum sm_status refuse(enum sm_status status, const char *path, struct sm_error *error)
{
    switch (status) {
    case SM_ERR_NOMEM:
        return sm_error_nomem(error);
    case SM_ERR_STATE:
        sm_error_set(error, SM_ERROR_FILE, "copy it again",
                     "the machine was to read %s, but nothing is shared any more", path);
        return SM_ERR_STATE;
    case SM_ERR_LIMIT:
        sm_error_set(error, SM_ERROR_FILE,
                     "rename it, or connect anew if thousands of files were pasted",
                     "%s has a name that is not UTF-8, or is one too many", path);
        return SM_ERR_IO;
    default:
        sm_error_set(error, SM_ERROR_FILE, "see that it is there and that you may read it",
                     "%s is no file or folder that can be read", path);
        return SM_ERR_IO;
    }
}

static enum sm_status put_all(struct sm_writer *list, struct sm_session *session,
                              const char *const *paths, size_t count, struct sm_error *error)
{
    sm_put_bytes(list, (struct sm_bytes){(const uint8_t *)ACTION, sizeof(ACTION)});
    for (size_t i = 0; i < count; i++) {
        char place[SM_DAV_PLACE_SIZE];
        enum sm_status status = sm_client_folder_publish(session, paths[i], place);
        if (status != SM_OK)
            return refuse(status, paths[i], error);
        sm_put_bytes(list, (struct sm_bytes){(const uint8_t *)place, strlen(place) + 1});
    }
    enum sm_status status = sm_writer_status(list);
    return status == SM_OK ? SM_OK : sm_error_nomem(error);
}

enum sm_status sm_session_send_clipboard_files(struct sm_session *session,
                                               enum sm_selection selection,
                                               const char *const *paths, size_t count,
                                               struct sm_error *error)
{
    if (count == 0 || count > SM_CLIPBOARD_PATHS_MAX) {
        sm_error_set(error, SM_ERROR_FILE, "copy the folder they are in",
                     "1 to %d files can be pasted at once, not %zu", SM_CLIPBOARD_PATHS_MAX, count);
        (void)!sm_session_send_clipboard(session, selection, SM_CLIPBOARD_NOTHING, NULL, 0);
        return SM_ERR_LIMIT;
    }
    /* Nothing can be read before the guest has asked for it. */
    if (sm_session_clipboard_wanted(session, selection) != SM_CLIPBOARD_FILES) {
        sm_error_set(error, SM_ERROR_FILE, "paste again", "the machine does not wait for files");
        return SM_ERR_STATE;
    }
    struct sm_writer list;
    sm_writer_init(&list, LIST_MAX);
    enum sm_status status = put_all(&list, session, paths, count, error);
    struct sm_bytes bytes = sm_writer_bytes(&list);
    if (status == SM_OK)
        status = sm_session_send_clipboard(session, selection, SM_CLIPBOARD_FILES, bytes.data,
                                           bytes.size);
    else
        (void)!sm_session_send_clipboard(session, selection, SM_CLIPBOARD_NOTHING, NULL, 0);
    sm_writer_finish(&list);
    return status;
}
