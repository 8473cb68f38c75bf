/* SPDX-License-Identifier: MIT */
#include "media/gl.h"
#include "media/module_loader.h"

const struct sm_gl_module *sm_gl_module_load(void)
{
    char path[PATH_MAX];
    const struct sm_gl_module *module = NULL;
    if (sm_module_find(path, SM_GL_MODULE_FILE, "media", SM_GL_MODULE_VARIABLE))
        module = sm_module_load(path, SM_GL_MODULE_SYMBOL);
    return module && module->version == SM_GL_MODULE_VERSION ? module : NULL;
}
