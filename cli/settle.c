/* SPDX-License-Identifier: MIT */
#include "cli/settle.h"

#include "cli/connection.h"

enum {
    DISPLAYS_MAX = 64,
    MISSING_MS = 2000, /* other monitors are there for so long, then this one will not come */
};

/* In 64 bits without a sign even the largest rectangle fits. */
static uint64_t area_of(struct sm_rect r)
{
    if (r.left >= r.right || r.top >= r.bottom)
        return 0;
    return (uint64_t)((int64_t)r.right - r.left) * (uint64_t)((int64_t)r.bottom - r.top);
}

static struct sm_rect unite(struct sm_rect a, struct sm_rect b)
{
    if (area_of(a) == 0)
        return b;
    if (area_of(b) == 0)
        return a;
    return (struct sm_rect){
        .left = a.left < b.left ? a.left : b.left,
        .top = a.top < b.top ? a.top : b.top,
        .right = a.right > b.right ? a.right : b.right,
        .bottom = a.bottom > b.bottom ? a.bottom : b.bottom,
    };
}

void cli_stillness_reset(struct cli_stillness *stillness, uint64_t now_us)
{
    stillness->spot = (struct sm_rect){0};
    stillness->since_us = now_us;
}

void cli_stillness_damage(struct cli_stillness *stillness, struct sm_rect damage, uint64_t now_us)
{
    struct sm_rect spot = unite(stillness->spot, damage);
    if (area_of(spot) <= stillness->tolerance_px) {
        stillness->spot = spot;
        return;
    }
    cli_stillness_reset(stillness, now_us);
    if (area_of(damage) <= stillness->tolerance_px)
        stillness->spot = damage;
}

/** The state of a wait. */
struct wait {
    struct cli_connection *connection;
    struct cli_settle *settle;
    struct cli_stillness stillness;
    bool is_ready;      /* the monitor is there and its picture complete */
    uint64_t ready_us;  /* since when */
    bool has_others;    /* some display is ready, but without our monitor */
    uint64_t others_us; /* since when */
};

static bool is_same(struct sm_rect a, struct sm_rect b)
{
    return a.left == b.left && a.top == b.top && a.right == b.right && a.bottom == b.bottom;
}

static const struct sm_monitor *find(struct sm_display_info *displays, size_t count,
                                     uint32_t number, const struct sm_display_info **display)
{
    for (size_t i = 0; i < count; i++)
        for (size_t j = 0; j < displays[i].monitor_count; j++)
            if (displays[i].monitors[j].number == number &&
                area_of(displays[i].monitors[j].area) > 0) {
                *display = &displays[i];
                return &displays[i].monitors[j];
            }
    return NULL;
}

/* Looks anew where the monitor is and whether it can be shown. */
static void look(struct wait *w)
{
    struct sm_display_info displays[DISPLAYS_MAX];
    size_t count = sm_session_get_displays(w->connection->session, displays, DISPLAYS_MAX);
    const struct sm_display_info *display = NULL;
    const struct sm_monitor *monitor = find(displays, count, w->settle->number, &display);
    bool is_ready = monitor && display->is_ready;
    uint64_t now_us = cli_now_us();

    bool has_others = false;
    for (size_t i = 0; i < count; i++)
        has_others = has_others || (!monitor && displays[i].is_ready);
    if (has_others && !w->has_others)
        w->others_us = now_us;
    w->has_others = has_others;

    if (is_ready && (!w->is_ready || w->settle->channel_id != display->channel_id ||
                     !is_same(w->settle->area, monitor->area))) {
        if (!w->is_ready)
            w->ready_us = now_us;
        w->settle->channel_id = display->channel_id;
        w->settle->area = monitor->area;
        cli_stillness_reset(&w->stillness, now_us);
    }
    w->is_ready = is_ready;
}

static void take(struct wait *w, const struct sm_event *event)
{
    struct sm_rect area = w->settle->area, damage = event->damage;
    switch (event->kind) {
    case SM_EVENT_DISPLAY_CONFIG:
    case SM_EVENT_CHANNEL_CLOSED:
        look(w);
        break;
    case SM_EVENT_DISPLAY_DAMAGE:
        if (!w->is_ready || event->channel_id != w->settle->channel_id)
            break;
        damage.left = damage.left > area.left ? damage.left : area.left;
        damage.top = damage.top > area.top ? damage.top : area.top;
        damage.right = damage.right < area.right ? damage.right : area.right;
        damage.bottom = damage.bottom < area.bottom ? damage.bottom : area.bottom;
        if (area_of(damage) > 0)
            cli_stillness_damage(&w->stillness, damage, cli_now_us());
        break;
    default:
        break;
    }
}

/* When the wait is over if nothing happens. */
static uint64_t end_us(const struct wait *w)
{
    uint64_t end = UINT64_MAX;
    if (w->is_ready) {
        end = w->stillness.since_us + (uint64_t)w->settle->still_ms * 1000;
        uint64_t limit = w->ready_us + (uint64_t)w->settle->limit_ms * 1000;
        if (w->settle->limit_ms != UINT32_MAX && limit < end)
            end = limit;
    } else if (w->has_others) {
        end = w->others_us + MISSING_MS * 1000;
    }
    return end;
}

static bool is_still(const struct wait *w)
{
    return cli_now_us() >= w->stillness.since_us + (uint64_t)w->settle->still_ms * 1000;
}

static bool no_display(const struct wait *w)
{
    return cli_fail(w->connection->failure, CLI_EXIT_NO_DISPLAY,
                    "see `sumac info` for the displays there are",
                    "there is no display %u, or it is switched off", (unsigned)w->settle->number);
}

/* Time is up: say what was missing, which is more than that. */
static void explain(const struct wait *w)
{
    struct cli_failure *failure = w->connection->failure;
    if (failure->code != CLI_EXIT_TIMED_OUT)
        return;
    if (!w->is_ready)
        (void)cli_fail(failure, CLI_EXIT_NO_DISPLAY,
                       "wait until the machine has started, or allow more time with --timeout",
                       "display %u showed nothing within %u ms", (unsigned)w->settle->number,
                       (unsigned)w->connection->options->timeout_ms);
    else
        (void)cli_fail(failure, CLI_EXIT_NOT_STILL,
                       "allow more time with --timeout, or more change with --tolerance",
                       "the picture did not stand still for %u ms within %u ms",
                       (unsigned)w->settle->still_ms, (unsigned)w->connection->options->timeout_ms);
}

bool cli_settle_find(struct cli_connection *connection, struct cli_settle *settle)
{
    struct wait w = {.connection = connection, .settle = settle};
    settle->area = (struct sm_rect){0};
    look(&w);
    return w.is_ready;
}

bool cli_settle_wait(struct cli_connection *connection, struct cli_settle *settle)
{
    struct wait w = {
        .connection = connection,
        .settle = settle,
        .stillness = {.tolerance_px = settle->tolerance_px},
    };
    connection->doing = "waiting for the picture";
    if (!cli_connection_need(connection, SM_CHANNEL_KIND_DISPLAY))
        return false;
    look(&w);
    for (;;) {
        struct sm_event event;
        enum cli_next next = cli_connection_next(connection, end_us(&w), &event);
        if (next == CLI_NEXT_FAILED) {
            explain(&w);
            return false;
        }
        if (next == CLI_NEXT_EVENT) {
            take(&w, &event);
            continue;
        }
        if (!w.is_ready)
            return no_display(&w);
        settle->is_still = is_still(&w);
        settle->waited_ms = (uint32_t)((cli_now_us() - w.ready_us) / 1000);
        return true;
    }
}
