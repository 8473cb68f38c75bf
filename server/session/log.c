/* SPDX-License-Identifier: MIT */
#include "server/session/log.h"

#include <dlfcn.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "server/session/log_json.h"

static const char DOMAIN[] = "Spice";

/* GLib's log levels and its one function that we call; fixed by its ABI. */
enum { GLIB_CRITICAL = 1 << 3, GLIB_WARNING = 1 << 4, GLIB_INFO = 1 << 6, GLIB_DEBUG = 1 << 7 };
typedef void glib_log_func(const char *domain, int level, const char *format, ...);

static int glib_level(enum sm_log_level level)
{
    switch (level) {
    case SM_LOG_DEBUG:
        return GLIB_DEBUG;
    case SM_LOG_INFO:
        return GLIB_INFO;
    case SM_LOG_WARNING:
        return GLIB_WARNING;
    case SM_LOG_ERROR:
        break;
    }
    return GLIB_CRITICAL; /* GLib's own "error" would end the process */
}

static void write_glib(void *context, enum sm_log_level level, const char *text)
{
    glib_log_func *glib_log;
    memcpy(&glib_log, &context, sizeof(glib_log));
    glib_log(DOMAIN, glib_level(level), "%s", text);
}

static void write_stderr(void *context, enum sm_log_level level, const char *text)
{
    (void)context;
    static const char *const names[] = {"DEBUG", "INFO", "WARNING **", "CRITICAL **"};
    struct timespec now;
    struct tm local;
    char line[1280];

    clock_gettime(CLOCK_REALTIME, &now);
    localtime_r(&now.tv_sec, &local);
    int size = snprintf(line, sizeof(line), "(process:%d): %s-%s: %02d:%02d:%02d.%03ld: %s\n",
                        (int)getpid(), DOMAIN, names[level], local.tm_hour, local.tm_min,
                        local.tm_sec, now.tv_nsec / 1000000, text);
    if (size < 0)
        return;
    if ((size_t)size >= sizeof(line)) {
        size = sizeof(line) - 1;
        line[size - 1] = '\n';
    }
    /* One write, so that lines of several threads stay whole. A closed stderr loses the line. */
    ssize_t written = write(STDERR_FILENO, line, (size_t)size);
    (void)written;
}

static void write_json(void *context, enum sm_log_level level, const char *text)
{
    (void)context;
    struct timespec now;
    char line[SM_LOG_JSON_MAX];
    clock_gettime(CLOCK_REALTIME, &now);
    size_t size = sm_log_json(line, level, text, (int)getpid(), &now);
    ssize_t written = write(STDERR_FILENO, line, size); /* one write, as above */
    (void)written;
}

/* Whether `list`, words between blanks or commas, has `word`. */
static bool has_word(const char *list, const char *word)
{
    size_t size = strlen(word);
    while (list && *list) {
        list += strspn(list, " ,;\t");
        size_t length = strcspn(list, " ,;\t");
        if (length == size && memcmp(list, word, size) == 0)
            return true;
        list += length;
    }
    return false;
}

struct sm_log sm_server_log(void)
{
    const char *debug = getenv("G_MESSAGES_DEBUG");
    bool is_verbose = has_word(debug, DOMAIN) || has_word(debug, "all");
    const char *form = getenv("SUMAC_LOG");
    if (form && strcmp(form, "json") == 0)
        return (struct sm_log){.write = write_json,
                               .level = is_verbose ? SM_LOG_DEBUG : SM_LOG_WARNING};
    /* With GLib in the process its users' handlers, filters and expectations must see our lines. */
    void *glib_log = dlsym(RTLD_DEFAULT, "g_log");
    return (struct sm_log){
        .write = glib_log ? write_glib : write_stderr,
        .context = glib_log,
        .level = is_verbose ? SM_LOG_DEBUG : SM_LOG_WARNING,
    };
}

void sm_say_at(const struct sm_log *log, enum sm_log_level level, const char *file, int line,
               const char *function, const char *format, ...)
{
    if (!log || !log->write || level < log->level)
        return;
    char text[1024];
    while (strncmp(file, "../", 3) == 0)
        file += 3; /* seen from the build folder */
    va_list args;
    va_start(args, format);
    vsnprintf(text, sizeof(text), format, args);
    va_end(args);
    sm_log_at(log, level, "%s:%d:%s: %s", file, line, function, text);
}
