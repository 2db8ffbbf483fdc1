// What libtorch's device `meta` lacks outside of Python: the tests run a whole training step there,
// since it refuses operands of another device as a GPU does.
#include "internal.h"
#include <ATen/core/Tensor.h>
#include <ATen/core/dispatch/Dispatcher.h>
#include <ATen/ops/empty.h>
#include <ATen/ops/empty_like.h>
#include <ATen/ops/empty_strided.h>
#include <torch/library.h>

namespace {

using at::Tensor;

Tensor convolution(
  const Tensor &input, const Tensor &weight, const std::optional<Tensor> &, at::IntArrayRef stride,
  at::IntArrayRef padding, at::IntArrayRef dilation, bool transposed,
  at::IntArrayRef output_padding, int64_t groups) {
  TORCH_CHECK(
    input.device() == weight.device() && input.scalar_type() == weight.scalar_type(),
    "an input of ", input.toString(), " and a weight of ", weight.toString());
  int64_t channels = transposed ? weight.size(1) * groups : weight.size(0);
  std::vector<int64_t> sizes{input.size(0), channels};
  for (int64_t axis = 0; axis < input.dim() - 2; axis++) {
    int64_t extent = dilation[axis] * (weight.size(axis + 2) - 1) + 1, in = input.size(axis + 2);
    sizes.push_back(
      transposed ? (in - 1) * stride[axis] - 2 * padding[axis] + extent + output_padding[axis]
                 : (in + 2 * padding[axis] - extent) / stride[axis] + 1);
  }
  return at::empty(sizes, input.options());
}

std::tuple<Tensor, Tensor, Tensor> convolution_backward(
  const Tensor &gradient, const Tensor &input, const Tensor &weight, at::IntArrayRef,
  at::IntArrayRef, at::IntArrayRef, bool, at::IntArrayRef, int64_t, std::array<bool, 3> wanted) {
  TORCH_CHECK(
    gradient.device() == input.device() && input.device() == weight.device(),
    "gradient, input and ", "weight are on ", gradient.device(), ", ", input.device(), " and ",
    weight.device());
  return {
    wanted[0] ? at::empty_like(input) : Tensor(), wanted[1] ? at::empty_like(weight) : Tensor(),
    wanted[2] ? at::empty({gradient.size(1)}, gradient.options()) : Tensor()};
}

/// Zeros on the CPU in place of a tensor without memory.
Tensor stand_in(const Tensor &value) {
  if (!value.defined()) return value;
  TORCH_CHECK(
    value.is_meta() || value.dim() == 0, "an operand on ", value.device(), ", not on meta");
  if (!value.is_meta()) return value;
  return at::empty_strided(value.sizes(), value.strides(), value.options().device(at::kCPU))
    .zero_();
}

c10::IValue stand_in(const c10::IValue &value) {
  if (value.isTensor()) return stand_in(value.toTensor());
  if (!value.isTensorList()) return value;
  c10::List<Tensor> tensors;
  for (const Tensor &tensor : value.toTensorVector()) tensors.push_back(stand_in(tensor));
  return tensors;
}

/// The operator on zeros on the CPU, for the shapes and types of its results.
void by_cpu(const c10::OperatorHandle &op, torch::jit::Stack *stack) {
  const auto &schema = op.schema();
  size_t count = schema.arguments().size(), results = schema.returns().size();
  std::vector<c10::IValue> own(stack->end() - count, stack->end()), zeros;
  for (const c10::IValue &argument : own) zeros.push_back(stand_in(argument));
  torch::jit::drop(*stack, count);
  stack->insert(stack->end(), zeros.begin(), zeros.end());
  op.callBoxed(stack);
  for (size_t i = 0; i < results; i++) {
    c10::IValue &result = (*stack)[stack->size() - results + i];
    // What was written into an argument is that argument.
    size_t written = 0;
    while (written < count && !(result.isTensor() && zeros[written].is(result))) written++;
    if (written < count) {
      const Tensor argument = own[written].toTensor();
      if (argument.sizes() != result.toTensor().sizes())
        argument.resize_(result.toTensor().sizes());
      result = own[written];
    } else if (result.isTensor() && result.toTensor().defined()) {
      result = result.toTensor().to(at::kMeta);
    }
  }
}

/// Registers `by_cpu` for every operator of libtorch with a kernel for CPUs and none for `meta`.
torch::Library registered() {
  torch::Library library(torch::Library::IMPL, "aten", c10::DispatchKey::Meta, __FILE__, __LINE__);
  library.impl("convolution_overrideable", &convolution);
  library.impl("convolution_backward_overrideable", &convolution_backward);
  for (const c10::OperatorName &name : c10::Dispatcher::singleton().getAllOpNames()) {
    if (name.getNamespace() != "aten") continue;
    auto op = c10::Dispatcher::singleton().findSchema(name);
    if (
      !op || !op->hasKernelForDispatchKey(c10::DispatchKey::CPU) ||
      op->hasKernelForDispatchKey(c10::DispatchKey::Meta))
      continue;
    library.impl(c10::toString(name).c_str(), torch::CppFunction::makeFromBoxedFunction<&by_cpu>());
  }
  return library;
}

}  // namespace

extern "C" int32_t ct_move_to_meta(CTTensor *value) noexcept {
  return ctorch::fenced<int32_t>(1, [&] {
    static torch::Library kept = registered();
    const Tensor leaf = ctorch::tensor(value);
    TORCH_CHECK(!leaf.grad_fn(), "only a leaf moves");
    auto empty = leaf.detach().to(at::kMeta);
    leaf.unsafeGetTensorImpl()->shallow_copy_from(empty.getIntrusivePtr());
    return 0;
  });
}
