/* SPDX-License-Identifier: MIT */
#include "io/pages.h"

#include <sys/mman.h>

uint8_t *sm_pages_alloc(size_t size)
{
    void *pages = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    return pages == MAP_FAILED ? NULL : pages;
}

void sm_pages_free(uint8_t *pages, size_t size)
{
    if (pages)
        (void)munmap(pages, size);
}
