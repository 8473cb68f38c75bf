/* SPDX-License-Identifier: MIT */
/* The server object: its life, its settings, its clients. */
#ifndef SM_SPICE_SERVER_SERVER_H
#define SM_SPICE_SERVER_SERVER_H

#include "spice-core.h"

SPICE_BEGIN_DECLS

/* Unless stated a function returns 0, or -1 on failure with a line in the log. */

/** A server with the default settings; nobody gets in before a ticket is set or given up. */
SpiceServer *spice_server_new(void);

/**
 * Opens the ports and begins to serve; `core` is borrowed until the server is destroyed. The
 * calling thread is the main thread from now on.
 */
int spice_server_init(SpiceServer *s, SpiceCoreInterface *core);

/** Ends everything and frees the server; interfaces still registered are forgotten. */
void spice_server_destroy(SpiceServer *s);

typedef enum {
    SPICE_COMPAT_VERSION_0_4 = 0,
    SPICE_COMPAT_VERSION_0_6 = 1,
} spice_compat_version_t;

#define SPICE_COMPAT_VERSION_CURRENT SPICE_COMPAT_VERSION_0_6

spice_compat_version_t spice_get_current_compat_version(void);
int spice_server_set_compat_version(SpiceServer *s, spice_compat_version_t version);

/* Listening */

#define SPICE_ADDR_FLAG_IPV4_ONLY (1 << 0)
#define SPICE_ADDR_FLAG_IPV6_ONLY (1 << 1)
#define SPICE_ADDR_FLAG_UNIX_ONLY (1 << 2)

int spice_server_set_port(SpiceServer *s, int port); /* 0: the kernel chooses */
void spice_server_set_addr(SpiceServer *s, const char *addr, int flags);
int spice_server_set_listen_socket_fd(SpiceServer *s, int listen_fd); /* stays the host's */
int spice_server_set_tls(SpiceServer *s, int port, const char *ca_cert_file, const char *certs_file,
                         const char *private_key_file, const char *key_passwd,
                         const char *dh_key_file, const char *ciphersuite);

/** Serves a connected stream socket; taken when 0 is returned, still the host's otherwise. */
int spice_server_add_client(SpiceServer *s, int socket, int skip_auth);
int spice_server_add_ssl_client(SpiceServer *s, int socket, int skip_auth);

/* Who gets in */

int spice_server_set_noauth(SpiceServer *s);
int spice_server_set_sasl(SpiceServer *s, int enabled);
int spice_server_set_sasl_appname(SpiceServer *s, const char *appname);

/**
 * Sets the password.
 *
 * @param passwd    at most 60 bytes; NULL locks everybody out
 * @param lifetime  seconds; 0: for ever
 * @param fail_if_connected        change nothing while a client is connected, return -1
 * @param disconnect_if_connected  end the sessions of connected clients
 */
int spice_server_set_ticket(SpiceServer *s, const char *passwd, int lifetime, int fail_if_connected,
                            int disconnect_if_connected);

#define SPICE_CHANNEL_SECURITY_NONE (1 << 0) /* may be on the plain port */
#define SPICE_CHANNEL_SECURITY_SSL  (1 << 1) /* may be on the TLS port */

/** Which ports a channel may use; `channel` NULL changes the default. */
int spice_server_set_channel_security(SpiceServer *s, const char *channel, int security);

int spice_server_set_exit_on_disconnect(SpiceServer *s, int flag);
int spice_server_get_num_clients(SpiceServer *s);

/** Obsolete: always -1. */
int spice_server_get_sock_info(SpiceServer *s, struct sockaddr *sa, socklen_t *salen);
int spice_server_get_peer_info(SpiceServer *s, struct sockaddr *sa, socklen_t *salen);

/* Devices */

int spice_server_add_interface(SpiceServer *s, SpiceBaseInstance *sin);
int spice_server_remove_interface(SpiceBaseInstance *sin);

void spice_server_vm_start(SpiceServer *s);
void spice_server_vm_stop(SpiceServer *s);

/* Pictures */

typedef SpiceImageCompression spice_image_compression_t;

#define SPICE_IMAGE_COMPRESS_INVALID  SPICE_IMAGE_COMPRESSION_INVALID
#define SPICE_IMAGE_COMPRESS_OFF      SPICE_IMAGE_COMPRESSION_OFF
#define SPICE_IMAGE_COMPRESS_AUTO_GLZ SPICE_IMAGE_COMPRESSION_AUTO_GLZ
#define SPICE_IMAGE_COMPRESS_AUTO_LZ  SPICE_IMAGE_COMPRESSION_AUTO_LZ
#define SPICE_IMAGE_COMPRESS_QUIC     SPICE_IMAGE_COMPRESSION_QUIC
#define SPICE_IMAGE_COMPRESS_GLZ      SPICE_IMAGE_COMPRESSION_GLZ
#define SPICE_IMAGE_COMPRESS_LZ       SPICE_IMAGE_COMPRESSION_LZ
#define SPICE_IMAGE_COMPRESS_LZ4      SPICE_IMAGE_COMPRESSION_LZ4

int spice_server_set_image_compression(SpiceServer *s, SpiceImageCompression comp);
SpiceImageCompression spice_server_get_image_compression(SpiceServer *s);

/** Lossy or extra compression for long lines. */
typedef enum {
    SPICE_WAN_COMPRESSION_INVALID,
    SPICE_WAN_COMPRESSION_AUTO,
    SPICE_WAN_COMPRESSION_ALWAYS,
    SPICE_WAN_COMPRESSION_NEVER,
} spice_wan_compression_t;

int spice_server_set_jpeg_compression(SpiceServer *s, spice_wan_compression_t comp);
int spice_server_set_zlib_glz_compression(SpiceServer *s, spice_wan_compression_t comp);

/** Deprecated: there is one renderer, "sw". */
int spice_server_add_renderer(SpiceServer *s, const char *name);

enum {
    SPICE_STREAM_VIDEO_INVALID,
    SPICE_STREAM_VIDEO_OFF,
    SPICE_STREAM_VIDEO_ALL,
    SPICE_STREAM_VIDEO_FILTER
};

enum { SPICE_STREAMING_INVALID, SPICE_STREAMING_SPICE, SPICE_STREAMING_GSTREAMER };

int spice_server_set_streaming_video(SpiceServer *s, int value);

/** `video_codecs`: "encoder:codec" entries with ';' between them, or "auto". */
int spice_server_set_video_codecs(SpiceServer *s, const char *video_codecs);
/** A new string; give it back to spice_server_free_video_codecs(). */
const char *spice_server_get_video_codecs(SpiceServer *s);
void spice_server_free_video_codecs(SpiceServer *s, const char *video_codecs);

/* Sound, pointer, agent, identity */

int spice_server_set_playback_compression(SpiceServer *s, int enable);
int spice_server_set_agent_mouse(SpiceServer *s, int enable);
int spice_server_set_agent_copypaste(SpiceServer *s, int enable);
int spice_server_set_agent_file_xfer(SpiceServer *s, int enable);

/** Non-zero while the pointer is moved by relative motion. */
int spice_server_is_server_mouse(SpiceServer *s);

void spice_server_set_name(SpiceServer *s, const char *name);
void spice_server_set_uuid(SpiceServer *s, const uint8_t uuid[16]);

SPICE_END_DECLS

#endif
