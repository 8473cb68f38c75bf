/* SPDX-License-Identifier: MIT */
/* The server object, shared by the files of server/session and server/device only. */
#ifndef SM_SERVER_SESSION_INTERNAL_H
#define SM_SERVER_SESSION_INTERNAL_H

#include "core/base/list.h"
#include "core/wire/types.h"
#include "server/device/agent.h"
#include "server/device/inputs.h"
#include "server/display/video_choice.h"
#include "server/session/door.h"
#include "server/session/link_key.h"
#include "server/session/listeners.h"
#include "server/session/main_queue.h"
#include "server/session/migration.h"
#include "server/session/mouse_mode.h"
#include "server/session/registry.h"
#include "server/session/server.h"
#include "server/session/ticket_policy.h"

struct sm_errand;
struct sm_errands;
struct sm_recorder;
struct sm_statistics_socket;
struct sm_tls_context;

enum { SM_CHANNEL_TYPE_END = SM_CHANNEL_WEBDAV + 1 };

struct sm_client_shares;
struct sm_encode_pool;

/** File names and words for TLS; all owned, malloc. */
struct sm_server_tls_files {
    char *ca, *certificate, *key, *key_password, *dh, *ciphers;
};

struct sm_server {
    const struct sm_log *log; /* borrowed */
    bool is_started;          /* what follows is there */
    struct sm_loop loop;
    struct sm_main_queue *queue;     /* owned */
    struct sm_client_shares *shares; /* held: what clients keep for several displays */
    _Atomic uint64_t input_us;       /* when a key or button was last pressed, for the displays */
    struct sm_encode_pool *pool;     /* held: its threads encode for all displays */
    const struct sm_server_host_ops *host;
    void *host_context;

    /* settings of the ports */
    int port, tls_port; /* −1: none */
    int listen_fd;      /* the host's; −1: none */
    char *address;      /* owned; NULL: all */
    enum sm_socket_family family;
    bool is_unix;
    struct sm_server_tls_files tls_files;
    struct sm_tls_context *tls; /* owned; NULL without a TLS port */
    struct sm_listeners listeners;

    /* who gets in */
    struct sm_ticket_policy ticket;
    bool has_view_ticket; /* a second password, for those who only look */
    struct sm_ticket_policy view_ticket;
    char *view_password_file;   /* owned; NULL: none */
    char *view_users_file;      /* owned; NULL: none */
    bool uses_sasl;             /* in place of tickets */
    struct sm_errands *errands; /* owned; of log-ins, once there was one; else NULL */
    char *sasl_application;     /* owned; NULL: the default */
    struct sm_link_key_cache keys;
    unsigned default_security;             /* mask of enum sm_channel_security */
    uint8_t security[SM_CHANNEL_TYPE_END]; /* by type; 0: the default */
    struct sm_list connections;            /* struct sm_connection, not yet authenticated */
    unsigned connection_count;             /* of them */
    uint64_t failed_logins;
    struct sm_statistics_socket *statistics; /* owned; NULL: not offered */
    struct sm_door door;                     /* how often each address came */
    struct sm_log_limit link_complaints;     /* lines that strangers can cause */

    /* clients */
    struct sm_list sessions;               /* struct sm_session */
    struct sm_log_limit client_complaints; /* lines that clients can cause */
    struct sm_migration migration;
    bool exits_on_disconnect;
    unsigned max_clients;            /* 1: the last one to come; 0: any number */
    uint32_t holder;                 /* id of the session with what there is one of; 0: none */
    uint32_t last_person;            /* the number of who came last */
    struct sm_main_task people_task; /* tells clients who is there */

    /* what is offered */
    struct sm_registry registry;
    struct sm_list displays;       /* struct sm_display, newest first */
    struct sm_recorder *recorder;  /* borrowed; NULL: displays are not recorded */
    struct sm_list streams;        /* struct sm_spicevmc: usbredir, ports, webdav */
    struct sm_list stream_devices; /* struct sm_stream_device: screens the guest encodes */
    struct sm_list smartcards;     /* struct sm_smartcard: the guest's card readers */
    uint8_t image_compression;     /* enum sm_worker_compression */
    enum sm_wan_compression jpeg, zlib_glz;
    struct sm_video_list video_codecs;
    uint8_t streaming; /* enum sm_worker_streaming */
    struct sm_inputs inputs;
    struct sm_agent agent;
    struct sm_mouse_mode_state mouse_mode;
    bool vm_is_running;
    char *name; /* owned; NULL: none */
    bool has_uuid;
    uint8_t uuid[16];
};

/** Offers a channel to all clients, now and later. */
void sm_server_offer(struct sm_server *server, struct sm_channel_offer *offer);

/** Sends an errand of a log-in (errands.h), one of a few at a time. SM_OK; SM_ERR_NOMEM. */
SM_NODISCARD enum sm_status sm_server_send_errand(struct sm_server *server,
                                                  struct sm_errand *errand);

#endif
