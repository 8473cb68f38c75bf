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

struct sm_copied_files {
    size_t count;
    char *paths[]; /* each owned; NULL: not found yet */
};

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
                     "%s has a name that is too long or not UTF-8, or is one too many", path);
        return SM_ERR_IO;
    default:
        sm_error_set(error, SM_ERROR_FILE, "see that it is there and that you may read it",
                     "%s is no file or folder that can be read", path);
        return SM_ERR_IO;
    }
}

enum sm_status sm_copied_files_find(struct sm_copied_files **out, const char *const *paths,
                                    size_t count, struct sm_error *error)
{
    if (count == 0 || count > SM_CLIPBOARD_PATHS_MAX) {
        sm_error_set(error, SM_ERROR_FILE, "copy the folder they are in",
                     "1 to %d files can be pasted at once, not %zu", SM_CLIPBOARD_PATHS_MAX, count);
        return SM_ERR_LIMIT;
    }
    const struct sm_dav_module *module = sm_dav_load();
    if (!module)
        return sm_client_folder_say_absent(error);
    struct sm_copied_files *files = calloc(1, sizeof(*files) + count * sizeof(files->paths[0]));
    if (!files)
        return sm_error_nomem(error);
    files->count = count;
    for (size_t i = 0; i < count; i++) {
        enum sm_status status = module->find(&files->paths[i], paths[i]);
        if (status != SM_OK) {
            sm_copied_files_destroy(files);
            return refuse(status, paths[i], error);
        }
    }
    *out = files;
    return SM_OK;
}

void sm_copied_files_destroy(struct sm_copied_files *files)
{
    if (!files)
        return;
    for (size_t i = 0; i < files->count; i++)
        free(files->paths[i]);
    free(files);
}

static enum sm_status put_all(struct sm_writer *list, struct sm_session *session,
                              const struct sm_copied_files *files, struct sm_error *error)
{
    sm_put_bytes(list, (struct sm_bytes){(const uint8_t *)ACTION, sizeof(ACTION)});
    for (size_t i = 0; i < files->count; i++) {
        char place[SM_DAV_PLACE_SIZE];
        enum sm_status status = sm_client_folder_publish(session, files->paths[i], place);
        if (status != SM_OK)
            return refuse(status, files->paths[i], error);
        sm_put_bytes(list, (struct sm_bytes){(const uint8_t *)place, strlen(place) + 1});
    }
    enum sm_status status = sm_writer_status(list);
    return status == SM_OK ? SM_OK : sm_error_nomem(error);
}

static enum sm_status say_nothing(struct sm_session *session, enum sm_selection selection,
                                  enum sm_status status)
{
    (void)!sm_session_send_clipboard(session, selection, SM_CLIPBOARD_NOTHING, NULL, 0);
    return status;
}

/* Nothing can be read before the guest has asked for it. */
static enum sm_status check_wanted(struct sm_session *session, enum sm_selection selection,
                                   struct sm_error *error)
{
    if (sm_session_clipboard_wanted(session, selection) == SM_CLIPBOARD_FILES)
        return SM_OK;
    sm_error_set(error, SM_ERROR_FILE, "paste again", "the machine does not wait for files");
    return SM_ERR_STATE;
}

enum sm_status sm_session_send_copied_files(struct sm_session *session, enum sm_selection selection,
                                            const struct sm_copied_files *files,
                                            struct sm_error *error)
{
    struct sm_writer list;
    enum sm_status status = check_wanted(session, selection, error);
    if (status != SM_OK)
        return status;
    sm_writer_init(&list, LIST_MAX);
    status = put_all(&list, session, files, error);
    struct sm_bytes bytes = sm_writer_bytes(&list);
    if (status == SM_OK)
        status = sm_session_send_clipboard(session, selection, SM_CLIPBOARD_FILES, bytes.data,
                                           bytes.size);
    else
        status = say_nothing(session, selection, status);
    sm_writer_finish(&list);
    return status;
}

enum sm_status sm_session_send_clipboard_files(struct sm_session *session,
                                               enum sm_selection selection,
                                               const char *const *paths, size_t count,
                                               struct sm_error *error)
{
    struct sm_copied_files *files = NULL;
    enum sm_status status = check_wanted(session, selection, error);
    if (status != SM_OK)
        return status;
    status = sm_copied_files_find(&files, paths, count, error);
    if (status != SM_OK)
        return say_nothing(session, selection, status);
    status = sm_session_send_copied_files(session, selection, files, error);
    sm_copied_files_destroy(files);
    return status;
}
