// The two passes of a separable filter in fixed-point arithmetic. Sums are exact integers, so every
// order of summation, and so every vector width, gives the same bytes.
#include "cimages.h"

#include <string.h>

#if defined(__x86_64__)
#define FOR_EACH_PROCESSOR \
  __attribute__((          \
    target_clones("arch=x86-64-v4", "arch=x86-64-v3", "default"), min_vector_width(512)))
#else
#define FOR_EACH_PROCESSOR
#endif

#define INLINE static inline __attribute__((always_inline))

// Half of the last bit that is shifted out, so that the shift rounds to nearest.
#define ROUNDING (1 << (CIMAGES_WEIGHT_BITS - 1))

typedef uint8_t u8x16 __attribute__((vector_size(16)));
typedef uint8_t u8x4 __attribute__((vector_size(4)));
typedef int32_t i32x4 __attribute__((vector_size(16)));
typedef int32_t i32x8 __attribute__((vector_size(32)));
typedef int32_t i32x16 __attribute__((vector_size(64)));

INLINE uint8_t byte_of(int32_t sum) {
  int32_t value = sum >> CIMAGES_WEIGHT_BITS;
  return (uint8_t)(value < 0 ? 0 : value > 255 ? 255 : value);
}

// MARK: Horizontal

INLINE void pixel_by_scalars(
  const uint8_t *row, const cimages_window *window, const int32_t *weights, uint8_t *out) {
  const uint8_t *pixel = row + (size_t)window->first * 3;
  int32_t red = ROUNDING, green = ROUNDING, blue = ROUNDING;
  for (int32_t i = 0; i < window->count; i++, pixel += 3) {
    red += pixel[0] * weights[i];
    green += pixel[1] * weights[i];
    blue += pixel[2] * weights[i];
  }
  out[0] = byte_of(red);
  out[1] = byte_of(green);
  out[2] = byte_of(blue);
}

// Adds the five pixels that lie side by side in the lanes and rounds.
INLINE void store_sum(const i32x16 *lanes, bool last, uint8_t *out) {
  i32x16 sum = *lanes;
  i32x4 a = __builtin_shufflevector(sum, sum, 0, 1, 2, 15);
  i32x4 b = __builtin_shufflevector(sum, sum, 3, 4, 5, 15);
  i32x4 c = __builtin_shufflevector(sum, sum, 6, 7, 8, 15);
  i32x4 d = __builtin_shufflevector(sum, sum, 9, 10, 11, 15);
  i32x4 e = __builtin_shufflevector(sum, sum, 12, 13, 14, 15);
  i32x4 value = ((a + b) + (c + d) + e + ROUNDING) >> CIMAGES_WEIGHT_BITS;
  value = __builtin_elementwise_max(value, (i32x4){0, 0, 0, 0});
  value = __builtin_elementwise_min(value, (i32x4){255, 255, 255, 255});
  u8x4 bytes = __builtin_convertvector(value, u8x4);
  // Four bytes at once where the fourth is overwritten by the next pixel. Two calls of a known size
  // are two instructions; one of either size is a call.
  if (last) {
    memcpy(out, &bytes, 3);
  } else {
    memcpy(out, &bytes, 4);
  }
}

// One output pixel of `rows` rows: 16 lanes hold five RGB pixels and one lane that is ignored.
INLINE void pixel_by_groups(
  const uint8_t *source, size_t row_bytes, int rows, int32_t groups, const int32_t *weights,
  bool last, uint8_t *out, size_t out_row_bytes) {
  i32x16 sums[4] = {{0}, {0}, {0}, {0}};
  for (int32_t group = 0; group < groups; group++) {
    i32x8 w;
    memcpy(&w, weights + group * CIMAGES_TAP_GROUP, sizeof w);
    i32x16 spread = __builtin_shufflevector(w, w, 0, 0, 0, 1, 1, 1, 2, 2, 2, 3, 3, 3, 4, 4, 4, 4);
    for (int r = 0; r < rows; r++) {
      u8x16 bytes;
      memcpy(&bytes, source + r * row_bytes + group * CIMAGES_TAP_GROUP * 3, sizeof bytes);
      sums[r] += __builtin_convertvector(bytes, i32x16) * spread;
    }
  }
  for (int r = 0; r < rows; r++) store_sum(&sums[r], last, out + r * out_row_bytes);
}

INLINE void filter_rows(
  const uint8_t *source, size_t row_bytes, int32_t width, int rows, uint8_t *out, int32_t out_width,
  const cimages_window *windows, const int32_t *weights, int32_t taps) {
  size_t out_row_bytes = (size_t)out_width * 3;
  for (int32_t x = 0; x < out_width; x++) {
    const cimages_window *window = windows + x;
    const int32_t *w = weights + (size_t)x * (size_t)taps;
    int32_t groups = (window->count + CIMAGES_TAP_GROUP - 1) / CIMAGES_TAP_GROUP;
    // A group reads 16 bytes: the window rounded up, and one byte more. Keep that inside the row.
    if (window->first + groups * CIMAGES_TAP_GROUP < width) {
      pixel_by_groups(
        source + (size_t)window->first * 3, row_bytes, rows, groups, w, x == out_width - 1,
        out + (size_t)x * 3, out_row_bytes);
    } else {
      for (int r = 0; r < rows; r++) {
        pixel_by_scalars(source + r * row_bytes, window, w, out + r * out_row_bytes + x * 3);
      }
    }
  }
}

FOR_EACH_PROCESSOR
void cimages_resample_horizontal(
  const uint8_t *source, size_t row_bytes, int32_t width, int32_t rows, uint8_t *out,
  int32_t out_width, const cimages_window *windows, const int32_t *weights, int32_t taps) {
  int32_t y = 0;
  for (; y + 4 <= rows; y += 4) {
    filter_rows(
      source + y * row_bytes, row_bytes, width, 4, out + (size_t)y * (size_t)out_width * 3,
      out_width, windows, weights, taps);
  }
  for (; y < rows; y++) {
    filter_rows(
      source + y * row_bytes, row_bytes, width, 1, out + (size_t)y * (size_t)out_width * 3,
      out_width, windows, weights, taps);
  }
}

// MARK: Vertical

// 16 columns times `blocks` of one output row.
INLINE void columns(
  const uint8_t *source, size_t row_bytes, int32_t count, const int32_t *weights, int blocks,
  uint8_t *out) {
  i32x16 sums[4];
  for (int b = 0; b < blocks; b++) sums[b] = (i32x16){0} + ROUNDING;
  for (int32_t i = 0; i < count; i++) {
    for (int b = 0; b < blocks; b++) {
      u8x16 bytes;
      memcpy(&bytes, source + i * row_bytes + b * 16, sizeof bytes);
      sums[b] += __builtin_convertvector(bytes, i32x16) * weights[i];
    }
  }
  for (int b = 0; b < blocks; b++) {
    i32x16 value = sums[b] >> CIMAGES_WEIGHT_BITS;
    value = __builtin_elementwise_max(value, (i32x16){0});
    value = __builtin_elementwise_min(value, (i32x16){0} + 255);
    u8x16 bytes = __builtin_convertvector(value, u8x16);
    memcpy(out + b * 16, &bytes, sizeof bytes);
  }
}

FOR_EACH_PROCESSOR
void cimages_resample_vertical(
  const uint8_t *source, size_t row_bytes, uint8_t *out, int32_t out_height,
  const cimages_window *windows, const int32_t *weights, int32_t taps) {
  for (int32_t y = 0; y < out_height; y++) {
    const uint8_t *rows = source + (size_t)windows[y].first * row_bytes;
    const int32_t *w = weights + (size_t)y * (size_t)taps;
    uint8_t *row = out + (size_t)y * row_bytes;
    int32_t count = windows[y].count;
    size_t x = 0;
    for (; x + 64 <= row_bytes; x += 64) columns(rows + x, row_bytes, count, w, 4, row + x);
    for (; x + 16 <= row_bytes; x += 16) columns(rows + x, row_bytes, count, w, 1, row + x);
    for (; x < row_bytes; x++) {
      int32_t sum = ROUNDING;
      for (int32_t i = 0; i < count; i++) sum += rows[i * row_bytes + x] * w[i];
      row[x] = byte_of(sum);
    }
  }
}
