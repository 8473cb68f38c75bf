/* SPDX-License-Identifier: MIT */
/*
 * bench-codec [--portable | --sse41] [--seconds S] [--codec NAME] [--image NAME]
 *
 * Encodes and decodes each picture with each lossless codec, checks that it came back, and prints
 * MB/s (10^6 bytes of raw 32-bit pixels; median of the runs), the ratio, and cycles of the time
 * stamp counter for each pixel. memcpy of the picture is the roof.
 */
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "bench/codec/corpus.h"
#include "core/base/cpu.h"
#include "core/base/writer.h"
#include "core/codec/bands.h"
#include "core/codec/classify.h"
#include "core/codec/decoder.h"
#include "core/codec/encoder.h"
#include "core/codec/glz/dictionary.h"
#include "core/codec/glz/window.h"
#include "media/libs.h"

enum {
    WIDTH = 1920,
    HEIGHT = 1080,
    TILE = 64,
    WINDOW_PIXELS = 1 << 24,
    MAX_RUNS = 1000,
};

struct options {
    uint32_t cpu_flags;
    double seconds; /* for each figure */
    const char *codec, *image;
};

/* Time of `clock`, in seconds. Work is measured on the processor's: the machine may be shared. */
static double seconds_of(clockid_t clock)
{
    struct timespec t;
    clock_gettime(clock, &t);
    return (double)t.tv_sec + (double)t.tv_nsec * 1e-9;
}

/* How fast the time stamp counter runs, in Hz; 0 where there is none. */
static double cycles_a_second(void)
{
#if defined(__x86_64__)
    double begin = seconds_of(CLOCK_MONOTONIC);
    uint64_t cycles = __builtin_ia32_rdtsc();
    while (seconds_of(CLOCK_MONOTONIC) - begin < 0.02) {
    }
    return (double)(__builtin_ia32_rdtsc() - cycles) / (seconds_of(CLOCK_MONOTONIC) - begin);
#else
    return 0;
#endif
}

struct figure {
    double median, low, high; /* MB/s */
};

static int by_value(const void *a, const void *b)
{
    double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

/* Runs `work` until the time is up and says how fast it went through `bytes`. */
static struct figure measure(double seconds, double bytes, void (*work)(void *), void *context)
{
    static double rates[MAX_RUNS];
    size_t runs = 0;
    double end = seconds_of(CLOCK_THREAD_CPUTIME_ID) + seconds;
    work(context); /* caches and pages */
    do {
        double begin = seconds_of(CLOCK_THREAD_CPUTIME_ID);
        work(context);
        rates[runs++] = bytes / (seconds_of(CLOCK_THREAD_CPUTIME_ID) - begin) / 1e6;
    } while (runs < MAX_RUNS && (runs < 3 || seconds_of(CLOCK_THREAD_CPUTIME_ID) < end));
    qsort(rates, runs, sizeof(rates[0]), by_value);
    return (struct figure){rates[runs / 2], rates[0], rates[runs - 1]};
}

/* A picture as one or many images, and what they become. */
struct job {
    const struct options *options;
    const uint32_t *pixels;
    uint32_t tile_width, tile_height, across, down;
    enum sm_image_codec codec;
    bool is_repeated; /* GLZ: the picture is in the dictionary already */

    struct sm_encoder *encoder;
    struct sm_decoder *decoder;
    struct sm_glz_dictionary *dictionary;
    struct sm_glz_window *window;
    struct sm_writer out;
    size_t *ends; /* of each image in `out` */
    uint32_t *decoded;
};

static void must(enum sm_status status, const char *what)
{
    if (status == SM_OK)
        return;
    fprintf(stderr, "bench-codec: %s: %s\n", what, sm_status_name(status));
    exit(1);
}

static void encode_all(struct job *job)
{
    sm_writer_reset(&job->out);
    for (uint32_t i = 0; i < job->across * job->down; i++) {
        uint32_t x = i % job->across * job->tile_width, y = i / job->across * job->tile_height;
        const uint32_t *first = job->pixels + (size_t)y * WIDTH + x;
        struct sm_pixels_in in = {
            .format = SM_PIXEL_XRGB32,
            .width = job->tile_width,
            .height = job->tile_height,
            .is_top_down = true,
            .stride_bytes = WIDTH * 4,
            .data = {(const uint8_t *)first,
                     ((size_t)(job->tile_height - 1) * WIDTH + job->tile_width) * 4},
        };
        struct sm_encoded info;
        enum sm_image_codec codec = job->codec;
        must(sm_image_encode(job->encoder, &codec, &in, &info, &job->out), "encode");
        job->ends[i] = job->out.size;
    }
}

static void encode(void *context)
{
    struct job *job = context;
    if (job->dictionary && !job->is_repeated)
        sm_glz_dictionary_clear(job->dictionary);
    encode_all(job);
}

static void decode(void *context)
{
    struct job *job = context;
    size_t begin = 0;
    if (job->window && !job->is_repeated)
        sm_glz_window_reset(job->window);
    for (uint32_t i = 0; i < job->across * job->down; i++) {
        uint32_t x = i % job->across * job->tile_width, y = i / job->across * job->tile_height;
        struct sm_codec_image image = {
            .codec = job->codec,
            .width = job->tile_width,
            .height = job->tile_height,
            .data = {job->out.data + begin, job->ends[i] - begin},
        };
        struct sm_pixels out = {
            .data = (uint8_t *)(job->decoded + (size_t)y * WIDTH + x),
            .stride_bytes = WIDTH * 4,
            .width = job->tile_width,
            .height = job->tile_height,
            .format = SM_PIXEL_XRGB32,
        };
        must(sm_image_decode(job->decoder, &image, &out), "decode");
        begin = job->ends[i];
    }
}

/* The next image into both windows: the one before was the same. */
static void encode_and_decode(void *context)
{
    encode(context);
    decode(context);
}

static void check(const struct job *job)
{
    for (uint32_t y = 0; y < job->down * job->tile_height; y++) {
        size_t row = (size_t)y * WIDTH;
        if (memcmp(job->pixels + row, job->decoded + row,
                   (size_t)job->across * job->tile_width * 4) != 0) {
            fprintf(stderr, "bench-codec: row %u came back different\n", y);
            exit(1);
        }
    }
}

static void open_job(struct job *job)
{
    bool is_glz = job->codec == SM_CODEC_GLZ;
    if (is_glz) {
        must(sm_glz_dictionary_create(&job->dictionary, WINDOW_PIXELS, 0, NULL), "dictionary");
        must(sm_glz_window_create(&job->window, WINDOW_PIXELS, NULL), "window");
    }
    struct sm_encoder_config encoder = {.libs = &sm_media_codec_libs,
                                        .dictionary = job->dictionary,
                                        .cpu_flags = job->options->cpu_flags};
    struct sm_decoder_config decoder = {
        .libs = &sm_media_codec_libs, .window = job->window, .cpu_flags = job->options->cpu_flags};
    must(sm_encoder_create(&job->encoder, &encoder), "encoder");
    must(sm_decoder_create(&job->decoder, &decoder), "decoder");
    sm_writer_init(&job->out, SIZE_MAX);
    job->ends = calloc((size_t)job->across * job->down, sizeof(*job->ends));
    job->decoded = calloc((size_t)WIDTH * HEIGHT, 4);
    if (!job->ends || !job->decoded)
        must(SM_ERR_NOMEM, "bench");
}

static void close_job(struct job *job)
{
    sm_encoder_destroy(job->encoder);
    sm_decoder_destroy(job->decoder);
    sm_glz_dictionary_destroy(job->dictionary);
    sm_glz_window_destroy(job->window);
    sm_writer_finish(&job->out);
    free(job->ends);
    free(job->decoded);
}

static void print_line(const struct job *job, const char *image, const char *codec,
                       struct figure encode_rate, struct figure decode_rate, double hertz)
{
    double pixels = (double)job->across * job->down * job->tile_width * job->tile_height;
    printf("%-9s %-11s %8.2f  %7.0f (%5.0f-%5.0f) %5.1f", image, codec,
           pixels * 4 / (double)job->out.size, encode_rate.median, encode_rate.low,
           encode_rate.high, hertz * 4e-6 / encode_rate.median);
    if (decode_rate.median > 0)
        printf("  %7.0f (%5.0f-%5.0f) %5.1f", decode_rate.median, decode_rate.low, decode_rate.high,
               hertz * 4e-6 / decode_rate.median);
    printf("\n");
    fflush(stdout);
}

static void run(struct job *job, const char *image, const char *codec, double hertz)
{
    const struct options *options = job->options;
    if ((options->codec && strcmp(options->codec, codec) != 0) ||
        (options->image && strcmp(options->image, image) != 0))
        return;
    open_job(job);
    double bytes = (double)job->across * job->down * job->tile_width * job->tile_height * 4;
    struct figure encode_rate, decode_rate = {0};
    if (job->is_repeated) {
        encode_and_decode(job);
        encode_rate = measure(options->seconds, bytes, encode, job);
    } else {
        encode_rate = measure(options->seconds, bytes, encode, job);
        decode_rate = measure(options->seconds, bytes, decode, job);
        check(job);
    }
    print_line(job, image, codec, encode_rate, decode_rate, hertz);
    close_job(job);
}

struct copy {
    void *to;
    const void *from;
};

static void copy_picture(void *context)
{
    struct copy *copy = context;
    memcpy(copy->to, copy->from, (size_t)WIDTH * HEIGHT * 4);
    __asm__ volatile("" : : "r"(copy->to) : "memory");
}

static void bench_picture(const struct options *options, enum corpus_kind kind, bool is_tiled,
                          double hertz)
{
    static const struct {
        const char *name;
        enum sm_image_codec codec;
        bool is_repeated;
    } CODECS[] = {
        {"quic", SM_CODEC_QUIC, false}, {"lz", SM_CODEC_LZ_RGB, false},
        {"glz", SM_CODEC_GLZ, false},   {"glz-repeat", SM_CODEC_GLZ, true},
        {"lz4", SM_CODEC_LZ4, false},
    };
    uint32_t *pixels = malloc((size_t)WIDTH * HEIGHT * 4);
    if (!pixels)
        must(SM_ERR_NOMEM, "bench");
    corpus_draw(kind, pixels, WIDTH, HEIGHT);
    char name[32];
    snprintf(name, sizeof(name), "%s%s", corpus_name(kind), is_tiled ? "-64" : "");
    for (size_t i = 0; i < sizeof(CODECS) / sizeof(CODECS[0]); i++) {
        struct job job = {
            .options = options,
            .pixels = pixels,
            .tile_width = is_tiled ? TILE : WIDTH,
            .tile_height = is_tiled ? TILE : HEIGHT,
            .across = is_tiled ? WIDTH / TILE : 1,
            .down = is_tiled ? HEIGHT / TILE : 1,
            .codec = CODECS[i].codec,
            .is_repeated = CODECS[i].is_repeated,
        };
        run(&job, name, CODECS[i].name, hertz);
    }
    free(pixels);
}

/* ---- bands on threads ---- */

struct band_job {
    struct sm_pixels_in in;
    struct sm_pixels target;
    enum sm_image_codec codec;
    struct sm_encoder *encoder;
    struct sm_decoder *decoder;
    struct sm_writer out;
    bool is_decoding;
};

static void *run_band(void *context)
{
    struct band_job *band = context;
    if (band->is_decoding) {
        struct sm_codec_image image = {.codec = band->codec,
                                       .width = band->target.width,
                                       .height = band->target.height,
                                       .data = sm_writer_bytes(&band->out)};
        must(sm_image_decode(band->decoder, &image, &band->target), "decode a band");
    } else {
        struct sm_encoded info;
        enum sm_image_codec codec = band->codec;
        sm_writer_reset(&band->out);
        must(sm_image_encode(band->encoder, &codec, &band->in, &info, &band->out), "encode a band");
    }
    return NULL;
}

/* The best wall-clock rate of some rounds in which every band has a thread of its own. */
static double race(struct band_job *bands, uint32_t count, bool is_decoding)
{
    double best = 0;
    for (int round = 0; round < 60; round++) {
        pthread_t threads[SM_BANDS_MAX];
        double begin = seconds_of(CLOCK_MONOTONIC);
        for (uint32_t i = 0; i < count; i++) {
            bands[i].is_decoding = is_decoding;
            if (pthread_create(&threads[i], NULL, run_band, &bands[i]) != 0)
                exit(1);
        }
        for (uint32_t i = 0; i < count; i++)
            pthread_join(threads[i], NULL);
        double rate = (double)WIDTH * HEIGHT * 4 / (seconds_of(CLOCK_MONOTONIC) - begin) / 1e6;
        best = rate > best ? rate : best;
    }
    return best;
}

static void bench_bands(const struct options *options, enum corpus_kind kind,
                        enum sm_image_codec codec)
{
    uint32_t *pixels = malloc((size_t)WIDTH * HEIGHT * 4);
    uint32_t *decoded = calloc((size_t)WIDTH * HEIGHT, 4);
    if (!pixels || !decoded)
        must(SM_ERR_NOMEM, "bench");
    corpus_draw(kind, pixels, WIDTH, HEIGHT);
    struct sm_pixels_in in = {.format = SM_PIXEL_XRGB32,
                              .width = WIDTH,
                              .height = HEIGHT,
                              .is_top_down = true,
                              .stride_bytes = WIDTH * 4,
                              .data = {(const uint8_t *)pixels, (size_t)WIDTH * HEIGHT * 4}};
    struct sm_pixels target = {(uint8_t *)decoded, WIDTH * 4, WIDTH, HEIGHT, SM_PIXEL_XRGB32};
    for (uint32_t wanted = 1; wanted <= 2; wanted++) {
        struct sm_band plan[SM_BANDS_MAX];
        static struct band_job bands[SM_BANDS_MAX];
        uint32_t count = sm_bands_plan(plan, WIDTH, HEIGHT, wanted);
        size_t size = 0;
        for (uint32_t i = 0; i < count; i++) {
            bands[i] = (struct band_job){.in = sm_band_source(&in, plan[i]),
                                         .target = sm_band_target(&target, plan[i]),
                                         .codec = codec};
            struct sm_encoder_config encoder = {.cpu_flags = options->cpu_flags};
            struct sm_decoder_config decoder = {.cpu_flags = options->cpu_flags};
            must(sm_encoder_create(&bands[i].encoder, &encoder), "encoder");
            must(sm_decoder_create(&bands[i].decoder, &decoder), "decoder");
            sm_writer_init(&bands[i].out, SIZE_MAX);
        }
        double encode_rate = race(bands, count, false), decode_rate = race(bands, count, true);
        for (uint32_t i = 0; i < count; i++) {
            size += bands[i].out.size;
            sm_encoder_destroy(bands[i].encoder);
            sm_decoder_destroy(bands[i].decoder);
            sm_writer_finish(&bands[i].out);
        }
        if (memcmp(pixels, decoded, (size_t)WIDTH * HEIGHT * 4) != 0)
            must(SM_ERR_PROTOCOL, "bands came back different");
        printf(
            "%-9s %-4s in %u band(s): ratio %6.3f, encode %5.0f, decode %5.0f MB/s by the wall\n",
            corpus_name(kind), sm_codec_name(codec), count,
            (double)WIDTH * HEIGHT * 4 / (double)size, encode_rate, decode_rate);
    }
    free(pixels);
    free(decoded);
}

/* ---- what the classifier expects ---- */

struct look {
    const struct sm_pixels_in *in;
    struct sm_image_traits traits;
};

static void look(void *context)
{
    struct look *l = context;
    must(sm_image_examine(l->in, &l->traits), "examine");
}

static void bench_choice(const struct options *options, enum corpus_kind kind)
{
    static const enum sm_image_codec CODECS[] = {SM_CODEC_QUIC, SM_CODEC_LZ_RGB, SM_CODEC_LZ4};
    uint32_t *pixels = malloc((size_t)WIDTH * HEIGHT * 4);
    if (!pixels)
        must(SM_ERR_NOMEM, "bench");
    corpus_draw(kind, pixels, WIDTH, HEIGHT);
    struct sm_pixels_in in = {.format = SM_PIXEL_XRGB32,
                              .width = WIDTH,
                              .height = HEIGHT,
                              .is_top_down = true,
                              .stride_bytes = WIDTH * 4,
                              .data = {(const uint8_t *)pixels, (size_t)WIDTH * HEIGHT * 4}};
    struct look l = {.in = &in};
    struct figure rate = measure(options->seconds / 4, (double)WIDTH * HEIGHT * 4, look, &l);
    printf("%-9s examined at %.0f MB/s; expects", corpus_name(kind), rate.median);
    for (size_t i = 0; i < sizeof(CODECS) / sizeof(CODECS[0]); i++) {
        struct sm_codec_estimate e = sm_codec_expect(&l.traits, CODECS[i]);
        printf("  %s %.2f, %.0f/%.0f MB/s", sm_codec_name(CODECS[i]),
               (double)WIDTH * HEIGHT * 4 / (double)e.bytes,
               (double)WIDTH * HEIGHT * 4 / (double)e.encode_us,
               (double)WIDTH * HEIGHT * 4 / (double)e.decode_us);
    }
    printf("\n");
    free(pixels);
}

int main(int argc, char **argv)
{
    struct options options = {.cpu_flags = sm_cpu_detect(), .seconds = 0.5};
    for (int i = 1; i < argc; i++) {
        if (strcmp(argv[i], "--portable") == 0) {
            options.cpu_flags = 0;
        } else if (strcmp(argv[i], "--sse41") == 0) {
            options.cpu_flags &= SM_CPU_SSE41;
        } else if (i + 1 < argc && strcmp(argv[i], "--seconds") == 0) {
            options.seconds = atof(argv[++i]);
        } else if (i + 1 < argc && strcmp(argv[i], "--codec") == 0) {
            options.codec = argv[++i];
        } else if (i + 1 < argc && strcmp(argv[i], "--image") == 0) {
            options.image = argv[++i];
        } else {
            fprintf(stderr, "usage: bench-codec [--portable | --sse41] [--seconds S]"
                            " [--codec NAME] [--image NAME]\n");
            return 2;
        }
    }
    double hertz = cycles_a_second();
    struct copy copy = {malloc((size_t)WIDTH * HEIGHT * 4), calloc(WIDTH * HEIGHT, 4)};
    if (!copy.to || !copy.from)
        must(SM_ERR_NOMEM, "bench");
    struct figure roof = measure(options.seconds, (double)WIDTH * HEIGHT * 4, copy_picture, &copy);
    printf("memcpy of a picture: %.0f MB/s; %.2f GHz; %dx%d, 32 bits\n", roof.median, hertz / 1e9,
           WIDTH, HEIGHT);
    printf(
        "image     codec          ratio   encode (low - high)  c/px   decode (low - high)  c/px\n");
    for (int kind = 0; kind < CORPUS_COUNT; kind++)
        bench_picture(&options, (enum corpus_kind)kind, false, hertz);
    if (!options.codec && !options.image) {
        for (int kind = 0; kind < CORPUS_COUNT; kind++)
            bench_choice(&options, (enum corpus_kind)kind);
        bench_bands(&options, CORPUS_TEXT, SM_CODEC_QUIC);
        bench_bands(&options, CORPUS_PHOTO, SM_CODEC_QUIC);
        bench_bands(&options, CORPUS_TEXT, SM_CODEC_LZ_RGB);
    }
    bench_picture(&options, CORPUS_TEXT, true, hertz);
    bench_picture(&options, CORPUS_PHOTO, true, hertz);
    free(copy.to);
    free((void *)(uintptr_t)copy.from);
    return 0;
}
