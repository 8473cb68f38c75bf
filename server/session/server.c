/* SPDX-License-Identifier: MIT */
#include "server/session/server.h"

#include <stdlib.h>
#include <string.h>

#include "io/clock.h"
#include "io/sasl.h"
#include "io/tls.h"
#include "server/device/smartcard.h"
#include "server/device/spicevmc.h"
#include "server/device/stream_device.h"
#include "server/display/client_shares.h"
#include "server/display/encode_pool.h"
#include "server/display/worker.h"
#include "server/session/connection.h"
#include "server/session/displays.h"
#include "server/session/errands.h"
#include "server/session/internal.h"
#include "server/session/log.h"
#include "server/session/main_channel.h"
#include "server/session/people.h"
#include "server/session/sasl_login.h"
#include "server/session/session.h"
#include "server/session/statistics_socket.h"

enum { ERRANDS_AT_A_TIME = 4 }; /* one that hangs holds up three others at most */

/* Lines that peers can cause: enough to see what happens, not enough to fill a disk. */
static const struct sm_log_limit COMPLAINTS = {.burst = 20, .period_us = 10 * 1000000};

/* ---- life ---- */

enum sm_status sm_server_create(struct sm_server **out, const struct sm_log *log)
{
    struct sm_server *server = calloc(1, sizeof(*server));
    if (!server)
        return SM_ERR_NOMEM;
    *server = (struct sm_server){
        .log = log,
        .port = -1,
        .tls_port = -1,
        .listen_fd = -1,
        .max_clients = 1,
        .default_security = SM_SECURITY_PLAIN | SM_SECURITY_TLS,
        .link_complaints = COMPLAINTS,
        .client_complaints = COMPLAINTS,
        .image_compression = SM_COMPRESSION_AUTO_GLZ,
        .jpeg = SM_WAN_AUTO,
        .zlib_glz = SM_WAN_AUTO,
        .streaming = SM_STREAMING_FILTER,
        .video_codecs = sm_video_list_automatic(),
        .mouse_mode = {.current = SM_MOUSE_MODE_SERVER},
    };
    sm_list_init(&server->connections);
    sm_list_init(&server->sessions);
    sm_list_init(&server->displays);
    sm_list_init(&server->streams);
    sm_list_init(&server->smartcards);
    sm_list_init(&server->stream_devices);
    sm_registry_init(&server->registry);
    sm_ticket_policy_init(&server->ticket);
    sm_inputs_init(&server->inputs, server);
    sm_agent_init(&server->agent, server);
    *out = server;
    return SM_OK;
}

static enum sm_status start_tls(struct sm_server *server)
{
    if (server->tls_port < 0)
        return SM_OK;
    const struct sm_server_tls_files *files = &server->tls_files;
    struct sm_tls_server_config config = {
        .certificate_file = files->certificate,
        .key_file = files->key,
        .key_password = files->key_password,
        .ca_file = files->ca,
        .dh_file = files->dh,
        .ciphers = files->ciphers,
    };
    char why[512] = "";
    enum sm_status status = sm_tls_context_server(&server->tls, &config, why, sizeof(why));
    if (status)
        sm_say(server->log, SM_LOG_WARNING, "TLS cannot be offered: %s", why);
    return status;
}

/* Undoes sm_server_init(), also half of it. */
static void stop(struct sm_server *server)
{
    sm_statistics_socket_destroy(server->statistics);
    server->statistics = NULL;
    sm_listeners_close(server);
    sm_connection_destroy_all(server);
    sm_session_end_all(server);
    sm_migration_finish(server);
    sm_displays_destroy_all(server);
    sm_inputs_finish(&server->inputs);
    if (server->agent.device)
        sm_agent_detach(&server->agent, server->agent.context);
    /* Connections that channels closed just now still have to be told of and freed. */
    if (server->queue)
        sm_main_queue_run(server->queue);
    sm_errands_destroy(server->errands);
    server->errands = NULL;
    sm_main_queue_destroy(server->queue);
    server->queue = NULL;
    sm_encode_pool_unref(server->pool);
    server->pool = NULL;
    sm_client_shares_unref(server->shares);
    server->shares = NULL;
    sm_tls_context_destroy(server->tls);
    server->tls = NULL;
    sm_link_key_cache_finish(&server->keys);
    server->is_started = false;
}

enum sm_status sm_server_init(struct sm_server *server, struct sm_loop loop,
                              const struct sm_server_host_ops *host, void *context)
{
    if (server->is_started)
        return SM_ERR_STATE;
    server->loop = loop;
    server->host = host;
    server->host_context = context;
    enum sm_status status = sm_main_queue_create(&server->queue, loop);
    if (!status)
        status = sm_encode_pool_create(&server->pool, &(struct sm_encode_pool_config){0});
    if (!status)
        status = sm_client_shares_create(&server->shares);
    if (!status)
        status = sm_listeners_open(server);
    if (!status)
        status = start_tls(server);
    if (!status && server->uses_sasl)
        status = sm_sasl_login_prepare(server);
    if (!status)
        status = sm_inputs_start(&server->inputs);
    if (status) {
        stop(server);
        return status;
    }
    server->is_started = true;
    server->vm_is_running = true;
    sm_people_init(server);
    const char *statistics = getenv("SUMAC_STATS_SOCKET");
    if (statistics && *statistics)
        (void)!sm_server_set_statistics(server, statistics); /* the machine runs without */
    return SM_OK;
}

static void free_tls_files(struct sm_server_tls_files *files)
{
    free(files->ca);
    free(files->certificate);
    free(files->key);
    if (files->key_password)
        explicit_bzero(files->key_password, strlen(files->key_password));
    free(files->key_password);
    free(files->dh);
    free(files->ciphers);
}

void sm_server_stop(struct sm_server *server)
{
    server->exits_on_disconnect = false; /* the host is ending us itself */
    sm_listeners_close(server);
    sm_connection_destroy_all(server);
    sm_session_end_all(server);
}

void sm_server_destroy(struct sm_server *server)
{
    if (!server)
        return;
    sm_server_stop(server);
    stop(server);
    free_tls_files(&server->tls_files);
    free(server->address);
    free(server->name);
    free(server->sasl_application);
    explicit_bzero(&server->ticket, sizeof(server->ticket));
    explicit_bzero(&server->view_ticket, sizeof(server->view_ticket));
    free(server->view_password_file);
    free(server->view_users_file);
    free(server);
}

bool sm_server_is_started(const struct sm_server *server)
{
    return server->is_started;
}

const struct sm_log *sm_server_get_log(const struct sm_server *server)
{
    return server->log;
}

void sm_server_offer(struct sm_server *server, struct sm_channel_offer *offer)
{
    if (sm_registry_add(&server->registry, offer))
        sm_session_announce(server, offer);
}

/* ---- ports ---- */

enum sm_status sm_server_send_errand(struct sm_server *server, struct sm_errand *errand)
{
    if (!server->errands) {
        enum sm_status status =
            sm_errands_create(&server->errands, server->queue, ERRANDS_AT_A_TIME);
        if (status != SM_OK)
            return status;
    }
    return sm_errands_send(server->errands, errand);
}

void sm_server_set_port(struct sm_server *server, int port)
{
    server->port = port;
}

void sm_server_set_address(struct sm_server *server, const char *address)
{
    free(server->address);
    server->address = address && *address ? strdup(address) : NULL;
}

void sm_server_set_family(struct sm_server *server, enum sm_socket_family family, bool is_unix)
{
    server->family = family;
    server->is_unix = is_unix;
}

void sm_server_set_listen_fd(struct sm_server *server, int fd)
{
    server->listen_fd = fd;
}

/* A copy of an optional text; false if out of memory. */
static bool copy_text(char **out, const char *text)
{
    *out = text ? strdup(text) : NULL;
    return !text || *out;
}

enum sm_status sm_server_set_tls(struct sm_server *server, int port, const char *ca_file,
                                 const char *certificate_file, const char *key_file,
                                 const char *key_password, const char *dh_file, const char *ciphers)
{
    struct sm_server_tls_files files = {0};
    if (!copy_text(&files.ca, ca_file) || !copy_text(&files.certificate, certificate_file) ||
        !copy_text(&files.key, key_file) || !copy_text(&files.key_password, key_password) ||
        !copy_text(&files.dh, dh_file) || !copy_text(&files.ciphers, ciphers)) {
        free_tls_files(&files);
        return SM_ERR_NOMEM;
    }
    free_tls_files(&server->tls_files);
    server->tls_files = files;
    server->tls_port = port;
    return SM_OK;
}

enum sm_status sm_server_add_client(struct sm_server *server, int fd, bool is_tls, bool skip_auth)
{
    if (!server->is_started || (is_tls && !server->tls))
        return SM_ERR_STATE;
    return sm_connection_adopt(server, fd, is_tls, skip_auth);
}

/* ---- who gets in ---- */

enum sm_status sm_server_set_sasl(struct sm_server *server, bool is_on)
{
    if (is_on && !sm_sasl_is_available())
        return SM_ERR_STATE;
    if (is_on && server->is_started) { /* else when it starts, under the name it has by then */
        enum sm_status status = sm_sasl_login_prepare(server);
        if (status != SM_OK)
            return status;
    }
    server->uses_sasl = is_on;
    return SM_OK;
}

enum sm_status sm_server_set_sasl_application(struct sm_server *server, const char *name)
{
    if (!sm_sasl_is_available())
        return SM_ERR_STATE;
    char *copy = NULL;
    if (name && !(copy = strdup(name)))
        return SM_ERR_NOMEM;
    free(server->sasl_application);
    server->sasl_application = copy;
    return SM_OK;
}

void sm_server_set_noauth(struct sm_server *server)
{
    sm_ticket_policy_open(&server->ticket);
}

enum sm_status sm_server_set_ticket(struct sm_server *server, const char *password, int lifetime_s,
                                    bool fail_if_connected, bool disconnect_if_connected)
{
    bool has_clients = sm_server_client_count(server) > 0;
    if (has_clients && fail_if_connected)
        return SM_ERR_STATE;
    /* Those who came without a password have to show that they know it. */
    if (has_clients && (disconnect_if_connected || !server->ticket.is_on))
        sm_server_disconnect_clients(server);
    return sm_ticket_policy_set(&server->ticket, password, lifetime_s, sm_now_us());
}

enum sm_status sm_server_set_view_ticket(struct sm_server *server, const char *password,
                                         int lifetime_s)
{
    server->has_view_ticket = password != NULL;
    return sm_ticket_policy_set(&server->view_ticket, password, lifetime_s, sm_now_us());
}

void sm_server_set_default_security(struct sm_server *server, unsigned mask)
{
    server->default_security = mask;
}

void sm_server_set_channel_security(struct sm_server *server, uint8_t channel_type, unsigned mask)
{
    if (channel_type < SM_CHANNEL_TYPE_END)
        server->security[channel_type] = (uint8_t)mask;
}

/* ---- clients ---- */

unsigned sm_server_client_count(const struct sm_server *server)
{
    unsigned count = 0;
    SM_LIST_FOR (link, &server->sessions)
        count++;
    return count;
}

enum sm_status sm_server_hand_over(struct sm_server *server, uint32_t connection_id)
{
    return sm_people_hand_over(server, connection_id);
}

bool sm_server_next_client(const struct sm_server *server, struct sm_server_client *client)
{
    const struct sm_session *session = sm_session_after(server, client->connection_id);
    if (!session)
        return false;
    *client = (struct sm_server_client){
        .connection_id = sm_session_id(session),
        .is_view_only = sm_session_is_view_only(session),
        .is_holder = sm_session_id(session) == server->holder,
    };
    return true;
}

enum sm_status sm_server_set_statistics(struct sm_server *server, const char *path)
{
    if (!server->is_started)
        return SM_ERR_STATE;
    sm_statistics_socket_destroy(server->statistics);
    server->statistics = NULL;
    return path ? sm_statistics_socket_create(&server->statistics, server, path) : SM_OK;
}

void sm_server_set_max_clients(struct sm_server *server, unsigned count)
{
    server->max_clients = count;
}

void sm_server_disconnect_clients(struct sm_server *server)
{
    sm_session_end_soon(server);
}

void sm_server_set_exit_on_disconnect(struct sm_server *server, bool is_on)
{
    server->exits_on_disconnect = is_on;
}

/* ---- identity, policy ---- */

void sm_server_set_name(struct sm_server *server, const char *name)
{
    free(server->name);
    server->name = name ? strdup(name) : NULL;
}

void sm_server_set_uuid(struct sm_server *server, const uint8_t uuid[16])
{
    memcpy(server->uuid, uuid, sizeof(server->uuid));
    server->has_uuid = true;
}

void sm_server_set_agent_mouse(struct sm_server *server, bool is_on)
{
    server->agent.mouse_is_enabled = is_on;
    sm_mouse_mode_update(server);
}

static void tell_policy(struct sm_main_channel *main, void *opaque)
{
    (void)opaque;
    sm_main_channel_policy_changed(main);
}

void sm_server_set_agent_copypaste(struct sm_server *server, bool is_on)
{
    server->agent.copypaste_is_enabled = is_on;
    sm_session_each(server, tell_policy, NULL);
}

void sm_server_set_agent_file_transfer(struct sm_server *server, bool is_on)
{
    server->agent.file_transfer_is_enabled = is_on;
    sm_session_each(server, tell_policy, NULL);
}

bool sm_server_is_server_mouse(const struct sm_server *server)
{
    return server->mouse_mode.current == SM_MOUSE_MODE_SERVER;
}

/* ---- pictures ---- */

void sm_server_set_recorder(struct sm_server *server, struct sm_recorder *recorder)
{
    server->recorder = recorder;
}

void sm_server_set_image_compression(struct sm_server *server, uint8_t compression)
{
    if (server->image_compression == compression)
        return;
    server->image_compression = compression;
    sm_displays_settings_changed(server);
}

uint8_t sm_server_image_compression(const struct sm_server *server)
{
    return server->image_compression;
}

void sm_server_set_jpeg(struct sm_server *server, enum sm_wan_compression when)
{
    server->jpeg = when;
}

void sm_server_set_zlib_glz(struct sm_server *server, enum sm_wan_compression when)
{
    server->zlib_glz = when;
}

void sm_server_set_video_codecs(struct sm_server *server, const struct sm_video_list *codecs)
{
    server->video_codecs = *codecs;
    sm_displays_video_codecs_changed(server);
}

void sm_server_set_streaming(struct sm_server *server, uint8_t streaming)
{
    server->streaming = streaming;
    sm_displays_settings_changed(server);
}

/* ---- input devices ---- */

void sm_server_set_keyboard(struct sm_server *server, const struct sm_keyboard_ops *ops,
                            void *context)
{
    sm_keyboard_init(&server->inputs.keyboard, ops, context);
}

void sm_server_set_mouse(struct sm_server *server, const struct sm_mouse_ops *ops, void *context)
{
    server->inputs.mouse = ops;
    server->inputs.mouse_context = context;
}

void sm_server_set_tablet(struct sm_server *server, const struct sm_tablet_ops *ops, void *context)
{
    server->inputs.tablet = ops;
    server->inputs.tablet_context = context;
    sm_mouse_mode_update(server);
}

void sm_server_keyboard_leds(struct sm_server *server, uint8_t leds)
{
    sm_inputs_leds(&server->inputs, leds);
}

struct sm_agent *sm_server_agent(struct sm_server *server)
{
    return &server->agent;
}

/* ---- the machine ---- */

void sm_server_vm_start(struct sm_server *server)
{
    server->vm_is_running = true;
    sm_agent_set_running(&server->agent, true);
    sm_spicevmc_set_all_running(server, true);
    sm_stream_devices_set_running(server, true);
    sm_smartcard_set_all_running(server, true);
    sm_displays_start(server);
}

void sm_server_vm_stop(struct sm_server *server)
{
    server->vm_is_running = false;
    sm_agent_set_running(&server->agent, false);
    sm_spicevmc_set_all_running(server, false);
    sm_stream_devices_set_running(server, false);
    sm_smartcard_set_all_running(server, false);
    sm_displays_stop(server);
}
