/* SPDX-License-Identifier: MIT */
#include "core/channel/line.h"

#include <stddef.h>
#include <string.h>

enum {
    START_BYTES = 64 << 10, /* may be on their way while the rate is unknown */
    MIN_BYTES = 8 << 10,
    MAX_BYTES = 16 << 20,
    /*
     * Beside what the line holds: this much of it stands in a queue. Enough to see a rate that
     * grows (by a quarter each round trip of 100 ms), little enough not to be felt.
     */
    QUEUE_US = 25 * 1000,
    MARKS_A_BUDGET = 8,
    MARK_BYTES = 4 << 10, /* at least between two marks */
    MARK_ROOM = 64,       /* that a mark or two take */
    /* An old round trip is measured again, on a line that we let run dry for that. */
    RTT_AGE_US = 20 * 1000 * 1000,
    /* A peer that sends much itself: its answers stand in such a queue, too, and what it sends
     * last. That is none of ours. */
    TALK_QUEUE_US = 40 * 1000,
    TALK_US = 200 * 1000, /* so long after it was heard last */
    HOLD_UP_PART = 8,     /* of a wait on the way back is forgotten with each answer */
    MAX_HOLD_UP_US = 500 * 1000,
    QUIET_US = 10 * 1000, /* beyond two round trips of quiet everything has arrived */
    /* A peer that did not answer the first mark in this time will not: it is braked by the buffers
     * on the way only. */
    NO_ANSWER_US = 1000 * 1000,
    STALLS = 3, /* rounds without growth that say the rate is found */
    /* While it is looked for, twice what the line is thought to hold is sent; later, when there
     * seems to be more than was found, this part more. */
    AGAIN_PART = 2,
    REST = 4,      /* rounds before that is tried again */
    MAX_REST = 24, /* if it found nothing */
    SECOND_US = 1000 * 1000,
};

static const uint64_t MAX_RATE = 10000000000; /* bytes a second: faster counts as this */

void sm_line_init(struct sm_line *line, uint64_t rtt_us, uint64_t bytes_per_second)
{
    *line = (struct sm_line){
        .best_rtt_us = rtt_us,
        .rtt_us = rtt_us,
        .is_growing = true,
        .growth_part = bytes_per_second ? AGAIN_PART : 1,
        .stalls_wanted = bytes_per_second ? 1 : STALLS,
    };
    line->rates[0] = bytes_per_second < MAX_RATE ? bytes_per_second : MAX_RATE;
}

uint64_t sm_line_bytes_per_second(const struct sm_line *line)
{
    uint64_t best = 0;
    for (unsigned i = 0; i < SM_LINE_ROUNDS; i++)
        best = line->rates[i] > best ? line->rates[i] : best;
    return best;
}

bool sm_line_is_measured(const struct sm_line *line)
{
    return line->round_count == SM_LINE_ROUNDS;
}

bool sm_line_is_mute(const struct sm_line *line)
{
    return line->is_mute;
}

uint64_t sm_line_rtt_us(const struct sm_line *line)
{
    return line->best_rtt_us;
}

uint64_t sm_line_in_flight(const struct sm_line *line)
{
    return line->queued - line->arrived;
}

/* What goes through at `rate` in so long; both are limited, so that nothing overflows. */
static uint64_t bytes_in(uint64_t rate, uint64_t us)
{
    return us > SECOND_US * 60 ? rate * 60 : rate * us / SECOND_US;
}

/* What a round trip takes without a queue of ours, as far as it is known. */
static uint64_t bare_rtt_us(const struct sm_line *line)
{
    return line->best_rtt_us + line->talk_queue_us;
}

uint64_t sm_line_budget(const struct sm_line *line)
{
    uint64_t rate = sm_line_bytes_per_second(line);
    if (rate == 0 || line->best_rtt_us == 0)
        return START_BYTES;
    uint64_t product = bytes_in(rate, line->best_rtt_us);
    uint64_t budget = product + bytes_in(rate, QUEUE_US + line->back_us);
    if (line->is_draining)
        budget = product / 4;
    else if (line->is_growing)
        budget += product / line->growth_part;
    if (budget < MIN_BYTES)
        return MIN_BYTES;
    return budget < MAX_BYTES ? budget : MAX_BYTES;
}

void sm_line_queued(struct sm_line *line, uint64_t queued)
{
    if (queued - line->queued > MARK_ROOM)
        line->message_bytes = queued - line->queued;
    line->queued = queued;
}

/*
 * One message alone fills no line: until it is known to have arrived, and the next one has, the
 * line is empty for a round trip. Then it seems as slow as that, and stays so.
 */
static bool may_follow(const struct sm_line *line)
{
    uint64_t used = sm_line_in_flight(line);
    return !line->is_draining && used < START_BYTES && used <= line->message_bytes + MARK_ROOM;
}

/*
 * What is behind the last mark is never answered, so it is little: the rest of the budget goes on.
 * Should the budget have become smaller than that, a mark more helps.
 */
bool sm_line_wants_mark(const struct sm_line *line)
{
    if (line->mark_count == SM_LINE_MAX_MARKS)
        return false;
    if (line->mark_count == 0 && !line->first_mark_us)
        return true; /* before anything else: is there an answer, and after how long? */
    /* Alone on an empty line, for a message may be larger than what the line may hold for that. */
    if (line->is_draining && line->mark_count == 0 && sm_line_in_flight(line) == 0)
        return true;
    uint64_t budget = sm_line_budget(line), distance = budget / MARKS_A_BUDGET;
    if (distance < MARK_BYTES)
        distance = MARK_BYTES;
    if (line->mark_count == 0 && sm_line_in_flight(line) >= budget)
        distance = 1;
    return line->queued - line->marked >= distance;
}

void sm_line_marked(struct sm_line *line, uint64_t end)
{
    line->marked = end;
    if (end > line->queued)
        line->queued = end;
    if (line->mark_count < SM_LINE_MAX_MARKS)
        line->marks[line->mark_count++] =
            (struct sm_line_mark){.end = end, .message_bytes = line->message_bytes};
}

/* Nothing was sent for so long that what was sent before must be there. */
static bool was_quiet(const struct sm_line *line, uint64_t now_us)
{
    for (unsigned i = 0; i < line->mark_count; i++)
        if (line->marks[i].has_left)
            return false;
    return now_us - line->left_us > 2 * line->best_rtt_us + QUIET_US;
}

void sm_line_left(struct sm_line *line, uint64_t left, uint64_t now_us)
{
    if (was_quiet(line, now_us)) {
        line->arrived = line->left;
        line->arrived_us = line->sending_since_us = now_us;
    }
    line->left = left;
    line->left_us = now_us;
    for (unsigned i = 0; i < line->mark_count && line->marks[i].end <= left; i++) {
        struct sm_line_mark *mark = &line->marks[i];
        if (mark->has_left)
            continue;
        *mark = (struct sm_line_mark){
            .end = mark->end,
            .message_bytes = mark->message_bytes,
            .has_left = true,
            .left_us = now_us,
            .arrived = line->arrived,
            .arrived_us = line->arrived_us,
            .sending_since_us = line->sending_since_us,
            .is_starved = line->starved_until > 0 || line->is_draining,
        };
        if (!line->first_mark_us)
            line->first_mark_us = now_us;
    }
}

void sm_line_saw_rtt(struct sm_line *line, uint64_t rtt_us, uint64_t now_us)
{
    line->rtt_us = rtt_us > 0 ? rtt_us : 1;
    if (line->best_rtt_us == 0 || line->best_rtt_at_us == 0 || line->rtt_us <= line->best_rtt_us) {
        line->best_rtt_us = line->rtt_us;
        line->best_rtt_at_us = now_us;
    }
}

/* The round trip of a mark without what its own message took to pass: a large one needs its time on
 * an empty line, too. */
static uint64_t rtt_without_message(const struct sm_line *line, const struct sm_line_mark *mark)
{
    uint64_t rate = sm_line_bytes_per_second(line);
    uint64_t message = mark->message_bytes < START_BYTES ? mark->message_bytes : START_BYTES;
    uint64_t passing_us = rate > 0 ? message * SECOND_US / rate : 0;
    uint64_t most_us = line->rtt_us - line->best_rtt_us;
    return line->rtt_us - (passing_us < most_us ? passing_us : most_us);
}

/* Round trips of a line that we keep full contain its queue, so now and then one is wanted of a
 * line that is half empty. */
static void look_at_rtt(struct sm_line *line, const struct sm_line_mark *mark, uint64_t now_us)
{
    sm_line_saw_rtt(line, now_us - mark->left_us, now_us);
    uint64_t rtt_us = rtt_without_message(line, mark);
    if (!mark->is_starved && rtt_us > line->round_rtt_us)
        line->round_rtt_us = rtt_us;
    if (rtt_us > bare_rtt_us(line) + 2 * QUEUE_US)
        line->is_growing = false; /* what is sent waits on the way */
    /* With much less than before, is the line slower? Or longer, so that what is sent does not fill
     * it any more? */
    uint64_t rate = sm_line_bytes_per_second(line);
    line->sure_rate = rate > line->sure_rate ? rate : line->sure_rate;
    bool is_sure = rate >= line->sure_rate - line->sure_rate / 4;
    if (is_sure && now_us - line->best_rtt_at_us <= RTT_AGE_US) {
        line->is_draining = false;
        return;
    }
    uint64_t half = bytes_in(rate, line->best_rtt_us) / 2;
    line->is_draining = mark->end - mark->arrived > (half > MIN_BYTES ? half : MIN_BYTES);
    if (!line->is_draining) {
        line->best_rtt_us = line->rtt_us;
        line->best_rtt_at_us = now_us;
        line->sure_rate = rate;
        line->rest = 0;
    }
}

/* The rate is found when it stops growing. As long as nothing waits on the way there is more; to
 * look for it costs freshness, so if it was in vain the next time is later. */
static void look_for_more(struct sm_line *line)
{
    uint64_t rate = sm_line_bytes_per_second(line);
    if (!line->is_growing) {
        if (line->rest > 0) {
            line->rest--;
            return;
        }
        line->is_growing = line->round_rtt_us < bare_rtt_us(line) + QUEUE_US / 4;
        line->growth_part = AGAIN_PART;
        line->stalls = 0;
        line->grown_rate = rate;
        bool was_in_vain = rate < line->found_rate + line->found_rate / 8;
        line->rest = was_in_vain ? MAX_REST : REST;
        line->found_rate = rate;
    } else if (rate >= line->grown_rate + line->grown_rate / 4) {
        line->grown_rate = rate;
        line->stalls = 0;
    } else if (++line->stalls >= line->stalls_wanted) {
        line->is_growing = false;
    }
}

static void look_at_rate(struct sm_line *line, const struct sm_line_mark *mark, uint64_t now_us)
{
    uint64_t arriving_us = now_us - mark->arrived_us;
    uint64_t sending_us = mark->left_us - mark->sending_since_us;
    uint64_t us = arriving_us > sending_us ? arriving_us : sending_us;
    uint64_t bytes = mark->end - mark->arrived;
    if (us == 0)
        us = 1;
    uint64_t rate = bytes > UINT64_MAX / SECOND_US ? MAX_RATE : bytes * SECOND_US / us;
    if (rate > MAX_RATE)
        rate = MAX_RATE;
    if (!mark->is_starved)
        line->round_counts = true;
    else if (rate <= sm_line_bytes_per_second(line) || sm_line_bytes_per_second(line) == 0)
        return; /* it says nothing about what the line could do */
    if (!mark->is_starved && rtt_without_message(line, mark) > bare_rtt_us(line) + 4 * QUEUE_US)
        for (unsigned i = 0; i < SM_LINE_ROUNDS; i++) /* the line has become slower */
            line->rates[i] = line->rates[i] < rate ? line->rates[i] : rate;
    if (rate > line->rates[line->round])
        line->rates[line->round] = rate;
}

static void end_round(struct sm_line *line, const struct sm_line_mark *mark)
{
    if (mark->arrived < line->round_ends)
        return;
    line->round_ends = line->arrived;
    if (!line->round_counts)
        return; /* a rate that nobody tried to reach is not forgotten */
    look_for_more(line);
    if (line->round_count < SM_LINE_ROUNDS)
        line->round_count++;
    line->round_counts = false;
    line->round_rtt_us = 0;
    line->round = (line->round + 1) % SM_LINE_ROUNDS;
    line->rates[line->round] = 0;
}

void sm_line_answered(struct sm_line *line, uint64_t end, uint64_t now_us)
{
    unsigned at = 0;
    while (at < line->mark_count && line->marks[at].end != end)
        at++;
    if (at == line->mark_count || !line->marks[at].has_left)
        return; /* none of ours, or one that it cannot have seen */
    struct sm_line_mark mark = line->marks[at];
    line->mark_count -= at + 1;
    memmove(line->marks, line->marks + at + 1, line->mark_count * sizeof(*line->marks));

    line->has_answers = true;
    line->is_mute = false;
    if (end > line->arrived)
        line->arrived = end;
    line->arrived_us = now_us;
    line->sending_since_us = mark.left_us;
    if (line->arrived >= line->starved_until)
        line->starved_until = 0;
    look_at_rtt(line, &mark, now_us);
    look_at_rate(line, &mark, now_us);
    end_round(line, &mark);
}

void sm_line_arrived(struct sm_line *line, uint64_t offset, uint64_t now_us)
{
    unsigned count = 0;
    while (count < line->mark_count && line->marks[count].end <= offset)
        count++;
    /* When it was is the peer's word: not before it had left, and not before what went ahead. */
    if (now_us < line->arrived_us)
        now_us = line->arrived_us;
    if (count > 0 && now_us < line->marks[count - 1].left_us)
        now_us = line->marks[count - 1].left_us;
    if (count > 0) {
        sm_line_answered(line, line->marks[count - 1].end, now_us);
    } else if (line->mark_count == 0 && offset > line->arrived && offset <= line->left) {
        line->arrived = offset;
        line->arrived_us = line->sending_since_us = now_us;
    }
}

void sm_line_heard(struct sm_line *line, bool is_much, uint64_t now_us)
{
    if (is_much)
        line->talk_ends_us = now_us + TALK_US;
    line->talk_queue_us = line->back_us = now_us < line->talk_ends_us ? TALK_QUEUE_US : 0;
}

void sm_line_held_up(struct sm_line *line, uint64_t us)
{
    uint64_t before = line->back_us - line->back_us / HOLD_UP_PART;
    line->back_us = us > before ? us : before;
    if (line->back_us > MAX_HOLD_UP_US)
        line->back_us = MAX_HOLD_UP_US;
}

void sm_line_starved(struct sm_line *line)
{
    line->starved_until = line->queued > 0 ? line->queued : 1;
}

uint64_t sm_line_room(const struct sm_line *line, uint64_t now_us)
{
    if (line->is_mute)
        return MAX_BYTES;
    uint64_t budget = sm_line_budget(line), used = sm_line_in_flight(line);
    if (line->mark_count == 0 && line->left == line->queued && was_quiet(line, now_us))
        used = 0;
    if (used < budget)
        return budget - used;
    return may_follow(line) ? MIN_BYTES : 0;
}

uint64_t sm_line_deadline(const struct sm_line *line)
{
    bool is_open = !line->has_answers && !line->is_mute && line->first_mark_us > 0;
    return is_open ? line->first_mark_us + NO_ANSWER_US : UINT64_MAX;
}

void sm_line_tick(struct sm_line *line, uint64_t now_us)
{
    if (now_us >= sm_line_deadline(line))
        line->is_mute = true;
}
