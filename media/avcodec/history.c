/* SPDX-License-Identifier: MIT */
#include "media/avcodec/history.h"

static void forget(struct sm_history *history)
{
    for (size_t i = 0; i < history->count; i++)
        av_packet_free(&history->packets[i]);
    history->count = history->size_bytes = 0;
}

bool sm_history_init(struct sm_history *history, enum AVCodecID codec)
{
    *history = (struct sm_history){.parser = av_parser_init((int)codec),
                                   .codec = avcodec_alloc_context3(NULL)};
    if (!history->parser || !history->codec)
        return false;
    history->parser->flags |= PARSER_FLAG_COMPLETE_FRAMES;
    history->codec->codec_id = codec;
    return true;
}

/* Decoding can begin here. A point from which pictures only become whole by and by is none. */
static bool is_key(struct sm_history *history, const AVPacket *packet)
{
    uint8_t *out = NULL;
    int size = 0;
    history->parser->key_frame = -1;
    history->parser->pict_type = AV_PICTURE_TYPE_NONE;
    (void)av_parser_parse2(history->parser, history->codec, &out, &size, packet->data, packet->size,
                           AV_NOPTS_VALUE, AV_NOPTS_VALUE, -1);
    return history->parser->key_frame == 1 && history->parser->pict_type == AV_PICTURE_TYPE_I;
}

void sm_history_add(struct sm_history *history, const AVPacket *packet)
{
    if (is_key(history, packet)) {
        forget(history);
        history->is_cut = false;
    }
    size_t size = (size_t)packet->size;
    if (history->is_cut)
        return;
    bool has_room = history->count < SM_HISTORY_MAX_PACKETS &&
                    size <= SM_HISTORY_MAX_BYTES - history->size_bytes;
    AVPacket *kept = has_room ? av_packet_clone(packet) : NULL;
    if (!kept) {
        forget(history);
        history->is_cut = true;
        return;
    }
    history->packets[history->count++] = kept;
    history->size_bytes += size;
}

void sm_history_finish(struct sm_history *history)
{
    forget(history);
    if (history->parser)
        av_parser_close(history->parser);
    avcodec_free_context(&history->codec);
    *history = (struct sm_history){.parser = NULL};
}
