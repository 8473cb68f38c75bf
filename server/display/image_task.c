/* SPDX-License-Identifier: MIT */
#include "server/display/image_task.h"

#include "core/codec/encoder.h"
#include "server/display/glz_share.h"

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

/* What is sent in place of one image. */
static void replace(const struct plan *plan, const struct sm_image **at, enum role role)
{
    struct sm_image_task *task = plan->task;
    if (!*at || task->count == SM_IMAGE_TASK_MAX)
        return;
    struct sm_image_slot *slot = &task->slots[task->count++];
    slot->from = *at;
    slot->to = **at;
    /* No cache is kept for clients yet, so nothing may claim to be in it. */
    slot->to.flags &= SM_IMAGE_FLAG_HIGH_BITS_SET;
    struct sm_image_receiver receiver = *plan->receiver;
    receiver.may_be_lossy = receiver.may_be_lossy && role == SOURCE;
    slot->codec = role == MASK ? SM_CODEC_BITMAP : sm_image_policy_choose(&receiver, *at);
    if (slot->codec != SM_CODEC_BITMAP)
        task->raw_bytes += slot->from->bitmap.data.size;
    if (slot->codec == SM_CODEC_GLZ || slot->codec == SM_CODEC_ZLIB_GLZ)
        task->uses_glz = true;
    sm_writer_init(&slot->data, 0);
    *at = &slot->to;
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

void sm_image_task_init(struct sm_image_task *task, const struct sm_display_msg *msg,
                        const struct sm_image_receiver *receiver)
{
    *task = (struct sm_image_task){.msg = *msg};
    if (receiver->glz)
        task->glz = sm_glz_share_ref(receiver->glz);
    replace_all(&(struct plan){.task = task, .receiver = receiver}, &task->msg);
}

bool sm_image_task_is_lossy(const struct sm_image_task *task)
{
    for (unsigned i = 0; i < task->count; i++) {
        enum sm_image_codec codec = task->slots[i].codec;
        if (codec == SM_CODEC_JPEG || codec == SM_CODEC_JPEG_ALPHA)
            return true;
    }
    return false;
}

void sm_image_task_finish(struct sm_image_task *task)
{
    for (unsigned i = 0; i < task->count; i++)
        sm_writer_finish(&task->slots[i].data);
    sm_glz_share_unref(task->glz);
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
    if (sm_image_encode(encoder, &codec, &in, &info, &slot->data) != SM_OK)
        return;
    slot->to = (struct sm_image){
        .id = slot->to.id,
        .type = (uint8_t)codec,
        .flags = slot->to.flags,
        .width = slot->to.width,
        .height = slot->to.height,
        .palette = bitmap->palette,
        .palette_flags = info.is_top_down ? SM_BITMAP_FLAG_TOP_DOWN : 0,
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
