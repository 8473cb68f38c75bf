/* SPDX-License-Identifier: MIT */
#include "server/session/video_codecs.h"

#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/wire/display.h"
#include "server/session/log.h"

/* The texts below are searched for by users and tests of the reference server. */

static const char AUTO_LIST[] =
    "spice:mjpeg;gstreamer:mjpeg;gstreamer:h264;gstreamer:vp8;gstreamer:vp9";

enum { WORD_MAX = 64 };

static bool is_word_character(char c)
{
    return (c >= '0' && c <= '9') || (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') || c == '_';
}

/* Takes a word off the front of `*text`; false if there is none, or one nobody could mean. */
static bool take_word(const char **text, char word[WORD_MAX])
{
    size_t size = 0;
    while (is_word_character((*text)[size]))
        size++;
    if (size == 0 || size >= WORD_MAX)
        return false;
    memcpy(word, *text, size);
    word[size] = '\0';
    *text += size;
    return true;
}

/* The wire's number for a codec; 0 if nobody knows it. */
static uint8_t codec_of(const char *word)
{
    static const struct {
        const char *word;
        uint8_t codec;
    } KNOWN[] = {{"mjpeg", SM_VIDEO_CODEC_MJPEG},
                 {"vp8", SM_VIDEO_CODEC_VP8},
                 {"h264", SM_VIDEO_CODEC_H264},
                 {"vp9", SM_VIDEO_CODEC_VP9},
                 {"av1", SM_VIDEO_CODEC_AV1}};
    for (size_t i = 0; i < sizeof(KNOWN) / sizeof(KNOWN[0]); i++)
        if (strcmp(word, KNOWN[i].word) == 0)
            return KNOWN[i].codec;
    return 0;
}

static bool is_one_of(const char *word, const char *const *words)
{
    for (; *words; words++)
        if (strcmp(word, *words) == 0)
            return true;
    return false;
}

/* Whether an entry can be used; says why not. */
static bool check_entry(const char *encoder, const char *codec, const struct sm_log *log)
{
    static const char *const encoders[] = {"spice", "gstreamer", NULL};
    if (!is_one_of(encoder, encoders)) {
        sm_say(log, SM_LOG_WARNING, "spice: unknown video encoder %s", encoder);
        return false;
    }
    if (codec_of(codec) == 0) {
        sm_say(log, SM_LOG_WARNING, "spice: unknown video codec %s", codec);
        return false;
    }
    if (strcmp(encoder, "spice") == 0 && strcmp(codec, "mjpeg") != 0) {
        sm_say(log, SM_LOG_WARNING, "spice: unsupported video encoder %s", encoder);
        return false;
    }
    return true;
}

char *sm_video_codecs_parse(const char *text, const struct sm_log *log)
{
    const char *input = text;
    if (strcmp(text, "auto") == 0)
        text = AUTO_LIST;
    /* The plain form is never longer than what was given. */
    char *list = malloc(strlen(text) + 1);
    if (!list)
        return NULL;
    char *end = list;
    while (*text) {
        char encoder[WORD_MAX], codec[WORD_MAX];
        if (*text == ';') {
            text++;
            continue;
        }
        const char *entry = text;
        bool is_entry = take_word(&text, encoder) && *text == ':';
        if (is_entry) {
            text++;
            is_entry = take_word(&text, codec) && (*text == ';' || *text == '\0');
        }
        if (!is_entry) {
            sm_say(log, SM_LOG_WARNING, "spice: invalid encoder:codec value at %s", entry);
            break;
        }
        if (check_entry(encoder, codec, log))
            end += sprintf(end, "%s%s:%s", end == list ? "" : ";", encoder, codec);
    }
    if (end == list) {
        sm_say(log, SM_LOG_WARNING, "Failed to set video codecs, input string: '%s'", input);
        free(list);
        return NULL;
    }
    return list;
}

struct sm_video_list sm_video_codecs_of(const char *plain)
{
    if (strcmp(plain, AUTO_LIST) == 0)
        return sm_video_list_automatic();
    struct sm_video_list list = {.count = 0};
    while (*plain) {
        char encoder[WORD_MAX], codec[WORD_MAX];
        if (!take_word(&plain, encoder) || *plain++ != ':' || !take_word(&plain, codec))
            break; /* not plain */
        sm_video_list_add(&list, codec_of(codec));
        plain += *plain == ';';
    }
    return list;
}
