/* SPDX-License-Identifier: MIT */
#include "tests/support/check.h"

#include <string.h>

#include "io/epoll_loop.h"
#include "server/device/char_device.h"

/* A host's device that takes and gives as much as the test says, and may wake us from inside. */
struct fake {
    struct sm_epoll_loop *loop;
    struct sm_char_device *device;
    uint8_t written[64];
    size_t written_size;
    int room;            /* bytes that write() takes in all */
    unsigned wakes;      /* times it wakes the device from inside its functions */
    bool destroys_self;  /* from inside write() */
    const char *to_read; /* what read() gives, three bytes a time */
    const char *answer;  /* what it gives while write() is on the stack, and no longer */
    char got[64];        /* what the user read */
    uint32_t tags[8];
    size_t tag_count;
};

static void wake_back(struct fake *fake)
{
    if (!fake->wakes)
        return;
    fake->wakes--;
    sm_char_device_wakeup(fake->device);
}

static int write_bytes(void *context, const uint8_t *data, int size)
{
    struct fake *fake = context;
    int taken = size < fake->room ? size : fake->room;
    memcpy(fake->written + fake->written_size, data, (size_t)taken);
    fake->written_size += (size_t)taken;
    fake->room -= taken;
    if (fake->answer) {
        fake->to_read = fake->answer;
        fake->answer = NULL;
        sm_char_device_wakeup(fake->device);
        fake->to_read = "";
    }
    if (fake->destroys_self) {
        sm_char_device_destroy(fake->device);
        fake->device = NULL;
        return taken;
    }
    wake_back(fake);
    return taken;
}

static int read_bytes(void *context, uint8_t *to, int size)
{
    struct fake *fake = context;
    int left = (int)strlen(fake->to_read);
    int given = size < left ? size : left;
    given = given > 3 ? 3 : given;
    memcpy(to, fake->to_read, (size_t)given);
    fake->to_read += given;
    wake_back(fake);
    return given;
}

static bool user_read(void *context)
{
    struct fake *fake = context;
    uint8_t bytes[5];
    size_t size = sm_char_device_read(fake->device, bytes, sizeof(bytes));
    strncat(fake->got, (char *)bytes, size);
    return size > 0;
}

static void user_written(void *context, uint32_t tag)
{
    struct fake *fake = context;
    fake->tags[fake->tag_count++] = tag;
}

static void setup(struct fake *fake, bool notifies_writable)
{
    static const struct sm_char_device_ops ops = {.write = write_bytes, .read = read_bytes};
    static const struct sm_char_device_user user = {.read = user_read, .written = user_written};
    *fake = (struct fake){.to_read = ""};
    sm_check_status(sm_epoll_loop_create(&fake->loop), SM_OK);
    struct sm_char_device_config config = {
        .ops = &ops,
        .context = fake,
        .notifies_writable = notifies_writable,
        .user = &user,
        .user_context = fake,
        .loop = sm_epoll_loop_base(fake->loop),
        .is_running = true,
    };
    sm_check_status(sm_char_device_create(&fake->device, &config), SM_OK);
}

static void teardown(struct fake *fake)
{
    sm_char_device_destroy(fake->device);
    sm_epoll_loop_destroy(fake->loop);
}

static void put(struct fake *fake, const char *text, uint32_t tag)
{
    struct sm_bytes part = {.data = (const uint8_t *)text, .size = strlen(text)};
    sm_check_status(sm_char_device_write(fake->device, &part, 1, tag), SM_OK);
}

static void check_written(const struct fake *fake, const char *expected)
{
    sm_check_bytes(
        ((struct sm_bytes){.data = fake->written, .size = fake->written_size}),
        ((struct sm_bytes){.data = (const uint8_t *)expected, .size = strlen(expected)}));
}

static void buffers_leave_in_order_as_room_allows(void **state)
{
    (void)state;
    struct fake fake;
    setup(&fake, true);
    fake.room = 5;
    put(&fake, "abc", 1);
    put(&fake, "defg", 2);
    check_written(&fake, "abcde");
    assert_int_equal(fake.tag_count, 1);
    assert_int_equal(sm_char_device_queued_size(fake.device), 2);
    fake.room = 10;
    sm_char_device_wakeup(fake.device);
    check_written(&fake, "abcdefg");
    assert_int_equal(fake.tag_count, 2);
    assert_int_equal(fake.tags[1], 2);
    assert_int_equal(sm_char_device_queued_size(fake.device), 0);
    teardown(&fake);
}

static void a_silent_host_is_asked_again_by_timer(void **state)
{
    (void)state;
    struct fake fake;
    setup(&fake, false);
    put(&fake, "abc", 0);
    check_written(&fake, "");
    fake.room = 3;
    for (unsigned i = 0; i < 10 && fake.written_size == 0; i++)
        sm_epoll_loop_run_once(fake.loop, 1000);
    check_written(&fake, "abc");
    teardown(&fake);
}

static void a_wake_up_from_inside_is_not_lost(void **state)
{
    (void)state;
    struct fake fake;
    setup(&fake, true);
    fake.room = 64;
    fake.wakes = 3;
    fake.to_read = "hello world";
    put(&fake, "abc", 0);
    check_written(&fake, "abc");
    assert_string_equal(fake.got, "hello world");
    assert_int_equal(fake.wakes, 0);
    teardown(&fake);
}

/* A card reader of QEMU's does so. */
static void an_answer_from_inside_write_is_heard(void **state)
{
    (void)state;
    struct fake fake;
    setup(&fake, true);
    fake.room = 64;
    fake.answer = "an answer";
    put(&fake, "abc", 0);
    assert_string_equal(fake.got, "an answer");
    teardown(&fake);
}

static void nothing_moves_while_the_machine_is_stopped(void **state)
{
    (void)state;
    struct fake fake;
    setup(&fake, false);
    sm_char_device_set_running(fake.device, false);
    fake.room = 64;
    fake.to_read = "xyz";
    put(&fake, "abc", 0);
    sm_char_device_wakeup(fake.device);
    check_written(&fake, "");
    assert_string_equal(fake.got, "");
    sm_char_device_set_running(fake.device, true);
    check_written(&fake, "abc");
    assert_string_equal(fake.got, "xyz");
    teardown(&fake);
}

static void dropping_keeps_what_was_begun(void **state)
{
    (void)state;
    struct fake fake;
    setup(&fake, true);
    fake.room = 1;
    put(&fake, "ab", 7);
    put(&fake, "cd", 7);
    put(&fake, "ef", 8);
    sm_char_device_drop(fake.device, 7);
    fake.room = 64;
    sm_char_device_wakeup(fake.device);
    check_written(&fake, "abef");
    assert_int_equal(fake.tag_count, 2);
    assert_int_equal(fake.tags[0], 0); /* nobody's any more, but there is room again */
    assert_int_equal(fake.tags[1], 8);
    teardown(&fake);
}

static void a_device_may_vanish_inside_its_own_write(void **state)
{
    (void)state;
    struct fake fake;
    setup(&fake, true);
    fake.room = 64;
    fake.destroys_self = true;
    put(&fake, "abc", 5);
    assert_null(fake.device);
    assert_int_equal(fake.tag_count, 0);
    teardown(&fake);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(buffers_leave_in_order_as_room_allows),
        cmocka_unit_test(a_silent_host_is_asked_again_by_timer),
        cmocka_unit_test(a_wake_up_from_inside_is_not_lost),
        cmocka_unit_test(an_answer_from_inside_write_is_heard),
        cmocka_unit_test(nothing_moves_while_the_machine_is_stopped),
        cmocka_unit_test(dropping_keeps_what_was_begun),
        cmocka_unit_test(a_device_may_vanish_inside_its_own_write),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
