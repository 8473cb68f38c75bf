/* SPDX-License-Identifier: MIT */
#include "cli/movie_module.h"

#include <dlfcn.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

/* Where it is installed, or else where it is built. */
static bool find(char path[PATH_MAX])
{
    (void)snprintf(path, PATH_MAX, "%s/%s", SM_CLI_MODULE_FOLDER, SM_MOVIE_MODULE_FILE);
    char program[PATH_MAX];
    ssize_t size = readlink("/proc/self/exe", program, sizeof(program) - 1);
    if (size <= 0)
        return access(path, R_OK) == 0;
    program[size] = 0;
    char *slash = strrchr(program, '/');
    *(slash ? slash : program) = 0;
    static const char *const places[] = {"../media", "../" SM_CLI_LIB_FOLDER "/sumac"};
    for (size_t i = 0; i < sizeof(places) / sizeof(places[0]); i++) {
        char beside[PATH_MAX];
        int length =
            snprintf(beside, PATH_MAX, "%s/%s/%s", program, places[i], SM_MOVIE_MODULE_FILE);
        if (length > 0 && length < PATH_MAX && access(beside, R_OK) == 0) {
            memcpy(path, beside, (size_t)length + 1);
            return true;
        }
    }
    return access(path, R_OK) == 0;
}

static const char CURE[] = "install Sumac's module of films and FFmpeg's libraries";

static bool find_or_fail(char path[PATH_MAX], struct cli_failure *failure)
{
    return find(path) || cli_fail(failure, CLI_EXIT_OTHER, CURE,
                                  "the module that writes films is missing: %s", path);
}

bool cli_movie_module_check(struct cli_failure *failure)
{
    char path[PATH_MAX];
    return find_or_fail(path, failure);
}

const struct sm_movie_module *cli_movie_module_load(struct cli_failure *failure)
{
    char path[PATH_MAX];
    if (!find_or_fail(path, failure))
        return NULL;
    void *handle = dlopen(path, RTLD_NOW | RTLD_LOCAL | RTLD_NODELETE);
    if (!handle) {
        (void)cli_fail(failure, CLI_EXIT_OTHER, CURE, "the module that writes films: %s",
                       dlerror());
        return NULL;
    }
    const struct sm_movie_module *module = dlsym(handle, SM_MOVIE_MODULE_SYMBOL);
    (void)dlclose(handle);
    if (module && module->version == SM_MOVIE_MODULE_VERSION)
        return module;
    (void)cli_fail(failure, CLI_EXIT_OTHER, CURE, "%s is of another version", path);
    return NULL;
}
