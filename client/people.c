/* SPDX-License-Identifier: MIT */
#include "client/people.h"

#include <stdlib.h>
#include <string.h>

#include "client/channel_thread.h"
#include "client/session_private.h"
#include "core/base/alloc.h"
#include "core/base/text.h"
#include "core/channel/main/client.h"

enum sm_status sm_client_people_take(struct sm_client_channel *channel,
                                     const struct sm_msg_main_people *msg)
{
    struct sm_session *session = channel->session;
    struct sm_participant *list = sm_alloc_array(msg->num_people, sizeof(*list));
    if (!list)
        return SM_ERR_NOMEM;
    for (uint32_t i = 0; i < msg->num_people; i++) {
        const struct sm_person *person = &msg->people[i];
        list[i] = (struct sm_participant){
            .number = person->number,
            .is_self = person->flags & SM_PERSON_FLAGS_YOU,
            .is_view_only = person->flags & SM_PERSON_FLAGS_VIEW_ONLY,
            .is_holder = person->flags & SM_PERSON_FLAGS_HOLDER,
            .is_asking = person->flags & SM_PERSON_FLAGS_ASKS,
            .can_be_asked = person->flags & SM_PERSON_FLAGS_CAN_BE_ASKED,
        };
        struct sm_bytes name = {.data = person->name, .size = sizeof(person->name)};
        sm_text_line(list[i].name, sizeof(list[i].name), name, '?');
    }
    pthread_mutex_lock(&session->lock);
    free(session->people.list);
    session->people = (struct sm_client_people){.list = list, .count = msg->num_people};
    pthread_mutex_unlock(&session->lock);
    sm_session_tell(session, SM_EVENT_PEOPLE, channel);
    return SM_OK;
}

void sm_client_people_forget(struct sm_client_channel *channel)
{
    struct sm_session *session = channel->session;
    pthread_mutex_lock(&session->lock);
    sm_client_people_finish(&session->people);
    pthread_mutex_unlock(&session->lock);
}

void sm_client_people_finish(struct sm_client_people *people)
{
    free(people->list);
    *people = (struct sm_client_people){0};
}

/* ---- Public ---- */

bool sm_session_knows_people(struct sm_session *session)
{
    pthread_mutex_lock(&session->lock);
    bool knows = session->people.list != NULL;
    pthread_mutex_unlock(&session->lock);
    return knows;
}

size_t sm_session_get_people(struct sm_session *session, struct sm_participant *out, size_t room)
{
    pthread_mutex_lock(&session->lock);
    size_t count = session->people.count;
    for (size_t i = 0; i < count && i < room; i++)
        out[i] = session->people.list[i];
    pthread_mutex_unlock(&session->lock);
    return count;
}

static void wish_call(struct sm_client_channel *channel, const void *argument)
{
    struct sm_main_msgc msg = {.type = SM_MSGC_MAIN_PEOPLE_WISH};
    memcpy(&msg.people_wish, argument, sizeof(msg.people_wish));
    if (!channel->self || !(channel->channel_caps >> SM_MAIN_CAP_PEOPLE & 1))
        return; /* the server is another one by now */
    if (sm_main_client_send(channel->self, &msg) == SM_OK)
        sm_client_channel_kick(channel);
    else
        sm_log_at(&channel->session->log, SM_LOG_WARNING,
                  "what was wished about the devices could not be sent");
}

static enum sm_status wish(struct sm_session *session, uint32_t what, uint32_t number)
{
    struct sm_client_channel *main = sm_session_find(session, SM_CHANNEL_KIND_MAIN, 0);
    if (!main || !sm_session_knows_people(session))
        return SM_ERR_STATE;
    struct sm_msgc_main_people_wish told = {.wish = what, .number = number};
    return sm_client_channel_post(main, wish_call, &told, sizeof(told));
}

enum sm_status sm_session_ask_for_devices(struct sm_session *session, bool is_asking)
{
    return wish(session, is_asking ? SM_PEOPLE_WISH_ASK : SM_PEOPLE_WISH_FORGET, 0);
}

enum sm_status sm_session_give_devices(struct sm_session *session, uint32_t number)
{
    return wish(session, SM_PEOPLE_WISH_GIVE, number);
}
