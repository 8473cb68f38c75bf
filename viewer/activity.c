/* SPDX-License-Identifier: MIT */
#include "viewer/activity.h"

#include <math.h>

struct _SmActivity {
    GtkWidget parent_instance;
    guint timer; /* runs while it is seen; or 0 */
    int step;    /* which dot is the brightest, 0 to DOTS - 1 */
};

enum { DOTS = 8, STEP_MS = 125, SIDE_PX = 32 };

static const float DOT_PX = 5, FAINTEST = 0.15f;

G_DEFINE_FINAL_TYPE(SmActivity, sm_activity, GTK_TYPE_WIDGET)

static void snapshot(GtkWidget *widget, GtkSnapshot *snapshot)
{
    SmActivity *activity = SM_ACTIVITY(widget);
    float width = (float)gtk_widget_get_width(widget);
    float height = (float)gtk_widget_get_height(widget);
    float radius = MIN(width, height) / 2 - DOT_PX / 2;
    GdkRGBA colour;
    gtk_style_context_get_color(gtk_widget_get_style_context(widget), &colour);
    for (int i = 0; i < DOTS; i++) {
        double angle = 2 * G_PI * i / DOTS;
        float x = width / 2 + radius * (float)sin(angle) - DOT_PX / 2;
        float y = height / 2 - radius * (float)cos(angle) - DOT_PX / 2;
        int age = (activity->step - i + DOTS) % DOTS; /* since it was the brightest */
        GdkRGBA dot = colour;
        dot.alpha *= MAX(FAINTEST, 1 - (float)age / (DOTS - 1));
        graphene_rect_t place = GRAPHENE_RECT_INIT(x, y, DOT_PX, DOT_PX);
        GskRoundedRect round;
        gsk_rounded_rect_init_from_rect(&round, &place, DOT_PX / 2);
        gtk_snapshot_push_rounded_clip(snapshot, &round);
        gtk_snapshot_append_color(snapshot, &dot, &place);
        gtk_snapshot_pop(snapshot);
    }
}

static void measure(GtkWidget *widget, GtkOrientation orientation, int for_size, int *minimum,
                    int *natural, int *minimum_baseline, int *natural_baseline)
{
    (void)widget;
    (void)orientation;
    (void)for_size;
    *minimum = *natural = SIDE_PX;
    *minimum_baseline = *natural_baseline = -1;
}

static gboolean on_time(void *opaque)
{
    SmActivity *activity = opaque;
    activity->step = (activity->step + 1) % DOTS;
    gtk_widget_queue_draw(GTK_WIDGET(activity));
    return G_SOURCE_CONTINUE;
}

static void map(GtkWidget *widget)
{
    SmActivity *activity = SM_ACTIVITY(widget);
    gboolean is_animated = TRUE;
    GTK_WIDGET_CLASS(sm_activity_parent_class)->map(widget);
    g_object_get(gtk_widget_get_settings(widget), "gtk-enable-animations", &is_animated, NULL);
    if (is_animated && !activity->timer)
        activity->timer = g_timeout_add(STEP_MS, on_time, activity);
}

static void unmap(GtkWidget *widget)
{
    g_clear_handle_id(&SM_ACTIVITY(widget)->timer, g_source_remove);
    GTK_WIDGET_CLASS(sm_activity_parent_class)->unmap(widget);
}

static void dispose(GObject *object)
{
    g_clear_handle_id(&SM_ACTIVITY(object)->timer, g_source_remove);
    G_OBJECT_CLASS(sm_activity_parent_class)->dispose(object);
}

static void sm_activity_class_init(SmActivityClass *class)
{
    GtkWidgetClass *widget_class = GTK_WIDGET_CLASS(class);
    G_OBJECT_CLASS(class)->dispose = dispose;
    widget_class->snapshot = snapshot;
    widget_class->measure = measure;
    widget_class->map = map;
    widget_class->unmap = unmap;
    gtk_widget_class_set_accessible_role(widget_class, GTK_ACCESSIBLE_ROLE_PRESENTATION);
}

static void sm_activity_init(SmActivity *activity)
{
    (void)activity;
}

GtkWidget *sm_activity_new(void)
{
    return g_object_new(SM_TYPE_ACTIVITY, "halign", GTK_ALIGN_CENTER, "valign", GTK_ALIGN_CENTER,
                        NULL);
}
