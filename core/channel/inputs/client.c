/* SPDX-License-Identifier: MIT */
#include "core/channel/inputs/client.h"

#include <stdlib.h>
#include <string.h>

#include "core/base/math.h"
#include "core/channel/typed.h"

enum { ARENA_LIMIT = 64 << 10, PREFIX_E0 = 0x100, BREAK = 0x80 };

struct sm_inputs_client {
    struct sm_typed typed;
    struct sm_inputs_msg msg;              /* the one being looked at */
    bool has_scancodes;                    /* the server takes KEY_SCANCODE */
    bool is_down[SM_INPUTS_KEY_COUNT + 1]; /* the last is Pause */
    uint16_t buttons;
    uint32_t unacked; /* motion messages */
    uint32_t acks;    /* of them, that have come */

    bool has_motion, has_position; /* waiting to be sent */
    int32_t dx, dy;
    uint32_t x, y;
    uint8_t display_id;
};

enum sm_status sm_inputs_client_create(struct sm_inputs_client **out,
                                       const struct sm_inputs_client_config *config,
                                       uint64_t now_us)
{
    struct sm_inputs_client *client = calloc(1, sizeof(*client));
    if (!client)
        return SM_ERR_NOMEM;
    client->has_scancodes = config->setup.channel_caps >> SM_INPUTS_CAP_KEY_SCANCODE & 1;
    enum sm_status status = sm_typed_init(&client->typed, SM_CHANNEL_CLIENT, &config->setup,
                                          sm_inputs_msg_max_size, ARENA_LIMIT, 0, 0, now_us);
    if (status != SM_OK) {
        sm_inputs_client_destroy(client);
        return status;
    }
    *out = client;
    return SM_OK;
}

void sm_inputs_client_destroy(struct sm_inputs_client *client)
{
    if (!client)
        return;
    sm_typed_finish(&client->typed);
    free(client);
}

struct sm_machine sm_inputs_client_machine(struct sm_inputs_client *client)
{
    return sm_channel_machine(client->typed.channel);
}

struct sm_channel *sm_inputs_client_channel(struct sm_inputs_client *client)
{
    return client->typed.channel;
}

/* What a person types cannot be put off, nor does it come fast enough to fill memory. */
static enum sm_status send(struct sm_inputs_client *client, const struct sm_inputs_msgc *msg)
{
    struct sm_writer *w;
    enum sm_status status = sm_channel_begin(client->typed.channel, msg->type, true, &w);
    if (status != SM_OK)
        return status;
    return sm_channel_commit(client->typed.channel, sm_inputs_msgc_build(w, msg));
}

static enum sm_status send_motion(struct sm_inputs_client *client)
{
    enum sm_status status =
        send(client, &(struct sm_inputs_msgc){.type = SM_MSGC_INPUTS_MOUSE_MOTION,
                                              .mouse_motion = {.dx = client->dx,
                                                               .dy = client->dy,
                                                               .buttons_state = client->buttons}});
    if (status == SM_OK) {
        client->has_motion = false;
        client->dx = client->dy = 0;
        client->unacked++;
    }
    return status;
}

static enum sm_status send_position(struct sm_inputs_client *client)
{
    enum sm_status status = send(
        client, &(struct sm_inputs_msgc){.type = SM_MSGC_INPUTS_MOUSE_POSITION,
                                         .mouse_position = {.x = client->x,
                                                            .y = client->y,
                                                            .buttons_state = client->buttons,
                                                            .display_id = client->display_id}});
    if (status == SM_OK) {
        client->has_position = false;
        client->unacked++;
    }
    return status;
}

/* Sends the motion that waits: as far as the line allows, or all of it, before a click. */
static enum sm_status flush_motion(struct sm_inputs_client *client, bool is_forced)
{
    enum sm_status status = SM_OK;
    if (client->has_motion && (is_forced || client->unacked < SM_INPUTS_MAX_UNACKED))
        status = send_motion(client);
    if (status == SM_OK && client->has_position &&
        (is_forced || client->unacked < SM_INPUTS_MAX_UNACKED))
        status = send_position(client);
    return status;
}

/* Done with, so that owners see only what is for them. */
static enum sm_status apply(struct sm_inputs_client *client, bool *is_shown)
{
    *is_shown = true;
    switch (client->msg.type) {
    case SM_MSG_INPUTS_MOUSE_MOTION_ACK:
        *is_shown = false;
        client->acks++;
        client->unacked -= sm_min_u32(client->unacked, SM_INPUTS_ACK_BUNCH);
        return flush_motion(client, false);
    case SM_MSG_WAIT_FOR_CHANNELS:
        sm_channel_hold(client->typed.channel);
        return SM_OK;
    default:
        return SM_OK;
    }
}

enum sm_status sm_inputs_client_next(struct sm_inputs_client *client,
                                     struct sm_inputs_client_event *event)
{
    for (;;) {
        struct sm_channel_message message;
        enum sm_status status = sm_typed_pull(&client->typed, &message);
        if (status != SM_OK)
            return status;
        const char *reason = "";
        bool is_shown = false;
        status = sm_inputs_msg_parse(&client->msg, message.type, message.body, &client->typed.arena,
                                     &reason);
        status = sm_typed_parsed(&client->typed, status, reason);
        if (status == SM_OK)
            status = apply(client, &is_shown);
        if (status != SM_OK)
            return sm_channel_fail(client->typed.channel, status, "cannot answer the peer");
        if (is_shown) {
            *event = (struct sm_inputs_client_event){.serial = message.serial, .msg = &client->msg};
            return SM_OK;
        }
    }
}

static bool is_key(uint32_t key)
{
    uint32_t code = key & ~(uint32_t)PREFIX_E0;
    return key == SM_INPUTS_KEY_PAUSE || (code > 0 && code < BREAK);
}

/* The scan codes of a key, as the bytes that go to the guest; returns how many. */
static size_t scancodes(uint32_t key, bool is_down, uint8_t codes[6])
{
    uint8_t flag = is_down ? 0 : BREAK;
    size_t count = 0;
    if (key == SM_INPUTS_KEY_PAUSE) {
        codes[count++] = 0xe1;
        codes[count++] = 0x1d | flag;
        codes[count++] = 0x45 | flag;
        return count;
    }
    if (key & PREFIX_E0)
        codes[count++] = 0xe0;
    codes[count++] = (uint8_t)(key & 0x7f) | flag;
    return count;
}

static enum sm_status send_code(struct sm_inputs_client *client, uint32_t code, bool is_down)
{
    struct sm_inputs_msgc msg = {.type = SM_MSGC_INPUTS_KEY_UP, .key_up = {.code = code}};
    if (is_down)
        msg = (struct sm_inputs_msgc){.type = SM_MSGC_INPUTS_KEY_DOWN, .key_down = {.code = code}};
    return send(client, &msg);
}

static enum sm_status send_key(struct sm_inputs_client *client, uint32_t key, bool is_down)
{
    uint8_t c[6] = {0};
    size_t count = scancodes(key, is_down, c);
    if (count == 3) { /* Pause goes as the reference client sends it: e1 1d, then 45 */
        enum sm_status status = send_code(client, (uint32_t)c[0] | (uint32_t)c[1] << 8, is_down);
        return status == SM_OK ? send_code(client, c[2], is_down) : status;
    }
    return send_code(client, (uint32_t)c[0] | (uint32_t)c[1] << 8, is_down);
}

enum sm_status sm_inputs_client_key(struct sm_inputs_client *client, uint32_t key, bool is_down)
{
    if (!is_key(key))
        return SM_ERR_STATE;
    if (!is_down && !client->is_down[key])
        return SM_OK;
    enum sm_status status = send_key(client, key, is_down);
    if (status == SM_OK)
        client->is_down[key] = is_down;
    return status;
}

enum sm_status sm_inputs_client_tap(struct sm_inputs_client *client, uint32_t key)
{
    if (!is_key(key))
        return SM_ERR_STATE;
    if (client->is_down[key])
        return send_key(client, key, true); /* one more repetition */
    if (!client->has_scancodes) {
        enum sm_status status = sm_inputs_client_key(client, key, true);
        return status == SM_OK ? sm_inputs_client_key(client, key, false) : status;
    }
    uint8_t codes[6];
    size_t count = scancodes(key, true, codes);
    count += scancodes(key, false, codes + count);
    return send(client, &(struct sm_inputs_msgc){.type = SM_MSGC_INPUTS_KEY_SCANCODE,
                                                 .key_scancode = {.scancodes = {codes, count}}});
}

enum sm_status sm_inputs_client_release_keys(struct sm_inputs_client *client)
{
    for (uint32_t key = 0; key <= SM_INPUTS_KEY_COUNT; key++) {
        if (!client->is_down[key])
            continue;
        enum sm_status status = sm_inputs_client_key(client, key, false);
        if (status != SM_OK)
            return status;
    }
    return SM_OK;
}

void sm_inputs_client_inherit(struct sm_inputs_client *client,
                              const struct sm_inputs_client *former)
{
    memcpy(client->is_down, former->is_down, sizeof(client->is_down));
    client->buttons = former->buttons;
}

bool sm_inputs_client_is_down(const struct sm_inputs_client *client, uint32_t key)
{
    return is_key(key) && client->is_down[key];
}

enum sm_status sm_inputs_client_modifiers(struct sm_inputs_client *client, uint16_t modifiers)
{
    return send(client, &(struct sm_inputs_msgc){.type = SM_MSGC_INPUTS_KEY_MODIFIERS,
                                                 .key_modifiers = {.modifiers = modifiers}});
}

static int32_t add_clamped(int32_t a, int32_t b)
{
    int64_t sum = (int64_t)a + b;
    if (sum > INT32_MAX)
        return INT32_MAX;
    return sum < INT32_MIN ? INT32_MIN : (int32_t)sum;
}

enum sm_status sm_inputs_client_motion(struct sm_inputs_client *client, int32_t dx, int32_t dy)
{
    if (dx == 0 && dy == 0)
        return SM_OK;
    client->dx = add_clamped(client->dx, dx);
    client->dy = add_clamped(client->dy, dy);
    client->has_motion = true;
    return flush_motion(client, false);
}

enum sm_status sm_inputs_client_position(struct sm_inputs_client *client, uint32_t x, uint32_t y,
                                         uint8_t display_id)
{
    client->x = x;
    client->y = y;
    client->display_id = display_id;
    client->has_position = true;
    return flush_motion(client, false);
}

static uint16_t button_mask(uint8_t button)
{
    bool is_button = button >= SM_MOUSE_BUTTON_LEFT && button <= SM_MOUSE_BUTTON_EXTRA;
    return is_button ? (uint16_t)(1u << (button - SM_MOUSE_BUTTON_LEFT)) : 0;
}

enum sm_status sm_inputs_client_button(struct sm_inputs_client *client, uint8_t button,
                                       bool is_down)
{
    uint16_t mask = button_mask(button);
    if (!mask)
        return SM_ERR_STATE;
    enum sm_status status = flush_motion(client, true); /* the click belongs to where it points */
    if (status != SM_OK)
        return status;
    uint16_t buttons = (uint16_t)(is_down ? client->buttons | mask : client->buttons & ~mask);
    struct sm_inputs_msgc msg = {.type = SM_MSGC_INPUTS_MOUSE_RELEASE,
                                 .mouse_release = {.button = button, .buttons_state = buttons}};
    if (is_down)
        msg = (struct sm_inputs_msgc){.type = SM_MSGC_INPUTS_MOUSE_PRESS,
                                      .mouse_press = {.button = button, .buttons_state = buttons}};
    status = send(client, &msg);
    if (status == SM_OK)
        client->buttons = buttons;
    return status;
}

void sm_inputs_client_reset_motion(struct sm_inputs_client *client)
{
    client->has_motion = client->has_position = false;
    client->dx = client->dy = 0;
}

uint32_t sm_inputs_client_acks(const struct sm_inputs_client *client)
{
    return client->acks;
}

bool sm_inputs_client_awaits_ack(const struct sm_inputs_client *client)
{
    return client->unacked >= SM_INPUTS_ACK_BUNCH;
}

uint16_t sm_inputs_client_buttons(const struct sm_inputs_client *client)
{
    return client->buttons;
}
