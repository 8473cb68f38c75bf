/* SPDX-License-Identifier: MIT */
/*
 * How pieces of a spicevmc stream become smaller on their way: one raw LZ4 block each. For
 * core/channel/spicevmc/{server,client} alone.
 */
#ifndef SM_CORE_CHANNEL_SPICEVMC_PACKING_H
#define SM_CORE_CHANNEL_SPICEVMC_PACKING_H

#include "core/channel/channel.h"
#include "core/codec/libs.h"

enum {
    /** Pieces of up to so many bytes are sent as they are. */
    SM_SPICEVMC_PACK_ABOVE = 1000,
};

/** Zeroed but for the first two members, it is ready; release with sm_spicevmc_packing_finish(). */
struct sm_spicevmc_packing {
    const struct sm_lz4_lib *lz4; /* borrowed; NULL: nothing is packed, and packed data is wrong */
    bool may_pack;                /* the peer can unpack, and the line is worth it */
    void *state;                  /* owned; of lz4 */
    uint8_t *buffer;              /* owned: the last piece packed or unpacked */
    size_t buffer_size;
};

/** Harmless for a zeroed struct. */
void sm_spicevmc_packing_finish(struct sm_spicevmc_packing *packing);

/**
 * Sends `data` as DATA, or as COMPRESSED_DATA if that is smaller: both have the same numbers and
 * fields each way.
 *
 * @return as sm_channel_send()
 */
SM_NODISCARD enum sm_status sm_spicevmc_send_data(struct sm_spicevmc_packing *packing,
                                                  struct sm_channel *channel, struct sm_bytes data,
                                                  bool may_pack);

/**
 * Unpacks what came in a COMPRESSED_DATA.
 *
 * @param size  of the result, as the message claims; the parser has checked its limit
 * @param out   receives the result, borrowed until the next call
 * @return SM_OK; SM_ERR_PROTOCOL if it is damaged, has another size or nobody can unpack it;
 *         SM_ERR_NOMEM
 */
SM_NODISCARD enum sm_status sm_spicevmc_unpack(struct sm_spicevmc_packing *packing,
                                               struct sm_bytes packed, uint32_t size,
                                               struct sm_bytes *out);

/** Body sizes of a channel without ports: 0 for the messages that only port and webdav have. */
uint32_t sm_spicevmc_msg_max_size_plain(uint16_t type);
uint32_t sm_spicevmc_msgc_max_size_plain(uint16_t type);

#endif
