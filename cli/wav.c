/* SPDX-License-Identifier: MIT */
#include "cli/wav.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

enum {
    HEAD_SIZE = 44,
    PCM = 1,
    EXTENSIBLE = 0xfffe, /* its sub-format begins with the number of the plain one */
    SIZE_MAX_BYTES = 1 << 29,
    RATE_MIN = 4000,
    RATE_MAX = 192000,
};

static void put(uint8_t *to, uint32_t value, unsigned bytes)
{
    for (unsigned i = 0; i < bytes; i++)
        to[i] = (uint8_t)(value >> 8 * i);
}

static uint32_t get(const uint8_t *from, unsigned bytes)
{
    uint32_t value = 0;
    for (unsigned i = 0; i < bytes; i++)
        value |= (uint32_t)from[i] << 8 * i;
    return value;
}

bool cli_wav_write_head(FILE *file, const struct sm_sound_format *format, uint64_t frames)
{
    uint8_t head[HEAD_SIZE] = "RIFF....WAVEfmt ";
    uint32_t frame_bytes = format->channels * 2;
    uint64_t size = frames * frame_bytes;
    uint32_t told = size < UINT32_MAX - HEAD_SIZE ? (uint32_t)size : UINT32_MAX - HEAD_SIZE;
    put(head + 4, told + HEAD_SIZE - 8, 4);
    put(head + 16, 16, 4);
    put(head + 20, PCM, 2);
    put(head + 22, format->channels, 2);
    put(head + 24, format->rate_hz, 4);
    put(head + 28, format->rate_hz * frame_bytes, 4);
    put(head + 32, frame_bytes, 2);
    put(head + 34, 16, 2);
    memcpy(head + 36, "data", 4);
    put(head + 40, told, 4);
    return fwrite(head, sizeof(head), 1, file) == 1;
}

bool cli_wav_write(FILE *file, const int16_t *samples, uint32_t frames, uint32_t channels)
{
    for (uint32_t i = 0; i < frames * channels; i++) {
        uint8_t bytes[2];
        put(bytes, (uint16_t)samples[i], 2);
        if (fwrite(bytes, sizeof(bytes), 1, file) != 1)
            return false;
    }
    return true;
}

/* ---- Reading ---- */

static bool fail(struct cli_failure *failure, const char *path, const char *why)
{
    return cli_fail(failure, CLI_EXIT_USAGE,
                    "give a WAV file of 16-bit samples; sox FILE -b 16 OUT.wav makes one", "%s: %s",
                    path, why);
}

static bool take_samples(struct cli_wav *wav, FILE *file, uint32_t size)
{
    uint32_t frame_bytes = wav->format.channels * 2;
    size = size < SIZE_MAX_BYTES ? size : SIZE_MAX_BYTES; /* streams tell a size of no meaning */
    uint8_t *bytes = malloc(size + 1);
    if (!bytes)
        return false;
    size_t got = fread(bytes, 1, size, file);
    wav->frames = (uint32_t)(got / frame_bytes);
    wav->samples = malloc((size_t)wav->frames * frame_bytes + 1);
    for (size_t i = 0; wav->samples && i < (size_t)wav->frames * wav->format.channels; i++)
        wav->samples[i] = (int16_t)get(bytes + 2 * i, 2);
    free(bytes);
    return wav->samples != NULL;
}

/* Piece by piece up to the samples; NULL, or why not. */
static const char *parse(struct cli_wav *wav, FILE *file)
{
    uint8_t head[12], piece[8], format[40];
    if (fread(head, sizeof(head), 1, file) != 1 || memcmp(head, "RIFF", 4) != 0 ||
        memcmp(head + 8, "WAVE", 4) != 0)
        return "not a WAV file";
    bool has_format = false;
    while (fread(piece, sizeof(piece), 1, file) == 1) {
        uint32_t size = get(piece + 4, 4);
        if (memcmp(piece, "data", 4) == 0 && has_format)
            return take_samples(wav, file, size) ? NULL : "out of memory";
        if (memcmp(piece, "fmt ", 4) != 0) {
            for (uint64_t i = 0; i < (uint64_t)size + (size & 1); i++)
                if (getc(file) == EOF)
                    return "it ends before its samples";
            continue;
        }
        if (size < 16 || size > sizeof(format) || fread(format, size, 1, file) != 1)
            return "its format makes no sense";
        uint32_t kind = get(format, 2);
        if (kind == EXTENSIBLE && size == sizeof(format))
            kind = get(format + 24, 2);
        wav->format =
            (struct sm_sound_format){.channels = get(format + 2, 2), .rate_hz = get(format + 4, 4)};
        has_format = kind == PCM && get(format + 14, 2) == 16 && wav->format.channels >= 1 &&
                     wav->format.channels <= SM_SOUND_LEVELS_MAX &&
                     wav->format.rate_hz >= RATE_MIN && wav->format.rate_hz <= RATE_MAX;
        if (!has_format)
            return "not PCM of 16 bits in 1 to 8 channels";
    }
    return "it has no samples";
}

bool cli_wav_read(struct cli_wav *wav, const char *path, struct cli_failure *failure)
{
    *wav = (struct cli_wav){0};
    FILE *file = fopen(path, "rbe");
    if (!file)
        return fail(failure, path, strerror(errno));
    const char *why = parse(wav, file);
    (void)fclose(file);
    if (!why)
        return true;
    cli_wav_finish(wav);
    return fail(failure, path, why);
}

void cli_wav_finish(struct cli_wav *wav)
{
    free(wav->samples);
    wav->samples = NULL;
}

bool cli_wav_frame(const struct cli_wav *wav, uint64_t at, uint32_t rate_hz, uint32_t channels,
                   int16_t *out)
{
    double place = (double)at * wav->format.rate_hz / rate_hz;
    uint64_t first = (uint64_t)place;
    double part = place - (double)first;
    if (first >= wav->frames)
        return false;
    uint64_t second = first + 1 < wav->frames ? first + 1 : first;
    for (uint32_t i = 0; i < channels; i++) {
        uint32_t from = i < wav->format.channels ? i : 0;
        int16_t a = wav->samples[first * wav->format.channels + from];
        int16_t b = wav->samples[second * wav->format.channels + from];
        out[i] = (int16_t)(a + (b - a) * part);
    }
    return true;
}
