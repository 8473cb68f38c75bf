/* SPDX-License-Identifier: MIT */
/* What a run over an input saw, folded into a number: two runs that saw the same have the same. */
#ifndef SM_FUZZ_CORE_CHANNEL_DIGEST_H
#define SM_FUZZ_CORE_CHANNEL_DIGEST_H

#include <stdbool.h>

#include "core/channel/machine.h"
#include "core/wire/frame.h"
#include "fuzz/support/fuzz.h"

/** `seen` is what the owner was given, `sent` what goes to the peer; `pongs` apart from it. */
struct sm_digest {
    uint64_t seen, sent, pongs;
    bool has_failed;
};

static inline struct sm_digest sm_digest(void)
{
    return (struct sm_digest){.seen = 14695981039346656037ull,
                              .sent = 14695981039346656037ull,
                              .pongs = 14695981039346656037ull};
}

static inline void sm_digest_bytes(uint64_t *digest, struct sm_bytes bytes)
{
    for (size_t i = 0; i < bytes.size; i++)
        *digest = (*digest ^ bytes.data[i]) * 1099511628211ull;
    *digest = (*digest ^ bytes.size) * 1099511628211ull;
}

static inline void sm_digest_number(uint64_t *digest, uint64_t number)
{
    for (int i = 0; i < 8; i++)
        *digest = (*digest ^ (number >> (8 * i) & 255)) * 1099511628211ull;
}

/**
 * Adds the messages that are pending, without their serials: pongs overtake what the owner has yet
 * to pull, so where they stand among the others depends on how bytes were cut.
 */
static inline void sm_digest_messages(struct sm_digest *digest, struct sm_bytes out, bool is_mini)
{
    size_t header = sm_frame_size(is_mini);
    while (out.size >= header) {
        struct sm_frame frame = sm_frame_parse((struct sm_bytes){out.data, header}, is_mini);
        FUZZ_CHECK(frame.size <= out.size - header); /* whole messages only */
        uint64_t *to = frame.type == 3 ? &digest->pongs : &digest->sent;
        sm_digest_number(to, frame.type);
        sm_digest_bytes(to, (struct sm_bytes){out.data + header, frame.size});
        out.data += header + frame.size;
        out.size -= header + frame.size;
    }
    FUZZ_CHECK(out.size == 0);
}

static inline bool sm_digest_equal(struct sm_digest a, struct sm_digest b)
{
    /* pings behind a message that is found wrong when it is pulled are answered or not */
    return a.seen == b.seen && a.sent == b.sent && a.has_failed == b.has_failed &&
           (a.has_failed || a.pongs == b.pongs);
}

/** Lets the owner look at what there is; false when it has given up. */
typedef bool fuzz_pull(void *owner, struct sm_digest *digest);

/**
 * Feeds an exact heap copy of each piece and lets the owner pull after each; ends at a failure or
 * when no byte is taken any more.
 */
static inline void fuzz_feed(struct sm_machine machine, const uint8_t *data, size_t size,
                             size_t piece, fuzz_pull *pull, void *owner, struct sm_digest *digest)
{
    size_t at = 0;
    while (at < size) {
        size_t part = size - at < piece ? size - at : piece;
        uint8_t *copy = malloc(part);
        if (!copy)
            abort();
        for (size_t i = 0; i < part; i++)
            copy[i] = data[at + i];
        size_t taken = 0;
        enum sm_status status =
            sm_machine_receive(machine, (struct sm_bytes){copy, part}, at, &taken);
        free(copy);
        FUZZ_CHECK(taken <= part);
        at += taken;
        if (!pull(owner, digest) || status != SM_OK) {
            digest->has_failed = true;
            return;
        }
        if (taken == 0)
            return;
    }
}

/**
 * Creates a machine, feeds it the input and destroys it. `name` is its part of the function names,
 * with `pull_name` for the owner; what follows are members of its config. Names of the caller's
 * that it uses: data, size, piece, digest.
 *
 * @param before  a statement about `owner`, when it is there
 * @param after   a statement about `machine`, when it has all that it took
 */
#define FUZZ_RUN(name, before, after, ...)                                                         \
    do {                                                                                           \
        struct sm_##name##_config config = {__VA_ARGS__};                                          \
        struct sm_##name *owner;                                                                   \
        if (sm_##name##_create(&owner, &config, 0) != SM_OK)                                       \
            abort();                                                                               \
        before;                                                                                    \
        struct sm_machine machine = sm_##name##_machine(owner);                                    \
        fuzz_feed(machine, data, size, piece, pull_##name, owner, &digest);                        \
        after;                                                                                     \
        sm_##name##_destroy(owner);                                                                \
    } while (0)

/** What was seen of an input in pieces of `piece` bytes; `kind` says what runs. */
typedef struct sm_digest fuzz_run(const uint8_t *data, size_t size, unsigned kind, size_t piece);

/** A whole target: the first byte says what runs, the second how the rest is cut, which must not
 * matter. */
static inline int fuzz_whole_and_cut(const uint8_t *data, size_t size, size_t max_size,
                                     fuzz_run *run)
{
    if (size < 2 || size > max_size)
        return 0;
    struct sm_digest whole = run(data + 2, size - 2, data[0], SIZE_MAX);
    struct sm_digest split = run(data + 2, size - 2, data[0], 1 + data[1] % 32);
    FUZZ_CHECK(sm_digest_equal(whole, split));
    return 0;
}

#endif
