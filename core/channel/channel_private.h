/* SPDX-License-Identifier: MIT */
/* The inside of a channel, for the files core/channel/channel*.c alone. */
#ifndef SM_CORE_CHANNEL_CHANNEL_PRIVATE_H
#define SM_CORE_CHANNEL_CHANNEL_PRIVATE_H

#include "core/channel/channel.h"

#include "core/base/list.h"
#include "core/base/writer.h"
#include "core/channel/line.h"
#include "core/wire/base.h"
#include "core/wire/frame.h"

/** A message on its way from the wire to the owner. */
struct sm_channel_node {
    struct sm_list link; /* in the inbox, unless it is being filled or dealt with */
    struct sm_frame frame;
    uint64_t turn;                /* how many came before it, whatever their serials */
    uint32_t sub_list, sub_count; /* messages inside this one; count 0 for none */
    bool is_answered;             /* counts as received, but the owner is not shown it */
    size_t keep;                  /* bytes of the body we want; the rest is thrown away */
    size_t seen, capacity;        /* bytes of the body that have come; bytes allocated */
    bool is_on_loan;              /* its memory counts for who looked at it ahead, not here */
    uint8_t *data;                /* owned; min(seen, keep) bytes are filled */
};

/** What comes in. */
struct sm_channel_inbox {
    uint8_t header[SM_FRAME_FULL_SIZE];
    size_t header_filled;
    struct sm_channel_node *filling; /* owned; NULL between messages */
    struct sm_list nodes;            /* owned, whole messages in order */
    struct sm_list *passed;          /* the last of `nodes` that was looked at ahead; or NULL */
    size_t bytes;                    /* memory of `nodes`, but for what is on loan */
    uint64_t begun;                  /* messages whose header has come */
    uint64_t received_serial, skipped;
    uint64_t pings; /* client: those that measure round trips */

    struct sm_channel_node *current; /* owned; the one the owner is dealing with */
    uint32_t sub_index;
    bool is_main_done;
    uint64_t handled_serial;
    bool (*has_byte_behind)(uint16_t type, struct sm_bytes body); /* NULL: none has */
};

/** What goes out. Offsets count bytes from the beginning of the channel. */
struct sm_channel_outbox {
    struct sm_writer w;
    size_t gone; /* bytes at the front of `w` that were written */
    uint64_t queued, sent;
    uint64_t serial;
    size_t begun; /* where the message being built starts in `w` */
    uint16_t begun_type;
};

enum { SM_CHANNEL_ACK_MARKS = 1024, SM_CHANNEL_MAX_PINGS = 3 };

/** Client: when to acknowledge. Server: what is acknowledged. */
struct sm_channel_acks {
    uint32_t generation, window;
    uint32_t countdown; /* client: messages until the next ACK */
    bool is_synced;     /* server: the client has answered the last SET_ACK */
    uint64_t messages;  /* server: unacknowledged, behind the last SET_ACK */
    uint64_t sent_bytes, acked_bytes;
    uint64_t until_mark; /* messages until a window is full */
    uint64_t *marks;     /* owned ring: sent_bytes at the ends of windows; NULL before a window */
    size_t first_mark, mark_count;
};

/** A ping without its pong. */
struct sm_channel_ping {
    uint32_t id;
    uint64_t start, end;           /* offsets in what goes out */
    uint64_t started_us, ended_us; /* when the first and the last byte left */
    bool is_started, is_ended;
};

/** Server: round trips and liveness. */
struct sm_channel_pinger {
    struct sm_channel_ping pings[SM_CHANNEL_MAX_PINGS]; /* oldest first */
    unsigned count;
    bool is_testing; /* the network test runs: its pings are the ones above */
    uint64_t test_rtts_us[SM_CHANNEL_MAX_PINGS];
    unsigned test_pongs;
    struct sm_channel_net_test test;
    uint32_t next_id;
    uint64_t next_us; /* when to ping again */
    uint64_t rtt_us;
    uint64_t traffic_us; /* when bytes last moved, either way */

    uint64_t check_us;      /* when to look for signs of life */
    uint64_t check_moved;   /* bytes moved at the last look */
    bool check_was_waiting; /* something was due from the client at the last look */
    uint64_t received;      /* bytes, for the looks */
    bool is_paused;
};

/** Server: what the client is told of what has come. */
struct sm_channel_receipts {
    bool are_given;
    uint64_t told; /* offset: the last limit that was passed */
};

/** Client: the server's clock, which receipts tell of; see channel_line.c. */
struct sm_channel_far_clock {
    int64_t ahead_us[2]; /* of it is ours, at least: in the time now, and in the one before */
    uint64_t next_us;    /* when the next one begins; 0: none yet */
};

/** Server: where the way from one server to the next has got. */
struct sm_channel_migration {
    bool is_leaving;  /* MIGRATE was sent */
    bool awaits_mark; /* and the client has to answer */
    bool has_mark;    /* and did */
    bool awaits_data; /* at the target */
};

/** Client: likewise. */
struct sm_channel_move {
    bool is_allowed;
    bool is_leaving;  /* MIGRATE has come */
    bool awaits_data; /* and MIGRATE_DATA has to follow */
    bool has_data;
    /* Offsets in what goes out: where the source's ends, and where the target's begins. */
    uint64_t barrier, fresh;
    uint8_t *data; /* owned: for the target */
    size_t data_size;
};

struct sm_channel {
    struct sm_channel_config config;
    enum sm_status status; /* SM_OK until it fails */
    bool is_draining;      /* it failed over what came in: messages before that still count */
    const char *reason;
    uint64_t now_us; /* the latest we were told */
    bool is_held;
    struct sm_channel_inbox in;
    struct sm_channel_outbox out;
    struct sm_channel_acks acks;
    struct sm_channel_pinger pinger;
    bool has_line; /* `line` is measured */
    struct sm_line line;
    uint64_t line_heard; /* server: bytes that had come at the last answer */
    struct sm_channel_receipts receipts;
    struct sm_channel_far_clock far_clock;
    struct sm_channel_migration migration;
    struct sm_channel_move move;
};

/* channel_in.c */
enum sm_status sm_channel_receive(struct sm_channel *channel, struct sm_bytes in, size_t *taken);
void sm_channel_node_destroy(struct sm_channel_node *node);
void sm_channel_inbox_finish(struct sm_channel_inbox *in);

/* channel_ahead.c */
/** What the node counts in the inbox. */
size_t sm_channel_node_memory(const struct sm_channel_node *node);

/* channel_out.c */
void sm_channel_outbox_sent(struct sm_channel_outbox *out, size_t size);
/** True while answers to the peer may still be queued: beyond it nothing is read any more. */
bool sm_channel_has_reply_room(const struct sm_channel *channel);
enum sm_status sm_channel_send_base(struct sm_channel *channel, const struct sm_base_msg *msg);
enum sm_status sm_channel_send_basec(struct sm_channel *channel, const struct sm_base_msgc *msg);

/* channel_migrate.c */
/** Whether a client may send a message of this type now; else the channel fails. */
enum sm_status sm_channel_migration_check(struct sm_channel *channel, uint16_t type);

/* channel_move.c */
/** Client: whether the message is one of moving, and is dealt with. */
enum sm_status sm_channel_move_take(struct sm_channel *channel, uint16_t type, struct sm_bytes body,
                                    bool *is_shown);
/** Client: what may be written now of the bytes that wait. */
size_t sm_channel_move_allowed(const struct sm_channel *channel);

/* channel_ack.c */
enum sm_status sm_channel_ack_set(struct sm_channel *channel, struct sm_bytes set_ack);
enum sm_status sm_channel_ack_received(struct sm_channel *channel);
void sm_channel_ack_sent(struct sm_channel *channel, size_t size);
void sm_channel_ack_synced(struct sm_channel *channel, uint32_t generation);
void sm_channel_ack_acked(struct sm_channel *channel);

/* channel_ping.c */
void sm_channel_ping_init(struct sm_channel *channel);
void sm_channel_ping_moved(struct sm_channel *channel, size_t received);
void sm_channel_ping_ponged(struct sm_channel *channel, uint32_t id);
uint64_t sm_channel_ping_deadline(const struct sm_channel *channel);
enum sm_status sm_channel_ping_tick(struct sm_channel *channel);

/* channel_line.c */
void sm_channel_line_queued(struct sm_channel *channel);
void sm_channel_line_answered(struct sm_channel *channel, uint32_t id, uint64_t timestamp);
/** Server: bytes have come, or have left. */
void sm_channel_line_receipt_due(struct sm_channel *channel);
/** Client: a ping has come. True if it was a mark or a receipt. */
bool sm_channel_line_pinged(struct sm_channel *channel, const struct sm_msg_ping *ping);

#endif
