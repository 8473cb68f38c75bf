/* SPDX-License-Identifier: MIT */
#include "cli/script.h"

#include <stdlib.h>
#include <string.h>

enum { NAME_MAX_BYTES = 64 };

struct variable {
    char name[NAME_MAX_BYTES];
    char *value; /* owned */
};

/** A script being read, and the line that is being split. */
struct parser {
    struct cli_script *script;
    const char *(*environment)(const char *name);
    struct cli_failure *failure;
    struct variable variables[CLI_SCRIPT_VARIABLES_MAX];
    size_t variable_count;
    const char *at, *end;            /* what is left of the line */
    char line[CLI_SCRIPT_VALUE_MAX]; /* its words, each with its NUL */
    size_t line_size;
    size_t starts[CLI_SCRIPT_WORDS_MAX];
    int word_count;
};

static bool bad(const struct parser *p, const char *cause, const char *cure)
{
    return cli_fail(p->failure, CLI_EXIT_USAGE, cure, "%s", cause);
}

static bool put(struct parser *p, char c)
{
    if (p->line_size == sizeof(p->line))
        return bad(p, "the line is too long", "lines have room for 4096 bytes, variables replaced");
    p->line[p->line_size++] = c;
    return true;
}

static bool is_name_char(char c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_';
}

static const char *value_of(const struct parser *p, const char *name)
{
    for (size_t i = 0; i < p->variable_count; i++)
        if (strcmp(p->variables[i].name, name) == 0)
            return p->variables[i].value;
    return p->environment(name);
}

/* Behind the dollar sign. */
static bool put_variable(struct parser *p)
{
    char name[NAME_MAX_BYTES];
    size_t size = 0;
    bool has_brace = p->at < p->end && *p->at == '{';
    p->at += has_brace;
    while (p->at < p->end && is_name_char(*p->at) && size + 1 < sizeof(name))
        name[size++] = *p->at++;
    name[size] = 0;
    if (size == 0 || (has_brace && (p->at == p->end || *p->at++ != '}')))
        return bad(p, "behind $ there is no name of a variable",
                   "write $NAME or ${NAME}; a dollar sign itself is '$' or \"\\$\"");
    const char *value = value_of(p, name);
    if (!value)
        return cli_fail(p->failure, CLI_EXIT_USAGE, "give it one with: set NAME VALUE",
                        "the variable %s has no value", name);
    while (*value)
        if (!put(p, *value++))
            return false;
    return true;
}

static bool put_escape(struct parser *p)
{
    static const char *const unknown = "only \\n, \\t, \\\\, \\\" and \\$ are known";
    if (p->at == p->end)
        return bad(p, "the line ends behind a backslash", unknown);
    switch (*p->at++) {
    case 'n':
        return put(p, '\n');
    case 't':
        return put(p, '\t');
    case '\\':
        return put(p, '\\');
    case '"':
        return put(p, '"');
    case '$':
        return put(p, '$');
    default:
        return bad(p, "a backslash before a character that needs none", unknown);
    }
}

static bool put_quoted(struct parser *p, char quote)
{
    while (p->at < p->end && *p->at != quote) {
        char c = *p->at++;
        bool is_good = quote == '"' && c == '$'    ? put_variable(p)
                       : quote == '"' && c == '\\' ? put_escape(p)
                                                   : put(p, c);
        if (!is_good)
            return false;
    }
    if (p->at == p->end)
        return bad(p, "a quote is not closed", "quotes end on the line they begin on");
    p->at++;
    return true;
}

static bool is_blank(char c)
{
    return c == ' ' || c == '\t' || c == '\r';
}

static bool put_word(struct parser *p)
{
    if (p->word_count == CLI_SCRIPT_WORDS_MAX)
        return bad(p, "the line has too many words", "a line has at most 64");
    p->starts[p->word_count++] = p->line_size;
    while (p->at < p->end && !is_blank(*p->at)) {
        char c = *p->at++;
        bool is_good = c == '"' || c == '\'' ? put_quoted(p, c)
                       : c == '$'            ? put_variable(p)
                                             : put(p, c);
        if (!is_good)
            return false;
    }
    return put(p, 0);
}

static bool split(struct parser *p, const char *line, size_t size)
{
    p->at = line;
    p->end = line + size;
    p->line_size = 0;
    p->word_count = 0;
    if (memchr(line, 0, size))
        return bad(p, "the line has a NUL character", "scripts are text");
    for (;;) {
        while (p->at < p->end && is_blank(*p->at))
            p->at++;
        if (p->at == p->end || *p->at == '#')
            return true;
        if (!put_word(p))
            return false;
    }
}

static bool set_variable(struct parser *p)
{
    const char *name = p->word_count == 3 ? p->line + p->starts[1] : "";
    size_t size = strlen(name);
    bool is_name = size > 0 && size < NAME_MAX_BYTES;
    for (size_t i = 0; i < size; i++)
        is_name = is_name && is_name_char(name[i]);
    if (!is_name)
        return bad(p, "set needs a name of letters, digits and _, and a value", "set NAME VALUE");
    size_t i = 0;
    while (i < p->variable_count && strcmp(p->variables[i].name, name) != 0)
        i++;
    if (i == CLI_SCRIPT_VARIABLES_MAX)
        return bad(p, "there are too many variables", "a script has at most 256");
    char *value = strdup(p->line + p->starts[2]);
    if (!value)
        return cli_fail_nomem(p->failure);
    if (i == p->variable_count) {
        memcpy(p->variables[i].name, name, size + 1);
        p->variables[i].value = NULL;
        p->variable_count++;
    }
    free(p->variables[i].value);
    p->variables[i].value = value;
    return true;
}

/* The words in one piece of memory: the pointers, then the text. */
static bool keep(struct parser *p, uint32_t number)
{
    struct cli_script *script = p->script;
    struct cli_script_line *lines =
        realloc(script->lines, (script->line_count + 1) * sizeof(*lines));
    if (!lines)
        return cli_fail_nomem(p->failure);
    script->lines = lines;
    size_t table_bytes = ((size_t)p->word_count + 1) * sizeof(char *);
    char **words = malloc(table_bytes + p->line_size);
    if (!words)
        return cli_fail_nomem(p->failure);
    char *text = (char *)words + table_bytes;
    memcpy(text, p->line, p->line_size);
    for (int i = 0; i < p->word_count; i++)
        words[i] = text + p->starts[i];
    words[p->word_count] = NULL;
    lines[script->line_count++] = (struct cli_script_line){number, p->word_count, words};
    return true;
}

static bool take_line(struct parser *p, const char *line, size_t size, uint32_t number)
{
    if (!split(p, line, size))
        return false;
    if (p->word_count == 0)
        return true;
    return strcmp(p->line, "set") == 0 ? set_variable(p) : keep(p, number);
}

bool cli_script_parse(struct cli_script *script, const char *text, size_t size,
                      const char *(*environment)(const char *name), uint32_t *failed_line,
                      struct cli_failure *failure)
{
    *script = (struct cli_script){.lines = NULL};
    *failed_line = 0;
    struct parser *p = calloc(1, sizeof(*p));
    if (!p)
        return cli_fail_nomem(failure);
    p->script = script;
    p->environment = environment;
    p->failure = failure;
    const char *at = text, *end = text + size;
    bool is_good = true;
    for (uint32_t number = 1; is_good && at < end; number++) {
        const char *stop = memchr(at, '\n', (size_t)(end - at));
        stop = stop ? stop : end;
        *failed_line = number;
        is_good = number <= CLI_SCRIPT_LINES_MAX
                      ? take_line(p, at, (size_t)(stop - at), number)
                      : bad(p, "the script is too long", "a script has at most 10000 lines");
        at = stop < end ? stop + 1 : end;
    }
    for (size_t i = 0; i < p->variable_count; i++)
        free(p->variables[i].value);
    free(p);
    return is_good;
}

void cli_script_finish(struct cli_script *script)
{
    for (size_t i = 0; i < script->line_count; i++)
        free(script->lines[i].words);
    free(script->lines);
    *script = (struct cli_script){.lines = NULL};
}
