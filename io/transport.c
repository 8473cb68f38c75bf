/* SPDX-License-Identifier: MIT */
#include "io/transport.h"

#include <stdatomic.h>

enum sm_status sm_transport_read(struct sm_transport *t, uint8_t *to, size_t size, size_t *got)
{
    enum sm_status status = t->ops->read(t, to, size, got);
    if (t->meter && status == SM_OK)
        atomic_fetch_add_explicit(&t->meter->received_bytes, *got, memory_order_relaxed);
    return status;
}

enum sm_status sm_transport_writev(struct sm_transport *t, const struct sm_bytes *parts,
                                   size_t count, size_t *put)
{
    enum sm_status status = t->ops->writev(t, parts, count, put);
    if (t->meter && status == SM_OK)
        atomic_fetch_add_explicit(&t->meter->sent_bytes, *put, memory_order_relaxed);
    return status;
}

enum sm_status sm_transport_write(struct sm_transport *t, struct sm_bytes bytes, size_t *put)
{
    return sm_transport_writev(t, &bytes, 1, put);
}

unsigned sm_transport_wants(const struct sm_transport *t, unsigned asked)
{
    return t->ops->wants ? t->ops->wants(t, asked) : asked;
}

bool sm_transport_has_buffered(const struct sm_transport *t)
{
    return t->ops->has_buffered && t->ops->has_buffered(t);
}

enum sm_status sm_transport_flush(struct sm_transport *t)
{
    return t->ops->flush ? t->ops->flush(t) : SM_OK;
}

enum sm_status sm_transport_send_fd(struct sm_transport *t, uint8_t byte, int fd)
{
    return t->ops->send_fd ? t->ops->send_fd(t, byte, fd) : SM_ERR_STATE;
}

enum sm_status sm_transport_accept_fds(struct sm_transport *t)
{
    return t->ops->accept_fds ? t->ops->accept_fds(t) : SM_ERR_STATE;
}

int sm_transport_take_fd(struct sm_transport *t)
{
    return t->ops->take_fd ? t->ops->take_fd(t) : -1;
}

const char *sm_transport_reason(const struct sm_transport *t)
{
    return t->reason;
}

void sm_transport_destroy(struct sm_transport *t)
{
    if (t)
        t->ops->destroy(t);
}
