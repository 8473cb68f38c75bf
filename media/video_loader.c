/* SPDX-License-Identifier: MIT */
#include "media/video_loader.h"

#include <dlfcn.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* Where the module is; false if it is nowhere. */
static bool find(char path[PATH_MAX])
{
    /* Where this code lies: the server's library, the client's, or a program. */
    static const char ANCHOR = 0;
    static const char *const PLACES[] = {"/sumac/", "/", "/../media/"};
    const char *named = secure_getenv(SM_VIDEO_MODULE_VARIABLE);
    if (named)
        return snprintf(path, PATH_MAX, "%s", named) < PATH_MAX && access(path, R_OK) == 0;
    Dl_info info;
    if (!dladdr(&ANCHOR, &info) || !info.dli_fname)
        return false;
    const char *slash = strrchr(info.dli_fname, '/');
    int folder_size = slash ? (int)(slash - info.dli_fname) : 1;
    const char *folder = slash ? info.dli_fname : ".";
    for (size_t i = 0; i < sizeof(PLACES) / sizeof(PLACES[0]); i++) {
        int size = snprintf(path, PATH_MAX, "%.*s%s%s", folder_size, folder, PLACES[i],
                            SM_VIDEO_MODULE_FILE);
        if (size > 0 && size < PATH_MAX && access(path, R_OK) == 0)
            return true;
    }
    return false;
}

bool sm_video_module_exists(void)
{
    char path[PATH_MAX];
    return find(path);
}

/* A module that does not fit is as good as none; one that fits is never unloaded. */
const struct sm_video_module *sm_video_module_load(void)
{
    char path[PATH_MAX];
    void *handle = find(path) ? dlopen(path, RTLD_NOW | RTLD_LOCAL | RTLD_NODELETE) : NULL;
    if (!handle)
        return NULL;
    const struct sm_video_module *module = dlsym(handle, SM_VIDEO_MODULE_SYMBOL);
    (void)dlclose(handle);
    return module && module->version == SM_VIDEO_MODULE_VERSION ? module : NULL;
}
