/* SPDX-License-Identifier: MIT */
#include "tests/support/check.h"

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/un.h>
#include <unistd.h>

#include "io/sandbox.h"

struct findings {
    enum sm_status status;
    int pipe[2], socket; /* open before */
    int connect_error, listen_error, other_abi_error;
    int open_error, socket_error, exec_error, unlink_error, child_error;
    bool can_read, can_allocate;
};

static int error_of(int result)
{
    int error = result < 0 ? errno : 0;
    if (result >= 0)
        close(result);
    return error;
}

static void *open_again(void *opaque)
{
    struct findings *f = opaque;
    f->child_error = error_of(open("/dev/null", O_RDONLY));
    return NULL;
}

static void *look_around(void *opaque)
{
    struct findings *f = opaque;
    f->status = sm_sandbox_enter();
    f->open_error = error_of(open("/dev/null", O_RDONLY));
    f->socket_error = error_of(socket(AF_INET, SOCK_STREAM, 0));
    struct sockaddr_un nowhere = {.sun_family = AF_UNIX, .sun_path = "/nowhere/at/all"};
    int result = connect(f->socket, (const struct sockaddr *)&nowhere, sizeof(nowhere));
    f->connect_error = result != 0 ? errno : 0;
    f->listen_error = listen(f->socket, 1) != 0 ? errno : 0;
    f->other_abi_error = syscall(0x40000000 | __NR_getpid) < 0 ? errno : 0;
    f->exec_error = execl("/bin/false", "false", (char *)NULL) != 0 ? errno : 0;
    f->unlink_error = unlink("/nowhere/at/all") != 0 ? errno : 0;
    char byte = 0;
    f->can_read = write(f->pipe[1], "x", 1) == 1 && read(f->pipe[0], &byte, 1) == 1 && byte == 'x';
    void *memory = malloc(64 << 20);
    f->can_allocate = memory != NULL;
    free(memory);
    pthread_t child;
    assert_int_equal(pthread_create(&child, NULL, open_again, f), 0);
    pthread_join(child, NULL);
    return NULL;
}

static void look(struct findings *f)
{
    pthread_t thread;
    assert_int_equal(pipe(f->pipe), 0);
    f->socket = socket(AF_UNIX, SOCK_STREAM, 0);
    assert_int_equal(pthread_create(&thread, NULL, look_around, f), 0);
    pthread_join(thread, NULL);
    close(f->pipe[0]);
    close(f->pipe[1]);
    close(f->socket);
}

static void a_thread_that_entered_opens_nothing(void **state)
{
    (void)state;
    struct findings f = {.status = SM_OK};
    look(&f);
    if (f.status != SM_OK)
        skip(); /* a kernel without filters; what follows would be no proof of anything */
    assert_int_equal(f.open_error, EPERM);
    assert_int_equal(f.socket_error, EPERM);
    assert_int_equal(f.connect_error, EPERM);
    assert_int_equal(f.listen_error, EPERM);
    assert_int_equal(f.other_abi_error, EPERM);
    assert_int_equal(f.exec_error, EPERM);
    assert_int_equal(f.unlink_error, EPERM);
    assert_int_equal(f.child_error, EPERM);
    assert_true(f.can_read);
    assert_true(f.can_allocate);
    /* The others go on as before. */
    assert_int_equal(error_of(open("/dev/null", O_RDONLY)), 0);
    assert_int_equal(error_of(socket(AF_UNIX, SOCK_STREAM, 0)), 0);
}

static void it_can_be_switched_off(void **state)
{
    (void)state;
    assert_int_equal(setenv("SUMAC_NO_SANDBOX", "1", 1), 0);
    sm_check_status(sm_sandbox_enter(), SM_ERR_STATE);
    assert_int_equal(unsetenv("SUMAC_NO_SANDBOX"), 0);
    assert_int_equal(error_of(open("/dev/null", O_RDONLY)), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_thread_that_entered_opens_nothing),
        cmocka_unit_test(it_can_be_switched_off),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
