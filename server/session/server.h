/* SPDX-License-Identifier: MIT */
/*
 * The server: what a host configures, and what ties ports, clients, channels and devices together.
 *
 * Thread: every function belongs to the main context, the host's serialised execution, unless said
 * otherwise. Nothing here is shared between two servers.
 */
#ifndef SM_SERVER_SESSION_SERVER_H
#define SM_SERVER_SESSION_SERVER_H

#include <stdbool.h>
#include <stdint.h>

#include "io/log.h"
#include "io/loop.h"
#include "io/socket.h"
#include "server/session/handover.h"
#include "sumac/bytes.h"
#include "sumac/status.h"

struct sm_recorder;
struct sm_video_list;
struct sm_server;

/** A moment in the life of a connection. */
enum sm_peer_event {
    SM_PEER_CONNECTED = 1,
    SM_PEER_INITIALIZED = 2,
    SM_PEER_DISCONNECTED = 3,
};

/** What is known of a connection once it is authenticated. */
struct sm_peer_info {
    uint32_t connection_id;
    uint8_t channel_type, channel_id;
    bool is_secure;
};

/** What the host wants to hear. All optional. */
struct sm_server_host_ops {
    /** A connection was accepted on `fd`: makes what the other two are given; NULL if nothing. */
    void *(*peer_create)(void *context, int fd);
    /** On the main thread, each event once and in order; `info` is zero before INITIALIZED. */
    void (*peer_event)(void *context, void *peer, enum sm_peer_event event,
                       const struct sm_peer_info *info);
    /** Frees the host's peer; the server may be gone by then, so `context` is only a number. */
    void (*peer_destroy)(void *context, void *peer);
};

/**
 * Creates a server with the default settings.
 *
 * @param log  borrowed until the server is destroyed; may be NULL
 */
SM_NODISCARD enum sm_status sm_server_create(struct sm_server **out, const struct sm_log *log);

/**
 * Starts to serve.
 *
 * @param loop  must outlive the server
 * @param host  borrowed; NULL for a host that listens to nothing
 * @return SM_OK; SM_ERR_STATE if it was started before; SM_ERR_IO if a port or a certificate is
 *         unusable, SM_ERR_NOMEM: nothing is open then, and the reason is in the log
 */
SM_NODISCARD enum sm_status sm_server_init(struct sm_server *server, struct sm_loop loop,
                                           const struct sm_server_host_ops *host, void *context);

/** Ends all sessions and closes all ports, but keeps the devices, for their owners to take. */
void sm_server_stop(struct sm_server *server);

/** Ends all sessions, closes all ports, frees the server. NULL does nothing. */
void sm_server_destroy(struct sm_server *server);

/** True between a successful sm_server_init() and the end. */
bool sm_server_is_started(const struct sm_server *server);

const struct sm_log *sm_server_get_log(const struct sm_server *server);

/* ---- ports ---- */

/** −1: no port. */
void sm_server_set_port(struct sm_server *server, int port);
/** `address` is copied; a path if `is_unix`. */
void sm_server_set_address(struct sm_server *server, const char *address);
void sm_server_set_family(struct sm_server *server, enum sm_socket_family family, bool is_unix);
/** A listening socket of the host's, never closed by us. */
void sm_server_set_listen_fd(struct sm_server *server, int fd);
/** All copied; the last three may be NULL. SM_ERR_NOMEM changes nothing. */
SM_NODISCARD enum sm_status sm_server_set_tls(struct sm_server *server, int port,
                                              const char *ca_file, const char *certificate_file,
                                              const char *key_file, const char *key_password,
                                              const char *dh_file, const char *ciphers);

/**
 * Serves the connected socket `fd`.
 *
 * @param fd         taken on SM_OK, else still the caller's
 * @param skip_auth  any password will do
 * @return SM_OK; SM_ERR_STATE before init or, with `is_tls`, without TLS; SM_ERR_IO if the socket
 *         is unusable or TLS fails at once; SM_ERR_NOMEM
 */
SM_NODISCARD enum sm_status sm_server_add_client(struct sm_server *server, int fd, bool is_tls,
                                                 bool skip_auth);

/* ---- who gets in ---- */

/**
 * From now on clients log in through SASL, or through tickets again.
 *
 * @return SM_OK; SM_ERR_STATE without the library; SM_ERR_IO if it cannot be used, which is logged
 */
SM_NODISCARD enum sm_status sm_server_set_sasl(struct sm_server *server, bool is_on);

/** The name of SASL's configuration, counted until SASL is first used; SM_ERR_STATE as above. */
SM_NODISCARD enum sm_status sm_server_set_sasl_application(struct sm_server *server,
                                                           const char *name);

/** No password from now on. */
void sm_server_set_noauth(struct sm_server *server);

/**
 * A password from now on. Source: docs/server.md, "Tickets".
 *
 * @param password    NULL locks everybody out
 * @param lifetime_s  0: for ever
 * @return SM_OK; SM_ERR_STATE if `fail_if_connected` and a client is; SM_ERR_LIMIT if it is longer
 *         than 60 bytes (the lifetime counts nevertheless)
 */
SM_NODISCARD enum sm_status sm_server_set_ticket(struct sm_server *server, const char *password,
                                                 int lifetime_s, bool fail_if_connected,
                                                 bool disconnect_if_connected);

enum sm_channel_security {
    SM_SECURITY_PLAIN = 1,
    SM_SECURITY_TLS = 2,
};

/** The default for channels without a rule of their own. */
/**
 * A second password: who knows it sees and hears, and can do nothing. NULL: none.
 *
 * @return SM_OK; SM_ERR_LIMIT if it is too long
 */
SM_NODISCARD enum sm_status sm_server_set_view_ticket(struct sm_server *server,
                                                      const char *password, int lifetime_s);

void sm_server_set_default_security(struct sm_server *server, unsigned mask);
/** The rule for channels of one type. */
void sm_server_set_channel_security(struct sm_server *server, uint8_t channel_type, unsigned mask);

/* ---- clients ---- */

unsigned sm_server_client_count(const struct sm_server *server);
/** What there is one of goes to another client; SM_ERR_STATE if it cannot. */
SM_NODISCARD enum sm_status sm_server_hand_over(struct sm_server *server, uint32_t connection_id);

/** Somebody who is connected. */
struct sm_server_client {
    uint32_t connection_id; /* 0: before the first */
    bool is_view_only;
    bool is_holder;
};

/** Steps to the one who came next; false if there is none. */
bool sm_server_next_client(const struct sm_server *server, struct sm_server_client *client);

/**
 * Offers what is counted at a local socket; NULL: no longer. After sm_server_init().
 *
 * @return SM_OK; SM_ERR_STATE before; SM_ERR_IO if the path cannot be had, which is logged;
 *         SM_ERR_NOMEM
 */
SM_NODISCARD enum sm_status sm_server_set_statistics(struct sm_server *server, const char *path);

/** How many may be connected at once: 1 (who comes last stays), more, or 0 for any number. */
void sm_server_set_max_clients(struct sm_server *server, unsigned count);

void sm_server_disconnect_clients(struct sm_server *server);
void sm_server_set_exit_on_disconnect(struct sm_server *server, bool is_on);

/* ---- identity, policy ---- */

/** Copied; NULL for none. */
void sm_server_set_name(struct sm_server *server, const char *name);
void sm_server_set_uuid(struct sm_server *server, const uint8_t uuid[16]);
void sm_server_set_agent_mouse(struct sm_server *server, bool is_on);
void sm_server_set_agent_copypaste(struct sm_server *server, bool is_on);
void sm_server_set_agent_file_transfer(struct sm_server *server, bool is_on);

/** Whether the pointer moves by relative motion. */
bool sm_server_is_server_mouse(const struct sm_server *server);

/* ---- pictures; values of enum sm_worker_compression and sm_worker_streaming ---- */

void sm_server_set_image_compression(struct sm_server *server, uint8_t compression);

/** Displays added from now on are recorded; borrowed until the server is destroyed. */
void sm_server_set_recorder(struct sm_server *server, struct sm_recorder *recorder);
uint8_t sm_server_image_compression(const struct sm_server *server);
void sm_server_set_streaming(struct sm_server *server, uint8_t streaming);
void sm_server_set_video_codecs(struct sm_server *server, const struct sm_video_list *codecs);

/** When images may become JPEG, and GLZ be deflated: for clients that connect from now on. */
void sm_server_set_jpeg(struct sm_server *server, enum sm_wan_compression when);
void sm_server_set_zlib_glz(struct sm_server *server, enum sm_wan_compression when);

/* ---- input devices of the host; all borrowed, NULL takes one away again ---- */

struct sm_keyboard_ops;
struct sm_mouse_ops;
struct sm_tablet_ops;
void sm_server_set_keyboard(struct sm_server *server, const struct sm_keyboard_ops *ops,
                            void *context);
void sm_server_set_mouse(struct sm_server *server, const struct sm_mouse_ops *ops, void *context);
void sm_server_set_tablet(struct sm_server *server, const struct sm_tablet_ops *ops, void *context);

/** The guest switched its keyboard's lamps. */
void sm_server_keyboard_leds(struct sm_server *server, uint8_t leds);

/* ---- the guest's agent; see server/device/agent.h ---- */

struct sm_agent;
struct sm_agent *sm_server_agent(struct sm_server *server);

/* ---- the machine runs, or not ---- */

void sm_server_vm_start(struct sm_server *server);
void sm_server_vm_stop(struct sm_server *server);

#endif
