/* SPDX-License-Identifier: MIT */
#include "cli/progress.h"

#include <unistd.h>

enum {
    EVERY_US = 200000,
    SETTLED_US = 500000, /* before that a rate says nothing */
    NAME_COLUMNS = 40,
};

void cli_progress_size(char *out, uint64_t bytes)
{
    static const char *const units[] = {"kB", "MB", "GB", "TB", "PB", "EB"};
    if (bytes < 1000) {
        (void)snprintf(out, 32, "%u bytes", (unsigned)bytes);
        return;
    }
    double value = (double)bytes / 1000;
    size_t unit = 0;
    for (; value >= 999.95 && unit + 1 < sizeof(units) / sizeof(units[0]); unit++)
        value /= 1000;
    (void)snprintf(out, 32, "%.1f %s", value, units[unit]);
}

void cli_progress_line(char out[CLI_PROGRESS_SIZE], const char *what, uint64_t done, uint64_t total,
                       uint64_t elapsed_us)
{
    char size[32], rate[32];
    double percent = total ? 100.0 * (double)done / (double)total : 100;
    cli_progress_size(size, total);
    int used =
        snprintf(out, CLI_PROGRESS_SIZE, "%.*s: %.0f %% of %s", NAME_COLUMNS, what, percent, size);
    if (elapsed_us < SETTLED_US || done == 0 || used < 0)
        return;
    double per_s = (double)done * 1e6 / (double)elapsed_us;
    uint64_t left_s = (uint64_t)((double)(total - done) / per_s + 0.5);
    cli_progress_size(rate, (uint64_t)per_s);
    (void)snprintf(out + used, CLI_PROGRESS_SIZE - (size_t)used, ", %s/s, %llu:%02u left", rate,
                   (unsigned long long)(left_s / 60), (unsigned)(left_s % 60));
}

void cli_progress_begin(struct cli_progress *progress, FILE *out, uint64_t now_us)
{
    *progress = (struct cli_progress){.out = isatty(fileno(out)) ? out : NULL, .start_us = now_us};
}

void cli_progress_show(struct cli_progress *progress, const char *what, uint64_t done,
                       uint64_t total, uint64_t now_us)
{
    char line[CLI_PROGRESS_SIZE];
    if (!progress->out || now_us - progress->shown_us < EVERY_US)
        return;
    progress->shown_us = now_us;
    cli_progress_line(line, what, done, total, now_us - progress->start_us);
    fprintf(progress->out, "\r%s\033[K", line);
    (void)fflush(progress->out);
}

void cli_progress_end(struct cli_progress *progress)
{
    if (progress->out && progress->shown_us)
        fputs("\r\033[K", progress->out);
}
