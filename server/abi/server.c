/* SPDX-License-Identifier: MIT */
/* spice-server.h: life, ports, rules and settings of the server. */
#include <stdlib.h>
#include <string.h>

#include "core/wire/types.h"
#include "server/abi/core_interface.h"
#include "server/abi/internal.h"
#include "server/replay/recorder.h"
#include "server/session/video_codecs.h"

enum { FILE_NAME_MAX = 255 };

/* ---- events about connections ---- */

static void *peer_create(void *context, int fd)
{
    SpiceServer *s = context;
    if (s->core->base.minor_version < 3 || !s->core->channel_event)
        return NULL;
    SpiceChannelEventInfo *info = calloc(1, sizeof(*info));
    if (!info)
        return NULL;
    info->flags = SPICE_CHANNEL_EVENT_FLAG_ADDR_EXT;
    info->llen_ext = sizeof(info->laddr_ext);
    info->plen_ext = sizeof(info->paddr_ext);
    if (getsockname(fd, (struct sockaddr *)&info->laddr_ext, &info->llen_ext))
        info->llen_ext = 0;
    if (getpeername(fd, (struct sockaddr *)&info->paddr_ext, &info->plen_ext))
        info->plen_ext = 0;
    memcpy(&info->laddr, &info->laddr_ext, sizeof(info->laddr));
    memcpy(&info->paddr, &info->paddr_ext, sizeof(info->paddr));
    info->llen = info->llen_ext < sizeof(info->laddr) ? info->llen_ext : sizeof(info->laddr);
    info->plen = info->plen_ext < sizeof(info->paddr) ? info->plen_ext : sizeof(info->paddr);
    return info;
}

static void peer_event(void *context, void *peer, enum sm_peer_event event,
                       const struct sm_peer_info *known)
{
    SpiceServer *s = context;
    SpiceChannelEventInfo *info = peer;
    info->connection_id = (int)known->connection_id;
    info->type = known->channel_type;
    info->id = known->channel_id;
    if (known->is_secure)
        info->flags |= SPICE_CHANNEL_EVENT_FLAG_TLS;
    s->core->channel_event((int)event, info);
}

static void peer_destroy(void *context, void *peer)
{
    (void)context;
    free(peer);
}

/* ---- life ---- */

/* Without the file the machine runs all the same. */
static void start_recording(SpiceServer *s)
{
    const char *path = getenv("SPICE_WORKER_RECORD_FILENAME");
    if (!path || !*path ||
        sm_recorder_create(&s->recorder, path, getenv("SPICE_WORKER_RECORD_FILTER"), &s->log))
        return;
    sm_server_set_recorder(s->server, s->recorder);
}

SpiceServer *spice_server_new(void)
{
    SpiceServer *s = calloc(1, sizeof(*s));
    if (!s)
        return NULL;
    s->log = sm_server_log();
    s->playback_compression = true;
    if (sm_server_create(&s->server, &s->log)) {
        free(s);
        return NULL;
    }
    start_recording(s);
    return s;
}

int spice_server_init(SpiceServer *s, SpiceCoreInterface *core)
{
    static const struct sm_server_host_ops host = {
        .peer_create = peer_create,
        .peer_event = peer_event,
        .peer_destroy = peer_destroy,
    };
    if (core->base.major_version != SPICE_INTERFACE_CORE_MAJOR) {
        sm_say(&s->log, SM_LOG_WARNING, "bad core interface version");
        return -1;
    }
    if (sm_server_init(s->server, sm_core_interface_loop(core), &host, s))
        return -1; /* also if it runs already, with the core it has */
    s->core = core;
    return 0;
}

void spice_server_destroy(SpiceServer *s)
{
    if (!s)
        return;
    sm_server_stop(s->server);
    sm_abi_forget_qxls(s);
    sm_abi_forget_char_devices(s);
    sm_abi_forget_sound(s);
    sm_abi_forget_inputs(s);
    sm_server_destroy(s->server);
    sm_recorder_destroy(s->recorder);
    free(s->video_codecs);
    free(s);
}

spice_compat_version_t spice_get_current_compat_version(void)
{
    return SPICE_COMPAT_VERSION_CURRENT;
}

int spice_server_set_compat_version(SpiceServer *s, spice_compat_version_t version)
{
    (void)s;
    return version == SPICE_COMPAT_VERSION_CURRENT ? 0 : -1;
}

/* ---- ports ---- */

int spice_server_set_port(SpiceServer *s, int port)
{
    if (port < 0 || port > UINT16_MAX)
        return -1;
    sm_server_set_port(s->server, port);
    return 0;
}

void spice_server_set_addr(SpiceServer *s, const char *addr, int flags)
{
    char text[FILE_NAME_MAX + 1] = "";
    if (addr)
        memccpy(text, addr, '\0', FILE_NAME_MAX);
    sm_server_set_address(s->server, text);
    switch (flags) {
    case 0:
        break;
    case SPICE_ADDR_FLAG_IPV4_ONLY:
        sm_server_set_family(s->server, SM_SOCKET_IPV4, false);
        break;
    case SPICE_ADDR_FLAG_IPV6_ONLY:
        sm_server_set_family(s->server, SM_SOCKET_IPV6, false);
        break;
    case SPICE_ADDR_FLAG_UNIX_ONLY:
        sm_server_set_family(s->server, SM_SOCKET_ANY_FAMILY, true);
        break;
    default:
        sm_say(&s->log, SM_LOG_WARNING, "unknown address flag: 0x%X", (unsigned)flags);
        break;
    }
}

int spice_server_set_listen_socket_fd(SpiceServer *s, int listen_fd)
{
    sm_server_set_listen_fd(s->server, listen_fd);
    return 0;
}

int spice_server_set_tls(SpiceServer *s, int port, const char *ca_cert_file, const char *certs_file,
                         const char *private_key_file, const char *key_passwd,
                         const char *dh_key_file, const char *ciphersuite)
{
    if (port <= 0 || port > UINT16_MAX || !ca_cert_file || !certs_file || !private_key_file)
        return -1;
    return sm_server_set_tls(s->server, port, ca_cert_file, certs_file, private_key_file,
                             key_passwd, dh_key_file, ciphersuite)
               ? -1
               : 0;
}

static int add_client(SpiceServer *s, int socket, bool is_tls, int skip_auth)
{
    enum sm_status status = sm_server_add_client(s->server, socket, is_tls, skip_auth != 0);
    if (!status)
        return 0;
    sm_say(&s->log, SM_LOG_WARNING, "the socket of a client cannot be served: %s%s",
           sm_status_name(status),
           status == SM_ERR_STATE ? " (the server is not initialised, or has no TLS port)" : "");
    return -1;
}

int spice_server_add_client(SpiceServer *s, int socket, int skip_auth)
{
    return add_client(s, socket, false, skip_auth);
}

int spice_server_add_ssl_client(SpiceServer *s, int socket, int skip_auth)
{
    return add_client(s, socket, true, skip_auth);
}

/* ---- who gets in ---- */

int spice_server_set_noauth(SpiceServer *s)
{
    sm_server_set_noauth(s->server);
    return 0;
}

int spice_server_set_sasl(SpiceServer *s, int enabled)
{
    enum sm_status status = sm_server_set_sasl(s->server, enabled != 0);
    if (status == SM_ERR_STATE)
        sm_say(&s->log, SM_LOG_WARNING, "this build has no SASL: the server stays without it");
    return status == SM_OK ? 0 : -1;
}

int spice_server_set_sasl_appname(SpiceServer *s, const char *appname)
{
    return sm_server_set_sasl_application(s->server, appname) == SM_OK ? 0 : -1;
}

int spice_server_set_ticket(SpiceServer *s, const char *passwd, int lifetime, int fail_if_connected,
                            int disconnect_if_connected)
{
    return sm_server_set_ticket(s->server, passwd, lifetime, fail_if_connected != 0,
                                disconnect_if_connected != 0)
               ? -1
               : 0;
}

int spice_server_set_channel_security(SpiceServer *s, const char *channel, int security)
{
    static const struct {
        const char *name;
        uint8_t type;
    } channels[] = {
        {"main", SM_CHANNEL_MAIN},         {"display", SM_CHANNEL_DISPLAY},
        {"inputs", SM_CHANNEL_INPUTS},     {"cursor", SM_CHANNEL_CURSOR},
        {"playback", SM_CHANNEL_PLAYBACK}, {"record", SM_CHANNEL_RECORD},
        {"tunnel", SM_CHANNEL_TUNNEL},     {"smartcard", SM_CHANNEL_SMARTCARD},
        {"usbredir", SM_CHANNEL_USBREDIR}, {"port", SM_CHANNEL_PORT},
        {"webdav", SM_CHANNEL_WEBDAV},
    };
    if (!channel) {
        sm_server_set_default_security(s->server, (unsigned)security);
        return 0;
    }
    for (size_t i = 0; i < sizeof(channels) / sizeof(channels[0]); i++) {
        if (strcmp(channels[i].name, channel) != 0)
            continue;
        sm_server_set_channel_security(s->server, channels[i].type, (unsigned)security);
        return 0;
    }
    return -1;
}

int spice_server_set_exit_on_disconnect(SpiceServer *s, int flag)
{
    sm_server_set_exit_on_disconnect(s->server, flag != 0);
    return 0;
}

int spice_server_get_num_clients(SpiceServer *s)
{
    return s ? (int)sm_server_client_count(s->server) : 0;
}

int spice_server_get_sock_info(SpiceServer *s, struct sockaddr *sa, socklen_t *salen)
{
    (void)s;
    (void)sa;
    (void)salen;
    return -1;
}

int spice_server_get_peer_info(SpiceServer *s, struct sockaddr *sa, socklen_t *salen)
{
    return spice_server_get_sock_info(s, sa, salen);
}

/* ---- the machine ---- */

void spice_server_vm_start(SpiceServer *s)
{
    sm_server_vm_start(s->server);
}

void spice_server_vm_stop(SpiceServer *s)
{
    sm_server_vm_stop(s->server);
}

int spice_server_is_server_mouse(SpiceServer *s)
{
    return sm_server_is_server_mouse(s->server);
}

void spice_server_set_name(SpiceServer *s, const char *name)
{
    sm_server_set_name(s->server, name);
}

void spice_server_set_uuid(SpiceServer *s, const uint8_t uuid[16])
{
    sm_server_set_uuid(s->server, uuid);
}

/* ---- pictures and sound ---- */

int spice_server_set_image_compression(SpiceServer *s, SpiceImageCompression comp)
{
    if (comp < SPICE_IMAGE_COMPRESSION_OFF || comp > SPICE_IMAGE_COMPRESSION_LZ4)
        sm_say(&s->log, SM_LOG_WARNING, "invalid image compression %u: nothing is changed",
               (unsigned)comp);
    else
        sm_server_set_image_compression(s->server, (uint8_t)comp);
    return 0;
}

SpiceImageCompression spice_server_get_image_compression(SpiceServer *s)
{
    return (SpiceImageCompression)sm_server_image_compression(s->server);
}

static bool is_wan_compression(spice_wan_compression_t comp)
{
    return comp >= SPICE_WAN_COMPRESSION_AUTO && comp <= SPICE_WAN_COMPRESSION_NEVER;
}

int spice_server_set_jpeg_compression(SpiceServer *s, spice_wan_compression_t comp)
{
    if (!is_wan_compression(comp))
        return -1;
    sm_server_set_jpeg(s->server, (enum sm_wan_compression)comp);
    return 0;
}

int spice_server_set_zlib_glz_compression(SpiceServer *s, spice_wan_compression_t comp)
{
    if (!is_wan_compression(comp))
        return -1;
    sm_server_set_zlib_glz(s->server, (enum sm_wan_compression)comp);
    return 0;
}

int spice_server_add_renderer(SpiceServer *s, const char *name)
{
    if (strcmp(name, "sw") != 0 || s->renderer_count >= 2)
        return -1;
    s->renderer_count++;
    return 0;
}

int spice_server_set_streaming_video(SpiceServer *s, int value)
{
    if (value < SPICE_STREAM_VIDEO_OFF || value > SPICE_STREAM_VIDEO_FILTER)
        return -1;
    sm_server_set_streaming(s->server, (uint8_t)value);
    return 0;
}

int spice_server_set_video_codecs(SpiceServer *s, const char *video_codecs)
{
    if (!video_codecs) {
        sm_log_at(&s->log, SM_LOG_ERROR, "%s: assertion 'codecs != nullptr' failed", __func__);
        return -1;
    }
    char *list = sm_video_codecs_parse(video_codecs, &s->log);
    if (!list)
        return -1;
    free(s->video_codecs);
    s->video_codecs = list;
    struct sm_video_list codecs = sm_video_codecs_of(list);
    sm_server_set_video_codecs(s->server, &codecs);
    return 0;
}

const char *spice_server_get_video_codecs(SpiceServer *s)
{
    return s->video_codecs ? strdup(s->video_codecs) : sm_video_codecs_parse("auto", &s->log);
}

void spice_server_free_video_codecs(SpiceServer *s, const char *video_codecs)
{
    (void)s;
    free((void *)(uintptr_t)video_codecs);
}

int spice_server_set_playback_compression(SpiceServer *s, int enable)
{
    s->playback_compression = enable != 0;
    sm_abi_playback_compression_changed(s);
    return 0;
}

/* ---- the agent ---- */

int spice_server_set_agent_mouse(SpiceServer *s, int enable)
{
    sm_server_set_agent_mouse(s->server, enable != 0);
    return 0;
}

int spice_server_set_agent_copypaste(SpiceServer *s, int enable)
{
    sm_server_set_agent_copypaste(s->server, enable != 0);
    return 0;
}

int spice_server_set_agent_file_xfer(SpiceServer *s, int enable)
{
    sm_server_set_agent_file_transfer(s->server, enable != 0);
    return 0;
}
