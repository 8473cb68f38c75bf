/* SPDX-License-Identifier: MIT */
/*
 * What is counted of one connection, for administrators. Whoever serves the channel counts, on its
 * own thread; whoever asks reads on another: all is atomic, nothing waits. Each number is right by
 * itself, not all of them at one instant. Source: docs/statistics.md.
 */
#ifndef SM_SERVER_SESSION_FIGURES_H
#define SM_SERVER_SESSION_FIGURES_H

#include <stdatomic.h>
#include <stdint.h>

#include "io/transport.h"

enum sm_figure_codec {
    SM_FIGURE_RAW,
    SM_FIGURE_QUIC,
    SM_FIGURE_LZ,
    SM_FIGURE_GLZ,
    SM_FIGURE_ZLIB_GLZ,
    SM_FIGURE_LZ4,
    SM_FIGURE_JPEG,
    SM_FIGURE_CACHE, /* the client had it already */
    SM_FIGURE_MJPEG,
    SM_FIGURE_VP8,
    SM_FIGURE_H264,
    SM_FIGURE_VP9,
    SM_FIGURE_H265,
    SM_FIGURE_AV1,
    SM_FIGURE_CODECS,
};

/** Its name, such as "glz"; static. */
const char *sm_figure_codec_name(enum sm_figure_codec codec);

struct sm_figures {
    atomic_uint references; /* private */
    struct sm_transport_meter meter;

    _Atomic uint64_t round_trip_us; /* 0: not known */
    _Atomic uint64_t line_bytes_s;  /* what the line carries; 0: not known, or fast */

    /* display only */
    _Atomic uint64_t queued;                   /* drawings made for this client */
    _Atomic uint64_t pictures;                 /* of them, begun to be sent */
    _Atomic uint64_t waiting;                  /* of them, not sent nor dropped yet */
    _Atomic uint64_t frames;                   /* of video streams, sent */
    _Atomic uint64_t collapses;                /* times when what waited became areas */
    _Atomic uint64_t encodes, encode_us;       /* messages with something encoded; time, all told */
    _Atomic uint64_t age_us, age_max_us;       /* from drawn to given to the line: last, longest */
    _Atomic uint64_t codecs[SM_FIGURE_CODECS]; /* images and frames sent in each */
    _Atomic uint32_t last_codec;               /* enum sm_figure_codec */
};

/** All zero, with one reference; NULL if out of memory. */
struct sm_figures *sm_figures_create(void);
struct sm_figures *sm_figures_ref(struct sm_figures *figures);
/** NULL does nothing. Any thread. */
void sm_figures_unref(struct sm_figures *figures);

static inline void sm_figure_add(_Atomic uint64_t *figure, uint64_t by)
{
    atomic_fetch_add_explicit(figure, by, memory_order_relaxed);
}

static inline void sm_figure_set(_Atomic uint64_t *figure, uint64_t to)
{
    atomic_store_explicit(figure, to, memory_order_relaxed);
}

static inline uint64_t sm_figure_get(const _Atomic uint64_t *figure)
{
    return atomic_load_explicit((_Atomic uint64_t *)(uintptr_t)figure, memory_order_relaxed);
}

/** Something went out in this codec. */
void sm_figures_codec(struct sm_figures *figures, enum sm_figure_codec codec);

/** Pixels were so old when they were given to the line. */
void sm_figures_age(struct sm_figures *figures, uint64_t age_us);

#endif
