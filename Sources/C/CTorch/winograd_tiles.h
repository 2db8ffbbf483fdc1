// What the convolutions by Winograd's algorithm share: tiles, chunks of them, and the products.
#pragma once
#include "kernels.h"
#include "winograd_kernels.h"
#include <ATen/core/Tensor.h>
#include <ATen/ops/empty.h>
#include <array>
#include <vector>

namespace ctorch::winograd {

/// Tiles of 4 × 4 pixels of a sequence of images with the channels innermost.
struct Tiles {
  int64_t height, width, down, across, count;

  Tiles(int64_t images, int64_t height, int64_t width)
      : height(height),
        width(width),
        down((height + 3) / 4),
        across((width + 3) / 4),
        count(images * down * across) {}

  /// Pointers to the `side`² pixels of a tile in images of `rows` × `columns`, from pixel
  /// `scale` · (4 · tile) − `border` on; outside of the image, `outside`.
  template <int side, typename T>
  void pixels(
    T *images, int64_t rows, int64_t columns, int64_t channels, int64_t tile, int64_t scale,
    int64_t border, T *outside, T **out) const {
    int64_t image = tile / (down * across), place = tile % (down * across);
    int64_t top = place / across * 4 * scale - border, left = place % across * 4 * scale - border;
    for (int64_t i = 0; i < side; i++) {
      int64_t y = top + i;
      T *row = images + (image * rows + y) * columns * channels;
      for (int64_t j = 0; j < side; j++) {
        int64_t x = left + j;
        bool inside = y >= 0 && y < rows && x >= 0 && x < columns;
        out[i * side + j] = inside ? row + x * channels : outside;
      }
    }
  }
};

/// Whether settings, processor, types and channels let one of these convolutions be computed in
/// this way at all.
bool is_possible(const at::Tensor &input, const at::Tensor &weight);

/// Values from a place to the next. Not a power of two, after which all places would have the same
/// lines of a cache.
inline int64_t spaced(int64_t values) { return values + lanes; }

inline at::Tensor floats(int64_t count) {
  return at::empty({count}, at::TensorOptions().dtype(at::kFloat));
}

inline at::Tensor innermost(const at::Tensor &images) {
  return images.contiguous(at::MemoryFormat::ChannelsLast);
}

/// The matrices of all places: one operand, or the results, of `count` tiles.
struct Matrices {
  int64_t channels;
  std::array<int64_t, places> first, rows;
  int64_t size = 0;

  /// - repeats: rows that a tile has at each place.
  Matrices(int64_t channels, int64_t count, const std::array<int, places> &repeats)
      : channels(channels) {
    for (int64_t place = 0; place < places; place++) {
      first[place] = size;
      rows[place] = count * repeats[place];
      size += spaced(channels * rows[place]);
    }
  }
};

/// Of each place, c = a · b, where b is a transformed weight [c.channels / 32][a.channels][32].
void multiply_all(
  const float *a, const Matrices &of_a, const float *b, float *c, const Matrices &of_c);

/// Of each place, c += aᵀ · b, where c is [a.channels][b.channels].
void accumulate_all(
  const float *a, const Matrices &of_a, const float *b, const Matrices &of_b, float *c);

/// A transform of 16 kernels, and its adjoint, see `winograd_kernels.h`.
using WeightTransform = void (*)(const float *in, float *out, int64_t place);
using WeightAdjoint = void (*)(const float *in, int64_t place, float *out);

/// The transform of a weight [first][second][3][3]: 36 × [columns / 32][depth][32], where the
/// columns are `first`, or with `transposed`, `second`; with `turned` the kernels are turned round.
at::Tensor transformed(
  const at::Tensor &weight, bool transposed, bool turned, WeightTransform transform);

/// The gradient of a weight [columns][depth][3][3] by the gradients 36 × [depth][columns] of its
/// transform.
at::Tensor untransformed(
  const at::Tensor &sums, int64_t depth, int64_t columns, bool transposed, bool turned,
  WeightAdjoint adjoint, at::ScalarType dtype);

}  // namespace ctorch::winograd
