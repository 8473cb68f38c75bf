/* SPDX-License-Identifier: MIT */
#include "core/channel/spicevmc/packing.h"

#include <stdlib.h>

#include "core/wire/spicevmc.h"

_Static_assert((int)SM_MSG_SPICEVMC_DATA == (int)SM_MSGC_SPICEVMC_DATA &&
                   (int)SM_MSG_SPICEVMC_COMPRESSED_DATA == (int)SM_MSGC_SPICEVMC_COMPRESSED_DATA,
               "data is the same both ways");

enum {
    PACKED_HEADER_SIZE = 5, /* type u8, uncompressed_size u32 */
    KEPT_SIZE = 128 << 10,  /* what is larger than usual is given back */
    FIRST_PORT_TYPE = 200,
};

void sm_spicevmc_packing_finish(struct sm_spicevmc_packing *packing)
{
    if (packing->state)
        packing->lz4->destroy(packing->state);
    free(packing->buffer);
    packing->state = NULL;
    packing->buffer = NULL;
    packing->buffer_size = 0;
}

static enum sm_status reserve(struct sm_spicevmc_packing *packing, size_t size)
{
    if (!packing->state)
        packing->state = packing->lz4->create();
    if (!packing->state)
        return SM_ERR_NOMEM;
    if (size <= packing->buffer_size && packing->buffer_size <= KEPT_SIZE)
        return SM_OK;
    free(packing->buffer);
    packing->buffer_size = 0;
    packing->buffer = malloc(size);
    if (!packing->buffer)
        return SM_ERR_NOMEM;
    packing->buffer_size = size;
    return SM_OK;
}

/* True if `data` has become smaller; `out` is borrowed from the buffer. */
static bool pack(struct sm_spicevmc_packing *packing, struct sm_bytes data, struct sm_bytes *out)
{
    if (!packing->lz4 || data.size <= SM_SPICEVMC_PACK_ABOVE ||
        data.size > sm_spicevmc_msg_max_size(SM_MSG_SPICEVMC_DATA))
        return false;
    /* Room for what is smaller, no more: the encoder stops where it gets larger. */
    size_t room = data.size - PACKED_HEADER_SIZE - 1;
    size_t size = 0;
    if (reserve(packing, room) != SM_OK ||
        packing->lz4->encode(packing->state, data, packing->buffer, room, &size) != SM_OK)
        return false;
    *out = (struct sm_bytes){.data = packing->buffer, .size = size};
    return true;
}

enum sm_status sm_spicevmc_send_data(struct sm_spicevmc_packing *packing,
                                     struct sm_channel *channel, struct sm_bytes data,
                                     bool may_pack)
{
    if (data.size > sm_spicevmc_msg_max_size(SM_MSG_SPICEVMC_DATA))
        return SM_ERR_LIMIT;
    if (sm_channel_is_full(channel))
        return SM_AGAIN;
    struct sm_bytes packed;
    if (!may_pack || !packing->may_pack || !pack(packing, data, &packed))
        return sm_channel_send(channel, SM_MSG_SPICEVMC_DATA, data);
    uint8_t header[PACKED_HEADER_SIZE] = {SM_DATA_COMPRESSION_LZ4};
    for (unsigned i = 0; i < 4; i++)
        header[1 + i] = (uint8_t)(data.size >> 8 * i);
    const struct sm_bytes parts[] = {{.data = header, .size = sizeof(header)}, packed};
    return sm_channel_sendv(channel, SM_MSG_SPICEVMC_COMPRESSED_DATA, parts, 2);
}

enum sm_status sm_spicevmc_unpack(struct sm_spicevmc_packing *packing, struct sm_bytes packed,
                                  uint32_t size, struct sm_bytes *out)
{
    /* A block grows to 255 times its size at most, so a lie costs no more than it sent. */
    if (!packing->lz4 || size == 0 || (uint64_t)packed.size * 255 < size)
        return SM_ERR_PROTOCOL;
    enum sm_status status = reserve(packing, size);
    if (status != SM_OK)
        return status;
    size_t made = 0;
    status = packing->lz4->decode(packing->state, packed, packing->buffer, 0, size, &made);
    if (status != SM_OK)
        return status;
    if (made != size)
        return SM_ERR_PROTOCOL;
    *out = (struct sm_bytes){.data = packing->buffer, .size = size};
    return SM_OK;
}

uint32_t sm_spicevmc_msg_max_size_plain(uint16_t type)
{
    return type < FIRST_PORT_TYPE ? sm_spicevmc_msg_max_size(type) : 0;
}

uint32_t sm_spicevmc_msgc_max_size_plain(uint16_t type)
{
    return type < FIRST_PORT_TYPE ? sm_spicevmc_msgc_max_size(type) : 0;
}
