/* SPDX-License-Identifier: MIT */
/* The agent's port, between an emulated char device of the host and a client on a socket. */
#include "tests/support/check.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "core/base/writer.h"
#include "core/wire/agent.h"
#include "core/wire/main.h"
#include "tests/server/support/visitor.h"

/* A host's device: what the guest wrote waits in `from_guest`, what it is sent ends in `to_guest`.
 */
struct port {
    SpiceCharDeviceInstance instance;
    uint8_t from_guest[8192], to_guest[8192];
    size_t from_size, from_pos, to_size;
    size_t room;  /* bytes that the guest takes before it is full */
    size_t piece; /* most bytes a read gives */
    int state;
};

struct fixture {
    struct sm_test_host host;
    SpiceServer *server;
    struct port port;
};

static struct port *port_of(SpiceCharDeviceInstance *instance)
{
    return (struct port *)(void *)instance;
}

static void port_state(SpiceCharDeviceInstance *instance, int connected)
{
    port_of(instance)->state = connected;
}

static int port_write(SpiceCharDeviceInstance *instance, const uint8_t *data, int size)
{
    struct port *port = port_of(instance);
    size_t taken = (size_t)size < port->room ? (size_t)size : port->room;
    assert_true(port->to_size + taken <= sizeof(port->to_guest));
    memcpy(port->to_guest + port->to_size, data, taken);
    port->to_size += taken;
    port->room -= taken;
    return (int)taken;
}

static int port_read(SpiceCharDeviceInstance *instance, uint8_t *to, int size)
{
    struct port *port = port_of(instance);
    size_t left = port->from_size - port->from_pos;
    size_t given = left < (size_t)size ? left : (size_t)size;
    given = given < port->piece ? given : port->piece;
    memcpy(to, port->from_guest + port->from_pos, given);
    port->from_pos += given;
    return (int)given;
}

static const SpiceCharDeviceInterface PORT = {
    .base = {.type = SPICE_INTERFACE_CHAR_DEVICE,
             .major_version = SPICE_INTERFACE_CHAR_DEVICE_MAJOR,
             .minor_version = SPICE_INTERFACE_CHAR_DEVICE_MINOR},
    .state = port_state,
    .write = port_write,
    .read = port_read,
    .flags = SPICE_CHAR_DEVICE_NOTIFY_WRITABLE,
};

static void init_port(struct port *port, const char *subtype)
{
    *port = (struct port){.room = SIZE_MAX, .piece = SIZE_MAX};
    port->instance.base.sif = &PORT.base;
    port->instance.subtype = subtype;
    port->instance.portname = "a name";
}

static int setup(void **state)
{
    struct fixture *f = calloc(1, sizeof(*f));
    assert_non_null(f);
    f->server = sm_test_host_server(&f->host);
    spice_server_set_noauth(f->server);
    assert_int_equal(spice_server_init(f->server, &f->host.core), 0);
    init_port(&f->port, "vdagent");
    *state = f;
    return 0;
}

static int teardown(void **state)
{
    struct fixture *f = *state;
    spice_server_destroy(f->server);
    assert_null(f->port.instance.st);
    sm_test_host_finish(&f->host);
    free(f);
    sm_test_free_copies();
    return 0;
}

static void attach(struct fixture *f)
{
    assert_int_equal(spice_server_add_interface(f->server, &f->port.instance.base), 0);
    assert_non_null(f->port.instance.st);
    assert_int_equal(f->port.state, 1);
}

/* The guest writes one chunk with a message of the agent. */
static void guest_says(struct port *port, uint32_t chunk_port, uint32_t type, struct sm_bytes body)
{
    struct sm_writer w;
    sm_writer_init(&w, sizeof(port->from_guest));
    sm_put_le32(&w, chunk_port);
    sm_put_le32(&w, (uint32_t)body.size + SM_AGENT_HEADER_SIZE);
    sm_put_le32(&w, SM_AGENT_PROTOCOL);
    sm_put_le32(&w, type);
    sm_put_le64(&w, 0);
    sm_put_le32(&w, (uint32_t)body.size);
    sm_put_bytes(&w, body);
    struct sm_bytes bytes = sm_writer_bytes(&w);
    assert_true(port->from_size + bytes.size <= sizeof(port->from_guest));
    memcpy(port->from_guest + port->from_size, bytes.data, bytes.size);
    port->from_size += bytes.size;
    sm_writer_finish(&w);
    spice_server_char_device_wakeup(&port->instance);
}

static struct sm_test_visitor client_that_started_the_agent(struct fixture *f, uint32_t tokens)
{
    struct sm_test_visitor client = sm_test_visitor(&f->host, f->host.path);
    sm_test_visitor_open_main(&client, "");
    uint8_t body[4] = {(uint8_t)tokens};
    sm_test_visitor_message(&client, SM_MSGC_MAIN_AGENT_START, SM_TEST_BYTES(body));
    return client;
}

static bool all_is_read(const struct port *port)
{
    return port->from_pos == port->from_size;
}

static void the_second_agent_is_refused_and_removal_is_checked(void **state)
{
    struct fixture *f = *state;
    attach(f);
    struct port second;
    init_port(&second, "vdagent");
    assert_int_equal(spice_server_add_interface(f->server, &second.instance.base), 0);
    assert_null(second.instance.st);
    assert_int_equal(spice_server_remove_interface(&second.instance.base), -1);
    assert_int_equal(spice_server_remove_interface(&f->port.instance.base), 0);
    assert_int_equal(f->port.state, 0);
    assert_int_equal(spice_server_remove_interface(&f->port.instance.base), -1);
    attach(f); /* and there may be one again */
}

static void without_a_client_the_agent_is_read_and_lost(void **state)
{
    struct fixture *f = *state;
    attach(f);
    f->port.piece = 3; /* in small pieces */
    for (unsigned i = 0; i < 20; i++)
        guest_says(&f->port, SM_AGENT_PORT_CLIENT, SM_AGENT_CLIPBOARD, sm_test_hex("01020304"));
    assert_true(all_is_read(&f->port));
    assert_int_equal(f->port.to_size, 0);
}

static void what_the_agent_says_reaches_the_client(void **state)
{
    struct fixture *f = *state;
    attach(f);
    struct sm_test_visitor client = client_that_started_the_agent(f, 10);
    guest_says(&f->port, SM_AGENT_PORT_SERVER, SM_AGENT_REPLY, sm_test_hex("00"));
    guest_says(&f->port, SM_AGENT_PORT_CLIENT, SM_AGENT_CLIPBOARD_GRAB, sm_test_hex("0a0b0c0d"));
    uint8_t data[64];
    assert_int_equal(sm_test_visitor_await(&client, SM_MSG_MAIN_AGENT_DATA, data, sizeof(data)),
                     24);
    assert_int_equal(data[4], SM_AGENT_CLIPBOARD_GRAB);
    assert_int_equal(data[23], 0x0d);
    sm_test_visitor_close(&client);
}

static void the_agent_waits_for_the_clients_tokens(void **state)
{
    struct fixture *f = *state;
    attach(f);
    struct sm_test_visitor client = client_that_started_the_agent(f, 1);
    for (unsigned i = 0; i < 4; i++)
        guest_says(&f->port, SM_AGENT_PORT_CLIENT, SM_AGENT_REPLY, sm_test_hex("01"));
    uint8_t data[64];
    assert_int_equal(sm_test_visitor_await(&client, SM_MSG_MAIN_AGENT_DATA, data, sizeof(data)),
                     21);
    assert_false(all_is_read(&f->port));
    sm_test_visitor_message(&client, SM_MSGC_MAIN_AGENT_TOKEN, sm_test_hex("0a000000"));
    for (unsigned i = 0; i < 3; i++)
        sm_test_visitor_await(&client, SM_MSG_MAIN_AGENT_DATA, data, sizeof(data));
    assert_true(all_is_read(&f->port));
    sm_test_visitor_close(&client);
}

static void what_the_client_says_goes_out_in_chunks_and_its_tokens_return(void **state)
{
    struct fixture *f = *state;
    attach(f);
    struct sm_test_visitor client = client_that_started_the_agent(f, 10);
    f->port.to_size = 0;
    f->port.room = 30; /* the guest is slow: one message and a bit */
    struct sm_bytes message = sm_test_hex("01000000 03000000 0000000000000000 01000000 aa");
    for (unsigned i = 0; i < 5; i++)
        sm_test_visitor_message(&client, SM_MSGC_MAIN_AGENT_DATA, message);
    assert_int_equal(f->port.to_size, 30);
    sm_check_bytes(((struct sm_bytes){.data = f->port.to_guest, .size = 30}),
                   sm_test_hex("01000000 15000000 01000000 03000000 0000000000000000 01000000 aa"
                               "01"));
    f->port.room = SIZE_MAX;
    spice_server_char_device_wakeup(&f->port.instance);
    assert_int_equal(f->port.to_size, 5 * 29);
    uint8_t tokens[4];
    sm_test_visitor_await(&client, SM_MSG_MAIN_AGENT_TOKEN, tokens, sizeof(tokens));
    assert_int_equal(tokens[0], 5);
    sm_test_visitor_close(&client);
    /* The agent is told that nobody is there any more. */
    assert_int_equal(f->port.to_size, 5 * 29 + 28);
    assert_int_equal(f->port.to_guest[5 * 29], SM_AGENT_PORT_SERVER);
    assert_int_equal(f->port.to_guest[5 * 29 + 12], SM_AGENT_CLIENT_DISCONNECTED);
}

/* Nobody's pointer waits for a file. */
static void the_servers_own_words_pass_those_that_wait(void **state)
{
    struct fixture *f = *state;
    attach(f);
    struct sm_test_visitor client = client_that_started_the_agent(f, 10);
    f->port.to_size = 0;
    f->port.room = 10; /* the guest is stuck within the first chunk */
    struct sm_bytes message = sm_test_hex("01000000 03000000 0000000000000000 01000000 aa");
    for (unsigned i = 0; i < 3; i++)
        sm_test_visitor_message(&client, SM_MSGC_MAIN_AGENT_DATA, message);
    /* It takes GRAPHICS_DEVICE_INFO, and gets it. */
    guest_says(&f->port, SM_AGENT_PORT_CLIENT, SM_AGENT_ANNOUNCE_CAPABILITIES,
               sm_test_hex("00000000 00800000"));
    assert_int_equal(f->port.to_size, 10);
    f->port.room = SIZE_MAX;
    spice_server_char_device_wakeup(&f->port.instance);
    enum { CHUNK = 29, INFO = 8 + SM_AGENT_HEADER_SIZE + 4 };
    assert_int_equal(f->port.to_size, 3 * CHUNK + INFO);
    assert_int_equal(f->port.to_guest[0], SM_AGENT_PORT_CLIENT);
    assert_int_equal(f->port.to_guest[CHUNK], SM_AGENT_PORT_SERVER);
    assert_int_equal(f->port.to_guest[CHUNK + 12], SM_AGENT_GRAPHICS_DEVICE_INFO);
    assert_int_equal(f->port.to_guest[CHUNK + INFO], SM_AGENT_PORT_CLIENT);
    sm_test_visitor_close(&client);
}

static void words_of_a_client_that_left_are_dropped_unless_begun(void **state)
{
    struct fixture *f = *state;
    attach(f);
    struct sm_test_visitor client = client_that_started_the_agent(f, 10);
    f->port.to_size = 0;
    f->port.room = 10; /* the guest is stuck within the first chunk */
    struct sm_bytes message = sm_test_hex("01000000 03000000 0000000000000000 01000000 aa");
    for (unsigned i = 0; i < 3; i++)
        sm_test_visitor_message(&client, SM_MSGC_MAIN_AGENT_DATA, message);
    sm_test_visitor_close(&client);
    f->port.room = SIZE_MAX;
    spice_server_char_device_wakeup(&f->port.instance);
    assert_int_equal(f->port.to_size, 29 + 28); /* it, and CLIENT_DISCONNECTED */
    assert_int_equal(f->port.to_guest[29 + 12], SM_AGENT_CLIENT_DISCONNECTED);
}

static void policy_stops_the_clipboard_both_ways(void **state)
{
    struct fixture *f = *state;
    attach(f);
    spice_server_set_agent_copypaste(f->server, 0);
    struct sm_test_visitor client = client_that_started_the_agent(f, 10);
    f->port.to_size = 0;
    guest_says(&f->port, SM_AGENT_PORT_CLIENT, SM_AGENT_CLIPBOARD_GRAB, sm_test_hex("00000000"));
    /* Its announcement loses the clipboard's bits: 3, 5 and 6. */
    guest_says(&f->port, SM_AGENT_PORT_CLIENT, SM_AGENT_ANNOUNCE_CAPABILITIES,
               sm_test_hex("01000000 ff000000"));
    uint8_t data[64];
    assert_int_equal(sm_test_visitor_await(&client, SM_MSG_MAIN_AGENT_DATA, data, sizeof(data)),
                     28);
    assert_int_equal(data[4], SM_AGENT_ANNOUNCE_CAPABILITIES);
    assert_int_equal(data[24], 0x97);
    sm_test_visitor_message(&client, SM_MSGC_MAIN_AGENT_DATA,
                            sm_test_hex("01000000 08000000 0000000000000000 04000000 00000000"));
    assert_int_equal(f->port.to_size, 0);
    sm_test_visitor_close(&client);
}

/* A piece of the client's, and how much of it comes out at the guest's end. */
static size_t reaches_the_guest(struct fixture *f, struct sm_test_visitor *client,
                                const char *piece)
{
    f->port.to_size = 0;
    sm_test_visitor_message(client, SM_MSGC_MAIN_AGENT_DATA, sm_test_hex(piece));
    sm_test_host_run(&f->host, 5);
    return f->port.to_size;
}

static void policy_changes_while_a_session_runs(void **state)
{
    static const char REQUEST[] = "01000000 08000000 0000000000000000 04000000 00000000";
    static const char FILE_START[] = "01000000 0a000000 0000000000000000 05000000 0100000000";
    struct fixture *f = *state;
    attach(f);
    struct sm_test_visitor client = client_that_started_the_agent(f, 10);
    assert_int_equal(reaches_the_guest(f, &client, REQUEST), 8 + 24);
    assert_int_equal(reaches_the_guest(f, &client, FILE_START), 8 + 25);

    /* What has been begun is not cut in two. */
    assert_int_equal(
        reaches_the_guest(f, &client, "01000000 08000000 0000000000000000 04000000 0000"), 8 + 22);
    spice_server_set_agent_copypaste(f->server, 0);
    assert_int_equal(reaches_the_guest(f, &client, "0000"), 8 + 2);
    assert_int_equal(reaches_the_guest(f, &client, REQUEST), 0);
    assert_int_equal(reaches_the_guest(f, &client, FILE_START), 8 + 25);

    spice_server_set_agent_file_xfer(f->server, 0);
    for (unsigned i = 0; i < 20; i++) /* what is dropped costs no token */
        assert_int_equal(reaches_the_guest(f, &client, FILE_START), 0);
    spice_server_set_agent_copypaste(f->server, 1);
    assert_int_equal(reaches_the_guest(f, &client, REQUEST), 8 + 24);
    assert_int_equal(reaches_the_guest(f, &client, FILE_START), 0);
    spice_server_set_agent_file_xfer(f->server, 1);
    assert_int_equal(reaches_the_guest(f, &client, FILE_START), 8 + 25);
    assert_int_equal(spice_server_get_num_clients(f->server), 1);
    sm_test_visitor_close(&client);
}

static void a_broken_agent_is_cut_off_and_another_may_come(void **state)
{
    struct fixture *f = *state;
    attach(f);
    struct sm_test_visitor client = client_that_started_the_agent(f, 10);
    struct sm_bytes garbage = sm_test_hex("07000000 04000000 00000000");
    memcpy(f->port.from_guest, garbage.data, garbage.size);
    f->port.from_size = garbage.size;
    spice_server_char_device_wakeup(&f->port.instance);
    assert_int_equal(f->port.state, 0);
    uint8_t error[4];
    sm_test_visitor_await(&client, SM_MSG_MAIN_AGENT_DISCONNECTED, error, sizeof(error));

    spice_server_char_device_wakeup(&f->port.instance); /* of no more interest */
    struct port second;
    init_port(&second, "vdagent");
    assert_int_equal(spice_server_add_interface(f->server, &second.instance.base), 0);
    assert_non_null(second.instance.st);
    uint8_t tokens[4];
    sm_test_visitor_await(&client, SM_MSG_MAIN_AGENT_CONNECTED_TOKENS, tokens, sizeof(tokens));
    assert_int_equal(tokens[0], 10);
    assert_int_equal(spice_server_remove_interface(&f->port.instance.base), 0);
    assert_int_equal(second.state, 1); /* the first one's removal is not its end */
    assert_int_equal(spice_server_remove_interface(&second.instance.base), 0);
    sm_test_visitor_close(&client);
}

static void nothing_moves_while_the_machine_is_stopped(void **state)
{
    struct fixture *f = *state;
    attach(f);
    spice_server_vm_stop(f->server);
    guest_says(&f->port, SM_AGENT_PORT_CLIENT, SM_AGENT_REPLY, sm_test_hex("01"));
    assert_int_equal(f->port.from_pos, 0);
    spice_server_vm_start(f->server);
    assert_true(all_is_read(&f->port));
}

static void other_devices_are_kept_and_unknown_ones_refused(void **state)
{
    struct fixture *f = *state;
    static const char *const known[] = {"usbredir", "smartcard", "port"};
    for (unsigned i = 0; i < 3; i++) {
        struct port port;
        init_port(&port, known[i]);
        assert_int_equal(spice_server_add_interface(f->server, &port.instance.base), 0);
        assert_non_null(port.instance.st);
        spice_server_char_device_wakeup(&port.instance);
        spice_server_port_event(&port.instance, 0);
        assert_int_equal(spice_server_remove_interface(&port.instance.base), 0);
    }
    struct port port;
    init_port(&port, "what is this");
    assert_int_equal(spice_server_add_interface(f->server, &port.instance.base), 0);
    assert_null(port.instance.st);
    spice_server_char_device_wakeup(&port.instance);
    spice_server_port_event(&port.instance, 1);

    const char **subtypes = spice_server_char_device_recognized_subtypes();
    assert_string_equal(subtypes[0], "vdagent");
    assert_string_equal(subtypes[1], "smartcard");
    assert_string_equal(subtypes[2], "usbredir");
    assert_null(subtypes[3]);
}

int main(void)
{
#define T(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
    const struct CMUnitTest tests[] = {
        T(the_second_agent_is_refused_and_removal_is_checked),
        T(without_a_client_the_agent_is_read_and_lost),
        T(what_the_agent_says_reaches_the_client),
        T(the_agent_waits_for_the_clients_tokens),
        T(what_the_client_says_goes_out_in_chunks_and_its_tokens_return),
        T(the_servers_own_words_pass_those_that_wait),
        T(words_of_a_client_that_left_are_dropped_unless_begun),
        T(policy_stops_the_clipboard_both_ways),
        T(policy_changes_while_a_session_runs),
        T(a_broken_agent_is_cut_off_and_another_may_come),
        T(nothing_moves_while_the_machine_is_stopped),
        T(other_devices_are_kept_and_unknown_ones_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
