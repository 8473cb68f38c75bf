/* SPDX-License-Identifier: MIT */
#include "cli/typing.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cli/layout.h"
#include "cli/utf8.h"

enum {
    TEXT_MAX_BYTES = 1 << 20,
    FIRST_ROOM = 64,     /* chords */
    CODE_CHORDS_MAX = 9, /* Ctrl+Shift+U, at most six digits, a blank; and a NUL of the digits */
};

/** A text on its way, and where in it we are. */
struct planner {
    struct cli_typing typing;
    const struct cli_typing_manner *manner;
    size_t line, column;
    struct cli_failure *failure;
};

static bool cannot_type(const struct planner *p, const char *at, size_t size, uint32_t character)
{
    static const char plain_cure[] =
        "only what a US keyboard has can be typed: ASCII, tabulator, line end. Name the guest's "
        "layout with --layout, or use --unicode or --paste";
    static const char layout_cure[] =
        "type it as its number with --unicode, or paste the text with --paste";
    static const char bad_cure[] = "only text in UTF-8 can be typed, and no control characters but "
                                   "tabulator, line end, escape and backspace";
    const struct cli_typing_manner *manner = p->manner;
    if (character == CLI_UTF8_BAD)
        return cli_fail(p->failure, CLI_EXIT_CANNOT_TYPE, bad_cure,
                        "line %zu, character %zu is not UTF-8 (byte 0x%02x)", p->line, p->column,
                        (unsigned char)*at);
    if (character < 0x20 || (character >= 0x7f && character < 0xa0))
        return cli_fail(p->failure, CLI_EXIT_CANNOT_TYPE, bad_cure,
                        "line %zu, character %zu is the control character U+%04X", p->line,
                        p->column, (unsigned)character);
    if (manner->has_codes)
        return cli_fail(p->failure, CLI_EXIT_CANNOT_TYPE, "paste the text with --paste",
                        "line %zu, character %zu cannot be typed: %.*s (U+%04X); the layout %s has "
                        "no keys for its number either",
                        p->line, p->column, (int)size, at, (unsigned)character,
                        manner->layout_name ? manner->layout_name : "us");
    return cli_fail(p->failure, CLI_EXIT_CANNOT_TYPE, manner->layout ? layout_cure : plain_cure,
                    "line %zu, character %zu cannot be typed%s%s: %.*s (U+%04X)", p->line,
                    p->column, manner->layout ? " with the layout " : "",
                    manner->layout ? manner->layout_name : "", (int)size, at, (unsigned)character);
}

static bool append(struct cli_typing *typing, const struct sm_key_chord *chord)
{
    if (typing->count == typing->room) {
        size_t room = typing->room ? typing->room * 2 : FIRST_ROOM;
        struct sm_key_chord *chords = realloc(typing->chords, room * sizeof(*chords));
        if (!chords)
            return false;
        typing->chords = chords;
        typing->room = room;
    }
    typing->chords[typing->count++] = *chord;
    return true;
}

/* Keys such as Enter and the blank are the same everywhere. */
static bool find(const struct cli_typing_manner *manner, uint32_t character,
                 struct cli_strokes *strokes)
{
    bool is_anywhere = character <= ' ' || character == 0x7f;
    if (manner->layout && !is_anywhere)
        return cli_layout_find(manner->layout, character, strokes);
    strokes->count = 1;
    return sm_key_chord_for_us(&strokes->chords[0], character);
}

/* A chord of `held` and the key of `character`, which may need keys of its own. */
static bool find_with(const struct cli_typing_manner *manner, uint32_t character,
                      const uint16_t *held, size_t held_count, struct sm_key_chord *chord)
{
    struct cli_strokes strokes;
    if (!find(manner, character, &strokes) || strokes.count != 1 ||
        strokes.chords[0].count + held_count > SM_KEY_CHORD_MAX)
        return false;
    *chord = (struct sm_key_chord){.count = 0};
    for (size_t i = 0; i < held_count; i++)
        chord->keys[chord->count++] = held[i];
    for (size_t i = 0; i < strokes.chords[0].count; i++)
        chord->keys[chord->count++] = strokes.chords[0].keys[i];
    return true;
}

/* Ctrl+Shift+U, the number in hexadecimal digits, a blank: what GTK and IBus understand. */
static size_t spell(const struct cli_typing_manner *manner, uint32_t character,
                    struct sm_key_chord chords[CODE_CHORDS_MAX])
{
    static const uint16_t held[] = {SM_KEY_LEFT_CTRL, SM_KEY_LEFT_SHIFT};
    char digits[CODE_CHORDS_MAX];
    size_t count = 0;
    (void)snprintf(digits, sizeof(digits), "%x", (unsigned)character);
    if (!find_with(manner, 'u', held, 2, &chords[count++]))
        return 0;
    for (const char *digit = digits; *digit; digit++)
        if (!find_with(manner, (unsigned char)*digit, NULL, 0, &chords[count++]))
            return 0;
    chords[count++] = (struct sm_key_chord){.keys = {SM_KEY_SPACE}, .count = 1};
    return count;
}

/* Adds one character, or fills the failure. */
static bool add(struct planner *p, const char *at, size_t size, uint32_t character)
{
    struct cli_strokes strokes = {.count = 0};
    struct sm_key_chord code[CODE_CHORDS_MAX];
    const struct sm_key_chord *chords = strokes.chords;
    size_t count = 0;
    bool is_visible =
        character > ' ' && character != CLI_UTF8_BAD && (character < 0x7f || character >= 0xa0);
    if (character != CLI_UTF8_BAD && find(p->manner, character, &strokes)) {
        count = strokes.count;
    } else if (is_visible && p->manner->has_codes) {
        count = spell(p->manner, character, code);
        chords = code;
    }
    if (count == 0)
        return cannot_type(p, at, size, character);
    for (size_t i = 0; i < count; i++)
        if (!append(&p->typing, &chords[i]))
            return cli_fail_nomem(p->failure);
    p->typing.characters++;
    return true;
}

bool cli_typing_plan(struct cli_typing *typing, const char *text, size_t size,
                     const struct cli_typing_manner *manner, struct cli_failure *failure)
{
    struct planner p = {.manner = manner, .line = 1, .column = 1, .failure = failure};
    while (size) {
        uint32_t character;
        size_t taken = cli_utf8_next(text, size, &character);
        /* A line end may be two characters, but is one key. */
        bool is_pair = character == '\r' && size > 1 && text[1] == '\n';
        if (!is_pair && !add(&p, text, taken, character)) {
            cli_typing_finish(&p.typing);
            return false;
        }
        p.column++;
        if (character == '\n') {
            p.line++;
            p.column = 1;
        }
        text += taken;
        size -= taken;
    }
    *typing = p.typing;
    return true;
}

void cli_typing_finish(struct cli_typing *typing)
{
    free(typing->chords);
    *typing = (struct cli_typing){.count = 0};
}

bool cli_typing_read(char **text, size_t *size, const char *name, struct cli_failure *failure)
{
    FILE *file = strcmp(name, "-") == 0 ? stdin : fopen(name, "rbe");
    if (!file)
        return cli_fail(failure, CLI_EXIT_USAGE, "check the path", "%s cannot be read: %s", name,
                        strerror(errno));
    char *read = malloc(TEXT_MAX_BYTES + 1);
    size_t got = read ? fread(read, 1, TEXT_MAX_BYTES + 1, file) : 0;
    bool has_failed = ferror(file);
    if (file != stdin)
        fclose(file);
    if (read && !has_failed && got <= TEXT_MAX_BYTES) {
        *text = read;
        *size = got;
        return true;
    }
    free(read);
    if (!read)
        return cli_fail_nomem(failure);
    return cli_fail(failure, CLI_EXIT_USAGE, "check the path",
                    has_failed ? "%s cannot be read" : "%s is larger than 1 MiB", name);
}
