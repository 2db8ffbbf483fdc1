// Winograd's convolution F(4×4, 3×3) (Lavin & Gray, "Fast algorithms for convolutional neural
// networks", arXiv 1509.09308): y = Aᵀ [(G g Gᵀ) ⊙ (Bᵀ d B)] A for each tile of 4 × 4 outputs,
// where the elementwise product, summed over the channels, is a matrix product for each of 36
// places.
//
// All is in float32 inside, also for bfloat16. With sums over 16 to 512 channels it is 1 to 5 ·
// 10⁻⁶ of the values away from float64. A value that is not finite spreads over its tile.
//
// Tiles go in chunks that fit the caches. No result depends on the chunk, on the number of threads,
// or, but for the weight's gradient, on the other images.
#include "winograd.h"
#include "winograd_tiles.h"
#include <ATen/ops/zeros.h>

namespace ctorch::winograd {

namespace {

using at::Tensor;

/// Each tile has one row at each place.
constexpr std::array<int, places> once = [] {
  std::array<int, places> result{};
  for (int &rows : result) rows = 1;
  return result;
}();

Tiles tiles_of(const Tensor &images) {
  return Tiles(images.size(0), images.size(2), images.size(3));
}

template <typename T>
void convolve(const Tensor &input, const Tensor &transformed, Tensor &output) {
  const Tiles tiles = tiles_of(input);
  const int64_t I = input.size(1), O = output.size(1), H = tiles.height, W = tiles.width;
  const int64_t size = std::min<int64_t>(tiles.count, 140);
  const std::vector<T> nothing(I);
  Tensor left = floats(Matrices(I, size, once).size), right = floats(Matrices(O, size, once).size);
  const T *source = values<T>(input);
  T *target = output.data_ptr<T>();
  float *a = left.data_ptr<float>(), *c = right.data_ptr<float>();
  for (int64_t first = 0; first < tiles.count; first += size) {
    const int64_t count = std::min(size, tiles.count - first), block = count * lanes;
    const Matrices of_a(I, count, once), of_c(O, count, once);
    in_parallel(count, 8, [&](int64_t begin, int64_t end) {
      const T *pixels[36];
      for (int64_t tile = begin; tile < end; tile++) {
        tiles.pixels<6>(source, H, W, I, first + tile, 1, 1, nothing.data(), pixels);
        transform_input(pixels, I, a + tile * lanes, block, of_a.first[1]);
      }
    });
    multiply_all(a, of_a, values<float>(transformed), c, of_c);
    in_parallel(count, 8, [&](int64_t begin, int64_t end) {
      T *pixels[16];
      std::vector<T> outside(O);
      for (int64_t tile = begin; tile < end; tile++) {
        tiles.pixels<4>(target, H, W, O, first + tile, 1, 0, outside.data(), pixels);
        transform_output(c + tile * lanes, block, of_c.first[1], O, pixels);
      }
    });
  }
}

template <typename T>
void correlate(const Tensor &gradient, const Tensor &input, Tensor &sums) {
  const Tiles tiles = tiles_of(input);
  const int64_t I = input.size(1), O = gradient.size(1), H = tiles.height, W = tiles.width;
  const int64_t size = std::min<int64_t>(tiles.count, I * O > 65536 ? 280 : 140);
  const std::vector<T> nothing(std::max(I, O));
  Tensor left = floats(Matrices(I, size, once).size), right = floats(Matrices(O, size, once).size);
  const T *x = values<T>(input), *dy = values<T>(gradient);
  float *a = left.data_ptr<float>(), *b = right.data_ptr<float>();
  for (int64_t first = 0; first < tiles.count; first += size) {
    const int64_t count = std::min(size, tiles.count - first);
    const Matrices of_a(I, count, once), of_b(O, count, once);
    in_parallel(count, 8, [&](int64_t begin, int64_t end) {
      const T *pixels[36];
      for (int64_t tile = begin; tile < end; tile++) {
        tiles.pixels<6>(x, H, W, I, first + tile, 1, 1, nothing.data(), pixels);
        transform_input(pixels, I, a + tile * lanes, count * lanes, of_a.first[1]);
        tiles.pixels<4>(dy, H, W, O, first + tile, 1, 0, nothing.data(), pixels);
        transform_gradient(pixels, O, b, tile, count, of_b.first[1]);
      }
    });
    accumulate_all(a, of_a, b, of_b, sums.data_ptr<float>());
  }
}

Tensor by_transformed(const Tensor &images, const Tensor &weight, int64_t channels) {
  Tensor input = innermost(images);
  Tensor result = at::empty(
    {images.size(0), channels, images.size(2), images.size(3)}, images.options(),
    at::MemoryFormat::ChannelsLast);
  if (input.scalar_type() == at::kFloat) {
    convolve<float>(input, weight, result);
  } else {
    convolve<c10::BFloat16>(input, weight, result);
  }
  return result;
}

}  // namespace

bool pays(const Tensor &input, const Tensor &weight) {
  if (!is_possible(input, weight)) return false;
  const bool isShort = input.scalar_type() == at::kBFloat16;
  const int64_t O = weight.size(0), I = weight.size(1);
  // Nanoseconds of one thread on a processor with 117 GFLOP/s in float32 and 234 in bfloat16, as
  // measured for 16 to 512 channels and 4² to 128² pixels (PERFORMANCE.md).
  double tiles = double(tiles_of(input).count), products = double(O) * double(I);
  double sum = double(O + I);
  double direct = (isShort ? 1.28 * products + 5 * sum : 2.74 * products) * tiles;
  double here = (0.69 * products + 7 * sum) * tiles + (products > 65536 ? 40 : 20) * products;
  return here < direct;
}

Tensor convolution(const Tensor &input, const Tensor &weight) {
  return by_transformed(input, transformed(weight, false, false, transform_weight), weight.size(0));
}

Tensor input_gradient(const Tensor &gradient, const Tensor &weight) {
  return by_transformed(
    gradient, transformed(weight, true, true, transform_weight), weight.size(1));
}

Tensor weight_gradient(const Tensor &gradient, const Tensor &input) {
  Tensor dy = innermost(gradient), x = innermost(input);
  int64_t O = dy.size(1), I = x.size(1);
  Tensor sums = at::zeros({places * spaced(I * O)}, at::TensorOptions().dtype(at::kFloat));
  if (x.scalar_type() == at::kFloat) {
    correlate<float>(dy, x, sums);
  } else {
    correlate<c10::BFloat16>(dy, x, sums);
  }
  return untransformed(sums, I, O, false, false, transform_weight_gradient, input.scalar_type());
}

}  // namespace ctorch::winograd
