/* SPDX-License-Identifier: MIT */
/* The command line, understood. */
#ifndef SM_CLI_OPTIONS_H
#define SM_CLI_OPTIONS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "cli/command.h"
#include "cli/failure.h"
#include "sumac/session.h"

struct sm_address;
struct sm_connection_file;

enum {
    CLI_COORDINATE_MAX = 65535, /* pixels */
};

/** What a command line says. Texts are borrowed from it. */
struct cli_options {
    const struct cli_command *command; /* NULL: only help or the version was asked for */
    bool wants_help, wants_version;
    bool is_json;
    bool is_verbose;
    bool is_step; /* a line of a script */

    struct sm_address *address;      /* owned; NULL with local commands */
    struct sm_connection_file *file; /* owned: where the address is from; or NULL */
    char *password;                  /* owned; or NULL */
    const char *user;                /* or NULL */
    const char *ca_file;             /* or NULL */
    const char *host_subject;        /* or NULL */
    const char *proxy;               /* or NULL: the environment's, or none */
    uint32_t timeout_ms;             /* for the whole command */
    bool wants_agent;                /* set by who runs the command, and by what is asked of it */
    sm_session_connector connector;  /* likewise: who connects in our place; or NULL */
    void *connector_opaque;
    void (*capture)(void *opaque, const struct sm_capture *piece); /* likewise, or NULL */
    void *capture_opaque;

    /* What commands have prepared, and how it is freed. */
    void *plan;
    void (*plan_destroy)(void *plan);

    /* Fields of single commands. A command that needs a field of its own adds it here. */
    uint32_t display;         /* number, as users count */
    uint32_t settle_ms;       /* screenshot: still for so long */
    uint32_t settle_limit_ms; /* screenshot: but taken after so long at the latest */
    uint32_t every_ms;        /* screenshot: the rhythm; 0: once */
    uint32_t shot_count;      /* screenshot: with a rhythm; 0: without end */
    bool only_changed;        /* screenshot: with a rhythm */
    uint32_t duration_ms;     /* record: 0: until Ctrl-C */
    bool is_raw;              /* record: a session file */
    uint32_t at_ms;           /* replay: of the picture; 0: the last */
    bool is_silent;           /* record: without sound */
    uint32_t fps;             /* record: at most */
    uint32_t codec;           /* record: enum sm_movie_codec */
    uint32_t stable_ms;       /* wait */
    const char *image;        /* wait: a PNG to be seen; or NULL */
    const char *region;       /* wait: as it was written: x, y, to_x, to_y (width and height) */
    uint32_t shade_tolerance; /* wait: of the image, 0 to 255 */
    uint32_t tolerance_px;    /* wait, screenshot: a spot of so many pixels may change */
    uint32_t delay_ms;        /* type: between keys */
    const char *layout;       /* type: the guest's, or NULL */
    bool has_codes;           /* type: what the layout lacks as a number */
    const char *paste_keys;   /* type: paste the text with them; or NULL */
    uint32_t hold_ms;         /* key: for how long they are held */
    uint32_t x, y;            /* click, drag, scroll */
    uint32_t to_x, to_y;      /* drag */
    bool has_place;           /* scroll: x and y count */
    uint32_t notches;         /* scroll: in the direction of `button` */
    uint32_t button;          /* click, drag, scroll: enum sm_button */
    const char *modifiers;    /* click, drag, scroll: keys to be held, or NULL */
    bool is_double;           /* click */

    char *const *rest; /* usb: what stands behind the address; borrowed from argv */
    size_t rest_count;
    const char *database;     /* smartcard: a folder; or NULL */
    const char *certificates; /* smartcard: three, between commas; or NULL */
    const char *microphone;   /* sound: a file that is recorded, or NULL */

    const char *path;   /* share: the folder; stats: of the server's socket */
    bool is_dry;        /* exec: only check */
    bool is_read_only;  /* share */
    uint32_t for_ms;    /* share: how long; 0: until Ctrl-C */
    bool is_prometheus; /* stats */
    bool is_watching;   /* stats, clipboard, people */

    bool is_asking;      /* people: for the devices */
    const char *give_to; /* people: a number, a name, "asking"; or NULL */

    char **files;        /* copy; clipboard: with the kind files */
    uint32_t file_count; /* copy, clipboard: 1 or more */

    bool is_setting;         /* clipboard: set, not get */
    bool is_kept;            /* clipboard: set for more than one paste */
    bool is_image;           /* clipboard: --type png */
    uint32_t selection;      /* clipboard: enum sm_selection */
    uint32_t clipboard_kind; /* clipboard: enum sm_clipboard_kind; 0 for what there is */

    const char *text;      /* type, or NULL: read text_file; key: the chord;
                              port: its name, or NULL: list them;
                              clipboard: to be set, or NULL: what is in text_file */
    const char *text_file; /* type, clipboard: "-" is the standard input */
    const char *output;    /* screenshot, clipboard: "-" is the standard output */
};

/* Rows that several commands have in their tables. */
#define CLI_OPTION_DISPLAY                                                                         \
    {                                                                                              \
        "display", "N", "which monitor, from 0 (default 0)", CLI_VALUE_NUMBER,                     \
            offsetof(struct cli_options, display), .max = 255                                      \
    }
#define CLI_OPTION_WITH                                                                            \
    {                                                                                              \
        "with", "KEYS", "hold these keys meanwhile, such as ctrl or ctrl-shift", CLI_VALUE_TEXT,   \
            offsetof(struct cli_options, modifiers)                                                \
    }

/** The options every command has; those of commands with an address. End with a NULL name. */
extern const struct cli_option CLI_OPTIONS_OF_ALL[];
extern const struct cli_option CLI_OPTIONS_OF_MACHINES[];

/**
 * Understands a command line.
 *
 * @param options  filled with what was understood even on failure (so that is_json counts); the
 *                 caller releases it with cli_options_finish() in any case
 * @return false with `failure` filled if the line cannot be understood
 */
bool cli_options_parse(struct cli_options *options, int argc, char **argv,
                       struct cli_failure *failure);

/**
 * Understands a line of a script: a command that is a step, without its address.
 *
 * @param script  the command line of the script, whose --timeout and --json count here too
 * @param words   the command, then what belongs to it; a NULL behind the last; reordered, and
 *                borrowed by `options`
 */
bool cli_options_parse_step(struct cli_options *options, const struct cli_options *script,
                            char **words, struct cli_failure *failure);

/** Releases what `options` owns; wipes the password. */
void cli_options_finish(struct cli_options *options);

/** Understands "500ms", "2s", "1.5s", "3m" or a bare number of seconds; at most a day. */
bool cli_duration_parse(uint32_t *out_ms, const char *text);

/* ---- For take_words() ---- */

/** Fails with "`cause``detail`", and where the help is. */
bool cli_usage(const struct cli_options *options, struct cli_failure *failure, const char *cause,
               const char *detail);

/** Fails unless there are `min` to `max` words. */
bool cli_words_check(const struct cli_options *options, int count, char **words, int min, int max,
                     struct cli_failure *failure);

/** A whole number of at most `max`. */
bool cli_number_take(const struct cli_options *options, uint32_t *out, const char *text,
                     uint32_t max, struct cli_failure *failure);

#endif
