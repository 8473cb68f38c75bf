/* SPDX-License-Identifier: MIT */
/* A command line cut into words the way a shell does it, without expanding anything. */
#include <ctype.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "server/replay/record_file.h"

/* Copies one word from `*at` to `out`, which has room for all that is left; false: open quote. */
static bool copy_word(const char **at, char *out)
{
    char quote = 0;
    const char *c = *at;
    for (; *c && (quote || !isspace((unsigned char)*c)); c++) {
        if (quote != '\'' && *c == '\\' && c[1] && (!quote || strchr("$`\"\\\n", c[1])))
            *out++ = *++c;
        else if (quote ? *c == quote : *c == '\'' || *c == '"')
            quote = quote ? 0 : *c;
        else
            *out++ = *c;
    }
    *out = 0;
    *at = c;
    return !quote;
}

static bool append(char ***words, size_t count, char *word)
{
    char **grown = word ? realloc(*words, (count + 2) * sizeof(*grown)) : NULL;
    if (!grown)
        return false;
    grown[count] = word;
    grown[count + 1] = NULL;
    *words = grown;
    return true;
}

char **sm_words_split(const char *line)
{
    char **words = calloc(1, sizeof(*words));
    size_t count = 0;
    while (words) {
        while (isspace((unsigned char)*line))
            line++;
        if (!*line)
            break;
        char *word = malloc(strlen(line) + 1);
        bool is_whole = word && copy_word(&line, word);
        if (!is_whole || !append(&words, count++, word)) {
            free(word);
            sm_words_free(words);
            return NULL;
        }
    }
    return words;
}

void sm_words_free(char **words)
{
    for (size_t i = 0; words && words[i]; i++)
        free(words[i]);
    free(words);
}
