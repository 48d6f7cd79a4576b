/* Faults of disk and clock for one process: cc -shared -fPIC -o faults.so faults.c -ldl, then LD_PRELOAD.

   faults_arm(kind, after, clock_s): from the call number `after` on, counted from 0 by kind, regular files behave as `kind`
   says, and the clock is off by `clock_s` seconds. Everything else is as it was. */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdarg.h>
#include <sys/stat.h>
#include <sys/time.h>
#include <time.h>
#include <unistd.h>

enum { NONE, FULL, READ_ONLY, FSYNC_FAILS_ONCE, FSYNC_FAILS, FSYNC_IS_SLOW, KILLED_IN_WRITE };
static int kind;
static long left;
static long long clock_off_s;

void faults_arm(int new_kind, long after, long long clock_s) {
    kind = new_kind, left = after, clock_off_s = clock_s;
}

#define REAL(name) ((__typeof__(&name))dlsym(RTLD_NEXT, #name))

static int is_file(int fd) {
    struct stat status;
    return fstat(fd, &status) == 0 && S_ISREG(status.st_mode);
}

/* Whether this call is to fail; how a write that is to kill goes on is up to the caller. */
static int is_due(int fd) {
    return is_file(fd) && left-- <= 0;
}

static int refused(int fd) {
    if (kind == FULL && is_due(fd)) return errno = ENOSPC;
    if (kind == READ_ONLY && is_due(fd)) return errno = EROFS;
    return 0;
}

ssize_t write(int fd, const void *bytes, size_t n) {
    if (refused(fd)) return -1;
    if (kind == KILLED_IN_WRITE && is_due(fd)) {
        REAL(write)(fd, bytes, n / 2);
        kill(getpid(), SIGKILL);
    }
    return REAL(write)(fd, bytes, n);
}

#define PWRITE(name, off)                                        \
    ssize_t name(int fd, const void *bytes, size_t n, off at) {  \
        if (refused(fd)) return -1;                              \
        if (kind == KILLED_IN_WRITE && is_due(fd)) {             \
            REAL(name)(fd, bytes, n / 2, at);                    \
            kill(getpid(), SIGKILL);                             \
        }                                                        \
        return REAL(name)(fd, bytes, n, at);                     \
    }
PWRITE(pwrite, off_t)
PWRITE(pwrite64, off64_t)

#define SYNC(name)                                                                   \
    int name(int fd) {                                                               \
        if (kind == FSYNC_IS_SLOW) usleep(100000);                                   \
        if (kind == FSYNC_FAILS && is_due(fd)) return errno = EIO, -1;               \
        if (kind == FSYNC_FAILS_ONCE && left >= 0 && is_due(fd)) return errno = EIO, -1; \
        return REAL(name)(fd);                                                       \
    }
SYNC(fsync)
SYNC(fdatasync)

#define OPEN(name)                                                                   \
    int name(const char *path, int flags, ...) {                                     \
        va_list more;                                                                \
        va_start(more, flags);                                                       \
        int mode = flags & (O_CREAT | O_TMPFILE) ? va_arg(more, int) : 0;            \
        va_end(more);                                                                \
        if (kind == READ_ONLY && left <= 0 && (flags & (O_WRONLY | O_RDWR)) && *path != '\0') \
            return errno = EROFS, -1;                                                \
        return REAL(name)(path, flags, mode);                                        \
    }
OPEN(open)
OPEN(open64)

int clock_gettime(clockid_t clock, struct timespec *now) {
    int result = REAL(clock_gettime)(clock, now);
    if (clock == CLOCK_REALTIME) now->tv_sec += clock_off_s;
    return result;
}

int gettimeofday(struct timeval *restrict now, void *restrict zone) {
    int result = REAL(gettimeofday)(now, zone);
    now->tv_sec += clock_off_s;
    return result;
}

time_t time(time_t *into) {
    time_t now = REAL(time)(0) + clock_off_s;
    if (into) *into = now;
    return now;
}
