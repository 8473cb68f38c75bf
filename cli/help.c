/* SPDX-License-Identifier: MIT */
#include "cli/help.h"

#include <string.h>

#include "cli/failure.h"
#include "cli/options.h"

enum { OPTION_COLUMN = 24 }; /* where explanations begin */

static const char PROGRAM[] =
    "usage: sumac COMMAND ADDRESS [...] [OPTIONS]\n"
    "\n"
    "Looks at and works with a virtual machine whose screen is served by SPICE.\n"
    "\n"
    "commands (sumac COMMAND --help tells more):\n";

static const char ADDRESSES[] =
    "\n"
    "addresses:\n"
    "  spice://HOST:PORT        such as spice://localhost:5900 or spice://[::1]:5900\n"
    "  spice+tls://HOST:PORT    the TLS port\n"
    "  spice://HOST?port=PORT&tls-port=PORT\n"
    "  spice+unix:///PATH       a local socket\n"
    "  FILE.vv                  a connection file, as remote-viewer takes it\n";

static void print_option(FILE *out, const struct cli_option *option)
{
    int column = fprintf(out, "  --%s%s%s", option->name, option->value ? " " : "",
                         option->value ? option->value : "");
    const char *line = option->help;
    bool has_room = column > 0 && column < OPTION_COLUMN;
    if (!has_room) {
        fputc('\n', out);
        column = 0;
    }
    while (*line) {
        size_t size = strcspn(line, "\n");
        fprintf(out, "%*s%.*s\n", OPTION_COLUMN - column, "", (int)size, line);
        line += size + (line[size] == '\n');
        column = 0;
    }
}

static void print_options(FILE *out, const char *title, const struct cli_option *table)
{
    if (title)
        fprintf(out, "\n%s:\n", title);
    for (; table && table->name; table++)
        print_option(out, table);
}

static void print_commands(FILE *out)
{
    const struct cli_command *command;
    for (size_t i = 0; (command = cli_command_at(i)); i++)
        fprintf(out, "  %-11s %s\n", command->name, command->summary);
}

static void print_exit_codes(FILE *out)
{
    fputs("\nexit codes (the word is `kind` in the JSON of an error):\n", out);
    const struct cli_exit_entry *entry;
    for (size_t i = 0; (entry = cli_exit_entry_at(i)); i++) {
        fprintf(out, "  %3d  %-20s %s\n", (int)entry->code, entry->kind, entry->meaning);
        if (entry->others)
            fprintf(out, "       %-20s also: %s\n", "", entry->others);
    }
}

void cli_help_print(FILE *out, const struct cli_command *command)
{
    if (command) {
        fprintf(out, "usage: sumac %s %s%s[OPTIONS]\n\n%s", command->name, command->words,
                command->words[0] ? " " : "", command->about);
        if (command->options)
            print_options(out, "options", command->options);
        if (command->print_more)
            command->print_more(out);
    } else {
        fputs(PROGRAM, out);
        print_commands(out);
        fputs(ADDRESSES, out);
    }
    print_options(out, "options of every command", CLI_OPTIONS_OF_ALL);
    if (!command || !command->is_local)
        print_options(out, "options of every command with an address", CLI_OPTIONS_OF_MACHINES);
    if (!command)
        print_exit_codes(out);
}
