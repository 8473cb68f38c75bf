/* SPDX-License-Identifier: MIT */
/*
 * Ports: streams of bytes between programs here and devices of the machine, each known by a name: a
 * serial console, the hypervisor's monitor, or whatever its owner has made. They are opened if
 * sm_session_set_channels() has SM_CHANNEL_KIND_PORT. Nothing here waits.
 */
#ifndef SUMAC_PORT_H
#define SUMAC_PORT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "sumac/session.h"
#include "sumac/status.h"

#ifdef __cplusplus
extern "C" {
#endif

enum {
    SM_PORT_NAME_SIZE = 128, /* bytes with the NUL; longer names are cut */
    SM_PORT_BREAK = 2,       /* see sm_session_send_port_event(): a serial line's break */
};

/** A port whose server has told its name. */
struct sm_port {
    uint8_t id; /* of its channel */
    char name[SM_PORT_NAME_SIZE];
    bool is_open;    /* the machine's side is */
    bool is_gone;    /* the connection is over: what came before can still be read */
    size_t readable; /* bytes that wait to be read */
    size_t writable; /* bytes that can be written at once */
    size_t unsent;   /* bytes that were written and have not left this machine */
    uint32_t breaks; /* how many breaks the machine has sent so far */
};

/**
 * The ports that are known so far. SM_EVENT_PORT says that something about one of them has changed:
 * it was found, its other side came or went, bytes came, there is room again for writing, or all
 * has left.
 *
 * @param out  receives at most `room`; may be NULL if `room` is 0
 * @return how many there are, which may be more than `room`
 */
SM_API size_t sm_session_get_ports(struct sm_session *session, struct sm_port *out, size_t room);

/** Finds the port of that name; false if there is none, or not yet. */
SM_API bool sm_session_find_port(struct sm_session *session, const char *name, struct sm_port *out);

/**
 * Takes bytes that came. What is not taken holds the machine back when 256 KiB wait.
 *
 * @return how many were copied to `out`, at most `size`; 0 if none wait or there is no such port
 */
SM_API size_t sm_session_read_port(struct sm_session *session, uint8_t id, void *out, size_t size);

/**
 * Sends bytes, as many as there is room for.
 *
 * @param taken  receives how many; may be fewer than `size`, and then SM_EVENT_PORT follows
 * @return SM_OK, also if nothing was taken; SM_ERR_STATE if there is no such port, or it is gone,
 *         or the machine's side is not open: bytes would be lost; SM_ERR_NOMEM
 */
SM_API SM_NODISCARD enum sm_status sm_session_write_port(struct sm_session *session, uint8_t id,
                                                         const void *data, size_t size,
                                                         size_t *taken);

/**
 * Tells the device of the machine something that is no byte.
 *
 * @param event  SM_PORT_BREAK, or a number above it that the device knows
 * @return SM_OK; SM_ERR_STATE as above; SM_ERR_LIMIT for a number below SM_PORT_BREAK;
 *         SM_ERR_NOMEM
 */
SM_API SM_NODISCARD enum sm_status sm_session_send_port_event(struct sm_session *session,
                                                              uint8_t id, uint8_t event);

#ifdef __cplusplus
}
#endif

#endif
