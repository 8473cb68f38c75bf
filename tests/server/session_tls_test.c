/* SPDX-License-Identifier: MIT */
/* TLS and WebSocket at the door, on sockets that the host hands over and on the port itself. */
#include "tests/support/check.h"

#include <fcntl.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/ssl.h>
#include <openssl/x509v3.h>

#include "core/wire/types.h"
#include "io/socket.h"
#include "io/ticket.h"
#include "io/tls.h"
#include "io/websocket.h"
#include "tests/io/certificates.h"
#include "tests/server/support/host.h"

struct fixture {
    struct sm_test_host host;
    struct sm_test_pki pki;
    SpiceServer *server;
    struct sm_tls_context *trust; /* the client's */
    uint16_t port;
};

static uint16_t free_port(void)
{
    struct sockaddr_in address = {.sin_family = AF_INET,
                                  .sin_addr = {.s_addr = htonl(INADDR_LOOPBACK)}};
    socklen_t size = sizeof(address);
    int fd = socket(AF_INET, SOCK_STREAM, 0);
    assert_int_equal(bind(fd, (struct sockaddr *)&address, size), 0);
    assert_int_equal(getsockname(fd, (struct sockaddr *)&address, &size), 0);
    close(fd);
    return ntohs(address.sin_port);
}

static int setup(void **state)
{
    struct fixture *f = calloc(1, sizeof(*f));
    assert_non_null(f);
    sm_test_pki_create(&f->pki);
    sm_test_host_init(&f->host);
    struct sm_tls_client_config trust = {.ca_file = f->pki.ca, .verify = SM_TLS_VERIFY_HOSTNAME};
    char why[256];
    sm_check_status(sm_tls_context_client(&f->trust, &trust, why, sizeof(why)), SM_OK);
    f->server = spice_server_new();
    f->port = free_port();
    spice_server_set_addr(f->server, "127.0.0.1", SPICE_ADDR_FLAG_IPV4_ONLY);
    spice_server_set_noauth(f->server);
    assert_int_equal(spice_server_set_tls(f->server, f->port, f->pki.ca, f->pki.certificate,
                                          f->pki.key, NULL, NULL, NULL),
                     0);
    assert_int_equal(spice_server_init(f->server, &f->host.core), 0);
    *state = f;
    return 0;
}

static int teardown(void **state)
{
    struct fixture *f = *state;
    spice_server_destroy(f->server);
    assert_int_equal(f->host.connected, f->host.disconnected);
    sm_tls_context_destroy(f->trust);
    sm_test_host_finish(&f->host);
    sm_test_pki_destroy(&f->pki);
    free(f);
    return 0;
}

/* Writes all of it while the host runs. */
static void put(struct fixture *f, struct sm_transport *t, struct sm_bytes bytes)
{
    for (unsigned i = 0; bytes.size && i < 200; i++) {
        size_t done = 0;
        enum sm_status status = sm_transport_write(t, bytes, &done);
        assert_true(status == SM_OK || status == SM_AGAIN);
        bytes.data += done;
        bytes.size -= done;
        sm_epoll_loop_run_once(f->host.loop, 2);
    }
    assert_int_equal(bytes.size, 0);
}

/* Reads up to `size` bytes while the host runs; fewer at the end of the stream. */
static size_t take(struct fixture *f, struct sm_transport *t, uint8_t *to, size_t size)
{
    size_t got = 0;
    for (unsigned i = 0; got < size && i < 200; i++) {
        size_t done = 0;
        enum sm_status status = sm_transport_read(t, to + got, size - got, &done);
        if (status == SM_ERR_IO)
            break;
        got += done;
        sm_epoll_loop_run_once(f->host.loop, 2);
    }
    return got;
}

/* A client behind TLS; it connects to the port, or by a socket that the host hands over. */
static struct sm_transport *connect_client(struct fixture *f, bool by_port)
{
    int fd;
    if (by_port) {
        struct sm_socket_error error;
        sm_check_status(sm_socket_connect_tcp(&fd, "127.0.0.1", f->port, UINT64_MAX, -1, &error),
                        SM_OK);
    } else {
        int pair[2];
        assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM, 0, pair), 0);
        assert_int_equal(spice_server_add_ssl_client(f->server, pair[0], 0), 0);
        fd = pair[1];
    }
    struct sm_transport *lower, *t;
    sm_check_status(sm_socket_transport(&lower, fd), SM_OK);
    sm_check_status(sm_tls_transport_client(&t, f->trust, lower, "localhost"), SM_OK);
    return t;
}

/* Sends the hello of a main channel; the error of the reply, and the key. */
static uint8_t say_hello(struct fixture *f, struct sm_transport *t, uint8_t reply[210])
{
    static const uint8_t hello[] = {'R', 'E', 'D',  'Q', 2, 0, 0, 0, 2, 0, 0, 0, 22, 0, 0,  0, /* */
                                    0,   0,   0,    0,   1, 0, 1, 0, 0, 0, 0, 0, 0,  0, 18, 0,
                                    0,   0,   0x0d, 0,   0, 0};
    _Static_assert(sizeof(hello) == 16 + 22, "one common word");
    put(f, t, SM_TEST_BYTES(hello));
    assert_true(take(f, t, reply, 194) == 194);
    return reply[16];
}

/* Links a main channel as far as the result. */
static void open_main(struct fixture *f, struct sm_transport *t)
{
    uint8_t reply[210], bytes[4 + SM_TICKET_SIZE] = {1}, result[4];
    assert_int_equal(say_hello(f, t, reply), 0);
    assert_int_equal(take(f, t, reply + 194, 8), 8); /* the server's capabilities */
    sm_check_status(sm_ticket_encrypt(reply + 20, "", bytes + 4), SM_OK);
    put(f, t, SM_TEST_BYTES(bytes));
    assert_int_equal(take(f, t, result, 4), 4);
    assert_int_equal(result[0], 0);
}

static void a_session_runs_behind_tls(void **state)
{
    struct fixture *f = *state;
    for (unsigned by_port = 0; by_port < 2; by_port++) {
        struct sm_transport *t = connect_client(f, by_port);
        open_main(f, t);
        assert_int_equal(f->host.initialized, by_port + 1);
        assert_int_equal(f->host.last_flags,
                         SPICE_CHANNEL_EVENT_FLAG_TLS | SPICE_CHANNEL_EVENT_FLAG_ADDR_EXT);
        sm_transport_destroy(t);
        sm_test_host_run(&f->host, 5);
    }
}

/* The client's end of a plain socket that the host hands over. */
static int connect_plain(struct fixture *f)
{
    int pair[2];
    assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM, 0, pair), 0);
    assert_int_equal(spice_server_add_client(f->server, pair[0], 0), 0);
    return pair[1];
}

static void a_session_runs_in_websocket_frames(void **state)
{
    struct fixture *f = *state;
    for (unsigned is_tls = 0; is_tls < 2; is_tls++) {
        struct sm_transport *lower, *t;
        if (is_tls)
            lower = connect_client(f, true);
        else
            sm_check_status(sm_socket_transport(&lower, connect_plain(f)), SM_OK);
        sm_check_status(sm_websocket_transport_client(&t, lower, "localhost", "/"), SM_OK);
        open_main(f, t);
        assert_true(sm_websocket_transport_is_upgraded(t));
        assert_int_equal(f->host.initialized, is_tls + 1);
        assert_int_equal(f->host.last_flags & SPICE_CHANNEL_EVENT_FLAG_TLS, is_tls);

        uint8_t init[6 + 4];
        assert_int_equal(take(f, t, init, sizeof(init)), sizeof(init));
        assert_memory_equal(init, "\x67\0\x20\0\0\0", 6); /* INIT */
        assert_int_equal(spice_server_get_num_clients(f->server), 1);
        sm_transport_destroy(t);
        sm_test_host_run(&f->host, 5);
        assert_int_equal(spice_server_get_num_clients(f->server), 0);
    }
}

/* What cannot be upgraded is answered like any stranger. */
static void other_requests_are_told_that_this_is_another_protocol(void **state)
{
    static const char *const requests[] = {
        "GET / HTTP/1.1\r\nHost: localhost\r\n\r\n",
        ("GET / HTTP/1.1\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n"
         "Sec-WebSocket-Protocol: chat\r\n\r\n"),
        "GARBAGE",
    };
    struct fixture *f = *state;
    for (size_t i = 0; i < sizeof(requests) / sizeof(requests[0]); i++) {
        struct sm_transport *t;
        uint8_t reply[195];
        sm_check_status(sm_socket_transport(&t, connect_plain(f)), SM_OK);
        const uint8_t *text = (const uint8_t *)requests[i];
        put(f, t, (struct sm_bytes){.data = text, .size = strlen(requests[i])});
        assert_int_equal(take(f, t, reply, sizeof(reply)), 194);
        assert_memory_equal(reply, "REDQ", 4);
        assert_int_equal(reply[16], SM_LINK_ERR_INVALID_MAGIC);
        sm_transport_destroy(t);
    }
    sm_test_host_run(&f->host, 5);
}

static void a_channel_for_the_plain_port_is_refused_behind_tls(void **state)
{
    struct fixture *f = *state;
    uint8_t reply[210];
    assert_int_equal(
        spice_server_set_channel_security(f->server, "main", SPICE_CHANNEL_SECURITY_NONE), 0);
    struct sm_transport *t = connect_client(f, true);
    assert_int_equal(say_hello(f, t, reply), SM_LINK_ERR_NEED_UNSECURED);
    sm_transport_destroy(t);
}

static void who_speaks_no_tls_is_dropped(void **state)
{
    struct fixture *f = *state;
    int pair[2];
    uint8_t bytes[64];
    assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM, 0, pair), 0);
    assert_int_equal(spice_server_add_ssl_client(f->server, pair[0], 0), 0);
    assert_int_equal(write(pair[1], "REDQ\2\0\0\0", 8), 8);
    sm_test_host_run(&f->host, 10);
    assert_int_equal(f->host.disconnected, 1);
    while (read(pair[1], bytes, sizeof(bytes)) > 0) /* maybe an alert, then the end */
        ;
    close(pair[1]);
}

static void a_dead_socket_stays_the_hosts(void **state)
{
    struct fixture *f = *state;
    int pair[2];
    assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM, 0, pair), 0);
    close(pair[1]);
    assert_int_equal(spice_server_add_ssl_client(f->server, pair[0], 0), -1);
    assert_true(fcntl(pair[0], F_GETFD) >= 0);
    close(pair[0]);
    assert_int_equal(f->host.connected, 0);
}

static void clients_may_die_at_any_point_of_the_handshake(void **state)
{
    struct fixture *f = *state;
    for (unsigned rounds = 0; rounds < 6; rounds++) {
        struct sm_transport *t = connect_client(f, true);
        for (unsigned i = 0; i < rounds; i++) {
            assert_true(sm_tls_transport_handshake(t) >= 0);
            sm_epoll_loop_run_once(f->host.loop, 2);
        }
        sm_transport_destroy(t);
        sm_test_host_run(&f->host, 5);
    }
    assert_int_equal(f->host.connected, f->host.disconnected);
}

/* A client on OpenSSL itself, for what ours never does; its handshake is behind it if `is_in`. */
static SSL *raw_client(struct fixture *f, SSL_CTX *context, int version, int *fd, bool *is_in)
{
    int pair[2];
    assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0, pair), 0);
    assert_int_equal(spice_server_add_ssl_client(f->server, pair[0], 0), 0);
    SSL *ssl = SSL_new(context);
    assert_non_null(ssl);
    assert_int_equal(SSL_set_min_proto_version(ssl, TLS1_VERSION), 1);
    assert_int_equal(SSL_set_max_proto_version(ssl, version), 1);
    SSL_set_security_level(ssl, 0);
    assert_int_equal(SSL_set_fd(ssl, pair[1]), 1);
    *fd = pair[1];
    *is_in = false;
    for (unsigned i = 0; i < 200 && !*is_in; i++) {
        int result = SSL_connect(ssl);
        *is_in = result == 1;
        if (result != 1 && SSL_get_error(ssl, result) != SSL_ERROR_WANT_READ)
            break;
        sm_epoll_loop_run_once(f->host.loop, 2);
    }
    return ssl;
}

/* CVE-2021-20201: each would cost the server far more than the client. */
static void nobody_shakes_hands_twice(void **state)
{
    struct fixture *f = *state;
    SSL_CTX *context = SSL_CTX_new(TLS_client_method());
    assert_non_null(context);
    int fd;
    bool is_in;
    SSL *ssl = raw_client(f, context, TLS1_2_VERSION, &fd, &is_in);
    assert_true(is_in);
    assert_int_equal(SSL_renegotiate(ssl), 1);
    bool is_refused = false;
    for (unsigned i = 0; i < 200 && !is_refused; i++) {
        int result = SSL_do_handshake(ssl);
        assert_int_not_equal(result, 1);
        is_refused = SSL_get_error(ssl, result) != SSL_ERROR_WANT_READ;
        sm_epoll_loop_run_once(f->host.loop, 2);
    }
    assert_true(is_refused);
    SSL_free(ssl);
    close(fd);
    sm_test_host_run(&f->host, 5);
    SSL_CTX_free(context);
}

static void old_versions_of_tls_are_refused(void **state)
{
    struct fixture *f = *state;
    SSL_CTX *context = SSL_CTX_new(TLS_client_method());
    assert_non_null(context);
    static const struct {
        int version;
        bool is_good;
    } cases[] = {{TLS1_VERSION, false},
                 {TLS1_1_VERSION, false},
                 {TLS1_2_VERSION, true},
                 {TLS1_3_VERSION, true}};
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        int fd;
        bool is_in;
        SSL *ssl = raw_client(f, context, cases[i].version, &fd, &is_in);
        assert_int_equal(is_in, cases[i].is_good);
        SSL_free(ssl);
        close(fd);
        sm_test_host_run(&f->host, 5);
    }
    SSL_CTX_free(context);
}

/* ---- what a host may ask of TLS ---- */

/* An RSA key behind a password, its certificate, and parameters for Diffie and Hellman. */
struct files {
    char key[96], certificate[96], dh[96];
};

static FILE *create(const struct fixture *f, char path[96], const char *name)
{
    snprintf(path, 96, "%s/%s", f->pki.folder, name);
    FILE *file = fopen(path, "we");
    assert_non_null(file);
    return file;
}

static X509 *certificate_of(EVP_PKEY *key)
{
    X509 *certificate = X509_new();
    assert_non_null(certificate);
    assert_int_equal(X509_set_pubkey(certificate, key), 1);
    assert_non_null(X509_gmtime_adj(X509_getm_notBefore(certificate), -3600));
    assert_non_null(X509_gmtime_adj(X509_getm_notAfter(certificate), 3600));
    assert_true(X509_sign(certificate, key, EVP_sha256()) > 0);
    return certificate;
}

static void make_files(const struct fixture *f, struct files *files, char *password)
{
    EVP_PKEY *key = EVP_RSA_gen(2048), *dh = NULL;
    assert_non_null(key);
    X509 *certificate = certificate_of(key);
    FILE *file = create(f, files->certificate, "rsa.pem");
    assert_int_equal(PEM_write_X509(file, certificate), 1);
    fclose(file);
    file = create(f, files->key, "rsa-key.pem");
    assert_int_equal(PEM_write_PrivateKey(file, key, EVP_aes_256_cbc(), (unsigned char *)password,
                                          (int)strlen(password), NULL, NULL),
                     1);
    fclose(file);

    EVP_PKEY_CTX *made = EVP_PKEY_CTX_new_from_name(NULL, "DH", NULL);
    assert_true(made && EVP_PKEY_paramgen_init(made) == 1 &&
                EVP_PKEY_CTX_set_group_name(made, "ffdhe3072") == 1 &&
                EVP_PKEY_paramgen(made, &dh) == 1);
    BIO *out = BIO_new_fp(create(f, files->dh, "dh.pem"), BIO_CLOSE);
    assert_int_equal(PEM_write_bio_Parameters(out, dh), 1);
    BIO_free(out);
    EVP_PKEY_CTX_free(made);
    EVP_PKEY_free(dh);
    EVP_PKEY_free(key);
    X509_free(certificate);
}

static void delete_files(const struct files *files)
{
    unlink(files->key);
    unlink(files->certificate);
    unlink(files->dh);
}

/* A server with these options; NULL if it does not start. */
static SpiceServer *server_with(struct fixture *f, const struct files *files, const char *password,
                                const char *dh, const char *ciphers)
{
    SpiceServer *server = spice_server_new();
    spice_server_set_addr(server, "127.0.0.1", SPICE_ADDR_FLAG_IPV4_ONLY);
    spice_server_set_noauth(server);
    assert_int_equal(spice_server_set_tls(server, free_port(), f->pki.ca, files->certificate,
                                          files->key, password, dh, ciphers),
                     0);
    if (spice_server_init(server, &f->host.core) == 0)
        return server;
    spice_server_destroy(server);
    return NULL;
}

static void a_key_needs_its_password_and_files_must_be_what_they_say(void **state)
{
    struct fixture *f = *state;
    struct files files;
    char password[] = "sesame";
    make_files(f, &files, password);
    assert_null(server_with(f, &files, NULL, NULL, NULL));
    assert_null(server_with(f, &files, "wrong one", NULL, NULL));
    assert_null(server_with(f, &files, password, files.certificate, NULL));
    assert_null(server_with(f, &files, password, "/nonexistent/dh.pem", NULL));
    assert_null(server_with(f, &files, password, NULL, "NO-SUCH-CIPHER"));
    SpiceServer *server = server_with(f, &files, password, files.dh, NULL);
    assert_non_null(server);
    spice_server_destroy(server);
    delete_files(&files);
}

static void ciphers_and_parameters_are_those_of_the_host(void **state)
{
    static const char CIPHER[] = "DHE-RSA-AES256-GCM-SHA384";
    struct fixture *f = *state, other = *f;
    struct files files;
    char password[] = "sesame";
    make_files(f, &files, password);
    other.server = server_with(f, &files, password, files.dh, CIPHER);
    assert_non_null(other.server);
    for (unsigned has_it = 0; has_it < 2; has_it++) {
        SSL_CTX *context = SSL_CTX_new(TLS_client_method());
        assert_non_null(context);
        const char *ciphers = has_it ? "ALL" : "ALL:!DHE";
        assert_int_equal(SSL_CTX_set_cipher_list(context, ciphers), 1);
        int fd;
        bool is_in;
        SSL *ssl = raw_client(&other, context, TLS1_2_VERSION, &fd, &is_in);
        assert_int_equal(is_in, has_it);
        if (is_in) {
            EVP_PKEY *key = NULL;
            assert_string_equal(SSL_get_cipher_name(ssl), CIPHER);
            assert_true(SSL_get_peer_tmp_key(ssl, &key) == 1);
            assert_int_equal(EVP_PKEY_get_bits(key), 3072);
            EVP_PKEY_free(key);
        }
        SSL_free(ssl);
        close(fd);
        sm_test_host_run(&f->host, 5);
        SSL_CTX_free(context);
    }
    spice_server_destroy(other.server);
    delete_files(&files);
}

int main(void)
{
#define T(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
    const struct CMUnitTest tests[] = {
        T(a_session_runs_behind_tls),
        T(a_session_runs_in_websocket_frames),
        T(other_requests_are_told_that_this_is_another_protocol),
        T(a_channel_for_the_plain_port_is_refused_behind_tls),
        T(who_speaks_no_tls_is_dropped),
        T(a_dead_socket_stays_the_hosts),
        T(clients_may_die_at_any_point_of_the_handshake),
        T(nobody_shakes_hands_twice),
        T(old_versions_of_tls_are_refused),
        T(a_key_needs_its_password_and_files_must_be_what_they_say),
        T(ciphers_and_parameters_are_those_of_the_host),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
