#include "cimages.h"

// value / 255, rounded to nearest, for value in 0...65025.
static uint8_t divided_by_255(uint32_t value) {
  value += 128;
  return (uint8_t)((value + (value >> 8)) >> 8);
}

void cimages_flatten_alpha(const uint8_t *rgba, size_t count, cimages_alpha alpha, uint8_t *rgb) {
  for (size_t i = 0; i < count; i++, rgba += 4, rgb += 3) {
    uint32_t a = alpha == CIMAGES_ALPHA_WHITE ? rgba[3] : 255;
    for (int c = 0; c < 3; c++) rgb[c] = divided_by_255(rgba[c] * a + 255 * (255 - a));
  }
}
