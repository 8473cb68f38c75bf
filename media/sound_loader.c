/* SPDX-License-Identifier: MIT */
#include "media/module_loader.h"
#include "media/sound.h"

size_t sm_sound_backends(const struct sm_sound_ops *out[SM_SOUND_BACKENDS_MAX])
{
    static const char *const FILES[SM_SOUND_BACKENDS_MAX] = {
        "libsumac-sound-pipewire.so",
        "libsumac-sound-pulse.so",
    };
    size_t count = 0;
    for (size_t i = 0; i < SM_SOUND_BACKENDS_MAX; i++) {
        char path[PATH_MAX];
        const struct sm_sound_module *module = NULL;
        if (sm_module_find(path, FILES[i], "media", NULL))
            module = sm_module_load(path, SM_SOUND_MODULE_SYMBOL);
        if (module && module->version == SM_SOUND_MODULE_VERSION)
            out[count++] = module->ops;
    }
    return count;
}
