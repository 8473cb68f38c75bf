/* SPDX-License-Identifier: MIT */
/*
 * The typed machines at both ends, under a peer that sends what it likes: no crash, and where the
 * bytes were cut does not matter.
 */
#include "fuzz/core-channel/digest.h"

#include "core/channel/cursor/client.h"
#include "core/channel/cursor/server.h"
#include "core/channel/display/client.h"
#include "core/channel/display/server.h"
#include "core/channel/inputs/client.h"
#include "core/channel/inputs/server.h"
#include "core/channel/main/client.h"
#include "core/channel/main/server.h"

static const struct sm_channel_setup SETUP = {
    .has_mini_header = true, .channel_caps = UINT32_MAX, .is_local = true};

static bool pull_main_client(void *owner, struct sm_digest *digest)
{
    struct sm_main_client_event event;
    enum sm_status status;
    while ((status = sm_main_client_next(owner, &event)) == SM_OK) {
        sm_digest_number(&digest->seen, event.serial);
        if (event.kind == SM_MAIN_CLIENT_MESSAGE) {
            sm_digest_number(&digest->seen, event.msg->type);
            sm_channel_release(sm_main_client_channel(owner));
            continue;
        }
        sm_digest_number(&digest->seen, event.agent_type);
        sm_digest_bytes(&digest->seen, event.agent_body);
        status = sm_main_client_send_agent(owner, event.agent_type, event.agent_body); /* echo */
        FUZZ_CHECK(status == SM_OK || status == SM_AGAIN || status == SM_ERR_STATE ||
                   status == SM_ERR_LIMIT);
    }
    return status == SM_AGAIN;
}

static bool pull_main_server(void *owner, struct sm_digest *digest)
{
    struct sm_main_server_event event;
    enum sm_status status;
    while ((status = sm_main_server_next(owner, &event)) == SM_OK) {
        sm_digest_number(&digest->seen, event.kind);
        if (event.kind == SM_MAIN_SERVER_MESSAGE)
            sm_digest_number(&digest->seen, event.msg->type);
        else
            sm_digest_bytes(&digest->seen, event.data);
        if (event.kind == SM_MAIN_SERVER_MESSAGE && event.msg->type == 105)
            FUZZ_CHECK(sm_main_server_set_agent(owner, event.msg->mouse_mode_request.mode & 1) ==
                       SM_OK);
        if (event.kind != SM_MAIN_SERVER_AGENT_DATA)
            continue;
        FUZZ_CHECK(event.data.size <= 2048);
        if (sm_main_server_agent_room(owner) &&
            sm_main_server_agent_send(owner, event.data) != SM_OK)
            return false;
        if (event.data.data[event.data.size - 1] & 1)
            FUZZ_CHECK(sm_main_server_agent_taken(owner, 1) == SM_OK);
    }
    return status == SM_AGAIN;
}

static bool pull_display_client(void *owner, struct sm_digest *digest)
{
    struct sm_display_client_event event;
    enum sm_status status;
    while ((status = sm_display_client_next(owner, &event)) == SM_OK) {
        sm_digest_number(&digest->seen, event.serial);
        sm_digest_number(&digest->seen, event.msg->type);
        FUZZ_CHECK(sm_channel_is_held(sm_display_client_channel(owner)) == event.is_wait);
        sm_channel_release(sm_display_client_channel(owner));
    }
    return status == SM_AGAIN;
}

static bool pull_display_server(void *owner, struct sm_digest *digest)
{
    struct sm_display_server_event event;
    enum sm_status status;
    while ((status = sm_display_server_next(owner, &event)) == SM_OK) {
        sm_digest_number(&digest->seen, event.msg->type);
        if (event.kind == SM_DISPLAY_SERVER_INIT) {
            FUZZ_CHECK(event.init.glz_dictionary_px <= SM_DISPLAY_MAX_GLZ_PX);
            sm_digest_number(&digest->seen, event.init.pixmap_cache_px);
        }
    }
    return status == SM_AGAIN;
}

static bool pull_cursor_client(void *owner, struct sm_digest *digest)
{
    struct sm_cursor_client_event event;
    enum sm_status status;
    while ((status = sm_cursor_client_next(owner, &event)) == SM_OK) {
        struct sm_cursor_view view = sm_cursor_client_view(owner);
        sm_digest_number(&digest->seen, event.msg->type);
        sm_digest_number(&digest->seen, event.is_bad_shape);
        sm_digest_number(&digest->seen, view.is_visible);
        sm_digest_number(&digest->seen, (uint64_t)view.x << 32 ^ (uint32_t)view.y);
        sm_channel_release(sm_cursor_client_channel(owner));
        if (!view.shape)
            continue;
        FUZZ_CHECK(view.shape->hot_x <= view.shape->width);
        size_t count = (size_t)view.shape->width * view.shape->height;
        for (size_t i = 0; i < count; i++) {
            uint32_t p = view.shape->pixels[i], a = p >> 24;
            FUZZ_CHECK((p >> 16 & 255) <= a && (p >> 8 & 255) <= a && (p & 255) <= a);
        }
        sm_digest_bytes(&digest->seen,
                        (struct sm_bytes){(const uint8_t *)view.shape->pixels, 4 * count});
    }
    return status == SM_AGAIN;
}

static bool pull_cursor_server(void *owner, struct sm_digest *digest)
{
    const struct sm_cursor_msgc *msg;
    enum sm_status status;
    while ((status = sm_cursor_server_next(owner, &msg)) == SM_OK)
        sm_digest_number(&digest->seen, msg->type);
    return status == SM_AGAIN;
}

static bool pull_inputs_client(void *owner, struct sm_digest *digest)
{
    struct sm_inputs_client_event event;
    enum sm_status status;
    while ((status = sm_inputs_client_next(owner, &event)) == SM_OK) {
        sm_digest_number(&digest->seen, event.msg->type);
        sm_channel_release(sm_inputs_client_channel(owner));
        for (int i = 0; i < 5; i++)
            FUZZ_CHECK(sm_inputs_client_motion(owner, 1, 2) == SM_OK);
    }
    return status == SM_AGAIN;
}

static bool pull_inputs_server(void *owner, struct sm_digest *digest)
{
    const struct sm_inputs_msgc *msg;
    enum sm_status status;
    while ((status = sm_inputs_server_next(owner, &msg)) == SM_OK) {
        sm_digest_number(&digest->seen, msg->type);
        if (msg->type == SM_MSGC_INPUTS_KEY_SCANCODE)
            sm_digest_bytes(&digest->seen, msg->key_scancode.scancodes);
    }
    return status == SM_AGAIN;
}

#define RUN(name, ...)                                                                             \
    FUZZ_RUN(name, prepare_##name(owner),                                                          \
             sm_digest_messages(&digest, sm_machine_pending(machine), true), __VA_ARGS__)

#define prepare_main_client(owner)    (void)0
#define prepare_display_client(owner) (void)0
#define prepare_display_server(owner) (void)0
#define prepare_cursor_client(owner)  (void)0
#define prepare_cursor_server(owner)  (void)0
#define prepare_inputs_client(owner)  (void)0
#define prepare_inputs_server(owner)  (void)0

static void prepare_main_server(struct sm_main_server *server)
{
    struct sm_main_server_start start = {.session_id = 1, .has_agent = true, .name = "machine"};
    FUZZ_CHECK(sm_main_server_start(server, &start) == SM_OK);
}

static struct sm_digest run(const uint8_t *data, size_t size, unsigned kind, size_t piece)
{
    struct sm_digest digest = sm_digest();
    struct sm_agent_policy policy = {.has_copy_paste = kind & 8, .intercepts_monitors = kind & 16};
    switch (kind % 8) {
    case 0:
        RUN(main_client, .setup = SETUP, .max_agent_message_bytes = 8000, .wanted_mouse_mode = 2);
        break;
    case 1:
        RUN(main_server, .setup = SETUP, .policy = policy);
        break;
    case 2:
        RUN(display_client, .setup = SETUP);
        break;
    case 3:
        RUN(display_server, .setup = SETUP, .ack_window = 20);
        break;
    case 4:
        RUN(cursor_client, .setup = SETUP);
        break;
    case 5:
        RUN(cursor_server, .setup = SETUP);
        break;
    case 6:
        RUN(inputs_client, .setup = SETUP);
        break;
    default:
        RUN(inputs_server, .setup = SETUP);
        break;
    }
    return digest;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    return fuzz_whole_and_cut(data, size, FUZZ_MAX_SIZE, run);
}
