/* SPDX-License-Identifier: MIT */
/* The tables that sm_gfx_ops_init() chooses from. Private to core/gfx. */
#ifndef SM_CORE_GFX_ROWS_H
#define SM_CORE_GFX_ROWS_H

#include "core/gfx/ops.h"

extern const struct sm_gfx_ops sm_gfx_ops_c;

#if defined(__x86_64__)
extern const struct sm_gfx_ops sm_gfx_ops_avx2;
#endif

#endif
