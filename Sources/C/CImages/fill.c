// Anti-aliased filling by signed areas: each piece of an outline adds, to every pixel it crosses,
// the area between itself and the pixel's right edge, and to the next pixel what remains of its
// height. The running sum along a row is then the covered part of each pixel.
#include "cimages.h"

#include <math.h>
#include <stdlib.h>

#include "blend.h"

typedef struct {
  float *sums;   // height rows of width + 2 columns
  int32_t x, y;  // where the box lies on the canvas
  int32_t width, height;
} coverage;

// What is not a number becomes `low`, so that the result is always safe as an index.
static float clamped(float value, float low, float high) {
  return !(value > low) ? low : value > high ? high : value;
}

static bool finite_segment(const cimages_segment *s) {
  return isfinite(s->x0) && isfinite(s->y0) && isfinite(s->x1) && isfinite(s->y1);
}

// The part of a piece that lies in one row, from (x0, ...) to (x1, ...) with signed height `dy`.
static void add_row(float *row, float x0, float x1, float dy) {
  float left = x0 < x1 ? x0 : x1, right = x0 < x1 ? x1 : x0;
  int32_t first = (int32_t)left, end = (int32_t)ceilf(right);
  if (end <= first + 1) {
    float covered = 1 - (0.5f * (left + right) - (float)first);
    row[first] += dy * covered;
    row[first + 1] += dy * (1 - covered);
    return;
  }
  // Several pixels: a triangle, trapezoids of equal growth, a triangle.
  float slope = 1 / (right - left);
  float lead = 1 - (left - (float)first);
  float tail = right - (float)(end - 1);
  float start = 0.5f * slope * lead * lead;
  float rest = 0.5f * slope * tail * tail;
  row[first] += dy * start;
  if (end == first + 2) {
    row[first + 1] += dy * (1 - start - rest);
  } else {
    float second = slope * (lead + 0.5f);
    row[first + 1] += dy * (second - start);
    for (int32_t x = first + 2; x < end - 1; x++) row[x] += dy * slope;
    float before = second + (float)(end - first - 3) * slope;
    row[end - 1] += dy * (1 - before - rest);
  }
  row[end] += dy * rest;
}

static void add_segment(coverage *box, const cimages_segment *s) {
  float x0 = s->x0 - (float)box->x, y0 = s->y0 - (float)box->y;
  float x1 = s->x1 - (float)box->x, y1 = s->y1 - (float)box->y;
  if (y0 == y1) return;
  float sign = 1;
  if (y0 > y1) {
    float x = x0, y = y0;
    x0 = x1, y0 = y1, x1 = x, y1 = y;
    sign = -1;
  }
  float step = (x1 - x0) / (y1 - y0);
  float top = clamped(y0, 0, (float)box->height), bottom = clamped(y1, 0, (float)box->height);
  for (int32_t y = (int32_t)top; y < box->height && (float)y < bottom; y++) {
    float from = fmaxf((float)y, top), to = fminf((float)y + 1, bottom);
    if (to <= from) continue;
    float a = clamped(x0 + (from - y0) * step, 0, (float)box->width);
    float b = clamped(x0 + (to - y0) * step, 0, (float)box->width);
    add_row(box->sums + (size_t)y * (size_t)(box->width + 2), a, b, sign * (to - from));
  }
}

static bool find_box(
  const cimages_segment *segments, size_t count, int32_t width, int32_t height, coverage *box) {
  float left = INFINITY, top = INFINITY, right = -INFINITY, bottom = -INFINITY;
  for (size_t i = 0; i < count; i++) {
    const cimages_segment *s = segments + i;
    if (!finite_segment(s)) continue;
    left = fminf(left, fminf(s->x0, s->x1));
    right = fmaxf(right, fmaxf(s->x0, s->x1));
    top = fminf(top, fminf(s->y0, s->y1));
    bottom = fmaxf(bottom, fmaxf(s->y0, s->y1));
  }
  box->x = (int32_t)clamped(floorf(left), 0, (float)width);
  box->y = (int32_t)clamped(floorf(top), 0, (float)height);
  box->width = (int32_t)clamped(ceilf(right), 0, (float)width) - box->x;
  box->height = (int32_t)clamped(ceilf(bottom), 0, (float)height) - box->y;
  return box->width > 0 && box->height > 0;
}

bool cimages_fill(
  uint8_t *rgb, int32_t width, int32_t height, const cimages_segment *segments, size_t count,
  uint8_t red, uint8_t green, uint8_t blue, float opacity) {
  coverage box = {0};
  if (!find_box(segments, count, width, height, &box)) return true;
  size_t columns = (size_t)box.width + 2;
  box.sums = calloc(columns * (size_t)box.height, sizeof(float));
  if (!box.sums) return false;
  for (size_t i = 0; i < count; i++) {
    if (finite_segment(segments + i)) add_segment(&box, segments + i);
  }
  const float colour[3] = {red, green, blue};
  for (int32_t y = 0; y < box.height; y++) {
    uint8_t *pixel = rgb + ((size_t)(box.y + y) * (size_t)width + (size_t)box.x) * 3;
    float sum = 0;
    for (int32_t x = 0; x < box.width; x++, pixel += 3) {
      sum += box.sums[(size_t)y * columns + (size_t)x];
      blend(pixel, colour, fminf(fabsf(sum), 1) * opacity);
    }
  }
  free(box.sums);
  return true;
}
