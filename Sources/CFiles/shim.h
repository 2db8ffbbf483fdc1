// Debian's nettle (nettle-dev), as it is, and of glibc what Swift leaves out.
#include <malloc.h>
#include <nettle/sha2.h>
