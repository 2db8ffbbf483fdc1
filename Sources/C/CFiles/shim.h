// Debian's nettle and libdeflate, as they are, and of glibc what Swift leaves out.
#include <fcntl.h>
#include <libdeflate.h>
#include <malloc.h>
#include <nettle/sha2.h>
#include <sys/syscall.h>
#include <unistd.h>

/// Exchanges two files or folders by name, at once; -1 with errno where one is missing or the file
/// system cannot.
static inline int files_exchange(const char *one, const char *other) {
  enum { exchange = 2 };  // RENAME_EXCHANGE of linux/fs.h
  return (int)syscall(SYS_renameat2, AT_FDCWD, one, AT_FDCWD, other, exchange);
}
