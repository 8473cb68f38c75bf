/* SPDX-License-Identifier: MIT */
#include "server/display/gl_reader.h"

#include "io/pixel_buffer.h"
#include "media/gl.h"

static void find_cards(struct sm_gl_reader *reader)
{
    if (reader->has_tried)
        return;
    reader->has_tried = true;
    reader->card_reason = SM_GL_MODULE_FILE " is not installed";
    reader->module = sm_gl_module_load();
    if (reader->module && reader->module->open_cards(&reader->cards, &reader->card_reason) != SM_OK)
        reader->cards = NULL;
}

enum sm_status sm_gl_reader_open(struct sm_gl_reader *reader, int fd,
                                 const struct sm_pixel_layout *layout, const char **reason)
{
    const char *card_reason = NULL;
    sm_gl_reader_close(reader);
    if (sm_pixel_layout_is_sane(layout) && sm_pixel_buffer_is_dmabuf(fd)) {
        find_cards(reader);
        card_reason = reader->card_reason;
        if (reader->cards && reader->module->open_picture(&reader->picture, reader->cards, fd,
                                                          layout, &card_reason) == SM_OK) {
            *reason = NULL;
            return SM_OK;
        }
        reader->picture = NULL;
    }
    enum sm_status status = sm_pixel_buffer_open(&reader->memory, fd, layout, reason);
    if (status) {
        reader->memory = NULL;
        *reason = status == SM_ERR_IO && card_reason ? card_reason : *reason;
        return status;
    }
    *reason = card_reason;
    return SM_OK;
}

void sm_gl_reader_close(struct sm_gl_reader *reader)
{
    if (reader->picture)
        reader->module->close_picture(reader->picture);
    sm_pixel_buffer_close(reader->memory);
    reader->picture = NULL;
    reader->memory = NULL;
}

void sm_gl_reader_finish(struct sm_gl_reader *reader)
{
    sm_gl_reader_close(reader);
    if (reader->cards)
        reader->module->close_cards(reader->cards);
    *reader = (struct sm_gl_reader){.has_tried = false};
}

bool sm_gl_reader_is_open(const struct sm_gl_reader *reader)
{
    return reader->picture || reader->memory;
}

bool sm_gl_reader_is_card(const struct sm_gl_reader *reader)
{
    return reader->picture;
}

enum sm_status sm_gl_reader_read(struct sm_gl_reader *reader, struct sm_rect area,
                                 const struct sm_pixels *to)
{
    if (reader->picture)
        return reader->module->read(reader->picture, area, to);
    return sm_pixel_buffer_read(reader->memory, area, to);
}
