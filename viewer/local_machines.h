/* SPDX-License-Identifier: MIT */
/* The virtual machines of this computer, as libvirt knows them. Without libvirt there are none. */
#ifndef SM_VIEWER_LOCAL_MACHINES_H
#define SM_VIEWER_LOCAL_MACHINES_H

#include <stdbool.h>

#include <gio/gio.h>

/** A machine that runs now and has a SPICE server that can be reached. */
struct sm_local_machine {
    char *name;     /* owned */
    char *address;  /* owned: "spice://127.0.0.1:5900" */
    char *password; /* owned; or NULL */
};

/** Frees a machine; NULL does nothing. */
void sm_local_machine_free(struct sm_local_machine *machine);

/**
 * Reads libvirt's description of a domain.
 *
 * @param xml  as virDomainGetXMLDesc() gives it
 * @return the machine, freed with sm_local_machine_free(); NULL if it has no SPICE server, none
 *         with an address, or the text is no such description
 */
struct sm_local_machine *sm_local_machine_parse(const char *xml);

/**
 * Asks one hypervisor. Waits for it: not for the main thread.
 *
 * @param uri  libvirt's, such as "qemu:///system"
 * @return the machines that run (struct sm_local_machine), by name; empty if nobody answers
 */
GPtrArray *sm_local_machines_ask(const char *uri);

/**
 * Asks the hypervisors of this computer on a thread of its own: that of the environment's
 * LIBVIRT_DEFAULT_URI, else the system's and the user's.
 *
 * @param found   called on the main loop with the machines, borrowed, unless cancelled before
 */
void sm_local_machines_find(GCancellable *cancellable,
                            void (*found)(GPtrArray *machines, gpointer opaque), gpointer opaque);

#endif
