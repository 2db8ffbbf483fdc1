// What the passes that end a layer share: the activation of one value, and its slope.
#pragma once
#include "kernels.h"
#include <ATen/core/Tensor.h>

namespace ctorch {

/// Slope of the negative side, gain, and the limit of the result (infinite where there is none).
struct Bend {
  double slope, gain, limit;
};

/// clamp(gain · lrelu(value)).
template <typename S>
CT_INLINE S bent_value(S value, const Bend &bend) {
  S gain = S(bend.gain), negative = S(bend.slope), limit = S(bend.limit);
  value = (value > 0 ? value : value * negative) * gain;
  // A comparison that NaN fails keeps it.
  return value > limit ? limit : value < -limit ? -limit : value;
}

/// g · dy/dx, where y is a result of `bent_value`.
template <typename T, typename S>
CT_INLINE S slope(const T &g, const T &y, const Bend &bend) {
  S value = wide(y), limit = S(bend.limit);
  S factor = value > 0 ? S(1) : S(bend.slope);
  S scaled = wide(g) * S(bend.gain) * factor;
  return value >= limit || value <= -limit ? S(0) : scaled;
}

/// g · dy/dx in one pass; linear in g, and constant in y wherever it has a derivative.
at::Tensor sloped(const at::Tensor &g, const at::Tensor &y, const Bend &bend);

}  // namespace ctorch
