/* SPDX-License-Identifier: MIT */
/* sumac-viewer: the program. */
#include <locale.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include <adwaita.h>
#include <glib/gi18n.h>

#include "viewer/dialogs.h"
#include "viewer/machine.h"
#include "viewer/options.h"
#include "viewer/renderer.h"
#include "viewer/start_window.h"

static const char STYLE[] =
    "guest-wall.several { background: black; }\n" /* a view paints its own */
    ".lost { background: black; }\n"
    ".lost guest-view { opacity: 0.45; }\n"
    ".microphone { color: @error_color; }\n"
    /* Desktops of X11 that do not composite: the frame would stay, and the picture be scaled. */
    "window.solid-csd.fullscreen { padding: 0; border-width: 0; box-shadow: none; }\n"
    ".lost-card { border-radius: 12px; padding: 12px 18px; margin: 24px; }\n"
    /* Its menu is read over the machine's picture, which does not help. */
    ".fullscreen-bar popover > contents, .fullscreen-bar popover > arrow {"
    " background: rgb(36, 36, 36); }\n"
    ".fullscreen-bar { border-radius: 0 0 12px 12px; padding: 3px 9px; }\n";

/* Desktops of X11 that do not composite paint black what lets the desktop through: a wide frame
 * around each menu, where its shadow would be, and its corners. There a menu is a plain rectangle.
 */
static const char PLAIN_STYLE[] =
    "popover.background { background: @popover_bg_color;"
    " box-shadow: inset 0 0 0 1px alpha(currentColor, 0.3); }\n"
    "popover > contents { background: none; box-shadow: none; border-radius: 0; border: none; }\n"
    "popover > arrow { background: none; border: none; }\n"
    "tooltip.background { border-radius: 0; }\n";

/* What the program runs with. */
struct program {
    struct sm_viewer_options options;
    int exit_status;
    bool is_from_desktop;    /* nobody reads the standard error */
    struct sm_error failure; /* to be told over the start page; or of kind SM_ERROR_NONE */
};

/* Started by a click on a file, a link or an icon: launchers set these for what they start. Asked
 * of the kernel, for the toolkit has taken them out of the environment before main(). */
static bool is_from_desktop(void)
{
    g_autofree char *given = NULL;
    size_t size = 0;
    if (!g_file_get_contents("/proc/self/environ", &given, &size, NULL))
        return false;
    g_autofree char *launched =
        g_strdup_printf("GIO_LAUNCHED_DESKTOP_FILE_PID=%ld", (long)getpid());
    for (const char *word = given; word < given + size; word += strlen(word) + 1)
        if (g_str_has_prefix(word, "DESKTOP_STARTUP_ID=") ||
            g_str_has_prefix(word, "XDG_ACTIVATION_TOKEN=") || strcmp(word, launched) == 0)
            return true;
    return false;
}

static GtkCssProvider *add_style(const char *style)
{
    GtkCssProvider *provider = gtk_css_provider_new();
    gtk_css_provider_load_from_data(provider, style, -1);
    gtk_style_context_add_provider_for_display(gdk_display_get_default(),
                                               GTK_STYLE_PROVIDER(provider),
                                               GTK_STYLE_PROVIDER_PRIORITY_APPLICATION);
    return provider;
}

/* A compositor may come and go while we run. */
static void on_composited(GdkDisplay *display, GParamSpec *property, GtkCssProvider *provider)
{
    (void)property;
    gtk_css_provider_load_from_data(provider, gdk_display_is_composited(display) ? "" : PLAIN_STYLE,
                                    -1);
}

static void load_style(void)
{
    GdkDisplay *display = gdk_display_get_default();
    gtk_icon_theme_add_resource_path(gtk_icon_theme_get_for_display(display),
                                     "/org/sumac/Viewer/icons");
    GtkCssProvider *plain = add_style("");
    g_signal_connect_data(display, "notify::composited", G_CALLBACK(on_composited), plain,
                          (GClosureNotify)(void (*)(void))g_object_unref, 0);
    on_composited(display, NULL, plain);
    g_object_unref(add_style(STYLE));
}

static void show_start(AdwApplication *application, struct program *program)
{
    GtkWindow *window = GTK_WINDOW(sm_start_window_new(application, &program->options));
    gtk_window_present(window);
    if (program->failure.kind != SM_ERROR_NONE)
        sm_dialog_tell_error(window, &program->failure);
    program->failure = (struct sm_error){.kind = SM_ERROR_NONE};
}

static void on_startup(GApplication *application, struct program *program)
{
    (void)application;
    (void)program;
    load_style();
}

static void on_activate(GApplication *application, struct program *program)
{
    struct sm_viewer_options *options = &program->options;
    if (!options->address && !options->file) {
        show_start(ADW_APPLICATION(application), program);
        return;
    }
    struct sm_viewer_options taken = *options;
    struct sm_error error = {0};
    /* What is left is for machines that are opened by hand. */
    sm_viewer_options_copy_for(options, &taken, NULL);
    if (!sm_machine_open(ADW_APPLICATION(application), &taken, &error)) {
        g_printerr("sumac-viewer: %s; %s\n", error.cause, error.cure);
        if (program->is_from_desktop && !options->is_kiosk) {
            program->failure = error;
            show_start(ADW_APPLICATION(application), program);
        } else {
            program->exit_status = 1;
        }
    }
}

static void on_new(GSimpleAction *action, GVariant *value, gpointer opaque)
{
    (void)action;
    (void)value;
    GApplication *application = g_application_get_default();
    show_start(ADW_APPLICATION(application), opaque);
}

/* What cannot be understood is told over the start page if it was a desktop that passed it on. */
static bool read_command_line(struct program *program, char **argv)
{
    g_autoptr(GError) error = NULL;
    if (sm_viewer_options_parse(&program->options, g_strdupv(argv), &error))
        return true;
    g_printerr("sumac-viewer: %s\n", error->message);
    if (!program->is_from_desktop || program->options.is_kiosk)
        return false;
    program->failure.kind = SM_ERROR_ADDRESS;
    g_strlcpy(program->failure.cause, error->message, sizeof(program->failure.cause));
    sm_viewer_options_finish(&program->options);
    char *nothing[] = {argv[0], NULL};
    return sm_viewer_options_parse(&program->options, g_strdupv(nothing), NULL);
}

int main(int argc, char **argv)
{
    setlocale(LC_ALL, "");
    const char *locales = g_getenv("SUMAC_LOCALE_DIR"); /* of a build that is not installed */
    bindtextdomain(GETTEXT_PACKAGE, locales ? locales : SM_LOCALE_DIR);
    bind_textdomain_codeset(GETTEXT_PACKAGE, "UTF-8");
    textdomain(GETTEXT_PACKAGE);
    (void)argc;

    struct program program = {.is_from_desktop = is_from_desktop()};
    if (!read_command_line(&program, argv)) {
        sm_viewer_options_finish(&program.options);
        return 2;
    }
    if (program.options.wants_version) {
        printf("sumac-viewer %s\n", sm_client_version());
        sm_viewer_options_finish(&program.options);
        return 0;
    }
    if (program.options.x_display) { /* as other toolkits' programs take it */
        g_setenv("DISPLAY", program.options.x_display, TRUE);
        g_setenv("GDK_BACKEND", "x11", TRUE);
    }
    sm_renderer_choose();
    AdwApplication *application = adw_application_new("org.sumac.Viewer", G_APPLICATION_NON_UNIQUE);
    g_set_application_name("Sumac");
    gtk_window_set_default_icon_name("org.sumac.Viewer");
    const GActionEntry entries[] = {{.name = "new", .activate = on_new}};
    g_action_map_add_action_entries(G_ACTION_MAP(application), entries, 1, &program);
    g_signal_connect(application, "startup", G_CALLBACK(on_startup), &program);
    g_signal_connect(application, "activate", G_CALLBACK(on_activate), &program);
    int status = g_application_run(G_APPLICATION(application), 1, argv);
    g_object_unref(application);
    sm_viewer_options_finish(&program.options);
    return status ? status : program.exit_status;
}
