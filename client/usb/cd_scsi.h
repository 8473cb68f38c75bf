/* SPDX-License-Identifier: MIT */
/*
 * The commands of a CD drive (SCSI, MMC) over an image. Sans I/O: a command says which bytes answer
 * it, or which part of the image. Source: SPC-3, SBC-2 and MMC-5; docs/usb.md.
 */
#ifndef SM_CLIENT_USB_CD_SCSI_H
#define SM_CLIENT_USB_CD_SCSI_H

#include <stdbool.h>
#include <stdint.h>

#include "core/base/writer.h"
#include "sumac/bytes.h"
#include "sumac/status.h"

enum {
    SM_CD_BLOCK = 2048, /* bytes; the last block of an image is filled up with zeros */
    SM_CD_ANSWER_MAX = 4096,
};

/** A drive. Thread: one at a time. */
struct sm_cd {
    uint64_t image_bytes; /* of the image; 0: there is no disc */
    char serial[13];      /* of this drive, with a NUL */
    bool is_locked;       /* the guest wants no ejection */
    bool is_ejected;      /* by the guest */
    bool is_new;          /* a disc the guest has not been told of as an event */
    uint8_t sense_key, sense_code, sense_qualifier; /* why the last command failed */
    struct sm_writer answer;
};

/** What a command leads to. */
struct sm_cd_result {
    bool is_good;         /* false: the sense data say why */
    struct sm_bytes data; /* the answer, borrowed until the next command; empty if it reads */
    uint64_t read_offset; /* bytes into the image */
    uint64_t read_bytes;  /* 0: the command reads nothing of the image */
};

void sm_cd_init(struct sm_cd *cd, uint64_t image_bytes, uint32_t unit);
void sm_cd_finish(struct sm_cd *cd);

/** Does a command of `cdb.size` bytes, at most 16. What it writes to the drive does not matter. */
struct sm_cd_result sm_cd_command(struct sm_cd *cd, struct sm_bytes cdb);

/** A read did not come to its end: the next REQUEST SENSE says so. */
void sm_cd_read_failed(struct sm_cd *cd);

#endif
