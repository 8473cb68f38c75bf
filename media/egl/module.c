/* SPDX-License-Identifier: MIT */
/*
 * Graphics memory through EGL: a dma-buf becomes an image of the card that can import it, the image
 * a texture, and the texture is read through a framebuffer. No window system is asked for, and EGL
 * displays are never terminated, because the host may use the same ones.
 */
#define EGL_EGLEXT_PROTOTYPES 0
#include <EGL/egl.h>
#include <EGL/eglext.h>
#include <GLES2/gl2.h>
#include <GLES2/gl2ext.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "core/base/math.h"
#include "media/gl.h"

enum {
    CARDS_MAX = 8,
    BYTES_A_PIXEL = 4,
    ATTRIBUTES_MAX = 16,
    FLAGS_MAX = 16, /* more kinds of errors than GL has */
};

struct card {
    EGLDisplay display;
    EGLContext context; /* owned */
};

struct cards {
    struct card card[CARDS_MAX];
    int count;
    PFNEGLCREATEIMAGEKHRPROC create_image;
    PFNEGLDESTROYIMAGEKHRPROC destroy_image;
    PFNGLEGLIMAGETARGETTEXTURE2DOESPROC target_texture;
};

struct picture {
    const struct cards *cards; /* borrowed */
    const struct card *card;
    struct sm_pixel_layout layout;
    EGLImageKHR image; /* owned, as are the next two */
    GLuint texture, framebuffer;
    uint8_t *pixels; /* owned: of the last read */
    size_t pixels_bytes;
};

extern const struct sm_gl_module sm_gl_module;

/* ---- cards ---- */

static bool has(const char *extensions, const char *name)
{
    size_t length = strlen(name);
    for (const char *at = extensions; at && (at = strstr(at, name)); at += length)
        if ((at == extensions || at[-1] == ' ') && (at[length] == ' ' || at[length] == '\0'))
            return true;
    return false;
}

static void try_display(struct cards *cards, EGLDisplay display)
{
    static const EGLint ATTRIBUTES[] = {EGL_CONTEXT_CLIENT_VERSION, 2, EGL_NONE};
    if (cards->count == CARDS_MAX || display == EGL_NO_DISPLAY ||
        !eglInitialize(display, NULL, NULL))
        return;
    const char *extensions = eglQueryString(display, EGL_EXTENSIONS);
    if (!has(extensions, "EGL_EXT_image_dma_buf_import") ||
        !has(extensions, "EGL_KHR_surfaceless_context") ||
        !has(extensions, "EGL_KHR_no_config_context") || !eglBindAPI(EGL_OPENGL_ES_API))
        return;
    EGLContext context = eglCreateContext(display, EGL_NO_CONFIG_KHR, EGL_NO_CONTEXT, ATTRIBUTES);
    if (context != EGL_NO_CONTEXT)
        cards->card[cards->count++] = (struct card){.display = display, .context = context};
}

static void close_cards(void *opaque)
{
    struct cards *cards = opaque;
    for (int i = 0; cards && i < cards->count; i++)
        (void)eglDestroyContext(cards->card[i].display, cards->card[i].context);
    free(cards);
}

static void find_cards(struct cards *cards)
{
    PFNEGLQUERYDEVICESEXTPROC query =
        (PFNEGLQUERYDEVICESEXTPROC)eglGetProcAddress("eglQueryDevicesEXT");
    PFNEGLGETPLATFORMDISPLAYEXTPROC get_display =
        (PFNEGLGETPLATFORMDISPLAYEXTPROC)eglGetProcAddress("eglGetPlatformDisplayEXT");
    EGLDeviceEXT devices[CARDS_MAX];
    EGLint count = 0;
    if (!get_display)
        return;
    if (query && query(CARDS_MAX, devices, &count))
        for (EGLint i = 0; i < count; i++)
            try_display(cards, get_display(EGL_PLATFORM_DEVICE_EXT, devices[i], NULL));
    if (cards->count == 0)
        try_display(cards, get_display(EGL_PLATFORM_SURFACELESS_MESA, EGL_DEFAULT_DISPLAY, NULL));
}

static enum sm_status open_cards(void **out, const char **reason)
{
    struct cards *cards = calloc(1, sizeof(*cards));
    *reason = "out of memory";
    if (!cards)
        return SM_ERR_NOMEM;
    cards->create_image = (PFNEGLCREATEIMAGEKHRPROC)eglGetProcAddress("eglCreateImageKHR");
    cards->destroy_image = (PFNEGLDESTROYIMAGEKHRPROC)eglGetProcAddress("eglDestroyImageKHR");
    cards->target_texture =
        (PFNGLEGLIMAGETARGETTEXTURE2DOESPROC)eglGetProcAddress("glEGLImageTargetTexture2DOES");
    if (cards->create_image && cards->destroy_image && cards->target_texture)
        find_cards(cards);
    if (cards->count == 0) {
        *reason = "EGL knows no graphics card that can import its memory";
        close_cards(cards);
        return SM_ERR_IO;
    }
    *out = cards;
    return SM_OK;
}

/* ---- pictures ---- */

/* A flag stays up in its context until it is asked for, and would be taken for the next call's. A
 * lost context raises one at each question. */
static void lower_flags(void)
{
    for (int i = 0; i < FLAGS_MAX && glGetError() != GL_NO_ERROR; i++) {
    }
}

static bool enter(const struct card *card)
{
    if (!eglBindAPI(EGL_OPENGL_ES_API) ||
        !eglMakeCurrent(card->display, EGL_NO_SURFACE, EGL_NO_SURFACE, card->context))
        return false;
    lower_flags();
    return true;
}

static void leave(const struct card *card)
{
    (void)eglMakeCurrent(card->display, EGL_NO_SURFACE, EGL_NO_SURFACE, EGL_NO_CONTEXT);
}

static void release(struct picture *picture)
{
    if (picture->framebuffer)
        glDeleteFramebuffers(1, &picture->framebuffer);
    if (picture->texture)
        glDeleteTextures(1, &picture->texture);
    if (picture->image != EGL_NO_IMAGE_KHR)
        (void)picture->cards->destroy_image(picture->card->display, picture->image);
    picture->framebuffer = picture->texture = 0;
    picture->image = EGL_NO_IMAGE_KHR;
}

/* With the card's context current. */
static bool import(struct picture *picture, int fd)
{
    const struct sm_pixel_layout *layout = &picture->layout;
    const EGLint attributes[ATTRIBUTES_MAX] = {EGL_WIDTH,
                                               (EGLint)layout->width,
                                               EGL_HEIGHT,
                                               (EGLint)layout->height,
                                               EGL_LINUX_DRM_FOURCC_EXT,
                                               (EGLint)layout->fourcc,
                                               EGL_DMA_BUF_PLANE0_FD_EXT,
                                               fd,
                                               EGL_DMA_BUF_PLANE0_OFFSET_EXT,
                                               0,
                                               EGL_DMA_BUF_PLANE0_PITCH_EXT,
                                               (EGLint)layout->stride_bytes,
                                               EGL_NONE};
    picture->image = picture->cards->create_image(picture->card->display, EGL_NO_CONTEXT,
                                                  EGL_LINUX_DMA_BUF_EXT, NULL, attributes);
    if (picture->image == EGL_NO_IMAGE_KHR)
        return false;
    glGenTextures(1, &picture->texture);
    glBindTexture(GL_TEXTURE_2D, picture->texture);
    picture->cards->target_texture(GL_TEXTURE_2D, picture->image);
    glGenFramebuffers(1, &picture->framebuffer);
    glBindFramebuffer(GL_FRAMEBUFFER, picture->framebuffer);
    glFramebufferTexture2D(GL_FRAMEBUFFER, GL_COLOR_ATTACHMENT0, GL_TEXTURE_2D, picture->texture,
                           0);
    if (glCheckFramebufferStatus(GL_FRAMEBUFFER) != GL_FRAMEBUFFER_COMPLETE)
        return false;
    /* There are drivers that import what they then cannot read: Mesa's software one does. */
    uint8_t pixel[BYTES_A_PIXEL];
    glReadPixels(0, 0, 1, 1, GL_RGBA, GL_UNSIGNED_BYTE, pixel);
    return glGetError() == GL_NO_ERROR;
}

static void close_picture(void *opaque)
{
    struct picture *picture = opaque;
    if (!picture)
        return;
    if (picture->card && enter(picture->card)) {
        release(picture);
        leave(picture->card);
    }
    free(picture->pixels);
    free(picture);
}

static enum sm_status open_picture(void **out, void *opaque, int fd,
                                   const struct sm_pixel_layout *layout, const char **reason)
{
    const struct cards *cards = opaque;
    struct picture *picture = calloc(1, sizeof(*picture));
    *reason = "out of memory";
    if (!picture)
        return SM_ERR_NOMEM;
    picture->cards = cards;
    picture->layout = *layout;
    for (int i = 0; i < cards->count; i++) {
        picture->card = &cards->card[i];
        if (!enter(picture->card))
            continue;
        bool is_imported = import(picture, fd);
        if (!is_imported)
            release(picture);
        leave(picture->card);
        if (is_imported) {
            *out = picture;
            return SM_OK;
        }
    }
    picture->card = NULL;
    close_picture(picture);
    *reason = "no graphics card here can import and read its memory";
    return SM_ERR_IO;
}

static enum sm_status read_picture(void *opaque, struct sm_rect area, const struct sm_pixels *to)
{
    struct picture *picture = opaque;
    const struct sm_pixel_layout *layout = &picture->layout;
    uint32_t width = (uint32_t)sm_rect_width(area), height = (uint32_t)sm_rect_height(area);
    size_t row_bytes = (size_t)width * BYTES_A_PIXEL;
    if (row_bytes * height > picture->pixels_bytes) {
        uint8_t *pixels = realloc(picture->pixels, row_bytes * height);
        if (!pixels)
            return SM_ERR_NOMEM;
        picture->pixels = pixels;
        picture->pixels_bytes = row_bytes * height;
    }
    if (!enter(picture->card))
        return SM_ERR_IO;
    int32_t first = layout->is_y0_top ? area.top : (int32_t)layout->height - area.bottom;
    glBindFramebuffer(GL_FRAMEBUFFER, picture->framebuffer);
    glPixelStorei(GL_PACK_ALIGNMENT, BYTES_A_PIXEL);
    glReadPixels(area.left, first, (GLsizei)width, (GLsizei)height, GL_RGBA, GL_UNSIGNED_BYTE,
                 picture->pixels);
    bool is_read = glGetError() == GL_NO_ERROR;
    leave(picture->card);
    if (!is_read)
        return SM_ERR_IO;
    for (uint32_t i = 0; i < height; i++) /* GL's bytes are R, G, B, A */
        sm_fourcc_row_to_xrgb(sm_fourcc("AB24"),
                              sm_pixels_row(to, layout->is_y0_top ? i : height - 1 - i),
                              picture->pixels + i * row_bytes, width);
    return SM_OK;
}

__attribute__((visibility("default"))) const struct sm_gl_module sm_gl_module = {
    .version = SM_GL_MODULE_VERSION,
    .open_cards = open_cards,
    .close_cards = close_cards,
    .open_picture = open_picture,
    .close_picture = close_picture,
    .read = read_picture,
};
