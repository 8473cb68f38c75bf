/* SPDX-License-Identifier: MIT */
#include "media/video_loader.h"

#include "media/module_loader.h"

static bool find(char path[PATH_MAX])
{
    return sm_module_find(path, SM_VIDEO_MODULE_FILE, "media", SM_VIDEO_MODULE_VARIABLE);
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
    const struct sm_video_module *module =
        find(path) ? sm_module_load(path, SM_VIDEO_MODULE_SYMBOL) : NULL;
    return module && module->version == SM_VIDEO_MODULE_VERSION ? module : NULL;
}
