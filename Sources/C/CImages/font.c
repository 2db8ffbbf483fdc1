#include "cimages.h"

#include <stdlib.h>

#include <harfbuzz/hb-ot.h>
#include <harfbuzz/hb.h>

// Curves become this many straight pieces; at text sizes the error is far below a pixel's tenth.
#define PIECES_PER_CURVE 8

struct cimages_font {
  hb_font_t *font;
  hb_draw_funcs_t *draw;
  cimages_font_metrics metrics;
};

typedef struct {
  cimages_segment *segments;
  size_t count, capacity;
} outline;

static void add_piece(outline *target, float x0, float y0, float x1, float y1) {
  if (target->count < target->capacity) {
    target->segments[target->count] = (cimages_segment){x0, y0, x1, y1};
  }
  target->count++;
}

static void draw_line(
  hb_draw_funcs_t *funcs, void *data, hb_draw_state_t *state, float x, float y, void *user) {
  (void)funcs, (void)user;
  add_piece(data, state->current_x, state->current_y, x, y);
}

static void draw_cubic(
  hb_draw_funcs_t *funcs, void *data, hb_draw_state_t *state, float ax, float ay, float bx,
  float by, float x, float y, void *user) {
  (void)funcs, (void)user;
  float px = state->current_x, py = state->current_y;
  for (int i = 1; i <= PIECES_PER_CURVE; i++) {
    float t = (float)i / PIECES_PER_CURVE, s = 1 - t;
    float w0 = s * s * s, w1 = 3 * s * s * t, w2 = 3 * s * t * t, w3 = t * t * t;
    float nx = w0 * state->current_x + w1 * ax + w2 * bx + w3 * x;
    float ny = w0 * state->current_y + w1 * ay + w2 * by + w3 * y;
    add_piece(data, px, py, nx, ny);
    px = nx, py = ny;
  }
}

cimages_font *cimages_font_open(const char *path, uint32_t face_index) {
  hb_blob_t *blob = hb_blob_create_from_file_or_fail(path);
  if (!blob) return NULL;
  hb_face_t *face = hb_face_create(blob, face_index);
  hb_blob_destroy(blob);
  hb_font_t *font = hb_font_create(face);
  unsigned glyphs = hb_face_get_glyph_count(face), units = hb_face_get_upem(face);
  hb_face_destroy(face);
  hb_draw_funcs_t *draw = hb_draw_funcs_create();
  cimages_font *result = malloc(sizeof *result);
  if (!result || glyphs == 0 || units == 0) {
    free(result);
    hb_draw_funcs_destroy(draw);
    hb_font_destroy(font);
    return NULL;
  }
  // HarfBuzz turns quadratic curves into cubics and the closing of a contour into a line.
  hb_draw_funcs_set_line_to_func(draw, draw_line, NULL, NULL);
  hb_draw_funcs_set_cubic_to_func(draw, draw_cubic, NULL, NULL);
  hb_draw_funcs_make_immutable(draw);
  hb_font_extents_t extents = {0};
  hb_font_get_h_extents(font, &extents);
  hb_font_make_immutable(font);
  *result = (cimages_font){font, draw, {(int32_t)units, extents.ascender, extents.descender}};
  return result;
}

void cimages_font_close(cimages_font *font) {
  if (!font) return;
  hb_draw_funcs_destroy(font->draw);
  hb_font_destroy(font->font);
  free(font);
}

cimages_font_metrics cimages_font_get_metrics(const cimages_font *font) { return font->metrics; }

bool cimages_font_covers(const cimages_font *font, uint32_t scalar) {
  hb_codepoint_t glyph = 0;
  return hb_font_get_nominal_glyph(font->font, scalar, &glyph) && glyph != 0;
}

size_t cimages_font_shape(
  const cimages_font *font, const uint32_t *scalars, size_t count, bool is_right_to_left,
  cimages_glyph *glyphs, size_t capacity) {
  if (count > INT32_MAX) return 0;
  hb_buffer_t *buffer = hb_buffer_create();
  hb_buffer_add_utf32(buffer, scalars, (int)count, 0, (int)count);
  hb_buffer_set_direction(buffer, is_right_to_left ? HB_DIRECTION_RTL : HB_DIRECTION_LTR);
  hb_buffer_guess_segment_properties(buffer);
  hb_shape(font->font, buffer, NULL, 0);
  unsigned length = 0;
  const hb_glyph_info_t *infos = hb_buffer_get_glyph_infos(buffer, &length);
  const hb_glyph_position_t *positions = hb_buffer_get_glyph_positions(buffer, NULL);
  for (unsigned i = 0; i < length && i < capacity; i++) {
    glyphs[i] = (cimages_glyph){
      infos[i].codepoint, infos[i].cluster, positions[i].x_advance, positions[i].x_offset,
      positions[i].y_offset};
  }
  hb_buffer_destroy(buffer);
  return length;
}

size_t cimages_font_outline(
  const cimages_font *font, uint32_t glyph, cimages_segment *segments, size_t capacity) {
  outline target = {segments, 0, capacity};
  hb_font_get_glyph_shape(font->font, glyph, font->draw, &target);
  return target.count;
}
