// The loops of Winograd's convolution F(4×4, 3×3) (Lavin & Gray, arXiv 1509.09308): plain memory,
// which call nothing. Compiled for processors with AVX-512; see `winograd.cpp` for what they mean.
#pragma once
#include <c10/util/BFloat16.h>
#include <cstdint>

namespace ctorch::winograd {

/// Values of a vector, and channels that lie side by side everywhere here.
constexpr int64_t lanes = 16;
/// Columns of a panel of the right operand of a product: the last of a matrix may have half.
constexpr int64_t panel = 32;
/// Rows of the left operand that are multiplied at once.
constexpr int64_t rows = 14;
/// Places of a transformed tile: 6 × 6.
constexpr int64_t places = 36;

/// Whether this processor has AVX-512 as the loops need it.
bool has_kernels();

/// Bᵀ d B of a tile of 6 × 6 pixels, for all channels.
///
/// - `pixels`: where each pixel's channels begin.
/// - `out`: the tile's row of place 0: [channels / 16] blocks of 16, `block` values apart. The next
///   place is `place` values on.
void transform_input(
  const float *const *pixels, int64_t channels, float *out, int64_t block, int64_t place);
void transform_input(
  const c10::BFloat16 *const *pixels, int64_t channels, float *out, int64_t block, int64_t place);

/// A dy Aᵀ of a tile of 4 × 4 pixels: what the gradient of a tile's product is.
///
/// - `out`: place 0: one panel of columns after the other, each with `tiles` rows. Row `tile` is
///   written. The next place is `place` values on.
void transform_gradient(
  const float *const *pixels, int64_t channels, float *out, int64_t tile, int64_t tiles,
  int64_t place);
void transform_gradient(
  const c10::BFloat16 *const *pixels, int64_t channels, float *out, int64_t tile, int64_t tiles,
  int64_t place);

/// Aᵀ m A of a tile's products: 4 × 4 pixels.
///
/// - `in`: as `out` of `transform_input`.
void transform_output(
  const float *in, int64_t block, int64_t place, int64_t channels, float *const *pixels);
void transform_output(
  const float *in, int64_t block, int64_t place, int64_t channels, c10::BFloat16 *const *pixels);

/// G g Gᵀ of 16 kernels that lie side by side.
///
/// - `in`: [3 · 3][16].
/// - `out`: 16 values at place 0; the next place is `place` values on.
void transform_weight(const float *in, float *out, int64_t place);

/// Gᵀ m G of 16 kernels: the gradient of a weight by that of its transform.
void transform_weight_gradient(const float *in, int64_t place, float *out);

/// The places of a tile of a convolution that doubles or halves: its even rows and columns (ee) are
/// 5 × 5 places with a row for each tile, its odd ones (eo, oe) five with four rows each, and oo
/// one with 16.
struct Strided {
  int64_t channels, count;
  /// Values from a place to the next: where a tile has one row, and where it has four.
  int64_t one, four;
  /// The first of eo, oe and oo.
  int64_t eo, oe, oo;
};

/// The transform of 5 × 5 small pixels, from one before the tile's in both directions.
void transform_small_input(
  const float *const *pixels, float *out, const Strided &places, int64_t tile);
void transform_small_input(
  const c10::BFloat16 *const *pixels, float *out, const Strided &places, int64_t tile);
/// The transform of 9 × 9 large pixels, from the tile's first.
void transform_large_input(
  const float *const *pixels, float *out, const Strided &places, int64_t tile);
/// What the gradient of a tile's products is, of 8 × 8 large pixels; a right operand.
void transform_large_gradient(
  const float *const *pixels, float *out, const Strided &places, int64_t tile);
void transform_large_gradient(
  const c10::BFloat16 *const *pixels, float *out, const Strided &places, int64_t tile);
/// 8 × 8 large pixels of a tile's products.
void transform_large_output(
  const float *in, const Strided &places, int64_t tile, float *const *pixels);
/// 4 × 4 small pixels of a tile's products.
void transform_small_output(
  const float *in, const Strided &places, int64_t tile, float *const *pixels);
/// As `transform_weight`: 25 places, then 5, 5 and 1.
void transform_strided_weight(const float *in, float *out, int64_t place);
/// As `transform_weight_gradient`.
void transform_strided_weight_gradient(const float *in, int64_t place, float *out);

/// c = a · b.
///
/// - `a`: [depth / 16][block / 16][16], from the first of `count` ≤ 14 rows.
/// - `b`: [depth][width], a panel of 16 or 32 columns.
/// - `c`: [width / 16][block / 16][16].
void multiply(
  const float *a, const float *b, float *c, int64_t count, int64_t depth, int64_t width,
  int64_t block);

/// c += aᵀ · b, of 8 rows of c.
///
/// - `a`: [depth][16], from the first of its 8 columns.
/// - `b`: [depth][width], a panel of 16 or 32 columns.
/// - `c`: 8 rows that are `stride` values apart.
void accumulate(
  const float *a, const float *b, float *c, int64_t depth, int64_t width, int64_t stride);

}  // namespace ctorch::winograd
