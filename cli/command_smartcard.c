/* SPDX-License-Identifier: MIT */
/* A smart card of this computer, or one of software, in the machine until the command is ended. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cli/commands.h"
#include "cli/connection.h"
#include "cli/json.h"
#include "cli/options.h"
#include "cli/report.h"
#include "sumac/smartcard.h"

enum { CERTIFICATES = 3 };

/* Splits "A,B,C" in place. */
static bool split(char *text, const char *names[CERTIFICATES])
{
    size_t count = 0;
    char *rest = text;
    for (char *name = strsep(&rest, ","); name; name = strsep(&rest, ",")) {
        if (count == CERTIFICATES || !name[0])
            return false;
        names[count++] = name;
    }
    return count == CERTIFICATES;
}

static bool set_card(struct cli_connection *c)
{
    const struct cli_options *o = c->options;
    const char *names[CERTIFICATES];
    if (!sm_smartcard_is_available())
        return cli_fail(c->failure, CLI_EXIT_OTHER, "build it with libcacard-dev installed",
                        "this build of Sumac has no module for smart cards");
    if (!o->certificates)
        return sm_session_set_smartcard(c->session, o->database, NULL) == SM_OK ||
               cli_fail_nomem(c->failure);
    char *copy = strdup(o->certificates);
    if (!copy)
        return cli_fail_nomem(c->failure);
    bool is_good = split(copy, names) ||
                   cli_fail(c->failure, CLI_EXIT_USAGE,
                            "name three, as certutil -L shows them: --certificates A,B,C",
                            "a card has three certificates, not %s", o->certificates);
    if (is_good && sm_session_set_smartcard(c->session, o->database, names) != SM_OK)
        is_good = cli_fail_nomem(c->failure);
    free(copy);
    return is_good;
}

/* A line whenever something has changed, read by whoever wants to know when the card is in. */
static void tell_json(const struct cli_options *options, const struct sm_smartcard *now)
{
    struct cli_json json = cli_report_begin(stdout, options->command);
    cli_json_text(&json, "reader", now->reader);
    cli_json_bool(&json, "shared", now->is_shared);
    cli_json_bool(&json, "card", now->is_card_known);
    cli_json_number(&json, "commands", now->commands);
    cli_report_end(&json);
    (void)fflush(stdout);
}

static void tell_text(const struct sm_smartcard *now, const struct sm_smartcard *told)
{
    if (now->is_shared && !told->is_shared)
        fprintf(stderr, "sumac: the machine has the reader %s; Ctrl-C takes it back\n",
                now->reader);
    if (now->is_card_known != told->is_card_known)
        fprintf(stderr, "sumac: the card is %s\n", now->is_card_known ? "in" : "out");
}

static bool tell_changes(struct cli_connection *c, struct sm_smartcard *told)
{
    struct sm_smartcard now;
    sm_session_get_smartcard(c->session, &now);
    if (now.reason[0])
        return cli_fail(c->failure, CLI_EXIT_NO_CHANNEL, "", "%s", now.reason);
    if (now.is_shared && !told->is_shared)
        c->deadline_us = UINT64_MAX; /* it lasts as long as the user likes */
    bool has_changed = now.is_shared != told->is_shared || now.is_card_known != told->is_card_known;
    if (!c->options->is_json)
        tell_text(&now, told);
    else if (has_changed)
        tell_json(c->options, &now);
    *told = now;
    return true;
}

static bool share(struct cli_connection *c)
{
    struct sm_smartcard told = {.has_card = false};
    struct sm_event event;
    if (!cli_connection_need(c, SM_CHANNEL_KIND_SMARTCARD))
        return false;
    c->doing = "waiting for a card reader";
    while (tell_changes(c, &told)) {
        if (cli_connection_next(c, UINT64_MAX, &event) == CLI_NEXT_EVENT)
            continue;
        /* Ctrl-C is how this command is ended. */
        bool is_good = c->failure->code == CLI_EXIT_INTERRUPTED && told.is_shared;
        if (is_good)
            *c->failure = (struct cli_failure){.code = CLI_EXIT_OK};
        if (is_good && c->options->is_json) {
            sm_session_get_smartcard(c->session, &told);
            tell_json(c->options, &told); /* with the commands that the card was given */
        }
        return is_good;
    }
    return false;
}

static bool run(struct cli_options *options, struct cli_failure *failure)
{
    struct cli_connection connection;
    uint32_t kinds = 1u << SM_CHANNEL_KIND_SMARTCARD;
    bool is_good =
        cli_connection_open_with(&connection, options, kinds, kinds, set_card, failure) &&
        share(&connection);
    cli_connection_close(&connection);
    return is_good;
}

static const struct cli_option OPTIONS[] = {
    {"database", "FOLDER", "of NSS, with certificates and their keys", CLI_VALUE_FILE,
     offsetof(struct cli_options, database)},
    {"certificates", "A,B,C", "a card of software with these three", CLI_VALUE_TEXT,
     offsetof(struct cli_options, certificates)},
    {NULL},
};

const struct cli_command cli_command_smartcard = {
    .name = "smartcard",
    .words = "ADDRESS",
    .summary = "give the machine a smart card",
    .about =
        "Puts the first smart card reader of this computer into the machine, until Ctrl-C, or a\n"
        "card of software made of three certificates. --json writes a line for each change, and\n"
        "one at the end.\n",
    .options = OPTIONS,
    .run = run,
};
