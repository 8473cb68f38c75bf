/* SPDX-License-Identifier: MIT */
/*
 * A client that looks at the picture: how old is what it shows, and how long does a key take to be
 * seen? It reads the marks that bench-replay --marks draws on the same machine (host/mark.h).
 */
#include <getopt.h>
#include <inttypes.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "bench/host/mark.h"
#include "io/clock.h"
#include "sumac/display.h"
#include "sumac/inputs.h"
#include "sumac/session.h"

enum {
    SAMPLE_US = 5000,
    SAMPLES_MAX = 1 << 20,
    KEYS_MAX = 4096,
    KEY_A = 0x1e,
    KEY_PAUSE_LEAST_US = 50000, /* between a key's picture and the next key; varied */
    KEY_PAUSE_MORE_US = 50000,
    GIVE_UP_US = 180u * 1000000,
};

struct samples {
    uint32_t *us;
    size_t count, room;
};

struct watch {
    struct sm_session *session;
    uint16_t port;
    uint64_t quiet_us, end_us; /* after which to end; 0: not because of that */
    bool has_keys, has_inputs, is_over;
    uint64_t started_us, first_us, changed_us, now_us;
    struct sm_mark shown[SM_MARK_TIMES];
    bool is_known[SM_MARK_TIMES], is_last[SM_MARK_TIMES];
    uint64_t sampled_us, fresh; /* time codes seen in the first place */
    struct samples ages, keys;
    uint64_t key_us, next_key_us, keys_sent;
    uint64_t picture; /* digest of the last picture */
};

static void add(struct samples *samples, uint64_t us)
{
    if (samples->count < samples->room)
        samples->us[samples->count++] = us > UINT32_MAX ? UINT32_MAX : (uint32_t)us;
}

static int by_size(const void *a, const void *b)
{
    uint32_t x = *(const uint32_t *)a, y = *(const uint32_t *)b;
    return (x > y) - (x < y);
}

/* `hundredths` of the sorted samples are at most so many milliseconds. */
static double quantile(const struct samples *samples, unsigned hundredths)
{
    if (!samples->count)
        return 0;
    size_t at = samples->count * hundredths / 100;
    return (double)samples->us[at < samples->count ? at : samples->count - 1] / 1000;
}

/* ---- what is seen ---- */

static void note_time(struct watch *w, uint8_t place, const struct sm_mark *mark)
{
    if (place == 0 && (!w->is_known[0] || mark->number != w->shown[0].number))
        w->fresh++;
    w->shown[place] = *mark;
    w->is_known[place] = true;
    w->is_last[place] = mark->is_last;
}

static void note_key(struct watch *w, const struct sm_mark *mark)
{
    if (!w->key_us || mark->number < w->keys_sent)
        return;
    add(&w->keys, w->now_us - w->key_us);
    w->key_us = 0;
    w->next_key_us = w->now_us + KEY_PAUSE_LEAST_US + w->now_us * 2654435761u % KEY_PAUSE_MORE_US;
}

static void look(struct watch *w, uint8_t channel_id)
{
    struct sm_display_view view;
    if (sm_display_lock(w->session, channel_id, &view) != SM_OK)
        return;
    w->now_us = sm_now_us();
    if (!w->first_us)
        w->first_us = w->now_us;
    for (uint8_t place = 0; place < SM_MARK_PLACES; place++) {
        struct sm_mark mark;
        if (view.width < (uint32_t)SM_MARK_AT[place].x + SM_MARK_WIDTH ||
            view.height < (uint32_t)SM_MARK_AT[place].y + SM_MARK_HEIGHT ||
            !sm_mark_read(view.pixels, view.stride_bytes, place, &mark))
            continue;
        if (place == SM_MARK_KEYS)
            note_key(w, &mark);
        else
            note_time(w, place, &mark);
    }
    sm_display_unlock(w->session, channel_id);
    w->changed_us = w->now_us;
}

static void digest(struct watch *w, uint8_t channel_id)
{
    struct sm_display_view view;
    if (sm_display_lock(w->session, channel_id, &view) != SM_OK)
        return;
    uint64_t hash = 0xcbf29ce484222325;
    for (uint32_t y = 0; y < view.height; y++)
        for (uint32_t x = 0; x < view.width; x++) {
            uint32_t pixel;
            memcpy(&pixel, view.pixels + y * view.stride_bytes + (size_t)x * 4, 4);
            hash = (hash ^ (pixel & 0xffffff)) * 0x100000001b3;
        }
    sm_display_unlock(w->session, channel_id);
    w->picture = hash;
}

/* ---- what is done ---- */

static void press(struct watch *w)
{
    if (!w->has_keys || !w->has_inputs || w->key_us || !w->is_known[0] || w->is_last[0] ||
        w->now_us < w->next_key_us)
        return;
    w->key_us = w->now_us;
    w->keys_sent++;
    (void)!sm_session_send_key(w->session, KEY_A, true);
    (void)!sm_session_send_key(w->session, KEY_A, false);
}

/* How old each place is now; a place that has said its last is no longer asked. */
static void sample(struct watch *w)
{
    if (w->now_us - w->sampled_us < SAMPLE_US)
        return;
    w->sampled_us = w->now_us;
    for (unsigned place = 0; place < SM_MARK_TIMES; place++)
        if (w->is_known[place] && !w->is_last[place])
            add(&w->ages, w->now_us - w->shown[place].number * SM_MARK_TIME_UNIT_US);
}

static void judge(struct watch *w)
{
    bool is_quiet = w->quiet_us && w->first_us && w->now_us - w->changed_us > w->quiet_us;
    bool is_late = w->end_us && w->first_us && w->now_us - w->first_us > w->end_us;
    if (is_quiet || is_late || w->now_us - w->started_us > GIVE_UP_US)
        w->is_over = true;
}

static int run(struct watch *w)
{
    struct sm_event event;
    while (!w->is_over) {
        bool has_event = sm_session_wait_event(w->session, SAMPLE_US / 1000, &event);
        w->now_us = sm_now_us();
        if (has_event && event.kind == SM_EVENT_CLOSED) {
            fprintf(stderr, "bench-watch: the session ended\n");
            return 1;
        }
        if (has_event && event.kind == SM_EVENT_CHANNEL_OPEN &&
            event.channel == SM_CHANNEL_KIND_INPUTS)
            w->has_inputs = true;
        if (has_event && event.kind == SM_EVENT_DISPLAY_DAMAGE)
            look(w, event.channel_id);
        sample(w);
        press(w);
        judge(w);
    }
    digest(w, 0);
    return 0;
}

static void report(struct watch *w)
{
    struct sm_channel_info channels[16];
    size_t count = sm_session_get_channels(w->session, channels, 16);
    for (size_t i = 0; i < count && i < 16; i++)
        if (channels[i].kind == SM_CHANNEL_KIND_DISPLAY)
            printf("{\"display_messages\": %" PRIu64 ", \"display_bytes\": %" PRIu64,
                   channels[i].messages, channels[i].received_bytes);
    qsort(w->ages.us, w->ages.count, sizeof(uint32_t), by_size);
    qsort(w->keys.us, w->keys.count, sizeof(uint32_t), by_size);
    double seconds = (double)(w->changed_us - w->first_us) / 1e6;
    printf(", \"seconds\": %.3f, \"picture\": \"%016" PRIx64 "\"", seconds, w->picture);
    if (w->ages.count)
        printf(", \"age_p50_ms\": %.1f, \"age_p99_ms\": %.1f, \"age_max_ms\": %.1f, "
               "\"fresh_per_second\": %.1f",
               quantile(&w->ages, 50), quantile(&w->ages, 99), quantile(&w->ages, 100),
               (double)w->fresh / (seconds > 0 ? seconds : 1));
    if (w->keys.count)
        printf(", \"keys\": %zu, \"key_p50_ms\": %.2f, \"key_p99_ms\": %.2f, \"key_max_ms\": %.2f",
               w->keys.count, quantile(&w->keys, 50), quantile(&w->keys, 99),
               quantile(&w->keys, 100));
    printf("}\n");
}

static int parse(struct watch *w, int argc, char **argv)
{
    static const struct option LONG[] = {{"port", required_argument, NULL, 'p'},
                                         {"keys", no_argument, NULL, 'k'},
                                         {"quiet", required_argument, NULL, 'q'},
                                         {"seconds", required_argument, NULL, 's'},
                                         {0}};
    int option;
    while ((option = getopt_long(argc, argv, "", LONG, NULL)) != -1) {
        if (option == 'p')
            w->port = (uint16_t)atoi(optarg);
        else if (option == 'k')
            w->has_keys = true;
        else if (option == 'q')
            w->quiet_us = (uint64_t)(atof(optarg) * 1e6);
        else if (option == 's')
            w->end_us = (uint64_t)(atof(optarg) * 1e6);
        else
            return 2;
    }
    return w->port && (w->quiet_us || w->end_us) && optind == argc ? 0 : 2;
}

static int open_session(struct watch *w)
{
    char text[64];
    snprintf(text, sizeof(text), "spice://127.0.0.1:%u", w->port);
    struct sm_address *address;
    struct sm_error error = {0};
    if (sm_address_parse(&address, text, &error) != SM_OK)
        return 1;
    int status = sm_session_create(&w->session, address) != SM_OK ||
                 sm_session_connect(w->session, &error) != SM_OK;
    sm_address_destroy(address);
    return status;
}

int main(int argc, char **argv)
{
    static struct watch watch;
    if (parse(&watch, argc, argv) != 0) {
        fprintf(stderr,
                "usage: bench-watch --port N [--keys] [--quiet SECONDS] [--seconds SECONDS]\n");
        return 2;
    }
    watch.ages = (struct samples){malloc(SAMPLES_MAX * sizeof(uint32_t)), 0, SAMPLES_MAX};
    watch.keys = (struct samples){malloc(KEYS_MAX * sizeof(uint32_t)), 0, KEYS_MAX};
    watch.started_us = sm_now_us();
    int status = watch.ages.us && watch.keys.us ? open_session(&watch) : 1;
    if (!status)
        status = run(&watch);
    if (!status)
        report(&watch);
    sm_session_destroy(watch.session);
    free(watch.ages.us);
    free(watch.keys.us);
    return status;
}
