/* SPDX-License-Identifier: MIT */
/*
 * Encodes a film in every codec as a stream would be: one frame in, one frame out, at a given rate.
 * Prints the rate that came of it, milliseconds of processor time a frame, and how like the film it
 * looks (SSIM of luma in windows of 8 by 8, every 4 pixels, as ffmpeg's filter has it).
 *
 * The film: a camera over a photograph, something moving the other way in front of it, grain that
 * is new in every frame, a cut in the middle.
 */
#include <getopt.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "bench/codec/corpus.h"
#include "core/codec/decoder.h"
#include "media/libs.h"
#include "media/video_loader.h"

enum { ROOM = 512, FRONT_SIDE = 480, GRAIN = 5, WINDOW = 8, STEP = 4 };

struct options {
    uint32_t width, height, fps, frames;
    uint64_t bits_per_second;
    unsigned quality, threads;
    const char *dump; /* folder for film.bgr and CODEC.bgr, raw 32-bit rows; NULL: none */
};

struct film {
    uint32_t width, height;
    uint32_t *scenes[2]; /* pictures larger than a frame */
    uint32_t *front;
    uint32_t *frame;
};

/* Processor time of all threads: the machine may have other work. */
static uint64_t cpu_us(void)
{
    struct timespec t;
    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &t);
    return (uint64_t)t.tv_sec * 1000000 + (uint64_t)t.tv_nsec / 1000;
}

static uint32_t *make_picture(uint32_t width, uint32_t height, uint32_t seed)
{
    uint32_t *pixels = malloc((size_t)width * height * 4);
    if (!pixels)
        exit(1);
    corpus_draw(CORPUS_PHOTO, pixels, width, height);
    for (size_t i = 0; seed && i < (size_t)width * height; i++)
        pixels[i] = (pixels[i] >> 8 & 0xffff) | (pixels[i] << 16 & 0xff0000); /* other colours */
    return pixels;
}

static uint32_t with_grain(uint32_t pixel, uint32_t *noise)
{
    *noise ^= *noise << 13;
    *noise ^= *noise >> 17;
    *noise ^= *noise << 5;
    int grain = (int)(*noise % GRAIN) - GRAIN / 2;
    uint32_t out = 0;
    for (unsigned shift = 0; shift < 24; shift += 8) {
        int v = (int)(pixel >> shift & 255) + grain;
        out |= (uint32_t)(v < 0 ? 0 : v > 255 ? 255 : v) << shift;
    }
    return out;
}

static void draw(struct film *film, uint32_t number, uint32_t frames)
{
    const uint32_t *scene = film->scenes[number >= frames / 2];
    uint32_t stride = film->width + ROOM, noise = number * 2654435761u + 1;
    uint32_t x0 = number * 3 % ROOM, y0 = number * 2 % ROOM;
    uint32_t left = (film->width + 4 * ROOM - number * 5) % (film->width - FRONT_SIDE);
    uint32_t top = film->height / 4;
    for (uint32_t y = 0; y < film->height; y++) {
        const uint32_t *from = scene + (size_t)(y + y0) * stride + x0;
        uint32_t *to = film->frame + (size_t)y * film->width;
        for (uint32_t x = 0; x < film->width; x++) {
            bool is_front = x - left < FRONT_SIDE && y - top < FRONT_SIDE;
            uint32_t pixel =
                is_front ? film->front[(size_t)(y - top) * FRONT_SIDE + x - left] : from[x];
            to[x] = with_grain(pixel, &noise);
        }
    }
}

static int luma(const struct sm_pixels *p, uint32_t x, uint32_t y)
{
    const uint8_t *pixel = sm_pixels_row(p, y) + (size_t)4 * x;
    return (pixel[0] * 29 + pixel[1] * 150 + pixel[2] * 77) >> 8;
}

static double ssim_window(const struct sm_pixels *a, const struct sm_pixels *b, uint32_t x0,
                          uint32_t y0)
{
    double n = WINDOW * WINDOW, s1 = 0, s2 = 0, s11 = 0, s22 = 0, s12 = 0;
    for (uint32_t y = y0; y < y0 + WINDOW; y++) {
        for (uint32_t x = x0; x < x0 + WINDOW; x++) {
            double p = luma(a, x, y), q = luma(b, x, y);
            s1 += p, s2 += q, s11 += p * p, s22 += q * q, s12 += p * q;
        }
    }
    double c1 = .01 * .01 * 255 * 255, c2 = .03 * .03 * 255 * 255;
    double m1 = s1 / n, m2 = s2 / n;
    double v1 = s11 / n - m1 * m1, v2 = s22 / n - m2 * m2, v12 = s12 / n - m1 * m2;
    return (2 * m1 * m2 + c1) * (2 * v12 + c2) / ((m1 * m1 + m2 * m2 + c1) * (v1 + v2 + c2));
}

static double ssim(const struct sm_pixels *a, const struct sm_pixels *b)
{
    double sum = 0;
    uint64_t count = 0;
    for (uint32_t y = 0; y + WINDOW <= b->height; y += STEP)
        for (uint32_t x = 0; x + WINDOW <= b->width; x += STEP, count++)
            sum += ssim_window(a, b, x, y);
    return sum / (double)count;
}

/* Decodes with what the codec is decoded with. */
struct screen {
    const struct sm_video_decoder_ops *ops; /* NULL: Motion JPEG */
    void *decoder;
    struct sm_decoder *jpeg;
    struct sm_pixels picture;
};

static bool decode(struct screen *screen, struct sm_bytes data)
{
    if (screen->ops)
        return screen->ops->decode(screen->decoder, data, &screen->picture) == SM_OK;
    return sm_mjpeg_decode(screen->jpeg, data, &screen->picture) == SM_OK;
}

static void dump(FILE *file, const struct sm_pixels *picture)
{
    for (uint32_t y = 0; file && y < picture->height; y++)
        (void)fwrite(sm_pixels_row(picture, y), 4, picture->width, file);
}

static FILE *open_dump(const struct options *o, const char *name)
{
    char path[4096];
    if (!o->dump)
        return NULL;
    snprintf(path, sizeof(path), "%s/%s.bgr", o->dump, name);
    return fopen(path, "wb");
}

static void run(struct film *film, const struct options *o, const char *name,
                const struct sm_video_encoder_ops *ops, struct screen *screen)
{
    struct sm_video_setup setup = {.width = o->width,
                                   .height = o->height,
                                   .fps = o->fps,
                                   .bits_per_second = o->bits_per_second,
                                   .threads = o->threads};
    struct sm_video_order order = {.quality = o->quality, .bits_per_second = o->bits_per_second};
    struct sm_pixels picture = {.data = (uint8_t *)film->frame,
                                .stride_bytes = (ptrdiff_t)o->width * 4,
                                .width = o->width,
                                .height = o->height,
                                .format = SM_PIXEL_XRGB32};
    FILE *shown = open_dump(o, name), *original = open_dump(o, "film");
    void *encoder;
    if (!ops || ops->create(&encoder, &setup) != SM_OK) {
        printf("%-6s not available\n", name);
        return;
    }
    uint64_t bytes = 0, largest = 0, encode_us = 0, decode_us = 0, slowest_us = 0;
    double likeness = 0, worst = 1;
    uint32_t count = 0;
    for (uint32_t i = 0; i < o->frames; i++) {
        struct sm_bytes data;
        draw(film, i, o->frames);
        dump(original, &picture);
        uint64_t began_us = cpu_us();
        if (ops->encode(encoder, &picture, &order, &data) != SM_OK)
            continue;
        uint64_t encoded_us = cpu_us();
        if (!decode(screen, data))
            continue;
        uint64_t decoded_us = cpu_us();
        dump(shown, &screen->picture);
        encode_us += encoded_us - began_us;
        slowest_us = encoded_us - began_us > slowest_us ? encoded_us - began_us : slowest_us;
        decode_us += decoded_us - encoded_us;
        bytes += data.size;
        largest = data.size > largest ? data.size : largest;
        double s = ssim(&picture, &screen->picture);
        likeness += s;
        worst = s < worst ? s : worst;
        count++;
    }
    printf("%-6s %8.2f %8.1f %8.1f %8.1f %8.1f %8.4f %8.4f %6u\n", name,
           (double)bytes * 8 * o->fps / o->frames / 1e6, (double)largest / 1e3,
           (double)encode_us / count / 1e3, (double)slowest_us / 1e3,
           (double)decode_us / count / 1e3, likeness / count, worst, count);
    fflush(stdout);
    ops->destroy(encoder);
    if (shown)
        fclose(shown);
    if (original)
        fclose(original);
}

static int parse(struct options *o, int argc, char **argv)
{
    static const struct option LONG[] = {
        {"size", required_argument, NULL, 's'},    {"fps", required_argument, NULL, 'f'},
        {"frames", required_argument, NULL, 'n'},  {"bits", required_argument, NULL, 'b'},
        {"quality", required_argument, NULL, 'q'}, {"threads", required_argument, NULL, 't'},
        {"dump", required_argument, NULL, 'd'},    {0}};
    *o = (struct options){.width = 1920,
                          .height = 1080,
                          .fps = 25,
                          .frames = 150,
                          .bits_per_second = 6000000,
                          .quality = 75,
                          .threads = 2};
    int option;
    while ((option = getopt_long(argc, argv, "", LONG, NULL)) != -1) {
        if (option == 's' && sscanf(optarg, "%ux%u", &o->width, &o->height) == 2)
            continue;
        if (option == 'd')
            o->dump = optarg;
        else if (option == 'f')
            o->fps = (uint32_t)atoi(optarg);
        else if (option == 'n')
            o->frames = (uint32_t)atoi(optarg);
        else if (option == 'b')
            o->bits_per_second = strtoull(optarg, NULL, 10);
        else if (option == 'q')
            o->quality = (unsigned)atoi(optarg);
        else if (option == 't')
            o->threads = (unsigned)atoi(optarg);
        else
            return 2;
    }
    bool is_sane = o->width > FRONT_SIDE && o->width <= 8192 && o->height > FRONT_SIDE &&
                   o->height <= 8192 && o->fps > 0 && o->frames > 1 && o->quality >= 1 &&
                   o->quality <= SM_VIDEO_BEST_QUALITY && o->threads > 0;
    return is_sane ? 0 : 2;
}

int main(int argc, char **argv)
{
    struct options o;
    if (parse(&o, argc, argv) != 0) {
        fprintf(stderr, "usage: bench-video [--size WxH] [--fps N] [--frames N] [--bits N] "
                        "[--quality 1..100] [--threads N] [--dump FOLDER]\n");
        return 2;
    }
    static const struct {
        const char *name;
        enum sm_video_kind kind;
    } CODECS[] = {{"h264", SM_VIDEO_H264},
                  {"vp8", SM_VIDEO_VP8},
                  {"vp9", SM_VIDEO_VP9},
                  {"av1", SM_VIDEO_AV1}};
    struct film film = {.width = o.width, .height = o.height};
    film.scenes[0] = make_picture(o.width + ROOM, o.height + ROOM, 0);
    film.scenes[1] = make_picture(o.width + ROOM, o.height + ROOM, 1);
    film.front = make_picture(FRONT_SIDE, FRONT_SIDE, 1);
    film.frame = malloc((size_t)o.width * o.height * 4);
    struct sm_decoder_config config = {.libs = &sm_media_codec_libs, .max_pixels = 1 << 27};
    struct screen jpeg = {.picture = {.stride_bytes = (ptrdiff_t)o.width * 4,
                                      .width = o.width,
                                      .height = o.height,
                                      .format = SM_PIXEL_XRGB32}};
    jpeg.picture.data = malloc((size_t)o.width * o.height * 4);
    if (!film.frame || !jpeg.picture.data || sm_decoder_create(&jpeg.jpeg, &config) != SM_OK)
        return 1;
    const struct sm_video_module *module = sm_video_module_load();
    printf("%ux%u at %u, %u frames, %.1f Mbit/s asked for (mjpeg: quality %u)\n", o.width, o.height,
           o.fps, o.frames, (double)o.bits_per_second / 1e6, o.quality);
    printf("codec    Mbit/s  max kB   enc ms  max ms   dec ms     SSIM    worst frames\n");
    run(&film, &o, "mjpeg", &sm_media_mjpeg, &jpeg);
    for (unsigned i = 0; module && i < sizeof(CODECS) / sizeof(CODECS[0]); i++) {
        struct screen screen = {.ops = module->find_decoder(CODECS[i].kind)};
        if (!screen.ops || screen.ops->create(&screen.decoder, NULL) != SM_OK)
            continue;
        run(&film, &o, CODECS[i].name, module->find_encoder(CODECS[i].kind), &screen);
        screen.ops->destroy(screen.decoder);
    }
    sm_decoder_destroy(jpeg.jpeg);
    free(jpeg.picture.data);
    free(film.scenes[0]);
    free(film.scenes[1]);
    free(film.front);
    free(film.frame);
    return 0;
}
