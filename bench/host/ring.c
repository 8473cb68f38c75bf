/* SPDX-License-Identifier: MIT */
#include "bench/host/ring.h"

#include <stdlib.h>

struct queued {
    struct sm_list link;
    QXLCommandExt command;
};

void sm_bench_rings_init(struct sm_bench_rings *rings, unsigned most)
{
    *rings = (struct sm_bench_rings){.most = most, .is_asked_for = {true, true}};
    pthread_mutex_init(&rings->lock, NULL);
    pthread_cond_init(&rings->moved, NULL);
    sm_list_init(&rings->queues[0]);
    sm_list_init(&rings->queues[1]);
}

bool sm_bench_rings_put(struct sm_bench_rings *rings, const QXLCommandExt *command, bool at_once)
{
    struct queued *item = malloc(sizeof(*item));
    if (!item)
        abort(); /* a bench without memory measures nothing */
    item->command = *command;
    unsigned ring =
        command->cmd.type == QXL_CMD_CURSOR ? SM_BENCH_CURSOR_RING : SM_BENCH_DISPLAY_RING;
    pthread_mutex_lock(&rings->lock);
    while (!at_once && rings->queued >= rings->most)
        pthread_cond_wait(&rings->moved, &rings->lock);
    sm_list_append(&rings->queues[ring], &item->link);
    rings->queued++;
    rings->put++;
    bool is_asked_for = rings->is_asked_for[ring];
    rings->is_asked_for[ring] = false;
    pthread_mutex_unlock(&rings->lock);
    return is_asked_for;
}

int sm_bench_rings_ask(struct sm_bench_rings *rings, enum sm_bench_ring_name ring)
{
    pthread_mutex_lock(&rings->lock);
    bool is_empty = sm_list_is_empty(&rings->queues[ring]);
    rings->is_asked_for[ring] = is_empty;
    pthread_mutex_unlock(&rings->lock);
    return is_empty;
}

int sm_bench_rings_take(struct sm_bench_rings *rings, enum sm_bench_ring_name ring,
                        QXLCommandExt *out)
{
    struct queued *item = NULL;
    pthread_mutex_lock(&rings->lock);
    struct sm_list *queue = &rings->queues[ring];
    if (!sm_list_is_empty(queue)) {
        item = SM_LIST_ITEM(queue->next, struct queued, link);
        sm_list_remove(&item->link);
        rings->queued--;
        if (rings->queued == rings->most / 2) /* not at every command: that would be the cost */
            pthread_cond_signal(&rings->moved);
    }
    pthread_mutex_unlock(&rings->lock);
    if (!item)
        return 0;
    *out = item->command;
    free(item);
    return 1;
}

int sm_bench_rings_is_empty(struct sm_bench_rings *rings, enum sm_bench_ring_name ring)
{
    pthread_mutex_lock(&rings->lock);
    int is_empty = sm_list_is_empty(&rings->queues[ring]);
    pthread_mutex_unlock(&rings->lock);
    return is_empty;
}

void sm_bench_rings_note_release(struct sm_bench_rings *rings)
{
    pthread_mutex_lock(&rings->lock);
    rings->released++;
    pthread_mutex_unlock(&rings->lock);
}

uint64_t sm_bench_rings_released(struct sm_bench_rings *rings)
{
    pthread_mutex_lock(&rings->lock);
    uint64_t released = rings->released;
    pthread_mutex_unlock(&rings->lock);
    return released;
}
