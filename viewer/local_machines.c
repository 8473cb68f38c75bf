/* SPDX-License-Identifier: MIT */
#include "viewer/local_machines.h"

#include <stdlib.h>
#include <string.h>

#ifdef SM_HAS_LIBVIRT
#include <libvirt/libvirt.h>
#include <libvirt/virterror.h>
#endif

enum { PORT_MAX = 65535 };

/* What a description says, as far as it was read. */
struct description {
    GString *name;
    char *listen, *socket, *password; /* owned; or NULL */
    int port, tls_port;               /* 0: none */
    bool in_name, in_graphics, has_graphics;
    unsigned depth;
};

static void wipe(char *secret)
{
    if (secret)
        explicit_bzero(secret, strlen(secret));
    g_free(secret);
}

void sm_local_machine_free(struct sm_local_machine *machine)
{
    if (!machine)
        return;
    g_free(machine->name);
    g_free(machine->address);
    wipe(machine->password);
    g_free(machine);
}

/* ---- The description ---- */

static const char *attribute(const char *const *names, const char *const *values, const char *name)
{
    for (; *names; names++, values++)
        if (strcmp(*names, name) == 0)
            return *values;
    return NULL;
}

static int port_of(const char *text)
{
    guint64 port = 0;
    return text && g_ascii_string_to_unsigned(text, 10, 1, PORT_MAX, &port, NULL) ? (int)port : 0;
}

static void on_start(GMarkupParseContext *context, const char *element, const char **names,
                     const char **values, gpointer opaque, GError **error)
{
    (void)context;
    (void)error;
    struct description *d = opaque;
    d->depth++;
    d->in_name = d->depth == 2 && strcmp(element, "name") == 0;
    const char *const *n = (const char *const *)names, *const *v = (const char *const *)values;
    if (strcmp(element, "graphics") == 0 && !d->has_graphics) {
        const char *type = attribute(n, v, "type");
        d->in_graphics = d->has_graphics = type && strcmp(type, "spice") == 0;
        if (!d->in_graphics)
            return;
        d->port = port_of(attribute(n, v, "port"));
        d->tls_port = port_of(attribute(n, v, "tlsPort"));
        d->listen = g_strdup(attribute(n, v, "listen"));
        d->password = g_strdup(attribute(n, v, "passwd"));
    } else if (d->in_graphics && strcmp(element, "listen") == 0) {
        const char *address = attribute(n, v, "address"), *path = attribute(n, v, "socket");
        if (address && !d->listen)
            d->listen = g_strdup(address);
        if (path && !d->socket)
            d->socket = g_strdup(path);
    }
}

static void on_end(GMarkupParseContext *context, const char *element, gpointer opaque,
                   GError **error)
{
    (void)context;
    (void)error;
    struct description *d = opaque;
    d->depth--;
    d->in_name = false;
    if (strcmp(element, "graphics") == 0)
        d->in_graphics = false;
}

static void on_text(GMarkupParseContext *context, const char *text, gsize size, gpointer opaque,
                    GError **error)
{
    (void)context;
    (void)error;
    struct description *d = opaque;
    if (d->in_name)
        g_string_append_len(d->name, text, (gssize)size);
}

/* A server that listens everywhere listens here, too. */
static const char *host_of(const struct description *d)
{
    if (!d->listen || strcmp(d->listen, "0.0.0.0") == 0)
        return "127.0.0.1";
    return strcmp(d->listen, "::") == 0 ? "::1" : d->listen;
}

static char *address_of(const struct description *d)
{
    const char *host = host_of(d);
    const char *left = strchr(host, ':') ? "[" : "", *right = strchr(host, ':') ? "]" : "";
    if (d->socket)
        return g_strdup_printf("spice+unix://%s", d->socket);
    if (d->port && d->tls_port)
        return g_strdup_printf("spice://%s%s%s?port=%d&tls-port=%d", left, host, right, d->port,
                               d->tls_port);
    if (d->port)
        return g_strdup_printf("spice://%s%s%s:%d", left, host, right, d->port);
    if (d->tls_port)
        return g_strdup_printf("spice+tls://%s%s%s:%d", left, host, right, d->tls_port);
    return NULL;
}

struct sm_local_machine *sm_local_machine_parse(const char *xml)
{
    static const GMarkupParser PARSER = {
        .start_element = on_start, .end_element = on_end, .text = on_text};
    struct description d = {.name = g_string_new(NULL)};
    GMarkupParseContext *context = g_markup_parse_context_new(&PARSER, 0, &d, NULL);
    bool is_read = g_markup_parse_context_parse(context, xml, -1, NULL) &&
                   g_markup_parse_context_end_parse(context, NULL);
    g_markup_parse_context_free(context);
    char *address = is_read && d.has_graphics && d.name->len ? address_of(&d) : NULL;
    struct sm_local_machine *machine = NULL;
    if (address) {
        machine = g_new0(struct sm_local_machine, 1);
        *machine =
            (struct sm_local_machine){g_strdup(d.name->str), address, g_steal_pointer(&d.password)};
    }
    g_string_free(d.name, TRUE);
    g_free(d.listen);
    g_free(d.socket);
    wipe(d.password);
    return machine;
}

/* ---- The hypervisors ---- */

static int by_name(gconstpointer a, gconstpointer b)
{
    const struct sm_local_machine *const *left = a, *const *right = b;
    return g_utf8_collate((*left)->name, (*right)->name);
}

#ifdef SM_HAS_LIBVIRT

/* The library would write to standard error. */
static void say_nothing(void *opaque, virErrorPtr error)
{
    (void)opaque;
    (void)error;
}

static void add_domain(GPtrArray *machines, virDomainPtr domain)
{
    /* Passwords are told only to who may change machines. */
    char *xml = virDomainGetXMLDesc(domain, VIR_DOMAIN_XML_SECURE);
    if (!xml)
        xml = virDomainGetXMLDesc(domain, 0);
    struct sm_local_machine *machine = xml ? sm_local_machine_parse(xml) : NULL;
    if (machine)
        g_ptr_array_add(machines, machine);
    if (xml)
        explicit_bzero(xml, strlen(xml));
    free(xml);
}

GPtrArray *sm_local_machines_ask(const char *uri)
{
    GPtrArray *machines = g_ptr_array_new_with_free_func((GDestroyNotify)sm_local_machine_free);
    virSetErrorFunc(NULL, say_nothing);
    /* To change the system's machines libvirt may ask for an administrator: not for a list. */
    bool is_own = !g_str_has_suffix(uri, "/system");
    virConnectPtr connection = is_own ? virConnectOpen(uri) : virConnectOpenReadOnly(uri);
    virDomainPtr *domains = NULL;
    int count =
        connection ? virConnectListAllDomains(connection, &domains, VIR_CONNECT_LIST_DOMAINS_ACTIVE)
                   : 0;
    for (int i = 0; i < count; i++) {
        add_domain(machines, domains[i]);
        virDomainFree(domains[i]);
    }
    free(domains);
    if (connection)
        virConnectClose(connection);
    g_ptr_array_sort(machines, by_name);
    return machines;
}

#else

GPtrArray *sm_local_machines_ask(const char *uri)
{
    (void)uri;
    (void)by_name;
    return g_ptr_array_new_with_free_func((GDestroyNotify)sm_local_machine_free);
}

#endif

/* ---- Without waiting ---- */

/* Who wants to know. */
struct asker {
    void (*found)(GPtrArray *machines, gpointer opaque);
    gpointer opaque;
};

static void ask_all(GTask *task, gpointer source, gpointer data, GCancellable *cancellable)
{
    (void)source;
    (void)data;
    (void)cancellable;
    const char *const usual[] = {"qemu:///system", "qemu:///session", NULL};
    const char *given = g_getenv("LIBVIRT_DEFAULT_URI");
    const char *const only[] = {given, NULL};
    GPtrArray *all = g_ptr_array_new_with_free_func((GDestroyNotify)sm_local_machine_free);
    for (const char *const *uri = given && *given ? only : usual; *uri; uri++) {
        GPtrArray *some = sm_local_machines_ask(*uri);
        g_ptr_array_extend_and_steal(all, some);
    }
    g_task_return_pointer(task, all, (GDestroyNotify)g_ptr_array_unref);
}

static void on_answer(GObject *source, GAsyncResult *result, gpointer data)
{
    (void)source;
    struct asker *asker = data;
    g_autoptr(GPtrArray) machines = g_task_propagate_pointer(G_TASK(result), NULL);
    if (machines)
        asker->found(machines, asker->opaque);
    g_free(asker);
}

void sm_local_machines_find(GCancellable *cancellable,
                            void (*found)(GPtrArray *machines, gpointer opaque), gpointer opaque)
{
    struct asker *asker = g_new(struct asker, 1);
    *asker = (struct asker){found, opaque};
    g_autoptr(GTask) task = g_task_new(NULL, cancellable, on_answer, asker);
    g_task_run_in_thread(task, ask_all);
}
