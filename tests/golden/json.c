/* SPDX-License-Identifier: MIT */
#include "tests/golden/json.h"

#include <stdlib.h>
#include <string.h>

enum { MAX_DEPTH = 32 };

struct parser {
    const char *pos, *end;
    unsigned depth;
};

static void skip_blanks(struct parser *p)
{
    while (p->pos < p->end && strchr(" \t\r\n", *p->pos))
        p->pos++;
}

static bool take(struct parser *p, char c)
{
    skip_blanks(p);
    if (p->pos == p->end || *p->pos != c)
        return false;
    p->pos++;
    return true;
}

static bool take_word(struct parser *p, const char *word)
{
    size_t size = strlen(word);
    if ((size_t)(p->end - p->pos) < size || memcmp(p->pos, word, size) != 0)
        return false;
    p->pos += size;
    return true;
}

/* Escapes other than the plain ones become '?': names and hexadecimal need none. */
static char *parse_string(struct parser *p)
{
    if (!take(p, '"'))
        return NULL;
    const char *start = p->pos;
    while (p->pos < p->end && *p->pos != '"')
        p->pos += *p->pos == '\\' && p->end - p->pos > 1 ? 2 : 1;
    if (p->pos >= p->end)
        return NULL;
    char *text = malloc((size_t)(p->pos - start) + 1);
    if (!text)
        return NULL;
    size_t size = 0;
    for (const char *c = start; c < p->pos; c++) {
        if (*c == '\\') {
            c++;
            text[size++] = strchr("\"\\/", *c) ? *c : '?';
        } else {
            text[size++] = *c;
        }
    }
    text[size] = '\0';
    p->pos++;
    return text;
}

static struct json *parse_value(struct parser *p);

static bool parse_members(struct parser *p, struct json *parent, char close)
{
    struct json **tail = &parent->first;
    if (take(p, close))
        return true;
    do {
        char *name = NULL;
        if (parent->kind == JSON_OBJECT) {
            name = parse_string(p);
            if (!name || !take(p, ':')) {
                free(name);
                return false;
            }
        }
        struct json *member = parse_value(p);
        if (!member) {
            free(name);
            return false;
        }
        member->name = name;
        *tail = member;
        tail = &member->next;
    } while (take(p, ','));
    return take(p, close);
}

static bool parse_number(struct parser *p, struct json *value)
{
    char room[64]; /* the text need not end behind the number */
    size_t size = 0;
    while (p->pos < p->end && size < sizeof(room) - 1 && strchr("+-.eE0123456789", *p->pos))
        room[size++] = *p->pos++;
    room[size] = '\0';
    char *end;
    value->kind = JSON_NUMBER;
    value->number = strtod(room, &end);
    return size > 0 && *end == '\0';
}

static bool parse_into(struct parser *p, struct json *value)
{
    skip_blanks(p);
    if (p->pos == p->end)
        return false;
    switch (*p->pos) {
    case '{':
        p->pos++;
        value->kind = JSON_OBJECT;
        return parse_members(p, value, '}');
    case '[':
        p->pos++;
        value->kind = JSON_ARRAY;
        return parse_members(p, value, ']');
    case '"':
        value->kind = JSON_STRING;
        value->text = parse_string(p);
        return value->text != NULL;
    case 't':
        value->kind = JSON_BOOL;
        value->number = 1;
        return take_word(p, "true");
    case 'f':
        value->kind = JSON_BOOL;
        return take_word(p, "false");
    case 'n':
        return take_word(p, "null");
    default:
        return parse_number(p, value);
    }
}

static struct json *parse_value(struct parser *p)
{
    if (p->depth == MAX_DEPTH)
        return NULL;
    struct json *value = calloc(1, sizeof(*value));
    if (!value)
        return NULL;
    p->depth++;
    bool is_good = parse_into(p, value);
    p->depth--;
    if (is_good)
        return value;
    json_free(value);
    return NULL;
}

struct json *json_parse(const char *text, size_t size)
{
    struct parser p = {.pos = text, .end = text + size};
    struct json *value = parse_value(&p);
    skip_blanks(&p);
    if (value && p.pos == p.end)
        return value;
    json_free(value);
    return NULL;
}

void json_free(struct json *value)
{
    while (value) {
        struct json *next = value->next;
        json_free(value->first);
        free(value->name);
        free(value->text);
        free(value);
        value = next;
    }
}

const struct json *json_get(const struct json *object, const char *name)
{
    if (!object || object->kind != JSON_OBJECT)
        return NULL;
    for (const struct json *member = object->first; member; member = member->next) {
        if (strcmp(member->name, name) == 0)
            return member;
    }
    return NULL;
}

const char *json_text(const struct json *object, const char *name, const char *otherwise)
{
    const struct json *value = json_get(object, name);
    return value && value->kind == JSON_STRING ? value->text : otherwise;
}

double json_number(const struct json *object, const char *name, double otherwise)
{
    const struct json *value = json_get(object, name);
    return value && value->kind == JSON_NUMBER ? value->number : otherwise;
}

bool json_bool(const struct json *object, const char *name, bool otherwise)
{
    const struct json *value = json_get(object, name);
    return value && value->kind == JSON_BOOL ? value->number != 0 : otherwise;
}
