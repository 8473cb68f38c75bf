/* SPDX-License-Identifier: MIT */
#include "core/channel/sasl_parts.h"

#include <string.h>

#include "core/base/math.h"
#include "core/base/reader.h"

void sm_sasl_blob_init(struct sm_sasl_blob *blob)
{
    *blob = (struct sm_sasl_blob){0};
    sm_writer_init(&blob->data, SM_SASL_DATA_MAX);
}

void sm_sasl_blob_finish(struct sm_sasl_blob *blob)
{
    sm_writer_finish(&blob->data);
}

void sm_sasl_blob_restart(struct sm_sasl_blob *blob)
{
    blob->word_filled = 0;
    blob->size = 0;
    sm_writer_reset(&blob->data);
}

enum sm_status sm_sasl_blob_take(struct sm_sasl_blob *blob, uint32_t limit, struct sm_bytes in,
                                 size_t *taken)
{
    *taken = 0;
    while (blob->word_filled < sizeof(blob->word)) {
        if (*taken == in.size)
            return SM_AGAIN;
        blob->word[blob->word_filled++] = in.data[(*taken)++];
    }
    struct sm_reader r = sm_reader((struct sm_bytes){blob->word, sizeof(blob->word)});
    blob->size = sm_get_le32(&r);
    if (blob->size > limit)
        return SM_ERR_LIMIT;
    struct sm_bytes rest = sm_bytes_behind(in, *taken);
    rest.size = sm_min_size(rest.size, blob->size - blob->data.size);
    if (rest.size)
        sm_put_bytes(&blob->data, rest);
    if (blob->data.failed)
        return sm_writer_status(&blob->data);
    *taken += rest.size;
    return blob->data.size == blob->size ? SM_OK : SM_AGAIN;
}

struct sm_sasl_turn sm_sasl_blob_turn(const struct sm_sasl_blob *blob)
{
    static const uint8_t nothing[1];
    if (blob->size == 0)
        return (struct sm_sasl_turn){0};
    struct sm_bytes data = sm_writer_bytes(&blob->data);
    data.size--;
    if (data.size == 0)
        data.data = nothing; /* empty, and yet there */
    return (struct sm_sasl_turn){.has_data = true, .data = data};
}

void sm_sasl_turn_put(struct sm_writer *w, struct sm_sasl_turn turn)
{
    if (!turn.has_data) {
        sm_put_le32(w, 0);
        return;
    }
    sm_put_le32(w, (uint32_t)sm_min_size(turn.data.size, UINT32_MAX - 1) + 1);
    if (turn.data.size)
        sm_put_bytes(w, turn.data);
    sm_put_u8(w, 0);
}

bool sm_sasl_list_has(struct sm_bytes list, struct sm_bytes name)
{
    if (name.size == 0 || memchr(name.data, ',', name.size))
        return false;
    for (size_t at = 0; at + name.size + 2 <= list.size; at++)
        if (list.data[at] == ',' && list.data[at + name.size + 1] == ',' &&
            memcmp(list.data + at + 1, name.data, name.size) == 0)
            return true;
    return false;
}
