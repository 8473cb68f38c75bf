/* SPDX-License-Identifier: MIT */
#include "server/display/image_task.h"

#include "core/codec/encoder.h"
#include "io/clock.h"
#include "server/display/glz_share.h"
#include "server/display/image_costs.h"
#include "server/display/peer_palettes.h"

/* What an image is to its message. */
enum role {
    SOURCE, /* its colours are shown, or combined, as the message says */
    BRUSH,  /* always exact */
    MASK,   /* always as it is */
};

struct plan {
    struct sm_image_task *task;
    const struct sm_image_receiver *receiver;
};

/* ---- deciding ---- */

/*
 * Only images that the client draws alike from its cache and from the message: a picture with a
 * palette is decoded otherwise when it is kept, and masks and pictures had better not be mixed up.
 */
bool sm_image_task_caches(const struct sm_image_receiver *receiver, const struct sm_image *image)
{
    if (!receiver->images || !(image->flags & SM_IMAGE_FLAG_CACHE_ME))
        return false;
    return image->type == SM_IMAGE_TYPE_QUIC ||
           (image->type == SM_IMAGE_TYPE_BITMAP && !image->bitmap.palette);
}

/* True if the client has the image: nothing but its name is sent. */
static bool take_from_cache(const struct plan *plan, struct sm_image_slot *slot, bool may_be_lossy)
{
    const struct sm_image *image = slot->from;
    enum sm_pixmap_answer answer =
        sm_pixmap_use_find(&plan->task->use, image->id, image->width, image->height, may_be_lossy);
    if (answer == SM_PIXMAP_ABSENT)
        return false;
    slot->to = (struct sm_image){
        .id = image->id,
        .type = answer == SM_PIXMAP_USABLE_EXACTLY ? SM_IMAGE_TYPE_FROM_CACHE_LOSSLESS
                                                   : SM_IMAGE_TYPE_FROM_CACHE,
        .width = image->width,
        .height = image->height,
    };
    slot->codec = SM_CODEC_BITMAP;
    slot->is_lossy = answer == SM_PIXMAP_USABLE_LOSSY;
    return true;
}

/* Whether the palette travels, is kept, or is there. */
static void plan_palette(const struct plan *plan, struct sm_image_slot *slot)
{
    struct sm_image_task *task = plan->task;
    const struct sm_palette *palette = slot->from->bitmap.palette;
    uint64_t evicted = 0;
    slot->palette = palette;
    if (!palette || !plan->receiver->palettes)
        return;
    switch (sm_peer_palettes_use(plan->receiver->palettes, palette, &evicted)) {
    case SM_PEER_PALETTE_INLINE:
        return;
    case SM_PEER_PALETTE_ADD:
        slot->palette_flags = SM_BITMAP_FLAG_PAL_CACHE_ME;
        break;
    case SM_PEER_PALETTE_THERE:
        slot->palette_flags = SM_BITMAP_FLAG_PAL_FROM_CACHE;
        slot->palette_id = palette->unique;
        slot->palette = NULL;
        break;
    }
    task->is_owed = true;
    if (evicted != 0)
        task->after[task->after_count++] = (struct sm_display_msg){
            .type = SM_MSG_DISPLAY_INVAL_PALETTE, .inval_palette = {.id = evicted}};
    slot->to.bitmap.flags |= slot->palette_flags;
    slot->to.bitmap.palette_id = slot->palette_id;
    slot->to.bitmap.palette = slot->palette;
}

/* What is sent in place of one image. */
static void replace(const struct plan *plan, const struct sm_image **at, enum role role)
{
    struct sm_image_task *task = plan->task;
    if (!*at || task->count == SM_IMAGE_TASK_MAX)
        return;
    struct sm_image_slot *slot = &task->slots[task->count++];
    slot->from = *at;
    slot->to = **at;
    slot->to.flags &= SM_IMAGE_FLAG_HIGH_BITS_SET;
    sm_writer_init(&slot->data, 0);
    struct sm_image_receiver receiver = *plan->receiver;
    receiver.may_be_lossy = receiver.may_be_lossy && role == SOURCE;
    bool is_cached = role != MASK && sm_image_task_caches(&receiver, slot->from);
    *at = &slot->to;
    if (is_cached && take_from_cache(plan, slot, receiver.may_be_lossy))
        return;
    struct sm_image_choice choice = {.codec = SM_CODEC_BITMAP};
    if (role != MASK)
        choice = sm_image_policy_choose(&receiver, slot->from);
    slot->codec = choice.codec;
    slot->expected = choice.expected;
    slot->is_expected = choice.is_expected;
    slot->is_lossy = slot->codec == SM_CODEC_JPEG || slot->codec == SM_CODEC_JPEG_ALPHA;
    if (slot->codec != SM_CODEC_BITMAP)
        task->raw_bytes += slot->from->bitmap.data.size;
    if (slot->codec == SM_CODEC_GLZ || slot->codec == SM_CODEC_ZLIB_GLZ)
        task->uses_glz = true;
    if (is_cached)
        slot->to.flags |= sm_pixmap_use_add(&task->use, slot->from->id, slot->from->width,
                                            slot->from->height, slot->is_lossy);
    if (role != MASK && slot->from->type == SM_IMAGE_TYPE_BITMAP)
        plan_palette(plan, slot);
}

static void replace_brush(const struct plan *plan, struct sm_brush *brush)
{
    if (brush->type == SM_BRUSH_TYPE_PATTERN)
        replace(plan, &brush->image, BRUSH);
}

static void replace_mask(const struct plan *plan, struct sm_qmask *mask)
{
    replace(plan, &mask->bitmap, MASK);
}

static void replace_all(const struct plan *plan, struct sm_display_msg *msg)
{
    switch (msg->type) {
    case SM_MSG_DISPLAY_DRAW_FILL:
        replace_brush(plan, &msg->draw_fill.brush);
        replace_mask(plan, &msg->draw_fill.mask);
        break;
    case SM_MSG_DISPLAY_DRAW_OPAQUE:
        replace(plan, &msg->draw_opaque.src_bitmap, SOURCE);
        replace_brush(plan, &msg->draw_opaque.brush);
        replace_mask(plan, &msg->draw_opaque.mask);
        break;
    case SM_MSG_DISPLAY_DRAW_COPY:
        replace(plan, &msg->draw_copy.src_bitmap, SOURCE);
        replace_mask(plan, &msg->draw_copy.mask);
        break;
    case SM_MSG_DISPLAY_DRAW_BLEND:
        replace(plan, &msg->draw_blend.src_bitmap, SOURCE);
        replace_mask(plan, &msg->draw_blend.mask);
        break;
    case SM_MSG_DISPLAY_DRAW_BLACKNESS:
        replace_mask(plan, &msg->draw_blackness.mask);
        break;
    case SM_MSG_DISPLAY_DRAW_WHITENESS:
        replace_mask(plan, &msg->draw_whiteness.mask);
        break;
    case SM_MSG_DISPLAY_DRAW_INVERS:
        replace_mask(plan, &msg->draw_invers.mask);
        break;
    case SM_MSG_DISPLAY_DRAW_ROP3:
        replace(plan, &msg->draw_rop3.src_bitmap, SOURCE);
        replace_brush(plan, &msg->draw_rop3.brush);
        replace_mask(plan, &msg->draw_rop3.mask);
        break;
    case SM_MSG_DISPLAY_DRAW_STROKE:
        replace_brush(plan, &msg->draw_stroke.brush);
        break;
    case SM_MSG_DISPLAY_DRAW_TEXT:
        replace_brush(plan, &msg->draw_text.fore_brush);
        replace_brush(plan, &msg->draw_text.back_brush);
        break;
    case SM_MSG_DISPLAY_DRAW_TRANSPARENT:
        replace(plan, &msg->draw_transparent.src_bitmap, SOURCE);
        break;
    case SM_MSG_DISPLAY_DRAW_ALPHA_BLEND:
        replace(plan, &msg->draw_alpha_blend.src_bitmap, SOURCE);
        break;
    case SM_MSG_DISPLAY_DRAW_COMPOSITE:
        replace(plan, &msg->draw_composite.src_bitmap, SOURCE);
        if (msg->draw_composite.flags & SM_COMPOSITE_FLAG_HAS_MASK)
            replace(plan, &msg->draw_composite.mask_bitmap, BRUSH);
        break;
    default:
        break; /* carries no image */
    }
}

/* What the client has to drop before it can take the new images. */
static void plan_invalidation(struct sm_image_task *task)
{
    const struct sm_pixmap_use *use = &task->use;
    if (use->wait_count > 0)
        task->before[task->before_count++] = (struct sm_display_msg){
            .type = SM_MSG_WAIT_FOR_CHANNELS,
            .wait_for_channels = {.num_waits = use->wait_count, .waits = use->waits}};
    if (use->evicted_count > 0)
        task->before[task->before_count++] = (struct sm_display_msg){
            .type = SM_MSG_DISPLAY_INVAL_LIST,
            .inval_list = {.num_resources = use->evicted_count, .resources = use->evicted}};
}

void sm_image_task_init(struct sm_image_task *task, const struct sm_display_msg *msg,
                        const struct sm_image_receiver *receiver)
{
    *task = (struct sm_image_task){.msg = *msg};
    if (receiver->glz)
        task->glz = sm_glz_share_ref(receiver->glz);
    sm_pixmap_use_init(&task->use, receiver->images, receiver->channel_id);
    replace_all(&(struct plan){.task = task, .receiver = receiver}, &task->msg);
    task->is_owed = task->is_owed || task->uses_glz || task->use.count > 0 || task->use.evicted;
    plan_invalidation(task);
}

void sm_image_task_sent(struct sm_image_task *task, uint64_t serial)
{
    sm_pixmap_use_sent(&task->use, serial);
}

bool sm_image_task_is_lossy(const struct sm_image_task *task)
{
    for (unsigned i = 0; i < task->count; i++) {
        if (task->slots[i].is_lossy)
            return true;
    }
    return false;
}

void sm_image_task_finish(struct sm_image_task *task)
{
    for (unsigned i = 0; i < task->count; i++)
        sm_writer_finish(&task->slots[i].data);
    sm_glz_share_unref(task->glz);
    sm_pixmap_use_finish(&task->use);
}

/* ---- encoding ---- */

/* Leaves the image as it is if it does not get smaller. */
static void encode(struct sm_image_slot *slot, struct sm_encoder *encoder)
{
    const struct sm_bitmap *bitmap = &slot->from->bitmap;
    struct sm_pixels_in in = sm_image_policy_pixels(bitmap);
    enum sm_image_codec codec = slot->codec;
    struct sm_encoded info;
    uint64_t room = bitmap->data.size;
    if (codec == SM_CODEC_ZLIB_GLZ && sm_encode_bound(SM_CODEC_GLZ, &in) > room)
        room = sm_encode_bound(SM_CODEC_GLZ, &in); /* it wants room for what is deflated */
    sm_writer_init(&slot->data, room);
    uint64_t begun_us = slot->is_expected ? sm_now_us() : 0;
    if (sm_image_encode(encoder, &codec, &in, &info, &slot->data) != SM_OK)
        return;
    if (slot->is_expected)
        slot->encoded_us = sm_now_us() - begun_us + 1;
    slot->to = (struct sm_image){
        .id = slot->to.id,
        .type = (uint8_t)codec,
        .flags = slot->to.flags,
        .width = slot->to.width,
        .height = slot->to.height,
        .palette = slot->palette,
        .palette_id = slot->palette_id,
        .palette_flags =
            (uint8_t)(slot->palette_flags | (info.is_top_down ? SM_BITMAP_FLAG_TOP_DOWN : 0)),
        .alpha_flags = info.is_top_down ? 1 : 0, /* JPEG_ALPHA: TOP_DOWN */
        .glz_data_size = info.inflated_size,
        .jpeg_size = info.jpeg_size,
        .data = sm_writer_bytes(&slot->data),
    };
}

size_t sm_image_slot_bytes(const struct sm_image_slot *slot)
{
    return slot->to.type == SM_IMAGE_TYPE_BITMAP ? slot->to.bitmap.data.size : slot->to.data.size;
}

void sm_image_task_encode(struct sm_image_task *task, struct sm_encoder *encoder)
{
    if (task->uses_glz)
        sm_encoder_set_dictionary(encoder, sm_glz_share_dictionary(task->glz));
    for (unsigned i = 0; i < task->count; i++)
        if (task->slots[i].codec != SM_CODEC_BITMAP)
            encode(&task->slots[i], encoder);
    sm_encoder_set_dictionary(encoder, NULL);
}

void sm_image_task_learn(const struct sm_image_task *task, struct sm_image_costs *costs)
{
    for (unsigned i = 0; i < task->count; i++) {
        const struct sm_image_slot *slot = &task->slots[i];
        if (slot->encoded_us)
            sm_image_costs_learn(costs, slot->codec, &slot->expected, sm_image_slot_bytes(slot),
                                 slot->encoded_us);
    }
}
