// Convolution as three operations that are each other's derivatives.
//
// With y = A(x, w), the gradients are B(dy, w) for x and C(dy, x) for w. All three are bilinear, so
//   the derivatives of B are A(·, w) and C(dy, ·), those of C are A(x, ·) and B(·, w).
// libtorch's own second derivative of the weight's gradient is a convolution with a kernel of the
// size of the image, and a loop over the channels for a filter of each channel; here it is one of
// the three. What nobody asked for is not computed.
#include "internal.h"
#include "winograd.h"
#include "winograd_strided.h"
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
  /// Whether Winograd's algorithm computes all three; which of them where the stride is 2.
  bool winograd = false;
  ctorch::winograd::StridedWays strided;

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
        weight_format(weight.suggest_memory_format()) {
    if (groups != 1) return;
    if (!transposed && stride.equals({1, 1}) && padding.equals({1, 1}))
      winograd = ctorch::winograd::pays(input, weight);
    if (stride.equals({2, 2}) && padding.equals({0, 0}))
      strided = ctorch::winograd::strided_ways(input, weight, transposed);
  }

  Tensor forward(const Tensor &input, const Tensor &weight) const {
    if (winograd) return ctorch::winograd::convolution(input, weight);
    if (transposed ? strided.enlarged : strided.reduced) return resized(input, weight, transposed);
    return at::convolution(
      input, weight, {}, stride, padding, dilation, transposed, output_padding, groups);
  }

  // Of the operand whose gradient is wanted only sizes and order are looked at: nothing is written
  // to the memory that stands for it.
  Tensor input_gradient(const Tensor &gradient, const Tensor &weight) const {
    if (winograd) return ctorch::winograd::input_gradient(gradient, weight);
    if (transposed ? strided.reduced : strided.enlarged)
      return resized(gradient, weight, !transposed);
    auto input = at::empty(input_sizes, gradient.options(), input_format);
    return std::get<0>(both(gradient, input, weight, true, false));
  }

  Tensor weight_gradient(const Tensor &gradient, const Tensor &input) const {
    if (winograd) return ctorch::winograd::weight_gradient(gradient, input);
    if (strided.weight_gradient)
      return ctorch::winograd::strided_weight_gradient(
        transposed ? input : gradient, transposed ? gradient : input);
    auto weight = at::empty(weight_sizes, gradient.options(), weight_format);
    return std::get<1>(both(gradient, input, weight, false, true));
  }

  static Tensor resized(const Tensor &images, const Tensor &weight, bool enlarges) {
    return enlarges ? ctorch::winograd::enlarged(images, weight)
                    : ctorch::winograd::reduced(images, weight);
  }

  /// Whether libtorch computes both gradients.
  bool is_direct() const {
    return !winograd && !strided.weight_gradient &&
           !(transposed ? strided.reduced : strided.enlarged);
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

enum class Kind { convolution, input_gradient, weight_gradient };

template <Kind kind>
struct Bilinear : torch::autograd::Function<Bilinear<kind>> {
  static Tensor forward(
    AutogradContext *context, const Tensor &a, const Tensor &b, const SharedGeometry &shape) {
    context->save_for_backward({a, b});
    context->saved_data["geometry"] = c10::IValue::make_capsule(shape);
    switch (kind) {
      case Kind::convolution: return shape->forward(a, b);
      case Kind::input_gradient: return shape->input_gradient(a, b);
      case Kind::weight_gradient: return shape->weight_gradient(a, b);
    }
  }

  static variable_list backward(AutogradContext *context, variable_list gradients) {
    const Tensor &g = gradients[0];
    Tensor of_a, of_b;
    if (!g.defined()) return {of_a, of_b, Tensor()};
    auto saved = context->get_saved_variables();
    const Tensor &a = saved[0], &b = saved[1];
    auto shape =
      c10::static_intrusive_pointer_cast<Geometry>(context->saved_data["geometry"].toCapsule());
    bool wants_a = context->needs_input_grad(0), wants_b = context->needs_input_grad(1);
    if (kind == Kind::convolution && shape->is_direct() && !c10::GradMode::is_enabled()) {
      // Nobody derives these again: one call is a little faster than two.
      std::tie(of_a, of_b) = shape->both(g, a, b, wants_a, wants_b);
    } else {
      if (wants_a) of_a = by_first(g, a, b, shape);
      if (wants_b) of_b = by_second(g, a, b, shape);
    }
    return {of_a, of_b, Tensor()};
  }

 private:
  using A = Bilinear<Kind::convolution>;
  using B = Bilinear<Kind::input_gradient>;
  using C = Bilinear<Kind::weight_gradient>;

  static Tensor by_first(
    const Tensor &g, const Tensor &, const Tensor &b, const SharedGeometry &shape) {
    switch (kind) {
      case Kind::convolution: return B::apply(g, b, shape);      // A(x, w) by x
      case Kind::input_gradient: return A::apply(g, b, shape);   // B(dy, w) by dy
      case Kind::weight_gradient: return A::apply(b, g, shape);  // C(dy, x) by dy
    }
  }

  static Tensor by_second(
    const Tensor &g, const Tensor &a, const Tensor &, const SharedGeometry &shape) {
    switch (kind) {
      case Kind::convolution: return C::apply(g, a, shape);      // A(x, w) by w
      case Kind::input_gradient: return C::apply(a, g, shape);   // B(dy, w) by w
      case Kind::weight_gradient: return B::apply(a, g, shape);  // C(dy, x) by x
    }
  }
};

Tensor convolution(
  const Tensor &input, const Tensor &weight, at::IntArrayRef stride, at::IntArrayRef padding,
  bool transposed, int64_t groups) {
  auto shape = c10::make_intrusive<Geometry>(input, weight, stride, padding, transposed, groups);
  bool recorded = c10::GradMode::is_enabled() && (input.requires_grad() || weight.requires_grad());
  return recorded ? Bilinear<Kind::convolution>::apply(input, weight, shape)
                  : shape->forward(input, weight);
}

}  // namespace

TORCH_LIBRARY(nifty, library) {
  library.def(
    "convolution(Tensor input, Tensor weight, int[2] stride, int[2] padding, bool transposed, "
    "int groups) -> Tensor",
    &convolution);
}
