/* SPDX-License-Identifier: MIT */
/*
 * A usbredir channel: the guest's packets go to a CD drive of ours or to a physical device's host,
 * one at a time. The physical host sees all but what is meant for a CD, so that both may follow
 * each other on one channel with a single exchange of hellos.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "client/channel_kinds.h"
#include "client/session_private.h"
#include "client/usb/cd_drive.h"
#include "client/usb/manager.h"
#include "client/usb/redir.h"
#include "client/vmc_channel.h"
#include "core/base/reader.h"

enum {
    PIECE_BYTES = 256 << 10,
    OUT_MAX_BYTES = 4 << 20,
    OUT_LOW_BYTES = 512 << 10, /* a CD answers no more while so much waits */
    HELLO_CAPS_AT = 12 + 64,   /* in a hello with its header */
    /* What a channel without libusbredirhost can do. */
    OUR_CAPS = 1 << SM_REDIR_CAP_CONNECT_DEVICE_VERSION | 1 << SM_REDIR_CAP_FILTER |
               1 << SM_REDIR_CAP_DEVICE_DISCONNECT_ACK | 1 << SM_REDIR_CAP_EP_INFO_MAX_PACKET_SIZE |
               1 << SM_REDIR_CAP_64BITS_IDS | 1 << SM_REDIR_CAP_32BITS_BULK_LENGTH |
               1 << SM_REDIR_CAP_BULK_RECEIVING,
};

_Static_assert(OUT_MAX_BYTES > OUT_LOW_BYTES + SM_CD_OUT_MAX, "an answer always has room");

struct usb_channel {
    struct sm_client_vmc vmc; /* first: see there */
    struct sm_redir_reader reader;
    bool is_inside, is_of_cd; /* a packet has come in part; and whose it is */
    struct sm_writer out;     /* what waits to be sent */
    struct sm_usb_host *host; /* owned; NULL without libusb */
    bool has_said_hello, is_ready;
    uint32_t device;       /* which is attached; 0: none */
    bool is_leaving;       /* the guest's acknowledgement is awaited */
    struct sm_usb_why why; /* told when it has left */
    bool has_why;
    struct sm_cd_drive *drive; /* owned: it is a CD */
    int fd;                    /* owned: its image */
    struct sm_usb_filter guest_filter;
};

static struct sm_client_usb *manager_of(struct sm_client_channel *channel)
{
    return &channel->session->usb;
}

/* ---- To the guest ---- */

static void flush(struct sm_client_channel *channel)
{
    struct usb_channel *usb = channel->self;
    size_t sent = 0;
    while (sent < usb->out.size) {
        struct sm_bytes piece = sm_bytes_behind(sm_writer_bytes(&usb->out), sent);
        piece.size = sm_client_vmc_piece(channel, piece.size, PIECE_BYTES);
        if (piece.size == 0)
            break;
        if (sm_client_vmc_send(channel, piece, true) != SM_OK)
            break;
        sent += piece.size;
    }
    if (sent == usb->out.size) {
        sm_writer_reset(&usb->out);
    } else if (sent > 0) {
        memmove(usb->out.data, usb->out.data + sent, usb->out.size - sent);
        usb->out.size -= sent;
    }
    sm_client_channel_kick(channel);
}

/* What the guest wants of the disc, as much as the line takes. */
static void run_drive(struct sm_client_channel *channel)
{
    struct usb_channel *usb = channel->self;
    flush(channel);
    while (usb->drive && !usb->is_leaving && usb->out.size < OUT_LOW_BYTES &&
           sm_cd_drive_run(usb->drive, &usb->reader, &usb->out))
        flush(channel);
}

/* ---- Leaving ---- */

static void finish_leaving(struct sm_client_channel *channel)
{
    struct usb_channel *usb = channel->self;
    sm_cd_drive_destroy(usb->drive);
    usb->drive = NULL;
    if (usb->fd >= 0)
        close(usb->fd);
    usb->fd = -1;
    usb->device = 0;
    usb->is_leaving = false;
    struct sm_usb_why why = usb->why;
    sm_client_usb_returned(manager_of(channel), channel, usb->has_why ? &why : NULL);
}

/* Tells the guest that its device is unplugged, and waits until it knows. */
static void leave(struct sm_client_channel *channel, const char *reason, bool must_tell)
{
    struct usb_channel *usb = channel->self;
    if (!usb->device || usb->is_leaving)
        return;
    usb->has_why = reason != NULL;
    usb->why = (struct sm_usb_why){.cure = ""};
    if (reason)
        strncpy(usb->why.reason, reason, sizeof(usb->why.reason) - 1);
    if (usb->drive && must_tell)
        sm_redir_put_header(&usb->out, &usb->reader, SM_REDIR_DEVICE_DISCONNECT, 0, 0);
    else if (must_tell)
        sm_usb_host_detach(usb->host);
    flush(channel);
    usb->is_leaving = true;
    if (!sm_redir_has(&usb->reader, SM_REDIR_CAP_DEVICE_DISCONNECT_ACK))
        finish_leaving(channel);
}

/* ---- Coming ---- */

static bool read_image(void *opaque, uint64_t offset, uint8_t *out, size_t size)
{
    const struct usb_channel *usb = opaque;
    while (size > 0) {
        ssize_t got = pread(usb->fd, out, size, (off_t)offset);
        if (got < 0 && errno == EINTR)
            continue;
        if (got <= 0) /* the file has become shorter, or cannot be read */
            return false;
        out += got;
        offset += (uint64_t)got;
        size -= (size_t)got;
    }
    return true;
}

static enum sm_status attach_cd(struct sm_client_channel *channel, const struct sm_usb_grant *grant)
{
    struct usb_channel *usb = channel->self;
    struct sm_cd_image image = {.bytes = grant->bytes, .read = read_image, .opaque = usb};
    usb->fd = grant->fd;
    enum sm_status status = sm_cd_drive_create(&usb->drive, &image, usb->device);
    if (status != SM_OK)
        return status;
    sm_cd_drive_connect(usb->drive, &usb->reader, &usb->out);
    flush(channel);
    return SM_OK;
}

static void fail_attach(struct sm_client_channel *channel, const struct sm_usb_why *why)
{
    struct usb_channel *usb = channel->self;
    usb->why = *why;
    usb->has_why = true;
    finish_leaving(channel);
}

void sm_usb_channel_attach(struct sm_client_channel *channel, const void *argument)
{
    struct usb_channel *usb = channel->self;
    struct sm_usb_grant grant = {.fd = -1};
    struct sm_usb_why why = {.reason = "the device was unplugged"};
    memcpy(&usb->device, argument, sizeof(usb->device));
    if (!sm_client_usb_grant(manager_of(channel), channel, usb->device, &grant)) {
        fail_attach(channel, &why);
        return;
    }
    enum sm_status status = SM_ERR_STATE;
    if (!sm_usb_filter_allows(&usb->guest_filter, &grant.identity, true)) {
        why = (struct sm_usb_why){.reason = "the machine's host does not allow this device",
                                  .cure = "ask who runs the host: the filter of usb-redir"};
        if (grant.fd >= 0)
            close(grant.fd);
    } else if (grant.is_cd) {
        status = attach_cd(channel, &grant);
        if (status != SM_OK)
            why = (struct sm_usb_why){.reason = "out of memory"};
    } else if (!usb->host) {
        why = (struct sm_usb_why){.reason = "this computer, or this build, has no USB"};
    } else {
        status = sm_usb_host_attach(usb->host, grant.bus, grant.address, &why);
    }
    if (status != SM_OK)
        fail_attach(channel, &why);
    else
        sm_client_usb_taken(manager_of(channel), usb->device);
}

void sm_usb_channel_detach(struct sm_client_channel *channel, const void *argument)
{
    struct usb_channel *usb = channel->self;
    uint32_t device;
    memcpy(&device, argument, sizeof(device));
    if (usb->device == device)
        leave(channel, NULL, true);
}

/* ---- What libusbredirhost wants ---- */

static bool host_write(void *opaque, struct sm_bytes packet)
{
    struct sm_client_channel *channel = opaque;
    struct usb_channel *usb = channel->self;
    struct sm_reader r = sm_reader(packet);
    uint32_t type = sm_get_le32(&r);
    if (!usb->has_said_hello && type == SM_REDIR_HELLO) {
        usb->has_said_hello = true;
        r = sm_reader(sm_bytes_behind(packet, HELLO_CAPS_AT));
        usb->reader.our_caps = sm_get_le32(&r);
    }
    if (usb->out.size > 0 || sm_client_vmc_is_full(channel)) /* in order: what waits goes first */
        return false;
    bool may_pack = type != SM_REDIR_ISO_PACKET;
    if (sm_client_vmc_send(channel, packet, may_pack) != SM_OK)
        return false;
    sm_client_channel_kick(channel);
    return true;
}

static size_t host_unsent(void *opaque)
{
    struct sm_client_channel *channel = opaque;
    const struct usb_channel *usb = channel->self;
    return usb->out.size + sm_channel_pending_size(sm_spicevmc_client_channel(usb->vmc.client));
}

static void host_lost(void *opaque, const char *reason)
{
    struct sm_client_channel *channel = opaque;
    /* The library has told the guest, whose acknowledgement comes as for any other. */
    leave(channel, reason, false);
}

static void host_log(void *opaque, bool is_error, const char *text)
{
    const struct sm_client_channel *channel = opaque;
    sm_log_at(&channel->session->log, is_error ? SM_LOG_WARNING : SM_LOG_DEBUG,
              "usbredir channel %u: %s", channel->id, text);
}

static const struct sm_usb_host_callbacks HOST_CALLBACKS = {
    .write = host_write,
    .unsent = host_unsent,
    .lost = host_lost,
    .log = host_log,
};

/* ---- From the guest ---- */

/* A text with a NUL behind it; one that makes no sense allows everything, as none does. */
static void take_filter(struct sm_client_channel *channel, struct sm_bytes text)
{
    struct usb_channel *usb = channel->self;
    struct sm_usb_filter filter;
    if (text.size > 0 && text.data[text.size - 1] == 0)
        text.size--;
    if (sm_usb_filter_parse(&filter, text) != SM_OK) {
        host_log(channel, true, "the host's filter makes no sense");
        return;
    }
    sm_usb_filter_finish(&usb->guest_filter);
    usb->guest_filter = filter;
}

static void take_packet(struct sm_client_channel *channel, const struct sm_redir_packet *packet)
{
    struct usb_channel *usb = channel->self;
    switch (packet->type) {
    case SM_REDIR_HELLO:
        usb->is_ready = true;
        sm_client_usb_ready(manager_of(channel), channel);
        return;
    case SM_REDIR_FILTER_FILTER:
        if (!packet->is_cut)
            take_filter(channel, packet->body);
        return;
    case SM_REDIR_DEVICE_DISCONNECT_ACK:
        if (usb->is_leaving)
            finish_leaving(channel);
        return;
    case SM_REDIR_FILTER_REJECT:
        if (usb->drive)
            leave(channel, "the machine's host does not allow CDs", true);
        return;
    default:
        break;
    }
    if (!usb->drive || usb->is_leaving)
        return;
    if (sm_cd_drive_packet(usb->drive, &usb->reader, packet, &usb->out) != SM_OK)
        leave(channel, "the machine's USB driver sent nonsense", true);
    run_drive(channel);
    if (usb->drive && sm_cd_drive_is_ejected(usb->drive))
        leave(channel, "the machine has ejected it", true);
}

/* The part of `in` up to the end of a packet goes to the physical host, unless it is a CD's: whose
 * a packet is, is so from its first byte to its last. */
static enum sm_status on_data(struct sm_client_channel *channel, struct sm_bytes in)
{
    struct usb_channel *usb = channel->self;
    struct sm_redir_packet packet;
    while (in.size > 0) {
        struct sm_bytes before = in;
        if (!usb->is_inside)
            usb->is_of_cd = usb->drive != NULL;
        enum sm_status status = sm_redir_next(&usb->reader, &in, &packet);
        if (status < 0)
            return status;
        before.size -= in.size;
        usb->is_inside = status != SM_OK;
        if (usb->host && !usb->is_of_cd)
            sm_usb_host_receive(usb->host, before);
        if (status == SM_OK)
            take_packet(channel, &packet);
    }
    return SM_OK;
}

static void room(struct sm_client_channel *channel)
{
    struct usb_channel *usb = channel->self;
    run_drive(channel);
    if (usb->host && usb->out.size == 0)
        sm_usb_host_flush(usb->host);
    if (usb->out.size == 0)
        sm_client_vmc_starved(channel);
}

static const struct sm_client_vmc_ops VMC_OPS = {
    .data = on_data,
    .room = room,
};

/* ---- The table ---- */

static enum sm_status open_usb(struct sm_client_channel *channel,
                               const struct sm_link_client_event *link, struct sm_machine *machine)
{
    struct usb_channel *usb = calloc(1, sizeof(*usb));
    if (!usb)
        return SM_ERR_NOMEM;
    usb->fd = -1;
    sm_writer_init(&usb->out, OUT_MAX_BYTES);
    enum sm_status status = sm_client_vmc_open(&usb->vmc, &VMC_OPS, channel, link, machine);
    if (status != SM_OK) {
        free(usb);
        return status;
    }
    if (sm_usb_host_create(&usb->host, sm_epoll_loop_base(channel->loop), &HOST_CALLBACKS,
                           channel) != SM_OK)
        usb->host = NULL;
    if (!usb->has_said_hello)
        sm_redir_put_hello(&usb->out, &usb->reader, OUR_CAPS);
    flush(channel);
    return SM_OK;
}

static void closed(struct sm_client_channel *channel)
{
    struct usb_channel *usb = channel->self;
    if (!usb)
        return;
    sm_usb_host_destroy(usb->host); /* on its thread, while the loop is there */
    usb->host = NULL;
    sm_client_usb_gone(manager_of(channel), channel);
}

static void destroy(struct sm_client_channel *channel)
{
    struct usb_channel *usb = channel->self;
    if (!usb)
        return;
    sm_cd_drive_destroy(usb->drive);
    if (usb->fd >= 0)
        close(usb->fd);
    sm_redir_reader_finish(&usb->reader);
    sm_writer_finish(&usb->out);
    sm_usb_filter_finish(&usb->guest_filter);
    sm_client_vmc_finish(&usb->vmc);
    free(usb);
}

const struct sm_client_channel_ops sm_usb_channel_ops = {
    .caps = sm_client_vmc_caps,
    .open = open_usb,
    .activity = sm_client_vmc_activity,
    .base = sm_client_vmc_base,
    .closed = closed,
    .destroy = destroy,
};
