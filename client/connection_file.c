/* SPDX-License-Identifier: MIT */
#include "sumac/connection_file.h"

#include <ctype.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "client/error.h"

enum {
    ENTRIES_MAX = 256, /* keys that are kept; current software knows about thirty */
    KEY_MAX = 63,
    TEXT_MAX = 4096, /* of the address that is put together */
};

struct entry {
    char *key;   /* owned */
    char *value; /* owned, escapes resolved; an escaped ';' is still "\;", for lists */
    size_t value_size;
};

struct sm_connection_file {
    struct entry entries[ENTRIES_MAX];
    size_t count;
    bool has_group; /* [virt-viewer] was seen */
};

/* A piece of the text. */
struct span {
    const char *text;
    size_t size;
};

static bool is_blank(char c)
{
    return c == ' ' || c == '\t' || c == '\r';
}

static struct span trim(struct span span)
{
    while (span.size > 0 && is_blank(span.text[0])) {
        span.text++;
        span.size--;
    }
    while (span.size > 0 && is_blank(span.text[span.size - 1]))
        span.size--;
    return span;
}

static bool is_equal(struct span span, const char *text)
{
    return span.size == strlen(text) && memcmp(span.text, text, span.size) == 0;
}

/* Takes the next line off `rest`. */
static struct span next_line(struct span *rest)
{
    const char *end = memchr(rest->text, '\n', rest->size);
    struct span line = {rest->text, end ? (size_t)(end - rest->text) : rest->size};
    size_t taken = line.size + (end ? 1 : 0);
    rest->text += taken;
    rest->size -= taken;
    return line;
}

static void wipe(char *secret, size_t size)
{
    if (secret)
        explicit_bzero(secret, size);
    free(secret);
}

void sm_connection_file_destroy(struct sm_connection_file *file)
{
    if (!file)
        return;
    for (size_t i = 0; i < file->count; i++) {
        free(file->entries[i].key);
        wipe(file->entries[i].value, file->entries[i].value_size);
    }
    free(file);
}

/* The byte that a backslash and `c` stand for; 0 for those that stay as they are. */
static char unescape(char c)
{
    switch (c) {
    case 's':
        return ' ';
    case 'n':
        return '\n';
    case 't':
        return '\t';
    case 'r':
        return '\r';
    case '\\':
        return '\\';
    default:
        return 0;
    }
}

static char *decode(struct span value, size_t *size)
{
    *size = value.size + 1;
    char *out = malloc(*size);
    if (!out)
        return NULL;
    size_t used = 0;
    for (size_t i = 0; i < value.size; i++) {
        char c = value.text[i];
        char plain = c == '\\' && i + 1 < value.size ? unescape(value.text[i + 1]) : 0;
        if (plain) {
            c = plain;
            i++;
        }
        out[used++] = c;
    }
    out[used] = 0;
    return out;
}

static struct entry *find(const struct sm_connection_file *file, struct span key)
{
    for (size_t i = 0; i < file->count; i++)
        if (is_equal(key, file->entries[i].key))
            return (struct entry *)&file->entries[i];
    return NULL;
}

/* "key=value" of our group. Keys nobody can ask for are left out. */
static enum sm_status take_entry(struct sm_connection_file *file, struct span line)
{
    const char *equals = memchr(line.text, '=', line.size);
    if (!equals)
        return SM_OK;
    struct span key = trim((struct span){line.text, (size_t)(equals - line.text)});
    struct span value =
        trim((struct span){equals + 1, line.size - (size_t)(equals - line.text) - 1});
    if (key.size == 0 || key.size > KEY_MAX || memchr(value.text, 0, value.size))
        return SM_OK;
    struct entry *entry = find(file, key);
    if (!entry && file->count == ENTRIES_MAX)
        return SM_OK;
    size_t size;
    char *decoded = decode(value, &size);
    char *name = entry ? NULL : strndup(key.text, key.size);
    if (!decoded || (!entry && !name)) {
        free(name);
        wipe(decoded, decoded ? size : 0);
        return SM_ERR_NOMEM;
    }
    if (entry)
        wipe(entry->value, entry->value_size);
    else
        (entry = &file->entries[file->count++])->key = name;
    entry->value = decoded;
    entry->value_size = size;
    return SM_OK;
}

static enum sm_status take_lines(struct sm_connection_file *file, struct span rest)
{
    bool is_ours = false;
    enum sm_status status = SM_OK;
    while (rest.size > 0 && status == SM_OK) {
        struct span line = trim(next_line(&rest));
        if (line.size == 0 || line.text[0] == '#')
            continue;
        if (line.text[0] == '[') {
            is_ours = is_equal(line, "[virt-viewer]");
            file->has_group |= is_ours;
        } else if (is_ours) {
            status = take_entry(file, line);
        }
    }
    return status;
}

static enum sm_status refuse(struct sm_error *error, enum sm_status status, const char *cause)
{
    sm_error_set(error, SM_ERROR_ADDRESS, "ask whoever made the file for a new one",
                 "the connection file is not valid: %s", cause);
    return status;
}

enum sm_status sm_connection_file_parse(struct sm_connection_file **out, const char *text,
                                        size_t size, struct sm_error *error)
{
    if (size > SM_CONNECTION_FILE_MAX_BYTES)
        return refuse(error, SM_ERR_LIMIT, "it is too long");
    struct sm_connection_file *file = calloc(1, sizeof(*file));
    if (!file)
        return sm_error_nomem(error);
    enum sm_status status = take_lines(file, (struct span){text, size});
    if (status == SM_ERR_NOMEM)
        (void)sm_error_nomem(error);
    else if (!file->has_group)
        status = refuse(error, SM_ERR_PROTOCOL, "it has no group [virt-viewer]");
    else if (!sm_connection_file_get(file, "type"))
        status = refuse(error, SM_ERR_PROTOCOL, "it does not say its type");
    if (status != SM_OK) {
        sm_connection_file_destroy(file);
        return status;
    }
    *out = file;
    return SM_OK;
}

const char *sm_connection_file_get(const struct sm_connection_file *file, const char *key)
{
    const struct entry *entry = find(file, (struct span){key, strlen(key)});
    return entry ? entry->value : NULL;
}

int32_t sm_connection_file_number(const struct sm_connection_file *file, const char *key,
                                  int32_t fallback)
{
    const char *text = sm_connection_file_get(file, key);
    if (!text || !*text)
        return fallback;
    char *end;
    errno = 0;
    long value = strtol(text, &end, 10);
    if (errno || *end || value < INT32_MIN || value > INT32_MAX)
        return fallback;
    return (int32_t)value;
}

bool sm_connection_file_item(const struct sm_connection_file *file, const char *key, size_t index,
                             char *item, size_t size)
{
    const char *text = sm_connection_file_get(file, key);
    if (!text || size == 0)
        return false;
    for (size_t i = 0;; i++) {
        if (!*text)
            return false; /* a ';' at the end begins no item */
        size_t used = 0;
        for (; *text && *text != ';'; text++) {
            if (*text == '\\' && text[1] == ';')
                text++;
            if (used + 1 < size)
                item[used++] = *text;
        }
        item[used] = 0;
        if (i == index)
            return true;
        if (*text)
            text++;
    }
}

/* ---- What it is for ---- */

/* Percent-encodes what an address could take for something else. */
static bool put_host(char *out, size_t room, const char *host)
{
    bool is_ipv6 = strchr(host, ':') && host[0] != '[';
    int length = snprintf(out, room, is_ipv6 ? "spice://[%s]" : "spice://%s", host);
    return length > 0 && (size_t)length < room;
}

static bool is_port(int32_t port)
{
    return port > 0 && port <= 65535;
}

static enum sm_status network_address(const struct sm_connection_file *file,
                                      struct sm_address **out, struct sm_error *error)
{
    const char *host = sm_connection_file_get(file, "host");
    int32_t port = sm_connection_file_number(file, "port", 0);
    int32_t tls_port = sm_connection_file_number(file, "tls-port", 0);
    if (!host || !*host || strpbrk(host, "/?;@&#"))
        return refuse(error, SM_ERR_PROTOCOL, "it names no host");
    if (!is_port(port) && !is_port(tls_port))
        return refuse(error, SM_ERR_PROTOCOL, "it names no port");
    char text[TEXT_MAX];
    if (!put_host(text, sizeof(text) - 64, host))
        return refuse(error, SM_ERR_PROTOCOL, "its host name is too long");
    size_t used = strlen(text);
    if (is_port(port))
        used += (size_t)snprintf(text + used, sizeof(text) - used, "?port=%d", (int)port);
    if (is_port(tls_port))
        (void)snprintf(text + used, sizeof(text) - used, "%ctls-port=%d", is_port(port) ? '&' : '?',
                       (int)tls_port);
    return sm_address_parse(out, text, error);
}

enum sm_status sm_connection_file_address(const struct sm_connection_file *file,
                                          struct sm_address **out, struct sm_error *error)
{
    const char *type = sm_connection_file_get(file, "type");
    if (!type || strcmp(type, "spice") != 0) {
        sm_error_set(error, SM_ERROR_ADDRESS, "open it with a program for that protocol",
                     "the connection file is for '%.40s', not for SPICE", type ? type : "");
        return SM_ERR_PROTOCOL;
    }
    const char *unix_path = sm_connection_file_get(file, "unix-path");
    if (!unix_path || !*unix_path)
        return network_address(file, out, error);
    char text[TEXT_MAX];
    int length = snprintf(text, sizeof(text), "spice+unix://%s", unix_path);
    if (length < 0 || (size_t)length >= sizeof(text))
        return refuse(error, SM_ERR_PROTOCOL, "its socket's path is too long");
    return sm_address_parse(out, text, error);
}

/* The mask of a list of channel names; "all" is every kind. Unknown names are left out. */
static uint32_t channel_mask(const struct sm_connection_file *file, const char *key)
{
    uint32_t mask = 0;
    char name[32];
    for (size_t i = 0; sm_connection_file_item(file, key, i, name, sizeof(name)); i++) {
        if (strcmp(name, "all") == 0)
            return UINT32_MAX;
        for (unsigned kind = SM_CHANNEL_KIND_MAIN; kind <= SM_CHANNEL_KIND_WEBDAV; kind++)
            if (strcmp(name, sm_channel_kind_name((enum sm_channel_kind)kind)) == 0)
                mask |= 1u << kind;
    }
    return mask;
}

static const char *filled(const struct sm_connection_file *file, const char *key)
{
    const char *value = sm_connection_file_get(file, key);
    return value && *value ? value : NULL;
}

enum sm_status sm_connection_file_apply(const struct sm_connection_file *file,
                                        struct sm_session *session)
{
    const char *password = filled(file, "password");
    const char *user = filled(file, "username");
    enum sm_status status = password ? sm_session_set_password(session, password) : SM_OK;
    if (status == SM_OK && user)
        status = sm_session_set_user(session, user);
    if (status == SM_OK)
        status = sm_session_set_ca_pem(session, filled(file, "ca"));
    if (status == SM_OK)
        status = sm_session_set_host_subject(session, filled(file, "host-subject"));
    if (status == SM_OK)
        status = sm_session_set_ciphers(session, filled(file, "tls-ciphers"));
    if (status == SM_OK && filled(file, "proxy"))
        status = sm_session_set_proxy(session, filled(file, "proxy"));
    if (status == SM_OK)
        status = sm_session_set_secure_channels(session, channel_mask(file, "secure-channels"));
    if (status == SM_OK)
        status = sm_session_leave_out_channels(session, channel_mask(file, "disable-channels"));
    return status;
}

/* Takes a number and the separator behind it off `text`; false if there is something else. */
static bool next_part(const char **text, unsigned long *value)
{
    char *end = (char *)*text;
    *value = isdigit((unsigned char)**text) ? strtoul(*text, &end, 10) : 0;
    if (*end && *end != '.' && *end != '-')
        return false;
    *text = *end ? end + 1 : end;
    return true;
}

/* Below 0 if `a` is older. A build behind a '-' counts like one more number. */
static int compare_versions(const char *a, const char *b)
{
    while (*a || *b) {
        unsigned long x, y;
        if (!next_part(&a, &x) || !next_part(&b, &y))
            return 0;
        if (x != y)
            return x < y ? -1 : 1;
    }
    return 0;
}

bool sm_connection_file_needs_newer(const struct sm_connection_file *file, const char *version)
{
    const char *needed = filled(file, "version");
    return needed && compare_versions(version, needed) < 0;
}
