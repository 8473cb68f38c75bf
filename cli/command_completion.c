/* SPDX-License-Identifier: MIT */
/* Completions of shells, from the table of commands. */
#include <stdio.h>
#include <string.h>

#include "cli/commands.h"
#include "cli/options.h"

static bool takes_file(const struct cli_option *option)
{
    return option->kind == CLI_VALUE_FILE || strcmp(option->name, "password-file") == 0;
}

/* ---- bash ---- */

static void put_bash_values(const struct cli_option *option)
{
    if (!option->value)
        return;
    printf("    --%s) ", option->name);
    if (takes_file(option)) {
        fputs("compopt -o filenames; COMPREPLY=($(compgen -f -- \"$cur\"))", stdout);
    } else if (option->kind == CLI_VALUE_CHOICE) {
        fputs("COMPREPLY=($(compgen -W '", stdout);
        for (const struct cli_choice *choice = option->choices; choice->name; choice++)
            printf("%s%s", choice == option->choices ? "" : " ", choice->name);
        fputs("' -- \"$cur\"))", stdout);
    } else {
        fputs(":", stdout);
    }
    fputs("; return ;;\n", stdout);
}

static void put_bash_names(const struct cli_option *table)
{
    for (; table && table->name; table++)
        printf(" --%s", table->name);
}

static void print_bash(void)
{
    const struct cli_command *command;
    fputs("# SPDX-License-Identifier: MIT\n"
          "_sumac() {\n"
          "  local cur=${COMP_WORDS[COMP_CWORD]} prev=${COMP_WORDS[COMP_CWORD-1]}\n"
          "  COMPREPLY=()\n"
          "  if [ \"$COMP_CWORD\" -eq 1 ]; then\n"
          "    COMPREPLY=($(compgen -W '--help --version",
          stdout);
    for (size_t i = 0; (command = cli_command_at(i)); i++)
        printf(" %s", command->name);
    fputs("' -- \"$cur\")); return\n  fi\n  case \"${COMP_WORDS[1]} $prev\" in\n", stdout);
    for (size_t i = 0; (command = cli_command_at(i)); i++)
        for (const struct cli_option *o = command->options; o && o->name; o++)
            if (o->kind == CLI_VALUE_CHOICE) {
                printf("    '%s --%s') COMPREPLY=($(compgen -W '", command->name, o->name);
                for (const struct cli_choice *choice = o->choices; choice->name; choice++)
                    printf("%s%s", choice == o->choices ? "" : " ", choice->name);
                fputs("' -- \"$cur\")); return ;;\n", stdout);
            }
    fputs("  esac\n  case \"$prev\" in\n", stdout);
    for (const struct cli_option *o = CLI_OPTIONS_OF_MACHINES; o->name; o++)
        put_bash_values(o);
    for (const struct cli_option *o = CLI_OPTIONS_OF_ALL; o->name; o++)
        put_bash_values(o);
    for (size_t i = 0; (command = cli_command_at(i)); i++)
        for (const struct cli_option *o = command->options; o && o->name; o++)
            if (o->kind != CLI_VALUE_CHOICE)
                put_bash_values(o);
    fputs("  esac\n  case \"$cur\" in\n    -*) case \"${COMP_WORDS[1]}\" in\n", stdout);
    for (size_t i = 0; (command = cli_command_at(i)); i++) {
        printf("      %s) COMPREPLY=($(compgen -W '", command->name);
        put_bash_names(CLI_OPTIONS_OF_ALL);
        if (!command->is_local)
            put_bash_names(CLI_OPTIONS_OF_MACHINES);
        put_bash_names(command->options);
        fputs("' -- \"$cur\")) ;;\n", stdout);
    }
    fputs("      esac ;;\n"
          "    *) compopt -o filenames; COMPREPLY=($(compgen -f -- \"$cur\")) ;;\n"
          "  esac\n"
          "}\n"
          "complete -F _sumac sumac\n",
          stdout);
}

/* ---- zsh ---- */

/* Within single quotes and brackets. */
static void put_zsh_text(const char *text)
{
    for (; *text; text++) {
        if (*text == '\'')
            fputs("'\\''", stdout);
        else if (strchr("[]:\\", *text))
            printf("\\%c", *text);
        else
            fputc(*text == '\n' ? ' ' : *text, stdout);
    }
}

static void put_zsh_options(const struct cli_option *table)
{
    for (; table && table->name; table++) {
        printf(" \\\n        '--%s[", table->name);
        put_zsh_text(table->help);
        fputs("]", stdout);
        if (table->value) {
            printf(":%s:", table->value);
            if (takes_file(table))
                fputs("_files", stdout);
            for (const struct cli_choice *c = table->choices; c && c->name; c++)
                printf("%s%s%s", c == table->choices ? "(" : " ", c->name, c[1].name ? "" : ")");
        }
        fputs("'", stdout);
    }
}

static void print_zsh(void)
{
    const struct cli_command *command;
    fputs("#compdef sumac\n# SPDX-License-Identifier: MIT\n"
          "_sumac() {\n"
          "  local -a commands\n"
          "  commands=(\n",
          stdout);
    for (size_t i = 0; (command = cli_command_at(i)); i++) {
        printf("    '%s:", command->name);
        put_zsh_text(command->summary);
        fputs("'\n", stdout);
    }
    fputs("  )\n  if (( CURRENT == 2 )); then\n    _describe command commands\n    return\n  fi\n"
          "  local name=$words[2]\n  shift words\n  (( CURRENT-- ))\n  case $name in\n",
          stdout);
    for (size_t i = 0; (command = cli_command_at(i)); i++) {
        printf("    %s)\n      _arguments", command->name);
        put_zsh_options(command->options);
        put_zsh_options(CLI_OPTIONS_OF_ALL);
        if (!command->is_local)
            put_zsh_options(CLI_OPTIONS_OF_MACHINES);
        fputs(" \\\n        '*:word:_files' ;;\n", stdout);
    }
    fputs("  esac\n}\n_sumac \"$@\"\n", stdout);
}

static bool take_words(struct cli_options *o, int count, char **words, struct cli_failure *failure)
{
    if (!cli_words_check(o, count, words, 1, 1, failure))
        return false;
    o->text = words[0];
    return strcmp(o->text, "bash") == 0 || strcmp(o->text, "zsh") == 0 ||
           cli_usage(o, failure, "completions are there for bash and zsh, not for ", o->text);
}

static bool run(struct cli_options *o, struct cli_failure *failure)
{
    (void)failure;
    if (strcmp(o->text, "bash") == 0)
        print_bash();
    else
        print_zsh();
    return true;
}

const struct cli_command cli_command_completion = {
    .name = "completion",
    .words = "(bash | zsh)",
    .summary = "write what a shell needs to complete command lines",
    .about = "Writes the completions of a shell, which are installed with the program.\n",
    .is_local = true,
    .take_words = take_words,
    .run = run,
};
