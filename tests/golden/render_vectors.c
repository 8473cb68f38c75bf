/* SPDX-License-Identifier: MIT */
#include "tests/golden/render_vectors.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <zlib.h>

enum {
    MAX_IMAGES = 16,
    MAX_INFLATED = 64 << 20,
    ARENA_LIMIT = 64 << 20,
};

/* A line as it is taken apart. */
struct words {
    char *rest; /* of strtok_r */
};

/* The parameters of a command, whatever its kind. */
struct fields {
    const char *kind;
    struct sm_display_base base;
    struct sm_rect src_area, back_area;
    struct sm_brush brush, fore_brush, back_brush;
    struct sm_qmask mask;
    const struct sm_image *src, *mask_image;
    uint32_t rop, rop3, scale_mode, alpha_flags, alpha, src_color, true_color, flags;
    uint32_t fore_mode, back_mode;
    struct sm_point src_pos;
    struct sm_point16 src_origin, mask_origin;
    struct sm_transform src_transform, mask_transform;
    struct sm_line_attr attr;
    struct sm_path path;
    struct sm_string string;
    struct sm_pixels frame;
    bool is_top_down;
};

/* A vector in the making. */
struct parse {
    struct render_reader *reader;
    struct render_vector *out;
    struct sm_image images[MAX_IMAGES];
    struct sm_palette palettes[MAX_IMAGES];
    uint32_t color_count[MAX_IMAGES];
};

static void die(const char *what, const char *word)
{
    fprintf(stderr, "render vectors: %s: '%s'\n", what, word ? word : "end of line");
    exit(99);
}

static char *word(struct words *w)
{
    char *found = strtok_r(NULL, " \n", &w->rest);
    if (!found)
        die("a word is missing", NULL);
    return found;
}

static void expect(struct words *w, const char *what)
{
    const char *found = word(w);
    if (strcmp(found, what) != 0)
        die(what, found);
}

static int32_t number(struct words *w)
{
    return (int32_t)strtoll(word(w), NULL, 10);
}

static uint32_t hex(struct words *w)
{
    return (uint32_t)strtoul(word(w), NULL, 16);
}

static int32_t named(struct words *w, const char *name)
{
    expect(w, name);
    return number(w);
}

static struct sm_rect rect(struct words *w)
{
    struct sm_rect r;
    r.left = number(w);
    r.top = number(w);
    r.right = number(w);
    r.bottom = number(w);
    return r;
}

static struct sm_point point(struct words *w)
{
    struct sm_point p;
    p.x = number(w);
    p.y = number(w);
    return p;
}

static void *room(struct parse *p, size_t count, size_t size)
{
    void *made = sm_arena_alloc(&p->reader->arena, count, size);
    if (!made)
        die("out of memory", "");
    return made;
}

static struct sm_bytes blob(struct parse *p, struct words *w)
{
    expect(w, "blob");
    size_t offset = (size_t)number(w), size = (size_t)number(w);
    if (offset > p->reader->data_size || size > p->reader->data_size - offset)
        die("a blob is outside the data", "");
    return (struct sm_bytes){p->reader->data + offset, size};
}

/* The next line that is no comment and not empty, its first word taken; NULL at the end. */
static char *next_line(struct render_reader *r, struct words *w)
{
    for (;;) {
        if (!r->next || !*r->next)
            return NULL;
        char *line = r->next, *end = strchr(line, '\n');
        r->next = end ? end + 1 : NULL;
        if (end)
            *end = '\0';
        if (line[0] == '#')
            continue;
        char *first = strtok_r(line, " \n", &w->rest);
        if (first)
            return first;
    }
}

static uint32_t index_below(struct words *w, uint32_t limit)
{
    uint32_t index = (uint32_t)number(w);
    if (index >= limit)
        die("a number is too large", "");
    return index;
}

static void parse_surface(struct parse *p, struct words *w)
{
    struct render_surface *s = &p->out->surfaces[p->out->surface_count++];
    s->id = (uint32_t)number(w);
    s->format = (uint32_t)named(w, "format");
    s->width = (uint32_t)named(w, "width");
    s->height = (uint32_t)named(w, "height");
    expect(w, "init");
    s->pixels = blob(p, w).data;
}

static void parse_image(struct parse *p, struct words *w)
{
    struct sm_image *image = &p->images[index_below(w, MAX_IMAGES)];
    const char *kind = word(w);
    if (strcmp(kind, "surface") == 0) {
        image->type = SM_IMAGE_TYPE_SURFACE;
        image->surface_id = (uint32_t)number(w);
        image->width = image->height = 1;
        return;
    }
    if (strcmp(kind, "cached") == 0) {
        image->type = SM_IMAGE_TYPE_FROM_CACHE;
        image->id = (uint64_t)number(w);
        image->width = image->height = 1;
        return;
    }
    image->type = SM_IMAGE_TYPE_BITMAP;
    image->bitmap.format = (uint8_t)named(w, "format");
    image->bitmap.flags = (uint8_t)named(w, "flags");
    image->width = image->bitmap.x = (uint32_t)named(w, "width");
    image->height = image->bitmap.y = (uint32_t)named(w, "height");
    image->bitmap.stride = (uint32_t)named(w, "stride");
    image->flags = (uint8_t)named(w, "desc_flags");
    image->id = (uint64_t)named(w, "id");
}

static void parse_palette(struct parse *p, struct words *w)
{
    uint32_t k = index_below(w, MAX_IMAGES);
    p->palettes[k].unique = (uint64_t)named(w, "id");
    p->palettes[k].num_ents = (uint32_t)named(w, "count");
    p->palettes[k].ents = room(p, p->palettes[k].num_ents, sizeof(uint32_t));
    p->images[k].bitmap.palette = &p->palettes[k];
}

static void parse_colors(struct parse *p, struct words *w)
{
    uint32_t k = index_below(w, MAX_IMAGES);
    uint32_t *entries = (uint32_t *)(uintptr_t)p->palettes[k].ents;
    for (char *text; (text = strtok_r(NULL, " \n", &w->rest)) != NULL;) {
        if (p->color_count[k] >= p->palettes[k].num_ents)
            die("too many colours", text);
        entries[p->color_count[k]++] = (uint32_t)strtoul(text, NULL, 16);
    }
}

static const struct sm_image *image_of(struct parse *p, struct words *w)
{
    expect(w, "image");
    return &p->images[index_below(w, MAX_IMAGES)];
}

static struct sm_brush parse_brush(struct parse *p, struct words *w)
{
    struct sm_brush brush = {.type = SM_BRUSH_TYPE_NONE};
    const char *kind = word(w);
    if (strcmp(kind, "solid") == 0) {
        brush.type = SM_BRUSH_TYPE_SOLID;
        brush.color = hex(w);
    } else if (strcmp(kind, "pattern") == 0) {
        brush.type = SM_BRUSH_TYPE_PATTERN;
        brush.image = image_of(p, w);
        brush.pos.x = named(w, "x");
        brush.pos.y = named(w, "y");
    } else if (strcmp(kind, "none") != 0) {
        die("a brush of no kind", kind);
    }
    return brush;
}

static struct sm_qmask parse_mask(struct parse *p, struct words *w)
{
    struct sm_qmask mask = {0};
    const char *kind = word(w);
    if (strcmp(kind, "none") == 0)
        return mask;
    mask.bitmap = &p->images[index_below(w, MAX_IMAGES)];
    mask.flags = (uint8_t)named(w, "flags");
    mask.pos.x = named(w, "x");
    mask.pos.y = named(w, "y");
    return mask;
}

static struct sm_clip parse_clip(struct parse *p, struct words *w)
{
    struct sm_clip clip = {.type = SM_CLIP_TYPE_NONE};
    if (strcmp(word(w), "none") == 0)
        return clip;
    clip.type = SM_CLIP_TYPE_RECTS;
    clip.num_rects = (uint32_t)number(w);
    struct sm_rect *rects = room(p, clip.num_rects, sizeof(*rects));
    for (uint32_t i = 0; i < clip.num_rects; i++) {
        struct words line = {0};
        const char *first = next_line(p->reader, &line);
        if (!first || strcmp(first, "rect") != 0)
            die("a clip rectangle is missing", first);
        rects[i] = rect(&line);
    }
    clip.rects = rects;
    return clip;
}

static struct sm_transform parse_transform(struct words *w)
{
    struct sm_transform t;
    t.t00 = number(w);
    t.t01 = number(w);
    t.t02 = number(w);
    t.t10 = number(w);
    t.t11 = number(w);
    t.t12 = number(w);
    return t;
}

static struct sm_point16 point16(struct words *w)
{
    struct sm_point p = point(w);
    return (struct sm_point16){(int16_t)p.x, (int16_t)p.y};
}

static void parse_style(struct parse *p, struct words *w, struct sm_line_attr *attr)
{
    attr->num_style = (uint32_t)number(w);
    int32_t *style = room(p, attr->num_style, sizeof(*style));
    for (uint32_t i = 0; i < attr->num_style; i++)
        style[i] = number(w);
    attr->style = style;
}

static struct sm_path_segment parse_segment(struct parse *p)
{
    struct words w = {0};
    const char *first = next_line(p->reader, &w);
    if (!first || strcmp(first, "segment") != 0)
        die("a segment is missing", first);
    struct sm_path_segment segment = {.flags = (uint8_t)named(&w, "flags")};
    segment.num_points = (uint32_t)named(&w, "points");
    struct sm_point_fix *points = room(p, segment.num_points, sizeof(*points));
    for (uint32_t i = 0; i < segment.num_points; i++) {
        char *text = word(&w), *comma = strchr(text, ',');
        if (!comma)
            die("a point is malformed", text);
        points[i].x = (int32_t)strtol(text, NULL, 10);
        points[i].y = (int32_t)strtol(comma + 1, NULL, 10);
    }
    segment.points = points;
    return segment;
}

static struct sm_bytes hex_bytes(struct parse *p, const char *text)
{
    size_t size = strcmp(text, "-") == 0 ? 0 : strlen(text) / 2;
    uint8_t *bytes = room(p, size, 1);
    for (size_t i = 0; i < size; i++) {
        const char pair[] = {text[2 * i], text[2 * i + 1], '\0'};
        bytes[i] = (uint8_t)strtoul(pair, NULL, 16);
    }
    return (struct sm_bytes){bytes, size};
}

static struct sm_raster_glyph parse_glyph(struct parse *p)
{
    struct words w = {0};
    const char *first = next_line(p->reader, &w);
    if (!first || strcmp(first, "glyph") != 0)
        die("a glyph is missing", first);
    struct sm_raster_glyph glyph = {0};
    expect(&w, "render_pos");
    glyph.render_pos = point(&w);
    expect(&w, "origin");
    glyph.glyph_origin = point(&w);
    glyph.width = (uint16_t)named(&w, "width");
    glyph.height = (uint16_t)named(&w, "height");
    expect(&w, "data");
    glyph.data = hex_bytes(p, word(&w));
    return glyph;
}

static void parse_frame(struct words *w, struct fields *f)
{
    f->frame.format = SM_PIXEL_XRGB32;
    f->frame.width = (uint32_t)named(w, "width");
    f->frame.height = (uint32_t)named(w, "height");
    f->frame.stride_bytes = named(w, "stride");
    f->is_top_down = named(w, "top_down") != 0;
}

static void parse_frame_pixels(struct parse *p, struct words *w, struct fields *f)
{
    f->frame.data = (uint8_t *)(uintptr_t)blob(p, w).data;
    if (!f->is_top_down) {
        f->frame.data += f->frame.stride_bytes * ((ptrdiff_t)f->frame.height - 1);
        f->frame.stride_bytes = -f->frame.stride_bytes;
    }
}

/* Fields with an image, a list or a shape of their own; false if `name` is none of them. */
static bool parse_large_field(struct parse *p, const char *name, struct words *w, struct fields *f)
{
    if (strcmp(name, "clip") == 0)
        f->base.clip = parse_clip(p, w);
    else if (strcmp(name, "brush") == 0)
        f->brush = parse_brush(p, w);
    else if (strcmp(name, "fore_brush") == 0)
        f->fore_brush = parse_brush(p, w);
    else if (strcmp(name, "back_brush") == 0)
        f->back_brush = parse_brush(p, w);
    else if (strcmp(name, "mask") == 0)
        f->mask = parse_mask(p, w);
    else if (strcmp(name, "src") == 0)
        f->src = image_of(p, w);
    else if (strcmp(name, "mask_image") == 0)
        f->mask_image = image_of(p, w);
    else if (strcmp(name, "src_transform") == 0)
        f->src_transform = parse_transform(w);
    else if (strcmp(name, "mask_transform") == 0)
        f->mask_transform = parse_transform(w);
    else if (strcmp(name, "style") == 0)
        parse_style(p, w, &f->attr);
    else if (strcmp(name, "frame") == 0)
        parse_frame(w, f);
    else if (strcmp(name, "pixels") == 0)
        parse_frame_pixels(p, w, f);
    else
        return false;
    return true;
}

static void parse_segments(struct parse *p, uint32_t count, struct sm_path *path)
{
    struct sm_path_segment *segments = room(p, count, sizeof(*segments));
    for (uint32_t i = 0; i < count; i++)
        segments[i] = parse_segment(p);
    *path = (struct sm_path){.num_segments = count, .segments = segments};
}

static void parse_glyphs(struct parse *p, uint32_t count, struct sm_string *string)
{
    struct sm_raster_glyph *glyphs = room(p, count, sizeof(*glyphs));
    for (uint32_t i = 0; i < count; i++)
        glyphs[i] = parse_glyph(p);
    string->num_glyphs = count;
    string->glyphs = glyphs;
}

static void parse_field(struct parse *p, const char *name, struct words *w, struct fields *f)
{
    if (parse_large_field(p, name, w, f))
        return;
    if (strcmp(name, "dest") == 0)
        f->base.surface_id = (uint32_t)number(w);
    else if (strcmp(name, "bbox") == 0)
        f->base.box = rect(w);
    else if (strcmp(name, "src_area") == 0)
        f->src_area = rect(w);
    else if (strcmp(name, "back_area") == 0)
        f->back_area = rect(w);
    else if (strcmp(name, "rop") == 0)
        f->rop = hex(w);
    else if (strcmp(name, "rop3") == 0)
        f->rop3 = hex(w);
    else if (strcmp(name, "scale_mode") == 0)
        f->scale_mode = (uint32_t)number(w);
    else if (strcmp(name, "alpha_flags") == 0)
        f->alpha_flags = (uint32_t)number(w);
    else if (strcmp(name, "alpha") == 0)
        f->alpha = (uint32_t)number(w);
    else if (strcmp(name, "src_color") == 0)
        f->src_color = hex(w);
    else if (strcmp(name, "true_color") == 0)
        f->true_color = hex(w);
    else if (strcmp(name, "src_pos") == 0)
        f->src_pos = point(w);
    else if (strcmp(name, "flags") == 0)
        f->flags = hex(w);
    else if (strcmp(name, "src_origin") == 0)
        f->src_origin = point16(w);
    else if (strcmp(name, "mask_origin") == 0)
        f->mask_origin = point16(w);
    else if (strcmp(name, "line_flags") == 0)
        f->attr.flags = (uint8_t)number(w);
    else if (strcmp(name, "string_flags") == 0)
        f->string.flags = (uint8_t)number(w);
    else if (strcmp(name, "segments") == 0)
        parse_segments(p, (uint32_t)number(w), &f->path);
    else if (strcmp(name, "glyphs") == 0)
        parse_glyphs(p, (uint32_t)number(w), &f->string);
    else if (strcmp(name, "fore_mode") == 0)
        f->fore_mode = hex(w);
    else if (strcmp(name, "back_mode") == 0)
        f->back_mode = hex(w);
    else
        die("an unknown parameter", name);
}

static void make_copy(struct sm_display_msg *msg, const struct fields *f, uint16_t type)
{
    struct sm_msg_display_draw_copy copy = {
        .base = f->base,
        .src_bitmap = f->src,
        .src_area = f->src_area,
        .ropd = (uint16_t)f->rop,
        .scale_mode = (uint8_t)f->scale_mode,
        .mask = f->mask,
    };
    msg->type = type;
    if (type == SM_MSG_DISPLAY_DRAW_COPY)
        msg->draw_copy = copy;
    else
        msg->draw_blend = (struct sm_msg_display_draw_blend){
            copy.base, copy.src_bitmap, copy.src_area, copy.ropd, copy.scale_mode, copy.mask};
}

static void make_constant(struct sm_display_msg *msg, const struct fields *f, uint16_t type)
{
    msg->type = type;
    msg->draw_blackness = (struct sm_msg_display_draw_blackness){f->base, f->mask};
    if (type == SM_MSG_DISPLAY_DRAW_WHITENESS)
        msg->draw_whiteness = (struct sm_msg_display_draw_whiteness){f->base, f->mask};
    if (type == SM_MSG_DISPLAY_DRAW_INVERS)
        msg->draw_invers = (struct sm_msg_display_draw_invers){f->base, f->mask};
}

/* The commands with shapes; false if it is none of them. */
static bool make_shape(struct parse *p, struct sm_display_msg *msg, const struct fields *f)
{
    if (strcmp(f->kind, "stroke") == 0) {
        struct sm_path *path = room(p, 1, sizeof(*path));
        *path = f->path;
        msg->type = SM_MSG_DISPLAY_DRAW_STROKE;
        msg->draw_stroke = (struct sm_msg_display_draw_stroke){
            f->base, path, f->attr, f->brush, (uint16_t)f->fore_mode, (uint16_t)f->back_mode};
    } else if (strcmp(f->kind, "text") == 0) {
        struct sm_string *string = room(p, 1, sizeof(*string));
        *string = f->string;
        msg->type = SM_MSG_DISPLAY_DRAW_TEXT;
        msg->draw_text = (struct sm_msg_display_draw_text){f->base,
                                                           string,
                                                           f->back_area,
                                                           f->fore_brush,
                                                           f->back_brush,
                                                           (uint16_t)f->fore_mode,
                                                           (uint16_t)f->back_mode};
    } else if (strcmp(f->kind, "composite") == 0) {
        msg->type = SM_MSG_DISPLAY_DRAW_COMPOSITE;
        msg->draw_composite = (struct sm_msg_display_draw_composite){
            f->base,          f->flags,          f->src,        f->mask_image,
            f->src_transform, f->mask_transform, f->src_origin, f->mask_origin};
    } else {
        return false;
    }
    return true;
}

static void make_message(struct parse *p, struct sm_display_msg *msg, const struct fields *f)
{
    if (strcmp(f->kind, "fill") == 0) {
        msg->type = SM_MSG_DISPLAY_DRAW_FILL;
        msg->draw_fill =
            (struct sm_msg_display_draw_fill){f->base, f->brush, (uint16_t)f->rop, f->mask};
    } else if (strcmp(f->kind, "copy") == 0) {
        make_copy(msg, f, SM_MSG_DISPLAY_DRAW_COPY);
    } else if (strcmp(f->kind, "blend") == 0) {
        make_copy(msg, f, SM_MSG_DISPLAY_DRAW_BLEND);
    } else if (strcmp(f->kind, "opaque") == 0) {
        msg->type = SM_MSG_DISPLAY_DRAW_OPAQUE;
        msg->draw_opaque = (struct sm_msg_display_draw_opaque){
            f->base, f->src, f->src_area, f->brush, (uint16_t)f->rop, (uint8_t)f->scale_mode,
            f->mask};
    } else if (strcmp(f->kind, "blackness") == 0) {
        make_constant(msg, f, SM_MSG_DISPLAY_DRAW_BLACKNESS);
    } else if (strcmp(f->kind, "whiteness") == 0) {
        make_constant(msg, f, SM_MSG_DISPLAY_DRAW_WHITENESS);
    } else if (strcmp(f->kind, "invers") == 0) {
        make_constant(msg, f, SM_MSG_DISPLAY_DRAW_INVERS);
    } else if (strcmp(f->kind, "transparent") == 0) {
        msg->type = SM_MSG_DISPLAY_DRAW_TRANSPARENT;
        msg->draw_transparent = (struct sm_msg_display_draw_transparent){
            f->base, f->src, f->src_area, f->src_color, f->true_color};
    } else if (strcmp(f->kind, "alpha_blend") == 0) {
        msg->type = SM_MSG_DISPLAY_DRAW_ALPHA_BLEND;
        msg->draw_alpha_blend = (struct sm_msg_display_draw_alpha_blend){
            f->base, (uint8_t)f->alpha_flags, (uint8_t)f->alpha, f->src, f->src_area};
    } else if (strcmp(f->kind, "copy_bits") == 0) {
        msg->type = SM_MSG_DISPLAY_COPY_BITS;
        msg->copy_bits = (struct sm_msg_display_copy_bits){f->base, f->src_pos};
    } else if (strcmp(f->kind, "rop3") == 0) {
        msg->type = SM_MSG_DISPLAY_DRAW_ROP3;
        msg->draw_rop3 = (struct sm_msg_display_draw_rop3){
            f->base, f->src, f->src_area, f->brush, (uint8_t)f->rop3, (uint8_t)f->scale_mode,
            f->mask};
    } else if (!make_shape(p, msg, f)) {
        die("an unknown command", f->kind);
    }
}

static void parse_command(struct parse *p, struct words *w)
{
    struct fields f = {.kind = word(w)};
    struct render_command *command = &p->out->commands[p->out->command_count++];
    for (;;) {
        struct words line = {0};
        const char *name = next_line(p->reader, &line);
        if (!name)
            die("a command does not end", f.kind);
        if (strcmp(name, "end") == 0)
            break;
        parse_field(p, name, &line, &f);
    }
    if (strcmp(f.kind, "stream_frame") != 0) {
        make_message(p, &command->msg, &f);
        return;
    }
    command->is_frame = true;
    command->frame_surface = f.base.surface_id;
    command->frame_dest = f.base.box;
    command->frame_clip = f.base.clip;
    command->frame = f.frame;
}

static void parse_line(struct parse *p, const char *name, struct words *w)
{
    struct render_vector *v = p->out;
    if (strcmp(name, "surface") == 0 && v->surface_count < RENDER_MAX_SURFACES) {
        parse_surface(p, w);
    } else if (strcmp(name, "image") == 0) {
        parse_image(p, w);
    } else if (strcmp(name, "palette") == 0) {
        parse_palette(p, w);
    } else if (strcmp(name, "colors") == 0) {
        parse_colors(p, w);
    } else if (strcmp(name, "data") == 0) {
        uint32_t k = index_below(w, MAX_IMAGES);
        p->images[k].bitmap.data = blob(p, w);
    } else if (strcmp(name, "command") == 0 && v->command_count < RENDER_MAX_COMMANDS) {
        parse_command(p, w);
    } else if (strcmp(name, "result") == 0 && v->result_count < RENDER_MAX_RESULTS) {
        struct render_result *result = &v->results[v->result_count++];
        result->id = (uint32_t)number(w);
        result->pixels = blob(p, w).data;
    } else if (strcmp(name, "compare") == 0) {
        v->mask = v->strict = hex(w);
        v->tolerance = (uint32_t)number(w);
    } else if (strcmp(name, "strict") == 0) {
        v->strict = hex(w);
    } else if (strcmp(name, "defect") == 0) {
        v->is_defect = true;
    } else {
        die("an unknown line, or too many", name);
    }
}

bool render_next(struct render_reader *reader, struct render_vector *vector)
{
    struct words w = {0};
    const char *name = next_line(reader, &w);
    if (!name)
        return false;
    if (strcmp(name, "vector") != 0)
        die("expected a vector", name);
    sm_arena_reset(&reader->arena);
    *vector = (struct render_vector){.name = word(&w)};
    struct parse *p = sm_arena_alloc(&reader->arena, 1, sizeof(*p)); /* images live as long */
    if (!p)
        die("out of memory", "");
    p->reader = reader;
    p->out = vector;
    for (;;) {
        name = next_line(reader, &w);
        if (!name)
            die("a vector does not end", vector->name);
        if (strcmp(name, "end_vector") == 0)
            return true;
        parse_line(p, name, &w);
    }
}

static uint8_t *read_file(const char *directory, const char *group, const char *suffix,
                          size_t *size)
{
    char path[4096];
    snprintf(path, sizeof(path), "%s/%s%s", directory, group, suffix);
    FILE *file = fopen(path, "rb");
    if (!file) {
        fprintf(stderr, "cannot open %s\n", path);
        return NULL;
    }
    uint8_t *data = malloc(MAX_INFLATED);
    *size = data ? fread(data, 1, MAX_INFLATED - 1, file) : 0;
    fclose(file);
    if (data)
        data[*size] = '\0';
    return data;
}

bool render_open(struct render_reader *reader, const char *directory, const char *group)
{
    *reader = (struct render_reader){0};
    sm_arena_init(&reader->arena, ARENA_LIMIT);
    size_t text_size = 0, packed_size = 0;
    reader->text = (char *)read_file(directory, group, ".vec", &text_size);
    uint8_t *packed = read_file(directory, group, ".bin.z", &packed_size);
    reader->data = malloc(MAX_INFLATED);
    uLongf size = MAX_INFLATED;
    bool done = reader->text && packed && reader->data &&
                uncompress(reader->data, &size, packed, packed_size) == Z_OK;
    free(packed);
    reader->data_size = size;
    reader->next = reader->text;
    if (!done)
        render_close(reader);
    return done;
}

void render_close(struct render_reader *reader)
{
    free(reader->text);
    free(reader->data);
    sm_arena_finish(&reader->arena);
    *reader = (struct render_reader){0};
}
