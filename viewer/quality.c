/* SPDX-License-Identifier: MIT */
#include "viewer/quality.h"

#include <glib/gi18n.h>

#include "viewer/names.h"

enum { CHANNELS_MAX = 64, DISPLAYS_MAX = 64, PERIOD_S = 1 };

/* The sums over all channels and displays of a session. */
struct figures {
    uint64_t bytes, failed, frames, round_trip_us, age_us;
    const char *codec; /* static */
    bool is_on_card;   /* decoded there */
    unsigned open, secure;
};

static struct figures measure(const struct sm_quality *q)
{
    struct sm_session *session = q->session;
    struct sm_view_figures drawn = sm_view_get_figures(q->view);
    struct figures f = {.frames = drawn.frames, .codec = ""};
    struct sm_channel_info channels[CHANNELS_MAX];
    size_t count = sm_session_get_channels(session, channels, CHANNELS_MAX);
    for (size_t i = 0; i < count && i < CHANNELS_MAX; i++) {
        f.bytes += channels[i].received_bytes;
        bool is_picture = channels[i].kind == SM_CHANNEL_KIND_DISPLAY;
        if (channels[i].round_trip_us && (is_picture || !f.round_trip_us))
            f.round_trip_us = channels[i].round_trip_us;
        f.open += channels[i].is_open;
        f.secure += channels[i].is_open && channels[i].is_secure;
    }
    struct sm_display_info displays[DISPLAYS_MAX];
    count = sm_session_get_displays(session, displays, DISPLAYS_MAX);
    for (size_t i = 0; i < count && i < DISPLAYS_MAX; i++) {
        if (displays[i].codec[0]) {
            f.codec = displays[i].codec;
            f.is_on_card = displays[i].is_on_card;
        }
        f.failed += displays[i].failed_drawings;
    }
    /* Half of the way there and back, and the time it waited here. */
    f.age_us = f.frames ? drawn.age_us + f.round_trip_us / 2 : 0;
    return f;
}

static void set_label(GtkWidget *label, char *text)
{
    gtk_label_set_text(GTK_LABEL(label), text);
    g_free(text);
}

/* Channels that are opened anew and other views begin at zero. */
static uint64_t grown(uint64_t now, uint64_t before)
{
    return now > before ? now - before : 0;
}

static void show(struct sm_quality *q)
{
    struct figures f = measure(q);
    gint64 now_us = g_get_monotonic_time();
    double seconds = (double)MAX(now_us - q->last_us, 1) / G_USEC_PER_SEC;
    double kib = (double)grown(f.bytes, q->last_bytes) / seconds / 1024;
    double frames = (double)grown(f.frames, q->last_frames) / seconds;
    q->last_us = now_us;
    q->last_bytes = f.bytes;
    q->last_frames = f.frames;
    set_label(q->round_trip, f.round_trip_us
                                 ? g_strdup_printf(_("%.1f ms"), (double)f.round_trip_us / 1e3)
                                 : g_strdup(_("not known")));
    set_label(q->rate, kib < 1024 ? g_strdup_printf(_("%.0f KiB/s"), kib)
                                  : g_strdup_printf(_("%.1f MiB/s"), kib / 1024));
    g_autofree char *failed = g_strdup_printf("%" G_GUINT64_FORMAT, f.failed);
    set_label(q->frames,
              f.failed ? g_strdup_printf(_("%.0f a second, %s could not be drawn"), frames, failed)
                       : g_strdup_printf(_("%.0f a second"), frames));
    set_label(q->codec, f.is_on_card ? g_strdup_printf(_("%s, by the graphics card"), f.codec)
                                     : g_strdup(f.codec[0] ? f.codec : _("not known")));
    set_label(q->age, f.age_us ? g_strdup_printf(_("%.1f ms"), (double)f.age_us / 1e3)
                               : g_strdup(_("not known")));
    set_label(q->security, f.secure == 0        ? g_strdup(_("not encrypted"))
                           : f.secure == f.open ? g_strdup(_("encrypted"))
                                                : g_strdup_printf(_("%u of %u channels encrypted"),
                                                                  f.secure, f.open));
    set_label(q->state, g_strdup_printf(_("%u channels open"), f.open));
}

static gboolean on_timer(gpointer opaque)
{
    show(opaque);
    return G_SOURCE_CONTINUE;
}

/* Only looked at figures are measured. */
static void update_timer(struct sm_quality *q, bool is_open)
{
    if (q->timer)
        g_source_remove(q->timer);
    q->timer = 0;
    if (!is_open || !q->session)
        return;
    struct figures f = measure(q);
    q->last_us = g_get_monotonic_time();
    q->last_bytes = f.bytes;
    q->last_frames = f.frames;
    q->timer = g_timeout_add_seconds(PERIOD_S, on_timer, q);
}

static void on_shown(GtkWidget *popover, struct sm_quality *q)
{
    (void)popover;
    update_timer(q, true);
    if (q->session)
        show(q);
}

static void on_hidden(GtkWidget *popover, struct sm_quality *q)
{
    (void)popover;
    update_timer(q, false);
}

static GtkWidget *add_row(GtkWidget *grid, int row, const char *name)
{
    GtkWidget *title = gtk_label_new(name);
    GtkWidget *value = gtk_label_new("");
    gtk_widget_add_css_class(title, "dim-label");
    gtk_label_set_xalign(GTK_LABEL(title), 1);
    gtk_label_set_xalign(GTK_LABEL(value), 0);
    gtk_grid_attach(GTK_GRID(grid), title, 0, row, 1, 1);
    gtk_grid_attach(GTK_GRID(grid), value, 1, row, 1, 1);
    return value;
}

GtkWidget *sm_quality_button(struct sm_quality *q)
{
    GtkWidget *grid = gtk_grid_new();
    gtk_grid_set_row_spacing(GTK_GRID(grid), 6);
    gtk_grid_set_column_spacing(GTK_GRID(grid), 12);
    q->round_trip = add_row(grid, 0, _("Round Trip (TCP)"));
    gtk_widget_set_tooltip_text(
        q->round_trip,
        _("What the system measures of the display's TCP connection: with a proxy or a tunnel the "
          "way to that, not the way to the machine"));
    q->rate = add_row(grid, 1, _("Received"));
    q->frames = add_row(grid, 2, _("Frames"));
    q->codec = add_row(grid, 3, _("Codec"));
    q->age = add_row(grid, 4, _("Age of Pixels"));
    q->state = add_row(grid, 5, _("Connection"));
    q->security = add_row(grid, 6, _("Security"));
    GtkWidget *popover = gtk_popover_new();
    gtk_popover_set_child(GTK_POPOVER(popover), grid);
    g_signal_connect(popover, "show", G_CALLBACK(on_shown), q);
    g_signal_connect(popover, "closed", G_CALLBACK(on_hidden), q);
    q->button = gtk_menu_button_new();
    gtk_menu_button_set_icon_name(GTK_MENU_BUTTON(q->button), "network-transmit-receive-symbolic");
    gtk_menu_button_set_popover(GTK_MENU_BUTTON(q->button), popover);
    sm_name_and_tip(q->button, _("Quality of the connection"));
    return q->button;
}

void sm_quality_set_session(struct sm_quality *q, struct sm_session *session)
{
    if (session == q->session)
        return;
    q->session = session;
    update_timer(q, false);
    if (q->button && !session)
        gtk_menu_button_popdown(GTK_MENU_BUTTON(q->button));
    if (q->button)
        gtk_widget_set_sensitive(q->button, session != NULL);
}
