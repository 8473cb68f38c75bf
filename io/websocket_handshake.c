/* SPDX-License-Identifier: MIT */
#include "io/websocket_handshake.h"

#include <ctype.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>

#include <openssl/evp.h>

static const char GUID[] = "258EAFA5-E914-47DA-95CA-C5AB0DC85B11";

static bool starts_with(struct sm_bytes bytes, const char *text)
{
    size_t size = strlen(text);
    return bytes.size >= size && strncasecmp((const char *)bytes.data, text, size) == 0;
}

/* Takes one line off `rest`, without its end; false if there is no whole one. */
static bool next_line(struct sm_bytes *rest, struct sm_bytes *line)
{
    const uint8_t *end = rest->size ? memmem(rest->data, rest->size, "\r\n", 2) : NULL;
    if (!end)
        return false;
    line->data = rest->data;
    line->size = (size_t)(end - rest->data);
    rest->data = end + 2;
    rest->size -= line->size + 2;
    return true;
}

static struct sm_bytes trim(struct sm_bytes b)
{
    while (b.size && isspace(b.data[0])) {
        b.data++;
        b.size--;
    }
    while (b.size && isspace(b.data[b.size - 1]))
        b.size--;
    return b;
}

/* The value of the first header called `name` (with its colon); false if there is none. */
static bool find_header(struct sm_bytes head, const char *name, struct sm_bytes *value)
{
    struct sm_bytes line;
    while (next_line(&head, &line)) {
        if (!starts_with(line, name))
            continue;
        size_t skip = strlen(name);
        *value = trim((struct sm_bytes){.data = line.data + skip, .size = line.size - skip});
        return true;
    }
    return false;
}

void sm_websocket_accept_value(struct sm_bytes key, char out[SM_WEBSOCKET_ACCEPT_SIZE + 1])
{
    uint8_t digest[EVP_MAX_MD_SIZE] = {0};
    EVP_MD_CTX *context = EVP_MD_CTX_new();
    if (context && EVP_DigestInit_ex(context, EVP_sha1(), NULL)) {
        EVP_DigestUpdate(context, key.data, key.size);
        EVP_DigestUpdate(context, GUID, strlen(GUID));
        EVP_DigestFinal_ex(context, digest, NULL);
    }
    EVP_MD_CTX_free(context);
    EVP_EncodeBlock((unsigned char *)out, digest, 20);
}

static void put_text(struct sm_writer *w, const char *text)
{
    sm_put_bytes(w, (struct sm_bytes){.data = (const uint8_t *)text, .size = strlen(text)});
}

enum sm_status sm_websocket_answer(struct sm_bytes in, struct sm_writer *reply)
{
    static const char GET[] = "GET ";
    size_t seen = in.size < strlen(GET) ? in.size : strlen(GET);
    if (memcmp(in.data, GET, seen) != 0)
        return SM_ERR_PROTOCOL;
    bool is_whole = in.size >= 4 && memcmp(in.data + in.size - 4, "\r\n\r\n", 4) == 0;
    if (!is_whole) {
        bool has_more = in.size && memmem(in.data, in.size, "\r\n\r\n", 4);
        return has_more || in.size >= SM_WEBSOCKET_REQUEST_MAX ? SM_ERR_PROTOCOL : SM_AGAIN;
    }
    struct sm_bytes key, protocol;
    if (!find_header(in, "Sec-WebSocket-Key:", &key) || key.size == 0)
        return SM_ERR_PROTOCOL;
    bool has_protocol = find_header(in, "Sec-WebSocket-Protocol:", &protocol);
    if (has_protocol && (protocol.size < 6 || memcmp(protocol.data, "binary", 6) != 0))
        return SM_ERR_PROTOCOL;

    char accept[SM_WEBSOCKET_ACCEPT_SIZE + 1];
    sm_websocket_accept_value(key, accept);
    put_text(reply, "HTTP/1.1 101 Switching Protocols\r\n"
                    "Upgrade: WebSocket\r\n"
                    "Connection: Upgrade\r\n"
                    "Sec-WebSocket-Accept: ");
    put_text(reply, accept);
    put_text(reply, has_protocol ? "\r\nSec-WebSocket-Protocol: binary\r\n\r\n" : "\r\n\r\n");
    return sm_writer_status(reply);
}

void sm_websocket_request(struct sm_writer *out, const char *host, const char *path,
                          const char key[SM_WEBSOCKET_KEY_SIZE + 1])
{
    put_text(out, "GET ");
    put_text(out, path);
    put_text(out, " HTTP/1.1\r\nHost: ");
    put_text(out, host);
    put_text(out, "\r\nUpgrade: websocket\r\n"
                  "Connection: Upgrade\r\n"
                  "Sec-WebSocket-Version: 13\r\n"
                  "Sec-WebSocket-Protocol: binary\r\n"
                  "Sec-WebSocket-Key: ");
    put_text(out, key);
    put_text(out, "\r\n\r\n");
}

enum sm_status sm_websocket_check_answer(struct sm_bytes in,
                                         const char key[SM_WEBSOCKET_KEY_SIZE + 1], size_t *size,
                                         const char **reason)
{
    static const char VERSION[] = "HTTP/1.1 ";
    size_t seen = in.size < strlen(VERSION) ? in.size : strlen(VERSION);
    if (seen && memcmp(in.data, VERSION, seen) != 0) {
        *reason = "the server does not speak WebSocket";
        return SM_ERR_PROTOCOL;
    }
    const uint8_t *end = in.size ? memmem(in.data, in.size, "\r\n\r\n", 4) : NULL;
    if (!end) {
        *reason = "the server's answer to the WebSocket upgrade is too long";
        return in.size > SM_WEBSOCKET_REQUEST_MAX ? SM_ERR_PROTOCOL : SM_AGAIN;
    }
    struct sm_bytes head = {.data = in.data, .size = (size_t)(end - in.data) + 2}, value;
    if (!starts_with(head, "HTTP/1.1 101")) {
        *reason = "the server refused the WebSocket upgrade";
        return SM_ERR_PROTOCOL;
    }
    char accept[SM_WEBSOCKET_ACCEPT_SIZE + 1];
    sm_websocket_accept_value(
        (struct sm_bytes){.data = (const uint8_t *)key, .size = SM_WEBSOCKET_KEY_SIZE}, accept);
    if (!find_header(head, "Sec-WebSocket-Accept:", &value) ||
        value.size != SM_WEBSOCKET_ACCEPT_SIZE || memcmp(value.data, accept, value.size) != 0) {
        *reason = "the server answered another WebSocket upgrade than ours";
        return SM_ERR_PROTOCOL;
    }
    *size = head.size + 2;
    return SM_OK;
}
