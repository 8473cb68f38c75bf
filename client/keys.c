/* SPDX-License-Identifier: MIT */
#include "sumac/keys.h"

#include <stdio.h>
#include <string.h>
#include <strings.h>

#include "client/key_tables.h"

bool sm_key_is_valid(uint16_t key)
{
    uint16_t code = key & 0xff;
    return key == SM_KEY_PAUSE || ((key & ~0x1ff) == 0 && code >= 0x01 && code <= 0x7f);
}

size_t sm_key_scancodes(uint16_t key, bool is_press, uint8_t bytes[SM_SCANCODES_MAX])
{
    uint8_t release = is_press ? 0 : 0x80;
    if (!sm_key_is_valid(key))
        return 0;
    if (key == SM_KEY_PAUSE) {
        bytes[0] = 0xe1;
        bytes[1] = 0x1d | release;
        bytes[2] = 0x45 | release;
        return 3;
    }
    size_t count = 0;
    if (key & SM_KEY_EXTENDED)
        bytes[count++] = 0xe0;
    bytes[count++] = (uint8_t)(key & 0x7f) | release;
    return count;
}

uint16_t sm_key_from_evdev(uint32_t code)
{
    return code < sm_key_evdev_count ? sm_key_evdev[code] : 0;
}

uint16_t sm_key_from_name(const char *name)
{
    for (size_t i = 0; i < sm_key_name_count; i++)
        if (strcasecmp(name, sm_key_names[i].name) == 0)
            return sm_key_names[i].key;
    return 0;
}

const char *sm_key_name(uint16_t key)
{
    for (size_t i = 0; i < sm_key_name_count; i++)
        if (sm_key_names[i].key == key)
            return sm_key_names[i].name;
    return NULL;
}

const char *sm_key_name_at(size_t index)
{
    return index < sm_key_name_count ? sm_key_names[index].name : NULL;
}

static bool ends_part(char c)
{
    return c == 0 || c == '-' || c == '+';
}

/* The longest name `text` begins with that is followed by a joiner or the end, so that
 * "ctrl-page-up" has two parts and "ctrl--" ends in minus. */
static const struct sm_key_entry *longest_name(const char *text)
{
    const struct sm_key_entry *found = NULL;
    size_t found_size = 0;
    for (size_t i = 0; i < sm_key_name_count; i++) {
        size_t size = strlen(sm_key_names[i].name);
        if (size > found_size && strncasecmp(text, sm_key_names[i].name, size) == 0 &&
            ends_part(text[size])) {
            found = &sm_key_names[i];
            found_size = size;
        }
    }
    return found;
}

static enum sm_status tell_bad(const char *text, char *bad, size_t bad_size, enum sm_status status)
{
    size_t size = strcspn(text, "-+");
    (void)snprintf(bad, bad_size, "%.*s", (int)size, text);
    return status;
}

static bool chord_has(const struct sm_key_chord *chord, uint16_t key)
{
    for (size_t i = 0; i < chord->count; i++)
        if (chord->keys[i] == key)
            return true;
    return false;
}

enum sm_status sm_key_chord_parse(struct sm_key_chord *out, const char *text, char *bad,
                                  size_t bad_size)
{
    struct sm_key_chord chord = {.count = 0};
    for (;;) {
        const struct sm_key_entry *entry = longest_name(text);
        if (!entry)
            return tell_bad(text, bad, bad_size, SM_ERR_PROTOCOL);
        if (chord.count == SM_KEY_CHORD_MAX || chord_has(&chord, entry->key))
            return tell_bad(text, bad, bad_size, SM_ERR_LIMIT);
        chord.keys[chord.count++] = entry->key;
        text += strlen(entry->name);
        if (!*text)
            break;
        text++;
    }
    *out = chord;
    return SM_OK;
}

/* The characters of the main block, by scan code from 0x02 on, without and with Shift; a blank
 * stands for keys that give no character. */
static const char US_PLAIN[] = "1234567890-=  qwertyuiop[]  asdfghjkl;'` \\zxcvbnm,./";
static const char US_SHIFT[] = "!@#$%^&*()_+  QWERTYUIOP{}  ASDFGHJKL:\"~ |ZXCVBNM<>?";

static bool is_control_key(uint32_t character, uint16_t *key)
{
    switch (character) {
    case '\n':
    case '\r':
        *key = SM_KEY_ENTER;
        return true;
    case '\t':
        *key = SM_KEY_TAB;
        return true;
    case '\b':
    case 0x7f:
        *key = SM_KEY_BACKSPACE;
        return true;
    case 0x1b:
        *key = SM_KEY_ESC;
        return true;
    case ' ':
        *key = SM_KEY_SPACE;
        return true;
    default:
        return false;
    }
}

bool sm_key_chord_for_us(struct sm_key_chord *out, uint32_t character)
{
    uint16_t key;
    if (is_control_key(character, &key)) {
        *out = (struct sm_key_chord){.keys = {key}, .count = 1};
        return true;
    }
    if (character <= ' ' || character > '~')
        return false;
    const char *found = strchr(US_PLAIN, (int)character);
    if (found) {
        *out = (struct sm_key_chord){.keys = {(uint16_t)(found - US_PLAIN + 2)}, .count = 1};
        return true;
    }
    found = strchr(US_SHIFT, (int)character);
    if (!found)
        return false;
    *out = (struct sm_key_chord){
        .keys = {SM_KEY_LEFT_SHIFT, (uint16_t)(found - US_SHIFT + 2)},
        .count = 2,
    };
    return true;
}
