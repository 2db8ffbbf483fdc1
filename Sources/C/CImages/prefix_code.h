// Bits and prefix codes as deflate (RFC 1951, section 3.2) and lossless WebP (RFC 9649,
// sections 3.5 to 3.7) write them.
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

// The largest alphabet: the literals and lengths of deflate.
#define PREFIX_SYMBOLS 286
// The most bytes that a stored code takes.
#define PREFIX_CODE_BYTES 1024

typedef struct {
  uint16_t bits[PREFIX_SYMBOLS];    // reversed, ready to be put
  uint8_t lengths[PREFIX_SYMBOLS];  // 0 for symbols that do not occur
} prefix_code;

// Makes the shortest code of at most `longest` bits a symbol, or nearly, for symbols that occur
// `counts` times. Two symbols at least must occur.
void make_prefix_code(
  const uint32_t *counts, unsigned symbols, unsigned longest, prefix_code *code);

// The alphabet in which code lengths are told: themselves, a repeat, and runs of zeros.
enum { LENGTH_SYMBOLS = 19, REPEAT = 16, ZEROS = 17, MANY_ZEROS = 18, LONGEST_LENGTH_CODE = 7 };

typedef struct {
  uint8_t symbol, extra;
} length_token;

// Code lengths as tokens; `tokens` has room for one a symbol. Returns their number.
unsigned length_tokens(const uint8_t *lengths, unsigned symbols, length_token *tokens);

// Puts tokens with the code of their symbols.
void put_length_tokens(
  bit_writer *writer, const length_token *tokens, unsigned count, const prefix_code *code);

// WebP: makes the code for symbols that occur `counts` times, and writes what a decoder needs to
// make the same. A symbol that is alone takes no bits and must be below 256.
void store_prefix_code(
  bit_writer *writer, const uint32_t *counts, unsigned symbols, prefix_code *code);
