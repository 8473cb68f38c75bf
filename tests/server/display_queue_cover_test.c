/* SPDX-License-Identifier: MIT */
/* What a client's queue leaves out because nobody would see it: no picture may change by it. */
#include "tests/support/check.h"

#include "core/wire/types.h"
#include "server/display/peer_queue.h"
#include "server/display/renderer.h"
#include "tests/server/support/easel.h"

static struct sm_peer_queue queue;

static int set_up(void **state)
{
    sm_peer_queue_init(&queue);
    return sm_test_studio_set_up(state);
}

static int tear_down(void **state)
{
    sm_peer_queue_finish(&queue);
    return sm_test_studio_tear_down(state);
}

static void queue_msg(uint16_t type, uint32_t id)
{
    struct sm_display_msg msg = {.type = type};
    if (type == SM_MSG_DISPLAY_SURFACE_CREATE)
        msg.surface_create.surface_id = id;
    else
        msg.surface_destroy.surface_id = id;
    sm_check_status(sm_peer_queue_add_message(&queue, &msg, -1, 0), SM_OK);
}

static void destroy_surface(struct sm_test_studio *f, uint32_t id)
{
    sm_test_easel_remove_surface(&f->now, id);
    queue_msg(SM_MSG_DISPLAY_SURFACE_DESTROY, id);
}

static void create_surface(struct sm_test_studio *f, uint32_t id)
{
    sm_test_easel_add_surface(&f->now, id);
    queue_msg(SM_MSG_DISPLAY_SURFACE_CREATE, id);
}

/* Drawn at once, and queued for the client. */
static void draw(struct sm_test_studio *f, const QXLDrawable *d)
{
    uint64_t address = sm_test_guest_put(&f->guest, d, sizeof(*d));
    struct sm_drawable *drawable = sm_test_easel_parse(f, &f->now, address);
    if (!drawable)
        return;
    sm_surfaces_add_drawable(&f->now.surfaces, drawable);
    sm_surfaces_render_all(&f->now.surfaces);
    sm_check_status(sm_peer_queue_add_drawing(&queue, drawable, 0), SM_OK);
    sm_drawable_unref(drawable);
}

/* What waited longest arrives at the client, whose surfaces are the other easel's. */
static bool arrive(struct sm_test_studio *f)
{
    struct sm_peer_item *item = sm_peer_queue_first(&queue);
    if (!item)
        return false;
    sm_peer_queue_remove(&queue, item);
    if (item->kind == SM_PEER_DRAWING)
        sm_renderer_draw(f->late.renderer, item->drawable->drawing, NULL);
    else if (item->msg.type == SM_MSG_DISPLAY_SURFACE_CREATE)
        sm_test_easel_add_surface(&f->late, item->msg.surface_create.surface_id);
    else
        sm_test_easel_remove_surface(&f->late, item->msg.surface_destroy.surface_id);
    sm_peer_item_destroy(item);
    return true;
}

static unsigned arrive_all(struct sm_test_studio *f)
{
    unsigned count = 0;
    while (arrive(f))
        count++;
    assert_int_equal(queue.count, 0);
    assert_int_equal(queue.bytes, 0);
    sm_test_studio_check_all(f);
    return count;
}

static void client_sees_the_same_whatever_is_left_out(void **state)
{
    struct sm_test_studio *f = *state;
    for (uint32_t seed = 1; seed <= 60; seed++) {
        struct sm_test_doodle doodle = {.guest = &f->guest,
                                        .random = {.state = seed * 7919},
                                        .surfaces = sm_test_easel_shapes,
                                        .surface_count = TEST_EASEL_SURFACES,
                                        .copy_in = 3 + seed % 13};
        for (uint32_t i = 0; i < 200; i++) {
            sm_test_guest_reset(&f->guest);
            QXLDrawable d = sm_test_doodle_next(&doodle);
            draw(f, &d);
            uint32_t id = sm_test_doodle_pick(&doodle, TEST_EASEL_SURFACES);
            if (sm_test_doodle_pick(&doodle, 30) == 0) {
                destroy_surface(f, id);
                create_surface(f, id);
            }
            for (uint32_t n = sm_test_doodle_pick(&doodle, 60); n > 57; n--)
                (void)arrive(f);
        }
        assert_true(sm_backlog_is_empty(&queue.backlog)); /* it did not collapse */
        (void)arrive_all(f);
    }
}

static void fill(struct sm_test_studio *f, uint32_t id, QXLRect box, uint32_t color)
{
    QXLDrawable d = {
        .type = QXL_DRAW_FILL, .surface_id = id, .bbox = box, .surfaces_dest = {-1, -1, -1}};
    d.u.fill.brush = (QXLBrush){.type = SM_BRUSH_TYPE_SOLID, .u.color = color};
    d.u.fill.rop_descriptor = SM_ROPD_OP_PUT;
    draw(f, &d);
}

/* All of surface 1 to the corner of surface 0. */
static void copy_from_1(struct sm_test_studio *f)
{
    QXLImage image = {.descriptor = {.type = SM_IMAGE_TYPE_SURFACE},
                      .surface_image = {.surface_id = 1}};
    QXLDrawable d = {
        .type = QXL_DRAW_COPY, .bbox = sm_test_rect(0, 0, 24, 24), .surfaces_dest = {1, -1, -1}};
    d.u.copy.src_bitmap = sm_test_guest_put(&f->guest, &image, sizeof(image));
    d.u.copy.src_area = sm_test_rect(0, 0, 24, 24);
    d.u.copy.rop_descriptor = SM_ROPD_OP_PUT;
    draw(f, &d);
}

static void slow_client_gets_the_newest_frame(void **state)
{
    struct sm_test_studio *f = *state;
    for (uint32_t i = 0; i < 1000; i++)
        fill(f, 0, sm_test_rect(0, 0, 40, 30), i);
    assert_int_equal(arrive_all(f), 1);
}

static void what_another_surface_is_drawn_from_is_sent(void **state)
{
    struct sm_test_studio *f = *state;
    fill(f, 1, sm_test_rect(0, 0, 24, 24), 1);
    copy_from_1(f);
    fill(f, 1, sm_test_rect(0, 0, 24, 24), 2);
    assert_int_equal(queue.count, 3);
    fill(f, 0, sm_test_rect(0, 0, 40, 30), 3); /* nobody sees the copy */
    assert_int_equal(queue.count, 3);
    fill(f, 1, sm_test_rect(0, 0, 24, 24), 4); /* so nobody reads the two */
    assert_int_equal(queue.count, 2);
    assert_int_equal(arrive_all(f), 2);
}

static void what_is_drawn_on_a_surface_that_goes_is_not_sent(void **state)
{
    struct sm_test_studio *f = *state;
    fill(f, 1, sm_test_rect(0, 0, 24, 24), 1);
    copy_from_1(f);
    fill(f, 1, sm_test_rect(3, 3, 9, 9), 2);
    destroy_surface(f, 1);
    assert_int_equal(queue.count, 3); /* the first is read, the last is not */
    create_surface(f, 1);
    fill(f, 1, sm_test_rect(0, 0, 24, 24), 3);
    assert_int_equal(arrive_all(f), 5);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(client_sees_the_same_whatever_is_left_out),
        TEST(slow_client_gets_the_newest_frame),
        TEST(what_another_surface_is_drawn_from_is_sent),
        TEST(what_is_drawn_on_a_surface_that_goes_is_not_sent),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
