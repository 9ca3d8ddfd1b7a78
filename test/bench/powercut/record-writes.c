/*
 * Preloaded into a process (LD_PRELOAD), this records every change that the process makes to files under
 * $LUNA_CUT_DIR into $LUNA_CUT_LOG, in the order in which it happened, so that a power cut at any moment can be
 * reconstructed afterwards. fsync does not go to the disk: the log is what says what would be on it.
 *
 * A record: u32 op | u32 text bytes | u64 file | u64 a | u64 b | text. Little endian, as the machine.
 *   1 create   file=inode, text=path            2 write     file, a=offset, text=bytes
 *   3 truncate file, a=length                   4 begin sync file, a=number of this sync
 *   5 end sync file, a=number of its begin      6 begin sync of the folder text, a=number
 *   7 end sync of the folder text, a=number     8 rename    text=from\0to
 *   9 link     text=from\0to                   10 remove    text=path
 *  11 make folder text=path                   12 open      file, text=path of a file that exists
 */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <pthread.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/uio.h>
#include <unistd.h>

#define FDS 65536
enum { CREATE = 1, WRITE, TRUNCATE, BEGIN, END, BEGIN_DIR, END_DIR, RENAME, LINK, REMOVE, MKDIR, OPENED };

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static int log_fd = -1;
static char root[PATH_MAX];
static size_t root_length;
static uint64_t syncs;
static ino_t file_of[FDS];
static char *folder_of[FDS];
static unsigned char appends[FDS];

#define REAL(name) static __typeof__(&name) real; if (!real) real = (__typeof__(&name))dlsym(RTLD_NEXT, #name)

static ssize_t write_all(int fd, const void *bytes, size_t length) {
  REAL(write);
  size_t done = 0;
  while (done < length) {
    ssize_t n = real(fd, (const char *)bytes + done, length - done);
    if (n < 0) abort();
    done += n;
  }
  return done;
}

__attribute__((constructor)) static void begin(void) {
  const char *dir = getenv("LUNA_CUT_DIR"), *log = getenv("LUNA_CUT_LOG");
  if (!dir || !log) return;
  strncpy(root, dir, PATH_MAX - 2);
  strcat(root, "/");
  root_length = strlen(root);
  int (*real)(const char *, int, ...) = (int (*)(const char *, int, ...))dlsym(RTLD_NEXT, "open");
  log_fd = real(log, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600);
}

static void record(uint32_t op, uint64_t file, uint64_t a, uint64_t b, const void *text, uint32_t length) {
  char head[32];
  memcpy(head, &op, 4);
  memcpy(head + 4, &length, 4);
  memcpy(head + 8, &file, 8);
  memcpy(head + 16, &a, 8);
  memcpy(head + 24, &b, 8);
  // One write, so that a kill leaves whole records (or a cut one at the very end, which is left out).
  struct iovec parts[2] = {{head, 32}, {(void *)text, length}};
  REAL(writev);
  ssize_t n = real(log_fd, parts, 2);
  if (n >= 0 && (size_t)n < 32 + length) {
    if (n < 32) abort();
    write_all(log_fd, (const char *)text + (n - 32), length - (n - 32));
  }
}

static const char *inside(const char *path) {
  if (log_fd < 0 || strncmp(path, root, root_length) != 0) return NULL;
  return path + root_length;
}

/* "." for the folder itself. */
static const char *ownName(const char *path) {
  if (log_fd >= 0 && strlen(path) == root_length - 1 && strncmp(path, root, root_length - 1) == 0) return ".";
  return inside(path);
}

/* Descriptors are closed behind our back too (libuv calls the kernel itself), so what is noted may be stale. */
static int tracked(int fd) {
  struct stat info;
  if (log_fd < 0 || fd < 0 || fd >= FDS || file_of[fd] == 0) return 0;
  return fstat(fd, &info) == 0 && S_ISREG(info.st_mode) && info.st_ino == file_of[fd];
}

static int trackedFolder(int fd) {
  struct stat info;
  if (log_fd < 0 || fd < 0 || fd >= FDS || folder_of[fd] == NULL) return 0;
  return fstat(fd, &info) == 0 && S_ISDIR(info.st_mode);
}

static void opened(int fd, const char *path, int flags, int existed) {
  struct stat info;
  if (fd < 0 || fd >= FDS || fstat(fd, &info) != 0) return;
  file_of[fd] = 0;
  free(folder_of[fd]);
  folder_of[fd] = NULL;
  if (S_ISDIR(info.st_mode)) {
    folder_of[fd] = strdup(path);
    return;
  }
  file_of[fd] = info.st_ino;
  appends[fd] = (flags & O_APPEND) != 0;
  if (!existed) record(CREATE, info.st_ino, 0, 0, path, strlen(path));
  else record(OPENED, info.st_ino, 0, 0, path, strlen(path));
  if (existed && (flags & O_TRUNC)) record(TRUNCATE, info.st_ino, 0, 0, NULL, 0);
}

#define OPEN(name)                                                                      \
  int name(const char *path, int flags, ...) {                                          \
    REAL(name);                                                                         \
    mode_t mode = 0;                                                                    \
    if (flags & (O_CREAT | O_TMPFILE)) {                                                \
      va_list more;                                                                     \
      va_start(more, flags);                                                            \
      mode = va_arg(more, mode_t);                                                      \
      va_end(more);                                                                     \
    }                                                                                   \
    const char *own = ownName(path);                                                    \
    if (!own) return real(path, flags, mode);                                           \
    pthread_mutex_lock(&lock);                                                          \
    int existed = access(path, F_OK) == 0;                                              \
    int fd = real(path, flags, mode);                                                   \
    int error = errno;                                                                  \
    if (fd >= 0) opened(fd, own, flags, existed);                                       \
    pthread_mutex_unlock(&lock);                                                        \
    errno = error;                                                                      \
    return fd;                                                                          \
  }
OPEN(open)
OPEN(open64)

int close(int fd) {
  REAL(close);
  if (log_fd >= 0 && fd >= 0 && fd < FDS) {
    pthread_mutex_lock(&lock);
    file_of[fd] = 0;
    free(folder_of[fd]);
    folder_of[fd] = NULL;
    pthread_mutex_unlock(&lock);
  }
  return real(fd);
}

ssize_t write(int fd, const void *bytes, size_t length) {
  REAL(write);
  if (!tracked(fd)) return real(fd, bytes, length);
  pthread_mutex_lock(&lock);
  off_t at = lseek(fd, 0, appends[fd] ? SEEK_END : SEEK_CUR);
  ssize_t n = real(fd, bytes, length);
  if (n > 0) record(WRITE, file_of[fd], at, 0, bytes, n);
  pthread_mutex_unlock(&lock);
  return n;
}

#define PWRITE(name, offset_t)                                                          \
  ssize_t name(int fd, const void *bytes, size_t length, offset_t at) {                 \
    REAL(name);                                                                         \
    if (!tracked(fd)) return real(fd, bytes, length, at);                               \
    pthread_mutex_lock(&lock);                                                          \
    ssize_t n = real(fd, bytes, length, at);                                            \
    if (n > 0) record(WRITE, file_of[fd], at, 0, bytes, n);                             \
    pthread_mutex_unlock(&lock);                                                        \
    return n;                                                                           \
  }
PWRITE(pwrite, off_t)
PWRITE(pwrite64, off64_t)

ssize_t writev(int fd, const struct iovec *parts, int count) {
  REAL(writev);
  if (!tracked(fd)) return real(fd, parts, count);
  ssize_t total = 0;
  for (int i = 0; i < count; i++) {
    ssize_t n = write(fd, parts[i].iov_base, parts[i].iov_len);
    if (n < 0) return total ? total : n;
    total += n;
  }
  return total;
}

#define PWRITEV(name, offset_t)                                                         \
  ssize_t name(int fd, const struct iovec *parts, int count, offset_t at) {             \
    REAL(name);                                                                         \
    if (!tracked(fd)) return real(fd, parts, count, at);                                \
    ssize_t total = 0;                                                                  \
    for (int i = 0; i < count; i++) {                                                   \
      ssize_t n = pwrite(fd, parts[i].iov_base, parts[i].iov_len, at + total);          \
      if (n < 0) return total ? total : n;                                              \
      total += n;                                                                       \
    }                                                                                   \
    return total;                                                                       \
  }
PWRITEV(pwritev, off_t)
PWRITEV(pwritev64, off64_t)

static int synced(int fd) {
  int is_folder = trackedFolder(fd);
  pthread_mutex_lock(&lock);
  uint64_t number = ++syncs;
  uint64_t file = file_of[fd];
  char *folder = is_folder ? strdup(folder_of[fd]) : NULL;
  if (folder) record(BEGIN_DIR, 0, number, 0, folder, strlen(folder));
  else record(BEGIN, file, number, 0, NULL, 0);
  pthread_mutex_unlock(&lock);
  usleep(500);
  pthread_mutex_lock(&lock);
  if (folder) record(END_DIR, 0, number, 0, folder, strlen(folder));
  else record(END, file, number, 0, NULL, 0);
  pthread_mutex_unlock(&lock);
  free(folder);
  return 0;
}

#define SYNC(name)                                                                      \
  int name(int fd) {                                                                    \
    REAL(name);                                                                         \
    if (tracked(fd) || trackedFolder(fd)) return synced(fd);                             \
    return real(fd);                                                                    \
  }
SYNC(fsync)
SYNC(fdatasync)

#define FTRUNCATE(name, offset_t)                                                       \
  int name(int fd, offset_t length) {                                                   \
    REAL(name);                                                                         \
    if (!tracked(fd)) return real(fd, length);                                          \
    pthread_mutex_lock(&lock);                                                          \
    int result = real(fd, length);                                                      \
    if (result == 0) record(TRUNCATE, file_of[fd], length, 0, NULL, 0);                 \
    pthread_mutex_unlock(&lock);                                                        \
    return result;                                                                      \
  }
FTRUNCATE(ftruncate, off_t)
FTRUNCATE(ftruncate64, off64_t)

/* Punching holes is a hint that a file system may refuse. */
int fallocate(int fd, int mode, off_t offset, off_t length) {
  REAL(fallocate);
  if (!tracked(fd)) return real(fd, mode, offset, length);
  errno = EOPNOTSUPP;
  return -1;
}

static void two(uint32_t op, const char *from, const char *to) {
  char text[2 * PATH_MAX];
  size_t length = strlen(from) + 1;
  memcpy(text, from, length);
  strcpy(text + length, to);
  record(op, 0, 0, 0, text, length + strlen(to));
}

#define TWO_NAMES(name, op)                                                             \
  int name(const char *from, const char *to) {                                          \
    REAL(name);                                                                         \
    if (!inside(from) || !inside(to)) return real(from, to);                            \
    pthread_mutex_lock(&lock);                                                          \
    int result = real(from, to);                                                        \
    int error = errno;                                                                  \
    if (result == 0) two(op, inside(from), inside(to));                                 \
    pthread_mutex_unlock(&lock);                                                        \
    errno = error;                                                                      \
    return result;                                                                      \
  }
TWO_NAMES(rename, RENAME)
TWO_NAMES(link, LINK)

#define ONE_NAME(name)                                                                  \
  int name(const char *path) {                                                          \
    REAL(name);                                                                         \
    if (!inside(path)) return real(path);                                               \
    pthread_mutex_lock(&lock);                                                          \
    int result = real(path);                                                            \
    int error = errno;                                                                  \
    if (result == 0) record(REMOVE, 0, 0, 0, inside(path), strlen(inside(path)));       \
    pthread_mutex_unlock(&lock);                                                        \
    errno = error;                                                                      \
    return result;                                                                      \
  }
ONE_NAME(unlink)
ONE_NAME(remove)

int mkdir(const char *path, mode_t mode) {
  REAL(mkdir);
  if (!inside(path)) return real(path, mode);
  pthread_mutex_lock(&lock);
  int result = real(path, mode);
  int error = errno;
  if (result == 0) record(MKDIR, 0, 0, 0, inside(path), strlen(inside(path)));
  pthread_mutex_unlock(&lock);
  errno = error;
  return result;
}
