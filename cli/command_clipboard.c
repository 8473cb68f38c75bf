/* SPDX-License-Identifier: MIT */
/* clipboard: what was copied in the guest, or what it shall paste. */
#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "cli/commands.h"
#include "cli/connection.h"
#include "cli/options.h"
#include "cli/output.h"
#include "cli/paste.h"
#include "cli/report.h"

enum {
    FIRST_ROOM = 64 << 10,
    LOOK_MS = 50,
    FIRST_READ_MS = 60000, /* for the guest to begin to read files */
    READ_IDLE_MS = 20000,  /* one that has read nothing for so long is through with them */
};

/** Bytes of a file or of the clipboard. */
struct content {
    enum sm_clipboard_kind kind;
    char *data; /* owned; a NUL lies behind it */
    size_t size;
};

static enum sm_clipboard_kind wanted_kind(const struct cli_options *o)
{
    return o->is_image ? SM_CLIPBOARD_PNG : (enum sm_clipboard_kind)o->clipboard_kind;
}

static enum sm_selection selection_of(const struct cli_connection *c)
{
    return (enum sm_selection)c->options->selection;
}

static bool next(struct cli_connection *c, struct sm_event *event)
{
    return cli_connection_next(c, UINT64_MAX, event) == CLI_NEXT_EVENT;
}

static bool failed(struct cli_connection *c, enum sm_status status)
{
    if (status == SM_ERR_NOMEM)
        return cli_fail_nomem(c->failure);
    return cli_fail(c->failure, CLI_EXIT_GUEST, "try again",
                    "the guest's clipboard changed just now");
}

/* ---- get ---- */

/* What to ask for of what is offered: what is wanted, or the first of these that there is. */
static enum sm_clipboard_kind choose(const struct cli_options *o, uint32_t offer)
{
    static const enum sm_clipboard_kind order[] = {SM_CLIPBOARD_TEXT, SM_CLIPBOARD_PNG,
                                                   SM_CLIPBOARD_TIFF, SM_CLIPBOARD_JPEG,
                                                   SM_CLIPBOARD_BMP};
    enum sm_clipboard_kind wanted = wanted_kind(o);
    if (wanted)
        return offer >> wanted & 1 ? wanted : SM_CLIPBOARD_NOTHING;
    for (size_t i = 0; i < sizeof(order) / sizeof(order[0]); i++)
        if (offer >> order[i] & 1)
            return order[i];
    return SM_CLIPBOARD_NOTHING;
}

/* Waits for an offer that holds what is wanted. */
static bool await_offer(struct cli_connection *c, bool is_new, enum sm_clipboard_kind *kind)
{
    c->doing = "waiting for something to be copied in the guest";
    for (;;) {
        struct sm_event event = {.kind = SM_EVENT_NONE};
        *kind = is_new
                    ? SM_CLIPBOARD_NOTHING
                    : choose(c->options, sm_session_clipboard_offer(c->session, selection_of(c)));
        if (*kind)
            return true;
        if (!cli_paste_check_agent(c) || !next(c, &event))
            return false;
        is_new = is_new &&
                 (event.kind != SM_EVENT_CLIPBOARD_OFFER || event.channel_id != selection_of(c));
    }
}

/* Nothing in `content` afterwards: the guest took its offer back. */
static bool fetch(struct cli_connection *c, enum sm_clipboard_kind kind, struct content *content)
{
    struct sm_event event;
    enum sm_status status = sm_session_ask_clipboard(c->session, selection_of(c), kind);
    c->doing = "waiting for what was copied";
    if (status == SM_ERR_STATE)
        return true;
    if (status != SM_OK)
        return failed(c, status);
    do {
        if (!next(c, &event))
            return false;
        if (event.kind == SM_EVENT_CLIPBOARD_PROGRESS) /* a large picture may take its time */
            cli_connection_progress(c, 0);
    } while (event.kind != SM_EVENT_CLIPBOARD_DATA || event.channel_id != selection_of(c));
    content->data =
        sm_session_take_clipboard(c->session, selection_of(c), &content->size, &content->kind);
    return true;
}

static void report_content(const struct content *content, const char *file)
{
    struct cli_json json = cli_report_begin(stdout, &cli_command_clipboard);
    cli_json_text(&json, "type", sm_clipboard_kind_name(content->kind));
    cli_json_number(&json, "bytes", (int64_t)content->size);
    if (file)
        cli_json_text(&json, "file", file);
    if (content->kind == SM_CLIPBOARD_TEXT)
        cli_json_text(&json, "text", content->data);
    cli_report_end(&json);
}

static bool write_content(const struct cli_options *o, const struct content *content,
                          struct cli_failure *failure)
{
    struct cli_output output;
    const char *name = o->output ? o->output : "-";
    bool is_text = content->kind == SM_CLIPBOARD_TEXT;
    if (!o->is_json || o->output) {
        if (!cli_output_open(&output, name, failure))
            return false;
        fwrite(content->data, 1, content->size, output.file);
        if (o->is_watching && is_text)
            fputc('\n', output.file);
        if (!cli_output_commit(&output, failure))
            return false;
    }
    if (o->is_json)
        report_content(content, o->output);
    if (fflush(stdout) != 0)
        return cli_fail(failure, CLI_EXIT_OUTPUT, "make room where the output goes",
                        "the standard output cannot be written: %s", strerror(errno));
    return true;
}

static bool get(struct cli_connection *c)
{
    bool is_new = false;
    sm_session_set_clipboard_directions(c->session, SM_CLIPBOARD_FROM_GUEST);
    for (;;) {
        struct content content = {.kind = SM_CLIPBOARD_NOTHING};
        enum sm_clipboard_kind kind;
        if (!await_offer(c, is_new, &kind) || !fetch(c, kind, &content))
            return false;
        bool is_good = !content.data || write_content(c->options, &content, c->failure);
        bool has_data = content.data != NULL;
        free(content.data);
        if (!is_good)
            return false;
        if (has_data && !c->options->is_watching)
            return cli_connection_finish(c);
        is_new = true;
        c->deadline_us = c->options->is_watching ? UINT64_MAX - 1 : c->deadline_us;
    }
}

/* ---- set ---- */

static bool read_all(FILE *file, const char *name, struct content *content,
                     struct cli_failure *failure)
{
    size_t room = 0;
    for (;;) {
        if (content->size + 1 >= room) {
            room = room ? room * 2 : FIRST_ROOM;
            char *data = realloc(content->data, room);
            if (!data)
                return cli_fail_nomem(failure);
            content->data = data;
        }
        size_t got = fread(content->data + content->size, 1, room - content->size - 1, file);
        content->size += got;
        if (content->size > SM_CLIPBOARD_MAX_BYTES)
            return cli_fail(failure, CLI_EXIT_FILE, "copy it as a file: sumac copy",
                            "%s is larger than a clipboard takes, which is %d MB", name,
                            (int)(SM_CLIPBOARD_MAX_BYTES / 1000000));
        if (got == 0)
            break;
    }
    content->data[content->size] = 0;
    return !ferror(file) || cli_fail(failure, CLI_EXIT_FILE, "see that you may read it",
                                     "%s cannot be read: %s", name, strerror(errno));
}

/* By the first bytes; what is nothing else is text. */
static enum sm_clipboard_kind kind_of(const struct content *content)
{
    static const struct {
        enum sm_clipboard_kind kind;
        size_t size;
        char start[8];
    } starts[] = {
        {SM_CLIPBOARD_PNG, 8, "\x89PNG\r\n\x1a\n"},
        {SM_CLIPBOARD_JPEG, 3, "\xff\xd8\xff"},
        {SM_CLIPBOARD_TIFF, 4, "II*\0"},
        {SM_CLIPBOARD_TIFF, 4, "MM\0*"},
        {SM_CLIPBOARD_BMP, 2, "BM"},
    };
    for (size_t i = 0; i < sizeof(starts) / sizeof(starts[0]); i++)
        if (content->size >= starts[i].size &&
            memcmp(content->data, starts[i].start, starts[i].size) == 0 &&
            /* A text may begin with BM; a picture has a NUL soon. */
            memchr(content->data, 0, content->size < 64 ? content->size : 64))
            return starts[i].kind;
    return SM_CLIPBOARD_TEXT;
}

/* Files are looked at before anybody is thrown out of the machine. */
static bool load_files(const struct cli_options *o, struct content *content,
                       struct cli_failure *failure)
{
    content->kind = SM_CLIPBOARD_FILES;
    if (o->file_count > SM_CLIPBOARD_PATHS_MAX)
        return cli_fail(failure, CLI_EXIT_USAGE, "name the folder they are in",
                        "more than %d files", SM_CLIPBOARD_PATHS_MAX);
    for (uint32_t i = 0; i < o->file_count; i++)
        if (access(o->files[i], R_OK) != 0)
            return cli_fail(failure, CLI_EXIT_FILE, "see that it is there and that you may read it",
                            "%s cannot be read: %s", o->files[i], strerror(errno));
    return true;
}

static bool load(const struct cli_options *o, struct content *content, struct cli_failure *failure)
{
    if (o->clipboard_kind == SM_CLIPBOARD_FILES)
        return load_files(o, content, failure);
    if (o->text) {
        content->data = strdup(o->text);
        content->size = strlen(o->text);
    } else if (strcmp(o->text_file, "-") == 0) {
        if (!read_all(stdin, "the standard input", content, failure))
            return false;
    } else {
        FILE *file = fopen(o->text_file, "rb");
        if (!file)
            return cli_fail(failure, CLI_EXIT_FILE, "see that it is there and that you may read it",
                            "%s cannot be opened: %s", o->text_file, strerror(errno));
        bool is_good = read_all(file, o->text_file, content, failure);
        (void)fclose(file);
        if (!is_good)
            return false;
    }
    if (!content->data)
        return cli_fail_nomem(failure);
    content->kind = wanted_kind(o) ? wanted_kind(o) : kind_of(content);
    if (content->size == 0)
        return cli_fail(failure, CLI_EXIT_USAGE, "give it something to paste",
                        "there is nothing to set the clipboard to");
    return true;
}

/* Once it was pasted, until the guest has read the files: it tells only by reading no more. */
static bool await_reading(struct cli_connection *c)
{
    struct sm_folder_state before, now;
    uint32_t patience_ms = FIRST_READ_MS;
    uint64_t quiet_us = cli_now_us();
    c->doing = "waiting for the guest to read the files";
    sm_session_get_folder_state(c->session, &before);
    while (cli_now_us() - quiet_us < patience_ms * 1000ull) {
        cli_connection_progress(c, patience_ms);
        if (!cli_connection_pause(c, LOOK_MS))
            return false;
        sm_session_get_folder_state(c->session, &now);
        if (now.sent != before.sent || now.received != before.received) {
            quiet_us = cli_now_us();
            patience_ms = READ_IDLE_MS;
        }
        before = now;
    }
    return true;
}

static enum sm_status send_content(struct cli_connection *c, const struct content *content)
{
    const struct cli_options *o = c->options;
    struct sm_error error;
    if (content->kind != SM_CLIPBOARD_FILES)
        return sm_session_send_clipboard(c->session, selection_of(c), content->kind, content->data,
                                         content->size);
    enum sm_status status = sm_session_send_clipboard_files(
        c->session, selection_of(c), (const char *const *)o->files, o->file_count, &error);
    if (status != SM_OK && status != SM_ERR_STATE)
        (void)cli_fail_error(c->failure, &error);
    return status;
}

/* A machine without a port for folders would never ask. */
static bool check_files(struct cli_connection *c)
{
    struct sm_folder_state state;
    sm_session_get_folder_state(c->session, &state);
    return state.can_be_shared ||
           cli_fail(c->failure, CLI_EXIT_NO_CHANNEL,
                    "give the machine a port org.spice-space.webdav.0, or use sumac copy",
                    "the machine has no port that files could be pasted through");
}

/* Until it was pasted, or something else was copied. */
static bool serve(struct cli_connection *c, const struct content *content, unsigned *pastes)
{
    c->doing = "waiting for somebody to paste in the guest";
    enum sm_status status =
        sm_session_offer_clipboard(c->session, selection_of(c), 1u << content->kind);
    if (status != SM_OK)
        return failed(c, status);
    while (*pastes == 0 || c->options->is_kept) {
        struct sm_event event;
        if (!cli_paste_check_agent(c) || !next(c, &event))
            return c->failure->code == CLI_EXIT_INTERRUPTED && *pastes > 0;
        if (event.kind == SM_EVENT_CLIPBOARD_OFFER &&
            sm_session_clipboard_offer(c->session, selection_of(c)))
            return *pastes > 0 ||
                   cli_fail(c->failure, CLI_EXIT_GUEST, "set it again",
                            "something else was copied in the guest before anybody pasted");
        if (event.kind != SM_EVENT_CLIPBOARD_WANTED ||
            !sm_session_clipboard_wanted(c->session, selection_of(c)))
            continue;
        status = send_content(c, content);
        if (status == SM_ERR_NOMEM)
            return cli_fail_nomem(c->failure);
        if (status == SM_ERR_STATE) /* it waits no longer */
            continue;
        if (status != SM_OK && content->kind == SM_CLIPBOARD_FILES)
            return false;
        *pastes += status == SM_OK;
        c->deadline_us = c->options->is_kept ? UINT64_MAX - 1 : c->deadline_us;
    }
    return content->kind == SM_CLIPBOARD_FILES ? await_reading(c) : cli_paste_hand_over(c);
}

static bool set(const struct cli_options *o, struct cli_failure *failure)
{
    struct cli_connection connection = {.signal_fd = -1};
    struct content content = {.kind = SM_CLIPBOARD_NOTHING};
    unsigned pastes = 0;
    bool is_good = load(o, &content, failure);
    if (is_good) {
        is_good = cli_connection_open(&connection, o, 0, 0, failure) &&
                  cli_paste_check_agent(&connection) &&
                  (content.kind != SM_CLIPBOARD_FILES || check_files(&connection)) &&
                  serve(&connection, &content, &pastes) && cli_connection_finish(&connection);
        cli_connection_close(&connection);
    }
    if (is_good && o->is_json) {
        struct cli_json json = cli_report_begin(stdout, o->command);
        cli_json_text(&json, "type", sm_clipboard_kind_name(content.kind));
        if (content.kind == SM_CLIPBOARD_FILES)
            cli_json_number(&json, "files", o->file_count);
        else
            cli_json_number(&json, "bytes", (int64_t)content.size);
        cli_json_number(&json, "pastes", pastes);
        cli_report_end(&json);
    }
    free(content.data);
    return is_good;
}

static bool run(struct cli_options *o, struct cli_failure *failure)
{
    struct cli_connection connection;
    o->wants_agent = true;
    if (o->is_setting)
        return set(o, failure);
    bool is_good = cli_connection_open(&connection, o, 0, 0, failure) &&
                   cli_paste_check_agent(&connection) && get(&connection);
    cli_connection_close(&connection);
    return is_good;
}

static bool take_files(struct cli_options *o, int count, char **words, struct cli_failure *failure)
{
    if (!o->is_setting)
        return cli_fail(failure, CLI_EXIT_USAGE,
                        "share a folder, and let the guest copy them there: sumac share",
                        "guests offer no files, only text and pictures");
    if (o->text_file || o->is_watching || o->output)
        return cli_usage(o, failure, "with --type files they are named behind set", "");
    if (!cli_words_check(o, count, words, 2, INT_MAX, failure))
        return false;
    o->files = words + 1;
    o->file_count = (uint32_t)count - 1;
    return true;
}

static bool take_words(struct cli_options *o, int count, char **words, struct cli_failure *failure)
{
    o->is_setting = count > 0 && strcmp(words[0], "set") == 0;
    if (count < 1 || (!o->is_setting && strcmp(words[0], "get") != 0))
        return cli_usage(o, failure, "get or set is to follow the address, not ",
                         count > 0 ? words[0] : "nothing");
    if (o->clipboard_kind == SM_CLIPBOARD_FILES)
        return take_files(o, count, words, failure);
    bool has_text = o->is_setting && !o->text_file;
    if (!cli_words_check(o, count, words, 1 + has_text, 1 + has_text, failure))
        return false;
    o->text = has_text ? words[1] : NULL;
    if (o->is_setting && (o->is_watching || o->output))
        return cli_usage(o, failure, "--watch and --output are for get", "");
    if (!o->is_setting && (o->is_kept || o->text_file))
        return cli_usage(o, failure, "--keep and --file are for set", "");
    if (o->is_watching && o->output)
        return cli_usage(o, failure, "--watch writes to the standard output only", "");
    return true;
}

static const struct cli_choice KINDS[] = {
    {"text", SM_CLIPBOARD_TEXT},
    {"png", SM_CLIPBOARD_PNG},
    {"bmp", SM_CLIPBOARD_BMP},
    {"tiff", SM_CLIPBOARD_TIFF},
    {"jpeg", SM_CLIPBOARD_JPEG},
    {"files", SM_CLIPBOARD_FILES},
    {NULL},
};

static const struct cli_choice SELECTIONS[] = {
    {"clipboard", SM_SELECTION_CLIPBOARD},
    {"primary", SM_SELECTION_PRIMARY},
    {"secondary", SM_SELECTION_SECONDARY},
    {NULL},
};

#define FIELD(name) offsetof(struct cli_options, name)

static const struct cli_option OPTIONS[] = {
    {"type", "TYPE",
     "text, png, bmp, tiff or jpeg; without it get takes text,\n"
     "else a picture, and set what the file begins with. files:\n"
     "set takes files and folders instead of a text; the guest\n"
     "reads them where it pastes, by its spice-webdavd",
     CLI_VALUE_CHOICE, FIELD(clipboard_kind), .choices = KINDS},
    {"image", NULL, "the same as --type png", CLI_VALUE_FLAG, FIELD(is_image)},
    {"selection", "NAME",
     "clipboard (default); primary is what is selected with the\n"
     "pointer and pasted with its middle button; or secondary",
     CLI_VALUE_CHOICE, FIELD(selection), .choices = SELECTIONS},
    {"output", "FILE", "get: write there; the file appears whole or not at all", CLI_VALUE_FILE,
     FIELD(output)},
    {"watch", NULL,
     "get: again each time something is copied, until Ctrl-C;\n"
     "texts are followed by a line end, and with --json each is\n"
     "an object on a line of its own",
     CLI_VALUE_FLAG, FIELD(is_watching)},
    {"file", "FILE", "set: what is in FILE; - is the standard input", CLI_VALUE_FILE,
     FIELD(text_file)},
    {"keep", NULL,
     "set: for any number of pastes, until something is copied\n"
     "in the guest, or Ctrl-C",
     CLI_VALUE_FLAG, FIELD(is_kept)},
    {NULL},
};

const struct cli_command cli_command_clipboard = {
    .name = "clipboard",
    .words = "ADDRESS get | set TEXT | set --file FILE | set --type files FILE...",
    .summary = "get what is copied in the guest, or set what it pastes",
    .about =
        "get waits until something is copied in the guest and writes it to the standard output; "
        "of\n"
        "what was copied before, agents do not tell. set offers a text or picture to the guest,\n"
        "waits until it was pasted there once, and ends: the guest asks for it when it pastes, so\n"
        "until then the command has to run. The guest needs spice-vdagent and somebody logged "
        "in.\n",
    .options = OPTIONS,
    .take_words = take_words,
    .run = run,
};
