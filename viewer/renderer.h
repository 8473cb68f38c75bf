/* SPDX-License-Identifier: MIT */
/* Whether a graphics card or the processor draws. */
#ifndef SM_VIEWER_RENDERER_H
#define SM_VIEWER_RENDERER_H

/** Before the toolkit begins: has the processor draw by itself where no device could help it. */
void sm_renderer_choose(void);

#endif
