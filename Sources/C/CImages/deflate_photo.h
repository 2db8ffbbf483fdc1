// Deflate for filtered pixels of photos, whose bytes hardly ever repeat.
#pragma once

#include <stddef.h>
#include <stdint.h>

// The most bytes that photo_deflate writes for `count` bytes.
size_t photo_deflate_bound(size_t count);

// Writes a zlib stream (RFC 1950) of `bytes` to `out`, which has photo_deflate_bound(count) bytes.
// Returns its length, or 0 for bytes so even that a search for repeats would gain much.
size_t photo_deflate(const uint8_t *bytes, size_t count, uint8_t *out);
