#include "prefix_code.h"

#include <stdlib.h>

// The longest code of a symbol.
enum { LONGEST_CODE = 15 };

typedef struct {
  uint32_t count;
  int16_t parent;
  uint16_t symbol;
} node;

static int by_count(const void *first, const void *second) {
  const node *a = first, *b = second;
  if (a->count != b->count) return a->count < b->count ? -1 : 1;
  return a->symbol < b->symbol ? -1 : a->symbol > b->symbol;
}

// Depths of the Huffman tree over counts that are at least `floor`; returns the greatest.
// Two queues: leaves in order, and inner nodes, which are made in order.
static unsigned tree_depths(
  const uint32_t *counts, unsigned symbols, uint32_t floor, uint8_t *lengths) {
  node nodes[2 * PREFIX_SYMBOLS];
  unsigned leaves = 0;
  for (unsigned s = 0; s < symbols; s++) {
    lengths[s] = 0;
    if (counts[s] == 0) continue;
    nodes[leaves++] = (node){counts[s] < floor ? floor : counts[s], -1, (uint16_t)s};
  }
  qsort(nodes, leaves, sizeof *nodes, by_count);
  unsigned leaf = 0, inner = leaves, end = leaves;
  while (end < 2 * leaves - 1) {
    uint32_t sum = 0;
    for (int child = 0; child < 2; child++) {
      bool takes_leaf = inner == end || (leaf < leaves && nodes[leaf].count <= nodes[inner].count);
      unsigned taken = takes_leaf ? leaf++ : inner++;
      nodes[taken].parent = (int16_t)end;
      sum += nodes[taken].count;
    }
    nodes[end++] = (node){sum, -1, 0};
  }
  // Parents stand behind their children; depths replace the counts.
  unsigned deepest = 0;
  nodes[end - 1].count = 0;
  for (unsigned i = end - 1; i-- > 0;) nodes[i].count = nodes[nodes[i].parent].count + 1;
  for (unsigned i = 0; i < leaves; i++) {
    lengths[nodes[i].symbol] = (uint8_t)nodes[i].count;
    if (nodes[i].count > deepest) deepest = nodes[i].count;
  }
  return deepest;
}

// Code lengths of at most `longest`: rare symbols are counted as less rare until the tree is flat
// enough. Needs two symbols that occur.
static void code_lengths(
  const uint32_t *counts, unsigned symbols, unsigned longest, uint8_t *lengths) {
  uint32_t floor = 1;
  while (tree_depths(counts, symbols, floor, lengths) > longest) floor *= 2;
}

// Canonical codes: of one length in the order of the symbols.
static void assign_bits(const uint8_t *lengths, unsigned symbols, uint16_t *bits) {
  uint16_t next = 0;
  for (unsigned length = 1; length <= LONGEST_CODE; length++) {
    next = (uint16_t)(next << 1);
    for (unsigned s = 0; s < symbols; s++) {
      if (lengths[s] != length) continue;
      uint16_t reversed = 0;
      for (unsigned b = 0; b < length; b++) {
        reversed |= (uint16_t)((next >> b & 1) << (length - 1 - b));
      }
      bits[s] = reversed;
      next++;
    }
  }
}

void make_prefix_code(
  const uint32_t *counts, unsigned symbols, unsigned longest, prefix_code *code) {
  code_lengths(counts, symbols, longest, code->lengths);
  assign_bits(code->lengths, symbols, code->bits);
}

// Each nonzero length, repeats of it, runs of zeros.
unsigned length_tokens(const uint8_t *lengths, unsigned symbols, length_token *tokens) {
  unsigned count = 0;
  for (unsigned s = 0; s < symbols;) {
    unsigned run = 1;
    while (s + run < symbols && lengths[s + run] == lengths[s]) run++;
    unsigned left = run;
    if (lengths[s] != 0) {
      tokens[count++] = (length_token){lengths[s], 0};
      for (left--; left >= 3;) {
        unsigned taken = left < 6 ? left : 6;
        tokens[count++] = (length_token){REPEAT, (uint8_t)(taken - 3)};
        left -= taken;
      }
    }
    while (lengths[s] == 0 && left >= 3) {
      unsigned taken = left < 138 ? left : 138;
      tokens[count++] = taken < 11 ? (length_token){ZEROS, (uint8_t)(taken - 3)}
                                   : (length_token){MANY_ZEROS, (uint8_t)(taken - 11)};
      left -= taken;
    }
    for (; left > 0; left--) tokens[count++] = (length_token){lengths[s], 0};
    s += run;
  }
  return count;
}

void put_length_tokens(
  bit_writer *writer, const length_token *tokens, unsigned count, const prefix_code *code) {
  for (unsigned i = 0; i < count; i++) {
    uint8_t symbol = tokens[i].symbol;
    put_bits(writer, code->bits[symbol], code->lengths[symbol]);
    if (symbol == REPEAT) put_bits(writer, tokens[i].extra, 2);
    if (symbol == ZEROS) put_bits(writer, tokens[i].extra, 3);
    if (symbol == MANY_ZEROS) put_bits(writer, tokens[i].extra, 7);
  }
}

static void store_lengths(bit_writer *writer, const uint8_t *lengths, unsigned symbols) {
  static const uint8_t order[LENGTH_SYMBOLS] = {17, 18, 0, 1,  2,  3,  4,  5,  16, 6,
                                                7,  8,  9, 10, 11, 12, 13, 14, 15};
  length_token tokens[PREFIX_SYMBOLS];
  unsigned count = length_tokens(lengths, symbols, tokens);
  uint32_t counts[LENGTH_SYMBOLS] = {0};
  unsigned kinds = 0;
  for (unsigned i = 0; i < count; i++) kinds += counts[tokens[i].symbol]++ == 0;

  prefix_code code;
  memset(&code, 0, sizeof code);
  if (kinds > 1) make_prefix_code(counts, LENGTH_SYMBOLS, LONGEST_LENGTH_CODE, &code);
  // A code of one symbol takes no bits, but its length is told as one.
  if (kinds == 1) code.lengths[tokens[0].symbol] = 1;
  unsigned stored = LENGTH_SYMBOLS;
  while (stored > 4 && code.lengths[order[stored - 1]] == 0) stored--;
  put_bits(writer, 0, 1);
  put_bits(writer, stored - 4, 4);
  for (unsigned i = 0; i < stored; i++) put_bits(writer, code.lengths[order[i]], 3);
  put_bits(writer, 0, 1);  // the lengths of the whole alphabet follow
  if (kinds == 1) memset(&code, 0, sizeof code);
  put_length_tokens(writer, tokens, count, &code);
}

void store_prefix_code(
  bit_writer *writer, const uint32_t *counts, unsigned symbols, prefix_code *code) {
  unsigned used = 0, only = 0;
  for (unsigned s = 0; s < symbols; s++) {
    if (counts[s] == 0) continue;
    used++;
    only = s;
  }
  memset(code, 0, sizeof *code);
  if (used <= 1) {
    put_bits(writer, 1, 1);  // a simple code
    put_bits(writer, 0, 1);  // of one symbol
    put_bits(writer, 1, 1);  // told in eight bits
    put_bits(writer, only, 8);
    return;
  }
  make_prefix_code(counts, symbols, LONGEST_CODE, code);
  store_lengths(writer, code->lengths, symbols);
}
