/* SPDX-License-Identifier: MIT */
#include "media/phodav/confine.h"

#include <dirent.h>
#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

enum {
    LOOK_AT_MAX = 100000, /* things below a folder */
    DEPTH_MAX = 100,
};

static int hex(char c)
{
    if (c >= '0' && c <= '9')
        return c - '0';
    c = (char)(c | 0x20);
    return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

/* Appends the decoded path to `out`; false for what no name of a file can be. */
static bool decode(char *out, size_t room, const char *encoded)
{
    while (*encoded) {
        int value = (unsigned char)*encoded++;
        if (value == '%') {
            int high = hex(encoded[0]), low = high < 0 ? -1 : hex(encoded[1]);
            value = low < 0 ? 0 : high << 4 | low;
            if (value == 0 || value == '/')
                return false;
            encoded += 2;
        }
        if (room < 2)
            return false;
        *out++ = (char)value;
        room--;
    }
    *out = 0;
    return true;
}

static bool has_dots(const char *path)
{
    for (const char *at = path; (at = strstr(at, "..")); at++)
        if ((at == path || at[-1] == '/') && (!at[2] || at[2] == '/'))
            return true;
    return false;
}

/* The path in the file system; false if there can be none. */
static bool locate(char path[PATH_MAX], const char *root, const char *encoded)
{
    int size = snprintf(path, PATH_MAX, "%s", root);
    if (encoded[0] != '/' || size < 0 || size >= PATH_MAX ||
        !decode(path + size, PATH_MAX - (size_t)size, encoded) || has_dots(path + size))
        return false;
    for (size_t end = strlen(path); end > (size_t)size && path[end - 1] == '/'; end--)
        path[end - 1] = 0;
    return true;
}

static bool is_below(const char *root, const char *path)
{
    size_t size = strlen(root);
    if (size == 1) /* "/" */
        return true;
    return strncmp(path, root, size) == 0 && (!path[size] || path[size] == '/');
}

bool sm_dav_is_inside(const char *root, const char *encoded)
{
    char path[PATH_MAX], real[PATH_MAX];
    if (!locate(path, root, encoded))
        return false;
    /* Of what does not exist yet, the folder it will lie in counts. */
    while (!realpath(path, real)) {
        struct stat facts;
        if (errno != ENOENT || lstat(path, &facts) == 0) /* a link to nowhere would be followed */
            return false;
        char *slash = strrchr(path, '/');
        if (!slash || slash == path)
            return false;
        *slash = 0;
    }
    return is_below(root, real);
}

static bool looks_clean(const char *path, unsigned depth, unsigned *left)
{
    struct stat facts;
    if (lstat(path, &facts) != 0)
        return errno == ENOENT;
    if (S_ISLNK(facts.st_mode) || depth > DEPTH_MAX || *left == 0)
        return false;
    (*left)--;
    if (!S_ISDIR(facts.st_mode))
        return true;
    DIR *listing = opendir(path);
    if (!listing)
        return false;
    bool is_clean = true;
    for (struct dirent *found; is_clean && (found = readdir(listing));) {
        char inner[PATH_MAX];
        if (strcmp(found->d_name, ".") == 0 || strcmp(found->d_name, "..") == 0)
            continue;
        int size = snprintf(inner, sizeof(inner), "%s/%s", path, found->d_name);
        is_clean = size > 0 && size < PATH_MAX && looks_clean(inner, depth + 1, left);
    }
    closedir(listing);
    return is_clean;
}

bool sm_dav_has_links(const char *root, const char *encoded)
{
    char path[PATH_MAX];
    unsigned left = LOOK_AT_MAX;
    return !locate(path, root, encoded) || !looks_clean(path, 0, &left);
}
