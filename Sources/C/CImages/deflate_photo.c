// Deflate (RFC 1951) with runs and prefix codes, but without a search for repeats: filtered pixels
// of photos have none, and the search takes four fifths of the time of writing a PNG.
#include "deflate_photo.h"
#include "prefix_code.h"

#include <libdeflate.h>

enum { LITERALS = 256, END_OF_BLOCK = 256, FIRST_LENGTH = 257, LONGEST_RUN = 258, STEP = 8 };
// Eight literals are put in two parts, of at most 56 bits each.
enum { LONGEST_CODE = 14 };
enum { BLOCK_BYTES = 1 << 17, LONGEST_STORED = 65535 };
// The header of a block: its kind, the code lengths.
enum { BLOCK_HEADER_BYTES = 512 };

static inline uint64_t eight(const uint8_t *bytes) {
  uint64_t value;
  memcpy(&value, bytes, sizeof value);
  return value;
}

// How many bytes from `at` on equal the one before `at`; 0 if fewer than STEP.
static inline size_t run_length(const uint8_t *bytes, size_t at, size_t end) {
  if (at == 0 || at + STEP > end || eight(bytes + at) != eight(bytes + at - 1)) return 0;
  size_t length = STEP;
  while (length < LONGEST_RUN && at + length < end && bytes[at + length] == bytes[at - 1]) length++;
  return length;
}

typedef struct {
  uint16_t symbol;
  uint8_t extra_bits;
  uint8_t extra;
} run_code;

// A length of 8 to 258 as a symbol and the bits that follow it (RFC 1951, section 3.2.5).
static run_code code_of_run(size_t length) {
  unsigned value = (unsigned)length - 3;
  if (length == LONGEST_RUN) return (run_code){285, 0, 0};
  if (value < 8) return (run_code){(uint16_t)(FIRST_LENGTH + value), 0, 0};
  unsigned extra_bits = 29 - (unsigned)__builtin_clz(value);
  unsigned symbol = FIRST_LENGTH + 4 * extra_bits + (value >> extra_bits);
  return (run_code){
    (uint16_t)symbol, (uint8_t)extra_bits, (uint8_t)(value & ((1u << extra_bits) - 1))};
}

// MARK: Counting

// Counts symbols; returns the bits that follow lengths, and distances.
static size_t count_symbols(const uint8_t *bytes, size_t start, size_t end, uint32_t *counts) {
  // Neighbours often are equal; four tables keep one addition from waiting for the other.
  uint32_t tables[4][LITERALS] = {{0}};
  size_t other_bits = 0;
  memset(counts, 0, PREFIX_SYMBOLS * sizeof *counts);
  counts[END_OF_BLOCK] = 1;
  for (size_t i = start; i < end;) {
    size_t run = run_length(bytes, i, end);
    if (run > 0) {
      run_code code = code_of_run(run);
      counts[code.symbol]++;
      other_bits += code.extra_bits + 1u;
      i += run;
    } else if (i + STEP <= end) {
      for (int k = 0; k < STEP; k++) tables[k % 4][bytes[i + (size_t)k]]++;
      i += STEP;
    } else {
      counts[bytes[i++]]++;
    }
  }
  for (int s = 0; s < LITERALS; s++) {
    counts[s] += tables[0][s] + tables[1][s] + tables[2][s] + tables[3][s];
  }
  return other_bits;
}

static size_t coded_bits(const uint32_t *counts, const prefix_code *code) {
  size_t bits = 0;
  for (int s = 0; s < PREFIX_SYMBOLS; s++) bits += (size_t)counts[s] * code->lengths[s];
  return bits;
}

// MARK: Blocks

// The code lengths of a block; the distances are one, of one byte.
static void put_codes(bit_writer *writer, const prefix_code *code) {
  static const uint8_t order[LENGTH_SYMBOLS] = {16, 17, 18, 0, 8,  7, 9,  6, 10, 5,
                                                11, 4,  12, 3, 13, 2, 14, 1, 15};
  uint8_t lengths[PREFIX_SYMBOLS + 1];
  memcpy(lengths, code->lengths, PREFIX_SYMBOLS);
  lengths[PREFIX_SYMBOLS] = 1;
  length_token tokens[PREFIX_SYMBOLS + 1];
  unsigned count = length_tokens(lengths, PREFIX_SYMBOLS + 1, tokens);
  uint32_t counts[LENGTH_SYMBOLS] = {0};
  for (unsigned i = 0; i < count; i++) counts[tokens[i].symbol]++;
  // The distance's length of one is there in any case, and a second must be.
  if (counts[0] == 0) counts[0] = 1;
  prefix_code of_lengths;
  make_prefix_code(counts, LENGTH_SYMBOLS, LONGEST_LENGTH_CODE, &of_lengths);
  unsigned stored = LENGTH_SYMBOLS;
  while (stored > 4 && of_lengths.lengths[order[stored - 1]] == 0) stored--;
  put_bits(writer, PREFIX_SYMBOLS - 257, 5);
  put_bits(writer, 0, 5);  // one distance
  put_bits(writer, stored - 4, 4);
  for (unsigned i = 0; i < stored; i++) put_bits(writer, of_lengths.lengths[order[i]], 3);
  put_length_tokens(writer, tokens, count, &of_lengths);
}

static inline void put_four(bit_writer *writer, const uint8_t *bytes, const prefix_code *code) {
  uint64_t bits = 0;
  unsigned used = 0;
  for (int k = 0; k < 4; k++) {
    bits |= (uint64_t)code->bits[bytes[k]] << used;
    used += code->lengths[bytes[k]];
  }
  put_bits(writer, bits, used);
}

static void put_symbols(
  bit_writer *writer, const uint8_t *bytes, size_t start, size_t end, const prefix_code *code) {
  for (size_t i = start; i < end;) {
    size_t run = run_length(bytes, i, end);
    if (run > 0) {
      run_code told = code_of_run(run);
      put_bits(writer, code->bits[told.symbol], code->lengths[told.symbol]);
      put_bits(writer, told.extra, told.extra_bits + 1u);  // and the distance, a zero
      i += run;
    } else if (i + STEP <= end) {
      put_four(writer, bytes + i, code);
      put_four(writer, bytes + i + 4, code);
      i += STEP;
    } else {
      put_bits(writer, code->bits[bytes[i]], code->lengths[bytes[i]]);
      i++;
    }
  }
  put_bits(writer, code->bits[END_OF_BLOCK], code->lengths[END_OF_BLOCK]);
}

static void align(bit_writer *writer) { put_bits(writer, 0, (8 - writer->count) % 8); }

// Bytes as they are, where no code is shorter.
static void put_stored(
  bit_writer *writer, const uint8_t *bytes, size_t start, size_t end, bool is_last) {
  while (start < end) {
    size_t count = end - start < LONGEST_STORED ? end - start : LONGEST_STORED;
    put_bits(writer, is_last && start + count == end, 3);
    align(writer);
    put_bits(writer, count | (~count & 0xffff) << 16, 32);
    memcpy(writer->next, bytes + start, count);
    writer->next += count;
    start += count;
  }
}

// MARK: The stream

size_t photo_deflate_bound(size_t count) {
  size_t stored_blocks = count / LONGEST_STORED + count / BLOCK_BYTES + 2;
  // The zlib header and checksum, the headers of blocks, what the writer of bits needs behind.
  return count + 6 * stored_blocks + 6 + BLOCK_HEADER_BYTES + 8;
}

size_t photo_deflate(const uint8_t *bytes, size_t count, uint8_t *out) {
  bit_writer writer = {out, 0, 0};
  put_bits(&writer, 0x0178, 16);  // deflate with a window of 32 KiB, fastest
  size_t start = 0;
  do {
    size_t end = count - start < BLOCK_BYTES ? count : start + BLOCK_BYTES;
    bool is_last = end == count;
    uint32_t counts[PREFIX_SYMBOLS];
    size_t bits = count_symbols(bytes, start, end, counts);
    prefix_code code;
    // One literal and the end of the block are the two symbols that a code needs.
    make_prefix_code(counts, PREFIX_SYMBOLS, LONGEST_CODE, &code);
    bits += coded_bits(counts, &code);
    // Under a bit a byte it is a chart or a plane, where repeats are what there is.
    if (start == 0 && bits < end) return 0;
    if (bits / 8 + BLOCK_HEADER_BYTES >= end - start) {
      put_stored(&writer, bytes, start, end, is_last);
    } else {
      put_bits(&writer, (is_last ? 1 : 0) | 2 << 1, 3);
      put_codes(&writer, &code);
      put_symbols(&writer, bytes, start, end, &code);
    }
    start = end;
  } while (start < count);
  align(&writer);
  uint32_t checksum = libdeflate_adler32(1, bytes, count);
  put_bits(&writer, __builtin_bswap32(checksum), 32);
  return (size_t)(writer.next - out);
}
