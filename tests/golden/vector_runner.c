/* SPDX-License-Identifier: MIT */
/*
 * vector_runner [--sizes] DIR: holds the codecs against the vectors of a folder with a
 * manifest.json. Each picture must decode to its raw pixels, and where the encoder has no choice
 * encode to its bytes; what is marked "reject" must be refused. With --sizes what we encode may be
 * at most 1 % larger than the vector. Prints TAP; ends with 1 if anything failed.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/base/cpu.h"
#include "core/base/math.h"
#include "core/codec/classify.h"
#include "core/codec/decoder.h"
#include "core/codec/glz/window.h"
#include "media/libs.h"
#include "tests/golden/round_trip.h"
#include "tests/golden/vector.h"

enum {
    MAX_GROUP = 1024,
    MAX_CHANNELS = 16,
    MAX_WINDOW_PIXELS = 1 << 25,
    /* Pixels of lossy vectors come from another build of the library. */
    LOSSY_MEAN_ERROR_MAX = 2,
};

struct runner {
    const char *dir;
    const struct json *groups;
    uint32_t cpu_flags;
    bool has_size_limit;
    unsigned count, failed;
    struct round_trip_sizes sizes[SM_CODEC_LZ4 + 1]; /* by codec */
};

static void report(struct runner *runner, const char *name, const char *what, const char *trouble)
{
    runner->count++;
    if (trouble) {
        runner->failed++;
        printf("not ok %u - %s: %s: %s\n", runner->count, name, what, trouble);
    } else {
        printf("ok %u - %s: %s\n", runner->count, name, what);
    }
}

static const char *compare(const struct vector *v, const uint8_t *pixels)
{
    static char text[200];
    uint64_t error = 0;
    size_t row_bytes = (size_t)sm_pixel_row_bytes(v->raw_format, v->image.width);
    for (uint32_t y = 0; y < v->image.height; y++) {
        const uint8_t *got = pixels + y * row_bytes;
        const uint8_t *wanted = v->raw.data + (size_t)y * v->raw_stride;
        for (size_t x = 0; x < row_bytes; x++) {
            error += (uint64_t)abs(got[x] - wanted[x]);
            if (got[x] != wanted[x] && !v->is_lossy) {
                snprintf(text, sizeof(text), "row %u, byte %zu is %02x, not %02x", y, x, got[x],
                         wanted[x]);
                return text;
            }
        }
    }
    if (error > (uint64_t)row_bytes * v->image.height * LOSSY_MEAN_ERROR_MAX)
        return "pixels differ by more than a mean of 2";
    return NULL;
}

/*
 * Decodes into memory of exactly the size. `*trouble` is what went wrong, NULL if nothing did;
 * false if the image waits for another.
 */
static bool decode(struct sm_decoder *decoder, const struct vector *v, const char **trouble)
{
    *trouble = NULL;
    enum sm_pixel_format format = SM_PIXEL_XRGB32;
    enum sm_status status = SM_OK;
    if (!v->is_mjpeg)
        status = sm_image_native_format(decoder, &v->image, SM_PIXEL_XRGB32, &format);
    if (status != SM_OK) {
        *trouble = "no native format";
        return true;
    }
    uint64_t row_bytes = sm_pixel_row_bytes(format, v->image.width);
    uint64_t size = row_bytes * v->image.height;
    struct sm_pixels out = {
        .data = malloc(size < SM_CODEC_MAX_PIXELS ? (size_t)size + 1 : 1),
        .stride_bytes = (ptrdiff_t)row_bytes,
        .width = v->image.width,
        .height = v->image.height,
        .format = format,
    };
    if (!out.data)
        exit(2);
    if (size >= SM_CODEC_MAX_PIXELS) /* only bad ones are so large, refused before they write */
        out.height = 1;
    if (v->is_mjpeg) {
        uint32_t width, height;
        status = sm_mjpeg_size(decoder, v->image.data, &width, &height);
        if (status == SM_OK && (width != out.width || height != out.height))
            status = SM_ERR_PROTOCOL;
        if (status == SM_OK)
            status = sm_mjpeg_decode(decoder, v->image.data, &out);
    } else {
        status = sm_image_decode(decoder, &v->image, &out);
    }
    if (status == SM_AGAIN) {
        free(out.data);
        return false;
    }
    if (status != SM_OK)
        *trouble =
            sm_decoder_reason(decoder)[0] ? sm_decoder_reason(decoder) : sm_status_name(status);
    else if (!v->is_bad && format != v->raw_format)
        *trouble = "another native format";
    else if (!v->is_bad)
        *trouble = compare(v, out.data);
    free(out.data);
    return true;
}

static void judge(struct runner *runner, const struct vector *v, const char *trouble)
{
    if (!v->is_bad)
        report(runner, v->name, "decodes to its pixels", trouble);
    else if (v->is_optional)
        report(runner, v->name, trouble ? "is refused" : "is let through, as it may", NULL);
    else
        report(runner, v->name, "is refused", trouble ? NULL : "was decoded");
}

static struct sm_decoder *new_decoder(const struct runner *runner, struct sm_glz_window *window)
{
    struct sm_decoder_config config = {
        .libs = &sm_media_codec_libs, .window = window, .cpu_flags = runner->cpu_flags};
    struct sm_decoder *decoder;
    if (sm_decoder_create(&decoder, &config) != SM_OK)
        exit(2);
    return decoder;
}

static struct sm_glz_window *new_window(uint32_t pixels)
{
    struct sm_glz_window *window;
    if (sm_glz_window_create(&window, pixels, NULL) != SM_OK)
        exit(2);
    return window;
}

/* ---- how photo-like ---- */

static void judge_graduality(struct runner *runner, const struct vector *v)
{
    static const char *const NAMES[] = {"low", "medium", "high"};
    const char *wanted = json_text(v->json, "graduality", NULL);
    if (!wanted)
        return;
    bool is_16bit = strcmp(json_text(v->json, "pixel_type", ""), "rgb16") == 0;
    enum sm_pixel_format format = is_16bit ? SM_PIXEL_RGB555 : v->raw_format;
    if (format != v->raw_format)
        return; /* the raw form is another one */
    struct sm_graduality_score score = {0};
    sm_graduality_add(&score, format, v->raw.data, v->image.width, v->image.height);
    const char *got = NAMES[sm_graduality_judge(&score, format)];
    report(runner, v->name, "is as gradual as it is", strcmp(got, wanted) == 0 ? NULL : got);
}

/* ---- vectors that stand alone ---- */

static void run_single(struct runner *runner, const struct vector *v)
{
    struct sm_glz_window *window = new_window(MAX_WINDOW_PIXELS);
    struct sm_decoder *decoder = new_decoder(runner, window);
    const char *trouble;
    if (!decode(decoder, v, &trouble))
        trouble = "waits for an image that is not there";
    judge(runner, v, trouble);
    judge_graduality(runner, v);
    if (round_trip_applies(v)) {
        struct round_trip *trip =
            round_trip_create(runner->cpu_flags, MAX_WINDOW_PIXELS, runner->has_size_limit);
        report(runner, v->name,
               v->is_encoder_exact ? "encodes to its bytes" : "survives our encoder",
               round_trip_run(trip, v, &runner->sizes[v->image.codec]));
        round_trip_destroy(trip);
    }
    sm_decoder_destroy(decoder);
    sm_glz_window_destroy(window);
}

/* ---- GLZ sequences ---- */

struct group {
    struct vector *members; /* owned, by arrival */
    size_t count;
    uint32_t window_pixels;
};

static int by_arrival(const void *a, const void *b)
{
    const struct vector *va = a, *vb = b;
    double left = json_number(va->json, "arrival", json_number(va->json, "seq", 0));
    double right = json_number(vb->json, "arrival", json_number(vb->json, "seq", 0));
    return (left > right) - (left < right);
}

/* Each channel has a decoder and takes its images in order; one that waits holds up its own only.
 */
static void run_sequence(struct runner *runner, const struct group *group)
{
    struct sm_glz_window *window = new_window(group->window_pixels);
    struct sm_decoder *decoders[MAX_CHANNELS] = {0};
    bool *is_done = calloc(group->count, sizeof(*is_done));
    if (!is_done)
        exit(2);
    for (size_t arrived = 1; arrived <= group->count; arrived++) {
        bool has_moved = true;
        while (has_moved) {
            bool is_blocked[MAX_CHANNELS] = {false};
            has_moved = false;
            for (size_t i = 0; i < arrived; i++) {
                const struct vector *v = &group->members[i];
                unsigned channel = (unsigned)json_number(v->json, "channel", 0) % MAX_CHANNELS;
                if (is_done[i] || is_blocked[channel])
                    continue;
                if (!decoders[channel])
                    decoders[channel] = new_decoder(runner, window);
                const char *trouble;
                if (!decode(decoders[channel], v, &trouble)) {
                    is_blocked[channel] = true;
                    continue;
                }
                judge(runner, v, trouble);
                is_done[i] = has_moved = true;
            }
        }
    }
    for (size_t i = 0; i < group->count; i++) {
        if (!is_done[i])
            judge(runner, &group->members[i], "waited to the end");
    }
    free(is_done);
    for (size_t i = 0; i < MAX_CHANNELS; i++)
        sm_decoder_destroy(decoders[i]);
    sm_glz_window_destroy(window);
}

/* Each bad member meets a fresh window that holds the good ones before it. */
static void run_bad_members(struct runner *runner, const struct group *group)
{
    for (size_t i = 0; i < group->count; i++) {
        struct sm_glz_window *window = new_window(group->window_pixels);
        struct sm_decoder *decoder = new_decoder(runner, window);
        const char *trouble = NULL;
        for (size_t j = 0; j < i && group->members[i].is_bad; j++) {
            if (!group->members[j].is_bad && !decode(decoder, &group->members[j], &trouble))
                sm_decoder_cancel(decoder);
        }
        if (!decode(decoder, &group->members[i], &trouble))
            trouble = "waits for an image that never comes";
        judge(runner, &group->members[i], trouble);
        sm_decoder_destroy(decoder);
        sm_glz_window_destroy(window);
    }
}

/* Our encoder's images of the same pictures, through one dictionary and one window. */
static void encode_sequence(struct runner *runner, const struct group *group)
{
    struct round_trip *trip =
        round_trip_create(runner->cpu_flags, group->window_pixels, runner->has_size_limit);
    for (size_t i = 0; i < group->count; i++) {
        const struct vector *v = &group->members[i];
        if (round_trip_applies(v))
            report(runner, v->name, "survives our encoder",
                   round_trip_run(trip, v, &runner->sizes[v->image.codec]));
    }
    round_trip_destroy(trip);
}

static void run_group(struct runner *runner, const struct json *vectors, const char *name)
{
    struct group group = {.members = calloc(MAX_GROUP, sizeof(*group.members))};
    if (!group.members)
        exit(2);
    const struct json *about = json_get(runner->groups, name);
    double pixels = json_number(about, "window_pixels", MAX_WINDOW_PIXELS);
    group.window_pixels = (uint32_t)pixels;
    bool has_bad = false;
    for (const struct json *j = vectors->first; j && group.count < MAX_GROUP; j = j->next) {
        if (strcmp(json_text(j, "group", ""), name) != 0)
            continue;
        struct vector *v = &group.members[group.count];
        const char *trouble = vector_load(v, runner->dir, j);
        if (trouble) {
            report(runner, json_text(j, "name", "?"), "is readable", trouble);
            vector_free(v);
            continue;
        }
        has_bad = has_bad || v->is_bad;
        group.count++;
    }
    qsort(group.members, group.count, sizeof(*group.members), by_arrival);
    if (has_bad) {
        run_bad_members(runner, &group);
    } else {
        run_sequence(runner, &group);
        encode_sequence(runner, &group);
    }
    for (size_t i = 0; i < group.count; i++)
        vector_free(&group.members[i]);
    free(group.members);
}

/* True if `vector` is the first of its group in the manifest. */
static bool is_group_start(const struct json *vectors, const struct json *vector)
{
    const char *group = json_text(vector, "group", NULL);
    for (const struct json *j = vectors->first; j; j = j->next) {
        if (strcmp(json_text(j, "group", ""), group) == 0)
            return j == vector;
    }
    return false;
}

static void run_all(struct runner *runner, const struct json *vectors)
{
    for (const struct json *j = vectors->first; j; j = j->next) {
        const char *group = json_text(j, "group", NULL);
        if (group) {
            if (is_group_start(vectors, j))
                run_group(runner, vectors, group);
            continue;
        }
        struct vector v;
        const char *trouble = vector_load(&v, runner->dir, j);
        if (trouble)
            report(runner, json_text(j, "name", "?"), "is readable", trouble);
        else
            run_single(runner, &v);
        vector_free(&v);
    }
}

int main(int argc, char **argv)
{
    bool has_size_limit = argc == 3 && strcmp(argv[1], "--sizes") == 0;
    if (argc != 2 && !has_size_limit) {
        fprintf(stderr, "usage: vector_runner [--sizes] DIR\n"
                        "  --sizes  our encoders' images may not be more than 1 %% larger\n");
        return 2;
    }
    const char *dir = argv[argc - 1];
    struct file text = file_read(dir, "manifest.json");
    struct json *manifest = text.data ? json_parse((const char *)text.data, text.size) : NULL;
    const struct json *vectors = json_get(manifest, "vectors");
    if (!vectors || vectors->kind != JSON_ARRAY || !vectors->first) {
        fprintf(stderr, "vector_runner: %s holds no manifest.json with vectors\n", dir);
        return 2;
    }
    struct runner runner = {
        .dir = dir, .groups = json_get(manifest, "groups"), .has_size_limit = has_size_limit};
    run_all(&runner, vectors);
    runner.cpu_flags = sm_cpu_detect();
    if (runner.cpu_flags) /* once more with what this processor does better */
        run_all(&runner, vectors);
    for (size_t i = 0; i <= SM_CODEC_LZ4; i++) {
        const struct round_trip_sizes *sizes = &runner.sizes[i];
        if (sizes->ours)
            printf("# %s: %llu bytes from our encoder, %llu in the vectors\n",
                   sm_codec_name((enum sm_image_codec)i), (unsigned long long)sizes->ours,
                   (unsigned long long)sizes->theirs);
    }
    printf("1..%u\n# %u checks, %u failed\n", runner.count, runner.count, runner.failed);
    json_free(manifest);
    free(text.data);
    return runner.failed ? 1 : 0;
}
