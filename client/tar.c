/* SPDX-License-Identifier: MIT */
#include "client/tar.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "client/error.h"

enum {
    BLOCK = 512,
    END_SIZE = 2 * BLOCK,
    NAME_ROOM = 100, /* of the old header; longer ones have a record of their own */
    RECORDS_MAX = 3 * 4096 + 256,
    HEADERS_MAX =
        3 * BLOCK + RECORDS_MAX, /* of one entry: two headers, records and their padding */
};

static const uint64_t OLD_SIZE_MAX = 077777777777; /* bytes: what eleven octal digits hold */

struct entry {
    char *name; /* owned: in the archive; that of a folder ends in '/' */
    char *link; /* owned: where a symbolic link leads; or NULL */
    uint64_t size;
    uint64_t mtime_s;
    uint32_t mode;
    char type; /* '0' file, '2' symbolic link, '5' folder */
};

struct sm_tar {
    char *path;            /* owned: of the folder */
    int root;              /* it, while reading; or -1 */
    size_t prefix_size;    /* of the names: that of the folder itself, with its '/' */
    struct entry *entries; /* owned */
    size_t count, room;
    uint64_t size;
    /* Where reading stands: the headers of entry `next - 1`, its bytes, its padding. */
    size_t next;
    uint8_t headers[HEADERS_MAX];
    size_t header_size, header_done;
    int fd; /* of the file being read; or -1 */
    uint64_t file_left;
    uint64_t zeros_left;
};

static enum sm_status fail_io(struct sm_error *error, const char *what, const char *name)
{
    sm_error_set(error, SM_ERROR_FILE, "see that it is there and that you may read it",
                 "%s cannot be %s: %s", name, what, strerror(errno));
    return SM_ERR_IO;
}

/* ---- Headers ---- */

static uint64_t round_to_block(uint64_t size)
{
    return (size + BLOCK - 1) / BLOCK * BLOCK;
}

static void put_octal(uint8_t *to, size_t digits, uint64_t value)
{
    to[digits] = 0;
    while (digits > 0) {
        to[--digits] = (uint8_t)('0' + value % 8);
        value /= 8;
    }
}

static void put_text(uint8_t *to, const char *text)
{
    size_t size = strlen(text);
    memcpy(to, text, size < NAME_ROOM ? size : NAME_ROOM);
}

static void put_header(uint8_t *block, const struct entry *entry, char type, uint64_t size)
{
    memset(block, 0, BLOCK);
    put_text(block, entry->name);
    put_octal(block + 100, 7, entry->mode & 07777);
    put_octal(block + 108, 7, 0); /* who owns it here is nobody there */
    put_octal(block + 116, 7, 0);
    put_octal(block + 124, 11, size <= OLD_SIZE_MAX ? size : 0);
    put_octal(block + 136, 11, entry->mtime_s <= OLD_SIZE_MAX ? entry->mtime_s : 0);
    memset(block + 148, ' ', 8);
    block[156] = (uint8_t)type;
    if (type == '2')
        put_text(block + 157, entry->link);
    memcpy(block + 257, "ustar", 6);
    memcpy(block + 263, "00", 2);
    unsigned sum = 0;
    for (size_t i = 0; i < BLOCK; i++)
        sum += block[i];
    put_octal(block + 148, 6, sum);
}

/* "LENGTH KEY=VALUE\n", the length counting itself. */
static size_t put_record(char *to, size_t room, const char *key, const char *value)
{
    size_t rest = strlen(key) + strlen(value) + 3, length = rest + 1;
    for (size_t digits = 1, limit = 10; length >= limit; limit *= 10)
        length = rest + ++digits;
    (void)snprintf(to, room, "%zu %s=%s\n", length, key, value);
    return length;
}

/* All that stands before an entry's bytes; returns its size, a multiple of BLOCK. */
static size_t put_headers(uint8_t *to, const struct entry *entry)
{
    char records[RECORDS_MAX], number[24];
    size_t used = 0;
    if (strlen(entry->name) > NAME_ROOM)
        used += put_record(records, sizeof(records), "path", entry->name);
    if (entry->link && strlen(entry->link) > NAME_ROOM)
        used += put_record(records + used, sizeof(records) - used, "linkpath", entry->link);
    if (entry->size > OLD_SIZE_MAX) {
        (void)snprintf(number, sizeof(number), "%llu", (unsigned long long)entry->size);
        used += put_record(records + used, sizeof(records) - used, "size", number);
    }
    size_t size = 0;
    if (used > 0) {
        put_header(to, entry, 'x', used);
        memset(to + BLOCK, 0, round_to_block(used));
        memcpy(to + BLOCK, records, used);
        size = BLOCK + round_to_block(used);
    }
    put_header(to + size, entry, entry->type, entry->size);
    return size + BLOCK;
}

/* ---- Looking through the folder ---- */

static enum sm_status add(struct sm_tar *tar, struct entry entry, struct sm_error *error)
{
    if (tar->count == tar->room) {
        size_t room = tar->room ? tar->room * 2 : 64;
        struct entry *entries = realloc(tar->entries, room * sizeof(*entries));
        if (!entries) {
            free(entry.name);
            free(entry.link);
            return sm_error_nomem(error);
        }
        tar->entries = entries;
        tar->room = room;
    }
    tar->entries[tar->count++] = entry;
    tar->size += put_headers(tar->headers, &entry) + round_to_block(entry.size);
    return SM_OK;
}

static char *read_link(int folder, const char *name)
{
    char target[4096];
    ssize_t size = readlinkat(folder, name, target, sizeof(target) - 1);
    if (size < 0)
        return NULL;
    target[size] = 0;
    return strdup(target);
}

static enum sm_status walk(struct sm_tar *tar, int folder, const char *name, unsigned depth,
                           struct sm_error *error);

/* One thing of `folder`; `path` is what it is called in the archive. */
static enum sm_status visit(struct sm_tar *tar, int folder, const char *name, const char *path,
                            unsigned depth, struct sm_error *error)
{
    struct stat facts;
    if (fstatat(folder, name, &facts, AT_SYMLINK_NOFOLLOW) != 0)
        return fail_io(error, "looked at", path);
    struct entry entry = {.mode = facts.st_mode,
                          .mtime_s = facts.st_mtime > 0 ? (uint64_t)facts.st_mtime : 0};
    if (S_ISDIR(facts.st_mode)) {
        int inner = openat(folder, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
        if (inner < 0)
            return fail_io(error, "opened", path);
        return walk(tar, inner, path, depth + 1, error);
    }
    if (S_ISREG(facts.st_mode)) {
        entry.type = '0';
        entry.size = (uint64_t)facts.st_size;
    } else if (S_ISLNK(facts.st_mode)) {
        entry.type = '2';
        entry.link = read_link(folder, name);
        if (!entry.link)
            return fail_io(error, "read", path);
    } else {
        return SM_OK;
    }
    entry.name = strdup(path);
    if (!entry.name) {
        free(entry.link);
        return sm_error_nomem(error);
    }
    return add(tar, entry, error);
}

static enum sm_status visit_all(struct sm_tar *tar, DIR *listing, const char *path, unsigned depth,
                                struct sm_error *error)
{
    struct dirent *found;
    while ((found = readdir(listing))) {
        char inner[4096];
        if (strcmp(found->d_name, ".") == 0 || strcmp(found->d_name, "..") == 0)
            continue;
        int size = snprintf(inner, sizeof(inner), "%s/%s", path, found->d_name);
        if (size < 0 || (size_t)size >= sizeof(inner) || tar->count >= SM_TAR_ENTRIES_MAX ||
            depth >= SM_TAR_DEPTH_MAX) {
            sm_error_set(error, SM_ERROR_FILE, "send it in parts, or share the folder instead",
                         "%.200s holds too much, or lies too deep, to be sent at once", path);
            return SM_ERR_LIMIT;
        }
        enum sm_status status = visit(tar, dirfd(listing), found->d_name, inner, depth, error);
        if (status != SM_OK)
            return status;
    }
    return SM_OK;
}

/* A folder and what is in it; takes `folder`. */
static enum sm_status walk(struct sm_tar *tar, int folder, const char *name, unsigned depth,
                           struct sm_error *error)
{
    struct stat facts;
    struct entry entry = {.type = '5', .mode = 0755};
    if (fstat(folder, &facts) == 0) {
        entry.mode = facts.st_mode;
        entry.mtime_s = facts.st_mtime > 0 ? (uint64_t)facts.st_mtime : 0;
    }
    if (asprintf(&entry.name, "%s/", name) < 0) {
        close(folder);
        return sm_error_nomem(error);
    }
    enum sm_status status = add(tar, entry, error);
    DIR *listing = status == SM_OK ? fdopendir(folder) : NULL;
    if (!listing) {
        close(folder);
        return status == SM_OK ? fail_io(error, "listed", name) : status;
    }
    status = visit_all(tar, listing, name, depth, error);
    closedir(listing);
    return status;
}

enum sm_status sm_tar_open(struct sm_tar **out, const char *path, const char *name,
                           struct sm_error *error)
{
    struct sm_tar *tar = calloc(1, sizeof(*tar));
    if (!tar)
        return sm_error_nomem(error);
    tar->root = tar->fd = -1;
    tar->prefix_size = strlen(name) + 1;
    tar->path = strdup(path);
    int folder = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    enum sm_status status = SM_OK;
    if (!tar->path)
        status = sm_error_nomem(error);
    else if (folder < 0)
        status = fail_io(error, "opened", path);
    if (status == SM_OK)
        status = walk(tar, folder, name, 0, error); /* takes `folder` */
    else if (folder >= 0)
        close(folder);
    if (status != SM_OK) {
        sm_tar_destroy(tar);
        return status;
    }
    tar->size += END_SIZE;
    *out = tar;
    return SM_OK;
}

void sm_tar_destroy(struct sm_tar *tar)
{
    if (!tar)
        return;
    for (size_t i = 0; i < tar->count; i++) {
        free(tar->entries[i].name);
        free(tar->entries[i].link);
    }
    free(tar->entries);
    if (tar->fd >= 0)
        close(tar->fd);
    if (tar->root >= 0)
        close(tar->root);
    free(tar->path);
    free(tar);
}

uint64_t sm_tar_size(const struct sm_tar *tar)
{
    return tar->size;
}

/* ---- Reading ---- */

static enum sm_status begin_entry(struct sm_tar *tar, struct sm_error *error)
{
    if (tar->next == tar->count) {
        tar->zeros_left = END_SIZE;
        tar->next++;
        return SM_OK;
    }
    const struct entry *entry = &tar->entries[tar->next++];
    tar->header_size = put_headers(tar->headers, entry);
    tar->header_done = 0;
    tar->file_left = entry->size;
    tar->zeros_left = round_to_block(entry->size) - entry->size;
    if (entry->size == 0)
        return SM_OK;
    if (tar->root < 0)
        tar->root = open(tar->path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    /* By now anything may have its name: a pipe would keep us until somebody writes to it. */
    tar->fd = openat(tar->root, entry->name + tar->prefix_size,
                     O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);
    if (tar->fd < 0)
        return fail_io(error, "opened", entry->name);
    struct stat facts;
    if (fstat(tar->fd, &facts) == 0 && S_ISREG(facts.st_mode))
        return SM_OK;
    sm_error_set(error, SM_ERROR_FILE, "send it again when nobody changes it",
                 "%s is no file any more", entry->name);
    return SM_ERR_IO;
}

static enum sm_status read_file(struct sm_tar *tar, uint8_t *to, size_t size, size_t *got,
                                struct sm_error *error)
{
    const char *name = tar->entries[tar->next - 1].name;
    ssize_t done = read(tar->fd, to, size < tar->file_left ? size : (size_t)tar->file_left);
    if (done < 0)
        return fail_io(error, "read", name);
    if (done == 0) {
        sm_error_set(error, SM_ERROR_FILE, "send it again when nobody changes it",
                     "%s became shorter while it was sent", name);
        return SM_ERR_IO;
    }
    *got = (size_t)done;
    tar->file_left -= *got;
    if (tar->file_left == 0) {
        close(tar->fd);
        tar->fd = -1;
    }
    return SM_OK;
}

enum sm_status sm_tar_read(struct sm_tar *tar, uint8_t *to, size_t size, struct sm_error *error)
{
    while (size > 0) {
        size_t part = 0;
        enum sm_status status = SM_OK;
        if (tar->header_done < tar->header_size) {
            part = tar->header_size - tar->header_done;
            part = part < size ? part : size;
            memcpy(to, tar->headers + tar->header_done, part);
            tar->header_done += part;
        } else if (tar->file_left > 0) {
            status = read_file(tar, to, size, &part, error);
        } else if (tar->zeros_left > 0) {
            part = tar->zeros_left < size ? (size_t)tar->zeros_left : size;
            memset(to, 0, part);
            tar->zeros_left -= part;
        } else if (tar->next > tar->count) {
            return SM_ERR_STATE;
        } else {
            status = begin_entry(tar, error);
        }
        if (status != SM_OK)
            return status;
        to += part;
        size -= part;
    }
    return SM_OK;
}
