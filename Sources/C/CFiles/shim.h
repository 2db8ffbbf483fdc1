// Debian's nettle and libdeflate, as they are, and of glibc what Swift leaves out.
#include <libdeflate.h>
#include <malloc.h>
#include <nettle/md5.h>
#include <nettle/sha2.h>
#include <sys/syscall.h>
#include <unistd.h>

/// Of open(2): stands for what has a name without opening it (O_PATH of linux/fcntl.h).
enum { files_path_only = 010000000 };

/// Exchanges two files or folders by name, at once; -1 with errno where one is missing or the file
/// system cannot.
static inline int files_exchange(const char *one, const char *other) {
  // RENAME_EXCHANGE of linux/fs.h and AT_FDCWD of fcntl.h, whose types would become this module's.
  enum { exchange = 2, here = -100 };
  return (int)syscall(SYS_renameat2, here, one, here, other, exchange);
}

/// Where some bytes first stand in others, or NULL: glibc's memmem, which Swift's module of it
/// lacks.
static inline const void *files_find(
  const void *all, size_t all_bytes, const void *sought, size_t sought_bytes) {
  extern void *memmem(const void *, size_t, const void *, size_t);
  return memmem(all, all_bytes, sought, sought_bytes);
}
