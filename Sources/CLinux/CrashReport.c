// CrashReport.c - what the process leaves when it dies of its own fault: one short report in the log (version, signal,
// address, stack), then the default action of the signal, so that the exit status is true and a core is written where
// those are enabled. C, because a signal handler may run between any two instructions: it takes no lock, allocates
// nothing and calls no Swift code. It must never outlive its two seconds: a server that is gone must free its port,
// whatever state its memory is in.
#include "CLinux.h"
#include <execinfo.h>
#include <ucontext.h>

enum { FOG_FRAMES_MAX = 64, FOG_REPORT_SECONDS_MAX = 2, FOG_SIGNAL_STACK_BYTES = 128 << 10 };

static char fog_report_path[PATH_MAX];
static char fog_report_version[64];
static const int fog_crash_signals[] = {SIGSEGV, SIGBUS, SIGFPE, SIGILL, SIGTRAP, SIGABRT};

static void put_text(int fd, const char *text) {
  ssize_t ignored = write(fd, text, strlen(text));
  (void)ignored;
}

static void put_number(int fd, unsigned long value, unsigned base) {
  char digits[24];
  size_t at = sizeof digits;
  digits[--at] = 0;
  do {
    digits[--at] = "0123456789abcdef"[value % base];
    value /= base;
  } while (value != 0);
  put_text(fd, digits + at);
}

static unsigned long instruction(const ucontext_t *context) {
#if defined(__x86_64__)
  return (unsigned long)context->uc_mcontext.gregs[REG_RIP];
#elif defined(__aarch64__)
  return (unsigned long)context->uc_mcontext.pc;
#else
  (void)context;
  return 0;
#endif
}

static const char *signal_name(int number) {
  switch (number) {
    case SIGSEGV: return "SIGSEGV";
    case SIGBUS: return "SIGBUS";
    case SIGFPE: return "SIGFPE";
    case SIGILL: return "SIGILL";
    case SIGTRAP: return "SIGTRAP";
    default: return "SIGABRT";
  }
}

static void write_report(int fd, int number, const siginfo_t *information, const ucontext_t *context) {
  char thread[16] = {0};
  void *frames[FOG_FRAMES_MAX];
  put_text(fd, "\n\n=== FOG BUG REPORT START: Cut & paste starting from here ===\n");
  put_number(fd, (unsigned long)getpid(), 10);
  put_text(fd, ":signal-handler (");
  put_number(fd, (unsigned long)time(NULL), 10);
  put_text(fd, ") Fog ");
  put_text(fd, fog_report_version);
  put_text(fd, " crashed by signal: ");
  put_number(fd, (unsigned long)number, 10);
  put_text(fd, " (");
  put_text(fd, signal_name(number));
  put_text(fd, "), si_code: ");
  if (information->si_code < 0) put_text(fd, "-");
  put_number(fd, (unsigned long)labs((long)information->si_code), 10);
  if (information->si_code <= 0) {
    put_text(fd, "\nKilled by PID: ");
    put_number(fd, (unsigned long)information->si_pid, 10);
    put_text(fd, ", UID: ");
    put_number(fd, (unsigned long)information->si_uid, 10);
  } else {
    put_text(fd, "\nAccessing address: 0x");
    put_number(fd, (unsigned long)information->si_addr, 16);
  }
  put_text(fd, "\nCrashed running the instruction at: 0x");
  put_number(fd, instruction(context), 16);
  if (prctl(PR_GET_NAME, thread) == 0) {
    put_text(fd, "\nThread: ");
    put_text(fd, thread);
  }
  put_text(fd, "\n\n------ STACK TRACE ------\n");
  int count = backtrace(frames, FOG_FRAMES_MAX);
  backtrace_symbols_fd(frames, count, fd);
  put_text(fd,
           "\nNames of the lines above: addr2line -Cfe <this fog-server binary> <the offset behind the plus sign>\n"
           "=== FOG BUG REPORT END. Please report this with the lines above. ===\n");
}

static void on_crash(int number, siginfo_t *information, void *context) {
  // Unwinding a broken stack may hang: then the alarm, whose action is the default, ends the process.
  sigset_t set;
  sigemptyset(&set);
  sigaddset(&set, SIGALRM);
  signal(SIGALRM, SIG_DFL);
  pthread_sigmask(SIG_UNBLOCK, &set, NULL);
  alarm(FOG_REPORT_SECONDS_MAX);
  int fd = fog_report_path[0] ? open(fog_report_path, O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC, 0644) : STDOUT_FILENO;
  if (fd >= 0) write_report(fd, number, information, (const ucontext_t *)context);
  signal(number, SIG_DFL);
  sigemptyset(&set);
  sigaddset(&set, number);
  pthread_sigmask(SIG_UNBLOCK, &set, NULL);
  raise(number);
}

static _Thread_local void *fog_signal_stack;

void fog_use_signal_stack(void) {
  stack_t stack = {.ss_size = FOG_SIGNAL_STACK_BYTES};
  stack.ss_sp = mmap(NULL, stack.ss_size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  if (stack.ss_sp == MAP_FAILED) return;
  fog_signal_stack = stack.ss_sp;
  sigaltstack(&stack, NULL);
}

void fog_drop_signal_stack(void) {
  if (fog_signal_stack == NULL) return;
  stack_t none = {.ss_flags = SS_DISABLE};
  sigaltstack(&none, NULL);
  munmap(fog_signal_stack, FOG_SIGNAL_STACK_BYTES);
  fog_signal_stack = NULL;
}

void fog_install_crash_report(const char *version, const char *log_path, int is_enabled) {
  snprintf(fog_report_version, sizeof fog_report_version, "%s", version);
  snprintf(fog_report_path, sizeof fog_report_path, "%s", log_path);
  // The first call loads the unwinder, which allocates: not something for a handler.
  void *frame[1];
  backtrace(frame, 1);
  fog_use_signal_stack();
  struct sigaction action = {0};
  sigemptyset(&action.sa_mask);
  if (is_enabled) {
    action.sa_sigaction = on_crash;
    action.sa_flags = SA_SIGINFO | SA_ONSTACK | SA_RESETHAND | SA_NODEFER;
  } else {
    action.sa_handler = SIG_DFL;
  }
  for (size_t index = 0; index < sizeof fog_crash_signals / sizeof *fog_crash_signals; index++) {
    sigaction(fog_crash_signals[index], &action, NULL);
  }
}

void fog_keep_crash_signals_open(sigset_t *set) {
  for (size_t index = 0; index < sizeof fog_crash_signals / sizeof *fog_crash_signals; index++) {
    sigdelset(set, fog_crash_signals[index]);
  }
}
