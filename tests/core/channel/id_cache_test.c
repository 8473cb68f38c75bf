/* SPDX-License-Identifier: MIT */
#include "tests/support/check.h"

#include "core/channel/id_cache.h"
#include "tests/support/failmalloc.h"

static struct sm_id_cache *new_cache(uint64_t max_weight)
{
    struct sm_id_cache *cache = NULL;
    sm_check_status(sm_id_cache_create(&cache, max_weight), SM_OK);
    return cache;
}

static void the_least_recently_used_goes_first(void **state)
{
    (void)state;
    struct sm_id_cache *cache = new_cache(3);
    uint64_t out = 0;
    for (uint64_t id = 1; id <= 3; id++)
        sm_check_status(sm_id_cache_add(cache, id, 1), SM_OK);
    assert_false(sm_id_cache_evict(cache, &out));
    assert_true(sm_id_cache_use(cache, 1));
    sm_check_status(sm_id_cache_add(cache, 4, 1), SM_OK);
    assert_int_equal(sm_id_cache_count(cache), 4);
    assert_true(sm_id_cache_evict(cache, &out));
    assert_int_equal(out, 2);
    assert_false(sm_id_cache_evict(cache, &out));
    assert_true(sm_id_cache_has(cache, 1));
    assert_false(sm_id_cache_has(cache, 2));
    sm_id_cache_remove(cache, 1);
    sm_id_cache_remove(cache, 99);
    assert_int_equal(sm_id_cache_weight(cache), 2);
    sm_id_cache_clear(cache);
    assert_int_equal(sm_id_cache_count(cache), 0);
    assert_false(sm_id_cache_use(cache, 3));
    sm_id_cache_destroy(cache);
    sm_id_cache_destroy(NULL);
}

static void weights_decide_how_many_go(void **state)
{
    (void)state;
    struct sm_id_cache *cache = new_cache(100);
    uint64_t out;
    sm_check_status(sm_id_cache_add(cache, 1, 101), SM_ERR_LIMIT);
    sm_check_status(sm_id_cache_add(cache, 1, 30), SM_OK);
    sm_check_status(sm_id_cache_add(cache, 2, 30), SM_OK);
    sm_check_status(sm_id_cache_add(cache, 2, 30), SM_OK); /* there already */
    assert_int_equal(sm_id_cache_weight(cache), 60);
    sm_check_status(sm_id_cache_add(cache, 3, 90), SM_OK);
    int evicted = 0;
    while (sm_id_cache_evict(cache, &out))
        assert_int_equal(out, ++evicted);
    assert_int_equal(evicted, 2);
    assert_int_equal(sm_id_cache_weight(cache), 90);
    sm_id_cache_destroy(cache);
}

static void thousands_of_ids_are_found_again(void **state)
{
    (void)state;
    struct sm_id_cache *cache = new_cache(5000);
    uint64_t out, next_out = 0;
    for (uint64_t i = 0; i < 20000; i++) {
        uint64_t id = i << 32;
        sm_check_status(sm_id_cache_add(cache, id, 1), SM_OK);
        while (sm_id_cache_evict(cache, &out))
            assert_int_equal(out, next_out++ << 32);
    }
    assert_int_equal(next_out, 15000);
    for (uint64_t i = 0; i < 20000; i++)
        assert_int_equal(sm_id_cache_has(cache, i << 32), i >= 15000);
    sm_id_cache_destroy(cache);
}

static void fill_once(void *context)
{
    (void)context;
    struct sm_id_cache *cache = NULL;
    if (sm_id_cache_create(&cache, 1000) != SM_OK)
        return;
    size_t added = 0;
    for (uint64_t id = 0; id < 100; id++)
        added += sm_id_cache_add(cache, id, 1) == SM_OK;
    assert_int_equal(sm_id_cache_count(cache), added);
    sm_id_cache_destroy(cache);
}

static void every_failing_allocation_is_survived(void **state)
{
    (void)state;
    sm_failmalloc_each(fill_once, NULL);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_least_recently_used_goes_first),
        cmocka_unit_test(weights_decide_how_many_go),
        cmocka_unit_test(thousands_of_ids_are_found_again),
        cmocka_unit_test(every_failing_allocation_is_survived),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
