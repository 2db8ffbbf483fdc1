// See the header. Lines and columns are transformed in turn; a line of a tile has 3, 4 or 6
// vectors.
#include "winograd_kernels.h"
#include <algorithm>
#include <cstring>

namespace ctorch::winograd {

bool has_kernels() { return __builtin_cpu_supports("x86-64-v4"); }

#pragma clang attribute push(__attribute__((target("arch=x86-64-v4"))), apply_to = function)

namespace {

#include "winograd_vectors.h"

// The points 0, ±√½, ±√2 and ∞ round half as much as 0, ±1, ±2 and ∞.
constexpr float root_half = 0.70710678118654752f, root_two = 1.41421356237309505f;

/// o = Bᵀ d
struct Input {
  static constexpr int from = 6, to = 6;
  static WG_INLINE void apply(const Vector *d, int64_t step, Vector *o, int64_t out) {
    Vector d0 = d[0], d1 = d[step], d2 = d[2 * step], d3 = d[3 * step], d4 = d[4 * step],
           d5 = d[5 * step];
    Vector even = d4 - 2 * d2, odd = root_half * d3 - root_two * d1;
    Vector far_even = d4 - 0.5f * d2, far_odd = root_two * d3 - root_half * d1;
    o[0] = (d0 + d4) - 2.5f * d2;
    o[out] = even + odd;
    o[2 * out] = even - odd;
    o[3 * out] = far_even + far_odd;
    o[4 * out] = far_even - far_odd;
    o[5 * out] = (d1 + d5) - 2.5f * d3;
  }
};

/// o = Aᵀ m
struct Output {
  static constexpr int from = 6, to = 4;
  static WG_INLINE void apply(const Vector *m, int64_t step, Vector *o, int64_t out) {
    Vector even = m[step] + m[2 * step], odd = m[step] - m[2 * step];
    Vector far_even = m[3 * step] + m[4 * step], far_odd = m[3 * step] - m[4 * step];
    o[0] = m[0] + even + far_even;
    o[out] = root_half * odd + root_two * far_odd;
    o[2 * out] = 0.5f * even + 2 * far_even;
    o[3 * out] = (0.5f * root_half) * odd + (2 * root_two) * far_odd + m[5 * step];
  }
};

/// o = A y
struct Gradient {
  static constexpr int from = 4, to = 6;
  static WG_INLINE void apply(const Vector *y, int64_t step, Vector *o, int64_t out) {
    Vector y0 = y[0], y1 = y[step], y2 = y[2 * step], y3 = y[3 * step];
    Vector even = 0.5f * y2 + y0, odd = root_half * (0.5f * y3 + y1);
    Vector far_even = 2 * y2 + y0, far_odd = root_two * (2 * y3 + y1);
    o[0] = y0;
    o[out] = even + odd;
    o[2 * out] = even - odd;
    o[3 * out] = far_even + far_odd;
    o[4 * out] = far_even - far_odd;
    o[5 * out] = y3;
  }
};

/// o = G g
struct Weight {
  static constexpr int from = 3, to = 6;
  static WG_INLINE void apply(const Vector *g, int64_t step, Vector *o, int64_t out) {
    Vector g0 = g[0], g1 = g[step], g2 = g[2 * step];
    Vector even = g0 * (-2.0f / 3) - g2 * (1.0f / 3), odd = g1 * (-2.0f / 3 * root_half);
    Vector far_even = g0 * (1.0f / 6) + g2 * (1.0f / 3), far_odd = g1 * (root_two / 6);
    o[0] = g0;
    o[out] = even + odd;
    o[2 * out] = even - odd;
    o[3 * out] = far_even + far_odd;
    o[4 * out] = far_even - far_odd;
    o[5 * out] = g2;
  }
};

/// o = Gᵀ m
struct WeightGradient {
  static constexpr int from = 6, to = 3;
  static WG_INLINE void apply(const Vector *m, int64_t step, Vector *o, int64_t out) {
    Vector even = m[step] + m[2 * step], odd = m[step] - m[2 * step];
    Vector far_even = m[3 * step] + m[4 * step], far_odd = m[3 * step] - m[4 * step];
    o[0] = m[0] - even * (2.0f / 3) + far_even * (1.0f / 6);
    o[out] = far_odd * (root_two / 6) - odd * (2.0f / 3 * root_half);
    o[2 * out] = (far_even - even) * (1.0f / 3) + m[5 * step];
  }
};

template <typename T>
WG_INLINE void input_of(
  const T *const *pixels, int64_t channels, float *out, int64_t block, int64_t place) {
  for (int64_t c = 0; c < channels; c += lanes, out += block) {
    Vector tile[36], result[36];
#pragma unroll
    for (int i = 0; i < 36; i++) tile[i] = load(pixels[i] + c);
    both_ways<Input>(tile, result);
#pragma unroll
    for (int i = 0; i < 36; i++) store(result[i], out + i * place);
  }
}

template <typename T>
WG_INLINE void gradient_of(
  const T *const *pixels, int64_t channels, float *out, int64_t tile, int64_t tiles,
  int64_t place) {
  for (int64_t c = 0; c < channels; c += lanes) {
    Vector values[16], result[36];
#pragma unroll
    for (int i = 0; i < 16; i++) values[i] = load(pixels[i] + c);
    both_ways<Gradient>(values, result);
    int64_t first = c / panel * panel, width = std::min(panel, channels - first);
    float *row = out + first * tiles + tile * width + (c - first);
#pragma unroll
    for (int i = 0; i < 36; i++) store(result[i], row + i * place);
  }
}

template <typename T>
WG_INLINE void output_of(
  const float *in, int64_t block, int64_t place, int64_t channels, T *const *pixels) {
  for (int64_t c = 0; c < channels; c += lanes, in += block) {
    Vector tile[36], result[16];
#pragma unroll
    for (int i = 0; i < 36; i++) tile[i] = load(in + i * place);
    both_ways<Output>(tile, result);
#pragma unroll
    for (int i = 0; i < 16; i++) store(result[i], pixels[i] + c);
  }
}

template <int count, int vectors>
WG_INLINE void product(const float *a, const float *b, float *c, int64_t depth, int64_t block) {
  Vector sums[count][vectors] = {};
  for (int64_t k = 0; k < depth; k += lanes, a += block) {
    for (int64_t lane = 0; lane < lanes; lane++, b += vectors * lanes) {
      Vector columns[vectors];
#pragma unroll
      for (int j = 0; j < vectors; j++) columns[j] = load(b + j * lanes);
#pragma unroll
      for (int i = 0; i < count; i++) {
        Vector value = a[i * lanes + lane];
#pragma unroll
        for (int j = 0; j < vectors; j++) sums[i][j] += value * columns[j];
      }
    }
  }
#pragma unroll
  for (int i = 0; i < count; i++)
#pragma unroll
    for (int j = 0; j < vectors; j++) store(sums[i][j], c + j * block + i * lanes);
}

template <int vectors>
WG_INLINE void any_product(
  const float *a, const float *b, float *c, int64_t count, int64_t depth, int64_t block) {
  switch (count) {
    case 1: return product<1, vectors>(a, b, c, depth, block);
    case 2: return product<2, vectors>(a, b, c, depth, block);
    case 3: return product<3, vectors>(a, b, c, depth, block);
    case 4: return product<4, vectors>(a, b, c, depth, block);
    case 5: return product<5, vectors>(a, b, c, depth, block);
    case 6: return product<6, vectors>(a, b, c, depth, block);
    case 7: return product<7, vectors>(a, b, c, depth, block);
    case 8: return product<8, vectors>(a, b, c, depth, block);
    case 9: return product<9, vectors>(a, b, c, depth, block);
    case 10: return product<10, vectors>(a, b, c, depth, block);
    case 11: return product<11, vectors>(a, b, c, depth, block);
    case 12: return product<12, vectors>(a, b, c, depth, block);
    case 13: return product<13, vectors>(a, b, c, depth, block);
    default: return product<14, vectors>(a, b, c, depth, block);
  }
}

template <int vectors>
WG_INLINE void sum(const float *a, const float *b, float *c, int64_t depth, int64_t stride) {
  constexpr int count = 8;
  Vector sums[count][vectors];
#pragma unroll
  for (int i = 0; i < count; i++)
#pragma unroll
    for (int j = 0; j < vectors; j++) sums[i][j] = load(c + i * stride + j * lanes);
  for (int64_t k = 0; k < depth; k++, a += lanes, b += vectors * lanes) {
    Vector columns[vectors];
#pragma unroll
    for (int j = 0; j < vectors; j++) columns[j] = load(b + j * lanes);
#pragma unroll
    for (int i = 0; i < count; i++) {
      Vector value = a[i];
#pragma unroll
      for (int j = 0; j < vectors; j++) sums[i][j] += value * columns[j];
    }
  }
#pragma unroll
  for (int i = 0; i < count; i++)
#pragma unroll
    for (int j = 0; j < vectors; j++) store(sums[i][j], c + i * stride + j * lanes);
}

}  // namespace

#define OF_A_TYPE(T)                                                                      \
  void transform_input(                                                                   \
    const T *const *pixels, int64_t channels, float *out, int64_t block, int64_t place) { \
    input_of(pixels, channels, out, block, place);                                        \
  }                                                                                       \
  void transform_gradient(                                                                \
    const T *const *pixels, int64_t channels, float *out, int64_t tile, int64_t tiles,    \
    int64_t place) {                                                                      \
    gradient_of(pixels, channels, out, tile, tiles, place);                               \
  }                                                                                       \
  void transform_output(                                                                  \
    const float *in, int64_t block, int64_t place, int64_t channels, T *const *pixels) {  \
    output_of(in, block, place, channels, pixels);                                        \
  }
OF_A_TYPE(float)
OF_A_TYPE(c10::BFloat16)
#undef OF_A_TYPE

void transform_weight(const float *in, float *out, int64_t place) {
  Vector kernel[9], result[36];
  for (int i = 0; i < 9; i++) kernel[i] = load(in + i * lanes);
  both_ways<Weight>(kernel, result);
  for (int i = 0; i < 36; i++) store(result[i], out + i * place);
}

void transform_weight_gradient(const float *in, int64_t place, float *out) {
  Vector tile[36], result[9];
  for (int i = 0; i < 36; i++) tile[i] = load(in + i * place);
  both_ways<WeightGradient>(tile, result);
  for (int i = 0; i < 9; i++) store(result[i], out + i * lanes);
}

void multiply(
  const float *a, const float *b, float *c, int64_t count, int64_t depth, int64_t width,
  int64_t block) {
  if (width == panel) {
    any_product<2>(a, b, c, count, depth, block);
  } else {
    any_product<1>(a, b, c, count, depth, block);
  }
}

void accumulate(
  const float *a, const float *b, float *c, int64_t depth, int64_t width, int64_t stride) {
  if (width == panel) {
    sum<2>(a, b, c, depth, stride);
  } else {
    sum<1>(a, b, c, depth, stride);
  }
}

#pragma clang attribute pop

}  // namespace ctorch::winograd
