// Convolution with a kernel of 3 × 3, stride 1 and a border of one pixel, with a quarter of the
// multiplications.
#pragma once
#include <ATen/core/Tensor.h>

namespace ctorch::winograd {

/// Whether this processor computes the convolution of [N, I, H, W] by [O, I, 3, 3] sooner in this
/// way than libtorch does directly. The border, stride and groups are the caller's to check.
bool pays(const at::Tensor &input, const at::Tensor &weight);

/// [N, O, H, W] of [N, I, H, W] and [O, I, 3, 3]; channels innermost.
at::Tensor convolution(const at::Tensor &input, const at::Tensor &weight);

/// [N, I, H, W] of [N, O, H, W] and [O, I, 3, 3]: the gradient of the input; channels innermost.
at::Tensor input_gradient(const at::Tensor &gradient, const at::Tensor &weight);

/// [O, I, 3, 3] of [N, O, H, W] and [N, I, H, W]: the gradient of the weight.
at::Tensor weight_gradient(const at::Tensor &gradient, const at::Tensor &input);

}  // namespace ctorch::winograd
