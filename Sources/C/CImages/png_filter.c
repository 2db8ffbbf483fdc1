// The filters of the PNG specification (third edition, §9) and the choice among them, row by row.
#include "png_filter.h"

#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#if defined(__x86_64__)
#define FOR_EACH_PROCESSOR \
  __attribute__((target_clones("arch=x86-64-v4", "arch=x86-64-v3", "default")))
#else
#define FOR_EACH_PROCESSOR
#endif

#define INLINE static inline __attribute__((always_inline))

// The bytes of one colour of neighbouring pixels are this far apart.
#define PIXEL_BYTES 3

// The filters that are tried; "none" never paid on photos or drawings.
enum { SUB = 1, UP = 2, AVERAGE = 3, PAETH = 4, FILTERS = 4 };

INLINE int16_t magnitude(int16_t value) { return (int16_t)(value < 0 ? -value : value); }

// The neighbour that is nearest to left + above − corner; in doubt left, then above.
INLINE uint8_t paeth(uint8_t left, uint8_t above, uint8_t corner) {
  int16_t to_left = magnitude((int16_t)(above - corner));
  int16_t to_above = magnitude((int16_t)(left - corner));
  int16_t to_corner = magnitude((int16_t)(left + above - 2 * corner));
  uint8_t of_two = to_above <= to_corner ? above : corner;
  return to_left <= to_above && to_left <= to_corner ? left : of_two;
}

INLINE uint8_t predicted(int filter, uint8_t left, uint8_t above, uint8_t corner) {
  switch (filter) {
    case SUB: return left;
    case UP: return above;
    case AVERAGE: return (uint8_t)((left + above) / 2);
    default: return paeth(left, above, corner);
  }
}

// Filters a row and returns the sum of the differences' magnitudes, as signed bytes. In front of
// `row` and `above` stand PIXEL_BYTES more bytes, of the pixel at the left of the first: zeros. The
// sum may wrap in rows of millions of pixels; any choice of filter is valid.
INLINE uint32_t
apply(int filter, const uint8_t *row, const uint8_t *above, size_t count, uint8_t *out) {
  uint32_t sum = 0;
  for (ptrdiff_t i = 0; i < (ptrdiff_t)count; i++) {
    uint8_t guess = predicted(filter, row[i - PIXEL_BYTES], above[i], above[i - PIXEL_BYTES]);
    uint8_t difference = (uint8_t)(row[i] - guess);
    out[i] = difference;
    sum += difference < 128 ? difference : 256u - difference;
  }
  return sum;
}

// The row with the smallest sum is taken to compress best: the rule of the specification, §12.7.
FOR_EACH_PROCESSOR
static void filter_row(
  const uint8_t *row, const uint8_t *above, size_t count, uint8_t *trials, uint8_t *out) {
  uint32_t sums[FILTERS] = {
    apply(PAETH, row, above, count, trials),
    apply(UP, row, above, count, trials + count),
    apply(SUB, row, above, count, trials + 2 * count),
    apply(AVERAGE, row, above, count, trials + 3 * count),
  };
  static const uint8_t numbers[FILTERS] = {PAETH, UP, SUB, AVERAGE};
  int best = 0;
  for (int trial = 1; trial < FILTERS; trial++) {
    if (sums[trial] < sums[best]) best = trial;
  }
  out[0] = numbers[best];
  memcpy(out + 1, trials + (size_t)best * count, count);
}

int png_filter_rows(const uint8_t *rgb, uint32_t width, uint32_t height, uint8_t *out) {
  size_t count = (size_t)width * PIXEL_BYTES;
  size_t padded = count + PIXEL_BYTES;
  uint8_t *rows = calloc(1, 2 * padded + FILTERS * count);
  if (!rows) return -1;
  uint8_t *trials = rows + 2 * padded;
  for (uint32_t y = 0; y < height; y++) {
    // The two rows take turns: what was the row is the row above next time.
    uint8_t *row = rows + (y % 2) * padded + PIXEL_BYTES;
    uint8_t *above = rows + (1 - y % 2) * padded + PIXEL_BYTES;
    memcpy(row, rgb + y * count, count);
    filter_row(row, above, count, trials, out + y * (count + 1));
  }
  free(rows);
  return 0;
}
