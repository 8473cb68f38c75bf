/* SPDX-License-Identifier: MIT */
/* Keyboard and pointer. The public functions post to the channel's thread, which has the machine.
 */
#include "client/channel_kinds.h"
#include "client/session_private.h"
#include "core/channel/inputs/client.h"
#include "io/clock.h"
#include "sumac/display.h"
#include "sumac/inputs.h"

enum {
    LEDS_MASK = 7,
    MOTION_MAX = 1 << 20, /* pixels in one go */
};

_Static_assert((int)SM_KEY_PAUSE == (int)SM_INPUTS_KEY_PAUSE, "both number keys alike");

/* ---- On the channel's thread ---- */

static uint32_t caps(const struct sm_session *session)
{
    (void)session;
    return 0;
}

static void release_call(struct sm_client_channel *channel, const void *argument);

/* After a lost line: what was down when it went is let go, whatever the server made of it. */
static enum sm_status open_inputs(struct sm_client_channel *channel,
                                  const struct sm_link_client_event *link,
                                  struct sm_machine *machine)
{
    struct sm_inputs_client *client, *former = channel->self;
    struct sm_inputs_client_config config = {.setup = sm_client_channel_setup(link)};
    enum sm_status status = sm_inputs_client_create(&client, &config, sm_now_us());
    if (status != SM_OK)
        return status;
    channel->self = client;
    *machine = sm_inputs_client_machine(client);
    if (former) {
        sm_inputs_client_inherit(client, former);
        sm_inputs_client_destroy(former);
        release_call(channel, NULL);
    }
    return SM_OK;
}

static void take_leds(struct sm_client_channel *channel, uint16_t leds)
{
    pthread_mutex_lock(&channel->session->lock);
    channel->session->info.keyboard_leds = leds & LEDS_MASK;
    pthread_mutex_unlock(&channel->session->lock);
    sm_session_tell(channel->session, SM_EVENT_INFO, channel);
}

static void note_motion(struct sm_client_channel *channel)
{
    sm_silence_note_motion(&channel->session->silence, sm_inputs_client_awaits_ack(channel->self),
                           sm_inputs_client_acks(channel->self), sm_now_us());
}

static enum sm_status activity(struct sm_client_channel *channel)
{
    struct sm_inputs_client_event event;
    enum sm_status status;
    while ((status = sm_inputs_client_next(channel->self, &event)) == SM_OK) {
        if (event.msg->type == SM_MSG_INPUTS_INIT)
            take_leds(channel, event.msg->init.keyboard_modifiers);
        else if (event.msg->type == SM_MSG_INPUTS_KEY_MODIFIERS)
            take_leds(channel, event.msg->key_modifiers.modifiers);
        else if (event.msg->type == SM_MSG_WAIT_FOR_CHANNELS)
            sm_channel_release(sm_inputs_client_channel(channel->self));
        sm_client_channel_handled(channel, event.serial);
    }
    note_motion(channel);
    return status;
}

static struct sm_channel *base(const struct sm_client_channel *channel)
{
    return sm_inputs_client_channel(channel->self);
}

static void destroy(struct sm_client_channel *channel)
{
    sm_inputs_client_destroy(channel->self);
}

const struct sm_client_channel_ops sm_inputs_channel_ops = {
    .caps = caps,
    .open = open_inputs,
    .activity = activity,
    .base = base,
    .keeps_self = true,
    .destroy = destroy,
};

/* ---- What the public functions post ---- */

/** One thing to send; which members count depends on the function. */
struct action {
    struct sm_key_chord chord;
    uint32_t key, button, leds;
    int32_t dx, dy;
    uint32_t x, y;
    uint8_t display_id;
    bool is_press;
};

/* Nothing to send it with is all that can go wrong here; then the channel is of no more use. */
static void check(struct sm_client_channel *channel, enum sm_status status)
{
    if (status < 0 && status != SM_ERR_STATE) {
        struct sm_error error;
        sm_reason_channel(&error, &channel->attempt, status, sm_channel_reason(base(channel)));
        sm_client_channel_fail(channel, &error);
    }
    note_motion(channel);
}

static void key_call(struct sm_client_channel *channel, const void *argument)
{
    const struct action *action = argument;
    check(channel, sm_inputs_client_key(channel->self, action->key, action->is_press));
}

static void chord_call(struct sm_client_channel *channel, const void *argument)
{
    const struct action *action = argument;
    size_t last = action->chord.count - 1;
    for (size_t i = 0; i < last; i++)
        check(channel, sm_inputs_client_key(channel->self, action->chord.keys[i], true));
    check(channel, sm_inputs_client_tap(channel->self, action->chord.keys[last]));
    for (size_t i = last; i > 0; i--)
        check(channel, sm_inputs_client_key(channel->self, action->chord.keys[i - 1], false));
}

static void release_call(struct sm_client_channel *channel, const void *argument)
{
    (void)argument;
    check(channel, sm_inputs_client_release_keys(channel->self));
    uint16_t buttons = sm_inputs_client_buttons(channel->self);
    static const struct {
        uint16_t mask;
        uint8_t button;
    } all[] = {
        {SM_MOUSE_BUTTON_MASK_LEFT, SM_MOUSE_BUTTON_LEFT},
        {SM_MOUSE_BUTTON_MASK_MIDDLE, SM_MOUSE_BUTTON_MIDDLE},
        {SM_MOUSE_BUTTON_MASK_RIGHT, SM_MOUSE_BUTTON_RIGHT},
        {SM_MOUSE_BUTTON_MASK_SIDE, SM_MOUSE_BUTTON_SIDE},
        {SM_MOUSE_BUTTON_MASK_EXTRA, SM_MOUSE_BUTTON_EXTRA},
    };
    for (size_t i = 0; i < sizeof(all) / sizeof(all[0]); i++)
        if (buttons & all[i].mask)
            check(channel, sm_inputs_client_button(channel->self, all[i].button, false));
}

static void leds_call(struct sm_client_channel *channel, const void *argument)
{
    const struct action *action = argument;
    check(channel, sm_inputs_client_modifiers(channel->self, (uint16_t)action->leds));
}

static void position_call(struct sm_client_channel *channel, const void *argument)
{
    const struct action *action = argument;
    check(channel,
          sm_inputs_client_position(channel->self, action->x, action->y, action->display_id));
}

static void motion_call(struct sm_client_channel *channel, const void *argument)
{
    const struct action *action = argument;
    check(channel, sm_inputs_client_motion(channel->self, action->dx, action->dy));
}

static void button_call(struct sm_client_channel *channel, const void *argument)
{
    const struct action *action = argument;
    check(channel,
          sm_inputs_client_button(channel->self, (uint8_t)action->button, action->is_press));
}

static void reset_motion_call(struct sm_client_channel *channel, const void *argument)
{
    (void)argument;
    sm_inputs_client_reset_motion(channel->self);
}

/* ---- Public ---- */

static enum sm_status post(struct sm_session *session,
                           void (*call)(struct sm_client_channel *channel, const void *argument),
                           const struct action *action)
{
    struct sm_client_channel *inputs = sm_session_find(session, SM_CHANNEL_KIND_INPUTS, 0);
    if (!inputs)
        return SM_ERR_STATE;
    return sm_client_channel_post(inputs, call, action, sizeof(*action));
}

enum sm_status sm_session_send_key(struct sm_session *session, uint16_t key, bool is_press)
{
    if (!sm_key_is_valid(key))
        return SM_ERR_LIMIT;
    return post(session, key_call, &(struct action){.key = key, .is_press = is_press});
}

enum sm_status sm_session_send_chord(struct sm_session *session, const struct sm_key_chord *chord)
{
    if (chord->count < 1 || chord->count > SM_KEY_CHORD_MAX)
        return SM_ERR_LIMIT;
    for (size_t i = 0; i < chord->count; i++)
        if (!sm_key_is_valid(chord->keys[i]))
            return SM_ERR_LIMIT;
    return post(session, chord_call, &(struct action){.chord = *chord});
}

enum sm_status sm_session_release_all(struct sm_session *session)
{
    return post(session, release_call, &(struct action){.key = 0});
}

enum sm_status sm_session_send_leds(struct sm_session *session, uint32_t leds)
{
    if (leds > LEDS_MASK)
        return SM_ERR_LIMIT;
    return post(session, leds_call, &(struct action){.leds = leds});
}

static enum sm_pointer_mode mouse_mode(struct sm_session *session)
{
    pthread_mutex_lock(&session->lock);
    enum sm_pointer_mode mode = session->info.mouse_mode;
    pthread_mutex_unlock(&session->lock);
    return mode;
}

/* Source: docs/wire/inputs.md: positions are within the monitor; the monitor is named by its id on
 * display channel 0, by the channel on others. */
static bool find_monitor(struct sm_session *session, uint32_t number, struct sm_monitor *monitor,
                         uint8_t *display_id)
{
    struct sm_display_info displays[SM_SESSION_CHANNELS_MAX];
    size_t count = sm_session_get_displays(session, displays, SM_SESSION_CHANNELS_MAX);
    for (size_t i = 0; i < count; i++)
        for (size_t j = 0; j < displays[i].monitor_count; j++)
            if (displays[i].monitors[j].number == number) {
                *monitor = displays[i].monitors[j];
                *display_id =
                    displays[i].channel_id ? displays[i].channel_id : (uint8_t)monitor->id;
                return true;
            }
    return false;
}

enum sm_status sm_session_send_position(struct sm_session *session, uint32_t monitor_number,
                                        uint32_t x, uint32_t y)
{
    if (mouse_mode(session) != SM_POINTER_MODE_CLIENT)
        return SM_ERR_STATE;
    struct sm_monitor monitor;
    struct action action = {.x = x, .y = y};
    if (!find_monitor(session, monitor_number, &monitor, &action.display_id))
        return SM_ERR_LIMIT;
    if (x >= (uint32_t)(monitor.area.right - monitor.area.left) ||
        y >= (uint32_t)(monitor.area.bottom - monitor.area.top))
        return SM_ERR_LIMIT;
    return post(session, position_call, &action);
}

enum sm_status sm_session_send_motion(struct sm_session *session, int32_t dx, int32_t dy)
{
    if (mouse_mode(session) != SM_POINTER_MODE_SERVER)
        return SM_ERR_STATE;
    if (dx > MOTION_MAX || dx < -MOTION_MAX || dy > MOTION_MAX || dy < -MOTION_MAX)
        return SM_ERR_LIMIT;
    return post(session, motion_call, &(struct action){.dx = dx, .dy = dy});
}

enum sm_status sm_session_send_button(struct sm_session *session, enum sm_button button,
                                      bool is_press)
{
    if (button < SM_BUTTON_LEFT || button > SM_BUTTON_EXTRA)
        return SM_ERR_LIMIT;
    return post(session, button_call,
                &(struct action){.button = (uint32_t)button, .is_press = is_press});
}

void sm_session_reset_motion(struct sm_session *session)
{
    /* Without the channel there is no motion to forget. */
    (void)!post(session, reset_motion_call, &(struct action){.key = 0});
}
