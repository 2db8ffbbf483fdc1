// See the header. F(4, 2) of the even pixels; odd ones have one tap and go as they are.
#include <algorithm>
#include <cstring>
#include "winograd_kernels.h"

namespace ctorch::winograd {

#pragma clang attribute push(__attribute__((target("arch=x86-64-v4"))), apply_to = function)

namespace {

#include "winograd_vectors.h"

/// o = Bᵀ d
struct Input {
  static constexpr int from = 5, to = 5;
  static WG_INLINE void apply(const Vector *d, int64_t step, Vector *o, int64_t out) {
    Vector d0 = d[0], d1 = d[step], d2 = d[2 * step], d3 = d[3 * step], d4 = d[4 * step];
    Vector a = d3 - d1;
    o[0] = 2 * (d0 - d2) + a;
    o[out] = d3 - d2 - 2 * d1;
    o[2 * out] = 2 * d1 - 3 * d2 + d3;
    o[3 * out] = a;
    o[4 * out] = (d4 - d2) - 2 * a;
  }
};

/// o = Aᵀ m
struct Output {
  static constexpr int from = 5, to = 4;
  static WG_INLINE void apply(const Vector *m, int64_t step, Vector *o, int64_t out) {
    Vector m3 = m[3 * step], sum = m[step] + m[2 * step], difference = m[step] - m[2 * step];
    o[0] = m[0] + sum + m3;
    o[out] = difference + 2 * m3;
    o[2 * out] = sum + 4 * m3;
    o[3 * out] = difference + 8 * m3 + m[4 * step];
  }
};

/// o = A y
struct Gradient {
  static constexpr int from = 4, to = 5;
  static WG_INLINE void apply(const Vector *y, int64_t step, Vector *o, int64_t out) {
    Vector y0 = y[0], y1 = y[step], y2 = y[2 * step], y3 = y[3 * step];
    Vector even = y0 + y2, odd = y1 + y3;
    o[0] = y0;
    o[out] = even + odd;
    o[2 * out] = even - odd;
    o[3 * out] = (y0 + 4 * y2) + 2 * (y1 + 4 * y3);
    o[4 * out] = y3;
  }
};

/// o = G g
struct Weight {
  static constexpr int from = 2, to = 5;
  static WG_INLINE void apply(const Vector *g, int64_t step, Vector *o, int64_t out) {
    Vector g0 = g[0], g1 = g[step];
    o[0] = g0 * 0.5f;
    o[out] = (g0 + g1) * -0.5f;
    o[2 * out] = (g1 - g0) * (1.0f / 6);
    o[3 * out] = g0 * (1.0f / 6) + g1 * (1.0f / 3);
    o[4 * out] = g1;
  }
};

/// o = Gᵀ m
struct WeightGradient {
  static constexpr int from = 5, to = 2;
  static WG_INLINE void apply(const Vector *m, int64_t step, Vector *o, int64_t out) {
    Vector m1 = m[step], m2 = m[2 * step], m3 = m[3 * step];
    o[0] = (m[0] - m1) * 0.5f + (m3 - m2) * (1.0f / 6);
    o[out] = m1 * -0.5f + m2 * (1.0f / 6) + m3 * (1.0f / 3) + m[4 * step];
  }
};

/// Lines of one direction: [Step::from][width] to [Step::to][width].
template <typename Step, int width>
WG_INLINE void columns(const Vector *in, Vector *out) {
#pragma unroll
  for (int x = 0; x < width; x++) Step::apply(in + x, width, out + x, width);
}

/// [height][Step::from] to [height][Step::to]
template <typename Step, int height>
WG_INLINE void lines(const Vector *in, Vector *out) {
#pragma unroll
  for (int y = 0; y < height; y++) Step::apply(in + y * Step::from, 1, out + y * Step::to, 1);
}

/// The pixels of a tile by the parity of row and column.
template <int even>
struct Tile {
  Vector ee[even * even], eo[even * 4], oe[4 * even], oo[16];

  /// Even lines are transformed, odd ones stay.
  template <typename Step>
  WG_INLINE void transformed(Tile<Step::to> &out) const {
    static_assert(Step::from == even);
    both_ways<Step>(ee, out.ee);
    columns<Step, 4>(eo, out.eo);
    lines<Step, 4>(oe, out.oe);
#pragma unroll
    for (int i = 0; i < 16; i++) out.oo[i] = oo[i];
  }
};

/// Where a tile's vectors of some channels lie: [C / 16][rows][16], the left operands and results.
struct Blocks {
  static WG_INLINE int64_t at(int64_t c, int64_t, int64_t rows, int64_t row) {
    return c * rows + row * lanes;
  }
};

/// The same of right operands: [C / 32][rows][32], the last of 16 if need be.
struct Panels {
  static WG_INLINE int64_t at(int64_t c, int64_t channels, int64_t rows, int64_t row) {
    int64_t first = c / panel * panel;
    return first * rows + row * std::min(panel, channels - first) + (c - first);
  }
};

/// Calls `body(vector of the tile, address)` for all 81.
template <typename Layout, typename T, typename Body>
WG_INLINE void each(
  Tile<5> &tile, T *values, const Strided &places, int64_t index, int64_t c, const Body &body) {
  int64_t channels = places.channels, count = places.count;
  T *ee = values + Layout::at(c, channels, count, index);
#pragma unroll
  for (int i = 0; i < 25; i++) body(tile.ee[i], ee + i * places.one);
#pragma unroll
  for (int y = 0; y < 5; y++)
#pragma unroll
    for (int x = 0; x < 4; x++) {
      int64_t offset = y * places.four + Layout::at(c, channels, 4 * count, 4 * index + x);
      body(tile.eo[y * 4 + x], values + places.eo + offset);
      body(tile.oe[x * 5 + y], values + places.oe + offset);
    }
  T *oo = values + places.oo;
#pragma unroll
  for (int i = 0; i < 16; i++)
    body(tile.oo[i], oo + Layout::at(c, channels, 16 * count, 16 * index + i));
}

struct Put {
  WG_INLINE void operator()(const Vector &value, float *target) const { store(value, target); }
};
struct Take {
  WG_INLINE void operator()(Vector &value, const float *source) const { value = load(source); }
};

template <typename T>
WG_INLINE void small_input_of(
  const T *const *pixels, float *out, const Strided &places, int64_t tile) {
  for (int64_t c = 0; c < places.channels; c += lanes) {
    Tile<5> in, result;
    for (int y = 0; y < 5; y++)
      for (int x = 0; x < 5; x++) {
        Vector value = load(pixels[y * 5 + x] + c);
        in.ee[y * 5 + x] = value;
        if (x > 0) in.eo[y * 4 + x - 1] = value;
        if (y > 0) in.oe[(y - 1) * 5 + x] = value;
        if (x > 0 && y > 0) in.oo[(y - 1) * 4 + x - 1] = value;
      }
    in.transformed<Input>(result);
    each<Blocks>(result, out, places, tile, c, Put());
  }
}

template <typename T>
WG_INLINE void large_gradient_of(
  const T *const *pixels, float *out, const Strided &places, int64_t tile) {
  for (int64_t c = 0; c < places.channels; c += lanes) {
    Tile<4> in;
    Tile<5> result;
    for (int y = 0; y < 4; y++)
      for (int x = 0; x < 4; x++) {
        const T *const *corner = pixels + 2 * y * 8 + 2 * x;
        in.ee[y * 4 + x] = load(corner[0] + c);
        in.eo[y * 4 + x] = load(corner[1] + c);
        in.oe[y * 4 + x] = load(corner[8] + c);
        in.oo[y * 4 + x] = load(corner[9] + c);
      }
    in.transformed<Gradient>(result);
    each<Panels>(result, out, places, tile, c, Put());
  }
}

}  // namespace

#define OF_A_TYPE(T)                                                           \
  void transform_small_input(                                                  \
    const T *const *pixels, float *out, const Strided &places, int64_t tile) { \
    small_input_of(pixels, out, places, tile);                                 \
  }                                                                            \
  void transform_large_gradient(                                               \
    const T *const *pixels, float *out, const Strided &places, int64_t tile) { \
    large_gradient_of(pixels, out, places, tile);                              \
  }
OF_A_TYPE(float)
OF_A_TYPE(c10::BFloat16)
#undef OF_A_TYPE

void transform_large_input(
  const float *const *pixels, float *out, const Strided &places, int64_t tile) {
  for (int64_t c = 0; c < places.channels; c += lanes) {
    Tile<5> in, result;
    for (int y = 0; y < 5; y++)
      for (int x = 0; x < 5; x++) {
        in.ee[y * 5 + x] = load(pixels[2 * y * 9 + 2 * x] + c);
        if (x < 4) in.eo[y * 4 + x] = load(pixels[2 * y * 9 + 2 * x + 1] + c);
        if (y < 4) in.oe[y * 5 + x] = load(pixels[(2 * y + 1) * 9 + 2 * x] + c);
        if (x < 4 && y < 4) in.oo[y * 4 + x] = load(pixels[(2 * y + 1) * 9 + 2 * x + 1] + c);
      }
    in.transformed<Input>(result);
    each<Blocks>(result, out, places, tile, c, Put());
  }
}

void transform_large_output(
  const float *in, const Strided &places, int64_t tile, float *const *pixels) {
  for (int64_t c = 0; c < places.channels; c += lanes) {
    Tile<5> products;
    Tile<4> result;
    each<Blocks>(products, in, places, tile, c, Take());
    products.transformed<Output>(result);
    for (int y = 0; y < 4; y++)
      for (int x = 0; x < 4; x++) {
        float *const *corner = pixels + 2 * y * 8 + 2 * x;
        store(result.ee[y * 4 + x], corner[0] + c);
        store(result.eo[y * 4 + x], corner[1] + c);
        store(result.oe[y * 4 + x], corner[8] + c);
        store(result.oo[y * 4 + x], corner[9] + c);
      }
  }
}

void transform_small_output(
  const float *in, const Strided &places, int64_t tile, float *const *pixels) {
  for (int64_t c = 0; c < places.channels; c += lanes) {
    Tile<5> products;
    Tile<4> result;
    each<Blocks>(products, in, places, tile, c, Take());
    products.transformed<Output>(result);
    for (int i = 0; i < 16; i++)
      store((result.ee[i] + result.eo[i]) + (result.oe[i] + result.oo[i]), pixels[i] + c);
  }
}

void transform_strided_weight(const float *in, float *out, int64_t place) {
  Vector even[4], eo[2], oe[2], result[36];
  for (int y = 0; y < 2; y++) {
    for (int x = 0; x < 2; x++) even[y * 2 + x] = load(in + (6 * y + 2 * x) * lanes);
    eo[y] = load(in + (6 * y + 1) * lanes);
    oe[y] = load(in + (3 + 2 * y) * lanes);
  }
  both_ways<Weight>(even, result);
  Weight::apply(eo, 1, result + 25, 1);
  Weight::apply(oe, 1, result + 30, 1);
  result[35] = load(in + 4 * lanes);
  for (int i = 0; i < 36; i++) store(result[i], out + i * place);
}

void transform_strided_weight_gradient(const float *in, int64_t place, float *out) {
  Vector sums[36], even[4], eo[2], oe[2];
  for (int i = 0; i < 36; i++) sums[i] = load(in + i * place);
  both_ways<WeightGradient>(sums, even);
  WeightGradient::apply(sums + 25, 1, eo, 1);
  WeightGradient::apply(sums + 30, 1, oe, 1);
  for (int y = 0; y < 2; y++) {
    for (int x = 0; x < 2; x++) store(even[y * 2 + x], out + (6 * y + 2 * x) * lanes);
    store(eo[y], out + (6 * y + 1) * lanes);
    store(oe[y], out + (3 + 2 * y) * lanes);
  }
  store(sums[35], out + 4 * lanes);
}

#pragma clang attribute pop

}  // namespace ctorch::winograd
