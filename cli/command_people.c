/* SPDX-License-Identifier: MIT */
/* Who is at the machine, and handing over what there is one of. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cli/commands.h"
#include "cli/connection.h"
#include "cli/json.h"
#include "cli/options.h"
#include "cli/report.h"
#include "cli/utf8.h"
#include "sumac/people.h"

enum {
    PEOPLE_MAX = 1000, /* the server has no more */
    TOLD_MS = 3000,    /* a server that knows people tells at once */
};

/** Who is there by now; `self` and `holder` are NULL if they are not among them. */
struct people {
    struct sm_participant list[PEOPLE_MAX];
    size_t count;
    const struct sm_participant *self, *holder;
};

static void look(struct people *people, struct sm_session *session)
{
    people->count = sm_session_get_people(session, people->list, PEOPLE_MAX);
    if (people->count > PEOPLE_MAX)
        people->count = PEOPLE_MAX;
    people->self = people->holder = NULL;
    for (size_t i = 0; i < people->count; i++) {
        cli_utf8_tame(people->list[i].name); /* the server's words, and cut */
        if (people->list[i].is_self)
            people->self = &people->list[i];
        if (people->list[i].is_holder)
            people->holder = &people->list[i];
    }
}

static const char *name_of(const struct sm_participant *one)
{
    return one->name[0] ? one->name : "somebody";
}

/* ---- telling ---- */

static void print_text(const struct people *people)
{
    for (size_t i = 0; i < people->count; i++) {
        const struct sm_participant *one = &people->list[i];
        printf("%u %s%s%s%s%s\n", one->number, name_of(one), one->is_self ? ", this session" : "",
               one->is_holder ? ", has the devices" : "", one->is_asking ? ", asks for them" : "",
               one->is_view_only ? ", only looks" : "");
    }
}

static void print_json(const struct cli_options *options, const struct people *people)
{
    struct cli_json json = cli_report_begin(stdout, options->command);
    cli_json_open(&json, "people", '[');
    for (size_t i = 0; i < people->count; i++) {
        const struct sm_participant *one = &people->list[i];
        cli_json_open(&json, NULL, '{');
        cli_json_number(&json, "number", one->number);
        cli_json_text(&json, "name", one->name[0] ? one->name : NULL);
        cli_json_bool(&json, "self", one->is_self);
        cli_json_bool(&json, "holder", one->is_holder);
        cli_json_bool(&json, "asks", one->is_asking);
        cli_json_bool(&json, "can_be_asked", one->can_be_asked);
        cli_json_bool(&json, "view_only", one->is_view_only);
        cli_json_close(&json, '}');
    }
    cli_json_close(&json, ']');
    cli_report_end(&json);
}

static void print(const struct cli_connection *c, const struct people *people)
{
    if (c->options->is_json)
        print_json(c->options, people);
    else
        print_text(people);
    (void)fflush(stdout);
}

/* ---- handing over ---- */

static bool is_meant(const struct sm_participant *one, const char *who)
{
    char *end;
    unsigned long number = strtoul(who, &end, 10);
    if (one->is_self || one->is_view_only)
        return false;
    if (strcmp(who, "asking") == 0)
        return one->is_asking;
    return *who && !*end ? one->number == number : strcmp(one->name, who) == 0;
}

static const struct sm_participant *find(const struct people *people, const char *who)
{
    for (size_t i = 0; i < people->count; i++)
        if (is_meant(&people->list[i], who))
            return &people->list[i];
    return NULL;
}

/* What is done as long as people come, go and want things. */
struct dealing {
    bool has_asked, is_giving;
    uint32_t given_to;
};

/* Whether `number` has it; or had, and has left with it before we looked. A list without ourselves
 * is of a connection that was lost, and says nothing. */
static bool is_given(const struct people *people, uint32_t number)
{
    if (!people->self)
        return false;
    for (size_t i = 0; i < people->count; i++)
        if (people->list[i].number == number)
            return people->list[i].is_holder;
    return true;
}

/* Takes a step; `is_done` receives whether it was the last. */
static bool give(struct cli_connection *c, const struct people *people, struct dealing *dealing,
                 bool *is_done)
{
    const struct sm_participant *to = find(people, c->options->give_to);
    *is_done = dealing->is_giving && is_given(people, dealing->given_to);
    if (*is_done)
        return true;
    c->doing = people->self && people->self->is_holder ? "waiting for the one to hand over to"
                                                       : "waiting to have the devices";
    dealing->is_giving = people->self && people->self->is_holder && to;
    if (!dealing->is_giving)
        return true;
    dealing->given_to = to->number;
    return sm_session_give_devices(c->session, to->number) == SM_OK || cli_fail_nomem(c->failure);
}

static bool ask(struct cli_connection *c, const struct people *people, struct dealing *dealing,
                bool *is_done)
{
    *is_done = people->self && people->self->is_holder;
    if (*is_done || dealing->has_asked)
        return true;
    const struct sm_participant *holder = people->holder;
    c->doing = "waiting for the devices to be handed over";
    dealing->has_asked = true;
    if (holder && !holder->can_be_asked)
        fprintf(stderr,
                "sumac: the program of %s (%u) cannot show that somebody asks; who runs the "
                "machine can hand over\n",
                name_of(holder), holder->number);
    return sm_session_ask_for_devices(c->session, true) == SM_OK || cli_fail_nomem(c->failure);
}

static bool deal(struct cli_connection *c, const struct people *people, struct dealing *dealing,
                 bool *is_done)
{
    const struct cli_options *o = c->options;
    if (o->is_watching)
        print(c, people);
    if (o->give_to)
        return give(c, people, dealing, is_done);
    if (o->is_asking)
        return ask(c, people, dealing, is_done);
    *is_done = !o->is_watching;
    return true;
}

/* The server tells it at once, or never. */
static bool await_people(struct cli_connection *c)
{
    uint64_t until_us = cli_now_us() + TOLD_MS * 1000;
    struct sm_event event;
    c->doing = "waiting to be told who is there";
    while (!sm_session_knows_people(c->session)) {
        enum cli_next next = cli_connection_next(c, until_us, &event);
        if (next == CLI_NEXT_FAILED)
            return false;
        if (next == CLI_NEXT_TIME)
            return cli_fail(c->failure, CLI_EXIT_NO_CHANNEL,
                            "it takes Sumac's server, and the password for more than looking",
                            "the server does not tell who is there");
    }
    return true;
}

static bool follow(struct cli_connection *c, struct people *people)
{
    struct dealing dealing = {.has_asked = false};
    struct sm_event event = {.kind = SM_EVENT_PEOPLE};
    bool is_done = false;
    for (;;) {
        if (event.kind == SM_EVENT_PEOPLE) {
            look(people, c->session);
            if (!deal(c, people, &dealing, &is_done))
                return false;
        }
        if (is_done)
            break;
        if (c->options->is_watching)
            c->deadline_us = UINT64_MAX; /* until Ctrl-C */
        if (cli_connection_next(c, UINT64_MAX, &event) != CLI_NEXT_EVENT) {
            bool is_good = c->options->is_watching && c->failure->code == CLI_EXIT_INTERRUPTED;
            if (is_good)
                *c->failure = (struct cli_failure){.code = CLI_EXIT_OK};
            return is_good;
        }
    }
    if (!c->options->is_watching)
        print(c, people);
    return true;
}

static bool run(struct cli_options *options, struct cli_failure *failure)
{
    struct cli_connection connection;
    struct people *people = calloc(1, sizeof(*people));
    if (!people)
        return cli_fail_nomem(failure);
    bool is_good = cli_connection_open(&connection, options, 0, 0, failure) &&
                   await_people(&connection) && follow(&connection, people) &&
                   cli_connection_finish(&connection);
    cli_connection_close(&connection);
    free(people);
    return is_good;
}

static const struct cli_option OPTIONS[] = {
    {"ask", NULL, "ask for the devices, and wait until they are handed over", CLI_VALUE_FLAG,
     offsetof(struct cli_options, is_asking)},
    {"give", "WHO", "hand them over when we have them and WHO is there: a number, a name, asking",
     CLI_VALUE_TEXT, offsetof(struct cli_options, give_to)},
    {"watch", NULL, "tell again whenever something changes, until Ctrl-C", CLI_VALUE_FLAG,
     offsetof(struct cli_options, is_watching)},
    {NULL},
};

const struct cli_command cli_command_people = {
    .name = "people",
    .words = "ADDRESS",
    .summary = "who is at the machine, and who has its devices",
    .about =
        "Lists who is connected. What there is one of (microphone, USB devices, card readers,\n"
        "shared folders, ports) one of them has; the others may ask for it.\n",
    .options = OPTIONS,
    .run = run,
};
