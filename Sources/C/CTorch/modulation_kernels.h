// The passes of modulation.cpp over a part of an image, and how an image falls into parts.
#pragma once
#include "activation.h"

namespace ctorch {

/// [N, C, H, W] in parts of some pixels of one image, all channels each; they do not depend on the
/// number of threads.
struct ImageParts {
  int64_t channels, pixels, per_image, count;
  /// Whether a pixel's channels lie side by side, or a channel's pixels.
  bool innermost;

  explicit ImageParts(const at::Tensor &x)
      : channels(x.size(1)),
        pixels(x.size(2) * x.size(3)),
        innermost(x.suggest_memory_format() == at::MemoryFormat::ChannelsLast) {
    size = std::max<int64_t>(1, 65536 / std::max<int64_t>(channels, 1));
    per_image = std::max<int64_t>(1, (pixels + size - 1) / size);
    count = x.size(0) * per_image;
  }

  int64_t image(int64_t part) const { return part / per_image; }
  int64_t begin(int64_t part) const { return part % per_image * size; }
  int64_t end(int64_t part) const { return std::min(pixels, begin(part) + size); }
  /// Where an image begins.
  int64_t offset(int64_t part) const { return image(part) * channels * pixels; }

 private:
  int64_t size;
};

/// What a part of the forward pass reads: an image of x, its factors [C], its noise [H · W] if any,
/// the bias [C].
template <typename T, typename S>
struct Demodulated {
  const T *x;
  const S *factors, *noise, *bias;
};

CT_INLINE float fused(float a, float b, float c) { return __builtin_fmaf(a, b, c); }
CT_INLINE double fused(double a, double b, double c) { return __builtin_fma(a, b, c); }

/// y = clamp(gain · lrelu(x · factor + noise + bias)), rounded where libtorch's operators round:
/// its addcmul rounds product and sum once.
template <typename T, typename S>
CT_INLINE void demodulate(
  const Demodulated<T, S> &of, T *__restrict y, const ImageParts &parts, const Bend &bend,
  int64_t begin, int64_t end) {
  auto one = [&](int64_t at, int64_t channel, S noise) __attribute__((always_inline)) {
    S shifted = fused(wide(of.x[at]), of.factors[channel], noise);
    narrow(bent_value<S>(shifted + of.bias[channel], bend), y[at]);
  };
  int64_t C = parts.channels, P = parts.pixels;
  if (parts.innermost) {
    for (int64_t p = begin; p < end; p++) {
      S noise = of.noise ? of.noise[p] : S(0);
      for (int64_t c = 0; c < C; c++) one(p * C + c, c, noise);
    }
  } else {
    for (int64_t c = 0; c < C; c++) {
      if (of.noise)
        for (int64_t p = begin; p < end; p++) one(c * P + p, c, of.noise[p]);
      else
        for (int64_t p = begin; p < end; p++) one(c * P + p, c, S(0));
    }
  }
}

/// What a part of the gradient reads: the incoming gradient, x, the result y (if it was bent), and
/// the factors.
template <typename T, typename S>
struct Scaled {
  const T *g, *x, *y;
  const S *factors;
};

/// What it adds to: a sum a channel for the factors and for the bias, and a sum a pixel for the
/// noise.
template <typename S>
struct Sums {
  S *factors, *bias, *noise;
};

/// With s = g · dy/d(x · factor), or g itself: result = s · factor, and the sums of s · x and of s.
template <bool is_bent, typename T, typename S>
CT_INLINE void scale_gradient(
  const Scaled<T, S> &of, T *__restrict result, const Sums<S> &sums, const ImageParts &parts,
  const Bend &bend, int64_t begin, int64_t end) {
  constexpr int64_t lanes = 16;
  int64_t C = parts.channels, P = parts.pixels;
  S *__restrict of_factors = sums.factors, *__restrict of_bias = sums.bias,
                *__restrict of_noise = sums.noise;
  auto sloped = [&](int64_t at) __attribute__((always_inline)) {
    return is_bent ? slope<T, S>(of.g[at], of.y[at], bend) : S(wide(of.g[at]));
  };
  if (parts.innermost) {
    for (int64_t p = begin; p < end; p++) {
      int64_t first = p * C;
      S partial[lanes] = {};
      auto one = [&](int64_t c, int64_t lane) __attribute__((always_inline)) {
        S s = sloped(first + c);
        narrow(s * of.factors[c], result[first + c]);
        of_factors[c] += s * wide(of.x[first + c]);
        if (is_bent) of_bias[c] += s, partial[lane] += s;
      };
      int64_t c = 0;
      for (; c + lanes <= C; c += lanes)
        for (int64_t lane = 0; lane < lanes; lane++) one(c + lane, lane);
      for (; c < C; c++) one(c, c % lanes);
      if (is_bent)
        for (int64_t lane = 0; lane < lanes; lane++) of_noise[p] += partial[lane];
    }
    return;
  }
  for (int64_t c = 0; c < C; c++) {
    S products[lanes] = {}, partial[lanes] = {}, factor = of.factors[c];
    auto one = [&](int64_t p, int64_t lane) __attribute__((always_inline)) {
      int64_t at = c * P + p;
      S s = sloped(at);
      narrow(s * factor, result[at]);
      products[lane] += s * wide(of.x[at]);
      if (is_bent) partial[lane] += s, of_noise[p] += s;
    };
    int64_t p = begin;
    for (; p + lanes <= end; p += lanes)
      for (int64_t lane = 0; lane < lanes; lane++) one(p + lane, lane);
    for (; p < end; p++) one(p, (p - begin) % lanes);
    for (int64_t lane = 0; lane < lanes; lane++) of_factors[c] += products[lane];
    if (is_bent)
      for (int64_t lane = 0; lane < lanes; lane++) of_bias[c] += partial[lane];
  }
}

}  // namespace ctorch
