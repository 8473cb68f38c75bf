/* SPDX-License-Identifier: MIT */
#include "core/channel/main/agent_window.h"

#include <stdbool.h>
#include <string.h>

#include "core/base/math.h"
#include "core/base/reader.h"
#include "core/channel/agent_port.h"
#include "core/wire/agent.h"

enum { DATA_HEADER_SIZE = 12 }; /* of FILE_XFER_DATA: id u32, size u64 */

static const uint64_t FILE_BYTES_MAX = UINT64_C(1) << 60; /* sums of it do not wrap */

/* The size of the file that a FILE_XFER_START tells of; 0 if it says none. */
static uint64_t told_size(struct sm_bytes text)
{
    static const char KEY[] = "\nsize=";
    enum { KEY_SIZE = sizeof(KEY) - 1 };
    size_t at = 0;
    while (at + KEY_SIZE <= text.size && memcmp(text.data + at, KEY, KEY_SIZE) != 0)
        at++;
    uint64_t size = 0;
    for (at += KEY_SIZE; at < text.size && text.data[at] >= '0' && text.data[at] <= '9'; at++)
        size = sm_min_u64(size * 10 + (text.data[at] - '0'), FILE_BYTES_MAX);
    return size;
}

void sm_agent_window_note(struct sm_agent_window *window, struct sm_bytes piece)
{
    struct sm_agent_header header;
    if (sm_agent_header_parse(&header, piece, NULL) != SM_OK)
        return;
    struct sm_bytes body = {piece.data + SM_AGENT_HEADER_SIZE, piece.size - SM_AGENT_HEADER_SIZE};
    switch (header.type) {
    case SM_AGENT_FILE_XFER_START:
        window->file_bytes = sm_min_u64(window->file_bytes + told_size(body), FILE_BYTES_MAX);
        break;
    case SM_AGENT_FILE_XFER_DATA:
        if (header.size > DATA_HEADER_SIZE)
            window->file_bytes -= sm_min_u64(window->file_bytes, header.size - DATA_HEADER_SIZE);
        break;
    case SM_AGENT_FILE_XFER_STATUS:
        window->file_bytes = 0; /* one was cancelled; which, and what was left of it, is not kept */
        break;
    default:
        break;
    }
}

void sm_agent_window_hear(struct sm_agent_window *window, struct sm_bytes piece)
{
    struct sm_agent_header header;
    if (sm_agent_header_parse(&header, piece, NULL) != SM_OK ||
        header.type != SM_AGENT_FILE_XFER_STATUS)
        return;
    struct sm_reader r = sm_reader((struct sm_bytes){.data = piece.data + SM_AGENT_HEADER_SIZE,
                                                     .size = piece.size - SM_AGENT_HEADER_SIZE});
    sm_get_le32(&r); /* which file */
    uint32_t result = sm_get_le32(&r);
    if (!r.failed && result != SM_FILE_XFER_RESULT_CAN_SEND_DATA &&
        result != SM_FILE_XFER_RESULT_SUCCESS)
        window->file_bytes = 0; /* as above; who still sends another goes on with fewer tokens */
}

uint32_t sm_agent_window_tokens(const struct sm_agent_window *window, uint32_t left)
{
    uint64_t pieces = (window->file_bytes + left + SM_AGENT_PIECE_MAX - 1) / SM_AGENT_PIECE_MAX;
    return (uint32_t)sm_min_u64(SM_MAIN_AGENT_TOKENS + pieces, SM_MAIN_AGENT_TOKENS_MAX);
}
