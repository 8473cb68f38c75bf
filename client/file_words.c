/* SPDX-License-Identifier: MIT */
#include "client/file_words.h"

#include <stdio.h>
#include <string.h>

#include "client/error.h"
#include "core/base/reader.h"
#include "core/wire/agent.h"

/* GLib's codes of input and output errors that agents send. Source: docs/files.md. */
enum {
    CODE_INVALID_FILENAME = 10,
    CODE_NO_SPACE = 12,
    CODE_PERMISSION_DENIED = 14,
    CODE_TOO_MANY_OPEN_FILES = 31,
};

/* As GLib writes values; agents with a simpler reader meet only ordinary names. */
static void escape(char *out, const char *name)
{
    bool is_start = true;
    for (; *name; name++) {
        const char *from = strchr("\n\r\\", *name);
        bool is_space = is_start && (*name == ' ' || *name == '\t');
        is_start = is_start && is_space;
        if (from) {
            *out++ = '\\';
            *out++ = "nr\\"[from - &"\n\r\\"[0]];
        } else if (is_space) {
            *out++ = '\\';
            *out++ = *name == ' ' ? 's' : 't';
        } else {
            *out++ = *name;
        }
    }
    *out = 0;
}

size_t sm_file_words(char *out, size_t room, const char *name, uint64_t size_bytes, uint32_t number,
                     uint32_t total)
{
    char escaped[2 * SM_FILE_NAME_SIZE];
    escape(escaped, name);
    int size = snprintf(out, room,
                        "[vdagent-file-xfer]\nname=%s\nsize=%llu\nfile-xfer-nr=%u\n"
                        "file-xfer-total=%u\n",
                        escaped, (unsigned long long)size_bytes, (unsigned)number, (unsigned)total);
    return (size_t)size + 1;
}

void sm_file_words_size(char *out, uint64_t bytes)
{
    static const char *const units[] = {"kB", "MB", "GB", "TB", "PB", "EB"};
    if (bytes < 1000) {
        (void)snprintf(out, 32, "%u bytes", (unsigned)bytes);
        return;
    }
    double value = (double)bytes / 1000;
    size_t unit = 0;
    while (value >= 999.95 && unit + 1 < sizeof(units) / sizeof(units[0])) {
        value /= 1000;
        unit++;
    }
    (void)snprintf(out, 32, "%.1f %s", value, units[unit]);
}

static void no_space(struct sm_error *error, struct sm_bytes detail, const char *name)
{
    char left[32] = "";
    if (detail.size == 8) {
        struct sm_reader r = sm_reader(detail);
        sm_file_words_size(left, sm_get_le64(&r));
    }
    sm_error_set(error, SM_ERROR_NO_SPACE, "make room in the guest",
                 left[0] ? "the guest has no room for %s: %s are free"
                         : "the guest has no room for %s%s",
                 name, left);
}

static void failed(struct sm_error *error, struct sm_bytes detail, const char *name)
{
    uint32_t code = 0;
    if (detail.size == 5 && detail.data[0] == 0) {
        struct sm_reader r = sm_reader(detail);
        sm_skip(&r, 1);
        code = sm_get_le32(&r);
    }
    switch (code) {
    case CODE_INVALID_FILENAME:
        sm_error_set(error, SM_ERROR_GUEST, "give it another name",
                     "the guest takes no file of the name %s", name);
        break;
    case CODE_NO_SPACE:
        no_space(error, (struct sm_bytes){0}, name);
        break;
    case CODE_PERMISSION_DENIED:
        sm_error_set(error, SM_ERROR_GUEST, "see who may write in the guest's folder of downloads",
                     "the guest may not write %s", name);
        break;
    case CODE_TOO_MANY_OPEN_FILES:
        sm_error_set(error, SM_ERROR_GUEST, "wait until others have arrived",
                     "the guest takes too many files at a time to take %s", name);
        break;
    default:
        /* Current agents say no more than this, whatever the reason. */
        sm_error_set(error, SM_ERROR_GUEST,
                     "see that the guest has room, and that its folder of downloads can be written",
                     "the guest could not store %s", name);
        break;
    }
}

void sm_file_words_error(struct sm_error *error, uint32_t result, struct sm_bytes detail,
                         const struct sm_file_progress *file)
{
    const char *name = file ? file->name : "files";
    *error = (struct sm_error){.kind = SM_ERROR_NONE};
    switch (result) {
    case SM_FILE_XFER_RESULT_CANCELLED:
        sm_error_set(error, SM_ERROR_GUEST, "send it again", "the guest broke off taking %s", name);
        break;
    case SM_FILE_XFER_RESULT_NOT_ENOUGH_SPACE:
        no_space(error, detail, name);
        break;
    case SM_FILE_XFER_RESULT_SESSION_LOCKED:
        sm_error_set(error, SM_ERROR_GUEST, "unlock the guest's screen, then send it again",
                     "the guest's screen is locked, so it does not take %s", name);
        break;
    case SM_FILE_XFER_RESULT_AGENT_NOT_CONNECTED:
        sm_error_set(error, SM_ERROR_NO_AGENT, "log in to the guest's desktop, then send it again",
                     "nobody is logged in at the guest who could take %s", name);
        break;
    case SM_FILE_XFER_RESULT_DISABLED:
        if (!file)
            sm_error_set(error, SM_ERROR_DISABLED, "ask whoever runs the machine",
                         "the machine's administrator does not allow sending files");
        else /* stock agents say so if they find no folder for downloads */
            sm_error_set(error, SM_ERROR_DISABLED,
                         "give the guest's user a folder for downloads (xdg-user-dirs-update), or "
                         "ask whoever runs the machine",
                         "the guest does not take files, so %s was not sent", name);
        break;
    default:
        failed(error, detail, name);
        break;
    }
}
