/* SPDX-License-Identifier: MIT */
#include "tests/support/va_card.h"

#include <errno.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/stat.h>

#include <va/va_backend.h>
#include <va/va_drmcommon.h>

enum {
    OBJECTS = 4096,
    MAX_SIDE = 4096,
    PITCH_BYTES = 64,
    GREY_CHROMA = 128,
};

static const unsigned long DRM_VERSION = 0xc0406400; /* the number of DRM_IOCTL_VERSION */

__attribute__((visibility("default"))) struct va_card va_card;

enum kind { NOTHING, CONFIG, CONTEXT, SURFACE, BUFFER, IMAGE };

struct object {
    enum kind kind;
    VAEntrypoint entrypoint;      /* of a config or context */
    VASurfaceID target;           /* of a context: the picture at work */
    VABufferID coded;             /* likewise: where it is encoded to */
    uint8_t grey;                 /* of a surface */
    VABufferType type;            /* of a buffer */
    uint8_t *data;                /* owned: likewise */
    VABufferID buffer;            /* of an image */
    unsigned width, height;       /* likewise */
    uint32_t pitch;               /* likewise */
    VACodedBufferSegment segment; /* of a buffer that takes an encoded picture */
};

static struct object objects[OBJECTS]; /* by id, from 1 */
static const VAProfile PROFILES[] = {VAProfileH264ConstrainedBaseline, VAProfileH264Main,
                                     VAProfileH264High, VAProfileVP8Version0_3,
                                     VAProfileVP9Profile0};
static const VAImageFormat NV12 = {
    .fourcc = VA_FOURCC_NV12, .byte_order = VA_LSB_FIRST, .bits_per_pixel = 12};

/* True if this step is to fail now. A card that answers at all was asked by an ioctl. */
static bool fails(VADriverContextP ctx, enum va_card_step step)
{
    const struct drm_state *drm = ctx->drm_state;
    if (ioctl(drm->fd, DRM_VERSION, NULL) != 0 && errno == EPERM)
        return true;
    unsigned call = va_card.calls[step]++;
    if (va_card.is_gone)
        return true;
    return va_card.fails && va_card.step == step &&
           (va_card.once ? call == va_card.from : call >= va_card.from);
}

static struct object *find(uint32_t id, enum kind kind)
{
    bool is_one = id > 0 && id < OBJECTS && objects[id].kind == kind;
    return is_one ? &objects[id] : NULL;
}

static uint32_t make(enum kind kind)
{
    for (uint32_t id = 1; id < OBJECTS; id++)
        if (objects[id].kind == NOTHING) {
            objects[id] = (struct object){.kind = kind};
            va_card.objects++;
            return id;
        }
    return 0;
}

static VAStatus drop(uint32_t id, enum kind kind)
{
    struct object *object = find(id, kind);
    if (!object)
        return VA_STATUS_ERROR_INVALID_PARAMETER;
    free(object->data);
    *object = (struct object){.kind = NOTHING};
    va_card.objects--;
    return VA_STATUS_SUCCESS;
}

/* ---- What it can ---- */

static VAStatus query_profiles(VADriverContextP ctx, VAProfile *out, int *count)
{
    *count = 0;
    if (fails(ctx, VA_CARD_PROFILES))
        return VA_STATUS_SUCCESS;
    *count = sizeof(PROFILES) / sizeof(PROFILES[0]);
    memcpy(out, PROFILES, sizeof(PROFILES));
    return VA_STATUS_SUCCESS;
}

static VAStatus query_entrypoints(VADriverContextP ctx, VAProfile profile, VAEntrypoint *out,
                                  int *count)
{
    (void)ctx, (void)profile;
    out[0] = VAEntrypointVLD;
    out[1] = VAEntrypointEncSlice;
    *count = 2;
    return VA_STATUS_SUCCESS;
}

static VAStatus get_attributes(VADriverContextP ctx, VAProfile profile, VAEntrypoint entrypoint,
                               VAConfigAttrib *list, int count)
{
    (void)ctx, (void)profile, (void)entrypoint;
    for (int i = 0; i < count; i++)
        switch (list[i].type) {
        case VAConfigAttribRTFormat:
            list[i].value = VA_RT_FORMAT_YUV420;
            break;
        case VAConfigAttribRateControl:
            list[i].value = VA_RC_CBR | VA_RC_VBR | VA_RC_CQP;
            break;
        case VAConfigAttribEncMaxRefFrames:
            list[i].value = 1;
            break;
        default:
            list[i].value = VA_ATTRIB_NOT_SUPPORTED;
            break;
        }
    return VA_STATUS_SUCCESS;
}

static VAStatus create_config(VADriverContextP ctx, VAProfile profile, VAEntrypoint entrypoint,
                              VAConfigAttrib *list, int count, VAConfigID *out)
{
    (void)profile, (void)list, (void)count;
    if (fails(ctx, VA_CARD_CONFIG))
        return VA_STATUS_ERROR_UNSUPPORTED_PROFILE;
    *out = make(CONFIG);
    objects[*out].entrypoint = entrypoint;
    return VA_STATUS_SUCCESS;
}

static VAStatus destroy_config(VADriverContextP ctx, VAConfigID id)
{
    (void)ctx;
    return drop(id, CONFIG);
}

static VASurfaceAttrib attribute(VASurfaceAttribType type, int value)
{
    return (VASurfaceAttrib){
        .type = type,
        .flags = VA_SURFACE_ATTRIB_GETTABLE | VA_SURFACE_ATTRIB_SETTABLE,
        .value = {.type = VAGenericValueTypeInteger, .value.i = value},
    };
}

static VAStatus query_surface(VADriverContextP ctx, VAConfigID config, VASurfaceAttrib *out,
                              unsigned *count)
{
    (void)ctx, (void)config;
    if (out) {
        out[0] = attribute(VASurfaceAttribPixelFormat, VA_FOURCC_NV12);
        out[1] = attribute(VASurfaceAttribMaxWidth, MAX_SIDE);
        out[2] = attribute(VASurfaceAttribMaxHeight, MAX_SIDE);
    }
    *count = 3;
    return VA_STATUS_SUCCESS;
}

static VAStatus query_images(VADriverContextP ctx, VAImageFormat *out, int *count)
{
    (void)ctx;
    out[0] = NV12;
    *count = 1;
    return VA_STATUS_SUCCESS;
}

/* ---- Surfaces, contexts, buffers ---- */

static VAStatus destroy_surfaces(VADriverContextP ctx, VASurfaceID *list, int count)
{
    (void)ctx;
    VAStatus status = VA_STATUS_SUCCESS;
    for (int i = 0; i < count; i++)
        if (drop(list[i], SURFACE))
            status = VA_STATUS_ERROR_INVALID_SURFACE;
    return status;
}

static VAStatus create_surfaces(VADriverContextP ctx, unsigned format, unsigned width,
                                unsigned height, VASurfaceID *out, unsigned count,
                                VASurfaceAttrib *list, unsigned attributes)
{
    (void)format, (void)width, (void)height, (void)list, (void)attributes;
    if (fails(ctx, VA_CARD_SURFACES))
        return VA_STATUS_ERROR_ALLOCATION_FAILED;
    for (unsigned i = 0; i < count; i++)
        out[i] = make(SURFACE);
    return VA_STATUS_SUCCESS;
}

static VAStatus create_context(VADriverContextP ctx, VAConfigID config, int width, int height,
                               int flag, VASurfaceID *targets, int count, VAContextID *out)
{
    (void)width, (void)height, (void)flag, (void)targets, (void)count;
    if (fails(ctx, VA_CARD_CONTEXT) || !find(config, CONFIG))
        return VA_STATUS_ERROR_ALLOCATION_FAILED;
    *out = make(CONTEXT);
    objects[*out].entrypoint = objects[config].entrypoint;
    return VA_STATUS_SUCCESS;
}

static VAStatus destroy_context(VADriverContextP ctx, VAContextID id)
{
    (void)ctx;
    return drop(id, CONTEXT);
}

static VAStatus create_buffer(VADriverContextP ctx, VAContextID context, VABufferType type,
                              unsigned size, unsigned count, void *data, VABufferID *out)
{
    (void)context;
    if (fails(ctx, VA_CARD_BUFFER))
        return VA_STATUS_ERROR_ALLOCATION_FAILED;
    *out = make(BUFFER);
    struct object *buffer = &objects[*out];
    buffer->type = type;
    buffer->data = calloc(count, size);
    if (!buffer->data)
        return VA_STATUS_ERROR_ALLOCATION_FAILED;
    if (data)
        memcpy(buffer->data, data, (size_t)size * count);
    return VA_STATUS_SUCCESS;
}

static VAStatus map_buffer(VADriverContextP ctx, VABufferID id, void **out)
{
    struct object *buffer = find(id, BUFFER);
    if (fails(ctx, VA_CARD_MAP) || !buffer)
        return VA_STATUS_ERROR_OPERATION_FAILED;
    *out = buffer->type == VAEncCodedBufferType ? (void *)&buffer->segment : buffer->data;
    return VA_STATUS_SUCCESS;
}

static VAStatus unmap_buffer(VADriverContextP ctx, VABufferID id)
{
    (void)ctx;
    return find(id, BUFFER) ? VA_STATUS_SUCCESS : VA_STATUS_ERROR_INVALID_BUFFER;
}

static VAStatus destroy_buffer(VADriverContextP ctx, VABufferID id)
{
    (void)ctx;
    return drop(id, BUFFER);
}

/* ---- A picture ---- */

static VAStatus begin_picture(VADriverContextP ctx, VAContextID id, VASurfaceID target)
{
    struct object *context = find(id, CONTEXT);
    if (fails(ctx, VA_CARD_BEGIN) || !context || !find(target, SURFACE))
        return VA_STATUS_ERROR_OPERATION_FAILED;
    context->target = target;
    context->coded = 0;
    return VA_STATUS_SUCCESS;
}

static VAStatus render_picture(VADriverContextP ctx, VAContextID id, VABufferID *list, int count)
{
    struct object *context = find(id, CONTEXT);
    if (fails(ctx, VA_CARD_RENDER) || !context)
        return VA_STATUS_ERROR_OPERATION_FAILED;
    for (int i = 0; i < count; i++) {
        const struct object *buffer = find(list[i], BUFFER);
        if (!buffer)
            return VA_STATUS_ERROR_INVALID_BUFFER;
        if (buffer->type == VAEncPictureParameterBufferType) {
            VAEncPictureParameterBufferH264 picture;
            memcpy(&picture, buffer->data, sizeof(picture));
            context->coded = picture.coded_buf;
        }
    }
    return VA_STATUS_SUCCESS;
}

static VAStatus end_picture(VADriverContextP ctx, VAContextID id)
{
    struct object *context = find(id, CONTEXT);
    if (fails(ctx, VA_CARD_END) || !context)
        return VA_STATUS_ERROR_DECODING_ERROR;
    unsigned number = va_card.pictures++;
    if (context->entrypoint == VAEntrypointVLD) {
        objects[context->target].grey = va_card_grey(number);
        return VA_STATUS_SUCCESS;
    }
    struct object *coded = find(context->coded, BUFFER);
    if (!coded)
        return VA_STATUS_ERROR_ENCODING_ERROR;
    memcpy(coded->data, VA_CARD_CODED, sizeof(VA_CARD_CODED));
    coded->segment = (VACodedBufferSegment){.size = sizeof(VA_CARD_CODED), .buf = coded->data};
    return VA_STATUS_SUCCESS;
}

static VAStatus sync_surface(VADriverContextP ctx, VASurfaceID id)
{
    return fails(ctx, VA_CARD_SYNC) || !find(id, SURFACE) ? VA_STATUS_ERROR_DECODING_ERROR
                                                          : VA_STATUS_SUCCESS;
}

/* ---- Images: surfaces as the processor sees them ---- */

static VAStatus create_image(VADriverContextP ctx, VAImageFormat *format, int width, int height,
                             VAImage *out)
{
    if (fails(ctx, VA_CARD_IMAGE))
        return VA_STATUS_ERROR_ALLOCATION_FAILED;
    uint32_t pitch = ((uint32_t)width + PITCH_BYTES - 1) / PITCH_BYTES * PITCH_BYTES;
    uint32_t luma_bytes = pitch * (uint32_t)height;
    uint32_t id = make(IMAGE);
    struct object *image = &objects[id];
    image->buffer = make(BUFFER);
    image->pitch = pitch;
    image->width = (unsigned)width;
    image->height = (unsigned)height;
    objects[image->buffer].type = VAImageBufferType;
    objects[image->buffer].data = calloc(2, luma_bytes);
    *out = (VAImage){
        .image_id = id,
        .format = *format,
        .buf = image->buffer,
        .width = (uint16_t)width,
        .height = (uint16_t)height,
        .data_size = luma_bytes * 3 / 2,
        .num_planes = 2,
        .pitches = {pitch, pitch},
        .offsets = {0, luma_bytes},
    };
    return VA_STATUS_SUCCESS;
}

static VAStatus destroy_image(VADriverContextP ctx, VAImageID id)
{
    (void)ctx;
    const struct object *image = find(id, IMAGE);
    if (!image)
        return VA_STATUS_ERROR_INVALID_IMAGE;
    (void)drop(image->buffer, BUFFER);
    return drop(id, IMAGE);
}

static VAStatus get_image(VADriverContextP ctx, VASurfaceID surface, int x, int y, unsigned width,
                          unsigned height, VAImageID id)
{
    (void)x, (void)y;
    const struct object *image = find(id, IMAGE), *from = find(surface, SURFACE);
    if (fails(ctx, VA_CARD_GET_IMAGE) || !image || !from || width > image->width ||
        height > image->height)
        return VA_STATUS_ERROR_OPERATION_FAILED;
    size_t luma_bytes = (size_t)image->pitch * image->height;
    memset(objects[image->buffer].data, from->grey, luma_bytes);
    memset(objects[image->buffer].data + luma_bytes, GREY_CHROMA, luma_bytes / 2);
    return VA_STATUS_SUCCESS;
}

static VAStatus put_image(VADriverContextP ctx, VASurfaceID surface, VAImageID id, int from_x,
                          int from_y, unsigned from_width, unsigned from_height, int x, int y,
                          unsigned width, unsigned height)
{
    (void)from_x, (void)from_y, (void)from_width, (void)from_height;
    (void)x, (void)y, (void)width, (void)height;
    bool is_fine = !fails(ctx, VA_CARD_PUT_IMAGE) && find(surface, SURFACE) && find(id, IMAGE);
    return is_fine ? VA_STATUS_SUCCESS : VA_STATUS_ERROR_OPERATION_FAILED;
}

/* ---- The table ---- */

static VAStatus terminate(VADriverContextP ctx)
{
    (void)ctx;
    va_card.closed++;
    return VA_STATUS_SUCCESS;
}

/* In all other places of the table, which libva wants filled. */
static VAStatus not_here(void)
{
    return VA_STATUS_ERROR_UNIMPLEMENTED;
}

static void fill(struct VADriverVTable *table)
{
    VAStatus (*const nothing)(void) = not_here;
    for (size_t at = 0; at + sizeof(nothing) <= offsetof(struct VADriverVTable, reserved);
         at += sizeof(nothing))
        memcpy((uint8_t *)table + at, &nothing, sizeof(nothing));
    table->vaTerminate = terminate;
    table->vaQueryConfigProfiles = query_profiles;
    table->vaQueryConfigEntrypoints = query_entrypoints;
    table->vaGetConfigAttributes = get_attributes;
    table->vaCreateConfig = create_config;
    table->vaDestroyConfig = destroy_config;
    table->vaQuerySurfaceAttributes = query_surface;
    table->vaQueryImageFormats = query_images;
    table->vaCreateSurfaces2 = create_surfaces;
    table->vaDestroySurfaces = destroy_surfaces;
    table->vaCreateContext = create_context;
    table->vaDestroyContext = destroy_context;
    table->vaCreateBuffer = create_buffer;
    table->vaMapBuffer = map_buffer;
    table->vaUnmapBuffer = unmap_buffer;
    table->vaDestroyBuffer = destroy_buffer;
    table->vaBeginPicture = begin_picture;
    table->vaRenderPicture = render_picture;
    table->vaEndPicture = end_picture;
    table->vaSyncSurface = sync_surface;
    table->vaCreateImage = create_image;
    table->vaDestroyImage = destroy_image;
    table->vaGetImage = get_image;
    table->vaPutImage = put_image;
}

/* Stands before libdrm's, which asks the kernel. */
__attribute__((visibility("default"))) int drmGetNodeTypeFromFd(int fd);

int drmGetNodeTypeFromFd(int fd)
{
    enum { RENDER_NODE = 2 };
    struct stat status;
    return fstat(fd, &status) == 0 && S_ISCHR(status.st_mode) ? RENDER_NODE : -1;
}

/* The name that any libva of this decade asks for. */
__attribute__((visibility("default"))) VAStatus __vaDriverInit_1_0(VADriverContextP ctx);

VAStatus __vaDriverInit_1_0(VADriverContextP ctx)
{
    if (va_card.is_gone)
        return VA_STATUS_ERROR_OPERATION_FAILED;
    va_card.opened++;
    ctx->version_major = VA_MAJOR_VERSION;
    ctx->version_minor = VA_MINOR_VERSION;
    ctx->max_profiles = sizeof(PROFILES) / sizeof(PROFILES[0]);
    ctx->max_entrypoints = 2;
    ctx->max_attributes = 3;
    ctx->max_image_formats = 1;
    ctx->max_subpic_formats = 1;
    ctx->max_display_attributes = 1;
    ctx->str_vendor = "Sumac's driver of no card";
    fill(ctx->vtable);
    return VA_STATUS_SUCCESS;
}
