/* SPDX-License-Identifier: MIT */
#include "media/video_loader.h"

#include <dlfcn.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* A module that does not fit is as good as none; one that fits is never unloaded. */
static const struct sm_video_module *load(const char *path)
{
    void *handle = dlopen(path, RTLD_NOW | RTLD_LOCAL | RTLD_NODELETE);
    if (!handle)
        return NULL;
    const struct sm_video_module *module = dlsym(handle, SM_VIDEO_MODULE_SYMBOL);
    (void)dlclose(handle);
    return module && module->version == SM_VIDEO_MODULE_VERSION ? module : NULL;
}

const struct sm_video_module *sm_video_module_load(void)
{
    /* Where this code lies: the server's library, the client's, or a program. */
    static const char ANCHOR = 0;
    static const char *const PLACES[] = {"/sumac/", "/", "/../media/"};
    const char *named = secure_getenv(SM_VIDEO_MODULE_VARIABLE);
    if (named)
        return load(named);
    Dl_info info;
    if (!dladdr(&ANCHOR, &info) || !info.dli_fname)
        return NULL;
    const char *slash = strrchr(info.dli_fname, '/');
    int folder_size = slash ? (int)(slash - info.dli_fname) : 1;
    const char *folder = slash ? info.dli_fname : ".";
    for (size_t i = 0; i < sizeof(PLACES) / sizeof(PLACES[0]); i++) {
        char path[PATH_MAX];
        int size = snprintf(path, sizeof(path), "%.*s%s%s", folder_size, folder, PLACES[i],
                            SM_VIDEO_MODULE_FILE);
        const struct sm_video_module *module =
            size > 0 && (size_t)size < sizeof(path) ? load(path) : NULL;
        if (module)
            return module;
    }
    return NULL;
}
