#include "cimages.h"
#include "deflate_photo.h"
#include "png_filter.h"

#include <stdlib.h>
#include <string.h>

#include <libdeflate.h>

// Signature, IHDR chunk, IDAT frame, IEND chunk.
#define HEAD_BYTES 33
#define IDAT_FRAME_BYTES 12
#define END_BYTES 12
// Levels for which the time counts more than the last percents.
#define QUICK_LEVELS 2

static void put32(uint8_t *out, uint32_t value) {
  out[0] = (uint8_t)(value >> 24);
  out[1] = (uint8_t)(value >> 16);
  out[2] = (uint8_t)(value >> 8);
  out[3] = (uint8_t)value;
}

// A chunk's checksum covers its name and its data.
static void put_checksum(uint8_t *chunk, size_t data_bytes) {
  put32(chunk + 8 + data_bytes, libdeflate_crc32(0, chunk + 4, data_bytes + 4));
}

size_t cimages_png_bound(uint32_t width, uint32_t height, int level) {
  // An IDAT chunk holds less than 2^31 bytes; half of that leaves room for incompressible data.
  uint64_t raw = ((uint64_t)width * 3 + 1) * height;
  if (width == 0 || height == 0 || width > INT32_MAX || height > INT32_MAX || raw > 1u << 30) {
    return 0;
  }
  struct libdeflate_compressor *compressor = libdeflate_alloc_compressor(level);
  if (!compressor) return 0;
  size_t bound = libdeflate_zlib_compress_bound(compressor, (size_t)raw);
  libdeflate_free_compressor(compressor);
  if (bound < photo_deflate_bound((size_t)raw)) bound = photo_deflate_bound((size_t)raw);
  return HEAD_BYTES + IDAT_FRAME_BYTES + END_BYTES + bound;
}

// Compresses filtered rows; returns 0 if they do not fit or memory ran out.
static size_t compress(
  const uint8_t *raw, size_t raw_bytes, int level, uint8_t *out, size_t capacity) {
  size_t written = 0;
  if (level >= 1 && level <= QUICK_LEVELS && capacity >= photo_deflate_bound(raw_bytes)) {
    written = photo_deflate(raw, raw_bytes, out);
  }
  if (written > 0) return written;
  struct libdeflate_compressor *compressor = libdeflate_alloc_compressor(level);
  if (compressor) written = libdeflate_zlib_compress(compressor, raw, raw_bytes, out, capacity);
  libdeflate_free_compressor(compressor);
  return written;
}

size_t cimages_png_encode(
  const uint8_t *rgb, uint32_t width, uint32_t height, int level, uint8_t *png, size_t capacity) {
  size_t row_bytes = (size_t)width * 3;
  size_t raw_bytes = (row_bytes + 1) * height;
  uint8_t *raw = malloc(raw_bytes);
  size_t compressed = 0;
  uint8_t *data = png + HEAD_BYTES;
  size_t frame = HEAD_BYTES + IDAT_FRAME_BYTES + END_BYTES;
  if (raw && capacity > frame && png_filter_rows(rgb, width, height, raw) == 0) {
    compressed = compress(raw, raw_bytes, level, data + 8, capacity - frame);
  }
  free(raw);
  if (compressed == 0) return 0;

  memcpy(png, "\x89PNG\r\n\x1a\n\0\0\0\x0dIHDR", 16);
  put32(png + 16, width);
  put32(png + 20, height);
  memcpy(png + 24, "\x08\x02\0\0\0", 5);  // 8 bits, RGB, deflate, adaptive filters, no interlace
  put_checksum(png + 8, 13);
  put32(data, (uint32_t)compressed);
  memcpy(data + 4, "IDAT", 4);
  put_checksum(data, compressed);
  uint8_t *end = data + 8 + compressed + 4;
  memcpy(end, "\0\0\0\0IEND", 8);
  put_checksum(end, 0);
  return frame + compressed;
}
