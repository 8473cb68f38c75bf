/* SPDX-License-Identifier: MIT */
/* What tests of the client library do with a session, and what their servers draw. */
#ifndef SM_TESTS_CLIENT_SESSIONS_H
#define SM_TESTS_CLIENT_SESSIONS_H

#include "sumac/client.h"
#include "tests/client/fake_server.h"
#include "tests/support/check.h"

enum {
    PATIENCE_MS = SM_TEST_PATIENCE_S * 1000, /* for what must happen */
    RED = 0xff0000,
    GREEN = 0x00ff00,
    BLUE = 0x0000ff,
    SIDE = 16,
};

/* ---- Sessions: what does not succeed ends the test ---- */

struct sm_session *create(const char *uri);
struct sm_session *connect_to(const struct fake_server *server);
/** Takes events until one of `kind`. */
struct sm_event await_event(struct sm_session *session, enum sm_event_kind kind);
struct sm_event await_channel(struct sm_session *session, enum sm_event_kind kind,
                              enum sm_channel_kind channel);
/** The pixel at (x, y) of a display; UINT32_MAX if there is none. */
uint32_t pixel(struct sm_session *session, uint8_t display, uint32_t x, uint32_t y);
void await_pixel(struct sm_session *session, uint8_t display, uint32_t expected);
/** The last event comes, for a reason of `kind`. */
void check_closed(struct sm_session *session, enum sm_error_kind kind);

/* ---- Servers: a surface of SIDE pixels each way ---- */

extern const struct sm_rect WHOLE;
void send_surface(struct fake_peer *peer, uint32_t format);
void send_fill(struct fake_peer *peer, uint32_t colour);
void send_type(struct fake_peer *peer, uint16_t type);
void send_copy(struct fake_peer *peer, const struct sm_image *image);
/** Draws a plain image that is to be kept under `id`. */
void send_image(struct fake_peer *peer, uint64_t id, uint32_t colour);
void send_cached(struct fake_peer *peer, uint64_t id);
void begin_display(struct fake_peer *peer);
void show_blue(struct fake_peer *peer);

#endif
