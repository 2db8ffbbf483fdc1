// Debian's zlib (zlib1g-dev), as it is.
#include <zlib.h>
