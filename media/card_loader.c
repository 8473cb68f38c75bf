/* SPDX-License-Identifier: MIT */
#include "media/card_module.h"
#include "media/module_loader.h"

const struct sm_card_module *sm_card_module_load(void)
{
    char path[PATH_MAX];
    if (!sm_module_find(path, SM_CARD_MODULE_FILE, "media", NULL))
        return NULL;
    const struct sm_card_module *module = sm_module_load(path, SM_CARD_MODULE_SYMBOL);
    return module && module->version == SM_CARD_MODULE_VERSION ? module : NULL;
}
