/* SPDX-License-Identifier: MIT */
#include "server/session/figures.h"

#include <stdlib.h>

const char *sm_figure_codec_name(enum sm_figure_codec codec)
{
    static const char *const NAMES[SM_FIGURE_CODECS] = {
        [SM_FIGURE_RAW] = "raw",   [SM_FIGURE_QUIC] = "quic",         [SM_FIGURE_LZ] = "lz",
        [SM_FIGURE_GLZ] = "glz",   [SM_FIGURE_ZLIB_GLZ] = "zlib-glz", [SM_FIGURE_LZ4] = "lz4",
        [SM_FIGURE_JPEG] = "jpeg", [SM_FIGURE_CACHE] = "cache",       [SM_FIGURE_MJPEG] = "mjpeg",
        [SM_FIGURE_VP8] = "vp8",   [SM_FIGURE_H264] = "h264",         [SM_FIGURE_VP9] = "vp9",
        [SM_FIGURE_H265] = "h265", [SM_FIGURE_AV1] = "av1",
    };
    return (unsigned)codec < SM_FIGURE_CODECS ? NAMES[codec] : "unknown";
}

struct sm_figures *sm_figures_create(void)
{
    struct sm_figures *figures = calloc(1, sizeof(*figures));
    if (figures)
        atomic_init(&figures->references, 1);
    return figures;
}

struct sm_figures *sm_figures_ref(struct sm_figures *figures)
{
    atomic_fetch_add_explicit(&figures->references, 1, memory_order_relaxed);
    return figures;
}

void sm_figures_unref(struct sm_figures *figures)
{
    if (figures && atomic_fetch_sub_explicit(&figures->references, 1, memory_order_acq_rel) == 1)
        free(figures);
}

void sm_figures_codec(struct sm_figures *figures, enum sm_figure_codec codec)
{
    sm_figure_add(&figures->codecs[codec], 1);
    atomic_store_explicit(&figures->last_codec, codec, memory_order_relaxed);
}

void sm_figures_age(struct sm_figures *figures, uint64_t age_us)
{
    sm_figure_set(&figures->age_us, age_us);
    if (age_us > sm_figure_get(&figures->age_max_us)) /* one thread writes */
        sm_figure_set(&figures->age_max_us, age_us);
}
