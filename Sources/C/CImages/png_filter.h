// The step before compression in a PNG: each row as differences to what its neighbours predict.
#pragma once

#include <stdint.h>

// Writes `height` rows, each of the filter's number and `width` * 3 differences, to `out`.
// Returns -1 when out of memory, else 0.
int png_filter_rows(const uint8_t *rgb, uint32_t width, uint32_t height, uint8_t *out);
