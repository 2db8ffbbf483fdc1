// Shared by the loops that draw: laying a colour over a pixel.
#pragma once

#include <stdint.h>

// `part` is how much of the pixel the colour takes, in [0, 1].
static inline void blend(uint8_t *pixel, const float colour[3], float part) {
  if (part < 1.0f / 1024) return;
  for (int c = 0; c < 3; c++) {
    pixel[c] = (uint8_t)((float)pixel[c] + part * (colour[c] - (float)pixel[c]) + 0.5f);
  }
}
