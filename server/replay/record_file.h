/* SPDX-License-Identifier: MIT */
/* Where a recording goes: a file, or the standard input of a command that writes the file. */
#ifndef SM_SERVER_REPLAY_RECORD_FILE_H
#define SM_SERVER_REPLAY_RECORD_FILE_H

#include <stdbool.h>
#include <stddef.h>

#include "sumac/bytes.h"
#include "sumac/status.h"

/** Thread: one at a time. */
struct sm_record_file;

/**
 * Creates or empties the file at `path`.
 *
 * @param filter  a command with arguments, split like a shell's but not expanded, started with the
 *                file as standard output; NULL or "" for none
 * @param reason  receives words about a failure, static or errno's
 * @return SM_OK; SM_ERR_NOMEM; SM_ERR_PROTOCOL if the command cannot be split; SM_ERR_IO
 */
SM_NODISCARD enum sm_status sm_record_file_open(struct sm_record_file **out, const char *path,
                                                const char *filter, const char **reason);

/** Closes, and lets the command finish (at most five seconds). NULL does nothing. */
void sm_record_file_close(struct sm_record_file *file);

/** False if it cannot be written, with `reason` as above. Waits for a slow command or disk. */
bool sm_record_file_write(struct sm_record_file *file, struct sm_bytes bytes, const char **reason);

/** The words of a command line, NULL behind the last; NULL if a quote is open or out of memory.
 * Release with sm_words_free(). */
char **sm_words_split(const char *line);
void sm_words_free(char **words);

#endif
