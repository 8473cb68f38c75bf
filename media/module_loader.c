/* SPDX-License-Identifier: MIT */
#include "media/module_loader.h"

#include <dlfcn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static bool is_at(char path[PATH_MAX], const char *folder, int folder_size, const char *place,
                  const char *file)
{
    int size = snprintf(path, PATH_MAX, "%.*s/%s%s", folder_size, folder, place, file);
    return size > 0 && size < PATH_MAX && access(path, R_OK) == 0;
}

bool sm_module_find(char path[PATH_MAX], const char *file, const char *built, const char *variable)
{
    /* Where this code lies: the server's library, the client's, or a program. */
    static const char ANCHOR = 0;
    const char *named = variable ? secure_getenv(variable) : NULL;
    if (named)
        return snprintf(path, PATH_MAX, "%s", named) < PATH_MAX && access(path, R_OK) == 0;
    Dl_info info;
    if (!dladdr(&ANCHOR, &info) || !info.dli_fname)
        return false;
    const char *slash = strrchr(info.dli_fname, '/');
    int size = slash ? (int)(slash - info.dli_fname) : 1;
    const char *folder = slash ? info.dli_fname : ".";
    char built_place[64];
    (void)snprintf(built_place, sizeof(built_place), "../%s/", built);
    return is_at(path, folder, size, "sumac/", file) || is_at(path, folder, size, "", file) ||
           is_at(path, folder, size, built_place, file);
}

const void *sm_module_load(const char *path, const char *symbol)
{
    void *handle = dlopen(path, RTLD_NOW | RTLD_LOCAL | RTLD_NODELETE);
    if (!handle)
        return NULL;
    const void *found = dlsym(handle, symbol);
    (void)dlclose(handle);
    return found;
}
