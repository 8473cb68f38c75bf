/* SPDX-License-Identifier: MIT */
/* The insides of a window: window.c acts, window_parts.c builds, window_actions.c are its menus. */
#ifndef SM_VIEWER_WINDOW_PRIVATE_H
#define SM_VIEWER_WINDOW_PRIVATE_H

#include "viewer/line_card.h"
#include "viewer/quality.h"
#include "viewer/window.h"

enum { USB_ANEW_MAX = 16 };

struct _SmWindow {
    AdwApplicationWindow parent_instance;
    struct sm_machine *machine;       /* borrowed; NULL once it was told that we go */
    uint32_t number;                  /* of the monitor */
    SmView *views[SM_WALL_VIEWS_MAX]; /* by number, borrowed from the wall; or NULL */
    SmWall *wall;                     /* borrowed from the tree of widgets */

    /* Borrowed from the tree of widgets: */
    GtkWidget *header, *title, *menu;             /* the bar above, and what it says */
    GtkWidget *toasts, *stack;                    /* all below it; the stack has status or screen */
    GtkWidget *status, *activity, *retry, *other; /* before there is a picture */
    GtkWidget *screen;                            /* the view and what lies over it */
    GtkWidget *bar, *bar_title, *bar_menu;        /* of full screen */
    GtkWidget *microphone, *bar_microphone;       /* shown while the machine listens */

    GtkWidget *files, *files_heading, *files_bar, *files_text; /* a card; what it says */
    gint64 files_since_us; /* when the first of these files was sent */

    GMenu *people;     /* owned: a section of the menu; NULL once the window goes */
    uint32_t asked_by; /* who was told to ask for what we have; or 0 */
    bool has_asked;    /* for what somebody else has */

    uint32_t usb_anew[USB_ANEW_MAX]; /* devices to be plugged in when they have come back */
    size_t usb_anew_count;

    struct sm_quality quality;
    struct sm_line_card line;
    GSimpleAction *fullscreen_action; /* borrowed from the window's actions */
    bool has_keyboard, is_dismissed, has_told_no_sound;
};

/** window_parts.c: builds the tree of widgets. */
void sm_window_build(SmWindow *window);

/** window_actions.c: adds the actions "win.…". */
void sm_window_add_actions(SmWindow *window);

/** window_actions.c: the menus; the caller's. */
GMenuModel *sm_window_main_menu(SmWindow *window);
GMenuModel *sm_window_keys_menu(void);

#endif
