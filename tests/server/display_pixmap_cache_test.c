/* SPDX-License-Identifier: MIT */
/* The book of a client's images, against a client that believes what it is told. */
#include "tests/support/check.h"

#include <stdlib.h>
#include <string.h>

#include "core/wire/types.h"
#include "server/display/client_shares.h"
#include "server/display/glz_share.h"
#include "server/display/peer_palettes.h"
#include "server/display/pixmap_cache.h"

enum { SIDE = 10, PX = SIDE * SIDE };

static struct sm_pixmap_use begin(struct sm_pixmap_cache *cache, uint8_t channel)
{
    struct sm_pixmap_use use;
    sm_pixmap_use_init(&use, cache, channel);
    return use;
}

static enum sm_pixmap_answer find(struct sm_pixmap_use *use, uint64_t id)
{
    return sm_pixmap_use_find(use, id, SIDE, SIDE, false);
}

static uint8_t add(struct sm_pixmap_use *use, uint64_t id)
{
    return sm_pixmap_use_add(use, id, SIDE, SIDE, false);
}

static void end(struct sm_pixmap_use *use, uint64_t serial)
{
    if (serial)
        sm_pixmap_use_sent(use, serial);
    sm_pixmap_use_finish(use);
}

/* Uses an image as a message does; true if it was there. */
static bool use_image(struct sm_pixmap_cache *cache, uint8_t channel, uint64_t id, uint64_t serial)
{
    struct sm_pixmap_use use = begin(cache, channel);
    bool is_there = find(&use, id) != SM_PIXMAP_ABSENT;
    if (!is_there)
        assert_int_equal(add(&use, id), SM_IMAGE_FLAG_CACHE_ME);
    end(&use, serial);
    return is_there;
}

static struct sm_pixmap_cache *make(uint64_t images)
{
    struct sm_pixmap_cache *cache;
    sm_check_status(sm_pixmap_cache_create(&cache, images * PX), SM_OK);
    return cache;
}

static void least_recently_used_goes_first(void **state)
{
    (void)state;
    struct sm_pixmap_cache *cache = make(3);
    assert_false(use_image(cache, 0, 1, 10));
    assert_false(use_image(cache, 0, 2, 11));
    assert_false(use_image(cache, 0, 3, 12));
    assert_true(use_image(cache, 0, 1, 13));
    struct sm_pixmap_use use = begin(cache, 0);
    assert_int_equal(add(&use, 4), SM_IMAGE_FLAG_CACHE_ME);
    assert_int_equal(use.evicted_count, 1);
    assert_int_equal(use.evicted[0].id, 2);
    assert_int_equal(use.evicted[0].type, SM_RESOURCE_TYPE_PIXMAP);
    assert_int_equal(use.wait_count, 0); /* only this channel ever used it */
    end(&use, 14);
    assert_int_equal(sm_pixmap_cache_pixels(cache), 3 * PX);
    assert_true(use_image(cache, 0, 3, 15));
    sm_pixmap_cache_unref(cache);
}

static void other_users_are_waited_for(void **state)
{
    (void)state;
    struct sm_pixmap_cache *cache = make(1);
    assert_false(use_image(cache, 0, 1, 10));
    assert_true(use_image(cache, 1, 1, 77));
    assert_true(use_image(cache, 2, 1, 5));
    struct sm_pixmap_use use = begin(cache, 2);
    assert_int_equal(add(&use, 2), SM_IMAGE_FLAG_CACHE_ME);
    assert_int_equal(use.wait_count, 2);
    assert_int_equal(use.waits[0].channel_type, SM_CHANNEL_DISPLAY);
    assert_int_equal(use.waits[0].channel_id, 0);
    assert_int_equal(use.waits[0].message_serial, 10);
    assert_int_equal(use.waits[1].channel_id, 1);
    assert_int_equal(use.waits[1].message_serial, 77);
    end(&use, 6);
    sm_pixmap_cache_unref(cache);
}

static void what_a_planned_message_uses_stays(void **state)
{
    (void)state;
    struct sm_pixmap_cache *cache = make(1);
    assert_false(use_image(cache, 0, 1, 10));
    struct sm_pixmap_use first = begin(cache, 0), second = begin(cache, 1);
    assert_int_equal(find(&first, 1), SM_PIXMAP_USABLE);
    assert_int_equal(add(&second, 2), 0); /* no room */
    assert_int_equal(second.evicted_count, 0);
    end(&first, 11);
    assert_int_equal(add(&second, 2), SM_IMAGE_FLAG_CACHE_ME);
    assert_int_equal(second.evicted_count, 1);
    end(&second, 3);
    sm_pixmap_cache_unref(cache);
}

static void what_another_channel_has_not_sent_is_not_relied_on(void **state)
{
    (void)state;
    struct sm_pixmap_cache *cache = make(4);
    struct sm_pixmap_use sender = begin(cache, 0), other = begin(cache, 1), same = begin(cache, 0);
    assert_int_equal(add(&sender, 1), SM_IMAGE_FLAG_CACHE_ME);
    assert_int_equal(find(&other, 1), SM_PIXMAP_ABSENT);
    assert_int_equal(add(&other, 1), 0);
    assert_int_equal(find(&same, 1), SM_PIXMAP_USABLE);
    sm_pixmap_use_sent(&sender, 10);
    assert_int_equal(find(&other, 1), SM_PIXMAP_USABLE);
    end(&same, 11);
    end(&sender, 0);
    end(&other, 5);

    /* And what was never sent, nobody relies on. */
    struct sm_pixmap_use lost = begin(cache, 0);
    assert_int_equal(add(&lost, 2), SM_IMAGE_FLAG_CACHE_ME);
    end(&lost, 0);
    assert_false(use_image(cache, 1, 2, 6));
    assert_true(use_image(cache, 1, 2, 7));
    sm_pixmap_cache_unref(cache);
}

static void lossy_image_is_replaced_when_it_has_to_be_exact(void **state)
{
    (void)state;
    struct sm_pixmap_cache *cache = make(4);
    struct sm_pixmap_use use = begin(cache, 0);
    assert_int_equal(sm_pixmap_use_add(&use, 1, SIDE, SIDE, true), SM_IMAGE_FLAG_CACHE_ME);
    end(&use, 1);
    use = begin(cache, 0);
    assert_int_equal(sm_pixmap_use_find(&use, 1, SIDE, SIDE, true), SM_PIXMAP_USABLE_LOSSY);
    end(&use, 2);
    use = begin(cache, 0);
    assert_int_equal(find(&use, 1), SM_PIXMAP_ABSENT);
    assert_int_equal(add(&use, 1), SM_IMAGE_FLAG_CACHE_REPLACE_ME);
    end(&use, 3);
    use = begin(cache, 1);
    assert_int_equal(find(&use, 1), SM_PIXMAP_USABLE_EXACTLY);
    end(&use, 1);
    sm_pixmap_cache_unref(cache);
}

static void renewed_ids_mean_other_images(void **state)
{
    (void)state;
    struct sm_pixmap_cache *cache = make(4);
    assert_false(use_image(cache, 0, 1, 10));
    sm_pixmap_cache_renew(cache);
    struct sm_pixmap_use use = begin(cache, 0);
    assert_int_equal(find(&use, 1), SM_PIXMAP_ABSENT);
    assert_int_equal(add(&use, 1), SM_IMAGE_FLAG_CACHE_ME);
    assert_int_equal(use.evicted_count, 1); /* the client forgets the old one first */
    end(&use, 11);
    assert_true(use_image(cache, 0, 1, 12));
    /* Nor does one of another size. */
    use = begin(cache, 0);
    assert_int_equal(sm_pixmap_use_find(&use, 1, SIDE, SIDE - 1, true), SM_PIXMAP_ABSENT);
    assert_int_equal(sm_pixmap_use_add(&use, 1, SIDE, SIDE - 1, true), SM_IMAGE_FLAG_CACHE_ME);
    assert_int_equal(use.evicted_count, 1);
    end(&use, 13);
    sm_pixmap_cache_unref(cache);
}

static void channel_that_ends_takes_its_images_along(void **state)
{
    (void)state;
    struct sm_pixmap_cache *cache = make(4);
    assert_false(use_image(cache, 0, 1, 10));
    assert_false(use_image(cache, 1, 2, 10));
    assert_true(use_image(cache, 0, 2, 11));
    struct sm_pixmap_use held = begin(cache, 1);
    assert_int_equal(find(&held, 1), SM_PIXMAP_USABLE);
    sm_pixmap_cache_forget_channel(cache, 0);
    end(&held, 12);
    assert_true(use_image(cache, 1, 2, 13));
    struct sm_pixmap_use use = begin(cache, 1);
    assert_int_equal(find(&use, 1), SM_PIXMAP_ABSENT);
    end(&use, 0);
    /* Nobody waits for a connection that is gone. */
    for (uint64_t id = 100; id < 104; id++) {
        use = begin(cache, 1);
        assert_int_equal(add(&use, id), SM_IMAGE_FLAG_CACHE_ME);
        assert_int_equal(use.wait_count, 0);
        end(&use, id);
    }
    sm_pixmap_cache_unref(cache);
}

static void frozen_cache_is_told_and_not_used(void **state)
{
    (void)state;
    struct sm_pixmap_cache *cache = make(4);
    assert_false(use_image(cache, 0, 1, 10));
    assert_true(use_image(cache, 1, 1, 20));
    assert_true(use_image(cache, 1, 1, 21));
    sm_pixmap_cache_freeze(cache);
    struct sm_pixmap_use use = begin(cache, 0);
    assert_int_equal(find(&use, 1), SM_PIXMAP_ABSENT);
    assert_int_equal(add(&use, 2), 0);
    end(&use, 11);
    uint64_t serials[4] = {9, 9, 9, 9};
    sm_pixmap_cache_serials(cache, serials, 4);
    assert_int_equal(serials[0], 10);
    assert_int_equal(serials[1], 21);
    assert_int_equal(serials[2], 0);
    sm_pixmap_cache_unref(cache);
}

static void hostile_sizes_and_channels_are_bounded(void **state)
{
    (void)state;
    struct sm_pixmap_cache *cache;
    sm_check_status(sm_pixmap_cache_create(&cache, UINT64_MAX / 2), SM_OK);
    struct sm_pixmap_use use = begin(cache, SM_PIXMAP_CACHE_CHANNELS);
    assert_int_equal(add(&use, 1), 0);
    end(&use, 1);
    for (uint64_t id = 0; id < SM_PIXMAP_CACHE_MAX_IMAGES + 500; id++) {
        use = begin(cache, 0);
        assert_int_equal(sm_pixmap_use_add(&use, id << 32, 1, 1, false), SM_IMAGE_FLAG_CACHE_ME);
        end(&use, id + 1);
    }
    assert_int_equal(sm_pixmap_cache_count(cache), SM_PIXMAP_CACHE_MAX_IMAGES);
    use = begin(cache, 0);
    assert_int_equal(sm_pixmap_use_add(&use, 1, UINT32_MAX, UINT32_MAX, false), 0);
    end(&use, 1);
    sm_pixmap_cache_unref(cache);
}

/* ---- many channels, whose messages arrive in any order ---- */

enum { CHANNELS = 3, IMAGES = 12, ROOM = 6, MESSAGES = 400 };

struct message {
    struct sm_resource_id drops[ROOM * 2];
    struct sm_wait_for_channel waits[SM_PIXMAP_CACHE_CHANNELS];
    uint32_t drop_count, wait_count;
    uint64_t uses, adds; /* ids + 1; 0: none */
};

struct line {
    struct message messages[MESSAGES];
    uint32_t sent, arrived; /* serials are counts */
};

struct client {
    struct line lines[CHANNELS];
    uint32_t held[IMAGES]; /* times it was told to keep it */
};

static void send_message(struct client *client, struct sm_pixmap_cache *cache, uint8_t channel,
                         uint64_t id)
{
    struct line *line = &client->lines[channel];
    struct message *message = &line->messages[line->sent];
    struct sm_pixmap_use use = begin(cache, channel);
    if (find(&use, id) != SM_PIXMAP_ABSENT)
        message->uses = id + 1;
    else if (add(&use, id))
        message->adds = id + 1;
    assert_in_range(use.evicted_count, 0, ROOM);
    message->drop_count = use.evicted_count;
    message->wait_count = use.wait_count;
    if (use.evicted_count)
        memcpy(message->drops, use.evicted, use.evicted_count * sizeof(*use.evicted));
    memcpy(message->waits, use.waits, sizeof(use.waits));
    end(&use, ++line->sent);
}

/* The next message of a channel is carried out, if it need not wait. */
static bool carry_out(struct client *client, uint8_t channel)
{
    struct line *line = &client->lines[channel];
    if (line->arrived == line->sent)
        return false;
    const struct message *message = &line->messages[line->arrived];
    for (uint32_t i = 0; i < message->wait_count; i++) {
        if (client->lines[message->waits[i].channel_id].arrived < message->waits[i].message_serial)
            return false;
    }
    bool is_dropped = false;
    for (uint32_t i = 0; i < message->drop_count; i++)
        is_dropped = is_dropped || message->drops[i].id + 1 == message->uses;
    assert_false(is_dropped);
    if (message->uses && client->held[message->uses - 1] == 0)
        return false;
    for (uint32_t i = 0; i < message->drop_count; i++) {
        assert_true(client->held[message->drops[i].id] > 0);
        client->held[message->drops[i].id]--;
    }
    if (message->adds)
        client->held[message->adds - 1]++;
    line->arrived++;
    return true;
}

static void no_order_of_arrival_leaves_anybody_waiting(void **state)
{
    (void)state;
    for (uint32_t seed = 1; seed <= 40; seed++) {
        struct sm_test_random random = {.state = seed * 7717};
        struct client *client = calloc(1, sizeof(*client));
        struct sm_pixmap_cache *cache = make(ROOM);
        unsigned busy = CHANNELS, found = 0;
        while (busy > 0) {
            uint8_t channel = (uint8_t)(sm_test_random_next(&random) % CHANNELS);
            if (sm_test_random_next(&random) % 2)
                (void)carry_out(client, channel);
            else if (client->lines[channel].sent < MESSAGES)
                send_message(client, cache, channel, sm_test_random_next(&random) % IMAGES);
            busy = 0;
            for (unsigned i = 0; i < CHANNELS; i++)
                busy += client->lines[i].sent < MESSAGES;
        }
        while (carry_out(client, 0) || carry_out(client, 1) || carry_out(client, 2))
            ;
        for (unsigned i = 0; i < CHANNELS; i++) {
            assert_int_equal(client->lines[i].arrived, MESSAGES);
            for (unsigned m = 0; m < MESSAGES; m++)
                found += client->lines[i].messages[m].uses != 0;
        }
        assert_in_range(found, MESSAGES, CHANNELS * MESSAGES);
        uint32_t held = 0;
        for (unsigned i = 0; i < IMAGES; i++)
            held += client->held[i];
        assert_int_equal(held, sm_pixmap_cache_count(cache)); /* nothing is left over */
        sm_pixmap_cache_unref(cache);
        free(client);
    }
}

/* ---- palettes ---- */

static enum sm_peer_palette_answer use_palette(struct sm_peer_palettes *palettes, uint64_t unique,
                                               uint32_t colour, uint64_t *evicted)
{
    const uint32_t colours[] = {colour, 1, 2};
    const struct sm_palette palette = {.unique = unique, .num_ents = 3, .ents = colours};
    return sm_peer_palettes_use(palettes, &palette, evicted);
}

static void palettes_are_kept_by_id_and_colours(void **state)
{
    (void)state;
    struct sm_peer_palettes palettes = {0};
    uint64_t evicted;
    assert_int_equal(use_palette(&palettes, 0, 5, &evicted), SM_PEER_PALETTE_INLINE);
    assert_int_equal(use_palette(&palettes, 7, 5, &evicted), SM_PEER_PALETTE_ADD);
    assert_int_equal(use_palette(&palettes, 7, 5, &evicted), SM_PEER_PALETTE_THERE);
    assert_int_equal(use_palette(&palettes, 7, 6, &evicted), SM_PEER_PALETTE_INLINE);
    for (uint64_t id = 100; id < 100 + SM_PEER_PALETTES_MAX - 1; id++) {
        assert_int_equal(use_palette(&palettes, id, 5, &evicted), SM_PEER_PALETTE_ADD);
        assert_int_equal(evicted, 0);
    }
    assert_int_equal(use_palette(&palettes, 7, 5, &evicted), SM_PEER_PALETTE_THERE);
    assert_int_equal(use_palette(&palettes, 8, 5, &evicted), SM_PEER_PALETTE_ADD);
    assert_int_equal(evicted, 100); /* not used for longest */
    assert_int_equal(use_palette(&palettes, 100, 5, &evicted), SM_PEER_PALETTE_ADD);
    assert_int_equal(evicted, 101);
    sm_peer_palettes_clear(&palettes);
    assert_int_equal(use_palette(&palettes, 7, 5, &evicted), SM_PEER_PALETTE_ADD);
}

/* ---- who shares what ---- */

static void displays_of_a_session_share_by_id(void **state)
{
    (void)state;
    struct sm_client_shares *shares;
    sm_check_status(sm_client_shares_create(&shares), SM_OK);
    const struct sm_client_share_key key = {5, 1}, session = {6, 1}, id = {5, 2};
    struct sm_pixmap_cache *cache = sm_client_shares_join_cache(shares, key, 100);
    assert_non_null(cache);
    assert_ptr_equal(sm_client_shares_join_cache(shares, key, 7), cache);
    struct sm_pixmap_cache *other = sm_client_shares_join_cache(shares, session, 100);
    struct sm_pixmap_cache *third = sm_client_shares_join_cache(shares, id, 100);
    assert_true(other != cache && third != cache && third != other);
    sm_client_shares_leave_cache(shares, cache, 0);
    assert_ptr_equal(sm_client_shares_join_cache(shares, key, 7), cache);
    sm_client_shares_leave_cache(shares, cache, 0);
    sm_client_shares_leave_cache(shares, cache, 1);
    sm_client_shares_leave_cache(shares, other, 0);
    sm_client_shares_leave_cache(shares, third, 0);

    struct sm_glz_share *glz = sm_client_shares_join_glz(shares, key, 1000, 0);
    assert_non_null(glz);
    assert_null(sm_client_shares_join_glz(shares, session, UINT32_MAX, 0));
    assert_null(sm_client_shares_join_glz(shares, key, 1000, 0)); /* one display at a time */
    sm_client_shares_leave_glz(shares, glz);
    glz = sm_client_shares_join_glz(shares, key, 1000, 0);
    assert_non_null(glz);
    sm_client_shares_leave_glz(shares, glz);
    sm_client_shares_unref(shares);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(least_recently_used_goes_first),
        cmocka_unit_test(other_users_are_waited_for),
        cmocka_unit_test(what_a_planned_message_uses_stays),
        cmocka_unit_test(what_another_channel_has_not_sent_is_not_relied_on),
        cmocka_unit_test(lossy_image_is_replaced_when_it_has_to_be_exact),
        cmocka_unit_test(renewed_ids_mean_other_images),
        cmocka_unit_test(channel_that_ends_takes_its_images_along),
        cmocka_unit_test(frozen_cache_is_told_and_not_used),
        cmocka_unit_test(hostile_sizes_and_channels_are_bounded),
        cmocka_unit_test(no_order_of_arrival_leaves_anybody_waiting),
        cmocka_unit_test(palettes_are_kept_by_id_and_colours),
        cmocka_unit_test(displays_of_a_session_share_by_id),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
