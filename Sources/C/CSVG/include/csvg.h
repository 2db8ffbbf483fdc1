// The C side of drawings in SVG: Debian's librsvg and Cairo, found when the first one is drawn.
//
// Neither library is linked: a program that draws no SVG starts without them, and a machine that
// lacks them hears of it in one message.
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

// Why something could not be done; always terminated.
typedef struct {
  char text[160];
} csvg_message;

// Whether both libraries are there and bring what is needed; the message names what is not.
bool csvg_is_available(csvg_message *message);

// The pixels of a picture that are not white: columns and rows from the first to before the last;
// all 0 where there are none.
typedef struct {
  int left, top, right, bottom;
} csvg_box;

// Draws a document on white into a square, as large as its shape allows and in the middle.
//
// bytes, count: an SVG file, of any content; nothing outside of it is read.
// side: pixels of the square, 1 to 4,096. rgb: side * side * 3 bytes, rows from the top.
// ink: where the picture is not white. May be called from several threads.
bool csvg_draw(
  const uint8_t *bytes, size_t count, int side, uint8_t *rgb, csvg_box *ink, csvg_message *message);
