/* SPDX-License-Identifier: MIT */
/* Feeds a corpus to a fuzz target once, as an ordinary test: every file of the folders given, and
 * the empty input. Each input is an exact heap copy, so that a sanitizer sees a read past its end.
 */
#include "fuzz/support/fuzz.h"

#include <dirent.h>
#include <string.h>
#include <sys/stat.h>

static int by_name(const struct dirent **a, const struct dirent **b)
{
    return strcmp((*a)->d_name, (*b)->d_name);
}

static int is_visible(const struct dirent *entry)
{
    return entry->d_name[0] != '.';
}

static void run(const uint8_t *bytes, size_t size)
{
    uint8_t *copy = malloc(size ? size : 1);
    if (!copy)
        exit(2);
    if (size)
        memcpy(copy, bytes, size);
    LLVMFuzzerTestOneInput(copy, size);
    free(copy);
}

static void run_file(const char *path)
{
    printf("# %s\n", path); /* the last one printed is the one that crashed */
    fflush(stdout);

    FILE *file = fopen(path, "rb");
    struct stat status;
    if (!file || fstat(fileno(file), &status) != 0) {
        perror(path);
        exit(2);
    }
    size_t size = (size_t)status.st_size;
    uint8_t *bytes = malloc(size ? size : 1);
    if (!bytes || fread(bytes, 1, size, file) != size) {
        fprintf(stderr, "%s: cannot be read\n", path);
        exit(2);
    }
    fclose(file);
    run(bytes, size);
    free(bytes);
}

static size_t run_folder(const char *folder)
{
    struct dirent **entries = NULL;
    int count = scandir(folder, &entries, is_visible, by_name);
    if (count < 0) {
        perror(folder);
        exit(2);
    }
    for (int i = 0; i < count; i++) {
        char path[4096];
        snprintf(path, sizeof(path), "%s/%s", folder, entries[i]->d_name);
        run_file(path);
        free(entries[i]);
    }
    free(entries);
    return (size_t)count;
}

int main(int argc, char **argv)
{
    size_t inputs = 0;
    run(NULL, 0);
    for (int i = 1; i < argc; i++)
        inputs += run_folder(argv[i]);
    printf("1..1\n%s 1 - %zu inputs replayed\n", inputs ? "ok" : "not ok", inputs);
    return inputs ? 0 : 1;
}
