/* SPDX-License-Identifier: MIT */
/* The WebDAV server: libphodav's, on a thread of its own, behind a guard of ours. */
#include <libphodav/phodav.h>

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include "media/dav.h"
#include "media/phodav/confine.h"
#include "media/phodav/published.h"

struct sm_dav_server {
    char *root; /* owned: absolute, without symbolic links; or NULL: nothing but `published` */
    bool is_read_only;
    GMainContext *context;              /* owned: of the thread */
    GMainLoop *loop;                    /* owned */
    GThread *thread;                    /* owned */
    PhodavServer *phodav;               /* owned: of the thread */
    PhodavVirtualDir *tree;             /* owned: likewise; the folder, and what is published */
    struct sm_dav_published *published; /* owned */
    gulong their_handler;               /* phodav's, of new requests */
    bool is_emitting;                   /* it is run from ours */
};

/* ---- The guard: what may be asked for ---- */

static bool is_one_of(const char *method, const char *const *methods)
{
    for (; *methods; methods++)
        if (strcmp(method, *methods) == 0)
            return true;
    return false;
}

/* Below it lies what is published, too. */
static bool is_root(const char *path)
{
    return strcmp(path, "/") == 0;
}

/* The place that COPY and MOVE lead to; the host in it is whatever the guest calls us. What is
 * there already is replaced, tree and all, so there may be no link in it either. */
static bool is_destination_allowed(const struct sm_dav_server *server, SoupServerMessage *message)
{
    SoupMessageHeaders *headers = soup_server_message_get_request_headers(message);
    const char *text = soup_message_headers_get_one(headers, "Destination");
    if (!text)
        return true; /* phodav refuses what needs one */
    g_autoptr(GUri) uri = g_uri_parse(text, G_URI_FLAGS_ENCODED, NULL);
    g_autofree char *path = uri ? g_uri_unescape_string(g_uri_get_path(uri), "/") : NULL;
    return path && sm_dav_is_plain(path) && !is_root(path) && !sm_dav_published_covers(path) &&
           sm_dav_is_inside(server->root, path) && !sm_dav_has_links(server->root, path);
}

static bool has_hidden_slash(const char *path)
{
    for (const char *at = path; (at = strchr(at, '%')); at++)
        if (at[1] == '2' && (at[2] == 'F' || at[2] == 'f'))
            return true;
    return false;
}

static bool is_allowed(const struct sm_dav_server *server, SoupServerMessage *message)
{
    static const char *const reading[] = {"OPTIONS", "GET", "HEAD", "PROPFIND", NULL};
    static const char *const deep[] = {"COPY", "MOVE", "DELETE", NULL};
    const char *method = soup_server_message_get_method(message);
    /* libsoup has decoded it, all but slashes, and phodav takes it as it is: decoded twice it would
     * be another path. */
    const char *path = g_uri_get_path(soup_server_message_get_uri(message));
    const char *depth =
        soup_message_headers_get_one(soup_server_message_get_request_headers(message), "Depth");
    bool is_deep_look =
        strcmp(method, "PROPFIND") == 0 && (!depth || strcmp(depth, "infinity") == 0);
    if (strcmp(method, "OPTIONS") == 0)
        return true;
    if (server->is_read_only && !is_one_of(method, reading))
        return false;
    if (!sm_dav_is_plain(path) || (is_root(path) && is_one_of(method, deep)))
        return false;
    if (sm_dav_published_covers(path))
        return is_one_of(method, reading) && !has_hidden_slash(path) &&
               sm_dav_published_allows(server->published, path, is_deep_look);
    if (!server->root)
        return is_one_of(method, reading) && !is_deep_look && is_root(path);
    if (has_hidden_slash(path) || !sm_dav_is_inside(server->root, path) ||
        !is_destination_allowed(server, message))
        return false;
    /* What goes through a whole tree would follow the links in it. */
    if (is_one_of(method, deep) && sm_dav_has_links(server->root, path))
        return false;
    if (is_deep_look && is_root(path) && sm_dav_published_has_any(server->published))
        return false;
    return !is_deep_look || !sm_dav_has_links(server->root, path);
}

/*
 * phodav gives a PUT its status before the body has come, which libsoup takes for a final answer if
 * the peer waits for 100: the file would stay empty. So a status that is no refusal waits, too.
 */
static void on_headers_seen(SoupServerMessage *message, gpointer opaque)
{
    (void)opaque;
    guint status = soup_server_message_get_status(message);
    bool waits =
        soup_message_headers_get_expectations(soup_server_message_get_request_headers(message)) &
        SOUP_EXPECTATION_CONTINUE;
    if (!waits || status < 200 || status > 299)
        return;
    g_object_set_data(G_OBJECT(message), "sumac-status", GUINT_TO_POINTER(status));
    soup_server_message_set_status(message, SOUP_STATUS_CONTINUE, NULL);
}

static void on_body(SoupServerMessage *message, gpointer opaque)
{
    (void)opaque;
    guint status = GPOINTER_TO_UINT(g_object_get_data(G_OBJECT(message), "sumac-status"));
    if (status)
        soup_server_message_set_status(message, status, NULL);
}

/* Before phodav looks at the request: it opens what is to be written at this moment. */
static void on_headers(SoupServerMessage *message, gpointer opaque)
{
    if (is_allowed(opaque, message))
        return;
    soup_server_message_set_status(message, SOUP_STATUS_FORBIDDEN, NULL);
    g_signal_stop_emission_by_name(message, "got-headers");
}

/*
 * Our handler has to be connected to a request before phodav's, which connects its own in a handler
 * of this very signal, older than ours. So that one is blocked, and run from here.
 */
static void on_request(SoupServer *soup, SoupServerMessage *message, gpointer opaque)
{
    struct sm_dav_server *server = opaque;
    if (server->is_emitting)
        return;
    g_signal_connect(message, "got-headers", G_CALLBACK(on_headers), server);
    server->is_emitting = true;
    g_signal_handler_unblock(soup, server->their_handler);
    g_signal_emit_by_name(soup, "request-started", message);
    g_signal_handler_block(soup, server->their_handler);
    server->is_emitting = false;
    g_signal_connect(message, "got-headers", G_CALLBACK(on_headers_seen), NULL);
    g_signal_connect(message, "got-body", G_CALLBACK(on_body), NULL);
}

static bool guard(struct sm_dav_server *server)
{
    SoupServer *soup = phodav_server_get_soup_server(server->phodav);
    server->their_handler = g_signal_handler_find(
        soup, G_SIGNAL_MATCH_ID, g_signal_lookup("request-started", SOUP_TYPE_SERVER), 0, NULL,
        NULL, NULL);
    if (!server->their_handler)
        return false; /* another phodav than the one we know */
    g_signal_handler_block(soup, server->their_handler);
    g_signal_connect(soup, "request-started", G_CALLBACK(on_request), server);
    return true;
}

/* ---- The thread ---- */

static gpointer run(gpointer opaque)
{
    struct sm_dav_server *server = opaque;
    g_main_context_push_thread_default(server->context);
    g_main_loop_run(server->loop);
    soup_server_disconnect(phodav_server_get_soup_server(server->phodav));
    g_object_unref(server->phodav);
    g_object_unref(server->tree);
    while (g_main_context_iteration(server->context, FALSE))
        continue;
    g_main_context_pop_thread_default(server->context);
    return NULL;
}

/* Never on the caller's thread, as g_main_context_invoke() might. */
static void on_thread(struct sm_dav_server *server, GSourceFunc func, gpointer data,
                      GDestroyNotify notify)
{
    GSource *source = g_idle_source_new();
    g_source_set_priority(source, G_PRIORITY_DEFAULT);
    g_source_set_callback(source, func, data, notify);
    g_source_attach(source, server->context);
    g_source_unref(source);
}

static gboolean on_quit(gpointer opaque)
{
    struct sm_dav_server *server = opaque;
    g_main_loop_quit(server->loop);
    return G_SOURCE_REMOVE;
}

/** A connection on its way to the thread. */
struct arrival {
    struct sm_dav_server *server; /* borrowed */
    int fd;                       /* owned */
};

static gboolean on_arrival(gpointer opaque)
{
    struct arrival *arrival = opaque;
    g_autoptr(GError) error = NULL;
    g_autoptr(GSocket) socket = g_socket_new_from_fd(arrival->fd, &error);
    if (!socket)
        return G_SOURCE_REMOVE;
    arrival->fd = -1;
    g_autoptr(GSocketConnection) connection = g_socket_connection_factory_create_connection(socket);
    /* The server wants addresses to exist; there are none. */
    g_autoptr(GSocketAddress) nowhere = g_inet_socket_address_new_from_string("127.0.0.1", 0);
    /* A connection that cannot be taken is closed, which its other end sees. */
    (void)soup_server_accept_iostream(phodav_server_get_soup_server(arrival->server->phodav),
                                      G_IO_STREAM(connection), nowhere, nowhere, &error);
    return G_SOURCE_REMOVE;
}

static void free_arrival(gpointer opaque)
{
    struct arrival *arrival = opaque;
    if (arrival->fd >= 0)
        close(arrival->fd);
    g_free(arrival);
}

static int connect_to(struct sm_dav_server *server)
{
    int fds[2];
    if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0, fds) != 0)
        return -1;
    struct arrival *arrival = g_new(struct arrival, 1);
    *arrival = (struct arrival){.server = server, .fd = fds[1]};
    on_thread(server, on_arrival, arrival, free_arrival);
    return fds[0];
}

/* ---- What is published ---- */

/** A file on its way to the thread. */
struct publication {
    struct sm_dav_server *server; /* borrowed */
    char *real;                   /* owned: its path */
    char id[SM_DAV_ID_SIZE];
};

static void free_publication(gpointer opaque)
{
    struct publication *publication = opaque;
    free(publication->real);
    g_free(publication);
}

static gboolean on_publication(gpointer opaque)
{
    const struct publication *publication = opaque;
    PhodavVirtualDir *tree = publication->server->tree;
    g_autofree char *below = g_strdup_printf("/.spice-clipboard/%s", publication->id);
    g_autoptr(GFile) file = g_file_new_for_path(publication->real);
    g_autoptr(GObject) root = NULL;
    g_autoptr(GObject) folder = NULL;
    root = (GObject *)phodav_virtual_dir_new_dir(tree, "/.spice-clipboard", NULL);
    folder = (GObject *)phodav_virtual_dir_new_dir(tree, below, NULL);
    if (folder)
        phodav_virtual_dir_attach_real_child((PhodavVirtualDir *)folder, file);
    return G_SOURCE_REMOVE;
}

/* The thread does it before it looks at a request that comes later. */
static enum sm_status publish(struct sm_dav_server *server, const char *real,
                              char place[SM_DAV_PLACE_SIZE])
{
    char id[SM_DAV_ID_SIZE];
    bool is_new;
    char *copy = strdup(real);
    enum sm_status status =
        copy ? sm_dav_published_add(server->published, real, id, &is_new, place) : SM_ERR_NOMEM;
    if (status != SM_OK || !is_new) {
        free(copy);
        return status;
    }
    struct publication *publication = g_new0(struct publication, 1);
    publication->server = server;
    publication->real = copy;
    memcpy(publication->id, id, sizeof(id));
    on_thread(server, on_publication, publication, free_publication);
    return SM_OK;
}

/* ---- Life ---- */

static void destroy(struct sm_dav_server *server)
{
    if (!server)
        return;
    if (server->thread) {
        on_thread(server, on_quit, server, NULL);
        g_thread_join(server->thread);
    }
    g_main_loop_unref(server->loop);
    g_main_context_unref(server->context);
    sm_dav_published_destroy(server->published);
    free(server->root);
    g_free(server);
}

/* It warns of every file that a guest asks for in vain. */
static void swallow(const char *domain, GLogLevelFlags level, const char *text, gpointer opaque)
{
    (void)domain;
    (void)level;
    (void)text;
    (void)opaque;
}

static enum sm_status find_root(char **out, const char *folder)
{
    struct stat facts;
    char *root = realpath(folder, NULL);
    if (!root || stat(root, &facts) != 0 || !S_ISDIR(facts.st_mode) ||
        access(root, R_OK | X_OK) != 0) {
        free(root);
        return SM_ERR_IO;
    }
    *out = root;
    return SM_OK;
}

static enum sm_status create(struct sm_dav_server **out, const char *folder, bool is_read_only)
{
    char *root = NULL;
    if (folder && find_root(&root, folder) != SM_OK)
        return SM_ERR_IO;
    (void)g_log_set_handler("phodav", G_LOG_LEVEL_WARNING | G_LOG_LEVEL_MESSAGE, swallow, NULL);
    struct sm_dav_server *server = g_new0(struct sm_dav_server, 1);
    server->root = root;
    server->is_read_only = is_read_only;
    server->published = sm_dav_published_create();
    server->context = g_main_context_new();
    server->loop = g_main_loop_new(server->context, FALSE);
    g_main_context_push_thread_default(server->context);
    server->tree = phodav_virtual_dir_new_root();
    if (root)
        phodav_virtual_dir_root_set_real(server->tree, root);
    server->phodav = phodav_server_new_for_root_file(G_FILE(server->tree));
    g_main_context_pop_thread_default(server->context);
    bool is_guarded = guard(server);
    if (is_guarded)
        server->thread = g_thread_try_new("sumac-dav", run, server, NULL);
    if (!server->thread) {
        g_object_unref(server->phodav);
        g_object_unref(server->tree);
        destroy(server);
        return is_guarded ? SM_ERR_NOMEM : SM_ERR_STATE;
    }
    *out = server;
    return SM_OK;
}

extern const struct sm_dav_module sm_dav_module;
__attribute__((visibility("default"))) const struct sm_dav_module sm_dav_module = {
    .create = create,
    .find = sm_dav_published_find,
    .publish = publish,
    .connect = connect_to,
    .destroy = destroy,
};
