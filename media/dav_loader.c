/* SPDX-License-Identifier: MIT */
#include "media/dav.h"

#include <stddef.h>

#include "media/module_loader.h"

const struct sm_dav_module *sm_dav_load(void)
{
    char path[PATH_MAX];
    if (!sm_module_find(path, "libsumac-dav.so", "media", "SUMAC_DAV_MODULE"))
        return NULL;
    return sm_module_load(path, "sm_dav_module");
}
