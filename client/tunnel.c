/* SPDX-License-Identifier: MIT */
#include "client/tunnel.h"

#include <stdio.h>
#include <string.h>

#include "client/error.h"
#include "client/reasons.h"
#include "core/base/writer.h"
#include "io/loop.h"
#include "io/tls.h"

static const char CURE_ADDRESS[] =
    "write http://HOST:PORT or https://HOST:PORT, if need be with USER:PASSWORD@ before the host";

enum sm_status sm_tunnel_init(struct sm_tunnel *tunnel, const char *text, struct sm_error *error)
{
    const char *reason = "";
    if (sm_proxy_parse(&tunnel->proxy, text, &reason) != SM_OK) {
        /* The text itself is not shown: there may be a password in it. */
        sm_error_set(error, SM_ERROR_PROXY, CURE_ADDRESS,
                     "the address of the proxy is not valid: %s", reason);
        return SM_ERR_PROTOCOL;
    }
    const struct sm_proxy *proxy = &tunnel->proxy;
    (void)snprintf(tunnel->place, sizeof(tunnel->place),
                   strchr(proxy->host, ':') ? "[%s]:%u" : "%s:%u", proxy->host, proxy->port);
    if (!proxy->is_secure)
        return SM_OK;
    struct sm_tls_client_config config = {.verify = SM_TLS_VERIFY_HOSTNAME};
    char why[192] = "";
    enum sm_status status = sm_tls_context_client(&tunnel->tls, &config, why, sizeof(why));
    if (status == SM_ERR_NOMEM)
        return sm_error_nomem(error);
    if (status != SM_OK)
        sm_error_set(error, SM_ERROR_PROXY, "", "TLS to the proxy cannot be set up: %s", why);
    return status;
}

void sm_tunnel_finish(struct sm_tunnel *tunnel)
{
    sm_tls_context_destroy(tunnel->tls);
    explicit_bzero(tunnel, sizeof(*tunnel));
}

/* What the words of connect.c need to know, about the proxy. */
static struct sm_attempt attempt_of(const struct sm_tunnel *tunnel, char *place, size_t size,
                                    uint32_t timeout_ms)
{
    (void)snprintf(place, size, "the proxy %s", tunnel->place);
    return (struct sm_attempt){
        .place = place,
        .host = tunnel->proxy.host,
        .channel = "proxy",
        .is_secure = tunnel->proxy.is_secure,
        .timeout_ms = timeout_ms,
    };
}

void sm_tunnel_reason_socket(const struct sm_tunnel *tunnel, struct sm_error *error,
                             const struct sm_socket_error *why, uint32_t timeout_ms)
{
    char place[320];
    struct sm_attempt attempt = attempt_of(tunnel, place, sizeof(place), timeout_ms);
    sm_reason_socket(error, &attempt, why);
    if (why->failure != SM_SOCKET_CANCELLED)
        (void)snprintf(error->cure, sizeof(error->cure),
                       "check the proxy's address in SPICE_PROXY or the connection file, and that "
                       "the proxy runs");
}

static enum sm_status interrupted(const struct sm_tunnel *tunnel, enum sm_socket_failure failure,
                                  struct sm_error *error)
{
    if (failure == SM_SOCKET_CANCELLED)
        sm_error_set(error, SM_ERROR_CLOSED, "", "connecting was given up");
    else
        sm_error_set(error, SM_ERROR_TIMED_OUT,
                     "check that the proxy reaches the machine; or allow more time",
                     "the proxy %s did not answer in time", tunnel->place);
    return SM_ERR_IO;
}

static enum sm_status lost(const struct sm_tunnel *tunnel, const struct sm_transport *transport,
                           struct sm_error *error)
{
    sm_error_set(error, SM_ERROR_PROXY,
                 "check that this is an HTTP proxy, and whether it wants https://; its log may say "
                 "why",
                 "the proxy %s ended the connection: %s", tunnel->place,
                 sm_transport_reason(transport));
    return SM_ERR_IO;
}

static enum sm_status add_tls(const struct sm_tunnel *tunnel, struct sm_transport **transport,
                              const struct sm_patience *patience, struct sm_error *error)
{
    struct sm_transport *secure;
    enum sm_status status =
        sm_tls_transport_client(&secure, tunnel->tls, *transport, tunnel->proxy.host);
    if (status != SM_OK)
        return sm_error_nomem(error);
    *transport = secure;
    while ((status = sm_tls_transport_handshake(secure)) == SM_AGAIN) {
        enum sm_socket_failure failure = sm_patience_wait(patience, secure, SM_IO_READ);
        if (failure == SM_SOCKET_OK)
            continue;
        status = interrupted(tunnel, failure, error);
        if (failure == SM_SOCKET_TIMED_OUT)
            (void)snprintf(error->cure, sizeof(error->cure),
                           "if it does not speak TLS, write http:// in front of its address");
        return status;
    }
    if (status == SM_OK)
        return SM_OK;
    char place[320];
    struct sm_attempt attempt = attempt_of(tunnel, place, sizeof(place), 0);
    sm_reason_tls(error, &attempt, sm_tls_transport_failure(secure), sm_transport_reason(secure));
    (void)snprintf(error->cure, sizeof(error->cure), "%s",
                   sm_tls_transport_failure(secure) == SM_TLS_NOT_TLS
                       ? "write http:// in front of the proxy's address"
                       : "have this machine's system trust the proxy's authority, and name the "
                         "proxy as its certificate does");
    return status;
}

static enum sm_status send_request(const struct sm_tunnel *tunnel, struct sm_transport *transport,
                                   struct sm_bytes request, const struct sm_patience *patience,
                                   struct sm_error *error)
{
    while (request.size > 0) {
        size_t put = 0;
        enum sm_status status = sm_transport_write(transport, request, &put);
        if (status < 0)
            return lost(tunnel, transport, error);
        request.data += put;
        request.size -= put;
        enum sm_socket_failure failure =
            status == SM_AGAIN ? sm_patience_wait(patience, transport, SM_IO_WRITE) : SM_SOCKET_OK;
        if (failure != SM_SOCKET_OK)
            return interrupted(tunnel, failure, error);
    }
    return SM_OK;
}

static enum sm_status judge(const struct sm_tunnel *tunnel, const struct sm_proxy_answer *answer,
                            const char *place, struct sm_error *error)
{
    if (answer->code >= 200 && answer->code < 300)
        return SM_OK;
    const char *words = answer->words[0] ? answer->words : "no reason given";
    /* 401 is what tinyproxy says to a wrong password. */
    if (answer->code == 407 || answer->code == 401)
        sm_error_set(error, SM_ERROR_PROXY_LOGIN,
                     tunnel->proxy.has_login ? "check user and password of the proxy"
                                             : "add them: http://USER:PASSWORD@HOST:PORT",
                     tunnel->proxy.has_login
                         ? "the proxy %s did not accept user and password (%u: %s)"
                         : "the proxy %s wants a user and a password (%u: %s)",
                     tunnel->place, answer->code, words);
    else if (answer->code == 403 || answer->code == 405)
        sm_error_set(error, SM_ERROR_PROXY,
                     "have the proxy's rules allow CONNECT to this host and port",
                     "the proxy %s does not allow connections to %s (%u: %s)", tunnel->place, place,
                     answer->code, words);
    else
        sm_error_set(error, SM_ERROR_PROXY,
                     "check host and port as the proxy sees them, and that the machine runs",
                     "the proxy %s could not connect to %s (%u: %s)", tunnel->place, place,
                     answer->code, words);
    return SM_ERR_IO;
}

/* Byte by byte, since what follows the answer is not ours. */
static enum sm_status read_answer(const struct sm_tunnel *tunnel, struct sm_transport *transport,
                                  struct sm_proxy_answer *answer,
                                  const struct sm_patience *patience, struct sm_error *error)
{
    uint8_t head[SM_PROXY_ANSWER_MAX];
    size_t size = 0, got = 0;
    for (;;) {
        enum sm_status status = sm_transport_read(transport, head + size, 1, &got);
        if (status < 0)
            return lost(tunnel, transport, error);
        if (status == SM_AGAIN) {
            enum sm_socket_failure failure = sm_patience_wait(patience, transport, SM_IO_READ);
            if (failure != SM_SOCKET_OK)
                return interrupted(tunnel, failure, error);
            continue;
        }
        size += got;
        if (head[size - 1] != '\n' && size < sizeof(head) && size > 16)
            continue; /* only whole lines are worth a look */
        status = sm_proxy_answer_parse((struct sm_bytes){head, size}, answer);
        if (status != SM_AGAIN && status != SM_OK)
            sm_error_set(error, SM_ERROR_PROXY, "check that this is the port of an HTTP proxy",
                         "%s does not answer as an HTTP proxy does", tunnel->place);
        if (status != SM_AGAIN)
            return status;
    }
}

static enum sm_status shake_hands(const struct sm_tunnel *tunnel, struct sm_transport *transport,
                                  const char *host, uint16_t port,
                                  const struct sm_patience *patience, struct sm_error *error)
{
    struct sm_writer request;
    sm_writer_init(&request, 4096);
    sm_proxy_request(&request, &tunnel->proxy, host, port);
    enum sm_status status = sm_writer_status(&request);
    if (status != SM_OK)
        (void)sm_error_nomem(error);
    else
        status = send_request(tunnel, transport, (struct sm_bytes){request.data, request.size},
                              patience, error);
    if (request.data)
        explicit_bzero(request.data, request.size);
    sm_writer_finish(&request);
    struct sm_proxy_answer answer;
    if (status == SM_OK)
        status = read_answer(tunnel, transport, &answer, patience, error);
    if (status != SM_OK)
        return status;
    char place[300];
    (void)snprintf(place, sizeof(place), strchr(host, ':') ? "[%.255s]:%u" : "%.255s:%u", host,
                   port);
    return judge(tunnel, &answer, place, error);
}

enum sm_status sm_tunnel_open(const struct sm_tunnel *tunnel, struct sm_transport **transport,
                              const char *host, uint16_t port, const struct sm_patience *patience,
                              struct sm_error *error)
{
    enum sm_status status = SM_OK;
    if (tunnel->tls)
        status = add_tls(tunnel, transport, patience, error);
    if (status == SM_OK)
        status = shake_hands(tunnel, *transport, host, port, patience, error);
    if (status != SM_OK)
        sm_transport_destroy(*transport);
    return status;
}
