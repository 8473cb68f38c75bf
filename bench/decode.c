/* SPDX-License-Identifier: MIT */
/*
 * bench-decode [--size WxH] [--rounds N] [--threads LIST] [--codec NAME] [--picture NAME]
 *
 * How long a whole screen takes from the line to the pixels: pictures of the corpus, encoded
 * beforehand with each codec, are sent over a local TCP connection to a session of libsumac-client
 * that decodes on its display's thread alone (0 threads) or ahead of the images' turns on others. A
 * screen comes in bands, as our server cuts it, or as one image, as the reference sends it. Every
 * line: median wall time from the first byte written to the last pixel there, median processor time
 * of the client's threads, megabytes (10^6) of raw pixels by either. What is shown is compared with
 * the picture, or for JPEG with what the display's thread alone made of it.
 */
#include <getopt.h>
#include <pthread.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <time.h>

#include "tests/support/check.h"

#include "bench/codec/corpus.h"
#include "core/base/cpu.h"
#include "core/codec/bands.h"
#include "core/codec/encoder.h"
#include "core/codec/glz/dictionary.h"
#include "core/wire/frame.h"
#include "io/clock.h"
#include "media/libs.h"
#include "sumac/client.h"
#include "tests/client/fake_server.h"

enum { ROUNDS_MAX = 99, PATIENCE_MS = 60000, GLZ_PX = 1 << 24, MARK_SIDE = 1 };

static const enum sm_image_codec CODECS[] = {
    SM_CODEC_QUIC, SM_CODEC_JPEG, SM_CODEC_LZ_RGB, SM_CODEC_GLZ, SM_CODEC_LZ4,
};

static struct {
    uint32_t width, height;
    unsigned rounds;
    unsigned threads[8];
    size_t thread_count;
    const char *codec, *picture;
} options = {.width = 3840, .height = 2160, .rounds = 11, .threads = {0, 2}, .thread_count = 2};

/* What the connection's thread and the main one tell each other. */
static struct {
    pthread_mutex_t lock;
    pthread_cond_t changed;
    struct sm_bytes screens[ROUNDS_MAX + 1]; /* borrowed: what to send in each round */
    unsigned asked, sent;                    /* rounds */
    uint64_t started_us, sender_us;          /* of the last round; the latter is processor time */
    bool is_over;
} table = {.lock = PTHREAD_MUTEX_INITIALIZER, .changed = PTHREAD_COND_INITIALIZER};

static void need(bool holds, const char *what)
{
    if (holds)
        return;
    fprintf(stderr, "bench-decode: %s\n", what);
    exit(1);
}

/* ---- What is sent ---- */

static void put_message(struct sm_writer *w, const struct sm_display_msg *msg)
{
    struct sm_writer body;
    sm_writer_init(&body, 1 << 28);
    need(sm_display_msg_build(&body, msg) == SM_OK, "a message cannot be built");
    sm_frame_build(w, &(struct sm_frame){.type = msg->type, .size = (uint32_t)body.size}, true);
    sm_put_bytes(w, sm_writer_bytes(&body));
    sm_writer_finish(&body);
}

static struct sm_rect rect(uint32_t top, uint32_t width, uint32_t height)
{
    return (struct sm_rect){0, (int32_t)top, (int32_t)width, (int32_t)(top + height)};
}

static void put_band(struct sm_writer *w, struct sm_encoder *encoder, enum sm_image_codec codec,
                     const uint32_t *pixels, struct sm_band band)
{
    const struct sm_pixels_in whole = {
        .format = SM_PIXEL_XRGB32,
        .width = options.width,
        .height = options.height,
        .is_top_down = true,
        .stride_bytes = options.width * 4,
        .data = {(const uint8_t *)pixels, (size_t)options.width * options.height * 4},
    };
    const struct sm_pixels_in in = sm_band_source(&whole, band);
    struct sm_writer data;
    struct sm_encoded info;
    sm_writer_init(&data, (size_t)sm_encode_bound(codec, &in) + (1 << 20));
    need(sm_image_encode(encoder, &codec, &in, &info, &data) == SM_OK, "a picture is not encoded");
    struct sm_image image = {.id = 1,
                             .type = (uint8_t)codec,
                             .width = options.width,
                             .height = band.height,
                             .data = sm_writer_bytes(&data)};
    struct sm_display_msg msg = {.type = SM_MSG_DISPLAY_DRAW_COPY};
    msg.draw_copy.base.box = rect(band.top, options.width, band.height);
    msg.draw_copy.src_bitmap = &image;
    msg.draw_copy.src_area = rect(0, options.width, band.height);
    msg.draw_copy.ropd = SM_ROPD_OP_PUT;
    put_message(w, &msg);
    sm_writer_finish(&data);
}

/* The last pixel says which round it was. */
static void send_mark(struct fake_peer *peer, unsigned round)
{
    struct sm_display_msg msg = {.type = SM_MSG_DISPLAY_DRAW_FILL};
    msg.draw_fill.base.box = (struct sm_rect){0, 0, MARK_SIDE, MARK_SIDE};
    msg.draw_fill.brush.type = SM_BRUSH_TYPE_SOLID;
    msg.draw_fill.brush.color = round;
    msg.draw_fill.ropd = SM_ROPD_OP_PUT;
    fake_send_display(peer, &msg);
}

/* One screen, whose bytes the caller frees with its writer. */
static void put_screen(struct sm_writer *w, struct sm_encoder *encoder, enum sm_image_codec codec,
                       const uint32_t *pixels, bool is_banded)
{
    struct sm_band bands[SM_BANDS_MAX] = {{.top = 0, .height = options.height}};
    uint32_t count =
        is_banded ? sm_bands_plan(bands, options.width, options.height, SM_BANDS_MAX) : 1;
    sm_writer_init(w, SIZE_MAX / 4);
    for (uint32_t i = 0; i < count; i++)
        put_band(w, encoder, codec, pixels, bands[i]);
    need(!w->failed, "out of memory");
}

/* ---- The server ---- */

static void send_all(int fd, struct sm_bytes bytes)
{
    while (bytes.size) {
        ssize_t put = send(fd, bytes.data, bytes.size, MSG_NOSIGNAL);
        if (put <= 0)
            return; /* the client has gone; it says why */
        bytes.data += put;
        bytes.size -= (size_t)put;
    }
}

static uint64_t processor_us(int who)
{
    struct rusage usage;
    need(getrusage(who, &usage) == 0, "no figures of the processor");
    return (uint64_t)(usage.ru_utime.tv_sec + usage.ru_stime.tv_sec) * 1000000 +
           (uint64_t)(usage.ru_utime.tv_usec + usage.ru_stime.tv_usec);
}

static void serve(struct fake_peer *peer)
{
    struct sm_display_msg msg = {.type = SM_MSG_DISPLAY_SURFACE_CREATE};
    msg.surface_create.width = options.width;
    msg.surface_create.height = options.height;
    msg.surface_create.format = SM_SURFACE_FORMAT_32_XRGB;
    msg.surface_create.flags = 1;
    fake_send_display(peer, &msg);
    fake_send_display(peer, &(struct sm_display_msg){.type = SM_MSG_DISPLAY_MARK});
    pthread_mutex_lock(&table.lock);
    for (;;) {
        while (table.asked == table.sent && !table.is_over)
            pthread_cond_wait(&table.changed, &table.lock);
        if (table.is_over)
            break;
        struct sm_bytes screen = table.screens[table.sent];
        uint64_t before = processor_us(RUSAGE_THREAD);
        table.started_us = sm_now_us();
        pthread_mutex_unlock(&table.lock);
        send_all(peer->fd, screen);
        send_mark(peer, table.sent + 1);
        pthread_mutex_lock(&table.lock);
        table.sender_us = processor_us(RUSAGE_THREAD) - before;
        table.sent++;
        pthread_cond_broadcast(&table.changed);
    }
    pthread_mutex_unlock(&table.lock);
}

/* ---- The client ---- */

static bool shows(struct sm_session *session, unsigned round, uint64_t *digest)
{
    struct sm_display_view view;
    if (sm_display_lock(session, 0, &view) != SM_OK)
        return false;
    uint32_t mark;
    memcpy(&mark, view.pixels, sizeof(mark));
    bool is_there = (mark & 0xffffff) == round;
    for (uint32_t y = MARK_SIDE; digest && is_there && y < view.height; y++) {
        const uint8_t *row = view.pixels + y * view.stride_bytes;
        for (uint32_t x = 0; x < view.width; x++) {
            uint32_t pixel;
            memcpy(&pixel, row + 4 * (size_t)x, sizeof(pixel));
            *digest = (*digest ^ (pixel & 0xffffff)) * 0x9e3779b97f4a7c15u;
        }
    }
    sm_display_unlock(session, 0);
    return is_there;
}

/* Wall and processor time of one round. */
static void run_round(struct sm_session *session, unsigned round, uint64_t *wall_us,
                      uint64_t *client_us)
{
    uint64_t before = processor_us(RUSAGE_SELF);
    pthread_mutex_lock(&table.lock);
    table.asked++;
    pthread_cond_broadcast(&table.changed);
    pthread_mutex_unlock(&table.lock);
    struct sm_event event;
    do
        need(sm_session_wait_event(session, PATIENCE_MS, &event) && event.kind != SM_EVENT_CLOSED,
             "the picture does not come");
    while (event.kind != SM_EVENT_DISPLAY_DAMAGE || !shows(session, round, NULL));
    uint64_t now = sm_now_us();
    pthread_mutex_lock(&table.lock);
    while (table.sent != table.asked)
        pthread_cond_wait(&table.changed, &table.lock);
    *wall_us = now - table.started_us;
    *client_us = processor_us(RUSAGE_SELF) - before - table.sender_us;
    pthread_mutex_unlock(&table.lock);
}

static int by_size(const void *a, const void *b)
{
    uint64_t x = *(const uint64_t *)a, y = *(const uint64_t *)b;
    return (x > y) - (x < y);
}

static uint64_t median(uint64_t *values, unsigned count)
{
    qsort(values, count, sizeof(*values), by_size);
    return values[count / 2];
}

/* The digest of what is shown in the end. */
static uint64_t run_session(const char *name, unsigned threads)
{
    static const struct fake_script script = {.channels = {{SM_CHANNEL_DISPLAY, 0}},
                                              .channel_count = 1,
                                              .is_tcp = true,
                                              .display = serve};
    struct fake_server *server = fake_server_start(&script);
    char uri[64];
    (void)snprintf(uri, sizeof(uri), "spice://127.0.0.1:%u", fake_server_port(server));
    struct sm_session *session;
    struct sm_error error;
    struct sm_address *address;
    need(sm_address_parse(&address, uri, &error) == SM_OK &&
             sm_session_create(&session, address) == SM_OK &&
             sm_session_set_decoding_threads(session, threads) == SM_OK &&
             sm_session_set_cache_sizes(session, 80u << 20, GLZ_PX * 4) == SM_OK &&
             sm_session_connect(session, &error) == SM_OK,
         "no session");
    sm_address_destroy(address);
    table.asked = table.sent = 0;
    table.is_over = false;
    uint64_t wall[ROUNDS_MAX + 1], client[ROUNDS_MAX + 1], digest = 0;
    for (unsigned i = 0; i <= options.rounds; i++) /* the first one warms up */
        run_round(session, i + 1, &wall[i], &client[i]);
    need(shows(session, options.rounds + 1, &digest), "the picture has gone");
    uint64_t raw = (uint64_t)options.width * options.height * 4;
    uint64_t wall_us = median(wall + 1, options.rounds),
             cpu_us = median(client + 1, options.rounds);
    printf("%-26s %u %8.1f %8.1f %8.0f %8.0f\n", name, threads, (double)wall_us / 1000,
           (double)cpu_us / 1000, (double)raw / (double)wall_us, (double)raw / (double)cpu_us);
    fflush(stdout);
    pthread_mutex_lock(&table.lock);
    table.is_over = true;
    pthread_cond_broadcast(&table.changed);
    pthread_mutex_unlock(&table.lock);
    sm_session_destroy(session);
    fake_server_stop(server);
    return digest;
}

static uint64_t digest_of(const uint32_t *pixels)
{
    uint64_t digest = 0;
    for (size_t i = (size_t)options.width * MARK_SIDE; i < (size_t)options.width * options.height;
         i++)
        digest = (digest ^ (pixels[i] & 0xffffff)) * 0x9e3779b97f4a7c15u;
    return digest;
}

/* Other colours each time: nothing of an image is found in one before. */
static void recolour(uint32_t *pixels, const uint32_t *from, unsigned round)
{
    for (size_t i = 0; i < (size_t)options.width * options.height; i++)
        pixels[i] = from[i] ^ (round * 0x010203 & 0xffffff);
}

/* GLZ images are numbered, so each round needs its own; the others send one again and again. */
static void run_case(enum sm_image_codec codec, enum corpus_kind kind, const uint32_t *picture,
                     bool is_banded)
{
    char name[64];
    (void)snprintf(name, sizeof(name), "%s %s %s", sm_codec_name(codec), corpus_name(kind),
                   is_banded ? "bands" : "whole");
    struct sm_glz_dictionary *dictionary = NULL;
    const unsigned kinds = codec == SM_CODEC_GLZ ? options.rounds + 1 : 1;
    if (kinds > 1)
        need(sm_glz_dictionary_create(&dictionary, GLZ_PX, 0, NULL) == SM_OK, "no dictionary");
    const struct sm_encoder_config config = {
        .libs = &sm_media_codec_libs, .dictionary = dictionary, .cpu_flags = sm_cpu_detect()};
    struct sm_encoder *encoder;
    need(sm_encoder_create(&encoder, &config) == SM_OK, "no encoder");
    struct sm_writer screens[ROUNDS_MAX + 1];
    uint32_t *pixels = calloc((size_t)options.width * options.height, sizeof(*pixels));
    need(pixels != NULL, "out of memory");
    for (unsigned i = 0; i < kinds; i++) {
        recolour(pixels, picture, i);
        put_screen(&screens[i], encoder, codec, pixels, is_banded);
    }
    for (unsigned i = 0; i <= options.rounds; i++)
        table.screens[i] = sm_writer_bytes(&screens[i < kinds ? i : 0]);
    uint64_t first = 0;
    for (size_t i = 0; i < options.thread_count; i++) {
        uint64_t digest = run_session(name, options.threads[i]);
        first = i == 0 ? digest : first;
        need(digest == first && (codec == SM_CODEC_JPEG || digest == digest_of(pixels)),
             "another picture than was sent");
    }
    for (unsigned i = 0; i < kinds; i++)
        sm_writer_finish(&screens[i]);
    free(pixels);
    sm_encoder_destroy(encoder);
    sm_glz_dictionary_destroy(dictionary);
}

static void parse_threads(const char *list)
{
    options.thread_count = 0;
    for (const char *at = list; *at && options.thread_count < 8; at += strcspn(at, ",") + 1) {
        options.threads[options.thread_count++] = (unsigned)strtoul(at, NULL, 10);
        if (!strchr(at, ','))
            break;
    }
}

static void parse(int argc, char **argv)
{
    static const struct option names[] = {
        {"size", required_argument, NULL, 's'},    {"rounds", required_argument, NULL, 'r'},
        {"threads", required_argument, NULL, 't'}, {"codec", required_argument, NULL, 'c'},
        {"picture", required_argument, NULL, 'p'}, {NULL, 0, NULL, 0},
    };
    for (int key; (key = getopt_long(argc, argv, "", names, NULL)) != -1;) {
        if (key == 's')
            need(sscanf(optarg, "%ux%u", &options.width, &options.height) == 2, "--size WxH");
        else if (key == 'r')
            options.rounds = (unsigned)strtoul(optarg, NULL, 10);
        else if (key == 't')
            parse_threads(optarg);
        else if (key == 'c')
            options.codec = optarg;
        else if (key == 'p')
            options.picture = optarg;
        else
            exit(2);
    }
    need(options.rounds > 0 && options.rounds <= ROUNDS_MAX, "--rounds 1 to 99");
}

int main(int argc, char **argv)
{
    parse(argc, argv);
    uint32_t *pixels = calloc((size_t)options.width * options.height, sizeof(*pixels));
    need(pixels != NULL, "out of memory");
    printf("%-26s %s %8s %8s %8s %8s\n", "codec, picture, form", "t", "ms", "cpu ms", "MB/s",
           "MB/cpu s");
    for (int kind = 0; kind < CORPUS_COUNT; kind++) {
        const char *picture = corpus_name((enum corpus_kind)kind);
        if (options.picture ? strcmp(picture, options.picture) != 0
                            : kind != CORPUS_TEXT && kind != CORPUS_PHOTO)
            continue;
        corpus_draw((enum corpus_kind)kind, pixels, options.width, options.height);
        for (size_t i = 0; i < sizeof(CODECS) / sizeof(CODECS[0]); i++) {
            if (options.codec && strcmp(sm_codec_name(CODECS[i]), options.codec) != 0)
                continue;
            run_case(CODECS[i], (enum corpus_kind)kind, pixels, true);
            run_case(CODECS[i], (enum corpus_kind)kind, pixels, false);
        }
    }
    free(pixels);
    return 0;
}
