/* SPDX-License-Identifier: MIT */
/* A doubly linked list whose links live in the items. */
#ifndef SM_CORE_BASE_LIST_H
#define SM_CORE_BASE_LIST_H

#include <stdbool.h>
#include <stddef.h>

/** A link, or the head of a list. An item is in at most one list per link. */
struct sm_list {
    struct sm_list *prev, *next;
};

/** The item that holds `link` as its member. */
#define SM_LIST_ITEM(link, type, member) ((type *)(void *)((char *)(link)-offsetof(type, member)))

/** Visits every link of `head`; the body may remove the visited one. */
#define SM_LIST_FOR(link, head)                                                                    \
    for (struct sm_list *link = (head)->next, *link##_next = link->next; link != (head);           \
         link = link##_next, link##_next = link->next)

static inline void sm_list_init(struct sm_list *head)
{
    head->prev = head->next = head;
}

static inline bool sm_list_is_empty(const struct sm_list *head)
{
    return head->next == head;
}

/** Puts `link` behind `at`: at the front of a list if `at` is its head. */
static inline void sm_list_insert(struct sm_list *at, struct sm_list *link)
{
    link->prev = at;
    link->next = at->next;
    at->next->prev = link;
    at->next = link;
}

static inline void sm_list_append(struct sm_list *head, struct sm_list *link)
{
    sm_list_insert(head->prev, link);
}

/** Takes `link` out of its list; harmless when it is in none but was initialised. */
static inline void sm_list_remove(struct sm_list *link)
{
    link->prev->next = link->next;
    link->next->prev = link->prev;
    sm_list_init(link);
}

#endif
