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

bool sm_dav_is_plain(const char *inner)
{
    if (inner[0] != '/')
        return false;
    for (const char *part = inner + 1; *part;) {
        size_t size = strcspn(part, "/");
        if (size == 0 || strncmp(part, "..", size) == 0) /* "//", "." or ".." */
            return false;
        part += part[size] ? size + 1 : size;
    }
    return true;
}

/* The path in the file system; false if there can be none. */
static bool locate(char path[PATH_MAX], const char *root, const char *inner)
{
    if (!sm_dav_is_plain(inner))
        return false;
    int size = snprintf(path, PATH_MAX, "%s%s", root, inner);
    if (size < 0 || size >= PATH_MAX)
        return false;
    for (size_t end = (size_t)size; end > strlen(root) && path[end - 1] == '/'; end--)
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

bool sm_dav_is_inside(const char *root, const char *inner)
{
    char path[PATH_MAX], real[PATH_MAX];
    if (!locate(path, root, inner))
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

bool sm_dav_has_links(const char *root, const char *inner)
{
    char path[PATH_MAX];
    unsigned left = LOOK_AT_MAX;
    return !locate(path, root, inner) || !looks_clean(path, 0, &left);
}
