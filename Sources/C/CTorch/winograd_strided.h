// Convolutions with a kernel of 3 × 3 and stride 2 without a border, between a small image [N, S,
// H, W] and a large one [N, L, 2H + 1, 2W + 1], with 81 of 144 multiplications; float32.
#pragma once
#include <ATen/core/Tensor.h>

namespace ctorch::winograd {

/// Which of the three operations this processor computes sooner in this way than libtorch does
/// directly.
struct StridedWays {
  bool enlarged = false, reduced = false, weight_gradient = false;
};

/// - weight: [S, L, 3, 3].
/// - transposed: whether `input` is the small image.
StridedWays strided_ways(const at::Tensor &input, const at::Tensor &weight, bool transposed);

/// The large image of the small one: the transposed convolution, and the gradient of the other's
/// input.
at::Tensor enlarged(const at::Tensor &small, const at::Tensor &weight);

/// The small image of the large one: the convolution, and the gradient of the transposed one's
/// input.
at::Tensor reduced(const at::Tensor &large, const at::Tensor &weight);

/// The gradient of the weight of both; also of bfloat16.
at::Tensor strided_weight_gradient(const at::Tensor &small, const at::Tensor &large);

}  // namespace ctorch::winograd
