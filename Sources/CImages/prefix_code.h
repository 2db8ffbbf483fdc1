// Bits and prefix codes as lossless WebP writes them (RFC 9649, sections 3.5 to 3.7).
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

// Bits go out from the lowest on. Eight bytes behind the last must be writable.
typedef struct {
  uint8_t *next;
  uint64_t bits;
  unsigned count;
} bit_writer;

// Appends up to 56 bits.
static inline void put_bits(bit_writer *writer, uint64_t bits, unsigned count) {
  writer->bits |= bits << writer->count;
  writer->count += count;
  for (int i = 0; i < 8; i++) writer->next[i] = (uint8_t)(writer->bits >> (8 * i));
  writer->next += writer->count / 8;
  writer->bits = writer->count / 8 == 8 ? 0 : writer->bits >> (writer->count / 8 * 8);
  writer->count %= 8;
}

// The largest alphabet: greens and lengths of copies.
#define PREFIX_SYMBOLS 280
// The most bytes that store_prefix_code writes.
#define PREFIX_CODE_BYTES 1024

typedef struct {
  uint16_t bits[PREFIX_SYMBOLS];    // reversed, ready to be put
  uint8_t lengths[PREFIX_SYMBOLS];  // 0 for symbols that do not occur, and for one alone
} prefix_code;

// Makes the code for symbols that occur `counts` times, and writes what a decoder needs to make the
// same. `symbols` is the size of the alphabet; a symbol that is alone must be below 256.
void store_prefix_code(
  bit_writer *writer, const uint32_t *counts, unsigned symbols, prefix_code *code);
