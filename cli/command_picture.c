/* SPDX-License-Identifier: MIT */
/* screenshot and wait: commands that look at the picture. */
#include <stdio.h>
#include <string.h>

#include "cli/commands.h"
#include "cli/output.h"
#include "cli/picture.h"
#include "cli/report.h"
#include "cli/settle.h"

static bool write_picture(struct cli_connection *connection, const struct cli_settle *settle,
                          struct cli_output *output)
{
    struct sm_display_view view;
    enum sm_status status = sm_display_lock(connection->session, settle->channel_id, &view);
    if (status == SM_ERR_NOMEM)
        return cli_fail_nomem(connection->failure);
    /* Between the last look and now the machine may have changed its screen. */
    struct sm_rect area = settle->area;
    bool is_there =
        status == SM_OK && area.right <= (int64_t)view.width && area.bottom <= (int64_t)view.height;
    bool is_written =
        is_there && cli_picture_write(output->file,
                                      view.pixels + (size_t)area.top * view.stride_bytes +
                                          (size_t)area.left * 4,
                                      view.stride_bytes, (uint32_t)(area.right - area.left),
                                      (uint32_t)(area.bottom - area.top));
    if (status == SM_OK)
        sm_display_unlock(connection->session, settle->channel_id);
    if (!is_there)
        return cli_fail(connection->failure, CLI_EXIT_NO_DISPLAY, "try again",
                        "the display went away or changed its size just now");
    return is_written ||
           cli_fail(connection->failure, CLI_EXIT_OUTPUT, "make room, or choose another file",
                    "%s could not be written", output->name);
}

static bool take_picture(struct cli_connection *connection, struct cli_settle *settle,
                         struct cli_output *output)
{
    uint32_t kinds = 1u << SM_CHANNEL_KIND_DISPLAY;
    return cli_connection_open(connection, connection->options, kinds, kinds,
                               connection->failure) &&
           cli_settle_wait(connection, settle) && write_picture(connection, settle, output);
}

static void report_picture(const struct cli_options *options, const struct cli_settle *settle)
{
    if (!options->is_json)
        return;
    struct cli_json json = cli_report_begin(stdout, options->command);
    if (options->output)
        cli_json_text(&json, "file", options->output);
    cli_json_number(&json, "display", settle->number);
    cli_json_number(&json, "width", settle->area.right - settle->area.left);
    cli_json_number(&json, "height", settle->area.bottom - settle->area.top);
    cli_json_bool(&json, "still", settle->is_still);
    cli_json_number(&json, "waited_ms", settle->waited_ms);
    cli_report_end(&json);
}

bool cli_screenshot(const struct cli_options *options, struct cli_failure *failure)
{
    struct cli_output output;
    struct cli_connection connection = {.options = options, .failure = failure, .signal_fd = -1};
    struct cli_settle settle = {
        .number = options->display,
        .still_ms = options->settle_ms,
        .limit_ms = options->settle_limit_ms,
        .tolerance_px = options->tolerance_px,
    };
    /* Opened first: a file that cannot be written is no reason to throw out another client. */
    if (!cli_output_open(&output, options->output, failure))
        return false;
    bool is_good = take_picture(&connection, &settle, &output);
    cli_connection_close(&connection);
    if (!is_good) {
        cli_output_abandon(&output);
        return false;
    }
    if (!cli_output_commit(&output, failure))
        return false;
    report_picture(options, &settle);
    return true;
}

bool cli_wait(const struct cli_options *options, struct cli_failure *failure)
{
    struct cli_connection connection;
    struct cli_settle settle = {
        .number = options->display,
        .still_ms = options->stable_ms,
        .limit_ms = UINT32_MAX,
        .tolerance_px = options->tolerance_px,
    };
    uint32_t kinds = 1u << SM_CHANNEL_KIND_DISPLAY;
    bool is_good = cli_connection_open(&connection, options, kinds, kinds, failure) &&
                   cli_settle_wait(&connection, &settle);
    cli_connection_close(&connection);
    if (is_good)
        report_picture(options, &settle);
    return is_good;
}
