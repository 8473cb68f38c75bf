/* SPDX-License-Identifier: MIT */
/* All commands, each in the file of its name. */
#ifndef SM_CLI_COMMANDS_H
#define SM_CLI_COMMANDS_H

#include "cli/command.h"

extern const struct cli_command cli_command_bench;
extern const struct cli_command cli_command_click;
extern const struct cli_command cli_command_completion;
extern const struct cli_command cli_command_monitor;
extern const struct cli_command cli_command_clipboard;
extern const struct cli_command cli_command_copy;
extern const struct cli_command cli_command_drag;
extern const struct cli_command cli_command_exec;
extern const struct cli_command cli_command_info;
extern const struct cli_command cli_command_key;
extern const struct cli_command cli_command_port;
extern const struct cli_command cli_command_record;
extern const struct cli_command cli_command_replay;
extern const struct cli_command cli_command_screenshot;
extern const struct cli_command cli_command_scroll;
extern const struct cli_command cli_command_share;
extern const struct cli_command cli_command_sleep;
extern const struct cli_command cli_command_smartcard;
extern const struct cli_command cli_command_people;
extern const struct cli_command cli_command_sound;
extern const struct cli_command cli_command_stats;
extern const struct cli_command cli_command_type;
extern const struct cli_command cli_command_usb;
extern const struct cli_command cli_command_wait;

/** The names of video codecs, for options: enum sm_movie_codec. */
extern const struct cli_choice CLI_CODECS[];

#endif
