#define _GNU_SOURCE
#include "CSignals.h"

#include <signal.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum { slot_count = 2048, path_size = 512 };

// A slot is written by its owner alone, between taking and publishing it: the handler looks at
// slots whose size is not 0 only.
typedef struct {
  atomic_flag taken;
  atomic_uintptr_t base;
  atomic_size_t size;
  // What the file was when it was mapped.
  struct stat status;
  char path[path_size];
} slot;

static slot slots[slot_count];
static atomic_uint next_slot;
// Two texts in turn, so that the handler never reads one that is being written.
static char advices[2][path_size] = {"run the same command again"};
static atomic_int advice;

static void copy(char *to, const char *from) {
  strncpy(to, from, path_size - 1);
  to[path_size - 1] = 0;
}

int csignals_add_mapping(const void *base, size_t size, const char *path) {
  unsigned first = atomic_fetch_add(&next_slot, 1);
  for (unsigned i = 0; i < slot_count; i++) {
    unsigned number = (first + i) % slot_count;
    slot *found = &slots[number];
    if (atomic_flag_test_and_set(&found->taken)) continue;
    copy(found->path, path);
    // A file without an identity is never blamed.
    if (stat(path, &found->status) != 0) memset(&found->status, 0, sizeof found->status);
    atomic_store(&found->base, (uintptr_t)base);
    atomic_store(&found->size, size);
    return (int)number;
  }
  return -1;
}

void csignals_remove_mapping(int number) {
  if (number < 0 || number >= slot_count) return;
  atomic_store(&slots[number].size, 0);
  atomic_flag_clear(&slots[number].taken);
}

void csignals_set_advice(const char *text) {
  int other = 1 - atomic_load(&advice);
  copy(advices[other], text);
  atomic_store(&advice, other);
}

static void put(const char *text) {
  // There is nowhere to say that this failed.
  ssize_t written = write(STDERR_FILENO, text, strlen(text));
  (void)written;
}

static void end(const char *path, const char *fault) {
  put("nifty: ");
  put(path);
  put(fault);
  put(advices[atomic_load(&advice)]);
  put("\n");
  _exit(1);
}

static void handle_bus_error(int signal_number, siginfo_t *info, void *context) {
  (void)context;
  uintptr_t address = (uintptr_t)info->si_addr;
  for (int i = 0; i < slot_count; i++) {
    size_t size = atomic_load(&slots[i].size);
    uintptr_t base = atomic_load(&slots[i].base);
    if (address < base || address - base >= size) continue;
    end(slots[i].path, " became shorter while it was read, or its disk failed; repair it, then ");
  }
  csignals_note_crash();
  // Somebody else's: the instruction is repeated, and ends the process as without a handler.
  signal(signal_number, SIG_DFL);
}

/// Whether another program wrote into a mapped file. One that was replaced by rename is another
/// file by now, and its mapping is as it was.
static bool is_overwritten(const slot *mapping) {
  struct stat now;
  const struct stat *then = &mapping->status;
  if (then->st_ino == 0 || stat(mapping->path, &now) != 0) return false;
  return now.st_ino == then->st_ino && now.st_dev == then->st_dev &&
         (now.st_size != then->st_size || now.st_mtim.tv_sec != then->st_mtim.tv_sec ||
          now.st_mtim.tv_nsec != then->st_mtim.tv_nsec);
}

static const int traps[] = {SIGILL, SIGTRAP, SIGSEGV};
enum { trap_count = sizeof traps / sizeof traps[0] };
static struct sigaction before[trap_count];

/// What was checked when a file was opened does not hold for one that is overwritten in place: then
/// the file is at fault, not the program.
static void handle_trap(int signal_number, siginfo_t *info, void *context) {
  (void)context;
  bool is_sent = info->si_code <= 0;
  for (int i = 0; i < slot_count && !is_sent; i++) {
    if (atomic_load(&slots[i].size) == 0 || !is_overwritten(&slots[i])) continue;
    end(slots[i].path, " was overwritten while it was read; repair it, then ");
  }
  for (int i = 0; i < trap_count; i++) {
    if (traps[i] == signal_number) sigaction(signal_number, &before[i], NULL);
  }
  // The instruction is repeated, for the handler that was there before; a signal that was sent is
  // sent again.
  if (is_sent) raise(signal_number);
}

void csignals_watch_mappings(void) {
  struct sigaction action;
  memset(&action, 0, sizeof action);
  action.sa_sigaction = handle_bus_error;
  action.sa_flags = SA_SIGINFO | SA_ONSTACK;
  sigemptyset(&action.sa_mask);
  sigaction(SIGBUS, &action, NULL);
  action.sa_sigaction = handle_trap;
  for (int i = 0; i < trap_count; i++) sigaction(traps[i], &action, &before[i]);
}
