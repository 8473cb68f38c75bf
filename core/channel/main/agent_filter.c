/* SPDX-License-Identifier: MIT */
#include "core/channel/main/agent_filter.h"

#include "core/base/reader.h"
#include "core/channel/agent_port.h"
#include "core/wire/agent.h"

void sm_agent_filter_reset(struct sm_agent_filter *filter, struct sm_agent_policy policy,
                           bool discards_all)
{
    *filter = (struct sm_agent_filter){.policy = policy, .discards_all = discards_all};
}

static enum sm_agent_verdict judge(const struct sm_agent_filter *filter, uint32_t type)
{
    if (filter->discards_all)
        return SM_AGENT_VERDICT_DISCARD;
    switch (type) {
    case SM_AGENT_CLIPBOARD:
    case SM_AGENT_CLIPBOARD_GRAB:
    case SM_AGENT_CLIPBOARD_REQUEST:
    case SM_AGENT_CLIPBOARD_RELEASE:
        return filter->policy.has_copy_paste ? SM_AGENT_VERDICT_OK : SM_AGENT_VERDICT_DISCARD;
    case SM_AGENT_FILE_XFER_START:
    case SM_AGENT_FILE_XFER_STATUS:
    case SM_AGENT_FILE_XFER_DATA:
        return filter->policy.has_file_transfer ? SM_AGENT_VERDICT_OK : SM_AGENT_VERDICT_DISCARD;
    case SM_AGENT_MONITORS_CONFIG:
        return filter->policy.intercepts_monitors ? SM_AGENT_VERDICT_MONITORS_CONFIG
                                                  : SM_AGENT_VERDICT_OK;
    default:
        return SM_AGENT_VERDICT_OK;
    }
}

static enum sm_agent_verdict refuse(const char **reason, const char *text)
{
    if (reason)
        *reason = text;
    return SM_AGENT_VERDICT_PROTOCOL_ERROR;
}

enum sm_agent_verdict sm_agent_filter_piece(struct sm_agent_filter *filter, struct sm_bytes piece,
                                            bool *is_first, const char **reason)
{
    if (is_first)
        *is_first = false;
    if (piece.size > SM_AGENT_PIECE_MAX)
        return refuse(reason, "invalid agent message: too large");
    if (filter->left > 0) {
        if (piece.size > filter->left)
            return refuse(reason, "invalid agent message: data exceeds size from header");
        filter->left -= (uint32_t)piece.size;
        return filter->verdict;
    }

    struct sm_agent_header header;
    if (sm_agent_header_parse(&header, piece, NULL) != SM_OK) {
        if (piece.size < SM_AGENT_HEADER_SIZE)
            return refuse(reason, "invalid agent message: incomplete header");
        return refuse(reason, "invalid agent protocol: unknown version");
    }
    if (header.protocol != SM_AGENT_PROTOCOL)
        return refuse(reason, "invalid agent protocol: unknown version");
    size_t body = piece.size - SM_AGENT_HEADER_SIZE;
    if (body > header.size)
        return refuse(reason, "invalid agent message: data exceeds size from header");
    if (is_first)
        *is_first = true;
    filter->verdict = judge(filter, header.type);
    filter->left = header.size - (uint32_t)body;
    return filter->verdict;
}

/* Sets or clears capability `bit` in the words at `caps`, if its word is among them. */
static void set_cap(uint8_t *caps, size_t word_count, unsigned bit, bool is_set)
{
    if (bit / 32 >= word_count)
        return;
    uint8_t *byte = caps + (size_t)bit / 8; /* little-endian words: bit n is in byte n / 8 */
    uint8_t mask = (uint8_t)(1u << bit % 8);
    *byte = (uint8_t)(is_set ? *byte | mask : *byte & ~mask);
}

bool sm_agent_filter_rewrite(const struct sm_agent_filter *filter, uint8_t *piece, size_t size)
{
    enum { REQUEST_SIZE = 4 };
    struct sm_agent_header header;
    if (sm_agent_header_parse(&header, (struct sm_bytes){piece, size}, NULL) != SM_OK ||
        header.type != SM_AGENT_ANNOUNCE_CAPABILITIES)
        return false;
    size_t body = size - SM_AGENT_HEADER_SIZE;
    if (body > header.size)
        body = header.size;
    if (body < REQUEST_SIZE)
        return false;
    uint8_t *caps = piece + SM_AGENT_HEADER_SIZE + REQUEST_SIZE;
    size_t word_count = (body - REQUEST_SIZE) / 4;
    if (!filter->policy.has_copy_paste) {
        set_cap(caps, word_count, SM_AGENT_CAP_CLIPBOARD, false);
        set_cap(caps, word_count, SM_AGENT_CAP_CLIPBOARD_BY_DEMAND, false);
        set_cap(caps, word_count, SM_AGENT_CAP_CLIPBOARD_SELECTION, false);
    }
    if (!filter->policy.has_file_transfer)
        set_cap(caps, word_count, SM_AGENT_CAP_FILE_XFER_DISABLED, true);
    unsigned bit = SM_AGENT_CAP_GRAPHICS_DEVICE_INFO;
    return word_count > 0 && caps[bit / 8] >> bit % 8 & 1;
}
