/* SPDX-License-Identifier: MIT */
#include "viewer/renderer.h"

#include <glob.h>
#include <stdbool.h>
#include <stddef.h>

#include <glib.h>

/* Of Linux's drivers, of the maker's own, and of Windows below a Linux. */
static const char *const DEVICES[] = {"/dev/dri/renderD*", "/dev/nvidiactl", "/dev/dxg"};

static bool has_device(void)
{
    for (size_t i = 0; i < G_N_ELEMENTS(DEVICES); i++) {
        glob_t found;
        int status = glob(DEVICES[i], GLOB_NOSORT, NULL, &found);
        if (status == 0)
            globfree(&found);
        if (status == 0)
            return true;
    }
    return false;
}

/* Without a device OpenGL is emulated: twice the work for the same picture, and 80 MB more. */
void sm_renderer_choose(void)
{
    if (!has_device())
        g_setenv("GSK_RENDERER", "cairo", FALSE); /* not over what the user wants */
}
