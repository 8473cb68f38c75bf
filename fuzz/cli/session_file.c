/* SPDX-License-Identifier: MIT */
/* Invariant: every piece lies within the file and belongs to a connection, times never go back, and
 * the sums are those of the pieces. */
#include <stdint.h>
#include <stdio.h>

#include "cli/session_file.h"
#include "fuzz/support/fuzz.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    if (size == 0)
        return 0;
    struct cli_session_index index;
    FILE *file = fmemopen((void *)(uintptr_t)data, size, "r");
    FUZZ_CHECK(file);
    const char *reason = cli_session_index_read(&index, file);
    uint64_t last_us = 0, bytes = 0;
    for (size_t i = 0; i < index.piece_count; i++) {
        const struct cli_session_piece *piece = &index.pieces[i];
        FUZZ_CHECK(piece->connection < index.connection_count && piece->size > 0);
        FUZZ_CHECK(piece->offset + piece->size <= size && piece->at_us >= last_us);
        last_us = piece->at_us;
        bytes += piece->size;
    }
    for (size_t i = 0; i < index.connection_count; i++)
        bytes -= index.connections[i].bytes;
    FUZZ_CHECK(bytes == 0 && !(reason && index.is_whole));
    cli_session_index_finish(&index);
    fclose(file);
    return 0;
}
