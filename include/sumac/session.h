/* SPDX-License-Identifier: MIT */
/*
 * A connection to one machine: created, set up, connected, then its events are pulled. Every
 * channel of the session has a connection and a thread of its own inside; nothing here calls back.
 *
 *     sm_session_create(&session, address, &error);
 *     sm_session_set_password(session, "secret");
 *     sm_session_connect(session, &error);
 *     while (sm_session_wait_event(session, -1, &event) && event.kind != SM_EVENT_CLOSED)
 *         ...;
 *     sm_session_destroy(session);
 */
#ifndef SUMAC_SESSION_H
#define SUMAC_SESSION_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "sumac/address.h"
#include "sumac/error.h"
#include "sumac/geometry.h"
#include "sumac/status.h"

#ifdef __cplusplus
extern "C" {
#endif

/**
 * A session. Thread: any, for every function, with these exceptions: the settings come before
 * sm_session_connect(), events are pulled by one thread at a time, and sm_session_destroy() comes
 * last.
 */
struct sm_session;

/** The kinds of channel a server offers, with the numbers they have on the wire. */
enum sm_channel_kind {
    SM_CHANNEL_KIND_MAIN = 1,
    SM_CHANNEL_KIND_DISPLAY = 2,
    SM_CHANNEL_KIND_INPUTS = 3,
    SM_CHANNEL_KIND_CURSOR = 4,
    SM_CHANNEL_KIND_PLAYBACK = 5,
    SM_CHANNEL_KIND_RECORD = 6,
    SM_CHANNEL_KIND_SMARTCARD = 8,
    SM_CHANNEL_KIND_USBREDIR = 9,
    SM_CHANNEL_KIND_PORT = 10,
    SM_CHANNEL_KIND_WEBDAV = 11,
};

/** The name of `kind` in lower case, such as "display"; "unknown" for a value of no meaning. */
SM_API const char *sm_channel_kind_name(enum sm_channel_kind kind);

/** Who moves the pointer. */
enum sm_pointer_mode {
    SM_POINTER_MODE_UNKNOWN = 0,
    SM_POINTER_MODE_SERVER = 1, /* the guest: we send relative motion */
    SM_POINTER_MODE_CLIENT = 2, /* we do: positions are absolute */
};

enum sm_session_log_level {
    SM_SESSION_LOG_DEBUG = 0,
    SM_SESSION_LOG_INFO = 1,
    SM_SESSION_LOG_WARNING = 2,
    SM_SESSION_LOG_ERROR = 3,
};

/* ---- Making and setting up ---- */

/**
 * Creates a session that is not connected.
 *
 * @param out      receives the session; the caller owns it and releases it with
 *                 sm_session_destroy(); untouched on failure
 * @param address  copied; its password, if it has one, is taken as with sm_session_set_password();
 *                 NULL if sm_session_set_connector() will bring the connections
 * @return SM_OK; SM_ERR_NOMEM; SM_ERR_IO if the system gives no descriptor
 */
SM_API SM_NODISCARD enum sm_status sm_session_create(struct sm_session **out,
                                                     const struct sm_address *address);

/** Disconnects, waits for all threads and frees everything. NULL does nothing. */
SM_API void sm_session_destroy(struct sm_session *session);

/*
 * Settings. All texts are copied; NULL takes a setting back. Each gives SM_OK, SM_ERR_NOMEM, or
 * SM_ERR_STATE once sm_session_connect() was called.
 */

/** The user's name, for servers that want SASL; it overrides the address's. */
SM_API SM_NODISCARD enum sm_status sm_session_set_user(struct sm_session *session,
                                                       const char *user);

/**
 * Whether the server has asked for SASL, so that a user's name may be wanted beside a password:
 * of use when SM_EVENT_CLOSED tells of a password that is needed or wrong. Any thread.
 */
SM_API bool sm_session_wants_user(const struct sm_session *session);

/**
 * The password, at most 60 bytes; a longer one fails in sm_session_connect(), or, if there is a
 * user, when the server turns out not to want SASL.
 */
SM_API SM_NODISCARD enum sm_status sm_session_set_password(struct sm_session *session,
                                                           const char *password);

/** A PEM file of authorities to trust in place of the system's. */
SM_API SM_NODISCARD enum sm_status sm_session_set_ca_file(struct sm_session *session,
                                                          const char *path);

/** The authorities to trust, as PEM text; takes the place of a file and of the system's. */
SM_API SM_NODISCARD enum sm_status sm_session_set_ca_pem(struct sm_session *session,
                                                         const char *pem);

/** The subject the server's certificate must have, such as "O=Example,CN=vm"; then its host name is
 * not looked at. */
SM_API SM_NODISCARD enum sm_status sm_session_set_host_subject(struct sm_session *session,
                                                               const char *subject);

/** OpenSSL's list of ciphers for TLS 1.2. */
SM_API SM_NODISCARD enum sm_status sm_session_set_ciphers(struct sm_session *session,
                                                          const char *ciphers);

/**
 * The HTTP proxy through which to connect: `[http://|https://][USER:PASSWORD@]HOST[:PORT]`, or ""
 * for none. By default the environment's SPICE_PROXY. A local socket, and descriptors of the
 * caller's, go without. A proxy whose address makes no sense fails in sm_session_connect().
 */
SM_API SM_NODISCARD enum sm_status sm_session_set_proxy(struct sm_session *session,
                                                        const char *proxy);

/**
 * Brings a connection for a channel. Called on the channel's thread, for several channels at the
 * same time, and again if the server wants the channel over TLS; may block, and calls no function
 * of the session.
 *
 * @param is_secure  TLS will be spoken on it: a server may have another port for that
 * @return a connected stream socket, which is taken; negative if there is none
 */
typedef int (*sm_session_connector)(void *opaque, enum sm_channel_kind kind, uint8_t id,
                                    bool is_secure);

/**
 * Has the caller connect instead of the library: for descriptors that others opened. The session's
 * address, if it has one, is then used for the name in certificates alone. Such a session does not
 * follow a machine to another host. NULL takes it back.
 */
SM_API SM_NODISCARD enum sm_status
sm_session_set_connector(struct sm_session *session, sm_session_connector connector, void *opaque);

/** How long connecting a channel may take, name look-up to first message; 10 000 ms by default. */
SM_API SM_NODISCARD enum sm_status sm_session_set_timeout(struct sm_session *session,
                                                          uint32_t timeout_ms);

/**
 * Has the session come back by itself when the line is lost: when the network goes away, or the
 * machine sleeps and wakes. SM_EVENT_LINE_LOST, then _LINE_BACK or _CLOSED tell. A line that died
 * without a word is noticed within 6 s; one that works again, within 2 s. It is not tried where the
 * server says no, nor when connections end again and again soon after they came up, which is
 * somebody else wanting the machine. A first connection is never tried twice.
 *
 * @param give_up_s  for how long to try; 0, the default: not at all
 */
SM_API SM_NODISCARD enum sm_status sm_session_set_reconnect(struct sm_session *session,
                                                            uint32_t give_up_s);

/**
 * Which kinds of channels to open besides main: a mask of 1u << enum sm_channel_kind. By default
 * display, inputs and cursor.
 */
SM_API SM_NODISCARD enum sm_status sm_session_set_channels(struct sm_session *session,
                                                           uint32_t kinds);

/** Kinds of channels not to open after all: a mask as above, 0 by default. */
SM_API SM_NODISCARD enum sm_status sm_session_leave_out_channels(struct sm_session *session,
                                                                 uint32_t kinds);

/** Which kinds of channels must use TLS whatever the server says; a mask as above, 0 by default. */
SM_API SM_NODISCARD enum sm_status sm_session_set_secure_channels(struct sm_session *session,
                                                                  uint32_t kinds);

/** The mouse mode to ask for whenever the server can; SM_POINTER_MODE_CLIENT by default, _UNKNOWN
 * to ask for none. */
SM_API SM_NODISCARD enum sm_status sm_session_set_mouse_mode(struct sm_session *session,
                                                             enum sm_pointer_mode mode);

/**
 * What the server may make us remember: images for reuse, and the dictionary of its GLZ encoder.
 *
 * @param image_cache_bytes  80 MiB by default
 * @param glz_window_bytes   0 (the default) for a size that fits the server, else 4 MiB to 128 MiB
 */
SM_API SM_NODISCARD enum sm_status sm_session_set_cache_sizes(struct sm_session *session,
                                                              uint32_t image_cache_bytes,
                                                              uint32_t glz_window_bytes);

/** How a server may encode images. */
enum sm_compression {
    SM_COMPRESSION_SERVER = 0, /* as the server was set up */
    SM_COMPRESSION_OFF = 1,
    SM_COMPRESSION_AUTO_GLZ = 2,
    SM_COMPRESSION_AUTO_LZ = 3,
    SM_COMPRESSION_QUIC = 4,
    SM_COMPRESSION_GLZ = 5,
    SM_COMPRESSION_LZ = 6,
    SM_COMPRESSION_LZ4 = 7,
};

/**
 * How we would like images encoded; SM_COMPRESSION_SERVER by default. Servers that take no wishes
 * do as they were set up.
 *
 * @return SM_OK; SM_ERR_STATE once connecting; SM_ERR_LIMIT for a value of no meaning
 */
SM_API SM_NODISCARD enum sm_status sm_session_set_compression(struct sm_session *session,
                                                              enum sm_compression compression);

/**
 * How many threads decode images besides the one each display has; they are started when the first
 * images are worth it. By default none on a machine with one processor, else as many as it has, 2
 * to 4.
 *
 * @param count  0 (every display decodes what it shows) to 4
 * @return SM_OK; SM_ERR_STATE once connecting; SM_ERR_LIMIT
 */
SM_API SM_NODISCARD enum sm_status sm_session_set_decoding_threads(struct sm_session *session,
                                                                   unsigned count);

/**
 * Where to write lines about what happens; nowhere by default.
 *
 * @param write  gets one line without its end, from any thread, also while another function of the
 *               session runs: it must not call any. Threads that decode cannot open files: what it
 *               writes to has to be open
 */
SM_API SM_NODISCARD enum sm_status
sm_session_set_log(struct sm_session *session,
                   void (*write)(void *opaque, enum sm_session_log_level level, const char *text),
                   void *opaque, enum sm_session_log_level lowest);

/** What a channel received, for sm_session_set_capture(). */
struct sm_capture {
    enum sm_channel_kind kind;
    uint8_t id;
    bool is_open;          /* the link has just come up: no bytes, but capabilities */
    uint32_t common_caps;  /* the server's, when it has */
    uint32_t channel_caps; /* likewise */
    const uint8_t *data; /* `size` bytes behind the link phase, as they came out of TLS; borrowed */
    size_t size;
};

/**
 * Shows everything that channels receive behind the link phase, before it is understood: what the
 * guest showed, played and offered, but no password.
 *
 * @param capture  called on the channels' threads, several at a time: it must not call the session
 */
SM_API SM_NODISCARD enum sm_status
sm_session_set_capture(struct sm_session *session,
                       void (*capture)(void *opaque, const struct sm_capture *piece), void *opaque);

/* ---- Living ---- */

/**
 * Starts connecting and returns at once; what becomes of it arrives as events.
 *
 * @param error  receives the reason for people if a setting cannot be used; may be NULL
 * @return SM_OK; SM_ERR_STATE if it was called before; SM_ERR_NOMEM; SM_ERR_LIMIT if the password
 *         is too long; SM_ERR_PROTOCOL if the expected subject makes no sense; SM_ERR_IO if a file
 * cannot be read or a thread not started
 */
SM_API SM_NODISCARD enum sm_status sm_session_connect(struct sm_session *session,
                                                      struct sm_error *error);

/**
 * Starts an orderly end: what was sent is delivered (waiting for the server at most a second), then
 * all channels close and SM_EVENT_CLOSED comes. Returns at once.
 */
SM_API void sm_session_close(struct sm_session *session);

enum sm_event_kind {
    SM_EVENT_NONE = 0,
    /** The session is up: sm_session_get_info() has its facts, and the channel list is known. */
    SM_EVENT_CONNECTED = 1,
    /** The last event: the session is over. `error` says why; its kind is SM_ERROR_NONE after
     * sm_session_close(). */
    SM_EVENT_CLOSED = 2,
    /** The channel (`channel`, `channel_id`) can be used now. */
    SM_EVENT_CHANNEL_OPEN = 3,
    /** The channel is gone, the session goes on. `error` says why. */
    SM_EVENT_CHANNEL_CLOSED = 4,
    /** Something in sm_session_get_info() has changed. */
    SM_EVENT_INFO = 5,
    /** Size, readiness or monitors of display `channel_id` have changed. */
    SM_EVENT_DISPLAY_CONFIG = 6,
    /** Pixels of display `channel_id` have changed inside `damage`. */
    SM_EVENT_DISPLAY_DAMAGE = 7,
    /** Shape, position or visibility of cursor `channel_id` has changed. */
    SM_EVENT_CURSOR = 8,
    /** The server has something to say to the user: `text`, of `severity`. */
    SM_EVENT_NOTICE = 9,
    /** The guest offers something else than before: sumac/clipboard.h, also for the next three. */
    SM_EVENT_CLIPBOARD_OFFER = 10,
    /** The guest waits for what we offered. */
    SM_EVENT_CLIPBOARD_WANTED = 11,
    /** What we asked the guest for has come, or will not. */
    SM_EVENT_CLIPBOARD_DATA = 12,
    /** Data of the clipboard have got further. */
    SM_EVENT_CLIPBOARD_PROGRESS = 15,
    /** Files on their way into the guest have got further: sumac/files.h. */
    SM_EVENT_FILES = 13,
    /** Sharing a folder stands otherwise than before: sumac/folder.h. */
    SM_EVENT_FOLDER = 14,
    /** The line is lost, and the session tries to get it back (sm_session_set_reconnect()): `error`
     * says why. The last pictures stay; input is refused until its channel is open again. */
    SM_EVENT_LINE_LOST = 16,
    /** The line is back; what SM_EVENT_CONNECTED says is so again. */
    SM_EVENT_LINE_BACK = 17,
    /** The session has followed its machine to another host. */
    SM_EVENT_MOVED = 18,
    /** Something about port `channel_id` has changed: sumac/port.h. */
    SM_EVENT_PORT = 20,
    /** How sound of the kind `channel` (playback, record) stands has changed: sumac/sound.h. */
    SM_EVENT_SOUND = 40,
    /** There is sound for a program that takes it: sumac/sound.h. */
    SM_EVENT_SOUND_DATA = 41,
    /** Something about USB devices or CDs has changed: sumac/usb.h. */
    SM_EVENT_USB = 21,
    /** Something about the smart card has changed: sumac/smartcard.h. */
    SM_EVENT_SMARTCARD = 22,
    /** Who is at the machine, or who has its devices, has changed: sumac/people.h. */
    SM_EVENT_PEOPLE = 23,
};

enum sm_severity {
    SM_SEVERITY_INFO = 0,
    SM_SEVERITY_WARNING = 1,
    SM_SEVERITY_ERROR = 2,
};

/** Something that happened. Events that say the same about the same object are merged. */
struct sm_event {
    enum sm_event_kind kind;
    enum sm_channel_kind channel; /* with CHANNEL_*, DISPLAY_*, CURSOR and SOUND* */
    uint8_t channel_id;           /* likewise; with CLIPBOARD_*: the selection */
    struct sm_rect damage;        /* with DISPLAY_DAMAGE: in the surface's pixels */
    enum sm_severity severity;    /* with NOTICE */
    /* With CLOSED, CHANNEL_CLOSED and LINE_LOST; borrowed until the next pull. */
    const struct sm_error *error;
    const char *text; /* with NOTICE; borrowed until the next pull */
};

/**
 * Takes the oldest event, waiting for one if there is none.
 *
 * @param timeout_ms  how long to wait at most; 0 not at all, negative for ever
 * @return false if none came in time, or after SM_EVENT_CLOSED was taken
 */
SM_API bool sm_session_wait_event(struct sm_session *session, int timeout_ms,
                                  struct sm_event *event);

/** A descriptor that is readable while events wait, for a loop of the caller's. Borrowed: watch it,
 * do not read it. */
SM_API int sm_session_event_fd(const struct sm_session *session);

/** Makes a waiting sm_session_wait_event() return false at once, or the next one. May be called
 * from a signal handler. */
SM_API void sm_session_wake(struct sm_session *session);

/* ---- Looking ---- */

/** What is known about the session and the machine behind it. */
struct sm_session_info {
    bool is_connected;   /* between CONNECTED and CLOSED */
    uint32_t session_id; /* chosen by the server; 0 before it did */
    char name[128];      /* of the machine, as the server tells it; cut; "" if it does not */
    bool has_uuid;       /* the server told the machine's UUID, not one of zeros */
    uint8_t uuid[16];    /* in textual order */
    uint32_t supported_mouse_modes; /* mask of enum sm_pointer_mode */
    enum sm_pointer_mode mouse_mode;
    bool has_agent;         /* a guest agent is connected */
    uint32_t keyboard_leds; /* lock keys lit in the guest: Scroll 1, Num 2, Caps 4 */
    bool has_multi_media_time;
    uint32_t multi_media_time_ms; /* the server's clock for sound and video, now */
    /* The line stands, but the server owes an answer since so long: it is stopped, or very busy. 0
     * if it answers. SM_EVENT_INFO when it begins, after 4 s (motion of the pointer) or 20 s, and
     * when it is over. */
    uint32_t unanswered_ms;
};

SM_API void sm_session_get_info(struct sm_session *session, struct sm_session_info *info);

/** One channel the server offers, main included. */
struct sm_channel_info {
    enum sm_channel_kind kind; /* may be a number this version has no name for */
    uint8_t id;
    bool is_wanted;       /* we open channels of this kind */
    bool is_open;         /* its link is up */
    bool is_secure;       /* over TLS */
    uint32_t common_caps; /* the server's capability words, once it was linked; see docs/wire */
    uint32_t channel_caps;
    uint64_t messages;       /* received so far */
    uint64_t received_bytes; /* in messages, headers included */
    bool is_confined;        /* its thread, which decodes, can open no file and no connection */
    uint64_t round_trip_us;  /* of its TCP connection, smoothed by the kernel; 0: not known */
};

/**
 * The channels, in the order the server listed them, main first.
 *
 * @param out   receives at most `room` of them; may be NULL if `room` is 0
 * @return how many there are, which may be more than `room`
 */
SM_API size_t sm_session_get_channels(struct sm_session *session, struct sm_channel_info *out,
                                      size_t room);

#ifdef __cplusplus
}
#endif

#endif
