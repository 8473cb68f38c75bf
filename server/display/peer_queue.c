/* SPDX-License-Identifier: MIT */
#include "server/display/peer_queue.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "core/base/alloc.h"
#include "server/display/limits.h"

enum {
    /* When the queue collapses: this old and this long, or longer, or larger. */
    COLLAPSE_AGE_US = 50 * 1000,
    COLLAPSE_AGED_COUNT = 8,
    COLLAPSE_COUNT = 256,
    COLLAPSE_BYTES = 16 << 20,
    COVER_STEPS = 300, /* items a new one is compared with: seldom more wait */
};

static struct sm_peer_item *item_of(struct sm_list *link)
{
    return SM_LIST_ITEM(link, struct sm_peer_item, link);
}

void sm_peer_queue_init(struct sm_peer_queue *queue)
{
    *queue = (struct sm_peer_queue){0};
    sm_list_init(&queue->items);
    sm_backlog_init(&queue->backlog);
}

enum sm_status sm_peer_queue_add_missed(struct sm_peer_queue *queue, uint32_t surface_id,
                                        struct sm_rect area)
{
    return sm_backlog_add(&queue->backlog, surface_id, area);
}

struct sm_peer_item *sm_peer_queue_first(struct sm_peer_queue *queue)
{
    return sm_list_is_empty(&queue->items) ? NULL : item_of(queue->items.next);
}

void sm_peer_queue_remove(struct sm_peer_queue *queue, struct sm_peer_item *item)
{
    sm_list_remove(&item->link);
    queue->count--;
    if (item->drawable)
        queue->bytes -= item->drawable->drawing->size_bytes;
}

void sm_peer_item_destroy(struct sm_peer_item *item)
{
    sm_drawable_unref(item->drawable);
    sm_region_finish(&item->visible);
    if (item->late)
        item->ops->destroy(item->late, false);
    free(item->heads);
    if (item->fd >= 0)
        (void)close(item->fd);
    free(item);
}

static void drop(struct sm_peer_queue *queue, struct sm_peer_item *item)
{
    sm_peer_queue_remove(queue, item);
    sm_peer_item_destroy(item);
}

void sm_peer_queue_clear(struct sm_peer_queue *queue)
{
    SM_LIST_FOR (link, &queue->items)
        drop(queue, item_of(link));
}

void sm_peer_queue_finish(struct sm_peer_queue *queue)
{
    sm_peer_queue_clear(queue);
    sm_backlog_finish(&queue->backlog);
}

/* ---- falling behind ---- */

static enum sm_status miss(struct sm_peer_queue *queue, const struct sm_drawing *drawing)
{
    /* Every drawing message begins with the same base. */
    return sm_backlog_add(&queue->backlog, drawing->msg.draw_fill.base.surface_id, drawing->bounds);
}

bool sm_peer_queue_is_empty(const struct sm_peer_queue *queue)
{
    return sm_list_is_empty(&queue->items) && sm_backlog_is_empty(&queue->backlog);
}

enum sm_status sm_peer_queue_miss(struct sm_peer_queue *queue, const struct sm_drawing *drawing,
                                  uint64_t now_us)
{
    queue->drawn_us = now_us;
    return miss(queue, drawing);
}

static bool is_behind(const struct sm_peer_queue *queue, uint64_t now_us)
{
    if (queue->count > COLLAPSE_COUNT || queue->bytes > COLLAPSE_BYTES)
        return true;
    const struct sm_peer_item *oldest = item_of(queue->items.next);
    return queue->count > COLLAPSE_AGED_COUNT && now_us - oldest->queued_us > COLLAPSE_AGE_US;
}

/*
 * Drawings become areas; the rest stays and keeps its order. Until the backlog is sent, new
 * drawings join it: one that reads a surface the client has not seen the newest of must not be
 * carried out there.
 */
enum sm_status sm_peer_queue_collapse(struct sm_peer_queue *queue)
{
    SM_LIST_FOR (link, &queue->items) {
        struct sm_peer_item *item = item_of(link);
        if (item->drawable) {
            enum sm_status status = miss(queue, item->drawable->drawing);
            if (status)
                return status;
            drop(queue, item);
        } else if (item->kind == SM_PEER_MESSAGE &&
                   item->msg.type == SM_MSG_DISPLAY_SURFACE_DESTROY) {
            sm_backlog_forget(&queue->backlog, item->msg.surface_destroy.surface_id);
        }
    }
    return SM_OK;
}

void sm_peer_queue_forget(struct sm_peer_queue *queue, uint32_t surface_id)
{
    sm_backlog_forget(&queue->backlog, surface_id);
}

bool sm_peer_queue_take_missed(struct sm_peer_queue *queue, uint32_t max_pixels,
                               uint32_t *surface_id, struct sm_rect *area)
{
    queue->is_catching_up = sm_backlog_take(&queue->backlog, max_pixels, surface_id, area);
    return queue->is_catching_up;
}

void sm_peer_queue_begin_piece(struct sm_peer_queue *queue)
{
    queue->is_catching_up = true;
}

void sm_peer_queue_end_missed(struct sm_peer_queue *queue)
{
    queue->is_catching_up = false;
}

/* ---- what nobody can see any more ---- */

/* Every drawing message begins with the same base. */
static uint32_t target_of(const struct sm_peer_item *item)
{
    return item->drawable->drawing->msg.draw_fill.base.surface_id;
}

/* Whether an item has to find the surface as it is: then what waits before it is needed. */
static bool needs(const struct sm_peer_item *item, uint32_t surface_id)
{
    if (item->kind == SM_PEER_MESSAGE)
        return (item->msg.type == SM_MSG_DISPLAY_SURFACE_CREATE &&
                item->msg.surface_create.surface_id == surface_id) ||
               (item->msg.type == SM_MSG_DISPLAY_SURFACE_DESTROY &&
                item->msg.surface_destroy.surface_id == surface_id);
    if (item->kind != SM_PEER_DRAWING || target_of(item) == surface_id)
        return false; /* a frame only writes; what a drawing reads of its target, it says itself */
    const struct sm_drawing *drawing = item->drawable->drawing;
    for (uint32_t i = 0; i < drawing->dependency_count; i++) {
        if (drawing->dependencies[i].surface_id == surface_id)
            return true;
    }
    return false;
}

/* Drops what waits before the newest item and is covered; what may not be sent then, is not. */
static void drop_covered(struct sm_peer_queue *queue, struct sm_cover *cover, uint32_t surface_id)
{
    unsigned steps = 0;
    for (struct sm_list *link = queue->items.prev->prev, *older;
         link != &queue->items && steps < COVER_STEPS && !sm_cover_is_over(cover);
         link = older, steps++) {
        struct sm_peer_item *item = item_of(link);
        older = link->prev;
        if (needs(item, surface_id))
            break;
        if (item->kind == SM_PEER_DRAWING && target_of(item) == surface_id &&
            sm_cover_pass(cover, &item->drawable->footprint, &item->visible))
            drop(queue, item);
    }
    sm_cover_finish(cover);
}

static void drop_under_drawing(struct sm_peer_queue *queue, const struct sm_peer_item *item)
{
    struct sm_cover cover;
    sm_cover_begin(&cover, &item->drawable->footprint);
    drop_covered(queue, &cover, target_of(item));
}

/* Nobody will see what is drawn on a surface before it goes, unless something reads it. */
static void drop_under_destroy(struct sm_peer_queue *queue, uint32_t surface_id)
{
    struct sm_cover cover;
    sm_cover_begin_all(&cover, INT32_MAX, INT32_MAX);
    drop_covered(queue, &cover, surface_id);
}

/* ---- adding ---- */

static enum sm_status add(struct sm_peer_queue *queue, enum sm_peer_item_kind kind, uint64_t now_us,
                          struct sm_peer_item **out)
{
    if (queue->count >= SM_DISPLAY_MAX_MESSAGES)
        return SM_ERR_LIMIT;
    struct sm_peer_item *item = calloc(1, sizeof(*item));
    if (!item)
        return SM_ERR_NOMEM;
    item->kind = kind;
    item->fd = -1;
    item->queued_us = now_us;
    sm_list_append(&queue->items, &item->link);
    queue->count++;
    *out = item;
    return SM_OK;
}

enum sm_status sm_peer_queue_add_drawing(struct sm_peer_queue *queue, struct sm_drawable *drawable,
                                         uint64_t now_us)
{
    if (!queue->is_catching_up)
        queue->drawn_us = now_us;
    if (!sm_backlog_is_empty(&queue->backlog) && !queue->is_catching_up)
        return miss(queue, drawable->drawing);
    struct sm_peer_item *item;
    enum sm_status status = add(queue, SM_PEER_DRAWING, now_us, &item);
    if (status)
        return status;
    item->drawable = sm_drawable_ref(drawable);
    queue->bytes += drawable->drawing->size_bytes;
    if (sm_region_copy(&item->visible, &drawable->footprint.writes) != SM_OK)
        sm_region_init_rect(&item->visible, drawable->drawing->bounds);
    drop_under_drawing(queue, item);
    return is_behind(queue, now_us) ? sm_peer_queue_collapse(queue) : SM_OK;
}

/* A scan-out that waits and that no draw refers to is of no interest any more. */
static void drop_stale_scanout(struct sm_peer_queue *queue)
{
    for (struct sm_list *link = queue->items.prev; link != &queue->items; link = link->prev) {
        struct sm_peer_item *item = item_of(link);
        if (item->kind == SM_PEER_MESSAGE && item->msg.type == SM_MSG_DISPLAY_GL_DRAW)
            return;
        if (item->fd >= 0) {
            drop(queue, item);
            return;
        }
    }
}

static enum sm_status copy_heads(struct sm_peer_item *item)
{
    if (item->msg.type != SM_MSG_DISPLAY_MONITORS_CONFIG)
        return SM_OK;
    size_t count = item->msg.monitors_config.num_heads;
    item->heads = sm_alloc_array(count, sizeof(*item->heads));
    if (!item->heads)
        return SM_ERR_NOMEM;
    memcpy(item->heads, item->msg.monitors_config.heads, count * sizeof(*item->heads));
    item->msg.monitors_config.heads = item->heads;
    return SM_OK;
}

enum sm_status sm_peer_queue_add_message(struct sm_peer_queue *queue,
                                         const struct sm_display_msg *msg, int fd, uint64_t now_us)
{
    if (fd >= 0)
        drop_stale_scanout(queue);
    struct sm_peer_item *item;
    enum sm_status status = add(queue, SM_PEER_MESSAGE, now_us, &item);
    if (status) {
        if (fd >= 0)
            (void)close(fd);
        return status;
    }
    item->msg = *msg;
    item->fd = fd;
    if (msg->type == SM_MSG_DISPLAY_SURFACE_DESTROY) {
        sm_backlog_forget(&queue->backlog, msg->surface_destroy.surface_id);
        drop_under_destroy(queue, msg->surface_destroy.surface_id);
    }
    status = copy_heads(item);
    if (status)
        drop(queue, item);
    return status;
}

enum sm_status sm_peer_queue_add_late(struct sm_peer_queue *queue, const struct sm_late_ops *ops,
                                      void *late, uint64_t now_us)
{
    struct sm_peer_item *item;
    enum sm_status status = add(queue, SM_PEER_LATE, now_us, &item);
    if (status) {
        ops->destroy(late, false);
        return status;
    }
    item->ops = ops;
    item->late = late;
    return SM_OK;
}
