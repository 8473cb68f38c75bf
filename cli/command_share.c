/* SPDX-License-Identifier: MIT */
/* share: a folder for the guest, both ways. */
#include <inttypes.h>
#include <stdio.h>

#include "cli/commands.h"
#include "cli/connection.h"
#include "cli/options.h"
#include "cli/progress.h"
#include "cli/report.h"
#include "sumac/folder.h"

static bool check(struct cli_connection *c, const struct sm_folder_state *state)
{
    return state->can_be_shared ||
           cli_fail(c->failure, CLI_EXIT_NO_CHANNEL,
                    "give it one: -chardev spiceport,id=dav,name=org.spice-space.webdav.0 and "
                    "-device virtserialport,chardev=dav,name=org.spice-space.webdav.0",
                    "the machine has no port for shared folders");
}

static void show(const struct sm_folder_state *was, const struct sm_folder_state *is)
{
    if (was->is_listening == is->is_listening)
        return;
    fputs(is->is_listening ? "sumac: the guest sees the folder at http://localhost:9843\n"
                           : "sumac: the guest's service (spice-webdavd) does not run\n",
          stderr);
}

/* Until Ctrl-C, or for --for. */
static bool serve(struct cli_connection *c, struct sm_folder_state *state)
{
    const struct cli_options *o = c->options;
    uint64_t until_us = o->for_ms ? cli_now_us() + (uint64_t)o->for_ms * 1000 : UINT64_MAX - 1;
    struct sm_folder_state was = {.is_listening = false};
    c->deadline_us = UINT64_MAX - 1;
    c->doing = "sharing";
    for (;;) {
        struct sm_event event;
        sm_session_get_folder_state(c->session, state);
        if (!check(c, state))
            return false;
        show(&was, state);
        was = *state;
        enum cli_next next = cli_connection_next(c, until_us, &event);
        if (next == CLI_NEXT_TIME)
            return true;
        if (next == CLI_NEXT_FAILED)
            return c->failure->code == CLI_EXIT_INTERRUPTED;
    }
}

static void report(const struct cli_options *o, const struct sm_folder_state *state)
{
    char to_guest[32], from_guest[32];
    if (o->is_json) {
        struct cli_json json = cli_report_begin(stdout, o->command);
        cli_json_text(&json, "folder", o->path);
        cli_json_bool(&json, "read_only", o->is_read_only);
        cli_json_number(&json, "received", (int64_t)state->received);
        cli_json_number(&json, "sent", (int64_t)state->sent);
        cli_report_end(&json);
        return;
    }
    cli_progress_size(to_guest, state->sent);
    cli_progress_size(from_guest, state->received);
    printf("%s to the guest, %s from it\n", to_guest, from_guest);
}

static bool run(struct cli_options *o, struct cli_failure *failure)
{
    struct cli_connection connection;
    struct sm_folder_state state = {.is_shared = false};
    struct sm_error error;
    bool is_good = cli_connection_open(&connection, o, 0, 0, failure);
    if (is_good &&
        sm_session_share_folder(connection.session, o->path, o->is_read_only, &error) != SM_OK)
        is_good = cli_fail_error(failure, &error);
    is_good = is_good && serve(&connection, &state);
    cli_connection_close(&connection);
    if (is_good) {
        failure->code = CLI_EXIT_OK; /* Ctrl-C is how it ends */
        report(o, &state);
    }
    return is_good;
}

static bool take_words(struct cli_options *o, int count, char **words, struct cli_failure *failure)
{
    if (!cli_words_check(o, count, words, 1, 1, failure))
        return false;
    o->path = words[0];
    return true;
}

#define FIELD(name) offsetof(struct cli_options, name)

static const struct cli_option OPTIONS[] = {
    {"read-only", NULL, "the guest may read, but change nothing", CLI_VALUE_FLAG,
     FIELD(is_read_only)},
    {"for", "TIME", "end after this time; without it at Ctrl-C", CLI_VALUE_DURATION, FIELD(for_ms)},
    {NULL},
};

const struct cli_command cli_command_share = {
    .name = "share",
    .words = "ADDRESS FOLDER",
    .summary = "share a folder with the guest",
    .about =
        "Lets the guest read and write what is in FOLDER until Ctrl-C: the way for files out of\n"
        "the guest, and for whole folders into it. In the guest spice-webdavd shows it at\n"
        "http://localhost:9843 (in file managers dav://localhost:9843; or mount -t davfs). "
        "Nothing\n"
        "outside of the folder can be reached, not even through symbolic links in it. The\n"
        "machine needs a port: -chardev spiceport,id=dav,name=org.spice-space.webdav.0 -device\n"
        "virtserialport,chardev=dav,name=org.spice-space.webdav.0.\n",
    .options = OPTIONS,
    .take_words = take_words,
    .run = run,
};
