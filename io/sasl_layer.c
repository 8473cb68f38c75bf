/* SPDX-License-Identifier: MIT */
/* The protection that a SASL exchange has negotiated, as a filter. */
#include "io/sasl.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/base/alloc.h"
#include "core/base/math.h"
#include "core/base/reader.h"
#include "io/loop.h"

enum {
    READ_SIZE = 16 * 1024,
    READS_A_CALL = 8, /* blocks that are not whole yet */
};

struct layer {
    struct sm_transport base;
    struct sm_transport *lower; /* owned */
    struct sm_sasl *sasl;       /* owned */
    uint8_t *first;             /* owned: came before the layer did, not decoded yet; or NULL */
    size_t first_size;
    struct sm_bytes plain; /* decoded, not read yet; the library's */
    struct sm_bytes block; /* encoded, not written yet; the library's */
    size_t block_max;      /* plain text of one */
    bool is_broken;
    uint8_t line[READ_SIZE];
};

static struct layer *layer_of(const struct sm_transport *t)
{
    return (struct layer *)(uintptr_t)t;
}

static enum sm_status lower_failed(struct layer *layer)
{
    layer->base.has_ended = layer->lower->has_ended;
    snprintf(layer->base.reason, sizeof(layer->base.reason), "%s",
             sm_transport_reason(layer->lower));
    return SM_ERR_IO;
}

static enum sm_status library_failed(struct layer *layer, const char *what)
{
    layer->is_broken = true;
    snprintf(layer->base.reason, sizeof(layer->base.reason), "SASL, %s: %.150s", what,
             sm_sasl_reason(layer->sasl));
    return SM_ERR_IO;
}

/* Makes plain text of `in`, perhaps none of it yet. */
static enum sm_status decode(struct layer *layer, struct sm_bytes in)
{
    if (sm_sasl_decode(layer->sasl, in, &layer->plain) != SM_OK)
        return library_failed(layer, "reading");
    return SM_OK;
}

static enum sm_status fill(struct layer *layer)
{
    if (layer->first) {
        enum sm_status status = decode(layer, (struct sm_bytes){layer->first, layer->first_size});
        free(layer->first);
        layer->first = NULL;
        return status;
    }
    size_t got = 0;
    enum sm_status status = sm_transport_read(layer->lower, layer->line, sizeof(layer->line), &got);
    if (status != SM_OK)
        return status == SM_ERR_IO ? lower_failed(layer) : status;
    return decode(layer, (struct sm_bytes){layer->line, got});
}

static enum sm_status layer_read(struct sm_transport *t, uint8_t *to, size_t size, size_t *got)
{
    struct layer *layer = layer_of(t);
    if (layer->is_broken)
        return SM_ERR_IO;
    for (unsigned reads = 0; layer->plain.size == 0; reads++) {
        enum sm_status status = reads < READS_A_CALL ? fill(layer) : SM_AGAIN;
        if (status != SM_OK)
            return status;
    }
    *got = sm_min_size(size, layer->plain.size);
    memcpy(to, layer->plain.data, *got);
    layer->plain = sm_bytes_behind(layer->plain, *got);
    return SM_OK;
}

static enum sm_status layer_flush(struct sm_transport *t)
{
    struct layer *layer = layer_of(t);
    if (layer->is_broken)
        return SM_ERR_IO;
    while (layer->block.size) {
        size_t put = 0;
        enum sm_status status = sm_transport_write(layer->lower, layer->block, &put);
        if (status != SM_OK)
            return status == SM_ERR_IO ? lower_failed(layer) : status;
        layer->block = sm_bytes_behind(layer->block, put);
    }
    enum sm_status status = sm_transport_flush(layer->lower);
    return status == SM_ERR_IO ? lower_failed(layer) : status;
}

/* A block that was begun is finished before the next: the library owns just one. */
static enum sm_status layer_writev(struct sm_transport *t, const struct sm_bytes *parts,
                                   size_t count, size_t *put)
{
    struct layer *layer = layer_of(t);
    size_t total = 0;
    for (size_t i = 0; i < count; i++) {
        struct sm_bytes rest = parts[i];
        while (rest.size) {
            enum sm_status status = layer_flush(t);
            if (status == SM_OK) {
                struct sm_bytes in = {rest.data, sm_min_size(rest.size, layer->block_max)};
                if (sm_sasl_encode(layer->sasl, in, &layer->block) != SM_OK)
                    return library_failed(layer, "writing");
                total += in.size;
                rest = sm_bytes_behind(rest, in.size);
                continue;
            }
            *put = total;
            return total && status == SM_AGAIN ? SM_OK : status;
        }
    }
    *put = total;
    return layer_flush(t) == SM_ERR_IO ? SM_ERR_IO : SM_OK;
}

static unsigned layer_wants(const struct sm_transport *t, unsigned asked)
{
    const struct layer *layer = layer_of(t);
    if (layer->block.size)
        asked |= SM_IO_WRITE;
    return sm_transport_wants(layer->lower, asked);
}

static bool layer_has_buffered(const struct sm_transport *t)
{
    const struct layer *layer = layer_of(t);
    return layer->plain.size || layer->first || sm_transport_has_buffered(layer->lower);
}

static void layer_destroy(struct sm_transport *t)
{
    struct layer *layer = layer_of(t);
    sm_transport_destroy(layer->lower);
    sm_sasl_destroy(layer->sasl);
    free(layer->first);
    free(layer);
}

static const struct sm_transport_ops LAYER_OPS = {
    .read = layer_read,
    .writev = layer_writev,
    .wants = layer_wants,
    .has_buffered = layer_has_buffered,
    .flush = layer_flush,
    .destroy = layer_destroy,
};

enum sm_status sm_sasl_transport(struct sm_transport **out, struct sm_sasl *sasl,
                                 struct sm_transport *lower, struct sm_bytes received)
{
    struct layer *layer = calloc(1, sizeof(*layer));
    if (!layer)
        return SM_ERR_NOMEM;
    if (received.size) {
        layer->first = sm_memdup(received.data, received.size);
        if (!layer->first) {
            free(layer);
            return SM_ERR_NOMEM;
        }
        layer->first_size = received.size;
    }
    layer->base = (struct sm_transport){.ops = &LAYER_OPS,
                                        .fd = lower->fd,
                                        .is_secure = lower->is_secure,
                                        .is_unix = lower->is_unix};
    layer->lower = lower;
    layer->sasl = sasl;
    layer->block_max = sm_sasl_block_max(sasl);
    *out = &layer->base;
    return SM_OK;
}
