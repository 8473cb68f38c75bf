/* SPDX-License-Identifier: MIT */
#include "cli/session_file.h"

#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "cli/connection.h"

/* Source: docs/session_file.md. */
static const char MAGIC[8] = "SMSESS1\n";

enum { WHAT_OPEN = 1, WHAT_BYTES = 2, WHAT_END = 3, CAPS_BYTES = 8 };

static void put_le(uint8_t *to, uint64_t value, int bytes)
{
    for (int i = 0; i < bytes; i++)
        to[i] = (uint8_t)(value >> (8 * i));
}

static uint64_t get_le(const uint8_t *from, int bytes)
{
    uint64_t value = 0;
    for (int i = 0; i < bytes; i++)
        value |= (uint64_t)from[i] << (8 * i);
    return value;
}

/* ---- Writing ---- */

void cli_session_writer_init(struct cli_session_writer *writer, FILE *file)
{
    struct timespec now;
    uint8_t head[CLI_SESSION_HEAD_BYTES];
    *writer = (struct cli_session_writer){.file = file, .start_us = cli_now_us()};
    pthread_mutex_init(&writer->lock, NULL);
    (void)clock_gettime(CLOCK_REALTIME, &now);
    memcpy(head, MAGIC, sizeof(MAGIC));
    put_le(head + 8, (uint64_t)now.tv_sec * 1000000 + (uint64_t)now.tv_nsec / 1000, 8);
    writer->has_failed = fwrite(head, 1, sizeof(head), file) != sizeof(head);
}

/* Under the lock, so that times grow. */
static void put_piece(struct cli_session_writer *writer, int what, const struct sm_capture *piece,
                      const uint8_t *data, size_t size)
{
    uint8_t head[CLI_SESSION_PIECE_HEAD_BYTES] = {(uint8_t)what, (uint8_t)piece->kind, piece->id};
    put_le(head + 4, size, 4);
    put_le(head + 8, cli_now_us() - writer->start_us, 8);
    writer->has_failed = writer->has_failed ||
                         fwrite(head, 1, sizeof(head), writer->file) != sizeof(head) ||
                         fwrite(data, 1, size, writer->file) != size;
}

void cli_session_writer_put(void *opaque, const struct sm_capture *piece)
{
    struct cli_session_writer *writer = opaque;
    uint8_t caps[CAPS_BYTES];
    pthread_mutex_lock(&writer->lock);
    if (piece->is_open) {
        put_le(caps, piece->common_caps, 4);
        put_le(caps + 4, piece->channel_caps, 4);
        put_piece(writer, WHAT_OPEN, piece, caps, sizeof(caps));
    }
    for (size_t at = 0; at < piece->size; at += CLI_SESSION_PIECE_MAX) {
        size_t left = piece->size - at;
        put_piece(writer, WHAT_BYTES, piece, piece->data + at,
                  left < CLI_SESSION_PIECE_MAX ? left : CLI_SESSION_PIECE_MAX);
    }
    writer->bytes += piece->size;
    pthread_mutex_unlock(&writer->lock);
}

bool cli_session_writer_finish(struct cli_session_writer *writer)
{
    static const struct sm_capture none;
    pthread_mutex_lock(&writer->lock);
    put_piece(writer, WHAT_END, &none, (const uint8_t *)"", 0);
    bool is_good = !writer->has_failed;
    pthread_mutex_unlock(&writer->lock);
    pthread_mutex_destroy(&writer->lock);
    return is_good;
}

/* ---- Reading ---- */

static struct cli_session_connection *find(struct cli_session_index *index, uint8_t kind,
                                           uint8_t id)
{
    for (size_t i = index->connection_count; i > 0; i--)
        if (index->connections[i - 1].kind == kind && index->connections[i - 1].id == id)
            return &index->connections[i - 1];
    return NULL;
}

static const char *take_open(struct cli_session_index *index, const uint8_t *head,
                             const uint8_t *caps, uint64_t at_us)
{
    if (index->connection_count == CLI_SESSION_CONNECTIONS_MAX)
        return "it has too many connections";
    index->connections[index->connection_count++] = (struct cli_session_connection){
        .kind = head[1],
        .id = head[2],
        .common_caps = (uint32_t)get_le(caps, 4),
        .channel_caps = (uint32_t)get_le(caps + 4, 4),
        .opened_us = at_us,
    };
    return NULL;
}

static const char *take_bytes(struct cli_session_index *index, const uint8_t *head, uint32_t size,
                              uint64_t offset, uint64_t at_us)
{
    struct cli_session_connection *connection = find(index, head[1], head[2]);
    if (!connection)
        return "bytes stand before their connection";
    size_t count = index->piece_count;
    if (count == CLI_SESSION_PIECES_MAX)
        return "it is too long";
    if ((count & (count - 1)) == 0) { /* full whenever it is a power of two */
        size_t room = count ? count * 2 : 1;
        struct cli_session_piece *pieces = realloc(index->pieces, room * sizeof(*pieces));
        if (!pieces)
            return "there is not enough memory for it";
        index->pieces = pieces;
    }
    index->pieces[index->piece_count++] = (struct cli_session_piece){
        .connection = (uint32_t)(connection - index->connections),
        .size = size,
        .offset = offset,
        .at_us = at_us,
    };
    connection->bytes += size;
    return NULL;
}

/* One piece. `*is_over` if the file ends here, whole or not. */
static const char *take_piece(struct cli_session_index *index, FILE *file, uint64_t *offset,
                              uint64_t file_size, bool *is_over)
{
    uint8_t head[CLI_SESSION_PIECE_HEAD_BYTES], caps[CAPS_BYTES];
    *is_over = true;
    if (fread(head, 1, sizeof(head), file) != sizeof(head))
        return NULL;
    *offset += sizeof(head);
    uint32_t size = (uint32_t)get_le(head + 4, 4);
    uint64_t at_us = get_le(head + 8, 8);
    if (size > CLI_SESSION_PIECE_MAX || at_us < index->lasted_us || head[3] != 0 ||
        at_us > UINT64_MAX / 2)
        return "it is damaged";
    if (size > file_size - *offset)
        return NULL; /* cut off in the middle of a piece */
    const char *reason = "it is damaged";
    if (head[0] == WHAT_END && size == 0) {
        index->lasted_us = at_us;
        index->is_whole = true;
        return NULL;
    }
    if (head[0] == WHAT_OPEN && size == CAPS_BYTES) {
        if (fread(caps, 1, sizeof(caps), file) != sizeof(caps))
            return NULL;
        reason = take_open(index, head, caps, at_us);
    } else if (head[0] == WHAT_BYTES && size > 0) {
        reason = take_bytes(index, head, size, *offset, at_us);
        if (!reason && fseeko(file, (off_t)size, SEEK_CUR) != 0)
            return NULL;
    }
    *offset += size;
    index->lasted_us = at_us;
    *is_over = false;
    return reason;
}

const char *cli_session_index_read(struct cli_session_index *index, FILE *file)
{
    uint8_t head[CLI_SESSION_HEAD_BYTES];
    *index = (struct cli_session_index){.pieces = NULL};
    if (fseeko(file, 0, SEEK_END) != 0)
        return "it is no ordinary file";
    off_t end = ftello(file);
    rewind(file);
    if (end < 0 || fread(head, 1, sizeof(head), file) != sizeof(head) ||
        memcmp(head, MAGIC, sizeof(MAGIC)) != 0)
        return "it is no session file";
    index->begun_us = get_le(head + 8, 8);
    uint64_t offset = sizeof(head);
    bool is_over = false;
    const char *reason = NULL;
    while (!reason && !is_over)
        reason = take_piece(index, file, &offset, (uint64_t)end, &is_over);
    return reason;
}

void cli_session_index_finish(struct cli_session_index *index)
{
    free(index->pieces);
    *index = (struct cli_session_index){.pieces = NULL};
}
