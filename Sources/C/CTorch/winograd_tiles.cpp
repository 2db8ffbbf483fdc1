// See the header. No result depends on the number of threads.
#include "winograd_tiles.h"
#include "include/ctorch.h"
#include <cpuid.h>
#include <atomic>

namespace ctorch::winograd {

using at::Tensor;

namespace {

std::atomic<bool> allowed{true};
thread_local int32_t direct_scopes = 0;

/// Whether the processor has AMX's products of bfloat16, which outrun fewer multiplications in
/// float32.
bool has_amx() {
  unsigned a = 0, b = 0, c = 0, d = 0;
  return __get_cpuid_count(7, 0, &a, &b, &c, &d) && (d & bit_AMXBF16);
}

}  // namespace

bool is_possible(const Tensor &input, const Tensor &weight) {
  static const bool has = has_kernels(), has_short = has && !has_amx();
  if (!allowed.load(std::memory_order_relaxed) || direct_scopes != 0) return false;
  const auto type = input.scalar_type();
  if (!(type == at::kFloat && has) && !(type == at::kBFloat16 && has_short)) return false;
  if (!input.device().is_cpu() || input.numel() == 0 || weight.scalar_type() != type) return false;
  const auto sizes = weight.sizes();
  return sizes[2] == 3 && sizes[3] == 3 && weight.numel() != 0 && sizes[0] % lanes == 0 &&
         sizes[1] % lanes == 0;
}

/// Calls `body(place, first column, columns)` for each panel of each place.
template <typename Body>
static void each_panel(int64_t columns, const Body &body) {
  const int64_t panels = (columns + panel - 1) / panel;
  in_parallel(places * panels, 4, [&](int64_t begin, int64_t end) {
    for (int64_t item = begin; item < end; item++) {
      const int64_t column = item % panels * panel;
      body(item / panels, column, std::min(panel, columns - column));
    }
  });
}

void multiply_all(
  const float *a, const Matrices &of_a, const float *b, float *c, const Matrices &of_c) {
  const int64_t depth = of_a.channels, size = spaced(depth * of_c.channels);
  each_panel(of_c.channels, [&](int64_t place, int64_t column, int64_t width) {
    const int64_t count = of_a.rows[place];
    for (int64_t row = 0; row < count; row += rows)
      multiply(
        a + of_a.first[place] + row * lanes, b + place * size + column * depth,
        c + of_c.first[place] + column * count + row * lanes, std::min(rows, count - row), depth,
        width, count * lanes);
  });
}

void accumulate_all(
  const float *a, const Matrices &of_a, const float *b, const Matrices &of_b, float *c) {
  const int64_t columns = of_b.channels, size = spaced(of_a.channels * columns);
  each_panel(columns, [&](int64_t place, int64_t column, int64_t width) {
    const int64_t count = of_a.rows[place];
    for (int64_t row = 0; row < of_a.channels; row += 8)
      accumulate(
        a + of_a.first[place] + row / lanes * lanes * count + row % lanes,
        b + of_b.first[place] + column * count, c + place * size + row * columns + column, count,
        width, columns);
  });
}

Tensor transformed(const Tensor &weight, bool transposed, bool turned, WeightTransform transform) {
  Tensor kernels = weight.to(at::kFloat).contiguous();
  const int64_t second = kernels.size(1);
  const int64_t columns = kernels.size(transposed ? 1 : 0);
  const int64_t depth = kernels.size(transposed ? 0 : 1), place = spaced(depth * columns);
  Tensor result = floats(places * place);
  const float *source = values<float>(kernels);
  float *target = result.data_ptr<float>();
  in_parallel(depth * (columns / lanes), 64, [&](int64_t begin, int64_t end) {
    for (int64_t item = begin; item < end; item++) {
      const int64_t row = item % depth, column = item / depth * lanes;
      float side_by_side[9 * lanes];
      for (int64_t lane = 0; lane < lanes; lane++) {
        const int64_t other = column + lane;
        const float *kernel =
          source + (transposed ? row * second + other : other * second + row) * 9;
        for (int64_t k = 0; k < 9; k++) side_by_side[k * lanes + lane] = kernel[turned ? 8 - k : k];
      }
      const int64_t first = column / panel * panel, width = std::min(panel, columns - first);
      transform(side_by_side, target + first * depth + row * width + (column - first), place);
    }
  });
  return result;
}

Tensor untransformed(
  const Tensor &sums, int64_t depth, int64_t columns, bool transposed, bool turned,
  WeightAdjoint adjoint, at::ScalarType dtype) {
  const int64_t second = transposed ? columns : depth;
  Tensor result = floats(depth * columns * 9).view({transposed ? depth : columns, second, 3, 3});
  const float *source = values<float>(sums);
  float *target = result.data_ptr<float>();
  in_parallel(depth * (columns / lanes), 64, [&](int64_t begin, int64_t end) {
    for (int64_t item = begin; item < end; item++) {
      const int64_t row = item / (columns / lanes), column = item % (columns / lanes) * lanes;
      float side_by_side[9 * lanes];
      adjoint(source + row * columns + column, spaced(depth * columns), side_by_side);
      for (int64_t lane = 0; lane < lanes; lane++) {
        const int64_t other = column + lane;
        float *kernel = target + (transposed ? row * second + other : other * second + row) * 9;
        for (int64_t k = 0; k < 9; k++) kernel[turned ? 8 - k : k] = side_by_side[k * lanes + lane];
      }
    }
  });
  return result.to(dtype);
}

}  // namespace ctorch::winograd

extern "C" void ct_set_winograd(int32_t allowed) noexcept {
  ctorch::winograd::allowed.store(allowed != 0, std::memory_order_relaxed);
}

extern "C" int32_t ct_has_winograd() noexcept { return ctorch::winograd::has_kernels(); }

extern "C" void ct_direct_convolutions(int32_t begins) noexcept {
  ctorch::winograd::direct_scopes += begins != 0 ? 1 : -1;
}
