/* SPDX-License-Identifier: MIT */
#include "tests/support/check.h"

#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <spice/enums.h>

#include "server/qxl/memslots.h"
#include "server/replay/record_file.h"
#include "server/replay/recorder.h"
#include "server/replay/replay.h"
#include "tests/server/support/guest.h"
#include "tests/server/support/lines.h"

/* What all recordings hold that a driver can say, as a recorder writes it; "event" lines aside. */
#define NO_MASK "flags 0\npoint 0 0\nimage 0\n"
#define FLAT                                                                                       \
    "image 1\ndescriptor.id 18446744073709551615\ndescriptor.type 0\ndescriptor.flags 1\n"         \
    "descriptor.width 1\ndescriptor.height 2\nbitmap.format 8\nbitmap.flags 5\nbitmap.x 1\n"       \
    "bitmap.y 2\nbitmap.stride 4\nhas_palette 0\nbinary 0 image_data_flat 8:abcdefgh\n"
#define CHUNKED                                                                                    \
    "image 1\ndescriptor.id 7\ndescriptor.type 0\ndescriptor.flags 0\ndescriptor.width 3\n"        \
    "descriptor.height 2\nbitmap.format 5\nbitmap.flags 4\nbitmap.x 3\nbitmap.y 2\n"               \
    "bitmap.stride 4\nhas_palette 1\nqp.num_ents 2\nunique 9223372036854775809\nents -1\n"         \
    "ents 255\ndata_chunks 2 8\nbinary 0 bitmap.data 3:\1\0\1\nbinary 0 bitmap.data 0:\n"          \
    "binary 0 bitmap.data 5:\0\1\n\0\1\n"
#define QUIC                                                                                       \
    "image 1\ndescriptor.id 8\ndescriptor.type 1\ndescriptor.flags 0\ndescriptor.width 3\n"        \
    "descriptor.height 2\nquic.data_size 5\ndata_chunks 0 5\nbinary 0 quic.data 5:QUIC\n\n"
#define SURFACE                                                                                    \
    "image 1\ndescriptor.id 9\ndescriptor.type 104\ndescriptor.flags 0\ndescriptor.width 3\n"      \
    "descriptor.height 2\nsurface_image.surface_id 1\n"
#define SOLID   "type 1\nu.color -16777216\n"
#define PATTERN "type 2\n" FLAT "point -3 4\n"
#define AREA    "rect src_area 0 1 2 3\n"
#define HEAD_OF(type)                                                                              \
    "drawable\nrect bbox 1 2 3 4\ntype 0\neffect 1\nmm_time -5\nself_bitmap 1\n"                   \
    "rect self_bitmap_area 5 6 7 8\nsurface_id 0\n"                                                \
    "surfaces_dest 1\nrect surfaces_rects 0 -463042560 5646941 256\n"                              \
    "surfaces_dest -1\nrect surfaces_rects 0 0 0 0\n"                                              \
    "surfaces_dest -1\nrect surfaces_rects 0 0 0 0\n"                                              \
    "type " #type "\n"
#define CLIPPED                                                                                    \
    "drawable\nrect bbox 1 2 3 4\ntype 1\nnum_rects 2\ndata_chunks 1 32\n"                         \
    "binary 0 clip_rects 16:\1\0\0\0\2\0\0\0\3\0\0\0\4\0\0\0\n"                                    \
    "binary 0 clip_rects 16:\1\0\0\0\2\0\0\0\3\0\0\0\4\0\0\0\n"                                    \
    "effect 1\nmm_time 0\nself_bitmap 0\nrect self_bitmap_area 0 0 0 0\nsurface_id 0\n"            \
    "surfaces_dest -1\nrect surfaces_rects 0 0 0 0\nsurfaces_dest -1\n"                            \
    "rect surfaces_rects 0 0 0 0\nsurfaces_dest -1\nrect surfaces_rects 0 0 0 0\ntype 0\n"
#define TRANSFORM "123456781234567812345678"

struct part {
    unsigned type;
    const char *text;
    size_t size;
};

#define PART(type, text)                                                                           \
    {                                                                                              \
        (type), (text), sizeof(text) - 1                                                           \
    }

static const struct part PARTS[] = {
    PART(5, "surface_cmd\nsurface_id 1\ntype 0\nflags 1\nu.surface_create.format 32\n"
            "u.surface_create.width 1\nu.surface_create.height 2\nu.surface_create.stride -4\n"
            "binary 0 data 8:ABCDEFGH\n"),
    PART(5, "surface_cmd\nsurface_id 2\ntype 0\nflags 0\nu.surface_create.format 8\n"
            "u.surface_create.width 1\nu.surface_create.height 2\nu.surface_create.stride 4\n"),
    PART(1, CLIPPED),
    PART(1, HEAD_OF(1) PATTERN "rop_descriptor 8\nflags 1\npoint 5 6\n" CHUNKED),
    PART(1, HEAD_OF(2) CHUNKED AREA SOLID "rop_descriptor 8\nscale_mode 1\n" NO_MASK),
    PART(1, HEAD_OF(3) QUIC AREA "rop_descriptor 1032\nscale_mode 0\n" NO_MASK),
    PART(1, HEAD_OF(4) "point -1 9\n"),
    PART(1, HEAD_OF(5) SURFACE AREA "rop_descriptor 8\nscale_mode 0\n" NO_MASK),
    PART(1, HEAD_OF(6) NO_MASK),
    PART(1, HEAD_OF(7) NO_MASK),
    PART(1, HEAD_OF(8) "flags 1\npoint 0 0\n" FLAT),
    PART(1, HEAD_OF(9) FLAT AREA "type 0\nrop3 204\nscale_mode 1\n" NO_MASK),
    PART(1, HEAD_OF(10) "data_chunks 0 6\nbinary 0 path 6:points\nattr.flags 8\nattr.style_nseg 2\n"
                        "binary 0 style 8:12345678\n" SOLID "fore_mode 8\nback_mode 1\n"),
    PART(1, HEAD_OF(10) "data_chunks 0 0\nbinary 0 path 0:\nattr.flags 4\n" SOLID
                        "fore_mode 8\nback_mode 1\n"),
    PART(1, HEAD_OF(11) "data_size 3\nlength 1\nflags 4\ndata_chunks 0 3\nbinary 0 string 3:abc\n"
                        "rect back_area 0 0 0 0\n" SOLID "type 0\nfore_mode 8\nback_mode 0\n"),
    PART(1, HEAD_OF(12) FLAT AREA "src_color -1\ntrue_color 16777215\n"),
    PART(1, HEAD_OF(13) "alpha_flags 3\nalpha 200\n" FLAT AREA),
    PART(1, HEAD_OF(14) "flags -2147483648\n" FLAT
                        "src_transform 1\nbinary 0 src_transform 24:" TRANSFORM "\nmask 1\n" SURFACE
                        "mask_transform 0\nsrc_origin -1 2\n"
                        "mask_origin 3 -4\n"),
    PART(1, HEAD_OF(14) "flags 3\nimage 0\nsrc_transform 0\nmask 0\nmask_transform 1\n"
                        "binary 0 mask_transform 24:" TRANSFORM "\nsrc_origin 0 0\n"
                        "mask_origin 0 0\n"),
    PART(2, "update\nrect area 1 2 3 4\nupdate_id -2\nsurface_id 1\n"),
    PART(4, "binary 0 message 5:hello\n"),
    PART(3, "cursor_cmd\ntype 0\npoint16 -4 8\nu.set.visible 1\nheader.unique 5\nheader.type 0\n"
            "header.width 1\nheader.height 2\nheader.hot_spot_x 0\nheader.hot_spot_y 1\n"
            "data_size 8\ndata_chunks 1 8\nbinary 0 cursor 5:abcde\nbinary 0 cursor 3:fgh\n"),
    PART(3, "cursor_cmd\ntype 1\npoint16 1 -2\n"),
    PART(3, "cursor_cmd\ntype 2\n"),
    PART(3, "cursor_cmd\ntype 3\nu.trail.length 4\nu.trail.frequency 5\n"),
    PART(5, "surface_cmd\nsurface_id 2\ntype 1\nflags 0\n"),
};

/* A recording under a name of its own, and what was written there. */
struct tape {
    char path[64];
    struct sm_test_lines lines;
    struct sm_recorder *recorder;
    struct sm_memslots *slots; /* all of our own memory */
};

static const struct sm_qxl_init_info ALL_MEMORY = {
    .group_count = 1, .slot_count = 1, .generation_bits = 1, .slot_bits = 1};

static void open_tape(struct tape *tape, const char *filter)
{
    *tape = (struct tape){.path = "/tmp/sumac-recorder-XXXXXX"};
    int fd = mkstemp(tape->path);
    assert_true(fd >= 0);
    close(fd);
    sm_test_lines_init(&tape->lines);
    sm_check_status(sm_recorder_create(&tape->recorder, tape->path, filter, &tape->lines.log),
                    SM_OK);
    sm_check_status(sm_memslots_create(&tape->slots, &ALL_MEMORY, &tape->lines.log), SM_OK);
    sm_memslots_add(tape->slots, &(struct sm_qxl_memslot){.virt_end = UINTPTR_MAX});
}

/* The file's bytes; the caller frees them. */
static struct sm_bytes close_tape(struct tape *tape)
{
    sm_recorder_destroy(tape->recorder);
    sm_memslots_destroy(tape->slots);
    sm_test_lines_finish(&tape->lines);
    FILE *file = fopen(tape->path, "r");
    assert_non_null(file);
    uint8_t *data = malloc(1 << 20);
    size_t size = fread(data, 1, 1 << 20, file);
    fclose(file);
    unlink(tape->path);
    return (struct sm_bytes){data, size};
}

static size_t add_event(char *at, unsigned count, int what, const struct part *part)
{
    int head = sprintf(at, "event %u %d %u 12345\n", count, what, part->type);
    memcpy(at + head, part->text, part->size);
    return (size_t)head + part->size;
}

static const char FIRST_LINE[] = "SPICE_REPLAY 1\n";

/* A whole recording of PARTS; the caller frees it. */
static struct sm_bytes make_recording(void)
{
    char *text = malloc(1 << 16);
    size_t size = sizeof(FIRST_LINE) - 1;
    memcpy(text, FIRST_LINE, size);
    for (unsigned i = 0; i < sizeof(PARTS) / sizeof(PARTS[0]); i++)
        size += add_event(text + size, i, 0, &PARTS[i]);
    return (struct sm_bytes){(uint8_t *)text, size};
}

/* Replaces the times in event lines, which no two recordings share. */
static struct sm_bytes without_times(struct sm_bytes recording)
{
    uint8_t *out = malloc(recording.size + 1);
    size_t size = 0;
    for (size_t i = 0; i < recording.size;) {
        const uint8_t *line = recording.data + i;
        const uint8_t *end = memchr(line, '\n', recording.size - i);
        size_t length = end ? (size_t)(end - line) + 1 : recording.size - i;
        memcpy(out + size, line, length);
        i += length;
        size += length;
        if (length > 6 && memcmp(line, "event ", 6) == 0) {
            while (out[size - 1] != ' ')
                size--;
            out[size++] = '\n';
        }
    }
    return (struct sm_bytes){out, size};
}

static void check_same_recording(struct sm_bytes actual, struct sm_bytes expected)
{
    struct sm_bytes a = without_times(actual), b = without_times(expected);
    sm_check_bytes(a, b);
    free((void *)(uintptr_t)a.data);
    free((void *)(uintptr_t)b.data);
}

static void free_bytes(struct sm_bytes bytes)
{
    free((void *)(uintptr_t)bytes.data);
}

static void ignore(void *context)
{
    (void)context;
}

static void ignore_primary(void *context, const struct sm_replay_primary *primary)
{
    (void)context, (void)primary;
}

static const struct sm_replay_device DEVICE = {ignore_primary, ignore, ignore};

static struct sm_qxl_ring_command ring_command(const struct sm_replay_command *command)
{
    return (struct sm_qxl_ring_command){.address = command->ext.cmd.data,
                                        .type = command->ext.cmd.type};
}

/* Plays a recording and records every command. Gives how many there were. */
static unsigned record_replay(struct tape *tape, struct sm_bytes recording)
{
    FILE *file = fmemopen((void *)(uintptr_t)recording.data, recording.size, "r");
    struct sm_replay *replay;
    sm_check_status(sm_replay_create(&replay, file, 8), SM_OK);
    struct sm_replay_command *command;
    unsigned count = 0;
    while ((command = sm_replay_next(replay, &DEVICE, NULL))) {
        struct sm_qxl_ring_command pulled = ring_command(command);
        sm_recorder_command(tape->recorder, tape->slots, &pulled);
        sm_replay_free_command(replay, command);
        count++;
    }
    sm_replay_destroy(replay);
    return count;
}

static void recording_of_a_replay_is_the_recording(void **state)
{
    (void)state;
    struct tape tape;
    struct sm_bytes recording = make_recording();
    open_tape(&tape, NULL);
    assert_int_equal(record_replay(&tape, recording), sizeof(PARTS) / sizeof(PARTS[0]));
    assert_int_equal(tape.lines.count, 0);
    struct sm_bytes again = close_tape(&tape);
    check_same_recording(again, recording);
    free_bytes(again);
    free_bytes(recording);
}

static void recording_passes_through_a_filter(void **state)
{
    (void)state;
    struct tape tape;
    struct sm_bytes recording = make_recording();
    open_tape(&tape, " tr '\\n'  \"\\n\" ");
    (void)record_replay(&tape, recording);
    struct sm_bytes again = close_tape(&tape); /* waits for the command to finish */
    check_same_recording(again, recording);
    free_bytes(again);
    free_bytes(recording);
}

static void request_lines_are_written_and_a_primary_has_its_pixels(void **state)
{
    (void)state;
    struct tape tape;
    open_tape(&tape, NULL);
    char pixels[] = "ABCDEFGH";
    struct sm_qxl_primary primary = {.width = 1,
                                     .height = 2,
                                     .stride_bytes = -4,
                                     .format = 32,
                                     .mouse_mode = true,
                                     .keep_data = true,
                                     .address = (uintptr_t)pixels};
    sm_recorder_request(tape.recorder, SM_RECORDED_START);
    sm_recorder_request(tape.recorder, SM_RECORDED_NONE);
    sm_recorder_request(tape.recorder, SM_RECORDED_CREATE_PRIMARY); /* told of below */
    sm_recorder_primary(tape.recorder, tape.slots, &primary, false);
    sm_recorder_primary(tape.recorder, tape.slots, &primary, true);
    primary.address = 0; /* no memory there */
    sm_recorder_primary(tape.recorder, tape.slots, &primary, true);
    sm_recorder_request(tape.recorder, SM_RECORDED_STOP);
    struct sm_bytes written = close_tape(&tape);
    static const char EXPECTED[] = "SPICE_REPLAY 1\nevent 0 1 8 1\n"
                                   "event 1 1 20 1\n1 2 -4 32\n0 1 1 0\nbinary 0 data 8:ABCDEFGH\n"
                                   "event 2 1 29 1\n1 2 -4 32\n0 1 1 0\nbinary 0 data 8:ABCDEFGH\n"
                                   "event 3 1 9 1\n";
    check_same_recording(written,
                         (struct sm_bytes){(const uint8_t *)EXPECTED, sizeof(EXPECTED) - 1});
    free_bytes(written);
}

static void first_generation_is_written_as_the_second(void **state)
{
    (void)state;
    struct tape tape;
    open_tape(&tape, NULL);
    QXLCompatDrawable copy = {.effect = 1,
                              .type = QXL_COPY_BITS,
                              .bbox = {.top = 10, .left = 20, .bottom = 30, .right = 50},
                              .mm_time = 7,
                              .u.copy_bits.src_pos = {.x = 1, .y = 2}};
    QXLCompatDrawable fill = {.type = QXL_DRAW_FILL,
                              .bitmap_offset = 3,
                              .bitmap_area = {.bottom = 1, .right = 2},
                              .u.fill.brush = {.type = SPICE_BRUSH_TYPE_SOLID, .u.color = 0x7c01}};
    QXLCompatUpdateCmd update = {.area = {.bottom = 4, .right = 5}, .update_id = 6};
    const struct {
        void *command;
        uint32_t type;
    } COMMANDS[] = {{&copy, SM_QXL_DRAW}, {&fill, SM_QXL_DRAW}, {&update, SM_QXL_UPDATE}};
    for (unsigned i = 0; i < 3; i++)
        sm_recorder_command(
            tape.recorder, tape.slots,
            &(struct sm_qxl_ring_command){.address = (uintptr_t)COMMANDS[i].command,
                                          .type = COMMANDS[i].type,
                                          .flags = SM_QXL_COMPAT | SM_QXL_COMPAT_16BPP});
    struct sm_bytes written = close_tape(&tape);
#define REST                                                                                       \
    "surfaces_dest -1\nrect surfaces_rects 0 0 0 0\nsurfaces_dest -1\nrect surfaces_rects 0 0 0 "  \
    "0\n"
    static const char EXPECTED[] =
        "SPICE_REPLAY 1\nevent 0 0 1 1\ndrawable\nrect bbox 10 20 30 50\ntype 0\neffect 1\n"
        "mm_time 7\nself_bitmap 0\nrect self_bitmap_area 0 0 0 0\nsurface_id 0\n"
        "surfaces_dest 0\nrect surfaces_rects 2 1 22 31\n" REST "type 4\npoint 1 2\n"
        "event 1 0 1 1\ndrawable\nrect bbox 0 0 0 0\ntype 0\neffect 0\nmm_time 0\n"
        "self_bitmap 1\nrect self_bitmap_area 0 0 1 2\nsurface_id 0\n"
        "surfaces_dest -1\nrect surfaces_rects 0 0 0 0\n" REST
        "type 1\ntype 1\nu.color 16711688\nrop_descriptor 0\n" NO_MASK
        "event 2 0 2 1\nupdate\nrect area 0 0 4 5\nupdate_id 6\nsurface_id 0\n";
    check_same_recording(written,
                         (struct sm_bytes){(const uint8_t *)EXPECTED, sizeof(EXPECTED) - 1});
    free_bytes(written);
}

/* ---- guests that lie ---- */

/* A copy of a picture in two chunks, the last thing in guest memory. Gives the drawing's address.
 */
static uint64_t put_copy(struct sm_test_guest *guest, QXLDrawable *drawable, QXLImage *image)
{
    uint64_t address = sm_test_guest_put(guest, drawable, sizeof(*drawable));
    uint64_t picture = sm_test_guest_put(guest, image, sizeof(*image));
    uint64_t second = sm_test_guest_chunk(guest, NULL, 3, 0);
    uint64_t first = sm_test_guest_chunk(guest, NULL, 5, second);
    *image = (QXLImage){
        .descriptor = {.type = SPICE_IMAGE_TYPE_BITMAP, .width = 1, .height = 2},
        .bitmap = {.format = 8, .x = 1, .y = 2, .stride = 4, .data = first},
    };
    *drawable = (QXLDrawable){.type = QXL_DRAW_COPY, .surfaces_dest = {-1, -1, -1}};
    drawable->u.copy.src_bitmap = picture;
    memcpy(sm_test_guest_at(guest, address), drawable, sizeof(*drawable));
    memcpy(sm_test_guest_at(guest, picture), image, sizeof(*image));
    return address;
}

struct liar {
    struct tape tape;
    struct sm_memslots *slots;
    struct sm_test_guest guest;
};

static void start_liar(struct liar *liar)
{
    open_tape(&liar->tape, NULL);
    sm_test_guest_init(&liar->guest, 4096);
    sm_check_status(sm_memslots_create(&liar->slots, &sm_test_guest_info, NULL), SM_OK);
    struct sm_qxl_memslot slot = sm_test_guest_slot(&liar->guest);
    sm_memslots_add(liar->slots, &slot);
}

static void record_lie(struct liar *liar, uint64_t address, uint32_t type)
{
    sm_recorder_command(
        liar->tape.recorder, liar->slots,
        &(struct sm_qxl_ring_command){.address = address, .type = type, .group = TEST_GUEST_GROUP});
}

/* Nothing of what was recorded so far may be in the file, and it goes on. */
static void end_liar(struct liar *liar, unsigned expected_events)
{
    sm_recorder_request(liar->tape.recorder, SM_RECORDED_STOP);
    sm_memslots_destroy(liar->slots);
    sm_test_guest_finish(&liar->guest);
    struct sm_bytes written = close_tape(&liar->tape);
    char last[64];
    int size = snprintf(last, sizeof(last), "event %u 1 9 ", expected_events);
    assert_true(written.size > (size_t)size);
    const uint8_t *at = written.data + written.size - 1;
    while (at > written.data && at[-1] != '\n')
        at--;
    assert_memory_equal(at, last, (size_t)size);
    free_bytes(written);
}

static void damage_size(QXLDrawable *drawable, QXLImage *image)
{
    (void)drawable;
    image->bitmap.y = 3;
}

static void damage_huge(QXLDrawable *drawable, QXLImage *image)
{
    (void)drawable;
    image->bitmap.y = image->bitmap.stride = UINT32_MAX;
}

static void damage_flat(QXLDrawable *drawable, QXLImage *image)
{
    (void)drawable;
    image->bitmap.flags = QXL_BITMAP_DIRECT;
    image->bitmap.data = sm_test_guest_address(4096 - 7);
}

static void damage_palette(QXLDrawable *drawable, QXLImage *image)
{
    (void)drawable;
    image->bitmap.palette = sm_test_guest_address(4096 - 4);
}

static void damage_image_type(QXLDrawable *drawable, QXLImage *image)
{
    (void)drawable;
    image->descriptor.type = 77;
}

static void damage_quic(QXLDrawable *drawable, QXLImage *image)
{
    (void)drawable;
    image->descriptor.type = SPICE_IMAGE_TYPE_QUIC;
    image->quic.data_size = 100;
}

static void damage_address(QXLDrawable *drawable, QXLImage *image)
{
    (void)image;
    drawable->u.copy.src_bitmap = 12345;
}

static void damage_type(QXLDrawable *drawable, QXLImage *image)
{
    (void)image;
    drawable->type = 99;
}

static void damage_clip(QXLDrawable *drawable, QXLImage *image)
{
    (void)image;
    drawable->clip = (QXLClip){.type = SPICE_CLIP_TYPE_RECTS, .data = 1};
}

static void damage_mask(QXLDrawable *drawable, QXLImage *image)
{
    (void)image;
    drawable->u.copy.mask.bitmap = sm_test_guest_address(4096 - 17);
}

static void what_a_guest_got_wrong_is_left_out(void **state)
{
    (void)state;
    static void (*const DAMAGES[])(QXLDrawable *, QXLImage *) = {
        damage_size, damage_huge,    damage_flat, damage_palette, damage_image_type,
        damage_quic, damage_address, damage_type, damage_clip,    damage_mask,
    };
    struct liar liar;
    start_liar(&liar);
    QXLDrawable drawable = {0};
    QXLImage image = {0};
    uint64_t address = put_copy(&liar.guest, &drawable, &image);
    QXLDrawable *shared = sm_test_guest_at(&liar.guest, address);
    void *shared_image = sm_test_guest_at(&liar.guest, drawable.u.copy.src_bitmap);
    for (size_t i = 0; i < sizeof(DAMAGES) / sizeof(DAMAGES[0]); i++) {
        QXLDrawable bad = drawable;
        QXLImage bad_image = image;
        DAMAGES[i](&bad, &bad_image);
        memcpy(shared, &bad, sizeof(bad));
        memcpy(shared_image, &bad_image, sizeof(bad_image));
        record_lie(&liar, address, SM_QXL_DRAW);
    }
    memcpy(shared, &drawable, sizeof(drawable));
    memcpy(shared_image, &image, sizeof(image));
    record_lie(&liar, address, 77);                              /* no such command */
    record_lie(&liar, sm_test_guest_address(4095), SM_QXL_DRAW); /* and no room */
    record_lie(&liar, sm_test_guest_address(4095), SM_QXL_UPDATE);
    record_lie(&liar, sm_test_guest_address(4095), SM_QXL_CURSOR);
    record_lie(&liar, sm_test_guest_address(4095), SM_QXL_SURFACE);
    record_lie(&liar, sm_test_guest_address(4095), SM_QXL_MESSAGE);
    record_lie(&liar, address, SM_QXL_DRAW); /* at last a good one */
    end_liar(&liar, 1);
}

static void chain_in_a_circle_ends(void **state)
{
    (void)state;
    struct liar liar;
    start_liar(&liar);
    QXLDrawable drawable = {0};
    QXLImage image = {0};
    uint64_t address = put_copy(&liar.guest, &drawable, &image);
    QXLDataChunk *first = sm_test_guest_at(&liar.guest, image.bitmap.data);
    first->next_chunk = image.bitmap.data;
    record_lie(&liar, address, SM_QXL_DRAW);
    first->data_size = 0;
    record_lie(&liar, address, SM_QXL_DRAW);
    end_liar(&liar, 0);
}

static void message_without_its_end_is_left_out(void **state)
{
    (void)state;
    struct liar liar;
    start_liar(&liar);
    memset(liar.guest.memory, 'x', liar.guest.size);
    record_lie(&liar, sm_test_guest_address(0), SM_QXL_MESSAGE);
    liar.guest.memory[liar.guest.size - 1] = 0;
    record_lie(&liar, sm_test_guest_address(0), SM_QXL_MESSAGE);
    end_liar(&liar, 1);
}

/* Every byte of all the structures is the first one outside of the slot once. */
static void commands_cut_off_anywhere_are_left_out(void **state)
{
    (void)state;
    struct liar liar;
    start_liar(&liar);
    QXLDrawable drawable = {0};
    QXLImage image = {0};
    uint64_t address = put_copy(&liar.guest, &drawable, &image);
    struct sm_qxl_memslot slot = sm_test_guest_slot(&liar.guest);
    uintptr_t end = slot.virt_start + liar.guest.used;
    for (slot.virt_end = slot.virt_start; slot.virt_end < end; slot.virt_end++) {
        sm_memslots_add(liar.slots, &slot);
        record_lie(&liar, address, SM_QXL_DRAW);
    }
    slot.virt_end = end;
    sm_memslots_add(liar.slots, &slot);
    record_lie(&liar, address, SM_QXL_DRAW);
    end_liar(&liar, 1);
}

/* ---- files that cannot be written ---- */

static void file_that_cannot_be_made_is_one_line(void **state)
{
    (void)state;
    struct sm_test_lines lines;
    sm_test_lines_init(&lines);
    struct sm_recorder *recorder = NULL;
    sm_check_status(sm_recorder_create(&recorder, "/nonexistent/x", NULL, &lines.log), SM_ERR_IO);
    sm_test_lines_check(&lines, "no recording in /nonexistent/x: No such file");
    assert_int_equal(lines.count, 1);
    sm_test_lines_clear(&lines);
    sm_check_status(sm_recorder_create(&recorder, "/dev/null", "'open", &lines.log), SM_ERR_IO);
    sm_test_lines_check(&lines, "quotes do not match");
    sm_test_lines_clear(&lines);
    sm_check_status(sm_recorder_create(&recorder, "/dev/null", "/nonexistent/command", &lines.log),
                    SM_ERR_IO);
    sm_test_lines_check(&lines, "No such file");
    assert_null(recorder);
    sm_test_lines_finish(&lines);
}

static void full_disk_is_one_line_and_nothing_more(void **state)
{
    (void)state;
    struct sm_test_lines lines;
    sm_test_lines_init(&lines);
    struct sm_recorder *recorder;
    sm_check_status(sm_recorder_create(&recorder, "/dev/full", NULL, &lines.log), SM_OK);
    for (unsigned i = 0; i < 10; i++)
        sm_recorder_request(recorder, SM_RECORDED_WAKEUP);
    sm_test_lines_check(&lines, "the recording ends here: No space left");
    assert_int_equal(lines.count, 1);
    sm_recorder_destroy(recorder);
    sm_test_lines_finish(&lines);
}

static void filter_that_ends_early_is_one_line(void **state)
{
    (void)state;
    struct tape tape;
    open_tape(&tape, "true");
    for (unsigned i = 0; i < 1000000 && tape.lines.count == 0; i++)
        sm_recorder_request(tape.recorder, SM_RECORDED_WAKEUP);
    sm_test_lines_check(&tape.lines, "the recording ends here: the filter has ended");
    sm_recorder_request(tape.recorder, SM_RECORDED_WAKEUP);
    assert_int_equal(tape.lines.count, 1);
    free_bytes(close_tape(&tape));
}

static void command_line_is_split_like_a_shell_does(void **state)
{
    (void)state;
    static const struct {
        const char *line;
        const char *words[4];
    } LINES[] = {
        {"", {NULL}},
        {" \t\n ", {NULL}},
        {"zstd -3", {"zstd", "-3"}},
        {"a 'b c'd \"e'f\"", {"a", "b cd", "e'f"}},
        {"a\\ b '\\' \"\\\"\\x\"", {"a b", "\\", "\"\\x"}},
        {"'' x", {"", "x"}},
    };
    for (size_t i = 0; i < sizeof(LINES) / sizeof(LINES[0]); i++) {
        char **words = sm_words_split(LINES[i].line);
        assert_non_null(words);
        for (size_t w = 0; w < 4 && (w == 0 || LINES[i].words[w - 1]); w++) {
            if (LINES[i].words[w])
                assert_string_equal(words[w], LINES[i].words[w]);
            else
                assert_null(words[w]);
        }
        sm_words_free(words);
    }
    assert_null(sm_words_split("a \"b"));
    assert_null(sm_words_split("a 'b"));
}

/* ---- workers side by side ---- */

static void *record_many(void *opaque)
{
    struct tape *tape = opaque;
    QXLCursorCmd hide = {.type = QXL_CURSOR_HIDE};
    for (unsigned i = 0; i < 500; i++) {
        sm_recorder_request(tape->recorder, SM_RECORDED_WAKEUP);
        sm_recorder_command(
            tape->recorder, tape->slots,
            &(struct sm_qxl_ring_command){.address = (uintptr_t)&hide, .type = SM_QXL_CURSOR});
    }
    return NULL;
}

static void events_of_several_threads_stay_whole(void **state)
{
    (void)state;
    struct tape tape;
    open_tape(&tape, NULL);
    pthread_t threads[3];
    for (unsigned i = 0; i < 3; i++)
        assert_int_equal(pthread_create(&threads[i], NULL, record_many, &tape), 0);
    for (unsigned i = 0; i < 3; i++)
        pthread_join(threads[i], NULL);
    struct sm_bytes written = close_tape(&tape);
    FILE *file = fmemopen((void *)(uintptr_t)written.data, written.size, "r");
    struct sm_replay *replay;
    sm_check_status(sm_replay_create(&replay, file, 4), SM_OK);
    unsigned count = 0;
    struct sm_replay_command *command;
    while ((command = sm_replay_next(replay, &DEVICE, NULL))) {
        assert_int_equal(command->ext.cmd.type, QXL_CMD_CURSOR);
        sm_replay_free_command(replay, command);
        count++;
    }
    assert_int_equal(count, 1500);
    sm_replay_destroy(replay);
    free_bytes(written);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(recording_of_a_replay_is_the_recording),
        cmocka_unit_test(recording_passes_through_a_filter),
        cmocka_unit_test(request_lines_are_written_and_a_primary_has_its_pixels),
        cmocka_unit_test(first_generation_is_written_as_the_second),
        cmocka_unit_test(what_a_guest_got_wrong_is_left_out),
        cmocka_unit_test(chain_in_a_circle_ends),
        cmocka_unit_test(message_without_its_end_is_left_out),
        cmocka_unit_test(commands_cut_off_anywhere_are_left_out),
        cmocka_unit_test(file_that_cannot_be_made_is_one_line),
        cmocka_unit_test(full_disk_is_one_line_and_nothing_more),
        cmocka_unit_test(filter_that_ends_early_is_one_line),
        cmocka_unit_test(command_line_is_split_like_a_shell_does),
        cmocka_unit_test(events_of_several_threads_stay_whole),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
