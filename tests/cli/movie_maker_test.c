/* SPDX-License-Identifier: MIT */
/* What the process that makes films understands, and what it does not go along with. */
#include "tests/support/check.h"

#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "cli/movie_maker.h"
#include "cli/movie_wire.h"

enum { WIDTH = 20, HEIGHT = 37, PIXEL_BYTES = 4, STREAM_MAX = 16384 };

/* A module that keeps what it is given. */
struct film {
    char name[32];
    uint8_t picture[HEIGHT * WIDTH * PIXEL_BYTES];
    size_t draws, shows, samples, ends, alive;
    uint64_t at_us;
};

static struct film *film; /* of the test that runs */

static const char *create(void **out, const struct sm_movie_setup *setup)
{
    (void)snprintf(film->name, sizeof(film->name), "%s %s %u", setup->path, setup->name,
                   setup->fps);
    film->alive++;
    *out = film;
    return NULL;
}

static const char *draw(void *opaque, const uint8_t *pixels, size_t stride_bytes, uint32_t width,
                        uint32_t height, struct sm_rect area)
{
    struct film *f = opaque;
    size_t row_bytes = (size_t)(area.right - area.left) * PIXEL_BYTES;
    assert_true(width == WIDTH && height == HEIGHT);
    assert_int_equal(stride_bytes, row_bytes);
    for (int32_t y = area.top; y < area.bottom; y++, pixels += stride_bytes)
        memcpy(f->picture + ((size_t)y * WIDTH + (size_t)area.left) * PIXEL_BYTES, pixels,
               row_bytes);
    f->draws++;
    return NULL;
}

static const char *show(void *opaque, uint64_t at_us)
{
    struct film *f = opaque;
    f->shows++;
    f->at_us = at_us;
    return NULL;
}

static const char *sound(void *opaque, const int16_t *samples, size_t count, uint64_t at_us)
{
    struct film *f = opaque;
    assert_true(count == 0 || samples[0] == 7);
    f->samples += count;
    f->at_us = at_us;
    return NULL;
}

static const char *finish(void *opaque, uint64_t at_us)
{
    struct film *f = opaque;
    (void)at_us;
    f->ends++;
    return "the disk is full";
}

static const char *codec(const void *opaque)
{
    (void)opaque;
    return "h264";
}

static void destroy(void *opaque)
{
    struct film *f = opaque;
    f->alive--;
}

static const struct sm_movie_module MODULE = {
    .version = SM_MOVIE_MODULE_VERSION,
    .create = create,
    .draw = draw,
    .show = show,
    .sound = sound,
    .finish = finish,
    .codec = codec,
    .destroy = destroy,
};

static void *serve(void *opaque)
{
    int fd = *(int *)opaque;
    cli_movie_maker_serve(fd, &MODULE);
    (void)close(fd);
    return NULL;
}

/* Says `size` bytes, `step` at a time; returns how many answers came, the last one in `answer`. */
static size_t say(struct film *f, const uint8_t *bytes, size_t size, size_t step,
                  struct cli_movie_answer *answer)
{
    int ends[2];
    pthread_t thread;
    film = f;
    assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends), 0);
    assert_int_equal(pthread_create(&thread, NULL, serve, &ends[1]), 0);
    for (size_t at = 0; at < size; at += step) {
        struct iovec part = {(void *)(uintptr_t)(bytes + at), size - at < step ? size - at : step};
        if (!cli_movie_send(ends[0], &part, 1))
            break; /* it has heard enough */
    }
    assert_int_equal(shutdown(ends[0], SHUT_WR), 0);
    size_t count = 0;
    while (cli_movie_receive(ends[0], answer, sizeof(*answer)))
        count++;
    assert_int_equal(pthread_join(thread, NULL), 0);
    (void)close(ends[0]);
    assert_int_equal(f->alive, 0);
    return count;
}

struct stream {
    uint8_t bytes[STREAM_MAX];
    size_t size;
};

static void put(struct stream *s, const void *data, size_t size)
{
    assert_true(size <= sizeof(s->bytes) - s->size);
    memcpy(s->bytes + s->size, data, size);
    s->size += size;
}

static void put_begin(struct stream *s)
{
    struct cli_movie_head head = {.verb = CLI_MOVIE_BEGIN,
                                  .width = WIDTH,
                                  .height = HEIGHT,
                                  .size = {sizeof("/dev/null"), sizeof("a.mkv")},
                                  .fps = 25};
    put(s, &head, sizeof(head));
    put(s, "/dev/null", sizeof("/dev/null"));
    put(s, "a.mkv", sizeof("a.mkv"));
}

static void put_picture(struct stream *s, struct sm_rect area)
{
    struct cli_movie_head head = {
        .verb = CLI_MOVIE_DRAW, .width = WIDTH, .height = HEIGHT, .area = area};
    put(s, &head, sizeof(head));
    for (int32_t y = area.top; y < area.bottom; y++)
        for (int32_t x = area.left; x < area.right; x++)
            put(s, (uint8_t[]){(uint8_t)x, (uint8_t)y, 1, 0}, PIXEL_BYTES);
}

static void put_verb(struct stream *s, enum cli_movie_verb verb, uint64_t at_us)
{
    struct cli_movie_head head = {.verb = verb, .at_us = at_us};
    put(s, &head, sizeof(head));
}

/* The whole of a film: four answers, the last of them a failure. */
static void put_film(struct stream *s)
{
    static const int16_t samples[] = {7, 7, 7, 7, 7, 7};
    struct cli_movie_head heard = {.verb = CLI_MOVIE_SOUND, .at_us = 5, .size = {sizeof(samples)}};
    put_begin(s);
    put_picture(s, (struct sm_rect){0, 0, WIDTH, HEIGHT});
    put_picture(s, (struct sm_rect){2, 4, 6, 6});
    put_verb(s, CLI_MOVIE_SHOW, 3);
    put(s, &heard, sizeof(heard));
    put(s, samples, sizeof(samples));
    put_verb(s, CLI_MOVIE_FINISH, 6);
}

static void check_film(const struct film *f)
{
    assert_string_equal(f->name, "/dev/null a.mkv 25");
    assert_int_equal(f->draws, 3 + 1); /* strips of 16 rows */
    assert_int_equal(f->shows, 1);
    assert_int_equal(f->samples, 3);
    assert_int_equal(f->ends, 1);
    assert_int_equal(f->at_us, 5);
    for (size_t i = 0; i < (size_t)WIDTH * HEIGHT; i++) {
        assert_int_equal(f->picture[i * PIXEL_BYTES], i % WIDTH);
        assert_int_equal(f->picture[i * PIXEL_BYTES + 1], i / WIDTH);
    }
}

static void a_film_is_made_however_its_bytes_come(void **state)
{
    (void)state;
    static const size_t steps[] = {1, 7, STREAM_MAX};
    struct stream s = {.size = 0};
    put_film(&s);
    for (size_t i = 0; i < sizeof(steps) / sizeof(steps[0]); i++) {
        struct film f = {.alive = 0};
        struct cli_movie_answer answer;
        assert_int_equal(say(&f, s.bytes, s.size, steps[i], &answer), 4);
        assert_false(answer.is_good);
        assert_string_equal(answer.text, "the disk is full");
        check_film(&f);
    }
}

static void a_film_that_is_cut_off_is_let_go(void **state)
{
    (void)state;
    struct stream s = {.size = 0};
    put_film(&s);
    size_t most = 0;
    for (size_t cut = 0; cut < s.size; cut++) {
        struct film f = {.alive = 0};
        struct cli_movie_answer answer;
        size_t count = say(&f, s.bytes, cut, STREAM_MAX, &answer);
        assert_true(count >= most && count <= 3);
        assert_true(count == 0 || answer.is_good);
        most = count;
    }
    assert_int_equal(most, 3);
}

/* Nothing that follows `s` is listened to. */
static void check_refused(struct stream *s, size_t answers)
{
    struct film f = {.alive = 0};
    struct cli_movie_answer answer;
    put_verb(s, CLI_MOVIE_SHOW, 1);
    assert_int_equal(say(&f, s->bytes, s->size, STREAM_MAX, &answer), answers);
    assert_int_equal(f.draws + f.shows, 0);
}

static void areas_beyond_the_picture_are_refused(void **state)
{
    (void)state;
    static const struct sm_rect areas[] = {
        {-2, 0, 4, 4},        {0, -2, 4, 4},
        {0, 0, WIDTH + 2, 4}, {0, 0, 4, HEIGHT + 1},
        {4, 0, 4, 4},         {4, 0, 2, 4},
        {0, 4, 4, 4},         {0, 6, 4, 4},
        {0, 0, INT32_MAX, 4}, {INT32_MIN, 0, INT32_MAX, 4},
        {0, INT32_MIN, 4, 4},
    };
    for (size_t i = 0; i < sizeof(areas) / sizeof(areas[0]); i++) {
        struct stream s = {.size = 0};
        struct cli_movie_head head = {
            .verb = CLI_MOVIE_DRAW, .width = WIDTH, .height = HEIGHT, .area = areas[i]};
        put_begin(&s);
        put(&s, &head, sizeof(head));
        check_refused(&s, 1);
    }
    struct stream s = {.size = 0};
    struct cli_movie_head head = {.verb = CLI_MOVIE_DRAW,
                                  .width = UINT32_MAX,
                                  .height = UINT32_MAX,
                                  .area = {0, 0, INT32_MAX, 2}};
    put_begin(&s);
    put(&s, &head, sizeof(head));
    check_refused(&s, 1);
}

static void sizes_beyond_reason_are_refused(void **state)
{
    (void)state;
    static const uint32_t sizes[][2] = {{UINT32_MAX, 2}, {2, UINT32_MAX}, {0, 4}, {4, 0}};
    for (size_t i = 0; i < sizeof(sizes) / sizeof(sizes[0]); i++) {
        struct stream s = {.size = 0};
        struct cli_movie_head head = {.verb = CLI_MOVIE_BEGIN, .size = {sizes[i][0], sizes[i][1]}};
        put(&s, &head, sizeof(head));
        put(&s, "abc", sizeof("abc"));
        check_refused(&s, 0);
    }
    struct stream s = {.size = 0};
    struct cli_movie_head head = {.verb = CLI_MOVIE_SOUND, .size = {UINT32_MAX}};
    put_begin(&s);
    put(&s, &head, sizeof(head));
    check_refused(&s, 1);
}

static void verbs_out_of_order_are_refused(void **state)
{
    (void)state;
    for (uint32_t verb = 0; verb < 8; verb++) {
        struct stream s = {.size = 0};
        if (verb == CLI_MOVIE_BEGIN)
            continue;
        put_verb(&s, (enum cli_movie_verb)verb, 0);
        check_refused(&s, 0); /* before the film has begun */
    }
    struct stream twice = {.size = 0}, unknown = {.size = 0};
    put_begin(&twice);
    put_begin(&twice);
    check_refused(&twice, 1);
    put_begin(&unknown);
    put_verb(&unknown, (enum cli_movie_verb)77, 0);
    check_refused(&unknown, 1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_film_is_made_however_its_bytes_come),
        cmocka_unit_test(a_film_that_is_cut_off_is_let_go),
        cmocka_unit_test(areas_beyond_the_picture_are_refused),
        cmocka_unit_test(sizes_beyond_reason_are_refused),
        cmocka_unit_test(verbs_out_of_order_are_refused),
    };
    return cmocka_run_group_tests_name("cli movie maker", tests, NULL, NULL);
}
