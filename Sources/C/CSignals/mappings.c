#define _GNU_SOURCE
#include "CSignals.h"

#include <signal.h>
#include <stdatomic.h>
#include <stdint.h>
#include <string.h>
#include <unistd.h>

enum { slot_count = 2048, path_size = 512 };

// A slot is written by its owner alone, between taking and publishing it: the handler looks at
// slots whose size is not 0 only.
typedef struct {
  atomic_flag taken;
  atomic_uintptr_t base;
  atomic_size_t size;
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

static void handle(int signal_number, siginfo_t *info, void *context) {
  (void)context;
  uintptr_t address = (uintptr_t)info->si_addr;
  for (int i = 0; i < slot_count; i++) {
    size_t size = atomic_load(&slots[i].size);
    uintptr_t base = atomic_load(&slots[i].base);
    if (address < base || address - base >= size) continue;
    put("nifty: ");
    put(slots[i].path);
    put(" became shorter while it was read, or its disk failed; repair it, then ");
    put(advices[atomic_load(&advice)]);
    put("\n");
    _exit(1);
  }
  csignals_note_crash();
  // Somebody else's: the instruction is repeated, and ends the process as without a handler.
  signal(signal_number, SIG_DFL);
}

void csignals_watch_mappings(void) {
  struct sigaction action;
  memset(&action, 0, sizeof action);
  action.sa_sigaction = handle;
  action.sa_flags = SA_SIGINFO | SA_ONSTACK;
  sigemptyset(&action.sa_mask);
  sigaction(SIGBUS, &action, NULL);
}
