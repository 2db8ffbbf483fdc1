// Debian's nettle (nettle-dev), as it is.
#include <nettle/sha2.h>
