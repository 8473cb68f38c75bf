/* SPDX-License-Identifier: MIT */
#include "tests/core/channel/main_ends.h"

const struct sm_agent_policy SM_TEST_ALLOWED = {.has_copy_paste = true, .has_file_transfer = true};

static const uint8_t UUID[16] = {0x00, 0x11, 0x22, 0x33, 0x44, 0x55, 0x66, 0x77,
                                 0x88, 0x99, 0xaa, 0xbb, 0xcc, 0xdd, 0xee, 0xff};

const struct sm_main_server_start SM_TEST_START = {
    .session_id = 0xc1242c94,
    .display_channels_hint = 1,
    .supported_mouse_modes = 1,
    .current_mouse_mode = 1,
    .multi_media_time = 0x0016ff56,
    .ram_hint = 0x02ffe000,
    .name = "wiretest",
    .uuid = UUID,
};

const char SM_TEST_MAIN_START_HEX[] =
    "6700 20000000 942c24c1 01000000 01000000 01000000 00000000 0a000000 56ff1600 00e0ff02"
    "7100 0d000000 09000000 776972657465737400"
    "7200 10000000 00112233445566778899aabbccddeeff";

struct sm_main_server *sm_test_main_server_with(uint32_t caps, bool is_local,
                                                struct sm_agent_policy policy)
{
    struct sm_main_server_config config = {
        .setup = {.has_mini_header = true, .channel_caps = caps, .is_local = is_local},
        .policy = policy};
    struct sm_main_server *server = NULL;
    sm_check_status(sm_main_server_create(&server, &config, 0), SM_OK);
    return server;
}

struct sm_main_server *sm_test_main_server(void)
{
    return sm_test_main_server_with(SM_TEST_MAIN_CAPS, true, SM_TEST_ALLOWED);
}

struct sm_main_client *sm_test_main_client_with(struct sm_main_client_config config)
{
    config.setup.has_mini_header = true;
    struct sm_main_client *client = NULL;
    sm_check_status(sm_main_client_create(&client, &config, 0), SM_OK);
    return client;
}

struct sm_main_client *sm_test_main_client(void)
{
    return sm_test_main_client_with((struct sm_main_client_config){0});
}

void sm_check_main_message(struct sm_main_client *client, uint16_t type)
{
    struct sm_main_client_event event;
    sm_check_status(sm_main_client_next(client, &event), SM_OK);
    assert_int_equal(event.kind, SM_MAIN_CLIENT_MESSAGE);
    assert_int_equal(event.msg->type, type);
}

void sm_check_no_main_event(struct sm_main_client *client)
{
    struct sm_main_client_event event;
    sm_check_status(sm_main_client_next(client, &event), SM_AGAIN);
}

struct sm_main_client *sm_test_started_main_client(bool has_agent)
{
    struct sm_main_client *client = sm_test_main_client();
    sm_test_feed_hex(sm_main_client_machine(client),
                     has_agent ? "6700 20000000 07000000 01000000 01000000 01000000 01000000"
                                 "0a000000 00000000 00000000"
                               : "6700 20000000 07000000 01000000 01000000 01000000 00000000"
                                 "0a000000 00000000 00000000");
    sm_check_main_message(client, SM_MSG_MAIN_INIT);
    (void)sm_test_take_pending(sm_main_client_machine(client), 0);
    return client;
}
