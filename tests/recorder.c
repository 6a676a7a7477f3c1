/* Record what a process does to the files of one folder, in the order in which it does it.
 *
 * Loaded by LD_PRELOAD; see tests/recording.py. RECORDER_LOG is the file to append to, and
 * RECORDER_FOLDER the folder. A record is a struct head, and then so many bytes.
 */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <sys/types.h>
#include <sys/uio.h>
#include <unistd.h>

#define MOST 4096

struct head {
    char kind; /* see tests/recording.py */
    int32_t process;
    int32_t file;
    uint64_t at;
    uint64_t length;
} __attribute__((packed));

static char is_ours[MOST];
static int record_to = -1;

#define REAL(name) ((__typeof__(&name))dlsym(RTLD_NEXT, #name))

static int is_inside(const char *path) {
    const char *folder = getenv("RECORDER_FOLDER");
    size_t length = folder ? strlen(folder) : 0;
    return length && path && !strncmp(path, folder, length) &&
           (path[length] == '/' || !path[length]);
}

static int is_known(int file) { return file >= 0 && file < MOST && is_ours[file]; }

static void record(char kind, int file, uint64_t at, const void *bytes, size_t length) {
    struct head head = {kind, (int32_t)getpid(), file, at, length};
    struct iovec parts[2] = {{&head, sizeof head}, {(void *)bytes, length}};
    if (record_to < 0)
        record_to = (int)syscall(SYS_openat, AT_FDCWD, getenv("RECORDER_LOG"),
                                 O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC, 0600);
    if (syscall(SYS_writev, record_to, parts, 2) != (long)(sizeof head + length))
        abort();
}

static int opened(int file, const char *path, int flags) {
    if (file >= 0 && is_inside(path)) {
        if (file >= MOST)
            abort();
        is_ours[file] = 1;
        record('O', file, (flags & O_TRUNC) != 0, path, strlen(path));
    }
    return file;
}

#define OPEN(name)                                                                                 \
    int name(const char *path, int flags, ...) {                                                   \
        va_list rest;                                                                              \
        va_start(rest, flags);                                                                     \
        mode_t mode = (flags & (O_CREAT | O_TMPFILE)) ? va_arg(rest, mode_t) : 0;                  \
        va_end(rest);                                                                              \
        return opened(REAL(name)(path, flags, mode), path, flags);                                 \
    }

OPEN(open)
OPEN(open64)

int close(int file) {
    if (is_known(file)) {
        is_ours[file] = 0;
        record('C', file, 0, "", 0);
    }
    return REAL(close)(file);
}

ssize_t write(int file, const void *bytes, size_t length) {
    ssize_t done = REAL(write)(file, bytes, length);
    if (done > 0 && is_known(file))
        record('W', file, (uint64_t)(lseek(file, 0, SEEK_CUR) - done), bytes, (size_t)done);
    return done;
}

#define PWRITE(name, offset)                                                                       \
    ssize_t name(int file, const void *bytes, size_t length, offset at) {                          \
        ssize_t done = REAL(name)(file, bytes, length, at);                                        \
        if (done > 0 && is_known(file))                                                            \
            record('W', file, (uint64_t)at, bytes, (size_t)done);                                  \
        return done;                                                                               \
    }

PWRITE(pwrite, off_t)
PWRITE(pwrite64, off64_t)

#define TRUNCATE(name, offset)                                                                     \
    int name(int file, offset size) {                                                              \
        int fault = REAL(name)(file, size);                                                        \
        if (!fault && is_known(file))                                                              \
            record('T', file, (uint64_t)size, "", 0);                                              \
        return fault;                                                                              \
    }

TRUNCATE(ftruncate, off_t)
TRUNCATE(ftruncate64, off64_t)

#define SYNC(name)                                                                                 \
    int name(int file) {                                                                           \
        int fault = REAL(name)(file);                                                              \
        if (!fault && is_known(file))                                                              \
            record('S', file, 0, "", 0);                                                           \
        return fault;                                                                              \
    }

SYNC(fsync)
SYNC(fdatasync)

int unlink(const char *path) {
    int fault = REAL(unlink)(path);
    if (!fault && is_inside(path))
        record('U', -1, 0, path, strlen(path));
    return fault;
}

int rename(const char *from, const char *to) {
    int fault = REAL(rename)(from, to);
    if (!fault && is_inside(from) && is_inside(to)) {
        char both[8192];
        int length = snprintf(both, sizeof both, "%s\n%s", from, to);
        if (length < 0 || length >= (int)sizeof both)
            abort();
        record('R', -1, 0, both, (size_t)length);
    }
    return fault;
}
