/* SPDX-License-Identifier: MIT */
#include "cli/json.h"

#include <inttypes.h>
#include <stddef.h>
#include <string.h>

#include "cli/utf8.h"

static void put_text(FILE *out, const char *text)
{
    fputc('"', out);
    size_t left = strlen(text);
    while (left) {
        uint32_t character;
        size_t size = cli_utf8_next(text, left, &character);
        if (character == '"' || character == '\\')
            fprintf(out, "\\%c", (int)character);
        else if (character == CLI_UTF8_BAD)
            fputs("\\ufffd", out);
        else if (character < 0x20 || character == 0x7f)
            fprintf(out, "\\u%04x", (unsigned)character);
        else
            fwrite(text, 1, size, out);
        text += size;
        left -= size;
    }
    fputc('"', out);
}

static void begin_member(struct cli_json *json, const char *name)
{
    if (json->needs_comma)
        fputs(", ", json->out);
    json->needs_comma = true;
    if (name) {
        put_text(json->out, name);
        fputs(": ", json->out);
    }
}

void cli_json_open(struct cli_json *json, const char *name, char bracket)
{
    begin_member(json, name);
    fputc(bracket, json->out);
    json->needs_comma = false;
}

void cli_json_close(struct cli_json *json, char bracket)
{
    fputc(bracket, json->out);
    json->needs_comma = true;
}

void cli_json_text(struct cli_json *json, const char *name, const char *value)
{
    begin_member(json, name);
    if (value)
        put_text(json->out, value);
    else
        fputs("null", json->out);
}

void cli_json_number(struct cli_json *json, const char *name, int64_t value)
{
    begin_member(json, name);
    fprintf(json->out, "%" PRId64, value);
}

void cli_json_bool(struct cli_json *json, const char *name, bool value)
{
    begin_member(json, name);
    fputs(value ? "true" : "false", json->out);
}
