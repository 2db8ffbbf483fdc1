// Debian's zstd (libzstd-dev), as it is.
#include <zstd.h>
