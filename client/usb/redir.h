/* SPDX-License-Identifier: MIT */
/*
 * Packets of the usbredir protocol (version 0.7): what a guest sends on a usbredir channel, taken
 * apart, and what a device answers, put together. Sans I/O. Source: docs/usb.md, "On the wire", and
 * the protocol's own specification (usbredirproto).
 */
#ifndef SM_CLIENT_USB_REDIR_H
#define SM_CLIENT_USB_REDIR_H

#include <stdbool.h>
#include <stdint.h>

#include "core/base/writer.h"
#include "sumac/bytes.h"
#include "sumac/status.h"

enum sm_redir_type {
    SM_REDIR_HELLO = 0,
    SM_REDIR_DEVICE_CONNECT = 1,
    SM_REDIR_DEVICE_DISCONNECT = 2,
    SM_REDIR_RESET = 3,
    SM_REDIR_INTERFACE_INFO = 4,
    SM_REDIR_EP_INFO = 5,
    SM_REDIR_SET_CONFIGURATION = 6,
    SM_REDIR_GET_CONFIGURATION = 7,
    SM_REDIR_CONFIGURATION_STATUS = 8,
    SM_REDIR_SET_ALT_SETTING = 9,
    SM_REDIR_GET_ALT_SETTING = 10,
    SM_REDIR_ALT_SETTING_STATUS = 11,
    SM_REDIR_START_ISO_STREAM = 12,
    SM_REDIR_STOP_ISO_STREAM = 13,
    SM_REDIR_ISO_STREAM_STATUS = 14,
    SM_REDIR_START_INTERRUPT_RECEIVING = 15,
    SM_REDIR_STOP_INTERRUPT_RECEIVING = 16,
    SM_REDIR_INTERRUPT_RECEIVING_STATUS = 17,
    SM_REDIR_ALLOC_BULK_STREAMS = 18,
    SM_REDIR_FREE_BULK_STREAMS = 19,
    SM_REDIR_BULK_STREAMS_STATUS = 20,
    SM_REDIR_CANCEL_DATA_PACKET = 21,
    SM_REDIR_FILTER_REJECT = 22,
    SM_REDIR_FILTER_FILTER = 23,
    SM_REDIR_DEVICE_DISCONNECT_ACK = 24,
    SM_REDIR_START_BULK_RECEIVING = 25,
    SM_REDIR_STOP_BULK_RECEIVING = 26,
    SM_REDIR_BULK_RECEIVING_STATUS = 27,
    SM_REDIR_CONTROL_PACKET = 100,
    SM_REDIR_BULK_PACKET = 101,
    SM_REDIR_ISO_PACKET = 102,
    SM_REDIR_INTERRUPT_PACKET = 103,
};

enum sm_redir_cap {
    SM_REDIR_CAP_BULK_STREAMS = 0,
    SM_REDIR_CAP_CONNECT_DEVICE_VERSION = 1,
    SM_REDIR_CAP_FILTER = 2,
    SM_REDIR_CAP_DEVICE_DISCONNECT_ACK = 3,
    SM_REDIR_CAP_EP_INFO_MAX_PACKET_SIZE = 4,
    SM_REDIR_CAP_64BITS_IDS = 5,
    SM_REDIR_CAP_32BITS_BULK_LENGTH = 6,
    SM_REDIR_CAP_BULK_RECEIVING = 7,
};

enum sm_redir_status {
    SM_REDIR_SUCCESS = 0,
    SM_REDIR_CANCELLED = 1,
    SM_REDIR_INVAL = 2,
    SM_REDIR_IOERROR = 3,
    SM_REDIR_STALL = 4,
};

enum {
    SM_REDIR_SPEED_HIGH = 2,
    SM_REDIR_TYPE_CONTROL = 0, /* of an endpoint, as in USB's own descriptors */
    SM_REDIR_TYPE_BULK = 2,
    SM_REDIR_TYPE_INVALID = 255,
    SM_REDIR_ENDPOINTS = 32,
    SM_REDIR_HELLO_SIZE = 80,
    SM_REDIR_CONTROL_SIZE = 10,   /* of the fixed part of a control packet */
    SM_REDIR_BODY_MAX = 64 << 10, /* bytes of a packet that is kept; longer ones are told cut */
};

/** One packet of the peer. */
struct sm_redir_packet {
    uint32_t type; /* enum sm_redir_type, or another number */
    uint64_t id;
    struct sm_bytes body; /* borrowed until the next call */
    bool is_cut;          /* it was longer than SM_REDIR_BODY_MAX: the body is not there */
};

/** What comes, on its way to packets. Zeroed, it is ready; finish with sm_redir_reader_finish(). */
struct sm_redir_reader {
    uint32_t our_caps; /* what we told the peer; masks of 1u << enum sm_redir_cap */
    uint32_t caps;     /* of the peer, after its hello */
    bool has_hello;
    uint8_t header[16];
    uint32_t header_size; /* bytes of it that are there */
    uint32_t type, length;
    uint64_t id;
    uint32_t left; /* bytes of the body still to come */
    uint8_t *body; /* owned */
    uint32_t body_size, body_capacity;
    bool is_in_body;
};

void sm_redir_reader_finish(struct sm_redir_reader *reader);

/**
 * Takes bytes from `in` until a packet is whole. The peer's hello is understood here, and told.
 *
 * @return SM_OK with `packet` filled; SM_AGAIN when `in` is empty; SM_ERR_PROTOCOL for a hello that
 *         makes no sense or comes twice; SM_ERR_NOMEM
 */
SM_NODISCARD enum sm_status sm_redir_next(struct sm_redir_reader *reader, struct sm_bytes *in,
                                          struct sm_redir_packet *packet);

/** True between packets. */
static inline bool sm_redir_is_between(const struct sm_redir_reader *reader)
{
    return !reader->is_in_body && reader->header_size == 0;
}

/** Both ends have `cap`. */
static inline bool sm_redir_has(const struct sm_redir_reader *reader, enum sm_redir_cap cap)
{
    return reader->our_caps & reader->caps & 1u << cap;
}

/** Starts a packet of ours with a body of `length` bytes, which the caller appends. */
void sm_redir_put_header(struct sm_writer *w, const struct sm_redir_reader *reader, uint32_t type,
                         uint32_t length, uint64_t id);

/** Our hello; `caps` are remembered in the reader as ours. */
void sm_redir_put_hello(struct sm_writer *w, struct sm_redir_reader *reader, uint32_t caps);

/** A control packet's fixed part. */
struct sm_redir_control {
    uint8_t endpoint, request, request_type, status;
    uint16_t value, index, length;
};

/** Takes the fixed part; what is left in `body` are the data. SM_ERR_PROTOCOL if it is too short.
 */
SM_NODISCARD enum sm_status sm_redir_control_parse(struct sm_redir_control *out,
                                                   struct sm_bytes *body);
void sm_redir_put_control(struct sm_writer *w, const struct sm_redir_reader *reader, uint64_t id,
                          const struct sm_redir_control *control, struct sm_bytes data);

/** Likewise a bulk packet's. */
struct sm_redir_bulk {
    uint8_t endpoint, status;
    uint32_t length, stream_id;
};

SM_NODISCARD enum sm_status sm_redir_bulk_parse(struct sm_redir_bulk *out,
                                                const struct sm_redir_reader *reader,
                                                struct sm_bytes *body);
/** The data, `data_size` bytes, are appended by the caller. */
void sm_redir_put_bulk(struct sm_writer *w, const struct sm_redir_reader *reader, uint64_t id,
                       const struct sm_redir_bulk *bulk, uint32_t data_size);

#endif
