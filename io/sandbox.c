/* SPDX-License-Identifier: MIT */
#include "io/sandbox.h"

#include <errno.h>
#include <linux/audit.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <sys/prctl.h>
#include <sys/syscall.h>

#if defined(__x86_64__)
#define OUR_ARCH AUDIT_ARCH_X86_64
#elif defined(__aarch64__)
#define OUR_ARCH AUDIT_ARCH_AARCH64
#elif defined(__riscv) && __riscv_xlen == 64
#define OUR_ARCH AUDIT_ARCH_RISCV64
#else
#define OUR_ARCH 0 /* not known here: no sandbox */
#endif

enum {
    OTHER_ABI = 0x40000000, /* the x32 numbers: the same calls under other numbers */
    ARCH_STEPS = 3,
    ABI_STEPS = 3,
    STEPS_A_CALL = 2,
};

/* What opens, starts or changes something that was not open before. */
static const uint32_t DENIED[] = {
#ifdef __NR_open
    __NR_open,
    __NR_creat,
    __NR_unlink,
    __NR_rmdir,
    __NR_mkdir,
    __NR_rename,
    __NR_link,
    __NR_symlink,
    __NR_chmod,
    __NR_chown,
    __NR_lchown,
    __NR_mknod,
    __NR_fork,
    __NR_vfork,
#endif
    __NR_openat,
    __NR_openat2,
    __NR_open_by_handle_at,
    __NR_open_tree,
    __NR_truncate,
    __NR_unlinkat,
    __NR_mkdirat,
#ifdef __NR_renameat
    __NR_renameat,
#endif
    __NR_renameat2,
    __NR_linkat,
    __NR_symlinkat,
    __NR_fchmodat,
    __NR_fchownat,
    __NR_mknodat,
    __NR_setxattr,
    __NR_mount,
    __NR_socket,
    __NR_socketpair,
    __NR_connect,
    __NR_bind,
    __NR_listen,
    __NR_accept,
    __NR_accept4,
    __NR_execve,
    __NR_execveat,
    __NR_ptrace,
    __NR_process_vm_readv,
    __NR_process_vm_writev,
    __NR_pidfd_getfd,
    __NR_kill,
    __NR_tkill,
    __NR_io_uring_setup, /* its rings would open on our behalf */
    __NR_bpf,
    __NR_keyctl,
    __NR_add_key,
    __NR_request_key,
    __NR_shmget,
    __NR_memfd_create,
};

enum {
    DENIED_COUNT = sizeof(DENIED) / sizeof(DENIED[0]),
    STEPS = ARCH_STEPS + ABI_STEPS + DENIED_COUNT * STEPS_A_CALL + 1,
};

static const struct sock_filter REFUSE = BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ERRNO | EPERM);

static void build(struct sock_filter steps[STEPS])
{
    size_t i = 0;
    steps[i++] =
        (struct sock_filter)BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, arch));
    steps[i++] = (struct sock_filter)BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, OUR_ARCH, 1, 0);
    steps[i++] = REFUSE;
    steps[i++] =
        (struct sock_filter)BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, nr));
    steps[i++] = (struct sock_filter)BPF_JUMP(BPF_JMP | BPF_JGE | BPF_K, OTHER_ABI, 0, 1);
    steps[i++] = REFUSE;
    for (size_t call = 0; call < DENIED_COUNT; call++) {
        steps[i++] = (struct sock_filter)BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, DENIED[call], 0, 1);
        steps[i++] = REFUSE;
    }
    steps[i] = (struct sock_filter)BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW);
}

enum sm_status sm_sandbox_enter(void)
{
    if (OUR_ARCH == 0 || getenv("SUMAC_NO_SANDBOX"))
        return SM_ERR_STATE;
    struct sock_filter steps[STEPS];
    build(steps);
    struct sock_fprog program = {.len = STEPS, .filter = steps};
    /* Both count for the calling thread alone. */
    if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) != 0 ||
        prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &program, 0, 0) != 0)
        return SM_ERR_STATE;
    return SM_OK;
}
