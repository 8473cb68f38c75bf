/* SPDX-License-Identifier: MIT */
#include "viewer/names.h"

void sm_name_control(GtkWidget *widget, const char *name)
{
    GtkWidget *control = GTK_IS_MENU_BUTTON(widget) ? gtk_widget_get_first_child(widget) : widget;
    gtk_accessible_update_property(GTK_ACCESSIBLE(control), GTK_ACCESSIBLE_PROPERTY_LABEL, name,
                                   -1);
}

void sm_name_and_tip(GtkWidget *widget, const char *name)
{
    gtk_widget_set_tooltip_text(widget, name);
    sm_name_control(widget, name);
}
