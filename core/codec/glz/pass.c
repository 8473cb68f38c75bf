/* SPDX-License-Identifier: MIT */
/* The GLZ pass in portable C. */
#include "core/codec/glz/pass.h"
#include "core/codec/lz/here.h"

enum sm_glz_result sm_glz_pass_c(struct sm_glz_pass *pass, enum sm_lz_unit unit)
{
    return glz_pass_any(pass, unit, lz_expand_bgr_here);
}
