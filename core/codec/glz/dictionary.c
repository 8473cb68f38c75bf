/* SPDX-License-Identifier: MIT */
/* The dictionary and whole GLZ images into it. */
#include "core/codec/glz/dictionary.h"

#include <stdlib.h>
#include <string.h>

#include "core/base/math.h"
#include "core/codec/glz/encode.h"
#include "core/codec/lz/encode.h"
#include "core/codec/match.h"
#include "core/codec/ops.h"

enum {
    FIRST_ENTRIES = 64,
    MAX_ENTRIES = 1 << 20, /* what clients of ours hold */
};

struct sm_glz_dictionary {
    struct sm_glz_dictionary_hooks hooks;
    uint32_t max_pixels;
    uint64_t next_id;

    /* Pixels of all live images: words with top byte 0, each image in one piece, one behind the
     * other; at the end the ring begins anew. Owned; pages are touched only as images come. */
    uint32_t *pixels;
    uint8_t *alpha;    /* owned: the same for alpha, made with the first image that has it */
    uint32_t ring_end; /* where the next image goes */
    uint64_t live_pixels;
    struct sm_glz_table *table; /* owned */

    /* Live images by number, which counts like the ids but from 0. */
    struct sm_glz_entry *entries; /* owned; a power of two of them */
    uint32_t entry_capacity, oldest, newest_end;
};

static void lock(const struct sm_glz_dictionary *dictionary)
{
    if (dictionary->hooks.lock)
        dictionary->hooks.lock(dictionary->hooks.context);
}

static void unlock(const struct sm_glz_dictionary *dictionary)
{
    if (dictionary->hooks.unlock)
        dictionary->hooks.unlock(dictionary->hooks.context);
}

enum sm_status sm_glz_dictionary_create(struct sm_glz_dictionary **out, uint32_t max_pixels,
                                        uint64_t first_id,
                                        const struct sm_glz_dictionary_hooks *hooks)
{
    if (max_pixels == 0 || max_pixels > SM_GLZ_MAX_WINDOW_PIXELS)
        return SM_ERR_LIMIT;
    struct sm_glz_dictionary *dictionary = calloc(1, sizeof(*dictionary));
    if (!dictionary)
        return SM_ERR_NOMEM;
    dictionary->max_pixels = max_pixels;
    dictionary->next_id = first_id;
    dictionary->entry_capacity = FIRST_ENTRIES;
    if (hooks)
        dictionary->hooks = *hooks;
    dictionary->entries = calloc(FIRST_ENTRIES, sizeof(*dictionary->entries));
    dictionary->table = calloc(1, sizeof(*dictionary->table));
    /* Not zeroed, for that would touch all of it: what is in no live image is never looked at. */
    dictionary->pixels = malloc((size_t)max_pixels * 4 + SM_MATCH_SLACK);
    if (!dictionary->entries || !dictionary->table || !dictionary->pixels) {
        sm_glz_dictionary_destroy(dictionary);
        return SM_ERR_NOMEM;
    }
    *out = dictionary;
    return SM_OK;
}

void sm_glz_dictionary_destroy(struct sm_glz_dictionary *dictionary)
{
    if (!dictionary)
        return;
    free(dictionary->entries);
    free(dictionary->table);
    free(dictionary->pixels);
    free(dictionary->alpha);
    free(dictionary);
}

void sm_glz_dictionary_clear(struct sm_glz_dictionary *dictionary)
{
    lock(dictionary);
    dictionary->oldest = dictionary->newest_end;
    dictionary->live_pixels = 0;
    dictionary->ring_end = 0;
    unlock(dictionary);
}

uint64_t sm_glz_dictionary_next_id(const struct sm_glz_dictionary *dictionary)
{
    lock(dictionary);
    uint64_t id = dictionary->next_id;
    unlock(dictionary);
    return id;
}

/* ---- one image ---- */

static struct sm_glz_entry *entry_at(const struct sm_glz_dictionary *dictionary, uint32_t number)
{
    return &dictionary->entries[number & (dictionary->entry_capacity - 1)];
}

static void drop_oldest(struct sm_glz_dictionary *dictionary)
{
    dictionary->live_pixels -= entry_at(dictionary, dictionary->oldest)->count;
    dictionary->oldest++;
}

static bool overlaps(const struct sm_glz_entry *entry, uint32_t start, uint32_t count)
{
    return entry->start < start + count && start < entry->start + entry->count;
}

static bool grow_entries(struct sm_glz_dictionary *dictionary)
{
    uint32_t capacity = 2 * dictionary->entry_capacity;
    struct sm_glz_entry *entries = calloc(capacity, sizeof(*entries));
    if (!entries)
        return false;
    for (uint32_t n = dictionary->oldest; n != dictionary->newest_end; n++)
        entries[n & (capacity - 1)] = *entry_at(dictionary, n);
    free(dictionary->entries);
    dictionary->entries = entries;
    dictionary->entry_capacity = capacity;
    return true;
}

/* Makes room for `count` pixels by dropping the oldest images; false without memory. */
static bool enter(struct sm_glz_dictionary *dictionary, uint32_t count, uint32_t type)
{
    uint32_t live = dictionary->newest_end - dictionary->oldest;
    if (live + 1 >= MAX_ENTRIES)
        drop_oldest(dictionary);
    else if (live + 1 >= dictionary->entry_capacity && !grow_entries(dictionary))
        return false;

    bool begins_anew = count > dictionary->max_pixels - dictionary->ring_end;
    uint32_t start = begins_anew ? 0 : dictionary->ring_end;
    while (dictionary->oldest != dictionary->newest_end) {
        const struct sm_glz_entry *oldest = entry_at(dictionary, dictionary->oldest);
        /* Going round, what lies between the old end and the start of the ring is given up too. */
        bool is_passed = begins_anew && oldest->start >= dictionary->ring_end;
        bool is_too_much = dictionary->live_pixels + count > dictionary->max_pixels;
        if (!is_passed && !is_too_much && !overlaps(oldest, start, count))
            break;
        drop_oldest(dictionary);
    }
    *entry_at(dictionary, dictionary->newest_end++) =
        (struct sm_glz_entry){.start = start, .count = count, .type = type};
    dictionary->live_pixels += count;
    dictionary->ring_end = start + count;
    return true;
}

/* Takes the newest image back; its pixels stay, but nothing says so. */
static void take_back(struct sm_glz_dictionary *dictionary)
{
    dictionary->newest_end--;
    const struct sm_glz_entry *entry = entry_at(dictionary, dictionary->newest_end);
    dictionary->live_pixels -= entry->count;
    dictionary->ring_end = entry->start;
}

static void load_row(uint32_t *out, uint8_t *alpha, const uint8_t *row, enum sm_pixel_format format,
                     uint32_t width)
{
    if (format == SM_PIXEL_RGB555) {
        for (uint32_t x = 0; x < width; x++)
            out[x] = (uint32_t)row[2 * (size_t)x] | (uint32_t)(row[2 * (size_t)x + 1] & 0x7f) << 8;
    } else if (format == SM_PIXEL_ARGB32) {
        sm_row_to_words(out, row, SM_PIXEL_XRGB32, width);
        for (uint32_t x = 0; x < width; x++)
            alpha[x] = row[4 * (size_t)x + 3];
    } else {
        sm_row_to_words(out, row, format, width);
    }
}

static void load_pixels(const struct sm_glz_dictionary *dictionary, struct sm_input *input,
                        uint8_t *cut_row)
{
    size_t at = entry_at(dictionary, dictionary->newest_end - 1)->start, width = input->in->width;
    for (uint32_t y = 0; y < input->in->height; y++, at += width) {
        uint8_t *alpha = dictionary->alpha ? dictionary->alpha + at : NULL;
        load_row(dictionary->pixels + at, alpha, sm_input_row(input, y, cut_row), input->in->format,
                 (uint32_t)width);
    }
}

static void put_header(struct sm_writer *out, const struct sm_input *input, uint32_t type,
                       uint64_t id, uint32_t head_distance)
{
    sm_put_be32(out, SM_LZ_MAGIC);
    sm_put_be32(out, SM_LZ_VERSION);
    sm_put_u8(out, (uint8_t)(type | (input->in->is_top_down ? SM_GLZ_TOP_DOWN : 0)));
    sm_put_be32(out, input->in->width);
    sm_put_be32(out, input->in->height);
    sm_put_be32(out, sm_lz_stride(type, input->in->width));
    sm_put_be64(out, id);
    sm_put_be32(out, head_distance);
}

/* The tokens of the newest image, whose pixels are in the ring. */
static enum sm_status compress(const struct sm_glz_encode_context *context,
                               struct sm_glz_dictionary *dictionary, struct sm_writer *out)
{
    uint32_t type = entry_at(dictionary, dictionary->newest_end - 1)->type;
    bool has_alpha = type == SM_LZ_RGBA;
    context->references->count = 0;
    context->references->is_wanted = has_alpha;
    context->references->has_failed = false;
    struct sm_glz_search search = {
        .table = dictionary->table,
        .pixels = dictionary->pixels,
        .ring_end = dictionary->max_pixels,
        .alpha = dictionary->alpha,
        .entries = dictionary->entries,
        .entry_mask = dictionary->entry_capacity - 1,
        .oldest = dictionary->oldest,
        .newest = dictionary->newest_end - 1,
    };
    sm_block_init(context->block, out);
    enum sm_lz_unit unit = type == SM_LZ_RGB16 ? SM_LZ_555 : SM_LZ_BGR;
    if (context->ops->glz_compress(&search, unit, context->block, context->references) &&
        (!has_alpha || sm_glz_compress_alpha(&search, context->block, context->references)))
        sm_block_flush(context->block);
    return sm_writer_status(out);
}

bool sm_glz_can_encode(enum sm_pixel_format format)
{
    uint32_t type = sm_lz_type_for(format);
    return type >= SM_LZ_RGB16 && type <= SM_LZ_RGBA;
}

enum sm_status sm_glz_encode(const struct sm_glz_encode_context *context,
                             struct sm_glz_dictionary *dictionary, struct sm_input *input,
                             struct sm_writer *out, uint64_t *id)
{
    uint64_t count = (uint64_t)input->in->width * input->in->height;
    uint32_t type = sm_lz_type_for(input->in->format);
    uint8_t *cut_row = sm_scratch_need(context->cut_row, input->row_bytes);
    if (!cut_row)
        return SM_ERR_NOMEM;
    if (count >= dictionary->max_pixels)
        return SM_ERR_LIMIT;

    lock(dictionary);
    enum sm_status status = SM_ERR_NOMEM;
    if (type == SM_LZ_RGBA && !dictionary->alpha)
        dictionary->alpha = calloc((size_t)dictionary->max_pixels + SM_MATCH_SLACK, 1);
    bool has_room = type != SM_LZ_RGBA || dictionary->alpha;
    if (has_room && enter(dictionary, (uint32_t)count, type)) {
        load_pixels(dictionary, input, cut_row);
        put_header(out, input, type, dictionary->next_id,
                   dictionary->newest_end - 1 - dictionary->oldest);
        status = compress(context, dictionary, out);
        if (status == SM_OK)
            *id = dictionary->next_id++;
        else
            take_back(dictionary);
    }
    unlock(dictionary);
    return status;
}
