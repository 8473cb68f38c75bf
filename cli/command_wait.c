/* SPDX-License-Identifier: MIT */
/* Waiting for something to be seen: a picture that stands still, or one that is given. */
#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cli/commands.h"
#include "cli/connection.h"
#include "cli/json.h"
#include "cli/options.h"
#include "cli/picture.h"
#include "cli/search.h"
#include "cli/settle.h"
#include "cli/shot.h"

enum { LOOK_US = 100000 /* at least between two searches: they cost more than drawings */ };

/* "X,Y,WIDTH,HEIGHT" */
static bool take_region(struct cli_options *o, struct cli_failure *failure)
{
    uint32_t *const numbers[] = {&o->x, &o->y, &o->to_x, &o->to_y};
    const char *at = o->region;
    for (int i = 0; at && i < 4; i++) {
        char *end;
        errno = 0;
        unsigned long value = at[0] >= '0' && at[0] <= '9' ? strtoul(at, &end, 10) : ULONG_MAX;
        if (value > CLI_COORDINATE_MAX || *end != (i < 3 ? ',' : 0) || (i > 1 && value == 0))
            return cli_usage(o, failure, "not a region (write X,Y,WIDTH,HEIGHT): ", o->region);
        *numbers[i] = (uint32_t)value;
        at = end + 1;
    }
    o->has_place = o->region != NULL;
    return true;
}

static bool take_words(struct cli_options *o, int count, char **words, struct cli_failure *failure)
{
    if (!cli_words_check(o, count, words, 0, 0, failure) || !take_region(o, failure))
        return false;
    if (!o->image && (o->region || o->shade_tolerance))
        return cli_usage(o, failure, "--region and --shades make sense with --image", "");
    return o->stable_ms < o->timeout_ms ||
           cli_usage(o, failure,
                     "the picture would have to stand still for longer than --timeout allows", "");
}

static void destroy_pattern(void *opaque)
{
    struct cli_pattern *pattern = opaque;
    if (pattern)
        free(pattern->pixels);
    free(pattern);
}

static bool prepare(struct cli_options *o, struct cli_failure *failure)
{
    if (!o->image)
        return true;
    struct cli_pattern *pattern = calloc(1, sizeof(*pattern));
    if (!pattern)
        return cli_fail_nomem(failure);
    o->plan = pattern;
    o->plan_destroy = destroy_pattern;
    const char *reason =
        cli_picture_read(o->image, &pattern->pixels, &pattern->width, &pattern->height);
    if (reason)
        return cli_fail(failure, CLI_EXIT_USAGE, "give a PNG file that can be read",
                        "%s cannot be looked for: %s", o->image, reason);
    cli_pattern_prepare(pattern);
    return true;
}

static bool wait_stable(struct cli_connection *connection, const struct cli_options *o,
                        struct cli_json *result)
{
    struct cli_settle settle = {
        .number = o->display,
        .still_ms = o->stable_ms,
        .limit_ms = UINT32_MAX,
        .tolerance_px = o->tolerance_px,
    };
    if (!cli_settle_wait(connection, &settle))
        return false;
    cli_shot_report(result, &settle);
    return true;
}

/* ---- --image ---- */

static bool look(struct cli_connection *connection, const struct cli_settle *settle,
                 const struct cli_options *o, struct sm_point *found)
{
    struct cli_shot shot;
    struct cli_failure *failure = connection->failure, ignored;
    /* While it changes its size there is nothing to see. */
    connection->failure = &ignored;
    bool is_there = cli_shot_begin(connection, settle->channel_id, settle->area, &shot);
    connection->failure = failure;
    if (!is_there)
        return false;
    struct sm_rect region = {0, 0, (int32_t)shot.width, (int32_t)shot.height};
    if (o->has_place) {
        int32_t right = (int32_t)(o->x + o->to_x), bottom = (int32_t)(o->y + o->to_y);
        region.left = (int32_t)o->x;
        region.top = (int32_t)o->y;
        region.right = right < region.right ? right : region.right;
        region.bottom = bottom < region.bottom ? bottom : region.bottom;
    }
    bool is_found =
        cli_search(o->plan, shot.pixels, shot.stride_bytes, region, o->shade_tolerance, found);
    cli_shot_end(connection, settle->channel_id);
    return is_found;
}

static bool not_seen(struct cli_connection *connection, const struct cli_options *o)
{
    if (connection->failure->code == CLI_EXIT_TIMED_OUT)
        (void)cli_fail(connection->failure, CLI_EXIT_NOT_SEEN,
                       "allow more time with --timeout, or other colours with --shades",
                       "%s was not seen within %u ms", o->image, (unsigned)o->timeout_ms);
    return false;
}

static bool find(struct cli_connection *connection, const struct cli_options *o,
                 struct cli_settle *settle, struct sm_point *found)
{
    bool has_changed = true;
    uint64_t next_us = 0;
    for (;;) {
        struct sm_event event;
        if (has_changed && cli_now_us() >= next_us) {
            has_changed = false;
            if (look(connection, settle, o, found))
                return true;
            next_us = cli_now_us() + LOOK_US;
        }
        enum cli_next next =
            cli_connection_next(connection, has_changed ? next_us : UINT64_MAX, &event);
        if (next == CLI_NEXT_FAILED)
            return not_seen(connection, o);
        if (next == CLI_NEXT_EVENT && event.kind == SM_EVENT_DISPLAY_CONFIG)
            (void)cli_settle_find(connection, settle);
        has_changed =
            has_changed || (next == CLI_NEXT_EVENT && (event.kind == SM_EVENT_DISPLAY_CONFIG ||
                                                       event.kind == SM_EVENT_DISPLAY_DAMAGE));
    }
}

static bool wait_image(struct cli_connection *connection, const struct cli_options *o,
                       struct cli_json *result)
{
    const struct cli_pattern *pattern = o->plan;
    struct cli_settle settle = {.number = o->display};
    struct sm_point found;
    uint64_t start_us = cli_now_us();
    if (!cli_settle_wait(connection, &settle))
        return false;
    connection->doing = "looking for the picture";
    if (!find(connection, o, &settle, &found))
        return false;
    if (!o->is_json)
        printf("%d %d\n", (int)found.x, (int)found.y);
    cli_json_text(result, "image", o->image);
    cli_json_number(result, "display", o->display);
    cli_json_number(result, "x", found.x);
    cli_json_number(result, "y", found.y);
    cli_json_number(result, "width", pattern->width);
    cli_json_number(result, "height", pattern->height);
    cli_json_number(result, "waited_ms", (int64_t)((cli_now_us() - start_us) / 1000));
    return true;
}

static bool step(struct cli_connection *connection, const struct cli_options *o,
                 struct cli_json *result)
{
    return o->image ? wait_image(connection, o, result) : wait_stable(connection, o, result);
}

#define FIELD(name) offsetof(struct cli_options, name)

static const struct cli_option OPTIONS[] = {
    {"stable", "TIME", "how long it has to stand still (default 500ms)", CLI_VALUE_DURATION,
     FIELD(stable_ms)},
    {"tolerance", "PIXELS",
     "changes within one spot of this size do not count\n"
     "(default 512: a blinking text cursor)",
     CLI_VALUE_NUMBER, FIELD(tolerance_px), .max = 1u << 30},
    {"image", "FILE",
     "wait until this PNG is seen instead, pixel by pixel; what is\n"
     "transparent in it may be anything. Prints where: X Y",
     CLI_VALUE_FILE, FIELD(image)},
    {"shades", "N",
     "with --image: red, green and blue may differ by so much of\n"
     "255 (default 0)",
     CLI_VALUE_NUMBER, FIELD(shade_tolerance), .max = 255},
    {"region", "X,Y,W,H", "with --image: only within this part of the monitor", CLI_VALUE_TEXT,
     FIELD(region)},
    CLI_OPTION_DISPLAY,
    {NULL},
};

const struct cli_command cli_command_wait = {
    .name = "wait",
    .words = "ADDRESS",
    .summary = "wait until the picture stands still, or shows something",
    .about = "Waits until a monitor's picture is complete and has stood still for a while; with\n"
             "--image, until a picture is seen on it.\n",
    .options = OPTIONS,
    .take_words = take_words,
    .prepare = prepare,
    .kinds = 1u << SM_CHANNEL_KIND_DISPLAY,
    .needed = 1u << SM_CHANNEL_KIND_DISPLAY,
    .step = step,
};
