/* SPDX-License-Identifier: MIT */
/* The guest agent's port, filter and joining: what a guest can do to the server and a client. */
#include "fuzz/core-channel/digest.h"

#include <string.h>

#include "core/channel/agent_port.h"
#include "core/channel/main/agent_filter.h"
#include "core/channel/main/agent_join.h"

struct path {
    struct sm_agent_port_reader port;
    struct sm_agent_filter filter;
    struct sm_agent_join join;
};

/* A piece on its way to the client; false if the agent is cut off. */
static bool pass(struct path *path, struct sm_agent_port_piece piece, struct sm_digest *digest)
{
    FUZZ_CHECK(piece.size > 0 && piece.size <= SM_AGENT_PIECE_MAX);
    FUZZ_CHECK(piece.port == 1 || piece.port == 2);
    sm_digest_number(&digest->seen, piece.port);
    sm_digest_bytes(&digest->seen, (struct sm_bytes){piece.data, piece.size});
    if (piece.port == 2)
        return true;
    bool is_first = false;
    const char *reason = NULL;
    struct sm_bytes bytes = {piece.data, piece.size};
    enum sm_agent_verdict verdict = sm_agent_filter_piece(&path->filter, bytes, &is_first, &reason);
    sm_digest_number(&digest->seen, verdict);
    if (verdict == SM_AGENT_VERDICT_PROTOCOL_ERROR) {
        FUZZ_CHECK(strncmp(reason, "invalid agent ", 14) == 0);
        return false;
    }
    if (verdict != SM_AGENT_VERDICT_OK)
        return true;
    if (is_first)
        sm_digest_number(&digest->seen,
                         sm_agent_filter_rewrite(&path->filter, piece.data, piece.size));
    while (bytes.size > 0) {
        size_t taken;
        enum sm_status status = sm_agent_join_feed(&path->join, bytes, &taken);
        FUZZ_CHECK(status == SM_OK || status == SM_AGAIN); /* the filter let no nonsense through */
        bytes.data += taken;
        bytes.size -= taken;
        if (status == SM_OK) {
            sm_digest_number(&digest->sent, path->join.type);
            sm_digest_bytes(&digest->sent, sm_agent_join_body(&path->join));
        }
    }
    return true;
}

static struct sm_digest run(const uint8_t *data, size_t size, unsigned flags, size_t cut)
{
    struct sm_digest digest = sm_digest();
    struct path path = {0};
    struct sm_agent_policy policy = {.has_copy_paste = flags & 1,
                                     .has_file_transfer = flags & 2,
                                     .intercepts_monitors = flags & 4};
    sm_agent_filter_reset(&path.filter, policy, false);
    sm_agent_join_init(&path.join, 16384);
    size_t at = 0;
    bool goes_on = true;
    while (at < size && goes_on) {
        size_t part = size - at < cut ? size - at : cut, taken;
        enum sm_status status =
            sm_agent_port_feed(&path.port, (struct sm_bytes){data + at, part}, &taken);
        at += taken;
        struct sm_agent_port_piece piece;
        if (sm_agent_port_next(&path.port, &piece))
            goes_on = pass(&path, piece, &digest);
        if (status != SM_OK)
            break;
    }
    sm_agent_join_finish(&path.join);
    return digest;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    return fuzz_whole_and_cut(data, size, FUZZ_MAX_SIZE, run);
}
