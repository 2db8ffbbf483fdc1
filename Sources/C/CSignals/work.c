#define _GNU_SOURCE
#include <signal.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "CSignals.h"

enum { stack_size = 64 << 10, no_work = -1 };

static const int signals[] = {SIGSEGV, SIGILL, SIGFPE, SIGTRAP, SIGABRT};
enum { signal_count = sizeof signals / sizeof signals[0] };

static struct sigaction before[signal_count];
static atomic_int record = -1;
static _Thread_local int64_t work = no_work;
static _Thread_local bool is_prepared;

void csignals_note_crash(void) {
  int descriptor = atomic_load(&record);
  if (descriptor < 0 || work < 0) return;
  // Digits from the end on: nothing that formats may be called here.
  char line[24];
  size_t start = sizeof line;
  line[--start] = '\n';
  int64_t rest = work;
  do {
    line[--start] = (char)('0' + rest % 10);
    rest /= 10;
  } while (rest > 0);
  // There is nowhere to say that this failed.
  ssize_t written = write(descriptor, line + start, sizeof line - start);
  (void)written;
  work = no_work;
}

static void handle(int number, siginfo_t *info, void *context) {
  (void)context;
  bool is_sent = info->si_code <= 0;
  // What another process sends is no fault of the work.
  if (!is_sent || info->si_pid == getpid()) csignals_note_crash();
  for (int i = 0; i < signal_count; i++) {
    if (signals[i] == number) sigaction(number, &before[i], NULL);
  }
  // The instruction is repeated and ends the process as without a handler; a signal that was sent
  // is sent again.
  if (is_sent) raise(number);
}

void csignals_record_crashes(int descriptor) {
  static atomic_flag is_installed = ATOMIC_FLAG_INIT;
  atomic_store(&record, descriptor);
  if (descriptor < 0 || atomic_flag_test_and_set(&is_installed)) return;
  struct sigaction action;
  memset(&action, 0, sizeof action);
  action.sa_sigaction = handle;
  action.sa_flags = SA_SIGINFO | SA_ONSTACK;
  sigemptyset(&action.sa_mask);
  for (int i = 0; i < signal_count; i++) sigaction(signals[i], &action, &before[i]);
}

/// A stack for the handler, as the thread's own may be what ran out; kept as long as the process.
static void add_stack(void) {
  stack_t stack;
  if (sigaltstack(NULL, &stack) != 0 || !(stack.ss_flags & SS_DISABLE)) return;
  void *memory = mmap(NULL, stack_size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  if (memory == MAP_FAILED) return;
  memset(&stack, 0, sizeof stack);
  stack.ss_sp = memory;
  stack.ss_size = stack_size;
  sigaltstack(&stack, NULL);
}

/// Dispatch's threads block what is sent to them, and the threads that they start inherit that. From 2.41
/// on glibc's abort() does not unblock its signal first: the process would end without the handler.
static void let_abort_through(void) {
  sigset_t set;
  sigemptyset(&set);
  sigaddset(&set, SIGABRT);
  pthread_sigmask(SIG_UNBLOCK, &set, NULL);
}

void csignals_begin_work(int64_t number) {
  if (!is_prepared) {
    is_prepared = true;
    add_stack();
    let_abort_through();
  }
  work = number;
}

void csignals_end_work(void) { work = no_work; }
