/* SPDX-License-Identifier: MIT */
#include "core/codec/glz/window.h"

#include <stdlib.h>
#include <string.h>

#include "core/base/alloc.h"
#include "core/codec/glz/store.h"

enum {
    FIRST_CAPACITY = 64,
    MAX_IMAGES = 1 << 20, /* so that tiny images do not cost what their pixel count hides */
};

struct sm_glz_window {
    struct sm_glz_window_hooks hooks;
    uint32_t max_pixels;
    uint64_t epoch;

    /* Sorted by id. Ids are mostly consecutive, so a place is mostly found by subtraction. */
    struct sm_glz_image **images; /* owned, as is what they point to */
    size_t first, count, capacity;
    uint64_t pixel_count; /* of all images here */

    /* Images from `base` up to `tail` are all here; those below `base` were let go, or there never
     * were any. Unknown until the first image says where the numbering starts. */
    bool has_started, has_released;
    uint64_t base, tail;
};

static void lock(const struct sm_glz_window *window)
{
    if (window->hooks.lock)
        window->hooks.lock(window->hooks.context);
}

static void unlock(const struct sm_glz_window *window)
{
    if (window->hooks.unlock)
        window->hooks.unlock(window->hooks.context);
}

static void tell_changed(const struct sm_glz_window *window)
{
    if (window->hooks.changed)
        window->hooks.changed(window->hooks.context);
}

enum sm_status sm_glz_window_create(struct sm_glz_window **out, uint32_t max_pixels,
                                    const struct sm_glz_window_hooks *hooks)
{
    if (max_pixels == 0 || max_pixels > SM_GLZ_MAX_WINDOW_PIXELS)
        return SM_ERR_LIMIT;
    struct sm_glz_window *window = calloc(1, sizeof(*window));
    if (!window)
        return SM_ERR_NOMEM;
    window->max_pixels = max_pixels;
    if (hooks)
        window->hooks = *hooks;
    *out = window;
    return SM_OK;
}

/* Somebody may still copy from it: then it goes when they give it back. */
static void drop(struct sm_glz_image *image)
{
    if (--image->ref_count == 0)
        sm_glz_image_destroy(image);
}

static void clear(struct sm_glz_window *window)
{
    for (size_t i = 0; i < window->count; i++)
        drop(window->images[window->first + i]);
    window->first = window->count = 0;
    window->pixel_count = 0;
    window->has_started = window->has_released = false;
    window->base = window->tail = 0;
}

void sm_glz_window_destroy(struct sm_glz_window *window)
{
    if (!window)
        return;
    clear(window);
    free(window->images);
    free(window);
}

void sm_glz_window_reset(struct sm_glz_window *window)
{
    lock(window);
    clear(window);
    window->epoch++;
    tell_changed(window);
    unlock(window);
}

uint64_t sm_glz_window_epoch(struct sm_glz_window *window)
{
    lock(window);
    uint64_t epoch = window->epoch;
    unlock(window);
    return epoch;
}

uint64_t sm_glz_window_used_bytes(const struct sm_glz_window *window)
{
    return window->pixel_count * sizeof(uint32_t);
}

/* The place of the first image whose id is not below `id`. */
static size_t place_of(const struct sm_glz_window *window, uint64_t id)
{
    if (window->count == 0)
        return 0;
    struct sm_glz_image **images = window->images + window->first;
    if (id <= images[0]->id)
        return 0;
    uint64_t guess = id - images[0]->id;
    if (guess < window->count && images[guess]->id == id)
        return (size_t)guess;
    size_t low = 0, high = window->count;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        if (images[middle]->id < id)
            low = middle + 1;
        else
            high = middle;
    }
    return low;
}

static struct sm_glz_image *look_up(const struct sm_glz_window *window, uint64_t id)
{
    size_t place = place_of(window, id);
    if (place == window->count || window->images[window->first + place]->id != id)
        return NULL;
    return window->images[window->first + place];
}

bool sm_glz_window_is_settled(const struct sm_glz_window *window, uint64_t id)
{
    return look_up(window, id) || (window->has_released && id < window->base);
}

/* ---- for decoders ---- */

struct sm_glz_image *sm_glz_image_create(uint64_t id, uint64_t head, uint32_t count)
{
    struct sm_glz_image *image = calloc(1, sizeof(*image));
    if (!image)
        return NULL;
    size_t size = (size_t)count * sizeof(uint32_t);
    *image = (struct sm_glz_image){.id = id, .head = head, .count = count, .ref_count = 1};
    image->pixels = malloc(size + SM_GLZ_SLACK_BYTES);
    if (!image->pixels) {
        free(image);
        return NULL;
    }
    /* Wide copies may read what is behind the end, though nobody ever sees it. */
    memset((uint8_t *)image->pixels + size, 0, SM_GLZ_SLACK_BYTES);
    return image;
}

void sm_glz_image_destroy(struct sm_glz_image *image)
{
    if (!image)
        return;
    free(image->pixels);
    free(image);
}

/* With the lock held. */
static enum sm_status judge(const struct sm_glz_window *window, uint64_t id, uint64_t count,
                            const char **reason)
{
    if (count >= window->max_pixels) {
        *reason = "glz: an image as large as the window";
        return SM_ERR_LIMIT;
    }
    if ((window->has_released && id < window->base) || look_up(window, id)) {
        *reason = "glz: an id that was there before";
        return SM_ERR_PROTOCOL;
    }
    /* One window, and as much again for what is in flight on other channels. */
    if (window->pixel_count + count > 2 * (uint64_t)window->max_pixels ||
        window->count >= MAX_IMAGES) {
        *reason = "glz: the window is full and its head does not advance";
        return SM_ERR_LIMIT;
    }
    return SM_OK;
}

enum sm_status sm_glz_window_admits(struct sm_glz_window *window,
                                    const struct sm_glz_header *header, const char **reason)
{
    lock(window);
    enum sm_status status =
        judge(window, header->id, (uint64_t)header->width * header->height, reason);
    unlock(window);
    return status;
}

struct sm_glz_image *sm_glz_window_find(struct sm_glz_window *window, uint64_t id, bool *is_gone)
{
    lock(window);
    struct sm_glz_image *image = look_up(window, id);
    if (image)
        image->ref_count++;
    *is_gone = !image && window->has_released && id < window->base;
    unlock(window);
    return image;
}

void sm_glz_window_release(struct sm_glz_window *window, struct sm_glz_image *image)
{
    lock(window);
    drop(image);
    unlock(window);
}

/* Room for one more; the images move to the front of the array when that frees enough. */
static bool make_room(struct sm_glz_window *window)
{
    if (window->first + window->count < window->capacity)
        return true;
    if (window->first > window->capacity / 2) {
        memmove(window->images, window->images + window->first,
                window->count * sizeof(*window->images));
        window->first = 0;
        return true;
    }
    size_t capacity = window->capacity ? 2 * window->capacity : FIRST_CAPACITY;
    struct sm_glz_image **images = sm_alloc_array(capacity, sizeof(*images));
    if (!images)
        return false;
    if (window->count)
        memcpy(images, window->images + window->first, window->count * sizeof(*images));
    free(window->images);
    window->images = images;
    window->capacity = capacity;
    window->first = 0;
    return true;
}

static void release_below(struct sm_glz_window *window, uint64_t id)
{
    while (window->count > 0 && window->images[window->first]->id < id) {
        struct sm_glz_image *image = window->images[window->first++];
        window->count--;
        window->pixel_count -= image->count;
        drop(image);
    }
    if (id > window->base) {
        window->base = id;
        window->has_released = true;
    }
}

/* Moves `tail` over what is here without a gap; the newest image below it says what can go. */
static void advance(struct sm_glz_window *window)
{
    const struct sm_glz_image *newest = NULL;
    for (size_t place = place_of(window, window->tail); place < window->count; place++) {
        const struct sm_glz_image *image = window->images[window->first + place];
        if (image->id != window->tail)
            break;
        newest = image;
        window->tail++;
    }
    if (newest)
        release_below(window, newest->head);
}

enum sm_status sm_glz_window_insert(struct sm_glz_window *window, struct sm_glz_image *image,
                                    uint64_t epoch, const char **reason)
{
    lock(window);
    enum sm_status status = judge(window, image->id, image->count, reason);
    if (status == SM_OK && epoch != window->epoch) {
        *reason = "glz: the window was emptied meanwhile";
        status = SM_ERR_STATE;
    }
    if (status == SM_OK && !make_room(window))
        status = SM_ERR_NOMEM;
    if (status == SM_OK) {
        size_t place = place_of(window, image->id);
        struct sm_glz_image **at = window->images + window->first + place;
        memmove(at + 1, at, (window->count - place) * sizeof(struct sm_glz_image *));
        *at = image;
        window->count++;
        window->pixel_count += image->count;
        /* Several channels: the one that begins need not be the one that arrives first. */
        if (!window->has_started || (!window->has_released && image->head < window->base))
            window->base = window->tail = image->head;
        window->has_started = true;
        advance(window);
        tell_changed(window);
    }
    unlock(window);
    return status;
}
