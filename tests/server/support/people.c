/* SPDX-License-Identifier: MIT */
#include "tests/server/support/people.h"

#include "tests/support/check.h"

#include <stdlib.h>
#include <string.h>

#include "core/base/writer.h"
#include "core/wire/agent.h"
#include "core/wire/main.h"
#include "core/wire/types.h"
#include "sumac/server.h"

static struct sm_test_device *device_of(SpiceCharDeviceInstance *instance)
{
    return (struct sm_test_device *)(void *)instance;
}

static void device_state(SpiceCharDeviceInstance *instance, int connected)
{
    device_of(instance)->state = connected;
}

static int device_write(SpiceCharDeviceInstance *instance, const uint8_t *data, int size)
{
    struct sm_test_device *device = device_of(instance);
    assert_true(device->size + (size_t)size <= sizeof(device->written));
    memcpy(device->written + device->size, data, (size_t)size);
    device->size += (size_t)size;
    return size;
}

static int device_read(SpiceCharDeviceInstance *instance, uint8_t *to, int size)
{
    struct sm_bytes *says = &device_of(instance)->says;
    size_t given = says->size < (size_t)size ? says->size : (size_t)size;
    if (given > 0)
        memcpy(to, says->data, given);
    *says = given > 0 ? (struct sm_bytes){says->data + given, says->size - given} : *says;
    return (int)given;
}

static const SpiceCharDeviceInterface DEVICE = {
    .base = {.type = SPICE_INTERFACE_CHAR_DEVICE,
             .major_version = SPICE_INTERFACE_CHAR_DEVICE_MAJOR,
             .minor_version = SPICE_INTERFACE_CHAR_DEVICE_MINOR},
    .state = device_state,
    .write = device_write,
    .read = device_read,
    .flags = SPICE_CHAR_DEVICE_NOTIFY_WRITABLE,
};

static const SpicePlaybackInterface SOUND = {
    .base = {.type = SPICE_INTERFACE_PLAYBACK,
             .major_version = SPICE_INTERFACE_PLAYBACK_MAJOR,
             .minor_version = SPICE_INTERFACE_PLAYBACK_MINOR},
};

static void add_device(struct sm_test_people *f, struct sm_test_device *device, const char *subtype)
{
    device->instance.base.sif = &DEVICE.base;
    device->instance.subtype = subtype;
    assert_int_equal(spice_server_add_interface(f->server, &device->instance.base), 0);
    assert_non_null(device->instance.st);
}

int sm_test_people_setup(void **state)
{
    struct sm_test_people *f = calloc(1, sizeof(*f));
    assert_non_null(f);
    f->server = sm_test_host_server(&f->host);
    spice_server_set_noauth(f->server);
    assert_int_equal(spice_server_init(f->server, &f->host.core), 0);
    add_device(f, &f->usb, "usbredir");
    add_device(f, &f->agent, "vdagent");
    f->sound.base.sif = &SOUND.base;
    assert_int_equal(spice_server_add_interface(f->server, &f->sound.base), 0);
    sumac_server_set_clients(f->server, 3);
    *state = f;
    return 0;
}

int sm_test_people_teardown(void **state)
{
    struct sm_test_people *f = *state;
    spice_server_destroy(f->server);
    sm_test_host_finish(&f->host);
    free(f);
    sm_test_free_copies();
    return 0;
}

struct sm_test_person sm_test_come(struct sm_test_people *f, const char *password)
{
    struct sm_test_person person = {.main = sm_test_visitor(&f->host, f->host.path)};
    person.id = sm_test_visitor_open_main(&person.main, password);
    return person;
}

void sm_test_go(struct sm_test_person *person)
{
    sm_test_visitor_close(&person->main);
}

int sm_test_try_to_come(struct sm_test_people *f, const char *password)
{
    uint8_t key[SM_TEST_KEY_SIZE];
    struct sm_test_visitor visitor = sm_test_visitor(&f->host, f->host.path);
    assert_int_equal(sm_test_visitor_hello(&visitor, 0, SM_CHANNEL_MAIN, 0, key), 0);
    int result = sm_test_visitor_ticket(&visitor, key, password);
    sm_test_visitor_close(&visitor);
    return result;
}

int sm_test_open_channel(struct sm_test_people *f, uint32_t id, uint8_t type, const char *password,
                         struct sm_test_visitor *out)
{
    uint8_t key[SM_TEST_KEY_SIZE];
    struct sm_test_visitor visitor = sm_test_visitor(&f->host, f->host.path);
    int result = sm_test_visitor_hello(&visitor, id, type, 0, key);
    if (result == 0)
        result = sm_test_visitor_ticket(&visitor, key, password);
    if (out && result == 0)
        *out = visitor;
    else
        sm_test_visitor_close(&visitor);
    return result;
}

uint32_t sm_test_listed(struct sm_test_person *person)
{
    uint8_t body[512];
    size_t size =
        sm_test_visitor_await(&person->main, SM_MSG_MAIN_CHANNELS_LIST, body, sizeof(body));
    uint32_t mask = 0;
    for (size_t at = 4; at + 2 <= size; at += 2)
        mask |= 1u << body[at];
    return mask;
}

uint32_t sm_test_ask_list(struct sm_test_person *person)
{
    sm_test_visitor_message(&person->main, SM_MSGC_MAIN_ATTACH_CHANNELS, (struct sm_bytes){0});
    return sm_test_listed(person);
}

struct sm_bytes sm_test_agent_message(uint32_t type, uint32_t size, size_t here)
{
    static struct sm_writer w;
    static bool is_made;
    if (!is_made)
        sm_writer_init(&w, 8192);
    is_made = true;
    sm_writer_reset(&w);
    sm_put_le32(&w, SM_AGENT_PROTOCOL);
    sm_put_le32(&w, type);
    sm_put_le64(&w, 0);
    sm_put_le32(&w, size);
    sm_put_zeros(&w, here);
    return sm_test_copy(sm_writer_bytes(&w).data, sm_writer_bytes(&w).size);
}

void sm_test_start_agent(struct sm_test_person *person)
{
    sm_test_visitor_message(&person->main, SM_MSGC_MAIN_AGENT_START, sm_test_hex("ffffffff"));
}
