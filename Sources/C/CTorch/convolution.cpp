// Convolution as three operations that are each other's derivatives.
//
// With y = A(x, w), the gradients are B(dy, w) for x and C(dy, x) for w. All three are bilinear, so
//   the derivatives of B are A(·, w) and C(dy, ·), those of C are A(x, ·) and B(·, w).
// libtorch's own second derivative of the weight's gradient is a convolution with a kernel of the
// size of the image, and a loop over the channels for a filter of each channel; here it is one of
// the three. What nobody asked for is not computed.
#include "internal.h"
#include <ATen/ops/convolution.h>
#include <ATen/ops/convolution_backward.h>
#include <ATen/ops/empty.h>
#include <torch/csrc/autograd/custom_function.h>
#include <torch/custom_class.h>
#include <torch/library.h>

namespace {

using at::Tensor;
using torch::autograd::AutogradContext;
using torch::autograd::variable_list;

/// What the three share, besides tensors.
struct Geometry : torch::CustomClassHolder {
  std::vector<int64_t> stride, padding, dilation = {1, 1}, output_padding = {0, 0};
  bool transposed;
  int64_t groups;
  std::vector<int64_t> input_sizes, weight_sizes;
  at::MemoryFormat input_format, weight_format;

  Geometry(
    const Tensor &input, const Tensor &weight, at::IntArrayRef stride, at::IntArrayRef padding,
    bool transposed, int64_t groups)
      : stride(stride.vec()),
        padding(padding.vec()),
        transposed(transposed),
        groups(groups),
        input_sizes(input.sizes().vec()),
        weight_sizes(weight.sizes().vec()),
        input_format(input.suggest_memory_format()),
        weight_format(weight.suggest_memory_format()) {}

  Tensor forward(const Tensor &input, const Tensor &weight) const {
    return at::convolution(
      input, weight, {}, stride, padding, dilation, transposed, output_padding, groups);
  }

  // Of the operand whose gradient is wanted only sizes and order are looked at: nothing is written
  // to the memory that stands for it.
  Tensor input_gradient(const Tensor &gradient, const Tensor &weight) const {
    auto input = at::empty(input_sizes, gradient.options(), input_format);
    return std::get<0>(both(gradient, input, weight, true, false));
  }

  Tensor weight_gradient(const Tensor &gradient, const Tensor &input) const {
    auto weight = at::empty(weight_sizes, gradient.options(), weight_format);
    return std::get<1>(both(gradient, input, weight, false, true));
  }

  std::tuple<Tensor, Tensor> both(
    const Tensor &gradient, const Tensor &input, const Tensor &weight, bool of_input,
    bool of_weight) const {
    auto [inputs, weights, bias] = at::convolution_backward(
      gradient, input, weight, at::OptionalIntArrayRef(), stride, padding, dilation, transposed,
      output_padding, groups, {of_input, of_weight, false});
    return {inputs, weights};
  }
};

using SharedGeometry = c10::intrusive_ptr<Geometry>;

void keep(
  AutogradContext *context, const Tensor &a, const Tensor &b, const SharedGeometry &geometry) {
  context->save_for_backward({a, b});
  context->saved_data["geometry"] = c10::IValue::make_capsule(geometry);
}

SharedGeometry geometry(AutogradContext *context) {
  return c10::static_intrusive_pointer_cast<Geometry>(context->saved_data["geometry"].toCapsule());
}

/// B: the gradient of the input.
struct InputGradient : torch::autograd::Function<InputGradient> {
  static Tensor forward(
    AutogradContext *context, const Tensor &gradient, const Tensor &weight,
    const SharedGeometry &shape) {
    keep(context, gradient, weight, shape);
    return shape->input_gradient(gradient, weight);
  }
  static variable_list backward(AutogradContext *context, variable_list gradients);
};

/// C: the gradient of the weight.
struct WeightGradient : torch::autograd::Function<WeightGradient> {
  static Tensor forward(
    AutogradContext *context, const Tensor &gradient, const Tensor &input,
    const SharedGeometry &shape) {
    keep(context, gradient, input, shape);
    return shape->weight_gradient(gradient, input);
  }
  static variable_list backward(AutogradContext *context, variable_list gradients);
};

/// A: the convolution.
struct Convolution : torch::autograd::Function<Convolution> {
  static Tensor forward(
    AutogradContext *context, const Tensor &input, const Tensor &weight,
    const SharedGeometry &shape) {
    keep(context, input, weight, shape);
    return shape->forward(input, weight);
  }
  static variable_list backward(AutogradContext *context, variable_list gradients) {
    auto saved = context->get_saved_variables();
    auto shape = geometry(context);
    Tensor input, weight;
    if (!gradients[0].defined()) return {input, weight, Tensor()};
    if (!c10::GradMode::is_enabled()) {
      // Nobody derives these again: one call is a little faster than two.
      std::tie(input, weight) = shape->both(
        gradients[0], saved[0], saved[1], context->needs_input_grad(0),
        context->needs_input_grad(1));
      return {input, weight, Tensor()};
    }
    if (context->needs_input_grad(0)) input = InputGradient::apply(gradients[0], saved[1], shape);
    if (context->needs_input_grad(1)) weight = WeightGradient::apply(gradients[0], saved[0], shape);
    return {input, weight, Tensor()};
  }
};

variable_list InputGradient::backward(AutogradContext *context, variable_list gradients) {
  auto saved = context->get_saved_variables();
  auto shape = geometry(context);
  Tensor gradient, weight;
  if (!gradients[0].defined()) return {gradient, weight, Tensor()};
  if (context->needs_input_grad(0)) gradient = Convolution::apply(gradients[0], saved[1], shape);
  if (context->needs_input_grad(1)) weight = WeightGradient::apply(saved[0], gradients[0], shape);
  return {gradient, weight, Tensor()};
}

variable_list WeightGradient::backward(AutogradContext *context, variable_list gradients) {
  auto saved = context->get_saved_variables();
  auto shape = geometry(context);
  Tensor gradient, input;
  if (!gradients[0].defined()) return {gradient, input, Tensor()};
  if (context->needs_input_grad(0)) gradient = Convolution::apply(saved[1], gradients[0], shape);
  if (context->needs_input_grad(1)) input = InputGradient::apply(saved[0], gradients[0], shape);
  return {gradient, input, Tensor()};
}

Tensor convolution(
  const Tensor &input, const Tensor &weight, at::IntArrayRef stride, at::IntArrayRef padding,
  bool transposed, int64_t groups) {
  auto shape = c10::make_intrusive<Geometry>(input, weight, stride, padding, transposed, groups);
  bool recorded = c10::GradMode::is_enabled() && (input.requires_grad() || weight.requires_grad());
  return recorded ? Convolution::apply(input, weight, shape) : shape->forward(input, weight);
}

}  // namespace

TORCH_LIBRARY(nifty, library) {
  library.def(
    "convolution(Tensor input, Tensor weight, int[2] stride, int[2] padding, bool transposed, "
    "int groups) -> Tensor",
    &convolution);
}
