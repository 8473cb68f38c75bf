/* SPDX-License-Identifier: MIT */
#include "cli/help.h"

#include "cli/failure.h"

static const char PROGRAM[] =
    "usage: sumac COMMAND ADDRESS [...] [OPTIONS]\n"
    "\n"
    "Looks at and works with a virtual machine whose screen is served by SPICE.\n"
    "\n"
    "commands (sumac COMMAND --help tells more):\n"
    "  info        show what the server says about itself and the machine\n"
    "  screenshot  save the picture as a PNG file\n"
    "  type        type text on the machine's keyboard\n"
    "  key         press a key, or several together, such as ctrl-alt-f2\n"
    "  click       click somewhere\n"
    "  wait        wait until the picture stands still\n"
    "  port        join a port of the machine, such as a serial console\n"
    "  stats       show what a server on this machine counts\n"
    "\n"
    "addresses:\n"
    "  spice://HOST:PORT        such as spice://localhost:5900 or spice://[::1]:5900\n"
    "  spice+tls://HOST:PORT    the TLS port\n"
    "  spice://HOST?port=PORT&tls-port=PORT\n"
    "  spice+unix:///PATH       a local socket\n"
    "  FILE.vv                  a connection file, as remote-viewer takes it\n";

static const char COMMON[] =
    "\n"
    "options of every command but stats:\n"
    "  --user NAME           who logs in, where the server wants that (SASL). With Kerberos\n"
    "                        no name is needed, but a ticket (kinit)\n"
    "  --password TEXT       the server's password. Everybody on this machine can see it in\n"
    "                        the list of processes while the command starts; better:\n"
    "  --password-file FILE  its first line is the password; - is the standard input.\n"
    "                        Without both, the environment variable SUMAC_PASSWORD counts\n"
    "  --ca FILE             trust the authorities in this PEM file; without it those in\n"
    "                        ~/.spicec/spice_truststore.pem, or the system's\n"
    "  --host-subject TEXT   the subject the server's certificate must have, such as\n"
    "                        O=Example,CN=vm1; its host name is then not compared\n"
    "  --timeout TIME        give up after this time (default 30s); 500ms, 2s, 3m. While\n"
    "                        typing it counts from one key to the next\n"
    "  --json                one JSON object on the standard output, errors included\n"
    "  --verbose             say on the standard error what happens\n"
    "  -h, --help            this text\n"
    "  -V, --version         the version\n";

static const char INFO[] =
    "usage: sumac info ADDRESS [OPTIONS]\n"
    "\n"
    "Connects and shows the machine's name, its displays and monitors, mouse mode, guest\n"
    "agent and the channels the server offers.\n";

static const char SCREENSHOT[] =
    "usage: sumac screenshot ADDRESS FILE [OPTIONS]\n"
    "\n"
    "Saves the picture of one monitor, without the pointer, as a PNG file; - is the standard\n"
    "output. The file appears whole or not at all. The picture is taken once the server has\n"
    "declared it complete and it has stood still for a short while.\n"
    "\n"
    "options:\n"
    "  --display N          which monitor, from 0 (default 0)\n"
    "  --settle TIME        how long it has to stand still (default 200ms; 0 not at all)\n"
    "  --settle-limit TIME  take it after this time though it still moves (default 2s)\n"
    "  --tolerance PIXELS   changes within one spot of this size do not count (default 512:\n"
    "                       a blinking text cursor)\n";

static const char TYPE[] =
    "usage: sumac type ADDRESS TEXT [OPTIONS]\n"
    "       sumac type ADDRESS --file FILE [OPTIONS]\n"
    "\n"
    "Types text on the machine's keyboard as on a US keyboard; the guest must have a US\n"
    "layout. A line end is Enter, a tabulator is Tab. If a character is not on the keyboard,\n"
    "nothing at all is typed.\n"
    "\n"
    "options:\n"
    "  --file FILE    type what is in FILE; - is the standard input\n"
    "  --delay TIME   pause between keys (default 15ms), for guests that lose keys\n";

static const char KEY[] =
    "usage: sumac key ADDRESS KEYS [OPTIONS]\n"
    "\n"
    "Presses keys together, in the order given, and lets them go in reverse order. KEYS are\n"
    "names joined by - or +, such as ctrl-alt-f2, shift+tab, super, ctrl-page-up.\n"
    "\n"
    "options:\n"
    "  --hold TIME    how long they are held (default 50ms)\n";

static const char CLICK[] =
    "usage: sumac click ADDRESS X Y [OPTIONS]\n"
    "\n"
    "Moves the pointer to pixel X Y of a monitor, counted from its top left corner, and\n"
    "clicks. With a tablet device or a guest agent (mouse mode client) the place is exact.\n"
    "Without, only relative motion can be sent: the pointer is first pushed into the top left\n"
    "corner, and acceleration in the guest makes the place inexact.\n"
    "\n"
    "options:\n"
    "  --button NAME   left (default), middle, right, up, down (the wheel), side, extra\n"
    "  --double        click twice\n"
    "  --display N     which monitor, from 0 (default 0)\n";

static const char WAIT[] =
    "usage: sumac wait ADDRESS [--stable TIME] [OPTIONS]\n"
    "\n"
    "Waits until a monitor's picture is complete and has stood still for a while.\n"
    "\n"
    "options:\n"
    "  --stable TIME       how long it has to stand still (default 500ms)\n"
    "  --tolerance PIXELS  changes within one spot of this size do not count (default 512:\n"
    "                      a blinking text cursor)\n"
    "  --display N         which monitor, from 0 (default 0)\n";

static const char STATS[] =
    "usage: sumac stats PATH [--json | --prometheus] [--watch] [--timeout TIME]\n"
    "\n"
    "Shows who is connected to a server on this machine and what it counts: bytes, round\n"
    "trips, pictures, encoding times, codecs, age of pixels. PATH is the socket that the server\n"
    "was told with SUMAC_STATS_SOCKET; only its user may open it. No password is asked for.\n"
    "\n"
    "options:\n"
    "  --json         one JSON object\n"
    "  --prometheus   Prometheus's text format\n"
    "  --watch        again every second, until Ctrl-C\n";

static const char PORT[] =
    "usage: sumac port ADDRESS [NAME] [OPTIONS]\n"
    "\n"
    "Without NAME, lists the machine's ports (its SPICE ports, and who listens). With it, joins "
    "the\n"
    "port: what comes goes to the standard output, the standard input goes to the machine. At a\n"
    "terminal Ctrl-] leaves; otherwise it ends when the port closes, or a second after the end of\n"
    "the input in which nothing came. Well-known names: org.qemu.monitor.qmp.0 (QEMU's control\n"
    "protocol, one JSON object a line), org.qemu.console.serial.0 (a serial console).\n";

static const char *text_of(enum cli_command command)
{
    switch (command) {
    case CLI_COMMAND_INFO:
        return INFO;
    case CLI_COMMAND_SCREENSHOT:
        return SCREENSHOT;
    case CLI_COMMAND_TYPE:
        return TYPE;
    case CLI_COMMAND_KEY:
        return KEY;
    case CLI_COMMAND_STATS:
        return STATS;
    case CLI_COMMAND_CLICK:
        return CLICK;
    case CLI_COMMAND_PORT:
        return PORT;
    case CLI_COMMAND_WAIT:
        return WAIT;
    case CLI_COMMAND_NONE:
        break;
    }
    return PROGRAM;
}

static void print_key_names(FILE *out)
{
    fputs("\nkeys:\n ", out);
    int column = 1;
    const char *name;
    for (size_t i = 0; (name = sm_key_name_at(i)); i++) {
        int width = fprintf(out, " %s", name);
        column += width > 0 ? width : 0;
        if (column > 76) {
            fputs("\n ", out);
            column = 1;
        }
    }
    fputc('\n', out);
}

static void print_exit_codes(FILE *out)
{
    fputs("\nexit codes (the word is `kind` in the JSON of an error):\n", out);
    const struct cli_exit_entry *entry;
    for (size_t i = 0; (entry = cli_exit_entry_at(i)); i++)
        fprintf(out, "  %3d  %-20s %s\n", (int)entry->code, entry->kind, entry->meaning);
}

void cli_help_print(FILE *out, enum cli_command command)
{
    fputs(text_of(command), out);
    if (command == CLI_COMMAND_KEY)
        print_key_names(out);
    if (command != CLI_COMMAND_STATS) /* it logs in nowhere */
        fputs(COMMON, out);
    if (command == CLI_COMMAND_NONE)
        print_exit_codes(out);
}
