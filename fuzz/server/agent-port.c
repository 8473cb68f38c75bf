/* SPDX-License-Identifier: MIT */
/*
 * What a guest writes to its agent's port. Invariant: no crash, and how the bytes are cut into
 * reads does not change whether the agent is taken for broken.
 */
#include "fuzz/support/fuzz.h"

#include <stdbool.h>
#include <string.h>

#include "io/epoll_loop.h"
#include "server/device/agent.h"
#include "server/session/server.h"

struct guest {
    const uint8_t *data;
    size_t left;
    size_t piece; /* most bytes a read gives */
};

static int guest_write(void *context, const uint8_t *data, int size)
{
    (void)context;
    (void)data;
    return size;
}

static int guest_read(void *context, uint8_t *to, int size)
{
    struct guest *guest = context;
    size_t given = guest->left < (size_t)size ? guest->left : (size_t)size;
    given = given < guest->piece ? given : guest->piece;
    memcpy(to, guest->data, given);
    guest->data += given;
    guest->left -= given;
    return (int)given;
}

/* Whether the agent is still taken seriously when everything was read. */
static bool survives(struct sm_epoll_loop *loop, const uint8_t *data, size_t size, size_t piece)
{
    static const struct sm_char_device_ops ops = {.write = guest_write, .read = guest_read};
    struct guest guest = {.data = data, .left = size, .piece = piece};
    struct sm_server *server;
    if (sm_server_create(&server, NULL))
        return false;
    FUZZ_CHECK(sm_server_init(server, sm_epoll_loop_base(loop), NULL, NULL) == SM_OK);
    struct sm_agent *agent = sm_server_agent(server);
    FUZZ_CHECK(sm_agent_attach(agent, &ops, &guest, true) == SM_OK);
    sm_agent_client_connected(agent); /* what it says is judged, not only thrown away */
    sm_agent_wakeup(agent, &guest);
    bool is_attached = sm_agent_is_attached(agent);
    FUZZ_CHECK(guest.left == 0 || !is_attached);
    sm_server_destroy(server);
    return is_attached;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    if (size < 1 || size > FUZZ_MAX_SIZE)
        return 0;
    struct sm_epoll_loop *loop;
    if (sm_epoll_loop_create(&loop))
        return 0;
    bool whole = survives(loop, data + 1, size - 1, SIZE_MAX);
    bool split = survives(loop, data + 1, size - 1, 1 + data[0] % 32);
    FUZZ_CHECK(whole == split);
    sm_epoll_loop_destroy(loop);
    return 0;
}
