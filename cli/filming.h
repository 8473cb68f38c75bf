/* SPDX-License-Identifier: MIT */
/* A monitor's changes, as they happen, into a film. */
#ifndef SM_CLI_FILMING_H
#define SM_CLI_FILMING_H

#include <stdbool.h>
#include <stdint.h>

struct cli_connection;
struct cli_settle;

struct cli_filming {
    const char *name;     /* of the file; its ending tells the kind */
    uint32_t codec;       /* enum sm_movie_codec */
    uint32_t fps;         /* at most */
    uint32_t duration_ms; /* 0: until Ctrl-C */
    bool has_sound;       /* the machine plays sound, which is to be heard */

    /* Results: */
    uint32_t width, height;
    uint64_t frames, lasted_us, sound_frames;
    char codec_name[16];
};

/**
 * Films from now on. Ctrl-C, or the end of the session if `may_end`, is a good end once a picture
 * was taken: what is there is kept.
 */
bool cli_film(struct cli_connection *connection, struct cli_settle *settle,
              struct cli_filming *filming, bool may_end);

#endif
