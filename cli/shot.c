/* SPDX-License-Identifier: MIT */
#include "cli/shot.h"

#include "cli/connection.h"
#include "cli/json.h"
#include "cli/output.h"
#include "cli/picture.h"
#include "cli/settle.h"

bool cli_shot_begin(struct cli_connection *connection, uint8_t channel_id, struct sm_rect area,
                    struct cli_shot *shot)
{
    struct sm_display_view view;
    enum sm_status status = sm_display_lock(connection->session, channel_id, &view);
    if (status == SM_ERR_NOMEM)
        return cli_fail_nomem(connection->failure);
    /* Between the last look and now the machine may have changed its screen. */
    if (status == SM_OK && area.right <= (int64_t)view.width &&
        area.bottom <= (int64_t)view.height) {
        *shot = (struct cli_shot){
            .pixels = view.pixels + (size_t)area.top * view.stride_bytes + (size_t)area.left * 4,
            .stride_bytes = view.stride_bytes,
            .width = (uint32_t)(area.right - area.left),
            .height = (uint32_t)(area.bottom - area.top),
        };
        return true;
    }
    if (status == SM_OK)
        sm_display_unlock(connection->session, channel_id);
    return cli_fail(connection->failure, CLI_EXIT_NO_DISPLAY, "try again",
                    "the display went away or changed its size just now");
}

void cli_shot_end(struct cli_connection *connection, uint8_t channel_id)
{
    sm_display_unlock(connection->session, channel_id);
}

bool cli_shot_write(struct cli_connection *connection, uint8_t channel_id, struct sm_rect area,
                    struct cli_output *output)
{
    struct cli_shot shot;
    if (!cli_shot_begin(connection, channel_id, area, &shot))
        return false;
    bool is_written =
        cli_picture_write(output->file, shot.pixels, shot.stride_bytes, shot.width, shot.height);
    cli_shot_end(connection, channel_id);
    return is_written ||
           cli_fail(connection->failure, CLI_EXIT_OUTPUT, "make room, or choose another file",
                    "%s could not be written", output->name);
}

void cli_shot_report(struct cli_json *json, const struct cli_settle *settle)
{
    cli_json_number(json, "display", settle->number);
    cli_json_number(json, "width", settle->area.right - settle->area.left);
    cli_json_number(json, "height", settle->area.bottom - settle->area.top);
    cli_json_bool(json, "still", settle->is_still);
    cli_json_number(json, "waited_ms", settle->waited_ms);
}
