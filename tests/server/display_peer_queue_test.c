/* SPDX-License-Identifier: MIT */
/* The queue of one client: order, collapse, and who frees what. */
#include "tests/support/check.h"

#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "core/wire/types.h"
#include "server/display/peer_queue.h"

enum { OLD_US = 60 * 1000, MANY = 9 };

static struct sm_peer_queue queue;
static struct sm_drawable_budget budget;

static int set_up(void **state)
{
    (void)state;
    budget = (struct sm_drawable_budget){0};
    sm_peer_queue_init(&queue);
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    sm_peer_queue_finish(&queue);
    return budget.count == 0 ? 0 : -1; /* every drawing was let go */
}

static struct sm_pixels find_pixels(const void *surfaces, uint32_t id)
{
    (void)surfaces, (void)id;
    return (struct sm_pixels){.width = 100, .height = 100, .format = SM_PIXEL_XRGB32};
}

static const struct sm_footprint_source SURFACES = {.find = find_pixels};

static enum sm_status add_drawing(uint32_t surface_id, int32_t top, uint64_t now_us)
{
    struct sm_rect box = {0, top, 4, top + 1};
    struct sm_drawing *drawing;
    sm_check_status(sm_drawing_create_copy(&drawing, surface_id, box, 1, SM_BITMAP_FORMAT_32BIT, 0,
                                           malloc(16), 16, 0),
                    SM_OK);
    struct sm_drawable *drawable = sm_drawable_create(drawing, &budget, &SURFACES);
    enum sm_status status = sm_peer_queue_add_drawing(&queue, drawable, now_us);
    sm_drawable_unref(drawable);
    return status;
}

static enum sm_status add_destroy(uint32_t surface_id)
{
    struct sm_display_msg msg = {.type = SM_MSG_DISPLAY_SURFACE_DESTROY,
                                 .surface_destroy = {.surface_id = surface_id}};
    return sm_peer_queue_add_message(&queue, &msg, -1, 0);
}

static void take_first(enum sm_peer_item_kind kind)
{
    struct sm_peer_item *item = sm_peer_queue_first(&queue);
    assert_non_null(item);
    assert_int_equal(item->kind, kind);
    sm_peer_queue_remove(&queue, item);
    sm_peer_item_destroy(item);
}

static void items_come_out_as_they_went_in(void **state)
{
    (void)state;
    sm_check_status(add_drawing(0, 0, 0), SM_OK);
    sm_check_status(add_destroy(3), SM_OK);
    sm_check_status(add_drawing(0, 1, 0), SM_OK);
    assert_int_equal(queue.count, 3);
    assert_true(queue.bytes > 0);
    take_first(SM_PEER_DRAWING);
    take_first(SM_PEER_MESSAGE);
    take_first(SM_PEER_DRAWING);
    assert_null(sm_peer_queue_first(&queue));
    assert_int_equal(queue.count, 0);
    assert_int_equal(queue.bytes, 0);
}

static void old_drawings_become_areas_and_messages_stay(void **state)
{
    (void)state;
    uint32_t surface_id;
    struct sm_rect area;
    for (int32_t i = 0; i < MANY - 1; i++)
        sm_check_status(add_drawing(0, i, 0), SM_OK);
    sm_check_status(add_destroy(7), SM_OK);
    assert_false(sm_peer_queue_take_missed(&queue, 1000, &surface_id, &area));
    sm_check_status(add_drawing(0, MANY - 1, OLD_US), SM_OK);
    assert_int_equal(queue.count, 1);
    sm_check_status(add_drawing(0, MANY, OLD_US), SM_OK); /* joins the backlog */
    assert_int_equal(queue.count, 1);
    assert_int_equal(queue.drawn_us, OLD_US);
    take_first(SM_PEER_MESSAGE);

    assert_true(sm_peer_queue_take_missed(&queue, 1000, &surface_id, &area));
    assert_int_equal(surface_id, 0);
    assert_int_equal(area.bottom, MANY + 1);
    sm_check_status(add_drawing(0, 0, 2 * OLD_US), SM_OK); /* the piece itself is queued */
    assert_int_equal(queue.drawn_us, OLD_US);              /* by us, not by the guest */
    sm_peer_queue_end_missed(&queue);
    assert_int_equal(queue.count, 1);
}

static void backlog_of_a_destroyed_surface_is_forgotten(void **state)
{
    (void)state;
    uint32_t surface_id;
    struct sm_rect area;
    for (int32_t i = 0; i < MANY - 1; i++)
        sm_check_status(add_drawing(0, i, 0), SM_OK);
    sm_check_status(add_drawing(5, 0, OLD_US), SM_OK); /* collapses */
    sm_check_status(add_destroy(5), SM_OK);
    assert_true(sm_peer_queue_take_missed(&queue, 1000, &surface_id, &area));
    assert_int_equal(surface_id, 0);
    sm_peer_queue_end_missed(&queue);
    assert_false(sm_peer_queue_take_missed(&queue, 1000, &surface_id, &area));
}

static void monitors_bring_their_heads_along(void **state)
{
    (void)state;
    struct sm_head heads[2] = {{.width = 10}, {.width = 20}};
    struct sm_display_msg msg = {.type = SM_MSG_DISPLAY_MONITORS_CONFIG,
                                 .monitors_config = {.num_heads = 2, .heads = heads}};
    sm_check_status(sm_peer_queue_add_message(&queue, &msg, -1, 0), SM_OK);
    memset(heads, 0, sizeof(heads));
    assert_int_equal(sm_peer_queue_first(&queue)->msg.monitors_config.heads[1].width, 20);
}

static bool is_open(int fd)
{
    return fcntl(fd, F_GETFD) >= 0;
}

static void newer_scanout_takes_the_place_of_one_nobody_drew(void **state)
{
    (void)state;
    struct sm_display_msg scanout = {.type = SM_MSG_DISPLAY_GL_SCANOUT_UNIX};
    struct sm_display_msg draw = {.type = SM_MSG_DISPLAY_GL_DRAW};
    int first = dup(0), second = dup(0), third = dup(0);
    sm_check_status(sm_peer_queue_add_message(&queue, &scanout, first, 0), SM_OK);
    sm_check_status(sm_peer_queue_add_message(&queue, &scanout, second, 0), SM_OK);
    assert_false(is_open(first));
    sm_check_status(sm_peer_queue_add_message(&queue, &draw, -1, 0), SM_OK);
    sm_check_status(sm_peer_queue_add_message(&queue, &scanout, third, 0), SM_OK);
    assert_true(is_open(second));
    sm_peer_queue_clear(&queue);
    assert_false(is_open(second));
    assert_false(is_open(third));
}

/* ---- late items ---- */

struct late {
    unsigned destroyed, sent;
};

static bool begin(void *late)
{
    (void)late;
    return true;
}

static const struct sm_display_msg *message(void *late)
{
    (void)late;
    return NULL;
}

static void destroy(void *opaque, bool was_sent)
{
    struct late *late = opaque;
    late->destroyed++;
    late->sent += was_sent;
}

static const struct sm_late_ops LATE = {.begin = begin, .message = message, .destroy = destroy};

static void late_items_survive_a_collapse_and_are_destroyed_once(void **state)
{
    (void)state;
    struct late late = {0};
    sm_check_status(sm_peer_queue_add_late(&queue, &LATE, &late, 0), SM_OK);
    for (int32_t i = 0; i < MANY; i++)
        sm_check_status(add_drawing(0, i, OLD_US), SM_OK);
    assert_int_equal(queue.count, 1);
    assert_int_equal(late.destroyed, 0);
    sm_peer_queue_clear(&queue);
    assert_int_equal(late.destroyed, 1);
    assert_int_equal(late.sent, 0);
}

static void queue_without_end_is_refused(void **state)
{
    (void)state;
    enum sm_status status = SM_OK;
    unsigned count = 0;
    for (; !status && count < 100000; count++)
        status = add_destroy(1);
    sm_check_status(status, SM_ERR_LIMIT);
    int fd = dup(0);
    struct sm_display_msg scanout = {.type = SM_MSG_DISPLAY_GL_SCANOUT_UNIX};
    sm_check_status(sm_peer_queue_add_message(&queue, &scanout, fd, 0), SM_ERR_LIMIT);
    assert_false(is_open(fd));
    struct late late = {0};
    sm_check_status(sm_peer_queue_add_late(&queue, &LATE, &late, 0), SM_ERR_LIMIT);
    assert_int_equal(late.destroyed, 1);
}

int main(void)
{
#define QUEUE_TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
    const struct CMUnitTest tests[] = {
        QUEUE_TEST(items_come_out_as_they_went_in),
        QUEUE_TEST(old_drawings_become_areas_and_messages_stay),
        QUEUE_TEST(backlog_of_a_destroyed_surface_is_forgotten),
        QUEUE_TEST(monitors_bring_their_heads_along),
        QUEUE_TEST(newer_scanout_takes_the_place_of_one_nobody_drew),
        QUEUE_TEST(late_items_survive_a_collapse_and_are_destroyed_once),
        QUEUE_TEST(queue_without_end_is_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
