/* SPDX-License-Identifier: MIT */
#include "viewer/options.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <glib/gi18n.h>

#include "sumac/session.h"

/* Connection files name the oldest remote-viewer they are for; this is the one whose place we take.
 */
static const char STANDS_FOR[] = "11.0";

enum { ZOOM_MIN = 10, ZOOM_MAX = 400 };

/* The texts of the command line before they are understood. */
struct raw {
    char *proxy;
    char *compression, *title, *hotkeys, *auto_resize, *cursor, *kiosk_quit, *ca_file,
        *host_subject, *secure_channels, *usb_on_connect, *usb_on_plug, *keymap, *card_database,
        *card_certificates, *shared_folder, *x_display, *effects;
    char **cds;
    gboolean disable_usb, smartcard;
    gboolean fullscreen, kiosk, debug, verbose, version, view_only, shared, no_sound;
    gint zoom, cache_bytes, glz_window_bytes;
    char **rest;
};

static bool fail(GError **error, const char *format, ...) G_GNUC_PRINTF(2, 3);

static bool fail(GError **error, const char *format, ...)
{
    va_list list;
    va_start(list, format);
    g_autofree char *text = g_strdup_vprintf(format, list);
    va_end(list);
    g_set_error_literal(error, G_OPTION_ERROR, G_OPTION_ERROR_BAD_VALUE, text);
    return false;
}

static bool parse_channels(const char *text, uint32_t *mask, GError **error)
{
    g_auto(GStrv) names = g_strsplit(text, ",", -1);
    for (char **name = names; *name; name++) {
        uint32_t found = strcmp(*name, "all") == 0 ? UINT32_MAX : 0;
        for (unsigned kind = SM_CHANNEL_KIND_MAIN; kind <= SM_CHANNEL_KIND_WEBDAV; kind++)
            if (strcmp(*name, sm_channel_kind_name((enum sm_channel_kind)kind)) == 0)
                found |= 1u << kind;
        if (!found)
            return fail(error, _("'%s' is no kind of channel"), *name);
        *mask |= found;
    }
    return true;
}

/* One of two words; `value` becomes true for the second. */
static bool parse_choice(const char *option, const char *text, const char *no, const char *yes,
                         bool *value, GError **error)
{
    if (!text)
        return true;
    *value = strcmp(text, yes) == 0;
    if (!*value && strcmp(text, no) != 0)
        return fail(error, _("%s takes %s or %s, not '%s'"), option, no, yes, text);
    return true;
}

static bool parse_compression(const char *text, enum sm_compression *out, GError **error)
{
    static const char *const names[] = {
        [SM_COMPRESSION_OFF] = "off",         [SM_COMPRESSION_AUTO_GLZ] = "auto-glz",
        [SM_COMPRESSION_AUTO_LZ] = "auto-lz", [SM_COMPRESSION_QUIC] = "quic",
        [SM_COMPRESSION_GLZ] = "glz",         [SM_COMPRESSION_LZ] = "lz",
        [SM_COMPRESSION_LZ4] = "lz4",
    };
    for (int i = SM_COMPRESSION_OFF; text && i <= SM_COMPRESSION_LZ4; i++)
        if (strcmp(text, names[i]) == 0) {
            *out = (enum sm_compression)i;
            return true;
        }
    return !text ||
           fail(error, _("'%s' is no compression: off, auto-glz, auto-lz, quic, glz, lz or lz4"),
                text);
}

/* Understood, so that a mistake is told, but not passed on: only agents of old Windows had a use
 * for it. */
static bool check_effects(const char *text, GError **error)
{
    static const char *const names[] = {"wallpaper", "font-smooth", "animation", "all", NULL};
    g_auto(GStrv) words = text ? g_strsplit(text, ",", -1) : NULL;
    for (char **word = words; word && *word; word++)
        if (!g_strv_contains(names, *word))
            return fail(error, _("'%s' is no effect: wallpaper, font-smooth, animation or all"),
                        *word);
    return true;
}

/* A card of software has a certificate for each of three purposes. */
static bool take_card(struct sm_viewer_options *o, const struct raw *raw, GError **error)
{
    o->shares_smartcard = raw->smartcard || raw->card_database || raw->card_certificates;
    o->card_database = g_strdup(raw->card_database);
    if (!raw->card_certificates)
        return true;
    o->card_certificates = g_strsplit(raw->card_certificates, ",", -1);
    guint count = g_strv_length(o->card_certificates);
    bool is_whole = count == 3;
    for (guint i = 0; i < count; i++)
        is_whole = is_whole && o->card_certificates[i][0];
    return is_whole ||
           fail(error,
                _("--spice-smartcard-certificates takes three, as certutil -L shows them: A,B,C; "
                  "not '%s'"),
                raw->card_certificates);
}

static void set_default_hotkeys(struct sm_viewer_options *o)
{
    for (int i = 0; i < SM_HOTKEY_COUNT; i++)
        o->accelerators[i] = g_strdup(sm_hotkey_default((enum sm_hotkey)i));
}

static bool understand(struct sm_viewer_options *o, const struct raw *raw, GError **error)
{
    o->is_zoom_given = raw->zoom != -1;
    o->zoom_percent = o->is_zoom_given ? raw->zoom : 100;
    o->is_resizing_given = raw->auto_resize != NULL;
    if (o->zoom_percent < ZOOM_MIN || o->zoom_percent > ZOOM_MAX)
        return fail(error, _("--zoom takes %d to %d percent, not %d"), ZOOM_MIN, ZOOM_MAX,
                    raw->zoom);
    o->is_fullscreen = raw->fullscreen || raw->kiosk;
    o->is_kiosk = raw->kiosk;
    o->is_debug = raw->debug || raw->verbose;
    o->is_view_only = raw->view_only;
    o->has_no_sound = raw->no_sound;
    o->wants_version = raw->version;
    o->title = g_strdup(raw->title);
    o->ca_file = g_strdup(raw->ca_file);
    o->host_subject = g_strdup(raw->host_subject);
    o->proxy = g_strdup(raw->proxy);
    o->has_own_hotkeys = raw->hotkeys != NULL;
    o->has_no_usb = raw->disable_usb;
    o->shares_plugged_usb = raw->usb_on_plug != NULL;
    o->cds = g_strdupv(raw->cds);
    o->usb_on_connect = g_strdup(raw->usb_on_connect);
    o->usb_on_plug = g_strdup(raw->usb_on_plug);
    o->shared_folder = g_strdup(raw->shared_folder);
    o->x_display = g_strdup(raw->x_display);
    o->has_keymap = raw->keymap != NULL;
    if (raw->cache_bytes < 0 || raw->glz_window_bytes < 0)
        return fail(error, _("a cache has no negative size"));
    o->cache_bytes = (uint32_t)raw->cache_bytes;
    o->glz_window_bytes = (uint32_t)raw->glz_window_bytes;
    return parse_compression(raw->compression, &o->compression, error) &&
           (!raw->hotkeys || sm_hotkeys_parse(raw->hotkeys, o->accelerators, error)) &&
           (!raw->secure_channels ||
            parse_channels(raw->secure_channels, &o->secure_channels, error)) &&
           (!raw->keymap || sm_keymap_parse(&o->keymap, raw->keymap, error)) &&
           take_card(o, raw, error) && check_effects(raw->effects, error) &&
           parse_choice("--auto-resize", raw->auto_resize, "never", "always", &o->resizes_guest,
                        error) &&
           parse_choice("--cursor", raw->cursor, "auto", "local", &o->shows_local_cursor, error) &&
           parse_choice("--kiosk-quit", raw->kiosk_quit, "never", "on-disconnect",
                        &o->quits_on_disconnect, error);
}

/* Where other clients of this protocol keep their authorities. */
static void find_trust_store(struct sm_viewer_options *o)
{
    if (o->ca_file)
        return;
    char *path = g_build_filename(g_get_home_dir(), ".spicec", "spice_truststore.pem", NULL);
    if (access(path, R_OK) == 0)
        o->ca_file = path;
    else
        g_free(path);
}

/* ---- Connection files ---- */

static char *read_all(const char *path, gsize *size, GError **error)
{
    char *text = NULL;
    if (strcmp(path, "-") != 0)
        return g_file_get_contents(path, &text, size, error) ? text : NULL;
    text = g_malloc(SM_CONNECTION_FILE_MAX_BYTES + 1);
    *size = fread(text, 1, SM_CONNECTION_FILE_MAX_BYTES + 1, stdin);
    return text;
}

static void take_hotkeys(struct sm_viewer_options *o)
{
    for (int i = 0; i < SM_HOTKEY_COUNT; i++) {
        const char *text = sm_connection_file_get(o->file, sm_hotkey_name((enum sm_hotkey)i));
        char *accelerator = text ? sm_hotkey_accelerator(text) : NULL;
        g_free(o->accelerators[i]);
        o->accelerators[i] = accelerator ? accelerator : g_strdup("");
        o->has_own_hotkeys |= text != NULL;
    }
}

static void take_settings(struct sm_viewer_options *o)
{
    const char *title = sm_connection_file_get(o->file, "title");
    if (title && !o->title)
        o->title = g_utf8_make_valid(title, -1);
    o->is_fullscreen |= sm_connection_file_number(o->file, "fullscreen", 0) > 0;
    if (!o->has_own_hotkeys)
        take_hotkeys(o);
    const char *rules = sm_connection_file_get(o->file, "usb-filter");
    if (rules && !o->usb_on_plug)
        o->usb_on_plug = g_strdup(rules);
    o->shares_plugged_usb |= sm_connection_file_number(o->file, "enable-usb-autoshare", 0) == 1;
    o->has_no_usb |= sm_connection_file_number(o->file, "enable-usbredir", 1) == 0;
    o->shares_smartcard |= sm_connection_file_number(o->file, "enable-smartcard", 0) == 1;
}

bool sm_viewer_options_read_file(struct sm_viewer_options *options, const char *path,
                                 GError **error)
{
    gsize size = 0;
    char *text = read_all(path, &size, error);
    if (!text)
        return false;
    struct sm_error reason = {0};
    enum sm_status status = sm_connection_file_parse(&options->file, text, size, &reason);
    explicit_bzero(text, size);
    g_free(text);
    if (status != SM_OK)
        return fail(error, "%s: %s", path, reason.cause);
    bool is_to_go = sm_connection_file_number(options->file, "delete-this-file", 0) == 1;
    if (is_to_go && strcmp(path, "-") != 0 && !g_getenv("VIRT_VIEWER_KEEP_FILE"))
        (void)unlink(path); /* it is the password that must not stay; no file is as good */
    if (sm_connection_file_needs_newer(options->file, STANDS_FOR)) {
        const char *url = sm_connection_file_get(options->file, "newer-version-url");
        return fail(error, _("%s asks for version %s of the viewer%s%s"), path,
                    sm_connection_file_get(options->file, "version"),
                    url ? _(", which is at ") : "", url ? url : "");
    }
    take_settings(options);
    return true;
}

/* ---- The command line ---- */

static bool take_place(struct sm_viewer_options *o, const char *text, GError **error)
{
    g_autofree char *scheme = g_uri_parse_scheme(text);
    if (scheme && strcmp(scheme, "file") == 0) {
        g_autofree char *path = g_filename_from_uri(text, NULL, error);
        return path && sm_viewer_options_read_file(o, path, error);
    }
    if (!scheme)
        return sm_viewer_options_read_file(o, text, error);
    o->address = g_strdup(text);
    return true;
}

bool sm_viewer_options_parse(struct sm_viewer_options *out, char **arguments, GError **error)
{
    struct raw raw = {.zoom = -1};
    const GOptionEntry entries[] = {
        {"version", 'V', 0, G_OPTION_ARG_NONE, &raw.version, N_("Print the version"), NULL},
        {"verbose", 'v', 0, G_OPTION_ARG_NONE, &raw.verbose, N_("Tell what happens"), NULL},
        {"debug", 0, 0, G_OPTION_ARG_NONE, &raw.debug, N_("Tell what happens"), NULL},
        {"full-screen", 'f', 0, G_OPTION_ARG_NONE, &raw.fullscreen, N_("Start in full screen"),
         NULL},
        {"kiosk", 'k', 0, G_OPTION_ARG_NONE, &raw.kiosk,
         N_("Full screen without menus and without a way out"), NULL},
        {"kiosk-quit", 0, 0, G_OPTION_ARG_STRING, &raw.kiosk_quit, N_("When to quit in kiosk mode"),
         "never|on-disconnect"},
        {"zoom", 'z', 0, G_OPTION_ARG_INT, &raw.zoom, N_("Size of a guest's pixel, in percent"),
         "PERCENT"},
        {"auto-resize", 0, 0, G_OPTION_ARG_STRING, &raw.auto_resize,
         N_("Whether the guest's screen follows the window"), "always|never"},
        {"title", 't', 0, G_OPTION_ARG_STRING, &raw.title, N_("Title of the window"), "TITLE"},
        {"cursor", 0, 0, G_OPTION_ARG_STRING, &raw.cursor,
         N_("Whether the local pointer is always shown"), "auto|local"},
        {"hotkeys", 'H', 0, G_OPTION_ARG_STRING, &raw.hotkeys, N_("Key bindings: ACTION=KEY+KEY,…"),
         "LIST"},
        {"keymap", 'K', 0, G_OPTION_ARG_STRING, &raw.keymap,
         N_("Keys that are others to the machine, or none: KEY=KEY+KEY,KEY=,…"), "LIST"},
        {"view-only", 0, 0, G_OPTION_ARG_NONE, &raw.view_only, N_("Send no input to the machine"),
         NULL},
        {"spice-disable-audio", 0, 0, G_OPTION_ARG_NONE, &raw.no_sound,
         N_("Neither play nor record sound"), NULL},
        {"spice-ca-file", 0, 0, G_OPTION_ARG_FILENAME, &raw.ca_file,
         N_("PEM file of authorities to trust"), "FILE"},
        {"spice-host-subject", 0, 0, G_OPTION_ARG_STRING, &raw.host_subject,
         N_("Subject the server's certificate must have"), "SUBJECT"},
        {"proxy", 0, 0, G_OPTION_ARG_STRING, &raw.proxy, N_("HTTP proxy to connect through"),
         "URL"},
        {"spice-secure-channels", 0, 0, G_OPTION_ARG_STRING, &raw.secure_channels,
         N_("Channels that must use TLS"), "main,display,…,all"},
        {"spice-share-cd", 0, 0, G_OPTION_ARG_FILENAME_ARRAY, &raw.cds,
         N_("Image of a CD for the machine; may be repeated"), "FILE"},
        {"spice-usbredir-redirect-on-connect", 0, 0, G_OPTION_ARG_STRING, &raw.usb_on_connect,
         N_("USB devices the machine gets at first"), "RULES"},
        {"spice-usbredir-auto-redirect-filter", 0, 0, G_OPTION_ARG_STRING, &raw.usb_on_plug,
         N_("USB devices the machine gets when they are plugged in"), "RULES"},
        {"spice-disable-usbredir", 0, 0, G_OPTION_ARG_NONE, &raw.disable_usb,
         N_("Give the machine no USB devices"), NULL},
        {"spice-smartcard", 0, 0, G_OPTION_ARG_NONE, &raw.smartcard,
         N_("Give the machine a smart card of this computer"), NULL},
        {"spice-smartcard-certificates", 0, 0, G_OPTION_ARG_STRING, &raw.card_certificates,
         N_("Three certificates that make a smart card of software"), "A,B,C"},
        {"spice-smartcard-db", 0, 0, G_OPTION_ARG_STRING, &raw.card_database,
         N_("Folder of an NSS database with certificates for smart cards"), "FOLDER"},
        {"spice-shared-dir", 0, 0, G_OPTION_ARG_FILENAME, &raw.shared_folder,
         N_("Folder that the machine may read and write"), "FOLDER"},
        {"spice-preferred-compression", 0, 0, G_OPTION_ARG_STRING, &raw.compression,
         N_("How images should be encoded"), "auto-glz|auto-lz|quic|glz|lz|lz4|off"},
        {"spice-cache-size", 0, 0, G_OPTION_ARG_INT, &raw.cache_bytes,
         N_("Room for images that come again"), "BYTES"},
        {"spice-glz-window-size", 0, 0, G_OPTION_ARG_INT, &raw.glz_window_bytes,
         N_("Room for the dictionary of GLZ"), "BYTES"},
        {"spice-debug", 0, 0, G_OPTION_ARG_NONE, &raw.debug, N_("Tell what happens"), NULL},
        {"spice-gtk-version", 0, G_OPTION_FLAG_HIDDEN, G_OPTION_ARG_NONE, &raw.version,
         N_("Print the version"), NULL},
        {"spice-disable-effects", 0, G_OPTION_FLAG_HIDDEN, G_OPTION_ARG_STRING, &raw.effects,
         N_("Accepted for other viewers' sake: effects stay as the guest has them"),
         "wallpaper,font-smooth,animation,all"},
        {"display", 0, 0, G_OPTION_ARG_STRING, &raw.x_display, N_("X display to use"), "DISPLAY"},
        {"shared", 's', G_OPTION_FLAG_HIDDEN, G_OPTION_ARG_NONE, &raw.shared,
         N_("Accepted for other viewers' sake: the server decides who may share"), NULL},
        {G_OPTION_REMAINING, 0, 0, G_OPTION_ARG_FILENAME_ARRAY, &raw.rest, NULL,
         N_("[ADDRESS | FILE.vv | -]")},
        {0},
    };
    memset(out, 0, sizeof(*out));
    out->resizes_guest = true;
    set_default_hotkeys(out);
    g_autoptr(GOptionContext) context = g_option_context_new(NULL);
    g_option_context_add_main_entries(context, entries, GETTEXT_PACKAGE);
    g_option_context_set_summary(
        context, _("Shows the screen of a virtual machine: spice://HOST:PORT, "
                   "spice+tls://HOST:PORT, spice+unix:///PATH, or a connection file."));
    bool is_read = g_option_context_parse_strv(context, &arguments, error);
    if (is_read && raw.rest && raw.rest[0] && raw.rest[1])
        is_read = fail(error, _("only one machine can be named, not '%s' too"), raw.rest[1]);
    is_read = is_read && understand(out, &raw, error);
    if (is_read)
        find_trust_store(out);
    if (is_read && raw.rest && raw.rest[0])
        is_read = take_place(out, raw.rest[0], error);
    char *const texts[] = {
        raw.compression, raw.title,   raw.hotkeys,       raw.auto_resize,       raw.cursor,
        raw.kiosk_quit,  raw.ca_file, raw.host_subject,  raw.secure_channels,   raw.usb_on_connect,
        raw.usb_on_plug, raw.keymap,  raw.card_database, raw.card_certificates, raw.shared_folder,
        raw.x_display,   raw.effects, raw.proxy};
    for (size_t i = 0; i < G_N_ELEMENTS(texts); i++)
        g_free(texts[i]);
    g_strfreev(raw.rest);
    g_strfreev(raw.cds);
    g_strfreev(arguments);
    return is_read;
}

void sm_viewer_options_copy_for(struct sm_viewer_options *out, const struct sm_viewer_options *from,
                                const char *address)
{
    *out = *from;
    out->file = NULL;
    out->address = g_strdup(address);
    out->password = NULL;
    out->title = g_strdup(from->title);
    out->ca_file = g_strdup(from->ca_file);
    out->host_subject = g_strdup(from->host_subject);
    out->proxy = g_strdup(from->proxy);
    out->cds = g_strdupv(from->cds);
    out->usb_on_connect = g_strdup(from->usb_on_connect);
    out->usb_on_plug = g_strdup(from->usb_on_plug);
    out->shared_folder = g_strdup(from->shared_folder);
    out->card_database = g_strdup(from->card_database);
    out->card_certificates = g_strdupv(from->card_certificates);
    out->x_display = NULL;
    for (int i = 0; i < SM_HOTKEY_COUNT; i++)
        out->accelerators[i] = g_strdup(from->accelerators[i]);
}

char *sm_viewer_options_title(const struct sm_viewer_options *options, const char *name,
                              uint32_t number, bool has_several)
{
    const char *title = options->title ? options->title : name;
    const char *place = options->title ? strstr(title, "%d") : NULL;
    if (place)
        return g_strdup_printf("%.*s%u%s", (int)(place - title), title, number + 1, place + 2);
    return has_several ? g_strdup_printf("%s (%u)", title, number + 1) : g_strdup(title);
}

void sm_viewer_options_finish(struct sm_viewer_options *options)
{
    g_free(options->address);
    sm_connection_file_destroy(options->file);
    if (options->password)
        explicit_bzero(options->password, strlen(options->password));
    g_free(options->password);
    g_free(options->title);
    g_free(options->ca_file);
    g_free(options->host_subject);
    if (options->proxy) /* may have a password in it */
        explicit_bzero(options->proxy, strlen(options->proxy));
    g_free(options->proxy);
    g_strfreev(options->cds);
    g_free(options->usb_on_connect);
    g_free(options->usb_on_plug);
    g_free(options->shared_folder);
    g_free(options->card_database);
    g_strfreev(options->card_certificates);
    g_free(options->x_display);
    for (int i = 0; i < SM_HOTKEY_COUNT; i++)
        g_free(options->accelerators[i]);
    memset(options, 0, sizeof(*options));
}
