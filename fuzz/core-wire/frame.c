/* SPDX-License-Identifier: MIT */
/* Invariants: the items of a list that is found good lie inside the body; a link message or reply
 * that is read and built again says the same. The first byte chooses. */
#include "core/wire/frame.h"
#include "core/wire/link.h"
#include "fuzz/support/fuzz.h"

#include <string.h>

static void check_inside(struct sm_bytes part, struct sm_bytes whole)
{
    FUZZ_CHECK(part.size == 0 ||
               (part.data >= whole.data && part.data + part.size <= whole.data + whole.size));
}

static void walk_list(struct sm_bytes body, uint32_t offset)
{
    uint32_t count = 0;
    if (sm_frame_sub_count(body, offset, &count) != SM_OK)
        return;
    FUZZ_CHECK(count >= 1 && count <= SM_FRAME_MAX_SUBS);
    for (uint32_t i = 0; i < count; i++) {
        uint16_t type = 0;
        check_inside(sm_frame_sub(body, offset, i, &type), body);
    }
}

static void read_message(struct sm_bytes body, struct sm_writer *w)
{
    struct sm_link_message first, second;
    if (sm_link_message_parse(&first, body) != SM_OK)
        return;
    sm_link_message_build(w, &first);
    struct sm_bytes built = {w->data + SM_LINK_HEADER_SIZE, w->size - SM_LINK_HEADER_SIZE};
    FUZZ_CHECK(sm_link_header_parse(sm_writer_bytes(w)).size == built.size);
    FUZZ_CHECK(sm_link_message_parse(&second, built) == SM_OK);
    FUZZ_CHECK(first.connection_id == second.connection_id &&
               first.channel_type == second.channel_type && first.channel_id == second.channel_id &&
               first.common_caps == second.common_caps &&
               first.channel_caps == second.channel_caps);
}

static void read_reply(struct sm_bytes body, struct sm_writer *w)
{
    struct sm_link_reply first, second;
    if (sm_link_reply_parse(&first, body) != SM_OK)
        return;
    check_inside(first.public_key, body);
    FUZZ_CHECK(first.public_key.size == SM_LINK_PUBLIC_KEY_SIZE);
    sm_link_reply_build(w, &first);
    struct sm_bytes built = {w->data + SM_LINK_HEADER_SIZE, w->size - SM_LINK_HEADER_SIZE};
    FUZZ_CHECK(sm_link_reply_parse(&second, built) == SM_OK);
    FUZZ_CHECK(first.error == second.error);
    FUZZ_CHECK(
        first.error ||
        (first.common_caps == second.common_caps && first.channel_caps == second.channel_caps &&
         memcmp(first.public_key.data, second.public_key.data, SM_LINK_PUBLIC_KEY_SIZE) == 0));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    if (size < 1 || size > FUZZ_MAX_SIZE)
        return 0;
    struct sm_bytes body = {data + 1, size - 1};
    struct sm_writer w;
    sm_writer_init(&w, 4096);
    if (data[0] == 0)
        read_message(body, &w);
    else if (data[0] == 1)
        read_reply(body, &w);
    else
        walk_list(body, data[0] - 2u);
    sm_writer_finish(&w);
    return 0;
}
