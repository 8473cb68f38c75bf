/* SPDX-License-Identifier: MIT */
/*
 * Takes a thread's right to open anything, for threads that decode what others send. Source:
 * docs/io.md, "A thread that only computes".
 */
#ifndef SM_IO_SANDBOX_H
#define SM_IO_SANDBOX_H

#include "sumac/status.h"

/**
 * From now on the calling thread, and threads it starts, can open no file, socket or process, nor
 * change anything by its path: such calls fail with EPERM. What is open already stays usable. There
 * is no way back. Other threads are not affected.
 *
 * @return SM_OK; SM_ERR_STATE if the kernel or the processor's architecture does not allow it, or
 *         the environment has SUMAC_NO_SANDBOX (for debuggers)
 */
SM_NODISCARD enum sm_status sm_sandbox_enter(void);

#endif
