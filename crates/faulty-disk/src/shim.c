/* Stands between a process and its disk (LD_PRELOAD).
 *
 * It sees what is written to the files of one directory, FAULTY_DISK_DIRECTORY, and
 * - records each write, truncation, sync, removal and renaming in FAULTY_DISK_LOG, in the order in which they happened;
 * - lets the syncs that FAULTY_DISK_FAIL names go wrong: "eio -wal 20" is an I/O error at the twentieth sync of a
 *   file whose name ends in -wal, "kill -wal 20" a process that ends just before it;
 * - has a fault for as long as the file FAULTY_DISK_FAULT holds one, with a part of the names of the files it is
 *   about, or * for all: "sync -wal" and "write -wal" are I/O errors, "full *" is a disk without free blocks, and
 *   "quota *" is a user who may not have more of them.
 *
 * A failed sync is not passed on: as with Linux, the pages count as clean afterwards, so the next one succeeds
 * and writes nothing of them (https://wiki.postgresql.org/wiki/Fsync_Errors).
 *
 * Everything happens under one lock, so the log has the one true order. */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <pthread.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <unistd.h>

static pthread_mutex_t one_at_a_time = PTHREAD_MUTEX_INITIALIZER;
static const char *directory, *lasting;
static size_t directory_length;
static int log_file = -1;
static char fail_how[8], fail_suffix[64];
static long fail_at, syncs_seen;

/* A copy, because PostgreSQL writes its title over its variables. */
static const char *variable(const char *name) {
    const char *value = getenv(name);
    return value ? strdup(value) : NULL;
}

__attribute__((constructor)) static void begin(void) {
    directory = variable("FAULTY_DISK_DIRECTORY");
    directory_length = directory ? strlen(directory) : 0;
    lasting = variable("FAULTY_DISK_FAULT");
    const char *log = getenv("FAULTY_DISK_LOG"), *fail = getenv("FAULTY_DISK_FAIL");
    if (log) log_file = open(log, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600);
    if (fail) sscanf(fail, "%7s %63s %ld", fail_how, fail_suffix, &fail_at);
}

/* Whoever is at work on the disk finishes it with its record, and nobody begins after that: a thread that ended between
 * the two would leave a write that is in no record, or a part of a record. The lock is never given back. */
__attribute__((destructor)) static void end(void) { pthread_mutex_lock(&one_at_a_time); }

/* The name within the directory, or NULL for what is none of our business. The directory itself is "". */
static const char *inside(char *path) {
    if (!directory || strncmp(path, directory, directory_length) != 0) return NULL;
    if (path[directory_length] == 0) return path + directory_length;
    if (path[directory_length] != '/') return NULL;
    size_t length = strlen(path);
    if (length > 10 && strcmp(path + length - 10, " (deleted)") == 0) return NULL;
    return path + directory_length + 1;
}

static const char *name_of(int fd, char path[PATH_MAX]) {
    if (!directory) return NULL;
    char link[40];
    snprintf(link, sizeof link, "/proc/self/fd/%d", fd);
    ssize_t length = readlink(link, path, PATH_MAX - 1);
    if (length <= 0) return NULL;
    path[length] = 0;
    return inside(path);
}

/* A process that never ends must not fill the memory of the machine. */
#define LONGEST_LOG (1l << 29)

static void put(const void *from, size_t length) {
    const char *at = from;
    if (lseek(log_file, 0, SEEK_END) > LONGEST_LOG) abort();
    while (length > 0) {
        ssize_t done = syscall(SYS_write, log_file, at, length);
        if (done <= 0) abort();
        at += done;
        length -= (size_t)done;
    }
}

/* A record: kind, length of the name, place, length of the data; name; data. */
static void record(char kind, const char *name, int64_t place, const void *data, uint64_t length) {
    if (log_file < 0) return;
    int kept = errno;
    uint32_t name_length = (uint32_t)strlen(name);
    char head[24] = {kind};
    memcpy(head + 4, &name_length, 4);
    memcpy(head + 8, &place, 8);
    memcpy(head + 16, &length, 8);
    put(head, sizeof head);
    put(name, name_length);
    put(data, length);
    errno = kept;
}

/* What is wrong with a file now: the first letter of the fault, or 0. */
static char fault_of(const char *name) {
    char text[80], how[8] = "", part[64] = "";
    int kept = errno, fd = lasting ? (int)syscall(SYS_openat, AT_FDCWD, lasting, O_RDONLY | O_CLOEXEC) : -1;
    if (fd >= 0) {
        ssize_t length = syscall(SYS_read, fd, text, sizeof text - 1);
        text[length > 0 ? length : 0] = 0;
        syscall(SYS_close, fd);
        sscanf(text, "%7s %63s", how, part);
    }
    errno = kept;
    return strcmp(part, "*") == 0 || (part[0] && strstr(name, part)) ? how[0] : 0;
}

/* A disk has its room in blocks; what a file has of them already can be written. */
#define BLOCK 4096

/* How much of a write the disk takes: all, a part, or nothing, with the reason in errno. */
static size_t taken_of(int fd, const char *name, size_t length, int64_t place) {
    char fault = fault_of(name);
    struct stat file;
    if (fault == 'w') errno = EIO;
    if (fault == 'w') return 0;
    if ((fault != 'f' && fault != 'q') || fstat(fd, &file) != 0) return length;
    int64_t room = (file.st_size + BLOCK - 1) / BLOCK * BLOCK - place;
    if (room <= 0) errno = fault == 'f' ? ENOSPC : EDQUOT;
    return room <= 0 ? 0 : (size_t)room < length ? (size_t)room : length;
}

static ssize_t write_at(int fd, const void *data, size_t length, int64_t place, int moves) {
    char path[PATH_MAX];
    const char *name = name_of(fd, path);
    if (!name)
        return moves ? syscall(SYS_write, fd, data, length)
                     : syscall(SYS_pwrite64, fd, data, length, place);
    pthread_mutex_lock(&one_at_a_time);
    if (moves && (place = lseek(fd, 0, fcntl(fd, F_GETFL) & O_APPEND ? SEEK_END : SEEK_CUR)) < 0) place = 0;
    size_t taken = taken_of(fd, name, length, place);
    ssize_t done = length > 0 && taken == 0 ? -1
                   : moves                  ? syscall(SYS_write, fd, data, taken)
                                            : syscall(SYS_pwrite64, fd, data, taken, place);
    if (done > 0) record('W', name, place, data, (uint64_t)done);
    pthread_mutex_unlock(&one_at_a_time);
    return done;
}

ssize_t write(int fd, const void *data, size_t length) { return write_at(fd, data, length, 0, 1); }

ssize_t pwrite(int fd, const void *data, size_t length, off_t place) {
    return write_at(fd, data, length, place, 0);
}

ssize_t pwrite64(int fd, const void *data, size_t length, off64_t place) {
    return write_at(fd, data, length, place, 0);
}

/* A short write is allowed, so one part is enough. */
static ssize_t write_parts(int fd, const struct iovec *parts, int count, int64_t place, int moves) {
    for (int i = 0; i < count; i++)
        if (parts[i].iov_len > 0) return write_at(fd, parts[i].iov_base, parts[i].iov_len, place, moves);
    return 0;
}

ssize_t writev(int fd, const struct iovec *parts, int count) {
    char path[PATH_MAX];
    if (!name_of(fd, path)) return syscall(SYS_writev, fd, parts, count);
    return write_parts(fd, parts, count, 0, 1);
}

ssize_t pwritev(int fd, const struct iovec *parts, int count, off_t place) {
    return write_parts(fd, parts, count, place, 0);
}

ssize_t pwritev64(int fd, const struct iovec *parts, int count, off64_t place) {
    return write_parts(fd, parts, count, place, 0);
}

/* Room in advance is new room. */
static int reserve(int fd, int mode, int64_t place, int64_t length) {
    char path[PATH_MAX];
    const char *name = name_of(fd, path);
    char fault = name ? fault_of(name) : 0;
    if (fault == 'f' || fault == 'q') errno = fault == 'f' ? ENOSPC : EDQUOT;
    if (fault == 'f' || fault == 'q') return -1;
    return (int)syscall(SYS_fallocate, fd, mode, place, length);
}

int fallocate(int fd, int mode, off_t place, off_t length) { return reserve(fd, mode, place, length); }

int posix_fallocate(int fd, off_t place, off_t length) { return reserve(fd, 0, place, length) == 0 ? 0 : errno; }

static int cut_to(int fd, int64_t length) {
    char path[PATH_MAX];
    const char *name = name_of(fd, path);
    if (!name) return (int)syscall(SYS_ftruncate, fd, length);
    pthread_mutex_lock(&one_at_a_time);
    int done = (int)syscall(SYS_ftruncate, fd, length);
    if (done == 0) record('T', name, length, NULL, 0);
    pthread_mutex_unlock(&one_at_a_time);
    return done;
}

int ftruncate(int fd, off_t length) { return cut_to(fd, length); }

int ftruncate64(int fd, off64_t length) { return cut_to(fd, length); }

/* What is to happen to this sync: 'S' for nothing, 'F' for an error. */
static char fate_of(const char *name) {
    size_t length = strlen(name), suffix = strlen(fail_suffix);
    if (fail_at == 0 || length < suffix || strcmp(name + length - suffix, fail_suffix) != 0) return 'S';
    if (++syncs_seen != fail_at) return 'S';
    if (strcmp(fail_how, "kill") == 0) syscall(SYS_kill, getpid(), SIGKILL);
    return 'F';
}

static int sync_with(long number, int fd) {
    char path[PATH_MAX];
    const char *name = name_of(fd, path);
    if (!name) return (int)syscall(number, fd);
    pthread_mutex_lock(&one_at_a_time);
    char fate = fault_of(name) == 's' ? 'F' : fate_of(name);
    int done = -1;
    if (fate == 'S')
        done = (int)syscall(number, fd);
    else
        errno = EIO;
    record(done == 0 ? 'S' : 'F', name, 0, NULL, 0);
    pthread_mutex_unlock(&one_at_a_time);
    return done;
}

int fsync(int fd) { return sync_with(SYS_fsync, fd); }

int fdatasync(int fd) { return sync_with(SYS_fdatasync, fd); }

int unlink(const char *path) {
    char whole[PATH_MAX];
    const char *name = directory && realpath(path, whole) ? inside(whole) : NULL;
    pthread_mutex_lock(&one_at_a_time);
    int done = (int)syscall(SYS_unlinkat, AT_FDCWD, path, 0);
    if (done == 0 && name) record('U', name, 0, NULL, 0);
    pthread_mutex_unlock(&one_at_a_time);
    return done;
}

int rename(const char *from, const char *to) {
    char whole[PATH_MAX], other[PATH_MAX];
    const char *name = directory && realpath(from, whole) ? inside(whole) : NULL;
    pthread_mutex_lock(&one_at_a_time);
    int done = (int)syscall(SYS_renameat, AT_FDCWD, from, AT_FDCWD, to);
    const char *new_name = done == 0 && name && realpath(to, other) ? inside(other) : NULL;
    if (new_name) record('R', name, 0, new_name, strlen(new_name));
    pthread_mutex_unlock(&one_at_a_time);
    return done;
}
