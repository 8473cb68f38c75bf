/* SPDX-License-Identifier: MIT */
/* What clients with the capability PEOPLE are told of each other, and what they want. */
#include <stdlib.h>
#include <string.h>

#include "core/base/alloc.h"
#include "core/base/text.h"
#include "server/session/internal.h"
#include "server/session/main_channel.h"
#include "server/session/people.h"
#include "server/session/session.h"

static bool can_talk(const struct sm_session *session)
{
    const struct sm_main_channel *main = sm_session_main(session);
    return main && sm_main_channel_can(main, SM_MAIN_CAP_PEOPLE);
}

void sm_people_cut_name(uint8_t *out, size_t size, const char *name)
{
    char line[sizeof(((struct sm_person *)0)->name) + 1];
    struct sm_bytes text = {.data = (const uint8_t *)name, .size = strlen(name)};
    size_t length = sm_text_line(line, size < sizeof(line) ? size + 1 : sizeof(line), text, '?');
    memset(out, 0, size);
    memcpy(out, line, length);
}

static struct sm_person describe(struct sm_session *session)
{
    const struct sm_session_person *person = sm_session_person(session);
    struct sm_person told = {.number = person->number};
    memcpy(told.name, person->name, sizeof(told.name));
    if (sm_session_server(session)->holder == sm_session_id(session))
        told.flags |= SM_PERSON_FLAGS_HOLDER;
    if (sm_session_is_view_only(session))
        told.flags |= SM_PERSON_FLAGS_VIEW_ONLY;
    if (person->asks)
        told.flags |= SM_PERSON_FLAGS_ASKS;
    if (can_talk(session))
        told.flags |= SM_PERSON_FLAGS_CAN_BE_ASKED;
    return told;
}

/* Tells `only`, or everybody if it is NULL. */
static void tell(struct sm_server *server, const struct sm_session *only)
{
    uint32_t count = 0, at = 0;
    for (struct sm_session *s = NULL; (s = sm_session_next(server, s));)
        count++;
    struct sm_person *people = sm_alloc_array(count, sizeof(*people));
    if (!people)
        return; /* the next change tells */
    for (struct sm_session *s = NULL; (s = sm_session_next(server, s));)
        people[at++] = describe(s);
    at = 0;
    for (struct sm_session *s = NULL; (s = sm_session_next(server, s)); at++) {
        people[at].flags |= SM_PERSON_FLAGS_YOU;
        if ((!only || s == only) && can_talk(s) && !sm_session_is_view_only(s))
            sm_main_channel_people(sm_session_main(s), people, count);
        people[at].flags &= ~(uint32_t)SM_PERSON_FLAGS_YOU;
    }
    free(people);
}

static void tell_all(void *opaque)
{
    tell(opaque, NULL);
}

void sm_people_tell(struct sm_session *session)
{
    tell(sm_session_server(session), session);
}

void sm_people_changed(struct sm_server *server)
{
    if (!server->people_task.func)
        server->people_task = (struct sm_main_task){.func = tell_all, .opaque = server};
    sm_main_queue_post_task(server->queue, &server->people_task);
}

static void give_to(struct sm_session *giver, uint32_t number)
{
    struct sm_server *server = sm_session_server(giver);
    struct sm_session *to = NULL;
    while ((to = sm_session_next(server, to)))
        if (sm_session_person(to)->number == number)
            break;
    if (!to || sm_people_hand_over(server, sm_session_id(to)) != SM_OK)
        sm_people_tell(giver); /* it has it still */
}

static void set_asks(struct sm_session *session, bool asks)
{
    struct sm_session_person *person = sm_session_person(session);
    if (person->asks == asks)
        return;
    person->asks = asks;
    sm_people_changed(sm_session_server(session));
}

void sm_people_wish(struct sm_session *session, const struct sm_msgc_main_people_wish *wish)
{
    bool is_holder = sm_session_server(session)->holder == sm_session_id(session);
    if (sm_session_is_view_only(session))
        return;
    switch (wish->wish) {
    case SM_PEOPLE_WISH_ASK:
        set_asks(session, !is_holder);
        return;
    case SM_PEOPLE_WISH_FORGET:
        set_asks(session, false);
        return;
    case SM_PEOPLE_WISH_GIVE:
        if (is_holder)
            give_to(session, wish->number);
        return;
    default: /* of a later Sumac */
        return;
    }
}
