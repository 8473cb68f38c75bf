/* SPDX-License-Identifier: MIT */
/*
 * A CD drive on USB that exists only here: descriptors, control requests and the bulk-only
 * transport around the commands of client/usb/cd_scsi, over the packets of client/usb/redir. Sans
 * I/O but for reading the image. Source: USB 2.0, Mass Storage Bulk-Only Transport 1.0;
 * docs/usb.md.
 */
#ifndef SM_CLIENT_USB_CD_DRIVE_H
#define SM_CLIENT_USB_CD_DRIVE_H

#include <stdbool.h>
#include <stdint.h>

#include "client/usb/redir.h"
#include "core/base/writer.h"
#include "sumac/status.h"

enum {
    SM_CD_VENDOR = 0x2b23,
    SM_CD_PRODUCT = 0xcdcd,
    SM_CD_CLASS = 8,                                /* mass storage */
    SM_CD_REQUEST_MAX = 1 << 20,                    /* bytes of one transfer */
    SM_CD_OUT_MAX = SM_CD_REQUEST_MAX + (64 << 10), /* what a writer for answers has to allow */
};

/** Where the disc's bytes come from. */
struct sm_cd_image {
    uint64_t bytes; /* at least 1 */
    /** Copies `size` bytes from `offset`, all inside the image; false if they cannot be read. */
    bool (*read)(void *opaque, uint64_t offset, uint8_t *out, size_t size);
    void *opaque;
};

/** Thread: one at a time. */
struct sm_cd_drive;

/**
 * @param image  copied; its opaque is borrowed as long as the drive lives
 * @param unit   tells drives of one session apart, in their serial numbers
 * @return SM_OK; SM_ERR_NOMEM
 */
SM_NODISCARD enum sm_status sm_cd_drive_create(struct sm_cd_drive **out,
                                               const struct sm_cd_image *image, uint32_t unit);

/** NULL does nothing. */
void sm_cd_drive_destroy(struct sm_cd_drive *drive);

/** Tells the guest that the drive is plugged in: the packets that say so. */
void sm_cd_drive_connect(const struct sm_cd_drive *drive, const struct sm_redir_reader *reader,
                         struct sm_writer *w);

/**
 * A packet of the guest for the drive. What can be answered at once is; transfers from the drive
 * wait for sm_cd_drive_run(). What is no affair of a drive is left.
 *
 * @return SM_OK; SM_ERR_PROTOCOL if the packet makes no sense
 */
SM_NODISCARD enum sm_status sm_cd_drive_packet(struct sm_cd_drive *drive,
                                               const struct sm_redir_reader *reader,
                                               const struct sm_redir_packet *packet,
                                               struct sm_writer *w);

/**
 * Answers a transfer from the drive that waits.
 *
 * @return false if none can be answered
 */
bool sm_cd_drive_run(struct sm_cd_drive *drive, const struct sm_redir_reader *reader,
                     struct sm_writer *w);

/** The guest has ejected the disc, and knows that it worked. */
bool sm_cd_drive_is_ejected(const struct sm_cd_drive *drive);

/** Bytes of the image that were read so far. */
uint64_t sm_cd_drive_read_bytes(const struct sm_cd_drive *drive);

#endif
