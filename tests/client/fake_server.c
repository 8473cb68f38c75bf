/* SPDX-License-Identifier: MIT */
#include "tests/client/fake_server.h"

#include "tests/support/check.h"

#include <netinet/in.h>
#include <poll.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "core/base/writer.h"
#include "core/channel/link_server.h"
#include "core/wire/frame.h"
#include "io/clock.h"
#include "io/socket.h"
#include "io/ticket.h"

struct connection {
    struct fake_peer peer;
    pthread_t thread;
};

struct fake_server {
    struct fake_script script;
    char folder[64], path[96], uri[128];
    int listener, wake[2];
    pthread_t thread;
    struct connection connections[FAKE_PEERS_MAX];
    size_t count;
    struct sm_ticket_key *key;
    pthread_mutex_t lock;
    pthread_cond_t changed;
    bool steps[FAKE_STEPS];
    bool is_stopping;
};

static void need(bool holds, const char *what)
{
    if (!holds) {
        fprintf(stderr, "fake server: %s\n", what);
        abort();
    }
}

/* ---- Bytes ---- */

static bool write_all(int fd, struct sm_bytes bytes)
{
    while (bytes.size) {
        ssize_t put = send(fd, bytes.data, bytes.size, MSG_NOSIGNAL);
        if (put <= 0)
            return false;
        bytes.data += put;
        bytes.size -= (size_t)put;
    }
    return true;
}

static bool read_all(int fd, void *to, size_t size)
{
    uint8_t *at = to;
    while (size) {
        ssize_t got = recv(fd, at, size, 0);
        if (got <= 0)
            return false;
        at += got;
        size -= (size_t)got;
    }
    return true;
}

void fake_send(struct fake_peer *peer, uint16_t type, struct sm_bytes body)
{
    struct sm_writer w;
    sm_writer_init(&w, 1 << 24);
    sm_frame_build(&w, &(struct sm_frame){.type = type, .size = (uint32_t)body.size}, true);
    sm_put_bytes(&w, body);
    need(!w.failed, "a message does not fit");
    (void)write_all(peer->fd, sm_writer_bytes(&w)); /* the client may have gone */
    sm_writer_finish(&w);
}

#define DEFINE_SEND(channel)                                                                       \
    void fake_send_##channel(struct fake_peer *peer, const struct sm_##channel##_msg *msg)         \
    {                                                                                              \
        struct sm_writer w;                                                                        \
        sm_writer_init(&w, 1 << 24);                                                               \
        need(sm_##channel##_msg_build(&w, msg) == SM_OK, "a message cannot be built");             \
        fake_send(peer, msg->type, sm_writer_bytes(&w));                                           \
        sm_writer_finish(&w);                                                                      \
    }

DEFINE_SEND(main)
DEFINE_SEND(display)
DEFINE_SEND(inputs)
DEFINE_SEND(playback)
DEFINE_SEND(record)
DEFINE_SEND(spicevmc)
DEFINE_SEND(smartcard)

bool fake_read(struct fake_peer *peer, uint16_t *type, uint8_t **body, uint32_t *size)
{
    uint8_t header[SM_FRAME_MINI_SIZE];
    if (!read_all(peer->fd, header, sizeof(header)))
        return false;
    struct sm_frame frame = sm_frame_parse((struct sm_bytes){header, sizeof(header)}, true);
    need(frame.size < 1 << 20, "a message of the client is too large");
    *type = frame.type;
    *size = frame.size;
    *body = malloc(frame.size + 1);
    if (read_all(peer->fd, *body, frame.size))
        return true;
    free(*body);
    return false;
}

void fake_drain(struct fake_peer *peer)
{
    uint16_t type;
    uint8_t *body;
    uint32_t size;
    while (fake_read(peer, &type, &body, &size))
        free(body);
}

/* ---- Steps ---- */

void fake_server_step(struct fake_server *server, int step)
{
    pthread_mutex_lock(&server->lock);
    server->steps[step] = true;
    pthread_cond_broadcast(&server->changed);
    pthread_mutex_unlock(&server->lock);
}

void fake_server_wait_step(struct fake_server *server, int step)
{
    pthread_mutex_lock(&server->lock);
    while (!server->steps[step] && !server->is_stopping)
        pthread_cond_wait(&server->changed, &server->lock);
    pthread_mutex_unlock(&server->lock);
}

void fake_step(struct fake_peer *peer, int step)
{
    fake_server_step(peer->server, step);
}

void fake_wait_step(struct fake_peer *peer, int step)
{
    fake_server_wait_step(peer->server, step);
}

bool fake_is_step_reached(struct fake_peer *peer, int step)
{
    struct fake_server *server = peer->server;
    pthread_mutex_lock(&server->lock);
    bool is_reached = server->steps[step] || server->is_stopping;
    pthread_mutex_unlock(&server->lock);
    return is_reached;
}

/* ---- The link phase ---- */

static uint32_t judge(const struct fake_server *server, struct sm_bytes ticket)
{
    char password[SM_TICKET_PASSWORD_MAX + 1];
    if (sm_ticket_decrypt(server->key, ticket.data, password) != SM_OK)
        return SM_LINK_ERR_PERMISSION_DENIED;
    bool is_right = !server->script.password || strcmp(password, server->script.password) == 0;
    return is_right ? SM_LINK_ERR_OK : SM_LINK_ERR_PERMISSION_DENIED;
}

static enum sm_status answer(struct fake_peer *peer, struct sm_link_server *link,
                             const struct sm_link_server_event *event)
{
    const struct fake_server *server = peer->server;
    if (event->kind == SM_LINK_SERVER_TICKET)
        return sm_link_server_result(link, judge(server, event->ticket));
    peer->type = event->channel_type;
    peer->id = event->channel_id;
    peer->session_id = event->connection_id;
    if (server->script.link_error)
        return sm_link_server_refuse(link, server->script.link_error, false);
    struct sm_bytes key = {sm_ticket_key_public(server->key), SM_TICKET_PUBLIC_KEY_SIZE};
    uint32_t caps = event->channel_type == SM_CHANNEL_DISPLAY ? server->script.display_caps
                    : event->channel_type == SM_CHANNEL_MAIN  ? server->script.main_caps
                                                              : 0;
    return sm_link_server_accept(link, key, caps);
}

static bool link_up(struct fake_peer *peer)
{
    struct sm_link_server *link;
    struct sm_link_server_config config = {.has_sasl = false};
    need(sm_link_server_create(&link, &config, sm_now_us()) == SM_OK, "no link");
    struct sm_machine machine = sm_link_server_machine(link);
    bool is_good = true;
    while (is_good && !sm_link_server_is_done(link)) {
        uint8_t byte; /* one at a time: what follows the link is not ours */
        size_t taken;
        struct sm_link_server_event event;
        is_good =
            read_all(peer->fd, &byte, 1) &&
            sm_machine_receive(machine, (struct sm_bytes){&byte, 1}, sm_now_us(), &taken) == SM_OK;
        while (is_good && sm_link_server_next(link, &event))
            is_good = answer(peer, link, &event) == SM_OK;
        struct sm_bytes pending = sm_machine_pending(machine);
        is_good = write_all(peer->fd, pending) && is_good;
        sm_machine_sent(machine, pending.size, sm_now_us());
    }
    sm_link_server_destroy(link);
    return is_good;
}

/* ---- The channels ---- */

static void be_main(struct fake_peer *peer)
{
    const struct fake_script *script = &peer->server->script;
    struct sm_main_msg msg = {.type = SM_MSG_MAIN_INIT};
    msg.init.session_id = FAKE_SESSION_ID;
    msg.init.supported_mouse_modes = SM_MOUSE_MODE_SERVER | SM_MOUSE_MODE_CLIENT;
    msg.init.current_mouse_mode = script->mouse_mode ? script->mouse_mode : SM_MOUSE_MODE_SERVER;
    msg.init.ram_hint = 64 << 20;
    fake_send_main(peer, &msg);
    static const char name[] = "a fake\n machine";
    msg = (struct sm_main_msg){.type = SM_MSG_MAIN_NAME};
    msg.name.name = (struct sm_bytes){(const uint8_t *)name, sizeof(name)};
    fake_send_main(peer, &msg);

    uint16_t type;
    uint8_t *body;
    uint32_t size;
    while (fake_read(peer, &type, &body, &size)) {
        free(body);
        if (type != SM_MSGC_MAIN_ATTACH_CHANNELS)
            continue;
        msg = (struct sm_main_msg){.type = SM_MSG_MAIN_CHANNELS_LIST};
        msg.channels_list.num_channels = script->channel_count;
        msg.channels_list.channels = script->channels;
        fake_send_main(peer, &msg);
        if (script->main_too)
            script->main_too(peer);
    }
}

static void *serve(void *opaque)
{
    struct fake_peer *peer = opaque;
    const struct fake_script *script = &peer->server->script;
    if (script->never_replies) {
        fake_drain(peer);
    } else if (link_up(peer)) {
        if (peer->type == SM_CHANNEL_MAIN && peer->session_id && script->arrival)
            script->arrival(peer);
        else if (peer->type == SM_CHANNEL_MAIN)
            be_main(peer);
        else if (peer->type == SM_CHANNEL_DISPLAY && script->display)
            script->display(peer);
        else if (peer->type == SM_CHANNEL_INPUTS && script->inputs)
            script->inputs(peer);
        else if (script->sound &&
                 (peer->type == SM_CHANNEL_PLAYBACK || peer->type == SM_CHANNEL_RECORD))
            script->sound(peer);
        else if (script->device && peer->type >= SM_CHANNEL_SMARTCARD)
            script->device(peer);
        else
            fake_drain(peer);
    }
    (void)shutdown(peer->fd, SHUT_RDWR);
    return NULL;
}

static void *run(void *opaque)
{
    struct fake_server *server = opaque;
    for (;;) {
        struct pollfd fds[] = {{.fd = server->listener, .events = POLLIN},
                               {.fd = server->wake[0], .events = POLLIN}};
        (void)poll(fds, 2, -1);
        if (fds[1].revents)
            return NULL;
        int fd = accept(server->listener, NULL, NULL);
        if (fd < 0)
            continue;
        need(server->count < FAKE_PEERS_MAX, "too many connections");
        pthread_mutex_lock(&server->lock);
        struct connection *connection = &server->connections[server->count++];
        connection->peer = (struct fake_peer){.server = server, .fd = fd};
        pthread_mutex_unlock(&server->lock);
        need(pthread_create(&connection->thread, NULL, serve, &connection->peer) == 0, "no thread");
    }
}

struct fake_server *fake_server_start(const struct fake_script *script)
{
    struct fake_server *server = calloc(1, sizeof(*server));
    server->script = *script;
    (void)snprintf(server->folder, sizeof(server->folder), "/tmp/sumac-fake-XXXXXX");
    need(mkdtemp(server->folder) != NULL, "no folder");
    (void)snprintf(server->path, sizeof(server->path), "%s/s", server->folder);
    (void)snprintf(server->uri, sizeof(server->uri), "spice+unix://%s", server->path);
    struct sm_socket_error error;
    enum sm_status status =
        script->is_tcp
            ? sm_socket_listen_tcp(&server->listener, "127.0.0.1", 0, SM_SOCKET_IPV4, &error)
            : sm_socket_listen_unix(&server->listener, server->path, &error);
    need(status == SM_OK, error.text);
    need(sm_ticket_key_create(&server->key) == SM_OK, "no key");
    need(pipe(server->wake) == 0, "no pipe");
    pthread_mutex_init(&server->lock, NULL);
    pthread_cond_init(&server->changed, NULL);
    need(pthread_create(&server->thread, NULL, run, server) == 0, "no thread");
    return server;
}

void fake_server_stop(struct fake_server *server)
{
    need(write(server->wake[1], "x", 1) == 1, "no wake");
    pthread_join(server->thread, NULL);
    pthread_mutex_lock(&server->lock);
    server->is_stopping = true;
    pthread_cond_broadcast(&server->changed);
    pthread_mutex_unlock(&server->lock);
    for (size_t i = 0; i < server->count; i++) {
        (void)shutdown(server->connections[i].peer.fd, SHUT_RDWR);
        pthread_join(server->connections[i].thread, NULL);
        close(server->connections[i].peer.fd);
    }
    close(server->listener);
    close(server->wake[0]);
    close(server->wake[1]);
    (void)unlink(server->path);
    (void)rmdir(server->folder);
    sm_ticket_key_destroy(server->key);
    pthread_cond_destroy(&server->changed);
    pthread_mutex_destroy(&server->lock);
    free(server);
}

const char *fake_server_uri(const struct fake_server *server)
{
    return server->uri;
}

uint16_t fake_server_port(const struct fake_server *server)
{
    struct sockaddr_in address;
    socklen_t size = sizeof(address);
    need(getsockname(server->listener, (struct sockaddr *)&address, &size) == 0, "no port");
    return ntohs(address.sin_port);
}
