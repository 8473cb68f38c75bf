/* SPDX-License-Identifier: MIT */
#include "tests/support/check.h"

#include <pthread.h>
#include <stdio.h>
#include <string.h>

#include "server/replay/replay.h"

static const char HEAD[] = "SPICE_REPLAY 1\n";

static const char PRIMARY[] = "event 0 1 8 100\n"
                              "event 1 1 20 200\n"
                              "2 1 8 32\n"
                              "0 1 0 0\n"
                              "binary 0 data 8:12345678\n";

/* A filled rectangle with one clip rectangle, as the recorder writes it. */
static const char FILL[] = "event 2 0 1 300\n"
                           "drawable\n"
                           "rect bbox 1 2 3 4\n"
                           "type 1\n"
                           "num_rects 1\n"
                           "data_chunks 0 16\n"
                           "binary 0 clip_rects 16:\1\0\0\0\2\0\0\0\3\0\0\0\4\0\0\0\n"
                           "effect 1\n"
                           "mm_time 0\n"
                           "self_bitmap 0\n"
                           "rect self_bitmap_area 0 0 0 0\n"
                           "surface_id 0\n"
                           "surfaces_dest -1\nrect surfaces_rects 0 -463042560 5646941 256\n"
                           "surfaces_dest -1\nrect surfaces_rects 0 0 0 0\n"
                           "surfaces_dest -1\nrect surfaces_rects 0 0 0 0\n"
                           "type 1\n"
                           "type 1\n"
                           "u.color -1\n"
                           "rop_descriptor 8\n"
                           "flags 0\n"
                           "point 5 6\n"
                           "image 0\n";

static const char CREATE_7[] = "event 3 0 5 400\n"
                               "surface_cmd\nsurface_id 7\ntype 0\nflags 1\n"
                               "u.surface_create.format 32\n"
                               "u.surface_create.width 1\n"
                               "u.surface_create.height 2\n"
                               "u.surface_create.stride 4\n"
                               /* 8 zeros as a zlib stream */
                               "binary 1 data 8:11:\x78\x9c\x63\x60\x80\x00\x00\x00\x08\x00\x01\n";

static const char DESTROY_7[] = "event 4 0 5 500\n"
                                "surface_cmd\nsurface_id 7\ntype 1\nflags 0\n";

static const char CURSOR[] = "event 5 0 3 600\n"
                             "cursor_cmd\ntype 0\npoint16 4 8\nu.set.visible 1\n"
                             "header.unique 18446744073709551615\nheader.type 0\n"
                             "header.width 1\nheader.height 2\n"
                             "header.hot_spot_x 0\nheader.hot_spot_y 1\n"
                             "data_size 8\n"
                             "data_chunks 1 8\n"
                             "binary 0 cursor 5:abcde\n"
                             "binary 0 cursor 3:fgh\n";

struct text {
    char bytes[8192];
    size_t size;
};

static void add(struct text *text, const char *part, size_t size)
{
    assert_true(text->size + size <= sizeof(text->bytes));
    memcpy(text->bytes + text->size, part, size);
    text->size += size;
}

#define ADD(text, part) add((text), (part), sizeof(part) - 1)

struct device {
    unsigned created, destroyed;
    uint32_t height;
    char first;
};

static void create_primary(void *context, const struct sm_replay_primary *primary)
{
    struct device *device = context;
    device->created++;
    device->height = primary->height;
    device->first = *(const char *)primary->data;
}

static void destroy_primary(void *context)
{
    ((struct device *)context)->destroyed++;
}

static void destroy_surfaces(void *context)
{
    (void)context;
}

static const struct sm_replay_device DEVICE = {create_primary, destroy_primary, destroy_surfaces};

static struct sm_replay *play(struct text *text, size_t size)
{
    FILE *file = fmemopen(text->bytes, size, "r");
    struct sm_replay *replay = NULL;
    if (!file || sm_replay_create(&replay, file, 4) != SM_OK) {
        if (file)
            fclose(file);
        return NULL;
    }
    return replay;
}

static void *body_of(struct sm_replay_command *command, uint32_t type)
{
    assert_non_null(command);
    assert_int_equal(command->ext.cmd.type, type);
    QXLReleaseInfo *info = (QXLReleaseInfo *)(uintptr_t)command->ext.cmd.data;
    assert_true(info->id == (uintptr_t)command);
    return info;
}

static void replay_rebuilds_commands(void **state)
{
    (void)state;
    static struct text text;
    text.size = 0;
    ADD(&text, HEAD);
    ADD(&text, PRIMARY);
    ADD(&text, FILL);
    ADD(&text, CURSOR);
    struct device device = {0};
    struct sm_replay *replay = play(&text, text.size);
    assert_non_null(replay);

    struct sm_replay_command *command = sm_replay_next(replay, &DEVICE, &device);
    assert_int_equal(device.created, 1);
    assert_int_equal(device.height, 1);
    assert_int_equal(device.first, '1');
    const QXLDrawable *drawable = body_of(command, QXL_CMD_DRAW);
    assert_int_equal(drawable->bbox.top, 1);
    assert_int_equal(drawable->bbox.left, 2);
    assert_int_equal(drawable->bbox.right, 4);
    assert_int_equal(drawable->surfaces_dest[0], -1);
    const QXLClipRects *clip = (const QXLClipRects *)(uintptr_t)drawable->clip.data;
    assert_int_equal(clip->num_rects, 1);
    assert_int_equal(clip->chunk.data_size, 16);
    assert_int_equal(clip->chunk.data[4], 2);
    assert_int_equal(drawable->u.fill.brush.u.color, 0xffffffff);
    assert_int_equal(drawable->u.fill.mask.pos.y, 6);
    sm_replay_free_command(replay, command);

    command = sm_replay_next(replay, &DEVICE, &device);
    const QXLCursorCmd *cursor = body_of(command, QXL_CMD_CURSOR);
    const QXLCursor *shape = (const QXLCursor *)(uintptr_t)cursor->u.set.shape;
    assert_true(shape->header.unique == UINT64_MAX);
    assert_int_equal(shape->chunk.data_size, 5);
    const QXLDataChunk *next = (const QXLDataChunk *)(uintptr_t)shape->chunk.next_chunk;
    assert_memory_equal(next->data, "fgh", 3);
    assert_true(next->prev_chunk == (uintptr_t)&shape->chunk);
    sm_replay_free_command(replay, command);

    assert_null(sm_replay_next(replay, &DEVICE, &device));
    sm_replay_destroy(replay);
}

static void replay_ends_quietly_wherever_the_file_was_cut(void **state)
{
    (void)state;
    static struct text text;
    text.size = 0;
    ADD(&text, HEAD);
    ADD(&text, PRIMARY);
    ADD(&text, FILL);
    ADD(&text, CREATE_7);
    ADD(&text, CURSOR);
    ADD(&text, DESTROY_7);
    for (size_t size = sizeof(HEAD) - 1; size < text.size; size++) {
        struct device device = {0};
        struct sm_replay *replay = play(&text, size);
        assert_non_null(replay);
        struct sm_replay_command *command;
        unsigned count = 0;
        while ((command = sm_replay_next(replay, &DEVICE, &device))) {
            sm_replay_free_command(replay, command);
            count++;
        }
        assert_in_range(count, 0, 4);
        sm_replay_destroy(replay);
    }
}

static void replay_refuses_what_is_no_recording(void **state)
{
    (void)state;
    static const char *const WRONG[] = {"", "SPICE_REPLAY", "SPICE_REPLAY 2\n", "REPLAY 1\n"};
    for (size_t i = 0; i < 4; i++) {
        static struct text text;
        text.size = 0;
        add(&text, WRONG[i], strlen(WRONG[i]));
        ADD(&text, "\n");
        assert_null(play(&text, text.size));
    }
}

static void *give_back(void *argument)
{
    void **pair = argument;
    sm_replay_free_command(pair[0], pair[1]);
    return NULL;
}

static void replay_reuses_a_surface_id_when_its_destroy_is_given_back(void **state)
{
    (void)state;
    static struct text text;
    text.size = 0;
    ADD(&text, HEAD);
    for (unsigned i = 0; i < 5; i++) { /* three ids there are, so the fourth has to wait */
        ADD(&text, CREATE_7);
        ADD(&text, DESTROY_7);
    }
    struct device device = {0};
    struct sm_replay *replay = play(&text, text.size);
    struct sm_replay_command *creates[5], *destroys[5];
    for (unsigned i = 0; i < 3; i++) {
        creates[i] = sm_replay_next(replay, &DEVICE, &device);
        destroys[i] = sm_replay_next(replay, &DEVICE, &device);
        const QXLSurfaceCmd *create = body_of(creates[i], QXL_CMD_SURFACE);
        const QXLSurfaceCmd *destroy = body_of(destroys[i], QXL_CMD_SURFACE);
        assert_int_equal(create->surface_id, i + 1);
        assert_int_equal(destroy->surface_id, i + 1);
    }
    void *pair[2] = {replay, destroys[1]};
    pthread_t thread;
    assert_int_equal(pthread_create(&thread, NULL, give_back, pair), 0);
    creates[3] = sm_replay_next(replay, &DEVICE, &device); /* waits for the thread */
    pthread_join(thread, NULL);
    const QXLSurfaceCmd *fourth = body_of(creates[3], QXL_CMD_SURFACE);
    assert_int_equal(fourth->surface_id, 2);
    for (unsigned i = 0; i < 4; i++)
        sm_replay_free_command(replay, creates[i]);
    sm_replay_free_command(replay, destroys[0]);
    sm_replay_free_command(replay, destroys[2]);
    sm_replay_destroy(replay);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(replay_rebuilds_commands),
        cmocka_unit_test(replay_ends_quietly_wherever_the_file_was_cut),
        cmocka_unit_test(replay_refuses_what_is_no_recording),
        cmocka_unit_test(replay_reuses_a_surface_id_when_its_destroy_is_given_back),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
