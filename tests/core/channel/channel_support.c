/* SPDX-License-Identifier: MIT */
#include "tests/core/channel/channel_support.h"

#include "core/wire/display.h"

struct sm_channel *new_channel(enum sm_channel_role role, bool is_mini)
{
    struct sm_channel_config config = {
        .role = role,
        .has_mini_header = is_mini,
        .max_size = role == SM_CHANNEL_CLIENT ? sm_display_msg_max_size : sm_display_msgc_max_size,
    };
    struct sm_channel *channel = NULL;
    sm_check_status(sm_channel_create(&channel, &config, 0), SM_OK);
    return channel;
}

struct sm_channel *new_client(void)
{
    return new_channel(SM_CHANNEL_CLIENT, true);
}

struct sm_channel *new_server(void)
{
    return new_channel(SM_CHANNEL_SERVER, true);
}

enum sm_status feed(struct sm_channel *channel, const char *hex, size_t piece)
{
    struct sm_bytes bytes = sm_test_hex(hex);
    size_t taken;
    enum sm_status status = sm_test_feed(sm_channel_machine(channel), bytes, piece, &taken);
    if (status == SM_OK)
        assert_int_equal(taken, bytes.size);
    return status;
}

struct sm_bytes output(struct sm_channel *channel)
{
    return sm_test_take_pending(sm_channel_machine(channel), 0);
}

void check_next(struct sm_channel *channel, uint16_t type, uint64_t serial, bool is_sub,
                const char *body)
{
    struct sm_channel_message message;
    sm_check_status(sm_channel_next(channel, &message), SM_OK);
    assert_int_equal(message.type, type);
    assert_int_equal(message.serial, serial);
    assert_int_equal(message.is_sub, is_sub);
    sm_check_bytes(message.body, sm_test_hex(body));
}

void check_no_more(struct sm_channel *channel)
{
    struct sm_channel_message message;
    sm_check_status(sm_channel_next(channel, &message), SM_AGAIN);
}
