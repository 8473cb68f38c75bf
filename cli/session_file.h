/* SPDX-License-Identifier: MIT */
/* Raw session files: what the channels of a session received, and when. docs/session_file.md. */
#ifndef SM_CLI_SESSION_FILE_H
#define SM_CLI_SESSION_FILE_H

#include <pthread.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include "cli/failure.h"
#include "sumac/session.h"

enum {
    CLI_SESSION_HEAD_BYTES = 16,
    CLI_SESSION_PIECE_HEAD_BYTES = 16,
    CLI_SESSION_PIECE_MAX = 1 << 20, /* bytes of one piece */
    CLI_SESSION_PIECES_MAX = 1 << 24,
    CLI_SESSION_CONNECTIONS_MAX = 256,
};

/* ---- Writing ---- */

/** Thread: cli_session_writer_put() any, the rest one. */
struct cli_session_writer {
    FILE *file; /* borrowed */
    pthread_mutex_t lock;
    uint64_t start_us; /* monotonic */
    uint64_t bytes;    /* of all channels */
    bool has_failed;   /* the file cannot be written */
};

/** Begins a file. */
void cli_session_writer_init(struct cli_session_writer *writer, FILE *file);

/** For sm_session_set_capture(). */
void cli_session_writer_put(void *writer, const struct sm_capture *piece);

/** Marks the file as whole. @return false if it could not be written */
bool cli_session_writer_finish(struct cli_session_writer *writer);

/* ---- Reading ---- */

/** Some bytes that a connection received. */
struct cli_session_piece {
    uint32_t connection; /* index */
    uint32_t size;
    uint64_t offset; /* in the file */
    uint64_t at_us;  /* since the beginning */
};

struct cli_session_connection {
    uint8_t kind, id;
    uint32_t common_caps, channel_caps; /* the server's */
    uint64_t opened_us, bytes;
};

/** Where everything is; the bytes stay in the file. */
struct cli_session_index {
    struct cli_session_piece *pieces; /* owned; in the order of time */
    size_t piece_count;
    struct cli_session_connection connections[CLI_SESSION_CONNECTIONS_MAX];
    size_t connection_count;
    uint64_t begun_us; /* since 1970 */
    uint64_t lasted_us;
    bool is_whole; /* it was not cut off */
};

/**
 * Reads a file from its beginning. One that was cut off counts as far as it makes sense.
 *
 * @param index  receives it; released with cli_session_index_finish(), also on failure
 * @return NULL, or what is wrong with it; static
 */
const char *cli_session_index_read(struct cli_session_index *index, FILE *file);

void cli_session_index_finish(struct cli_session_index *index);

#endif
