// Anti-aliased lines by distance: a pixel is covered by as much as its centre lies inside the
// line's edge. Taking the greatest cover of all pieces joins them without seams, whatever turns the
// line takes.
#include "cimages.h"

#include <math.h>
#include <stdlib.h>

#include "blend.h"

typedef struct {
  float *cover;
  int32_t x, y, width, height;
} stroke_box;

static int32_t pixel_at(float value, int32_t limit) {
  return value <= 0 ? 0 : value >= (float)limit ? limit : (int32_t)value;
}

// The pixels of a piece of line whose cover can be above zero.
static stroke_box box_of(
  float x0, float y0, float x1, float y1, float reach, int32_t width, int32_t height) {
  stroke_box box = {NULL, 0, 0, 0, 0};
  box.x = pixel_at(floorf(fminf(x0, x1) - reach), width);
  box.y = pixel_at(floorf(fminf(y0, y1) - reach), height);
  box.width = pixel_at(ceilf(fmaxf(x0, x1) + reach), width) - box.x;
  box.height = pixel_at(ceilf(fmaxf(y0, y1) + reach), height) - box.y;
  return box;
}

static void cover_piece(stroke_box *all, const stroke_box *piece, const float *p, float edge) {
  float dx = p[2] - p[0], dy = p[3] - p[1], squared = dx * dx + dy * dy;
  for (int32_t y = piece->y; y < piece->y + piece->height; y++) {
    float *row = all->cover + (size_t)(y - all->y) * (size_t)all->width - all->x;
    for (int32_t x = piece->x; x < piece->x + piece->width; x++) {
      float px = (float)x + 0.5f - p[0], py = (float)y + 0.5f - p[1];
      float along = squared > 0 ? (px * dx + py * dy) / squared : 0;
      along = fminf(fmaxf(along, 0), 1);
      float distance = hypotf(px - along * dx, py - along * dy);
      float cover = fminf(edge - distance, 1);
      if (cover > row[x]) row[x] = cover;
    }
  }
}

bool cimages_stroke(
  uint8_t *rgb, int32_t width, int32_t height, const float *points, size_t count, float line_width,
  uint8_t red, uint8_t green, uint8_t blue) {
  if (count < 2 || !(line_width > 0)) return true;
  float left = INFINITY, top = INFINITY, right = -INFINITY, bottom = -INFINITY;
  for (size_t i = 0; i < count; i++) {
    if (!isfinite(points[2 * i]) || !isfinite(points[2 * i + 1])) return true;
    left = fminf(left, points[2 * i]), right = fmaxf(right, points[2 * i]);
    top = fminf(top, points[2 * i + 1]), bottom = fmaxf(bottom, points[2 * i + 1]);
  }
  // A line thinner than a pixel becomes paler instead.
  float edge = fmaxf(line_width, 1) / 2 + 0.5f, strength = fminf(line_width, 1);
  stroke_box all = box_of(left, top, right, bottom, edge, width, height);
  if (all.width <= 0 || all.height <= 0) return true;
  all.cover = calloc((size_t)all.width * (size_t)all.height, sizeof(float));
  if (!all.cover) return false;
  for (size_t i = 0; i + 1 < count; i++) {
    const float *p = points + 2 * i;
    stroke_box piece = box_of(p[0], p[1], p[2], p[3], edge, width, height);
    cover_piece(&all, &piece, p, edge);
  }
  const float colour[3] = {red, green, blue};
  for (int32_t y = 0; y < all.height; y++) {
    uint8_t *pixel = rgb + ((size_t)(all.y + y) * (size_t)width + (size_t)all.x) * 3;
    const float *row = all.cover + (size_t)y * (size_t)all.width;
    for (int32_t x = 0; x < all.width; x++) blend(pixel + 3 * x, colour, row[x] * strength);
  }
  free(all.cover);
  return true;
}
