/* Records what a process does to the files of one folder, in order, for tests of power cuts (LD_PRELOAD).
 *
 * RECORD_FOLDER names the folder, RECORD_LOG the log, which several processes may share: one append a record.
 * A record: op, length of path, offset, length of data, then path and data. A sync is written down once it has
 * returned, so that what a record of it promises was true before anybody could hear of it.
 */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <fcntl.h>
#include <limits.h>
#include <pthread.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/uio.h>
#include <unistd.h>

#define FILES 4096

struct __attribute__((packed)) head {
    char op;
    uint16_t path;
    uint64_t offset;
    uint32_t data;
};

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static char *paths[FILES];
static int log_file = -1;
static const char *folder;

#define REAL(name) ((__typeof__(&name))dlsym(RTLD_NEXT, #name))

__attribute__((constructor)) static void begin(void) {
    const char *name = getenv("RECORD_LOG");
    folder = getenv("RECORD_FOLDER");
    if (name && folder)
        log_file = REAL(open)(name, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600);
}

static int ours(const char *path) {
    return log_file >= 0 && path && !strncmp(path, folder, strlen(folder));
}

static void record(char op, const char *path, uint64_t offset, const void *data, uint32_t size) {
    struct head head = {op, (uint16_t)strlen(path), offset, size};
    struct iovec parts[] = {{&head, sizeof head}, {(void *)path, head.path}, {(void *)data, size}};
    if (writev(log_file, parts, 3) < 0)
        abort();
}

static const char *path_of(int fd) { return fd >= 0 && fd < FILES ? paths[fd] : NULL; }

static int opened(int fd, const char *path, int flags, int existed) {
    if (fd < 0 || fd >= FILES || !ours(path))
        return fd;
    pthread_mutex_lock(&lock);
    free(paths[fd]);
    paths[fd] = strdup(path);
    if (!existed)
        record('c', path, 0, "", 0);
    else if (flags & O_TRUNC)
        record('t', path, 0, "", 0);
    pthread_mutex_unlock(&lock);
    return fd;
}

#define OPEN(name)                                                                                        \
    int name(const char *path, int flags, ...) {                                                          \
        va_list rest;                                                                                     \
        va_start(rest, flags);                                                                            \
        int mode = (flags & O_CREAT) ? va_arg(rest, int) : 0;                                             \
        va_end(rest);                                                                                     \
        int existed = access(path, F_OK) == 0;                                                            \
        return opened(REAL(name)(path, flags, mode), path, flags, existed);                               \
    }
OPEN(open)
OPEN(open64)

#define OPENAT(name)                                                                                      \
    int name(int at, const char *path, int flags, ...) {                                                  \
        va_list rest;                                                                                     \
        va_start(rest, flags);                                                                            \
        int mode = (flags & O_CREAT) ? va_arg(rest, int) : 0;                                             \
        va_end(rest);                                                                                     \
        int existed = access(path, F_OK) == 0;                                                            \
        return opened(REAL(name)(at, path, flags, mode), path, flags, existed);                           \
    }
OPENAT(openat)
OPENAT(openat64)

int close(int fd) {
    if (fd >= 0 && fd < FILES && paths[fd]) {
        pthread_mutex_lock(&lock);
        free(paths[fd]);
        paths[fd] = NULL;
        pthread_mutex_unlock(&lock);
    }
    return REAL(close)(fd);
}

/* `offset` is where it went; for `write` that is where the descriptor stood before. */
#define WRITTEN(call, offset)                                                                             \
    if (!path_of(fd))                                                                                     \
        return call;                                                                                      \
    pthread_mutex_lock(&lock);                                                                            \
    uint64_t at = (uint64_t)(offset);                                                                     \
    ssize_t done = call;                                                                                  \
    if (done > 0)                                                                                         \
        record('w', path_of(fd), at, data, (uint32_t)done);                                               \
    pthread_mutex_unlock(&lock);                                                                          \
    return done;

ssize_t write(int fd, const void *data, size_t size) { WRITTEN(REAL(write)(fd, data, size), lseek(fd, 0, SEEK_CUR)) }
ssize_t pwrite(int fd, const void *data, size_t size, off_t where) {
    WRITTEN(REAL(pwrite)(fd, data, size, where), where)
}
ssize_t pwrite64(int fd, const void *data, size_t size, off64_t where) {
    WRITTEN(REAL(pwrite64)(fd, data, size, where), where)
}

#define NOTED(op, call, offset)                                                                           \
    if (!path_of(fd))                                                                                     \
        return call;                                                                                      \
    pthread_mutex_lock(&lock);                                                                            \
    int done = call;                                                                                      \
    if (done == 0)                                                                                        \
        record(op, path_of(fd), (uint64_t)(offset), "", 0);                                               \
    pthread_mutex_unlock(&lock);                                                                          \
    return done;

int ftruncate(int fd, off_t size) { NOTED('t', REAL(ftruncate)(fd, size), size) }
int ftruncate64(int fd, off64_t size) { NOTED('t', REAL(ftruncate64)(fd, size), size) }
int fsync(int fd) { NOTED('s', REAL(fsync)(fd), 0) }
int fdatasync(int fd) { NOTED('s', REAL(fdatasync)(fd), 0) }

int unlink(const char *path) {
    int done = REAL(unlink)(path);
    if (done == 0 && ours(path))
        record('u', path, 0, "", 0);
    return done;
}

int rename(const char *path, const char *other) {
    int done = REAL(rename)(path, other);
    if (done == 0 && (ours(path) || ours(other)))
        record('r', path, 0, other, (uint32_t)strlen(other));
    return done;
}
