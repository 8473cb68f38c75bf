/* SPDX-License-Identifier: MIT */
/* Invariant: whatever a guest sends a CD drive, and however the bytes are cut, the drive answers
 * the same, reads nothing beyond its image and keeps within its limits. The first byte says how
 * the bytes are cut. */
#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "client/usb/cd_drive.h"

enum { IMAGE_BYTES = 5000, CAPS = 0xfe, OUT_MAX = 4 << 20, SEED = 5381 };

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check(bool holds)
{
    if (!holds)
        abort();
}

static bool read_image(void *opaque, uint64_t offset, uint8_t *out, size_t size)
{
    (void)opaque;
    check(offset <= IMAGE_BYTES && size <= IMAGE_BYTES - offset);
    memset(out, (int)(offset & 255), size);
    return offset != 4096;
}

static uint64_t digest(uint64_t hash, struct sm_bytes bytes)
{
    for (size_t i = 0; i < bytes.size; i++)
        hash = hash * 33 + bytes.data[i];
    return hash;
}

/* All that the drive says to `data`, as a number. */
static uint64_t play(const uint8_t *data, size_t size, size_t step)
{
    struct sm_redir_reader reader = {.our_caps = CAPS};
    struct sm_cd_drive *drive;
    struct sm_cd_image image = {.bytes = IMAGE_BYTES, .read = read_image};
    struct sm_writer out;
    uint64_t hash = SEED;
    sm_writer_init(&out, OUT_MAX);
    if (sm_cd_drive_create(&drive, &image, 1) != SM_OK)
        return 0;
    enum sm_status status = SM_AGAIN;
    for (size_t at = 0; at < size && status >= 0; at += step) {
        struct sm_bytes in = {data + at, size - at < step ? size - at : step};
        struct sm_redir_packet packet;
        while ((status = sm_redir_next(&reader, &in, &packet)) == SM_OK) {
            if (sm_cd_drive_packet(drive, &reader, &packet, &out) != SM_OK) {
                status = SM_ERR_PROTOCOL;
                break;
            }
            while (sm_cd_drive_run(drive, &reader, &out))
                check(!out.failed && out.size <= SM_CD_OUT_MAX);
            hash = digest(hash, sm_writer_bytes(&out));
            sm_writer_reset(&out);
        }
    }
    hash = hash * 33 + (uint64_t)(status < 0);
    sm_cd_drive_destroy(drive);
    sm_redir_reader_finish(&reader);
    sm_writer_finish(&out);
    return hash;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    if (size < 2)
        return 0;
    uint64_t whole = play(data + 1, size - 1, SIZE_MAX);
    check(whole == play(data + 1, size - 1, 1 + data[0] % 32));
    return 0;
}
