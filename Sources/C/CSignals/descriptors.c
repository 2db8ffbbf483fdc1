#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>

// A process can be started without standard input, output or errors (`2>&-`, some supervisors). The
// next file that is opened would get the free number, and lines for people would be written into
// it. So the number is taken before anything else is opened, in the wrong direction: its use is an
// error, as before.
__attribute__((constructor)) static void take_standard_descriptors(void) {
  for (int descriptor = 0; descriptor <= 2; descriptor++) {
    if (fcntl(descriptor, F_GETFD) >= 0 || errno != EBADF) continue;
    // The lowest free number is this one: all below it are open.
    open("/dev/null", descriptor == 0 ? O_WRONLY : O_RDONLY);
  }
}
