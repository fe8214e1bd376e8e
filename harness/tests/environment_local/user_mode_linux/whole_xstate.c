/*
 * Preloaded into Debian's linux.uml (6.1), whose buffer for the processor's extended state is
 * shorter than what newer processors have (AMX). Newer hosts refuse to set a part of that state
 * (PTRACE_SETREGSET with NT_X86_XSTATE fails with EFAULT), and the kernel then panics at its first
 * process. Here the whole state is read first, the part is laid over it, and the whole is set.
 */
#include <errno.h>
#include <stdarg.h>
#include <stdint.h>
#include <string.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <unistd.h>

enum { PEEK_FIRST = 1, PEEK_LAST = 3, GET_REGISTER_SET = 0x4204, SET_REGISTER_SET = 0x4205 };
enum { EXTENDED_STATE = 0x202, FEATURES_AT = 512 };
/* What UML 6.1 has room for: x87, SSE, AVX, AVX-512 and protection keys. */
static const uint64_t KNOWN = 0x2ff;

static __thread unsigned char whole[1 << 16] __attribute__((aligned(64)));

static uint64_t *features(void)
{
    return (uint64_t *)(whole + FEATURES_AT);
}

static long set_extended_state(int pid, struct iovec *part)
{
    struct iovec all = { whole, sizeof whole };
    if (syscall(SYS_ptrace, GET_REGISTER_SET, pid, EXTENDED_STATE, &all) != 0 ||
        all.iov_len <= part->iov_len)
        return syscall(SYS_ptrace, SET_REGISTER_SET, pid, EXTENDED_STATE, part);
    uint64_t beyond = *features() & ~KNOWN;
    memcpy(whole, part->iov_base, part->iov_len);
    *features() = (*features() & KNOWN) | beyond;
    return syscall(SYS_ptrace, SET_REGISTER_SET, pid, EXTENDED_STATE, &all);
}

long ptrace(int request, ...)
{
    va_list rest;
    va_start(rest, request);
    int pid = va_arg(rest, int);
    void *address = va_arg(rest, void *);
    void *data = va_arg(rest, void *);
    va_end(rest);
    if (request == SET_REGISTER_SET && (long)address == EXTENDED_STATE)
        return set_extended_state(pid, data);
    if (request >= PEEK_FIRST && request <= PEEK_LAST) {
        /* The library's function returns the word that the system call stores. */
        long word;
        long failed = syscall(SYS_ptrace, request, pid, address, &word);
        if (failed)
            return failed;
        errno = 0;
        return word;
    }
    return syscall(SYS_ptrace, request, pid, address, data);
}
