/* SPDX-License-Identifier: MIT */
/* The module that reads graphics memory, on a machine that need not have any. */
#include "tests/support/check.h"

#include <sys/mman.h>
#include <unistd.h>

#include "media/gl.h"

static void module_is_found_and_says_what_it_lacks(void **state)
{
    (void)state;
    const struct sm_gl_module *module = sm_gl_module_load();
    assert_non_null(module);
    void *cards = NULL;
    const char *reason = NULL;
    enum sm_status status = module->open_cards(&cards, &reason);
    if (status != SM_OK) {
        sm_check_status(status, SM_ERR_IO);
        assert_null(cards);
        assert_non_null(reason);
        return;
    }
    /* There is a card: what is no graphics memory it refuses. */
    int fd = memfd_create("memory", MFD_CLOEXEC);
    assert_int_equal(ftruncate(fd, 64 * 256), 0);
    const struct sm_pixel_layout layout = {64, 64, 256, sm_fourcc("XR24"), true};
    void *picture = NULL;
    sm_check_status(module->open_picture(&picture, cards, fd, &layout, &reason), SM_ERR_IO);
    assert_null(picture);
    assert_non_null(reason);
    (void)close(fd);
    module->close_cards(cards);
}

static void nothing_is_closed_without_complaint(void **state)
{
    (void)state;
    const struct sm_gl_module *module = sm_gl_module_load();
    assert_non_null(module);
    module->close_picture(NULL);
    module->close_cards(NULL);
}

int main(int argc, char **argv)
{
    if (argc > 1)
        cmocka_set_test_filter(argv[1]);
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(module_is_found_and_says_what_it_lacks),
        cmocka_unit_test(nothing_is_closed_without_complaint),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
