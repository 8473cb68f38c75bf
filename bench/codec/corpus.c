/* SPDX-License-Identifier: MIT */
#include "bench/codec/corpus.h"

#include <stdbool.h>
#include <string.h>

enum { GLYPH_WIDTH = 7, GLYPH_HEIGHT = 9, LINE_HEIGHT = 12, GLYPHS = 64 };

static uint32_t hash(uint32_t x)
{
    x ^= x >> 16;
    x *= 0x7feb352du;
    x ^= x >> 15;
    x *= 0x846ca68bu;
    return x ^ x >> 16;
}

const char *corpus_name(enum corpus_kind kind)
{
    static const char *const NAMES[CORPUS_COUNT] = {"text", "desktop", "photo", "gradient",
                                                    "noise"};
    return kind < CORPUS_COUNT ? NAMES[kind] : "?";
}

struct picture {
    uint32_t *pixels;
    uint32_t width, height;
};

static void fill(struct picture p, uint32_t x, uint32_t y, uint32_t w, uint32_t h, uint32_t color)
{
    for (uint32_t j = y; j < y + h && j < p.height; j++) {
        for (uint32_t i = x; i < x + w && i < p.width; i++)
            p.pixels[(size_t)j * p.width + i] = color;
    }
}

/* A letter of an alphabet nobody reads: up to four strokes in a 5 x 9 cell. */
static void draw_glyph(struct picture p, uint32_t glyph, uint32_t x, uint32_t y, uint32_t color,
                       bool is_bold)
{
    uint32_t shape = hash(glyph + 77);
    uint32_t thick = is_bold ? 2 : 1;
    if (shape & 1)
        fill(p, x, y, thick, GLYPH_HEIGHT - 2, color);
    if (shape & 2)
        fill(p, x + 4, y + (shape >> 8 & 3), thick, GLYPH_HEIGHT - 3 - (shape >> 8 & 3), color);
    if (shape & 4)
        fill(p, x + 1, y + (shape >> 10 & 3), 3, 1, color);
    if (shape & 8)
        fill(p, x + 1, y + 4, 3, 1, color);
    if (shape & 16)
        fill(p, x + 1, y + GLYPH_HEIGHT - 3, 3, 1, color);
    if (shape & 32) {
        for (uint32_t i = 0; i < 5; i++)
            fill(p, x + i, y + 1 + i, thick, 1, color);
    }
    if ((shape & 63) == 0)
        fill(p, x + 2, y, thick, GLYPH_HEIGHT, color);
}

/* Lines of words, each word of one of a few colours, as an editor paints a program. */
static void draw_text(struct picture p, uint32_t left, uint32_t top, uint32_t width,
                      uint32_t height, uint32_t seed)
{
    static const uint32_t COLORS[8] = {0x000000, 0x000000, 0x202020, 0x1a1aa6,
                                       0x9a1515, 0x15801a, 0x000000, 0x303030};
    for (uint32_t line = 0; (line + 1) * LINE_HEIGHT < height; line++) {
        uint32_t random = hash(seed + line * 977);
        uint32_t columns = width / GLYPH_WIDTH * (60 + random % 40) / 100;
        uint32_t color = COLORS[random >> 8 & 7], word = random;
        bool is_bold = (random >> 16 & 7) == 0;
        for (uint32_t column = (random >> 20) % 12; column < columns; column++) {
            random = hash(random + column);
            if (random % 7 == 0) {
                word = hash(random) % 97; /* words come again and again */
                continue;
            }
            draw_glyph(p, hash(word + column % 5) % GLYPHS, left + column * GLYPH_WIDTH,
                       top + line * LINE_HEIGHT, color, is_bold);
        }
    }
}

static uint32_t blend(uint32_t a, uint32_t b, uint32_t at, uint32_t of)
{
    uint32_t out = 0;
    for (uint32_t shift = 0; shift < 24; shift += 8) {
        uint32_t va = a >> shift & 255, vb = b >> shift & 255;
        out |= (va * (of - at) + vb * at) / of << shift;
    }
    return out;
}

static void draw_bar(struct picture p, uint32_t x, uint32_t y, uint32_t w, uint32_t h, uint32_t a,
                     uint32_t b)
{
    for (uint32_t i = 0; i < w; i++)
        fill(p, x + i, y, 1, h, blend(a, b, i, w));
}

static void draw_text_screen(struct picture p)
{
    fill(p, 0, 0, p.width, p.height, 0xffffff);
    draw_text(p, 4, 24, p.width - 24, p.height - 24, 1);
    draw_bar(p, 0, 0, p.width, 16, 0x2d5aa0, 0x6f9ad8);
    fill(p, p.width - 14, 16, 14, p.height, 0xd8d8d8);
    fill(p, p.width - 12, 40, 10, p.height / 5, 0x909090);
}

static void draw_window(struct picture p, uint32_t x, uint32_t y, uint32_t w, uint32_t h,
                        uint32_t seed)
{
    fill(p, x, y, w, h, 0x707070);
    fill(p, x + 1, y + 1, w - 2, h - 2, 0xf4f4f2);
    for (uint32_t i = 0; i < 24; i++) /* the title shades from top to bottom */
        fill(p, x + 1, y + 1 + i, w - 2, 1, blend(0x5a87c8, 0x2c4f8a, i, 24));
    draw_text(p, x + 8, y + 6, w / 3, 2 * LINE_HEIGHT, seed);
    draw_text(p, x + 8, y + 36, w - 40, h - 44, seed + 1);
    for (uint32_t i = 0; i < 6; i++) { /* buttons */
        fill(p, x + w - 30, y + 40 + i * 30, 24, 22, 0xa8a8a8);
        fill(p, x + w - 29, y + 41 + i * 30, 22, 20, 0xe0e0e0 - i * 0x080808);
    }
}

static void draw_desktop(struct picture p)
{
    for (uint32_t y = 0; y < p.height; y++)
        fill(p, 0, y, p.width, 1, blend(0x1b3a5c, 0x6a8fb0, y, p.height));
    for (uint32_t i = 0; i < 12; i++) { /* icons with a shine */
        uint32_t x = 24 + i % 2 * 90, y = 30 + i / 2 * 96;
        for (uint32_t j = 0; j < 48; j++)
            draw_bar(p, x, y + j, 48, 1, hash(i) & 0xffffff,
                     blend(hash(i + 9) & 0xffffff, 0xffffff, j, 48));
        draw_text(p, x, y + 56, 70, 2 * LINE_HEIGHT, 400 + i);
    }
    draw_window(p, p.width / 8, p.height / 10, p.width / 2, p.height * 6 / 10, 100);
    draw_window(p, p.width * 4 / 10, p.height / 4, p.width * 5 / 10, p.height * 6 / 10, 200);
    draw_bar(p, 0, p.height - 40, p.width, 40, 0x303030, 0x505050);
}

/* Value noise: random heights on a grid, smoothly joined, in 8 bits of fraction. */
static uint32_t smooth_noise(uint32_t x, uint32_t y, uint32_t cell, uint32_t seed)
{
    uint32_t gx = x / cell, gy = y / cell;
    uint32_t fx = x % cell * 256 / cell, fy = y % cell * 256 / cell;
    fx = fx * fx * (768 - 2 * fx) >> 16;
    fy = fy * fy * (768 - 2 * fy) >> 16;
    uint32_t corners[4];
    for (uint32_t i = 0; i < 4; i++)
        corners[i] = hash((gx + (i & 1)) * 7919 + (gy + (i >> 1)) * 104729 + seed) & 0xffff;
    uint32_t top = corners[0] * (256 - fx) + corners[1] * fx;
    uint32_t bottom = corners[2] * (256 - fx) + corners[3] * fx;
    return (uint32_t)(((uint64_t)top * (256 - fy) + (uint64_t)bottom * fy) >> 16);
}

static uint32_t clamp_byte(int32_t v)
{
    return v < 0 ? 0 : v > 255 ? 255 : (uint32_t)v;
}

static void draw_photo(struct picture p)
{
    for (uint32_t y = 0; y < p.height; y++) {
        for (uint32_t x = 0; x < p.width; x++) {
            int32_t light = 0;
            for (uint32_t cell = 256, weight = 128; cell >= 8; cell /= 2, weight /= 2)
                light += (int32_t)(smooth_noise(x, y, cell, cell) * weight >> 16);
            uint32_t pixel = 0;
            for (uint32_t c = 0; c < 3; c++) {
                int32_t tint = (int32_t)(smooth_noise(x, y, 192, 1000 + c) >> 10) - 32;
                uint32_t grain = hash(x * 3 + c + y * 6151);
                int32_t noise = (int32_t)(grain % 5 + (grain >> 8) % 4) - 3;
                pixel |= clamp_byte(light + tint + noise) << 8 * c;
            }
            p.pixels[(size_t)y * p.width + x] = pixel;
        }
    }
}

void corpus_draw(enum corpus_kind kind, uint32_t *pixels, uint32_t width, uint32_t height)
{
    struct picture p = {.pixels = pixels, .width = width, .height = height};
    switch (kind) {
    case CORPUS_TEXT:
        draw_text_screen(p);
        break;
    case CORPUS_DESKTOP:
        draw_desktop(p);
        break;
    case CORPUS_PHOTO:
        draw_photo(p);
        break;
    case CORPUS_GRADIENT:
        for (uint32_t y = 0; y < height; y++) {
            for (uint32_t x = 0; x < width; x++)
                pixels[(size_t)y * width + x] = (x * 255 / width) << 16 | (y * 255 / height) << 8 |
                                                (x + y) * 255 / (width + height);
        }
        break;
    case CORPUS_NOISE:
    case CORPUS_COUNT:
        for (size_t i = 0; i < (size_t)width * height; i++)
            pixels[i] = hash((uint32_t)i) & 0xffffff;
        break;
    }
}
