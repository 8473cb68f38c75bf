/* SPDX-License-Identifier: MIT */
/*
 * One command of a guest, written down as docs/replay.md, "The file" says. Everything is read
 * through the gate to guest memory; what does not resolve or contradicts itself sets `failed`, and
 * then nothing of the command gets into the file. Private to server/replay.
 */
#ifndef SM_SERVER_REPLAY_SCRIBE_H
#define SM_SERVER_REPLAY_SCRIBE_H

#include <spice/qxl_dev.h>

#include "core/base/writer.h"
#include "server/qxl/memslots.h"

/** A command on its way into text. */
struct sm_scribe {
    struct sm_writer *out;           /* borrowed; it has a limit */
    const struct sm_memslots *slots; /* borrowed */
    uint32_t group;                  /* of every address */
    bool is_compat;                  /* the first generation's layout, written as today's */
    bool is_555;                     /* colours are x1r5g5b5, written as 8 bits a channel */
    bool failed;
};

/** Appends a line or part of one, at most 200 characters. */
void sm_scribe_text(struct sm_scribe *r, const char *format, ...)
    __attribute__((format(printf, 2, 3)));

/** Copies `size` bytes of the guest; false, and failed, if they are not its own. */
bool sm_scribe_copy(struct sm_scribe *r, uint64_t address, void *to, size_t size);

/** A binary item of `size` bytes at a guest address. */
void sm_scribe_binary(struct sm_scribe *r, const char *name, uint64_t address, size_t size);

/**
 * The chain of chunks whose first header is at `address`.
 *
 * @param wanted  bytes it must have together; SIZE_MAX for any number
 */
void sm_scribe_chunks(struct sm_scribe *r, const char *name, uint64_t address, size_t wanted);

void sm_scribe_rect(struct sm_scribe *r, const char *name, const QXLRect *rect);
void sm_scribe_point(struct sm_scribe *r, QXLPoint point);
void sm_scribe_point16(struct sm_scribe *r, QXLPoint16 point);

/** An image; address 0 is none. */
void sm_scribe_image(struct sm_scribe *r, uint64_t address);

/** A colour as today's drivers say it. */
uint32_t sm_scribe_color(const struct sm_scribe *r, uint32_t color);

/** The commands, from their addresses. */
void sm_scribe_drawable(struct sm_scribe *r, uint64_t address);
void sm_scribe_update(struct sm_scribe *r, uint64_t address);
void sm_scribe_message(struct sm_scribe *r, uint64_t address);
void sm_scribe_surface(struct sm_scribe *r, uint64_t address);
void sm_scribe_cursor(struct sm_scribe *r, uint64_t address);

#endif
