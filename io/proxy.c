/* SPDX-License-Identifier: MIT */
#include "io/proxy.h"

#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include <openssl/evp.h>

enum {
    PORT = 3128,
    SECURE_PORT = 3129,
    MIN_HEAD = 12, /* "HTTP/1.1 200" */
};

static enum sm_status bad(const char **reason, const char *words)
{
    *reason = words;
    return SM_ERR_PROTOCOL;
}

/* Percent-decodes into `out`; false for a broken escape, a control character or too long a text. */
static bool decode(char *out, const char *text, size_t size)
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
        if (c < 0x20 || c == 0x7f || used == SM_PROXY_LOGIN_MAX)
            return false;
        out[used++] = (char)c;
    }
    out[used] = 0;
    return true;
}

static bool take_login(struct sm_proxy *out, const char *text, size_t size)
{
    const char *colon = memchr(text, ':', size);
    size_t user_size = colon ? (size_t)(colon - text) : size;
    out->has_login = true;
    return user_size > 0 && decode(out->user, text, user_size) && !strchr(out->user, ':') &&
           (!colon || decode(out->password, colon + 1, size - user_size - 1));
}

static bool take_port(uint16_t *out, const char *text)
{
    size_t size = strspn(text, "0123456789");
    if (size == 0 || size > 5 || text[size])
        return false;
    unsigned long value = strtoul(text, NULL, 10);
    *out = (uint16_t)value;
    return value >= 1 && value <= 65535;
}

static bool is_host(const char *host)
{
    for (; *host; host++)
        if (!isalnum((unsigned char)*host) && !strchr("-._:%", *host) && !(*host & 0x80))
            return false;
    return true;
}

/* host[:port], NUL-terminated. */
static enum sm_status take_place(struct sm_proxy *out, const char *text, const char **reason)
{
    const char *host = text, *rest;
    size_t size;
    if (*text == '[') {
        const char *end = strchr(text, ']');
        if (!end)
            return bad(reason, "its IPv6 address has no closing bracket");
        host = text + 1;
        size = (size_t)(end - host);
        rest = end + 1;
    } else {
        size = strcspn(text, ":");
        rest = text + size;
        if (*rest && strchr(rest + 1, ':'))
            return bad(reason, "an IPv6 address goes into brackets");
    }
    if (size == 0 || size > SM_PROXY_HOST_MAX)
        return bad(reason, "its host is missing or too long");
    memcpy(out->host, host, size);
    out->host[size] = 0;
    if (!is_host(out->host))
        return bad(reason, "its host holds a character that no host name has");
    if (*rest == ':' ? !take_port(&out->port, rest + 1) : *rest)
        return bad(reason, "its port is not a number from 1 to 65535");
    return SM_OK;
}

enum sm_status sm_proxy_parse(struct sm_proxy *out, const char *text, const char **reason)
{
    struct sm_proxy proxy = {.port = PORT};
    if (strncasecmp(text, "https://", 8) == 0) {
        proxy.is_secure = true;
        proxy.port = SECURE_PORT;
        text += 8;
    } else if (strncasecmp(text, "http://", 7) == 0) {
        text += 7;
    } else if (strstr(text, "://")) {
        return bad(reason, "it is neither http:// nor https://");
    }
    const char *at = strrchr(text, '@');
    enum sm_status status = SM_OK;
    if (at && !take_login(&proxy, text, (size_t)(at - text)))
        status = bad(reason, "its user or password cannot be decoded");
    const char *place = at ? at + 1 : text;
    char copy[SM_PROXY_HOST_MAX + 16];
    size_t size = strlen(place);
    if (size > 0 && place[size - 1] == '/')
        size--;
    if (size >= sizeof(copy))
        status = bad(reason, "its host is missing or too long");
    if (status == SM_OK) {
        memcpy(copy, place, size);
        copy[size] = 0;
        status = take_place(&proxy, copy, reason);
    }
    if (status == SM_OK)
        *out = proxy;
    explicit_bzero(&proxy, sizeof(proxy));
    return status;
}

static void put_text(struct sm_writer *w, const char *text)
{
    sm_put_bytes(w, (struct sm_bytes){.data = (const uint8_t *)text, .size = strlen(text)});
}

static void put_login(struct sm_writer *out, const struct sm_proxy *proxy)
{
    char plain[2 * SM_PROXY_LOGIN_MAX + 2];
    unsigned char coded[4 * (sizeof(plain) / 3 + 1) + 1];
    int size = snprintf(plain, sizeof(plain), "%s:%s", proxy->user, proxy->password);
    EVP_EncodeBlock(coded, (const unsigned char *)plain, size);
    put_text(out, "Proxy-Authorization: Basic ");
    put_text(out, (const char *)coded);
    put_text(out, "\r\n");
    explicit_bzero(plain, sizeof(plain));
    explicit_bzero(coded, sizeof(coded));
}

void sm_proxy_request(struct sm_writer *out, const struct sm_proxy *proxy, const char *host,
                      uint16_t port)
{
    char place[SM_PROXY_HOST_MAX + 16];
    (void)snprintf(place, sizeof(place), strchr(host, ':') ? "[%.255s]:%u" : "%.255s:%u", host,
                   port);
    put_text(out, "CONNECT ");
    put_text(out, place);
    put_text(out, " HTTP/1.1\r\nHost: ");
    put_text(out, place);
    put_text(out, "\r\n");
    if (proxy->has_login)
        put_login(out, proxy);
    put_text(out, "\r\n");
}

enum sm_status sm_proxy_answer_parse(struct sm_bytes in, struct sm_proxy_answer *out)
{
    static const char START[] = "HTTP/1.";
    size_t seen = in.size < strlen(START) ? in.size : strlen(START);
    if (seen && memcmp(in.data, START, seen) != 0)
        return SM_ERR_PROTOCOL;
    if (!in.size || !memmem(in.data, in.size, "\r\n\r\n", 4))
        return in.size >= SM_PROXY_ANSWER_MAX ? SM_ERR_PROTOCOL : SM_AGAIN;
    const uint8_t *p = in.data;
    if (in.size < MIN_HEAD || p[8] != ' ' || p[9] < '1' || p[9] > '5' || !isdigit(p[10]) ||
        !isdigit(p[11]))
        return SM_ERR_PROTOCOL;
    out->code = (unsigned)(p[9] - '0') * 100 + (unsigned)(p[10] - '0') * 10 + (p[11] - '0');
    size_t used = 0, i = MIN_HEAD;
    while (p[i] == ' ')
        i++;
    for (; p[i] != '\r' && used < sizeof(out->words) - 1; i++)
        out->words[used++] = p[i] < 0x20 || p[i] >= 0x7f ? '?' : (char)p[i];
    out->words[used] = 0;
    return SM_OK;
}
