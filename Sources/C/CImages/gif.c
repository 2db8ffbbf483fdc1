#include "cimages.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

// The first picture of a GIF, after the GIF89a specification. No library: libgif takes memory as
// the file asks for it, and what is needed is small.

#define MAXIMUM_CODES 4096

// Where the first picture is and how it lies on the screen.
typedef struct {
  uint32_t width, height;             // of the screen, wide enough for the picture
  uint32_t left, top, columns, rows;  // of the picture
  bool interlaced;
  int transparent;         // index of the colour that is none; -1 without
  int background;          // index of the colour of what the picture leaves out
  const uint8_t *palette;  // RGB triples; NULL: the index is a shade of grey
  uint32_t colours;
  size_t data;  // where the code size is, and the codes behind it
} gif_frame;

typedef struct {
  const uint8_t *bytes;
  size_t count;
  cimages_message *message;
} gif_input;

static cimages_status fail(const gif_input *in, cimages_status status, const char *text) {
  snprintf(in->message->text, sizeof in->message->text, "%s", text);
  return status;
}

static cimages_status cut(const gif_input *in) {
  return fail(in, CIMAGES_TRUNCATED, "the file ends too early");
}

static uint32_t number(const uint8_t *at) { return (uint32_t)at[0] | (uint32_t)at[1] << 8; }

// Moves behind a chain of blocks; false when the file ends in it.
static bool skip_blocks(const gif_input *in, size_t *at) {
  while (*at < in->count) {
    size_t size = in->bytes[*at];
    *at += 1 + size;
    if (size == 0) return *at <= in->count;
  }
  return false;
}

// Takes the colour table that `flags` announce at `at`, if any; false when the file ends in it.
static bool take_palette(const gif_input *in, uint8_t flags, size_t *at, gif_frame *frame) {
  if (!(flags & 0x80)) return true;
  uint32_t colours = 2u << (flags & 7);
  if (in->count - *at < 3 * (size_t)colours) return false;
  frame->palette = in->bytes + *at;
  frame->colours = colours;
  *at += 3 * (size_t)colours;
  return true;
}

static cimages_status take_descriptor(const gif_input *in, size_t at, gif_frame *frame) {
  if (in->count - at < 10) return cut(in);
  const uint8_t *from = in->bytes + at;
  frame->left = number(from + 1);
  frame->top = number(from + 3);
  frame->columns = number(from + 5);
  frame->rows = number(from + 7);
  frame->interlaced = (from[9] & 0x40) != 0;
  at += 10;
  if (!take_palette(in, from[9], &at, frame)) return cut(in);
  if (frame->columns == 0 || frame->rows == 0) {
    return fail(in, CIMAGES_CORRUPT, "a picture without pixels");
  }
  // As Pillow: a screen that is too small for its first picture grows.
  uint32_t right = frame->left + frame->columns, bottom = frame->top + frame->rows;
  if (frame->width < right) frame->width = right;
  if (frame->height < bottom) frame->height = bottom;
  frame->data = at;
  return CIMAGES_OK;
}

static cimages_status find_frame(const gif_input *in, gif_frame *frame) {
  memset(frame, 0, sizeof *frame);
  in->message->text[0] = 0;
  frame->transparent = -1;
  if (in->count < 13) return cut(in);
  frame->width = number(in->bytes + 6);
  frame->height = number(in->bytes + 8);
  frame->background = in->bytes[11];
  size_t at = 13;
  if (!take_palette(in, in->bytes[10], &at, frame)) return cut(in);
  while (at < in->count) {
    if (in->bytes[at] == 0x2c) return take_descriptor(in, at, frame);
    if (in->bytes[at] == 0x3b) return fail(in, CIMAGES_CORRUPT, "no picture in it");
    if (in->bytes[at] != 0x21) return fail(in, CIMAGES_CORRUPT, "an unknown block");
    if (in->count - at < 7) return cut(in);
    // Graphic control: which colour is transparent.
    if (in->bytes[at + 1] == 0xf9 && in->bytes[at + 2] >= 4) {
      frame->transparent = (in->bytes[at + 3] & 1) ? in->bytes[at + 6] : -1;
    }
    at += 2;
    if (!skip_blocks(in, &at)) return cut(in);
  }
  return cut(in);
}

// Whether the file goes on to its end mark; what stands in between is not looked into.
static bool is_whole(const gif_input *in, size_t at) {
  if (!skip_blocks(in, &at)) return false;
  while (at < in->count) {
    uint8_t kind = in->bytes[at];
    if (kind == 0x21) {
      at += 2;
    } else if (kind == 0x2c) {
      if (in->count - at < 11) return false;
      uint8_t flags = in->bytes[at + 9];
      at += 10 + (flags & 0x80 ? 3 * ((size_t)2 << (flags & 7)) : 0) + 1;
    } else {
      return true;
    }
    if (at >= in->count || !skip_blocks(in, &at)) return false;
  }
  return false;
}

// The codes of a picture, bit by bit across blocks.
typedef struct {
  const gif_input *in;
  size_t at, block_end;
  uint32_t bits;
  int bit_count;
  bool is_done;
} code_reader;

static int next_code(code_reader *codes, int size) {
  while (codes->bit_count < size) {
    if (codes->at == codes->block_end) {
      if (codes->is_done || codes->at >= codes->in->count) return -1;
      size_t length = codes->in->bytes[codes->at++];
      if (length == 0 || length > codes->in->count - codes->at) {
        codes->is_done = true;
        codes->block_end = codes->at;
        return -1;
      }
      codes->block_end = codes->at + length;
    }
    codes->bits |= (uint32_t)codes->in->bytes[codes->at++] << codes->bit_count;
    codes->bit_count += 8;
  }
  int code = (int)(codes->bits & ((1u << size) - 1));
  codes->bits >>= size;
  codes->bit_count -= size;
  return code;
}

// One string per code: its last index, the code of the rest, its first index, its length.
typedef struct {
  uint16_t rest[MAXIMUM_CODES], length[MAXIMUM_CODES];
  uint8_t last[MAXIMUM_CODES], first[MAXIMUM_CODES];
} code_table;

// Writes the string of `code` to the indices from `done` on, at most up to `total`.
static size_t put_string(
  const code_table *table, int code, uint8_t *indices, size_t done, size_t total) {
  size_t length = table->length[code];
  for (size_t i = length; i-- > 0; code = table->rest[code]) {
    if (done + i < total) indices[done + i] = table->last[code];
  }
  return done + length < total ? done + length : total;
}

// LZW with codes of growing size; fills `total` indices or says why not.
static cimages_status read_indices(
  const gif_input *in, size_t at, code_table *table, uint8_t *indices, size_t total) {
  int minimum = in->bytes[at];
  if (minimum < 1 || minimum > 8) return fail(in, CIMAGES_CORRUPT, "an impossible code size");
  int clear = 1 << minimum, end = clear + 1, next = clear + 2, size = minimum + 1, previous = -1;
  for (int i = 0; i < clear; i++) {
    table->last[i] = table->first[i] = (uint8_t)i;
    table->length[i] = 1;
    table->rest[i] = 0;
  }
  code_reader codes = {in, at + 1, at + 1, 0, 0, false};
  size_t done = 0;
  while (done < total) {
    int code = next_code(&codes, size);
    if (code < 0 && !codes.is_done) return cut(in);
    if (code < 0 || code == end) return fail(in, CIMAGES_CORRUPT, "fewer pixels than its size");
    if (code == clear) {
      next = clear + 2, size = minimum + 1, previous = -1;
      continue;
    }
    if (code > next || (code == next && previous < 0) || (code > end && previous < 0)) {
      return fail(in, CIMAGES_CORRUPT, "a code before its string");
    }
    if (previous >= 0 && next < MAXIMUM_CODES) {
      table->rest[next] = (uint16_t)previous;
      table->first[next] = table->first[previous];
      table->last[next] = code == next ? table->first[previous] : table->first[code];
      table->length[next] = (uint16_t)(table->length[previous] + 1);
      next++;
      if (next == 1 << size && size < 12) size++;
    } else if (code >= next) {
      return fail(in, CIMAGES_CORRUPT, "a code before its string");
    }
    done = put_string(table, code, indices, done, total);
    previous = code;
  }
  return CIMAGES_OK;
}

static void put_colour(const gif_frame *frame, int index, uint8_t *rgb) {
  if (!frame->palette) {
    memset(rgb, index, 3);
  } else if ((uint32_t)index < frame->colours) {
    memcpy(rgb, frame->palette + 3 * index, 3);
  } else {
    memset(rgb, 0, 3);
  }
}

// The row of the picture that is stored as row `number`.
static uint32_t row_of(const gif_frame *frame, uint32_t number) {
  static const uint32_t starts[] = {0, 4, 2, 1}, steps[] = {8, 8, 4, 2};
  if (!frame->interlaced) return number;
  for (int pass = 0; pass < 4; pass++) {
    uint32_t rows =
      frame->rows > starts[pass] ? (frame->rows - starts[pass] + steps[pass] - 1) / steps[pass] : 0;
    if (number < rows) return starts[pass] + number * steps[pass];
    number -= rows;
  }
  return frame->rows - 1;
}

static void paint(
  const gif_frame *frame, const uint8_t *indices, cimages_alpha alpha, uint8_t *rgb) {
  size_t pixels = (size_t)frame->width * frame->height;
  bool is_covered = frame->columns == frame->width && frame->rows == frame->height;
  if (!is_covered && alpha == CIMAGES_ALPHA_WHITE) memset(rgb, 255, 3 * pixels);
  if (!is_covered && alpha == CIMAGES_ALPHA_DROP) {
    for (size_t i = 0; i < pixels; i++) put_colour(frame, frame->background, rgb + 3 * i);
  }
  for (uint32_t stored = 0; stored < frame->rows; stored++) {
    size_t y = frame->top + row_of(frame, stored);
    uint8_t *out = rgb + 3 * (y * frame->width + frame->left);
    for (uint32_t x = 0; x < frame->columns; x++, out += 3) {
      int index = indices[(size_t)stored * frame->columns + x];
      if (index == frame->transparent && alpha == CIMAGES_ALPHA_WHITE) {
        memset(out, 255, 3);
      } else {
        put_colour(frame, index, out);
      }
    }
  }
}

cimages_status cimages_gif_header(
  const uint8_t *bytes, size_t count, cimages_header *header, cimages_message *message) {
  gif_input in = {bytes, count, message};
  gif_frame frame;
  cimages_status status = find_frame(&in, &frame);
  if (status != CIMAGES_OK) return status;
  bool is_covered = frame.columns == frame.width && frame.rows == frame.height;
  *header = (cimages_header){frame.width, frame.height, frame.transparent >= 0 || !is_covered};
  return CIMAGES_OK;
}

cimages_status cimages_gif_decode(
  const uint8_t *bytes, size_t count, cimages_alpha alpha, uint8_t *rgb, size_t capacity,
  cimages_message *message) {
  gif_input in = {bytes, count, message};
  gif_frame frame;
  cimages_status status = find_frame(&in, &frame);
  if (status != CIMAGES_OK) return status;
  if ((size_t)frame.width * frame.height * 3 != capacity) {
    return fail(&in, CIMAGES_CORRUPT, "the size changed");
  }
  if (frame.data >= count || !is_whole(&in, frame.data + 1)) return cut(&in);
  size_t total = (size_t)frame.columns * frame.rows;
  // A code takes more than a bit and stands for fewer pixels than there are codes.
  if (total / (8 * MAXIMUM_CODES) > count) {
    return fail(&in, CIMAGES_TRUNCATED, "the file is too short for its size in pixels");
  }
  uint8_t *indices = malloc(total);
  code_table *table = malloc(sizeof *table);
  status = indices && table ? read_indices(&in, frame.data, table, indices, total)
                            : fail(&in, CIMAGES_NO_MEMORY, "out of memory");
  if (status == CIMAGES_OK) paint(&frame, indices, alpha, rgb);
  free(indices);
  free(table);
  return status;
}
