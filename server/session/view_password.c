/* SPDX-License-Identifier: MIT */
#include "server/session/view_password.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "server/session/errands.h"
#include "server/session/internal.h"

struct sm_view_password {
    struct sm_errand errand; /* first; while it is away the members marked * are its own */
    void (*on_back)(void *opaque);
    void *opaque;
    char *file;                             /* owned, like the server's, which may end first */
    char given[SM_TICKET_PASSWORD_MAX + 1]; /* * */
    bool is_given;                          /* *what came of it */
};

static struct sm_view_password *asked_of(struct sm_errand *errand)
{
    return (struct sm_view_password *)(void *)errand;
}

/* ---- away from the main thread ---- */

static void run(struct sm_errand *errand)
{
    struct sm_view_password *asked = asked_of(errand);
    char line[SM_TICKET_PASSWORD_MAX + 3] = "", kept[SM_TICKET_PASSWORD_MAX + 1] = "";
    FILE *file = fopen(asked->file, "re");
    bool is_read = file && fgets(line, sizeof(line), file);
    if (file)
        (void)fclose(file);
    size_t size = strcspn(line, "\r\n");
    if (is_read && size > 0 && size <= SM_TICKET_PASSWORD_MAX) {
        memcpy(kept, line, size);
        asked->is_given = sm_ticket_password_equal(kept, asked->given);
    }
    explicit_bzero(line, sizeof(line));
    explicit_bzero(kept, sizeof(kept));
}

static void free_asked(struct sm_errand *errand)
{
    struct sm_view_password *asked = asked_of(errand);
    explicit_bzero(asked->given, sizeof(asked->given));
    free(asked->file);
    free(asked);
}

/* ---- on it ---- */

static void done(struct sm_errand *errand)
{
    struct sm_view_password *asked = asked_of(errand);
    asked->on_back(asked->opaque);
}

enum sm_status sm_view_password_ask(struct sm_view_password **out, struct sm_server *server,
                                    const char given[SM_TICKET_PASSWORD_MAX + 1],
                                    void (*on_back)(void *opaque), void *opaque)
{
    struct sm_view_password *asked = calloc(1, sizeof(*asked));
    if (!asked)
        return SM_ERR_NOMEM;
    *asked = (struct sm_view_password){
        .errand = {.run = run, .done = done, .free = free_asked},
        .on_back = on_back,
        .opaque = opaque,
        .file = strdup(server->view_password_file),
    };
    memcpy(asked->given, given, sizeof(asked->given));
    enum sm_status status =
        asked->file ? sm_server_send_errand(server, &asked->errand) : SM_ERR_NOMEM;
    if (status != SM_OK) {
        free_asked(&asked->errand);
        return status;
    }
    *out = asked;
    return SM_OK;
}

bool sm_view_password_is_given(const struct sm_view_password *asked)
{
    return asked->is_given;
}

void sm_view_password_destroy(struct sm_view_password *asked)
{
    if (asked)
        sm_errand_drop(&asked->errand);
}
