/* SPDX-License-Identifier: MIT */
#include "client/file_source.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "client/error.h"
#include "client/tar.h"

enum { NAME_SIZE = 256 };

struct sm_file_source {
    char name[NAME_SIZE];
    uint64_t size;
    char *path;         /* owned: where it lies, whatever becomes of the working folder */
    int fd;             /* of a file being read; or -1 */
    struct sm_tar *tar; /* owned: of a folder; or NULL */
};

static enum sm_status fail_io(struct sm_error *error, const char *what, const char *path)
{
    sm_error_set(error, SM_ERROR_FILE, "see that it is there and that you may read it",
                 "%s cannot be %s: %s", path, what, strerror(errno));
    return SM_ERR_IO;
}

/* How many bytes the UTF-8 character at `text` has; 0 if it is none. */
static size_t character_size(const unsigned char *text)
{
    static const unsigned char heads[] = {0xc2, 0xe0, 0xf0, 0xf5};
    if (text[0] < 0x80)
        return 1;
    size_t size = 0;
    for (size_t i = 0; i < 3; i++)
        if (text[0] >= heads[i] && text[0] < heads[i + 1])
            size = i + 2;
    for (size_t i = 1; i < size; i++)
        if ((text[i] & 0xc0) != 0x80)
            return 0;
    return size;
}

/* What is not UTF-8 becomes '?'; what is too long is cut in front of a character. */
static void copy_name(char *to, const char *from, const char *ending)
{
    size_t used = 0, room = NAME_SIZE - 1 - strlen(ending);
    for (const unsigned char *at = (const unsigned char *)from; *at;) {
        size_t size = character_size(at);
        if (used + (size ? size : 1) > room)
            break;
        if (size)
            memcpy(to + used, at, size);
        else
            to[used] = '?';
        used += size ? size : 1;
        at += size ? size : 1;
    }
    memcpy(to + used, ending, strlen(ending) + 1);
}

/* The last part of where `path` leads to; the caller frees it. */
static char *last_part(const char *path)
{
    size_t size = strlen(path);
    while (size > 1 && path[size - 1] == '/')
        size--;
    size_t start = size;
    while (start > 0 && path[start - 1] != '/')
        start--;
    char *name = strndup(path + start, size - start);
    if (!name || (strcmp(name, ".") != 0 && strcmp(name, "..") != 0 && name[0]))
        return name;
    free(name);
    char *whole = realpath(path, NULL);
    if (!whole)
        return NULL;
    const char *slash = strrchr(whole, '/');
    name = strdup(slash && slash[1] ? slash + 1 : "root");
    free(whole);
    return name;
}

/* Not to wait for the other end of a pipe, or wake a device. */
static int open_file(const char *path)
{
    return open(path, O_RDONLY | O_NONBLOCK | O_CLOEXEC);
}

/* Only to see that it can be had: many may wait for their turn, and descriptors are few. */
static enum sm_status look_at(struct sm_file_source *source, const char *path, const char *name,
                              struct sm_error *error)
{
    struct stat facts;
    int fd = open_file(path);
    if (fd < 0 || fstat(fd, &facts) != 0) {
        enum sm_status status = fail_io(error, "opened", path);
        if (fd >= 0)
            close(fd);
        return status;
    }
    close(fd);
    if (S_ISREG(facts.st_mode)) {
        copy_name(source->name, name, "");
        source->size = (uint64_t)facts.st_size;
        return SM_OK;
    }
    if (!S_ISDIR(facts.st_mode)) {
        sm_error_set(error, SM_ERROR_FILE, "send files and folders only",
                     "%s is neither a file nor a folder", path);
        return SM_ERR_IO;
    }
    copy_name(source->name, name, ".tar");
    enum sm_status status = sm_tar_open(&source->tar, path, name, error);
    if (status == SM_OK)
        source->size = sm_tar_size(source->tar);
    return status;
}

enum sm_status sm_file_source_open(struct sm_file_source **out, const char *path,
                                   struct sm_error *error)
{
    struct sm_file_source *source = calloc(1, sizeof(*source));
    if (!source)
        return sm_error_nomem(error);
    source->fd = -1;
    source->path = realpath(path, NULL);
    char *name = source->path ? last_part(path) : NULL;
    enum sm_status status;
    if (!name)
        status = errno == ENOMEM ? sm_error_nomem(error) : fail_io(error, "opened", path);
    else
        status = look_at(source, source->path, name, error);
    free(name);
    if (status != SM_OK) {
        sm_file_source_destroy(source);
        return status;
    }
    *out = source;
    return SM_OK;
}

void sm_file_source_destroy(struct sm_file_source *source)
{
    if (!source)
        return;
    if (source->fd >= 0)
        close(source->fd);
    sm_tar_destroy(source->tar);
    free(source->path);
    free(source);
}

const char *sm_file_source_name(const struct sm_file_source *source)
{
    return source->name;
}

uint64_t sm_file_source_size(const struct sm_file_source *source)
{
    return source->size;
}

enum sm_status sm_file_source_read(struct sm_file_source *source, uint8_t *to, size_t size,
                                   struct sm_error *error)
{
    if (source->tar)
        return sm_tar_read(source->tar, to, size, error);
    if (source->fd < 0 && (source->fd = open_file(source->path)) < 0)
        return fail_io(error, "opened", source->path);
    while (size > 0) {
        ssize_t done = read(source->fd, to, size);
        if (done < 0)
            return fail_io(error, "read", source->name);
        if (done == 0) {
            sm_error_set(error, SM_ERROR_FILE, "send it again when nobody changes it",
                         "%s became shorter while it was sent", source->name);
            return SM_ERR_IO;
        }
        to += done;
        size -= (size_t)done;
    }
    return SM_OK;
}
