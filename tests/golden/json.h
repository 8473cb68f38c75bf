/* SPDX-License-Identifier: MIT */
/* Reads a JSON text into a tree, for test data that we trust to be reasonable, not to be correct.
 */
#ifndef SM_TESTS_GOLDEN_JSON_H
#define SM_TESTS_GOLDEN_JSON_H

#include <stdbool.h>
#include <stddef.h>

enum json_kind { JSON_NULL, JSON_BOOL, JSON_NUMBER, JSON_STRING, JSON_ARRAY, JSON_OBJECT };

/** A value. Members of arrays and objects are linked in their order. */
struct json {
    enum json_kind kind;
    char *name; /* owned: of a member of an object, else NULL */
    struct json *next;
    struct json *first; /* owned: members of an array or object */
    char *text;         /* owned: of a string */
    double number;      /* of a number; 1 or 0 of a bool */
};

/** The tree of `size` bytes of text, owned by the caller; NULL if it is not JSON or memory ends. */
struct json *json_parse(const char *text, size_t size);
void json_free(struct json *value);

/** The member `name` of an object; NULL if there is none, or no object. */
const struct json *json_get(const struct json *object, const char *name);

/** Members by name, with what to say if they are missing or of another kind. */
const char *json_text(const struct json *object, const char *name, const char *otherwise);
double json_number(const struct json *object, const char *name, double otherwise);
bool json_bool(const struct json *object, const char *name, bool otherwise);

#endif
