/* SPDX-License-Identifier: MIT */
#include "sumac/address.h"

#include <ctype.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "client/error.h"

enum {
    TEXT_MAX = 4096, /* bytes of a whole address */
    HOST_MAX = 255,  /* as in DNS */
    KEY_MAX = 31,    /* of the query */
    VALUE_MAX = 127, /* of the query, decoded */
    WEB_PATH_MAX = 1024,
    WEB_PORT = 80,
    SECURE_WEB_PORT = 443,
    UNIX_PATH_MAX_BYTES = 107, /* what a socket address can hold besides its NUL */
};

struct sm_address {
    char *host;      /* owned; or NULL */
    char *unix_path; /* owned; or NULL */
    char *user;      /* owned; or NULL */
    char *password;  /* owned; or NULL */
    char *path;      /* owned: of the WebSocket; or NULL */
    char *text;      /* owned */
    uint16_t port, tls_port;
    bool is_tls_scheme;
    const char *warning; /* static, or NULL */
};

/** One attempt to understand a text. */
struct parser {
    struct sm_address *address; /* being filled */
    struct sm_error *error;     /* or NULL */
    const char *text;           /* the whole, for messages */
};

static const char CURE_FORMS[] =
    "write spice://HOST:PORT, spice+tls://HOST:PORT, spice+unix:///PATH or ws://HOST:PORT/PATH";

/* Never quotes the text itself: it may hold a password. */
static enum sm_status bad(const struct parser *p, const char *cure, const char *cause)
{
    sm_error_set(p->error, SM_ERROR_ADDRESS, cure, "the address is not valid: %s", cause);
    return SM_ERR_PROTOCOL;
}

static enum sm_status copy(const struct parser *p, char **out, const char *text, size_t size)
{
    free(*out);
    *out = strndup(text, size);
    return *out ? SM_OK : sm_error_nomem(p->error);
}

static void wipe(char *secret)
{
    if (secret)
        explicit_bzero(secret, strlen(secret));
    free(secret);
}

/* Decodes %XX of `size` bytes into `out`. False for a broken escape, an encoded NUL or control
 * character, or too long a result. */
static bool decode_percent(char *out, size_t room, const char *text, size_t size)
{
    size_t used = 0;
    for (size_t i = 0; i < size; i++) {
        unsigned char c = (unsigned char)text[i];
        if (c == '%') {
            if (size - i < 3 || !isxdigit((unsigned char)text[i + 1]) ||
                !isxdigit((unsigned char)text[i + 2]))
                return false;
            char digits[3] = {text[i + 1], text[i + 2], 0};
            c = (unsigned char)strtoul(digits, NULL, 16);
            i += 2;
        }
        if (c < 0x20 || c == 0x7f || used + 1 >= room)
            return false;
        out[used++] = (char)c;
    }
    out[used] = 0;
    return true;
}

static bool parse_port(uint16_t *out, const char *text, size_t size)
{
    uint32_t value = 0;
    if (size == 0 || size > 5)
        return false;
    for (size_t i = 0; i < size; i++) {
        if (text[i] < '0' || text[i] > '9')
            return false;
        value = value * 10 + (uint32_t)(text[i] - '0');
    }
    if (value < 1 || value > 65535)
        return false;
    *out = (uint16_t)value;
    return true;
}

static bool is_host_byte(char c)
{
    return isalnum((unsigned char)c) || c == '-' || c == '.' || c == '_' || (c & 0x80);
}

static bool is_ipv6_byte(char c)
{
    /* A zone such as fe80::1%eth0 may follow the digits. */
    return isalnum((unsigned char)c) || strchr(":.%-_", c);
}

static enum sm_status take_user(const struct parser *p, const char *text, size_t size)
{
    if (memchr(text, ':', size))
        return bad(p,
                   "leave it out, and give the password through --password-file or SUMAC_PASSWORD",
                   "a password before the host could be read by every user of this machine");
    char user[VALUE_MAX + 1];
    if (!decode_percent(user, sizeof(user), text, size))
        return bad(p, CURE_FORMS, "the user name before the host cannot be decoded");
    return size ? copy(p, &p->address->user, user, strlen(user)) : SM_OK;
}

/* [user@]host[:port], `size` bytes. */
static enum sm_status take_authority(const struct parser *p, const char *text, size_t size)
{
    const char *at = memrchr(text, '@', size);
    if (at) {
        enum sm_status status = take_user(p, text, (size_t)(at - text));
        if (status != SM_OK)
            return status;
        size -= (size_t)(at + 1 - text);
        text = at + 1;
    }

    const char *host = text;
    size_t host_size;
    if (size && text[0] == '[') {
        const char *end = memchr(text, ']', size);
        if (!end)
            return bad(p, "close the bracket: [::1]", "the IPv6 address has no closing bracket");
        host = text + 1;
        host_size = (size_t)(end - host);
        for (size_t i = 0; i < host_size; i++)
            if (!is_ipv6_byte(host[i]))
                return bad(p, CURE_FORMS, "the brackets hold no IPv6 address");
        if (!memchr(host, ':', host_size))
            return bad(p, CURE_FORMS, "the brackets hold no IPv6 address");
        size -= (size_t)(end + 1 - text);
        text = end + 1;
    } else {
        const char *colon = memchr(text, ':', size);
        host_size = colon ? (size_t)(colon - text) : size;
        if (colon && memchr(colon + 1, ':', size - host_size - 1))
            return bad(p, "put an IPv6 address into brackets: spice://[::1]:5900",
                       "there is more than one colon behind the host");
        for (size_t i = 0; i < host_size; i++)
            if (!is_host_byte(host[i]))
                return bad(p, CURE_FORMS, "the host holds a character that no host name has");
        size -= host_size;
        text += host_size;
    }
    if (host_size == 0)
        return bad(p, CURE_FORMS, "the host is missing");
    if (host_size > HOST_MAX)
        return bad(p, CURE_FORMS, "the host is longer than any host name");
    enum sm_status status = copy(p, &p->address->host, host, host_size);
    if (status != SM_OK || size == 0)
        return status;

    uint16_t *port = p->address->is_tls_scheme ? &p->address->tls_port : &p->address->port;
    if (text[0] != ':' || !parse_port(port, text + 1, size - 1))
        return bad(p, CURE_FORMS, "the port behind the host is not a number from 1 to 65535");
    return SM_OK;
}

/* What a pair of the query means. `value` is decoded and not empty. */
static enum sm_status take_pair(const struct parser *p, const char *key, const char *value)
{
    struct sm_address *address = p->address;
    if (strcmp(key, "port") == 0 || strcmp(key, "tls-port") == 0) {
        if (address->is_tls_scheme) {
            address->warning = "port and tls-port are ignored behind spice+tls://";
            return SM_OK;
        }
        uint16_t *port = key[0] == 'p' ? &address->port : &address->tls_port;
        if (*port)
            return bad(p, CURE_FORMS, "a port is given twice");
        if (!parse_port(port, value, strlen(value)))
            return bad(p, CURE_FORMS, "a port in the query is not a number from 1 to 65535");
        return SM_OK;
    }
    char **text;
    if (strcmp(key, "password") == 0)
        text = &address->password;
    else if (strcmp(key, "username") == 0)
        text = &address->user;
    else
        return bad(p, "the keys are port, tls-port, password and username",
                   "the query has a key that means nothing");
    if (*text)
        return bad(p, CURE_FORMS, "the user or the password is given twice");
    return copy(p, text, value, strlen(value));
}

/* key=value pairs between & or ;. */
static enum sm_status take_query(const struct parser *p, const char *text)
{
    while (*text) {
        size_t size = strcspn(text, "&;");
        const char *equals = memchr(text, '=', size);
        size_t key_size = equals ? (size_t)(equals - text) : size;
        if (size == 0) {
            text++;
            continue;
        }
        if (key_size > KEY_MAX || !equals)
            return bad(p, CURE_FORMS, "the query is not made of KEY=VALUE pairs");
        char key[KEY_MAX + 1], value[VALUE_MAX + 1];
        memcpy(key, text, key_size);
        key[key_size] = 0;
        if (!decode_percent(value, sizeof(value), equals + 1, size - key_size - 1))
            return bad(p, CURE_FORMS, "a value in the query cannot be decoded or is too long");
        enum sm_status status = value[0] ? take_pair(p, key, value) : SM_OK;
        explicit_bzero(value, sizeof(value));
        if (status != SM_OK)
            return status;
        text += size;
        if (*text)
            text++;
    }
    return SM_OK;
}

static enum sm_status take_unix_path(const struct parser *p, const char *path)
{
    if (!*path)
        return bad(p, "write spice+unix:///PATH", "the path of the socket is missing");
    if (strlen(path) > UNIX_PATH_MAX_BYTES)
        return bad(p, "use a shorter path, through a symbolic link if need be",
                   "the path of the socket is longer than the 107 bytes a socket can have");
    return copy(p, &p->address->unix_path, path, strlen(path));
}

static enum sm_status take_network(const struct parser *p, const char *rest)
{
    size_t authority_size = strcspn(rest, "/?;");
    enum sm_status status = take_authority(p, rest, authority_size);
    if (status != SM_OK)
        return status;
    rest += authority_size;
    if (*rest == '/') {
        size_t path_size = strcspn(rest, "?;");
        if (path_size > 1)
            p->address->warning = "the path behind the host means nothing and is ignored";
        rest += path_size;
    }
    if (*rest) {
        status = take_query(p, rest + 1);
        if (status != SM_OK)
            return status;
    }
    if (!p->address->port && !p->address->tls_port)
        return bad(p, "add the port: spice://HOST:5900", "there is no port");
    return SM_OK;
}

static enum sm_status take_websocket(const struct parser *p, const char *rest)
{
    size_t authority_size = strcspn(rest, "/?");
    enum sm_status status = take_authority(p, rest, authority_size);
    if (status != SM_OK)
        return status;
    rest += authority_size;
    if (strlen(rest) + (*rest != '/') > WEB_PATH_MAX || strpbrk(rest, " #"))
        return bad(p, "write ws://HOST:PORT/PATH", "the path cannot be asked for");
    struct sm_address *a = p->address;
    if (asprintf(&a->path, "%s%s", *rest == '/' ? "" : "/", rest) < 0) {
        a->path = NULL;
        return sm_error_nomem(p->error);
    }
    if (!a->port && !a->tls_port && a->is_tls_scheme)
        a->tls_port = SECURE_WEB_PORT;
    else if (!a->port && !a->tls_port)
        a->port = WEB_PORT;
    return SM_OK;
}

static enum sm_status build_text(const struct parser *p)
{
    struct sm_address *a = p->address;
    int result;
    if (a->unix_path) {
        result = asprintf(&a->text, "spice+unix://%s", a->unix_path);
    } else {
        bool is_ipv6 = strchr(a->host, ':') != NULL;
        const char *open = is_ipv6 ? "[" : "", *close = is_ipv6 ? "]" : "";
        if (a->path)
            result = asprintf(&a->text, "%s://%s%s%s:%u%s", a->tls_port ? "wss" : "ws", open,
                              a->host, close, a->tls_port ? a->tls_port : a->port, a->path);
        else if (a->port && a->tls_port)
            result = asprintf(&a->text, "spice://%s%s%s?port=%u&tls-port=%u", open, a->host, close,
                              a->port, a->tls_port);
        else if (a->tls_port)
            result = asprintf(&a->text, "spice+tls://%s%s%s:%u", open, a->host, close, a->tls_port);
        else
            result = asprintf(&a->text, "spice://%s%s%s:%u", open, a->host, close, a->port);
    }
    if (result < 0) {
        a->text = NULL;
        return sm_error_nomem(p->error);
    }
    return SM_OK;
}

static bool has_prefix(const char *text, const char *prefix)
{
    return strncasecmp(text, prefix, strlen(prefix)) == 0;
}

static enum sm_status take_all(const struct parser *p)
{
    for (const char *c = p->text; *c; c++)
        if ((unsigned char)*c < 0x20 || *c == 0x7f)
            return bad(p, CURE_FORMS, "it holds a control character");
    if (strlen(p->text) > TEXT_MAX)
        return bad(p, CURE_FORMS, "it is longer than 4096 bytes");
    if (has_prefix(p->text, "spice+unix://"))
        return take_unix_path(p, p->text + strlen("spice+unix://"));
    if (has_prefix(p->text, "spice+tls://")) {
        p->address->is_tls_scheme = true;
        return take_network(p, p->text + strlen("spice+tls://"));
    }
    if (has_prefix(p->text, "spice://"))
        return take_network(p, p->text + strlen("spice://"));
    if (has_prefix(p->text, "wss://")) {
        p->address->is_tls_scheme = true;
        return take_websocket(p, p->text + strlen("wss://"));
    }
    if (has_prefix(p->text, "ws://"))
        return take_websocket(p, p->text + strlen("ws://"));
    return bad(p, CURE_FORMS,
               "it does not begin with spice://, spice+tls://, spice+unix://, ws:// or wss://");
}

enum sm_status sm_address_parse(struct sm_address **out, const char *text, struct sm_error *error)
{
    struct sm_address *address = calloc(1, sizeof(*address));
    if (!address)
        return sm_error_nomem(error);
    struct parser parser = {.address = address, .error = error, .text = text};
    enum sm_status status = take_all(&parser);
    if (status == SM_OK)
        status = build_text(&parser);
    if (status != SM_OK) {
        sm_address_destroy(address);
        return status;
    }
    *out = address;
    return SM_OK;
}

void sm_address_destroy(struct sm_address *address)
{
    if (!address)
        return;
    free(address->host);
    free(address->unix_path);
    free(address->path);
    free(address->user);
    wipe(address->password);
    free(address->text);
    free(address);
}

const char *sm_address_host(const struct sm_address *address)
{
    return address->host;
}

const char *sm_address_unix_path(const struct sm_address *address)
{
    return address->unix_path;
}

const char *sm_address_websocket_path(const struct sm_address *address)
{
    return address->path;
}

uint16_t sm_address_port(const struct sm_address *address)
{
    return address->port;
}

uint16_t sm_address_tls_port(const struct sm_address *address)
{
    return address->tls_port;
}

const char *sm_address_user(const struct sm_address *address)
{
    return address->user;
}

const char *sm_address_password(const struct sm_address *address)
{
    return address->password;
}

const char *sm_address_warning(const struct sm_address *address)
{
    return address->warning;
}

const char *sm_address_text(const struct sm_address *address)
{
    return address->text;
}
