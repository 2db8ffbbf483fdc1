#pragma once

#include <stddef.h>
#include <stdint.h>

/// Turns the SIGBUS of a mapped file that became shorter, or whose disk failed, into one line that
/// names the file, and the exit status 1; likewise a trap (SIGILL, SIGTRAP, SIGSEGV) while a mapped
/// file was overwritten in place. Everything here is safe from any thread.

/// Installs the handlers; to be called once. Other signals act as before.
void csignals_watch_mappings(void);

/// Notes a mapping.
///
/// - Returns: A slot for `csignals_remove_mapping`; -1 when all are taken: the file has no name
/// then.
int csignals_add_mapping(const void *base, size_t size, const char *path);

/// Forgets a mapping, before it is unmapped; -1 does nothing.
void csignals_remove_mapping(int slot);

/// What the line ends with: how to go on. At most 500 bytes.
void csignals_set_advice(const char *text);

/// Notes which piece of work a fatal signal interrupted: SIGSEGV, SIGILL, SIGFPE, SIGTRAP and
/// SIGABRT of this process itself, and a SIGBUS that is no mapped file's. The signal then acts as
/// before.

/// Where the numbers go, one a line; -1 for nowhere. The first call installs the handlers.
void csignals_record_crashes(int descriptor);

/// This thread is at a piece of work, whose number is 0 or more.
void csignals_begin_work(int64_t number);

/// This thread has finished its work.
void csignals_end_work(void);

/// For handlers: notes this thread's work, if there is any.
void csignals_note_crash(void);
