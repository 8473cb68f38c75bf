/* SPDX-License-Identifier: MIT */
/*
 * How much may be on its way to a peer so that what arrives is fresh: about what the line holds by
 * itself (rate times round trip) and a little more, which stands in a queue somewhere and keeps the
 * line busy. More would only be older when it arrives.
 *
 * Measured with marks: pings in the stream of messages, whose answers say that all before has
 * arrived. So it is the peer that is measured, and not the buffers on the way, which may hold
 * seconds. No clock: times are given, in monotonic microseconds. Source: docs/channel.md, "The
 * line".
 */
#ifndef SM_CORE_CHANNEL_LINE_H
#define SM_CORE_CHANNEL_LINE_H

#include <stdbool.h>
#include <stdint.h>

enum {
    SM_LINE_MAX_MARKS = 32, /* without an answer */
    SM_LINE_ROUNDS = 8,     /* round trips that the rate is the best of */
};

/** A place in what goes out. Offsets count bytes from the beginning of the connection. */
struct sm_line_mark {
    uint64_t end;
    uint64_t message_bytes; /* of the message before it */
    bool has_left;
    uint64_t left_us;
    /* As it was when the mark left: */
    uint64_t arrived, arrived_us; /* up to where had arrived, and since when that was known */
    uint64_t sending_since_us;    /* when the mark left that was answered last */
    bool is_starved;              /* there was less to send than would have gone */
};

/** Read the members through the functions. Thread: one at a time. */
struct sm_line {
    struct sm_line_mark marks[SM_LINE_MAX_MARKS]; /* oldest first */
    unsigned mark_count;
    uint64_t queued, left, arrived; /* offsets */
    uint64_t message_bytes;         /* of the newest that is no mark */
    uint64_t marked;                /* end of the newest mark */
    uint64_t left_us, arrived_us, sending_since_us;
    uint64_t starved_until;    /* offset; 0: not starved */
    bool has_answers, is_mute; /* it has answered a mark; it seems to answer none */
    uint64_t first_mark_us;    /* when the first left; 0 before */

    uint64_t best_rtt_us, best_rtt_at_us; /* 0: unknown */
    uint64_t rtt_us;                      /* the last */
    uint64_t sure_rate;                   /* the rate that fits it */
    bool is_draining;                     /* so that the round trip can be measured again */
    uint64_t talk_ends_us, talk_queue_us; /* see sm_line_heard() */
    uint64_t back_us;                     /* what answers wait on their way back */

    uint64_t rates[SM_LINE_ROUNDS]; /* bytes a second: the best of each of the last rounds */
    unsigned round;                 /* of them, the one now */
    uint64_t round_ends;            /* offset */
    unsigned round_count;           /* of rounds when the line was full, as far as it matters */
    bool round_counts;              /* it had a sample when the line was full */
    uint64_t round_rtt_us;          /* the longest in it; 0: none yet */
    bool is_growing;                /* the rate is not found yet */
    unsigned growth_part;           /* of what the line holds: so much more is sent meanwhile */
    unsigned stalls, stalls_wanted; /* rounds in which it did not grow; so many end the growing */
    unsigned rest;                  /* rounds before it is looked for again */
    uint64_t grown_rate, found_rate;
};

/** @param rtt_us, bytes_per_second  what is known beforehand; 0 for nothing */
void sm_line_init(struct sm_line *line, uint64_t rtt_us, uint64_t bytes_per_second);

/** Everything up to the offset `queued` is to be written. */
void sm_line_queued(struct sm_line *line, uint64_t queued);

/** True if it is time for a mark. */
bool sm_line_wants_mark(const struct sm_line *line);

/** A mark was queued, or is thought of, that ends at the offset `end`, behind all that has left; at
 * most SM_LINE_MAX_MARKS at a time. */
void sm_line_marked(struct sm_line *line, uint64_t end);

/** Everything up to the offset `left` was written. */
void sm_line_left(struct sm_line *line, uint64_t left, uint64_t now_us);

/** The mark that ends at `end` was answered. */
void sm_line_answered(struct sm_line *line, uint64_t end, uint64_t now_us);

/** The peer has told that everything up to `offset` had arrived at `now_us`, which answers the
 * marks there. */
void sm_line_arrived(struct sm_line *line, uint64_t offset, uint64_t now_us);

/** Something has come from the peer: `is_much` if it was bulk, behind which answers have to wait.
 */
void sm_line_heard(struct sm_line *line, bool is_much, uint64_t now_us);

/** What sm_line_arrived() is told next was held up for `us` on its way back, which is not in
 * `now_us` there: so much longer room has to last. */
void sm_line_held_up(struct sm_line *line, uint64_t us);

/** A round trip measured by other means. */
void sm_line_saw_rtt(struct sm_line *line, uint64_t rtt_us, uint64_t now_us);

/** There was room and nothing to send: what is measured next may be less than what would go. */
void sm_line_starved(struct sm_line *line);

/** Bytes that may be queued now; a message may be larger than that if there is room at all. */
uint64_t sm_line_room(const struct sm_line *line, uint64_t now_us);

/** When sm_line_tick() wants to be called; UINT64_MAX for never. There may be room then. */
uint64_t sm_line_deadline(const struct sm_line *line);
void sm_line_tick(struct sm_line *line, uint64_t now_us);

/** Bytes that may be on their way all in all. */
uint64_t sm_line_budget(const struct sm_line *line);

/** Queued, and not known to have arrived. */
uint64_t sm_line_in_flight(const struct sm_line *line);

/** 0 as long as it is unknown. While there is little to send it is rather too small. */
uint64_t sm_line_bytes_per_second(const struct sm_line *line);

/** Whether the rate was measured, on a full line and for a while: not guessed, not said before. */
bool sm_line_is_measured(const struct sm_line *line);

/** The peer answers no marks, so nothing is known but what the buffers on the way show. */
bool sm_line_is_mute(const struct sm_line *line);

/** The shortest round trip lately; 0 as long as it is unknown. */
uint64_t sm_line_rtt_us(const struct sm_line *line);

#endif
