// Winograd's algorithm for the 3 × 3 convolutions that double or halve an image of float32.
//
// With one image small (H × W) and one large (2H + 1 × 2W + 1), the even rows of the large one have
// two taps, w₂ of the row above and w₀, and its odd ones one tap, w₁; columns likewise. So a tile
// of 4 × 4 small pixels has four parts, of even and odd rows and columns, and F(4, 2) spares 63 of
// its 144 products a channel: even rows and columns have 5 × 5 places, even and odd 5 × 4, odd ones
// 4 × 4.
//
// Points 0, 1, −1, 2 and ∞. See `winograd.cpp` for the rest.
#include "winograd_strided.h"
#include "winograd_tiles.h"
#include <ATen/ops/zeros.h>
#include <cmath>

namespace ctorch::winograd {

namespace {

using at::Tensor;

/// Rows of a tile at each place: 25 of even rows and columns, 5 and 5 of even and odd ones, and one
/// of odd.
constexpr std::array<int, places> repeats = [] {
  std::array<int, places> result{};
  for (int place = 0; place < places; place++) result[place] = place < 25 ? 1 : place < 35 ? 4 : 16;
  return result;
}();

Strided strided(const Matrices &matrices, int64_t count) {
  const auto &first = matrices.first;
  return {matrices.channels, count,     first[1], first[26] - first[25],
          first[25],         first[30], first[35]};
}

/// The tiles of the small images. One more row and column of them, because the large image ends
/// with an even one, which two small ones have part in.
Tiles tiles_of(int64_t images, int64_t height, int64_t width) {
  return Tiles(images, height + 1, width + 1);
}

constexpr int64_t most = 56;

template <typename T>
void correlate(const Tensor &x, const Tensor &dy, Tensor &sums) {
  const int64_t N = x.size(0), S = x.size(1), H = x.size(2), W = x.size(3);
  const int64_t L = dy.size(1), rows = 2 * H + 1, columns = 2 * W + 1;
  const Tiles tiles = tiles_of(N, H, W);
  const int64_t size = std::min(tiles.count, 2 * most);
  const std::vector<T> nothing(std::max(S, L));
  Tensor left = floats(Matrices(S, size, repeats).size);
  Tensor right = floats(Matrices(L, size, repeats).size);
  const T *source = values<T>(x), *gradient = values<T>(dy);
  float *a = left.data_ptr<float>(), *b = right.data_ptr<float>();
  for (int64_t first = 0; first < tiles.count; first += size) {
    const int64_t count = std::min(size, tiles.count - first);
    const Matrices of_a(S, count, repeats), of_b(L, count, repeats);
    const Strided ofInput = strided(of_a, count), ofGradient = strided(of_b, count);
    in_parallel(count, 8, [&](int64_t begin, int64_t end) {
      const T *pixels[64];
      for (int64_t tile = begin; tile < end; tile++) {
        tiles.pixels<5>(source, H, W, S, first + tile, 1, 1, nothing.data(), pixels);
        transform_small_input(pixels, a, ofInput, tile);
        tiles.pixels<8>(gradient, rows, columns, L, first + tile, 2, 0, nothing.data(), pixels);
        transform_large_gradient(pixels, b, ofGradient, tile);
      }
    });
    accumulate_all(a, of_a, b, of_b, sums.data_ptr<float>());
  }
}

/// Pixels of a tile's side in one of the images, the large image's pixels to a pixel of the tile,
/// and pixels before the tile's first.
struct Square {
  int side, scale, border;
};

using Read = void (*)(const float *const *, float *, const Strided &, int64_t);
using Write = void (*)(const float *, const Strided &, int64_t, float *const *);

/// The output by the tiles' inputs, which `read` transforms, and products, which `write`
/// transforms.
template <Square from, Square to>
void resize(
  const Tiles &tiles, const Tensor &input, const Tensor &weights, Tensor &output, Read read,
  Write write) {
  const int64_t I = input.size(1), O = output.size(1), size = std::min(tiles.count, most);
  const std::vector<float> nothing(I);
  Tensor left = floats(Matrices(I, size, repeats).size);
  Tensor right = floats(Matrices(O, size, repeats).size);
  const float *source = values<float>(input);
  float *target = output.data_ptr<float>(), *a = left.data_ptr<float>();
  float *c = right.data_ptr<float>();
  for (int64_t first = 0; first < tiles.count; first += size) {
    const int64_t count = std::min(size, tiles.count - first);
    const Matrices of_a(I, count, repeats), of_c(O, count, repeats);
    const Strided ofInput = strided(of_a, count), ofOutput = strided(of_c, count);
    in_parallel(count, 8, [&](int64_t begin, int64_t end) {
      const float *pixels[from.side * from.side];
      for (int64_t tile = begin; tile < end; tile++) {
        tiles.pixels<from.side>(
          source, input.size(2), input.size(3), I, first + tile, from.scale, from.border,
          nothing.data(), pixels);
        read(pixels, a, ofInput, tile);
      }
    });
    multiply_all(a, of_a, values<float>(weights), c, of_c);
    in_parallel(count, 8, [&](int64_t begin, int64_t end) {
      float *pixels[to.side * to.side];
      std::vector<float> outside(O);
      for (int64_t tile = begin; tile < end; tile++) {
        tiles.pixels<to.side>(
          target, output.size(2), output.size(3), O, first + tile, to.scale, to.border,
          outside.data(), pixels);
        write(c, ofOutput, tile, pixels);
      }
    });
  }
}

}  // namespace

StridedWays strided_ways(const Tensor &input, const Tensor &weight, bool transposed) {
  if (!is_possible(input, weight)) return {};
  const bool isShort = input.scalar_type() == at::kBFloat16;
  const int64_t S = weight.size(0), L = weight.size(1);
  int64_t height = input.size(2), width = input.size(3);
  if (!transposed) {
    if (height % 2 == 0 || width % 2 == 0 || height < 3 || width < 3) return {};
    height /= 2;
    width /= 2;
  }
  // Nanoseconds as in `pays`. libtorch's gradient of a strided weight is slow for large images.
  const double products = double(S) * double(L), tile = 1.54 * products + 10 * double(S + L);
  const double small = double(input.size(0) * height * width) / 16 * products;
  const double side = std::sqrt(double(height * width));
  const double weights = (products > 65536 ? 40 : 10) * products;
  const double tiles = double(tiles_of(input.size(0), height, width).count);
  const double reduced = tile * double(Tiles(input.size(0), height, width).count) + weights;
  const double enlarged = tile * tiles + weights;
  if (isShort) return {false, false, side >= 128 && enlarged < 3.4 * small};
  const double gradient = side >= 64 && products >= 32768 ? 9 : side >= 32 ? 4 : 3.3;
  return {enlarged < 3.15 * small, reduced < 2.74 * small, enlarged < gradient * small};
}

Tensor enlarged(const Tensor &small, const Tensor &weight) {
  Tensor input = innermost(small);
  const int64_t N = input.size(0), H = input.size(2), W = input.size(3);
  Tensor output = at::empty(
    {N, weight.size(1), 2 * H + 1, 2 * W + 1}, input.options(), at::MemoryFormat::ChannelsLast);
  resize<Square{5, 1, 1}, Square{8, 2, 0}>(
    tiles_of(N, H, W), input, transformed(weight, true, true, transform_strided_weight), output,
    transform_small_input, transform_large_output);
  return output;
}

Tensor reduced(const Tensor &large, const Tensor &weight) {
  Tensor input = innermost(large);
  const int64_t N = input.size(0), H = input.size(2) / 2, W = input.size(3) / 2;
  Tensor output =
    at::empty({N, weight.size(0), H, W}, input.options(), at::MemoryFormat::ChannelsLast);
  // The tiles of the small image alone.
  resize<Square{9, 2, 0}, Square{4, 1, 0}>(
    Tiles(N, H, W), input, transformed(weight, false, false, transform_strided_weight), output,
    transform_large_input, transform_small_output);
  return output;
}

Tensor strided_weight_gradient(const Tensor &small, const Tensor &large) {
  Tensor x = innermost(small), dy = innermost(large);
  const int64_t S = x.size(1), L = dy.size(1);
  Tensor sums = at::zeros({places * spaced(S * L)}, at::TensorOptions().dtype(at::kFloat));
  if (x.scalar_type() == at::kFloat) {
    correlate<float>(x, dy, sums);
  } else {
    correlate<c10::BFloat16>(x, dy, sums);
  }
  return untransformed(
    sums, S, L, true, true, transform_strided_weight_gradient, small.scalar_type());
}

}  // namespace ctorch::winograd
