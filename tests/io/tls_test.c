/* SPDX-License-Identifier: MIT */
#include "tests/support/check.h"

#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "io/socket.h"
#include "io/tls.h"
#include "tests/io/certificates.h"

struct pair {
    struct sm_transport *client, *server;
};

static struct sm_test_pki pki;

static int set_up(void **state)
{
    (void)state;
    sm_test_pki_create(&pki);
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    sm_test_pki_destroy(&pki);
    return 0;
}

static void make_sockets(struct pair *pair)
{
    int fds[2];
    assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, fds), 0);
    sm_check_status(sm_socket_transport(&pair->client, fds[0]), SM_OK);
    sm_check_status(sm_socket_transport(&pair->server, fds[1]), SM_OK);
}

static struct pair connect_pair(const char *certificate, const struct sm_tls_client_config *rules,
                                const char *host)
{
    char why[256] = "";
    struct sm_tls_context *server, *client;
    const struct sm_tls_server_config config = {
        .certificate_file = certificate, .key_file = pki.key, .ca_file = pki.ca};
    sm_check_status(sm_tls_context_server(&server, &config, why, sizeof(why)), SM_OK);
    sm_check_status(sm_tls_context_client(&client, rules, why, sizeof(why)), SM_OK);
    struct pair sockets, pair;
    make_sockets(&sockets);
    sm_check_status(sm_tls_transport_server(&pair.server, server, sockets.server), SM_OK);
    sm_check_status(sm_tls_transport_client(&pair.client, client, sockets.client, host), SM_OK);
    sm_tls_context_destroy(server); /* connections keep what they need */
    sm_tls_context_destroy(client);
    return pair;
}

static void finish(struct pair *pair)
{
    sm_transport_destroy(pair->client);
    sm_transport_destroy(pair->server);
}

/* Lets both sides work until the client knows. */
static enum sm_status shake(struct pair *pair)
{
    enum sm_status status = SM_AGAIN, other = SM_AGAIN;
    for (int i = 0; i < 100 && status == SM_AGAIN; i++) {
        status = sm_tls_transport_handshake(pair->client);
        if (other == SM_AGAIN)
            other = sm_tls_transport_handshake(pair->server);
    }
    return status;
}

static struct sm_tls_client_config rules_of(unsigned verify)
{
    return (struct sm_tls_client_config){.ca_file = pki.ca, .verify = verify};
}

static enum sm_tls_failure failure_with(const char *certificate,
                                        const struct sm_tls_client_config *rules, const char *host)
{
    struct pair pair = connect_pair(certificate, rules, host);
    enum sm_status status = shake(&pair);
    enum sm_tls_failure failure = sm_tls_transport_failure(pair.client);
    assert_int_equal(status == SM_OK, failure == SM_TLS_OK);
    if (status != SM_OK)
        assert_true(sm_transport_reason(pair.client)[0]);
    finish(&pair);
    return failure;
}

static void tls_carries_bytes_both_ways(void **state)
{
    (void)state;
    struct sm_tls_client_config rules = rules_of(SM_TLS_VERIFY_HOSTNAME);
    struct pair pair = connect_pair(pki.certificate, &rules, "localhost");
    sm_check_status(shake(&pair), SM_OK);
    assert_true(pair.client->is_secure);

    static uint8_t sent[300000], received[sizeof(sent)];
    for (size_t i = 0; i < sizeof(sent); i++)
        sent[i] = (uint8_t)(i * 7);
    size_t out = 0, in = 0;
    while (in < sizeof(sent)) {
        size_t count = 0;
        struct sm_bytes parts[2] = {
            {sent + out, (sizeof(sent) - out) / 2},
            {sent + out + (sizeof(sent) - out) / 2, sizeof(sent) - out - (sizeof(sent) - out) / 2}};
        if (out < sizeof(sent) && sm_transport_writev(pair.server, parts, 2, &count) == SM_OK)
            out += count;
        enum sm_status status;
        while ((status = sm_transport_read(pair.client, received + in, sizeof(sent) - in,
                                           &count)) == SM_OK &&
               in < sizeof(sent))
            in += count;
        assert_true(status == SM_AGAIN || in == sizeof(sent));
    }
    assert_memory_equal(sent, received, sizeof(sent));

    sm_transport_destroy(pair.server);
    uint8_t byte;
    size_t count;
    sm_check_status(sm_transport_read(pair.client, &byte, 1, &count), SM_ERR_IO);
    assert_true(pair.client->has_ended);
    sm_transport_destroy(pair.client);
}

static void tls_checks_the_chain(void **state)
{
    (void)state;
    struct sm_tls_client_config rules = rules_of(SM_TLS_VERIFY_HOSTNAME);
    assert_int_equal(failure_with(pki.expired, &rules, "localhost"), SM_TLS_EXPIRED);
    rules.ca_file = pki.other_ca;
    assert_int_equal(failure_with(pki.certificate, &rules, "localhost"), SM_TLS_UNTRUSTED);
}

static void tls_checks_the_host_name(void **state)
{
    (void)state;
    struct sm_tls_client_config rules = rules_of(SM_TLS_VERIFY_HOSTNAME);
    assert_int_equal(failure_with(pki.certificate, &rules, "LOCALHOST"), SM_TLS_OK);
    assert_int_equal(failure_with(pki.certificate, &rules, "a.example.test"), SM_TLS_OK);
    assert_int_equal(failure_with(pki.certificate, &rules, "127.0.0.1"), SM_TLS_OK);
    assert_int_equal(failure_with(pki.certificate, &rules, "127.0.0.2"), SM_TLS_HOST_MISMATCH);
    assert_int_equal(failure_with(pki.certificate, &rules, "a.b.example.test"),
                     SM_TLS_HOST_MISMATCH);
    /* The common name does not count when there are alternative names, and does when not. */
    assert_int_equal(failure_with(pki.certificate, &rules, "sumac test"), SM_TLS_HOST_MISMATCH);
    assert_int_equal(failure_with(pki.plain, &rules, "localhost"), SM_TLS_OK);
    assert_int_equal(failure_with(pki.plain, &rules, "elsewhere"), SM_TLS_HOST_MISMATCH);
}

static void tls_checks_the_subject_in_place_of_the_host(void **state)
{
    (void)state;
    struct sm_tls_client_config rules = rules_of(SM_TLS_VERIFY_SUBJECT | SM_TLS_VERIFY_HOSTNAME);
    rules.subject = "O=Sumac\\, Inc, CN=sumac test";
    assert_int_equal(failure_with(pki.certificate, &rules, "elsewhere"), SM_TLS_OK);
    static const char *const WRONG[] = {
        "O=Sumac\\, Inc",
        "CN=sumac test,O=Sumac\\, Inc",
        "O=Sumac, Inc,CN=sumac test",
        "O=Sumac\\, Inc,CN=",
        "O=Sumac\\, Inc,CN=sumac test,CN=more",
        "O=Sumac\\n Inc,CN=sumac test",
        "",
    };
    for (size_t i = 0; i < sizeof(WRONG) / sizeof(WRONG[0]); i++) {
        rules.subject = WRONG[i];
        assert_int_equal(failure_with(pki.certificate, &rules, "localhost"),
                         SM_TLS_SUBJECT_MISMATCH);
    }
}

static void tls_accepts_a_known_public_key_whatever_the_chain(void **state)
{
    (void)state;
    struct sm_tls_client_config rules = rules_of(SM_TLS_VERIFY_PUBKEY);
    rules.ca_file = pki.other_ca;
    rules.public_key = (struct sm_bytes){pki.public_key, pki.public_key_size};
    assert_int_equal(failure_with(pki.certificate, &rules, "elsewhere"), SM_TLS_OK);
    pki.public_key[40] ^= 1;
    assert_int_equal(failure_with(pki.certificate, &rules, "elsewhere"), SM_TLS_UNTRUSTED);
    pki.public_key[40] ^= 1;
}

static void tls_says_when_the_peer_speaks_something_else(void **state)
{
    (void)state;
    struct sm_tls_client_config rules = rules_of(SM_TLS_VERIFY_HOSTNAME);
    char why[256];
    struct sm_tls_context *context;
    sm_check_status(sm_tls_context_client(&context, &rules, why, sizeof(why)), SM_OK);
    struct pair sockets;
    make_sockets(&sockets);
    struct sm_transport *client;
    sm_check_status(sm_tls_transport_client(&client, context, sockets.client, "localhost"), SM_OK);
    sm_tls_context_destroy(context);
    sm_check_status(sm_tls_transport_handshake(client), SM_AGAIN);
    static const uint8_t REPLY[] = "HTTP/1.1 400 Bad Request\r\n\r\n";
    size_t put;
    sm_check_status(sm_transport_write(sockets.server, SM_TEST_BYTES(REPLY), &put), SM_OK);
    sm_check_status(sm_tls_transport_handshake(client), SM_ERR_IO);
    assert_int_equal(sm_tls_transport_failure(client), SM_TLS_NOT_TLS);
    sm_transport_destroy(client);
    sm_transport_destroy(sockets.server);
}

static void tls_context_names_the_file_that_is_wrong(void **state)
{
    (void)state;
    char why[256] = "";
    struct sm_tls_context *context = NULL;
    struct sm_tls_server_config config = {.certificate_file = "/nonexistent/cert.pem",
                                          .key_file = pki.key};
    sm_check_status(sm_tls_context_server(&context, &config, why, sizeof(why)), SM_ERR_IO);
    assert_non_null(strstr(why, "/nonexistent/cert.pem"));
    config = (struct sm_tls_server_config){.certificate_file = pki.ca, .key_file = pki.key};
    sm_check_status(sm_tls_context_server(&context, &config, why, sizeof(why)), SM_ERR_IO);
    config = (struct sm_tls_server_config){
        .certificate_file = pki.certificate, .key_file = pki.key, .ciphers = "NO-SUCH-CIPHER"};
    sm_check_status(sm_tls_context_server(&context, &config, why, sizeof(why)), SM_ERR_IO);
    assert_non_null(strstr(why, "cipher"));
    assert_null(context);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(tls_carries_bytes_both_ways),
        cmocka_unit_test(tls_checks_the_chain),
        cmocka_unit_test(tls_checks_the_host_name),
        cmocka_unit_test(tls_checks_the_subject_in_place_of_the_host),
        cmocka_unit_test(tls_accepts_a_known_public_key_whatever_the_chain),
        cmocka_unit_test(tls_says_when_the_peer_speaks_something_else),
        cmocka_unit_test(tls_context_names_the_file_that_is_wrong),
    };
    return cmocka_run_group_tests(tests, set_up, tear_down);
}
