// CLinux.h - the C edge: Linux system headers, and static-inline shims for macros and vector instructions that
// Swift cannot spell. No logic lives here; every shim is one expression or one instruction sequence.
#ifndef FOG_CLINUX_H
#define FOG_CLINUX_H

#ifndef _GNU_SOURCE
#define _GNU_SOURCE 1
#endif
#include <arpa/inet.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <limits.h>
#include <locale.h>
#include <math.h>
#include <netdb.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/file.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/signalfd.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/time.h>
#include <sys/types.h>
#include <sys/uio.h>
#include <sys/un.h>
#include <sys/utsname.h>
#include <sys/wait.h>
#include <syslog.h>
#include <time.h>
#include <unistd.h>

static inline int fog_errno(void) { return errno; }

/// Installs the crash report (CrashReport.c); it goes to `log_path`, to standard output when that is empty. When it is
/// not enabled the process dies at once and silently.
void fog_install_crash_report(const char *version, const char *log_path, int is_enabled);
/// Gives the calling thread a stack on which it can report the overflow of its own.
void fog_use_signal_stack(void);
/// Gives it back, before the thread ends: nobody else would.
void fog_drop_signal_stack(void);
/// Takes the signals of crashes out of a set that is about to be blocked: blocked, they would kill without a report.
void fog_keep_crash_signals_open(sigset_t *set);

/// Gives back the pages of code that the start has run (StartupPages.c); call once, when the process serves.
void fog_release_startup_pages(void);

/// Takes the memory in which ps finds the command line (ProcessTitle.c); call before there are threads. False when the
/// process was started in a way that leaves none.
int fog_reserve_process_title(void);
/// What ps shows from now on, cut to that memory; nothing when there is none.
void fog_set_process_title(const char *title);

/// Makes strings compare (LC_COLLATE) as they do in the locale of this name; in the environment's when it is empty.
/// False when the system does not have it.
static inline int fog_set_collation(const char *name) { return setlocale(LC_COLLATE, name) != NULL; }
/// The name of that locale.
static inline const char *fog_collation(void) { return setlocale(LC_COLLATE, NULL); }

/// Prefetches one cache line for reading.
static inline void fog_prefetch(const void *address) { __builtin_prefetch(address, 0, 3); }

/// As `fog_prefetch`, for a line that is about to be written.
static inline void fog_prefetch_write(const void *address) { __builtin_prefetch(address, 1, 3); }

/// Spin-wait hint to the core.
static inline void fog_pause(void) {
#if defined(__x86_64__)
  __builtin_ia32_pause();
#elif defined(__aarch64__)
  __asm__ __volatile__("yield");
#endif
}

/// Bit i of the result is set when lane i of the eight 16-bit lanes at `lanes`, ANDed with `mask`, equals `tag`.
static inline uint32_t fog_match_lanes16(const void *lanes, uint16_t tag, uint16_t mask) {
#if defined(__SSE2__)
  typedef short lanes_t __attribute__((vector_size(16)));
  typedef char bytes_t __attribute__((vector_size(16)));
  lanes_t value;
  __builtin_memcpy(&value, lanes, sizeof value);
  short wanted = (short)tag, kept = (short)mask;
  lanes_t tags = {wanted, wanted, wanted, wanted, wanted, wanted, wanted, wanted};
  lanes_t masks = {kept, kept, kept, kept, kept, kept, kept, kept};
  lanes_t equal = (lanes_t)((value & masks) == tags);
  return (uint32_t)__builtin_ia32_pmovmskb128(
      (bytes_t)__builtin_ia32_packsswb128(equal, (lanes_t){0, 0, 0, 0, 0, 0, 0, 0}));
#else
  uint16_t values[8];
  memcpy(values, lanes, sizeof values);
  uint32_t bits = 0;
  for (int lane = 0; lane < 8; lane++) bits |= (uint32_t)((values[lane] & mask) == tag) << lane;
  return bits;
#endif
}

/// strtod, and errno as it left it (0 when the number is in range).
static inline double fog_strtod(const char *text, char **end, int *error) {
  errno = 0;
  double value = strtod(text, end);
  *error = errno;
  return value;
}

/// A double with seventeen significant digits.
static inline int fog_format_double17(void *target, size_t byteCount, double value) {
  return snprintf((char *)target, byteCount, "%.17g", value);
}

/// A double with six decimals.
static inline int fog_format_double6(void *target, size_t byteCount, double value) {
  return snprintf((char *)target, byteCount, "%f", value);
}

/// A double without decimals, in full.
static inline int fog_format_double(void *target, size_t byteCount, double value) {
  return snprintf((char *)target, byteCount, "%.0f", value);
}

#if defined(__x86_64__) || defined(__i386__)
/// strtold, and errno as it left it.
static inline long double fog_strtold(const char *text, char **end, int *error) {
  errno = 0;
  long double value = strtold(text, end);
  *error = errno;
  return value;
}

/// A long double without decimals, in full.
static inline int fog_format_long_double(void *target, size_t byteCount, long double value) {
  return snprintf((char *)target, byteCount, "%.0Lf", value);
}
#endif

/// The processor's time-stamp counter where there is one; 0 elsewhere.
static inline uint64_t fog_cycle_counter(void) {
#if defined(__x86_64__)
  return __builtin_ia32_rdtsc();
#elif defined(__aarch64__)
  uint64_t value;
  __asm__ __volatile__("mrs %0, cntvct_el0" : "=r"(value));
  return value;
#else
  return 0;
#endif
}

/// A mutex that spins briefly before it parks.
static inline int fog_adaptive_mutex_init(pthread_mutex_t *mutex) {
  pthread_mutexattr_t attributes;
  pthread_mutexattr_init(&attributes);
  pthread_mutexattr_settype(&attributes, PTHREAD_MUTEX_ADAPTIVE_NP);
  int result = pthread_mutex_init(mutex, &attributes);
  pthread_mutexattr_destroy(&attributes);
  return result;
}
/// True when this processor computes CRC-32C itself.
int fog_has_crc32c(void);

/// CRC-32C by the processor's instruction, on the inverted state; only where `fog_has_crc32c` says so.
uint32_t fog_crc32c(uint32_t state, const void *bytes, size_t byteCount);

/// bind, connect, getsockname or getpeername, and accept4 without the address unions Swift cannot spell.
static inline int fog_bind(int fd, const void *address, socklen_t length) {
  return bind(fd, (const struct sockaddr *)address, length);
}
static inline int fog_connect(int fd, const void *address, socklen_t length) {
  return connect(fd, (const struct sockaddr *)address, length);
}
static inline int fog_socket_name(int fd, int peer, struct sockaddr_storage *storage) {
  socklen_t length = sizeof *storage;
  return peer ? getpeername(fd, (struct sockaddr *)storage, &length)
              : getsockname(fd, (struct sockaddr *)storage, &length);
}
static inline int fog_accept(int fd) { return accept4(fd, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC); }
static inline void fog_ignore_signal(int number) { signal(number, SIG_IGN); }
static inline pid_t fog_fork(void) { return fork(); }
static inline int fog_datagram_type(void) { return SOCK_DGRAM | SOCK_CLOEXEC; }
static inline ssize_t fog_sendto(int fd, const void *bytes, size_t count, const void *address, socklen_t length) {
  return sendto(fd, bytes, count, MSG_NOSIGNAL, (const struct sockaddr *)address, length);
}
static inline char *fog_as_char(unsigned char *pointer) { return (char *)pointer; }
static inline void fog_set_errno(int value) { errno = value; }
/// True when this processor multiplies without carries, which `fog_crc64_fold` needs.
int fog_has_crc64_fold(void);

/// Folds the first bytes (a multiple of 64; `byteCount` must be at least 64) and `state` into the 16 bytes at `folded`,
/// whose CRC-64 from state 0 is that of what was folded. Answers how many bytes that were.
size_t fog_crc64_fold(uint64_t state, const void *bytes, size_t byteCount, uint8_t *folded);

static inline int fog_openat_create(const char *path, int flags, int mode) { return open(path, flags, mode); }
static inline int fog_fcntl_int(int fd, int command, int argument) { return fcntl(fd, command, argument); }
static inline long fog_gettid(void) { return syscall(SYS_gettid); }
/// Makes the calling thread one that works in the background: it takes a smaller share of a core by its niceness
/// (threads have one of their own on Linux, whatever the standard says about processes), and as a batch thread it does
/// not interrupt others when it wakes up (sched(7)).
static inline int fog_work_in_background(int niceness) {
  struct sched_param parameters = {.sched_priority = 0};
  int hasPolicy = sched_setscheduler(0, SCHED_BATCH, &parameters);
  int hasNiceness = setpriority(PRIO_PROCESS, (id_t)syscall(SYS_gettid), niceness);
  return hasPolicy == 0 && hasNiceness == 0 ? 0 : -1;
}
/// When the calling thread's burst of work ends; 0 on threads that do not work in bursts.
extern _Thread_local int64_t fog_burst_end_of_thread;
static inline int64_t fog_burst_end(void) { return fog_burst_end_of_thread; }
static inline void fog_set_burst_end(int64_t nanoseconds) { fog_burst_end_of_thread = nanoseconds; }
static inline void fog_syslog(int priority, const char *text) { syslog(priority, "%s", text); }
static inline int fog_wifexited(int status) { return WIFEXITED(status); }
static inline char **fog_environ(void) { return environ; }

/// A read that is answered from memory or refused with EAGAIN.
static inline ssize_t fog_pread_at_once(int fd, void *bytes, size_t count, off_t offset) {
  struct iovec part = {bytes, count};
  return preadv2(fd, &part, 1, offset, RWF_NOWAIT);
}

/// io_uring (Ring.c): where its parts lie in the memory that is shared with the kernel, as byte offsets.
struct fog_ring_layout {
  uint32_t submission_entries, submission_head, submission_tail, submission_mask, submission_array;
  uint32_t completion_entries, completion_head, completion_tail, completion_mask, completion_records;
  uint32_t submission_record_size, completion_record_size;
  /// One mapping for both rings, and plain reads: what kernels from 5.6 on have.
  int is_usable;
};

/// A new ring's descriptor, or -1 and errno. One that only the thread that made it hands work to needs Linux 6.1.
int fog_ring_setup(uint32_t entries, int is_one_threads, struct fog_ring_layout *layout);
/// Hands `submit` records to the kernel, and waits until there are `awaited` completions (0: does not wait).
int fog_ring_enter(int fd, uint32_t submit, uint32_t awaited);
/// Completions are signalled on an eventfd.
int fog_ring_register_event(int fd, int event);
/// The rings' memory, or that of the submission records; NULL and errno when it is refused.
void *fog_ring_map(int fd, size_t count, int is_records);
void fog_ring_write_read(void *record, int fd, void *buffer, uint32_t count, uint64_t offset, uint64_t token);
/// A send that takes what the socket has room for now, or fails with EAGAIN.
void fog_ring_write_send(void *record, int fd, const void *buffer, uint32_t count, uint64_t token);
void fog_ring_read_completion(const void *record, uint64_t *token, int32_t *result);

/// The two accesses to memory that is shared with the kernel.
static inline uint32_t fog_load_acquire(const uint32_t *value) { return __atomic_load_n(value, __ATOMIC_ACQUIRE); }
static inline void fog_store_release(uint32_t *place, uint32_t value) {
  __atomic_store_n(place, value, __ATOMIC_RELEASE);
}

#endif
