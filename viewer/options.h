/* SPDX-License-Identifier: MIT */
/* What the viewer was asked to do: its command line, and the connection file it names. */
#ifndef SM_VIEWER_OPTIONS_H
#define SM_VIEWER_OPTIONS_H

#include <stdbool.h>
#include <stdint.h>

#include <glib.h>

#include "sumac/connection_file.h"
#include "sumac/session.h"
#include "viewer/hotkeys.h"
#include "viewer/keymap.h"

/** Immutable once it is read. */
struct sm_viewer_options {
    char *address;                          /* owned; NULL: the start page */
    struct sm_connection_file *file;        /* owned; in place of an address */
    char *password;                         /* owned; or NULL: ask if one is needed */
    char *title;                            /* owned; or NULL */
    char *ca_file, *host_subject;           /* owned; or NULL */
    char *proxy;                            /* owned; or NULL: the environment's, or none */
    enum sm_compression compression;        /* wished for */
    uint32_t cache_bytes, glz_window_bytes; /* 0: what the library thinks good */
    uint32_t secure_channels;               /* mask of 1u << enum sm_channel_kind */
    int zoom_percent;                       /* 10 to 400 */
    bool is_zoom_given, is_resizing_given;  /* by the user, who is right about this machine, too */
    bool is_fullscreen, is_kiosk, quits_on_disconnect, resizes_guest, shows_local_cursor;
    bool is_debug, is_view_only, has_no_sound;
    bool has_own_hotkeys; /* given, so they act even while the guest has the keyboard */
    char *accelerators[SM_HOTKEY_COUNT]; /* owned; "" is none */
    bool has_no_usb;
    bool shares_plugged_usb;            /* while a window has the keyboard */
    char **cds;                         /* owned: images to share; or NULL */
    char *usb_on_connect, *usb_on_plug; /* owned: rules; or NULL */
    char *shared_folder;                /* owned; or NULL */
    bool shares_smartcard;
    char *card_database;      /* owned; or NULL: the system's */
    char **card_certificates; /* owned: three, of a card of software; NULL: a reader's card */
    bool has_keymap;          /* given, and in force in place of the one that is remembered */
    struct sm_keymap keymap;
    char *x_display; /* owned; or NULL: the environment's */
    bool wants_version;
};

/**
 * Reads a command line; connection files are read and, if they say so, deleted.
 *
 * @param arguments  program name first, then options and an address; taken
 * @param out        receives the options; the caller releases them with
 *                   sm_viewer_options_finish(), also after a failure
 * @return false, and `error`, if it cannot be understood; `--help` ends the program
 */
bool sm_viewer_options_parse(struct sm_viewer_options *out, char **arguments, GError **error);

/** The options of a connection to `address` on behalf of one that has none. */
void sm_viewer_options_copy_for(struct sm_viewer_options *out, const struct sm_viewer_options *from,
                                const char *address);

/** Reads a connection file into options that have none. */
bool sm_viewer_options_read_file(struct sm_viewer_options *options, const char *path,
                                 GError **error);

/**
 * The title of the window of monitor `number` (from 0) of the machine called `name`, unless the
 * options give one. The first %d of a given one is the monitor's number from 1, as files of oVirt
 * have it; without, monitors of several are told apart behind it. The caller's.
 */
char *sm_viewer_options_title(const struct sm_viewer_options *options, const char *name,
                              uint32_t number, bool has_several);

void sm_viewer_options_finish(struct sm_viewer_options *options);

#endif
