// Scaling an image's channels by factors of each sample, before and behind a convolution
// (StyleGAN2, arXiv 1912.04958, equations 1 and 3), with their gradients in one pass:
//   modulate                  x · s
//   demodulated_activation    clamp(gain · lrelu(x · d + noise + bias))
// Where gradients are derived again, they are composed of operators that can be.
#include "modulation_kernels.h"
#include <ATen/ops/empty_like.h>
#include <ATen/ops/mul.h>
#include <ATen/ops/zeros.h>
#include <torch/csrc/autograd/custom_function.h>
#include <torch/library.h>

namespace {

using namespace ctorch;
using at::Tensor;
using torch::autograd::AutogradContext;
using torch::autograd::variable_list;

#define KERNELS(T, S)                                                                            \
  CT_CLONES void demodulate_part(                                                                \
    const Demodulated<T, S> &of, T *y, const ImageParts &parts, const Bend &bend, int64_t begin, \
    int64_t end) {                                                                               \
    demodulate<T, S>(of, y, parts, bend, begin, end);                                            \
  }                                                                                              \
  CT_CLONES void bent_part(                                                                      \
    const Scaled<T, S> &of, T *result, const Sums<S> &sums, const ImageParts &parts,             \
    const Bend &bend, int64_t begin, int64_t end) {                                              \
    scale_gradient<true, T, S>(of, result, sums, parts, bend, begin, end);                       \
  }                                                                                              \
  CT_CLONES void scaled_part(                                                                    \
    const Scaled<T, S> &of, T *result, const Sums<S> &sums, const ImageParts &parts,             \
    const Bend &bend, int64_t begin, int64_t end) {                                              \
    scale_gradient<false, T, S>(of, result, sums, parts, bend, begin, end);                      \
  }
KERNELS(float, float)
KERNELS(double, double)
KERNELS(c10::BFloat16, float)
#undef KERNELS

/// Calls `body` with a value of the image's type and one of the type in which it is summed.
template <typename Body>
auto by_type(const Tensor &x, const Body &body) {
  switch (x.scalar_type()) {
    case at::kFloat: return body(float(), float());
    case at::kDouble: return body(double(), double());
    case at::kBFloat16: return body(c10::BFloat16(), float());
    default: TORCH_CHECK(false, "nifty::modulate knows no ", x.scalar_type());
  }
}

template <typename S>
Tensor summed(const Tensor &value) {
  return value.to(c10::CppTypeToScalarType<S>::value).contiguous();
}

Tensor demodulated(
  const Tensor &image, const Tensor &factors, const Tensor &noise, const Tensor &bias,
  const Bend &bend) {
  auto x = image.contiguous(image.suggest_memory_format());
  auto y = at::empty_like(x);
  ImageParts parts(x);
  by_type(x, [&](auto value, auto sum) {
    using T = decltype(value);
    using S = decltype(sum);
    Tensor d = summed<S>(factors), b = summed<S>(bias);
    Tensor n = noise.defined() ? summed<S>(noise) : Tensor();
    // One map for all samples, or one each.
    int64_t step = n.defined() && n.numel() > parts.pixels ? parts.pixels : 0;
    in_parallel(parts.count, 1, [&](int64_t begin, int64_t end) {
      for (int64_t part = begin; part < end; part++) {
        int64_t image = parts.image(part), offset = parts.offset(part);
        Demodulated<T, S> of{
          values<T>(x) + offset, values<S>(d) + image * parts.channels,
          n.defined() ? values<S>(n) + image * step : nullptr, values<S>(b)};
        demodulate_part(
          of, y.mutable_data_ptr<T>() + offset, parts, bend, parts.begin(part), parts.end(part));
      }
    });
  });
  return y;
}

/// Gradients of x, the factors [N, C], the noise [N, 1, H, W] and the bias [C]; of the first two
/// alone if y is undefined: then g is x · factors' gradient.
struct Gradients {
  Tensor x, factors, noise, bias;
};

Gradients scaled_gradients(
  const Tensor &gradient, const Tensor &image, const Tensor &y, const Tensor &factors,
  const Bend &bend) {
  auto format = image.suggest_memory_format();
  auto x = image.contiguous(format), g = gradient.contiguous(format);
  ImageParts parts(x);
  Gradients result{at::empty_like(x), {}, {}, {}};
  by_type(x, [&](auto value, auto sum) {
    using T = decltype(value);
    using S = decltype(sum);
    Tensor d = summed<S>(factors);
    auto zeros = [&](at::IntArrayRef sizes) { return at::zeros(sizes, d.options()); };
    Tensor of_factors = zeros({x.size(0), parts.per_image, parts.channels});
    Tensor of_bias, of_noise;
    if (y.defined()) {
      of_bias = zeros({parts.count, parts.channels});
      of_noise = zeros({x.size(0), 1, x.size(2), x.size(3)});
    }
    in_parallel(parts.count, 1, [&](int64_t begin, int64_t end) {
      for (int64_t part = begin; part < end; part++) {
        int64_t image = parts.image(part), offset = parts.offset(part);
        Scaled<T, S> of{
          values<T>(g) + offset, values<T>(x) + offset,
          y.defined() ? values<T>(y) + offset : nullptr, values<S>(d) + image * parts.channels};
        Sums<S> sums{of_factors.mutable_data_ptr<S>() + part * parts.channels, nullptr, nullptr};
        T *target = result.x.mutable_data_ptr<T>() + offset;
        if (y.defined()) {
          sums.bias = of_bias.mutable_data_ptr<S>() + part * parts.channels;
          sums.noise = of_noise.mutable_data_ptr<S>() + image * parts.pixels;
          bent_part(of, target, sums, parts, bend, parts.begin(part), parts.end(part));
        } else {
          scaled_part(of, target, sums, parts, bend, parts.begin(part), parts.end(part));
        }
      }
    });
    result.factors = of_factors.sum(1);
    if (y.defined()) {
      result.bias = of_bias.sum(0);
      result.noise = of_noise;
    }
  });
  return result;
}

/// [N, C] beside [N, C, H, W].
Tensor along_channels(const Tensor &factors, const Tensor &x) {
  return factors.to(x.scalar_type()).reshape({x.size(0), x.size(1), 1, 1});
}

struct Modulate : torch::autograd::Function<Modulate> {
  static Tensor forward(AutogradContext *context, const Tensor &x, const Tensor &styles) {
    context->save_for_backward({x, styles});
    return at::mul(x, along_channels(styles, x));
  }

  static variable_list backward(AutogradContext *context, variable_list gradients) {
    const Tensor &g = gradients[0];
    if (!g.defined()) return {Tensor(), Tensor()};
    auto saved = context->get_saved_variables();
    const Tensor &x = saved[0], &styles = saved[1];
    bool wants_x = context->needs_input_grad(0), wants_styles = context->needs_input_grad(1);
    if (!c10::GradMode::is_enabled() && wants_x && wants_styles) {
      auto both = scaled_gradients(g, x, Tensor(), styles, {1, 1, 1});
      return {both.x, both.factors.to(styles.scalar_type())};
    }
    Tensor of_x, of_styles;
    if (wants_x) of_x = Modulate::apply(g, styles);
    if (wants_styles) of_styles = at::mul(g, x).sum({2, 3}).to(styles.scalar_type());
    return {of_x, of_styles};
  }
};

struct DemodulatedActivation : torch::autograd::Function<DemodulatedActivation> {
  static Tensor forward(
    AutogradContext *context, const Tensor &x, const Tensor &factors,
    const std::optional<Tensor> &map, const Tensor &bias, double slope, double gain, double limit) {
    Tensor noise = map.value_or(Tensor());
    auto y = demodulated(x, factors, noise, bias, {slope, gain, limit});
    context->save_for_backward({x, factors, y});
    context->saved_data["bend"] = std::vector<double>{slope, gain, limit};
    context->saved_data["types"] = std::vector<int64_t>{
      int64_t(noise.defined() ? noise.scalar_type() : at::kFloat), int64_t(bias.scalar_type())};
    context->saved_data["noise"] = noise.defined() ? noise.sizes().vec() : std::vector<int64_t>();
    return y;
  }

  static variable_list backward(AutogradContext *context, variable_list gradients) {
    variable_list result(7);
    const Tensor &g = gradients[0];
    if (!g.defined()) return result;
    auto saved = context->get_saved_variables();
    const Tensor &x = saved[0], &factors = saved[1];
    // Only its values count: what it was computed from is no part of the slope's derivative.
    Tensor y = saved[2].detach();
    auto list = context->saved_data["bend"].toDoubleVector();
    Bend bend{list[0], list[1], list[2]};
    auto types = context->saved_data["types"].toIntVector();
    auto sizes = context->saved_data["noise"].toIntVector();
    // The operands that there are count, so that the bias comes third without noise.
    bool has_noise = !sizes.empty();
    bool wanted[] = {
      context->needs_input_grad(0), context->needs_input_grad(1),
      has_noise && context->needs_input_grad(2), context->needs_input_grad(has_noise ? 3 : 2)};
    Gradients of;
    if (c10::GradMode::is_enabled()) {
      auto s = sloped(g, y, bend);
      if (wanted[0]) of.x = Modulate::apply(s, factors);
      if (wanted[1]) of.factors = at::mul(s, x).sum({2, 3});
      if (wanted[2]) of.noise = s.sum(1, true);
      if (wanted[3]) of.bias = s.sum({0, 2, 3});
    } else {
      of = scaled_gradients(g, x, y, factors, bend);
    }
    if (wanted[0]) result[0] = of.x;
    if (wanted[1]) result[1] = of.factors.to(factors.scalar_type());
    if (wanted[2]) result[2] = of.noise.sum_to_size(sizes).to(at::ScalarType(types[0]));
    if (wanted[3]) result[3] = of.bias.to(at::ScalarType(types[1]));
    return result;
  }
};

bool is_recorded(std::initializer_list<Tensor> operands) {
  bool wanted = false;
  for (const Tensor &operand : operands) wanted |= operand.defined() && operand.requires_grad();
  return wanted && c10::GradMode::is_enabled();
}

Tensor modulate(const Tensor &x, const Tensor &styles) {
  TORCH_CHECK(
    x.dim() == 4 && styles.dim() == 2 && styles.size(0) == x.size(0) && styles.size(1) == x.size(1),
    "styles of ", styles.sizes(), " for ", x.sizes());
  if (!is_recorded({x, styles})) return at::mul(x, along_channels(styles, x));
  return Modulate::apply(x, styles);
}

Tensor demodulated_activation(
  const Tensor &x, const Tensor &factors, const std::optional<Tensor> &noise, const Tensor &bias,
  double slope, double gain, double limit) {
  TORCH_CHECK(
    x.dim() == 4 && factors.dim() == 2 && factors.size(0) == x.size(0) &&
      factors.size(1) == x.size(1),
    "factors of ", factors.sizes(), " for ", x.sizes());
  TORCH_CHECK(
    bias.dim() == 1 && bias.size(0) == x.size(1), "a bias of ", bias.sizes(), " for ", x.sizes());
  int64_t pixels = x.size(2) * x.size(3);
  TORCH_CHECK(
    !noise || noise->numel() == pixels || noise->numel() == pixels * x.size(0), "noise of ",
    noise->sizes(), " for ", x.sizes());
  TORCH_CHECK(
    gain > 0 && slope >= 0 && limit > 0, "gain and limit are positive, slope is not negative");
  Tensor map = noise ? *noise : Tensor();
  if (!is_recorded({x, factors, map, bias}))
    return demodulated(x, factors, map, bias, {slope, gain, limit});
  return DemodulatedActivation::apply(x, factors, noise, bias, slope, gain, limit);
}

}  // namespace

TORCH_LIBRARY_FRAGMENT(nifty, library) {
  library.def("modulate(Tensor x, Tensor styles) -> Tensor", &modulate);
  library.def(
    "demodulated_activation(Tensor x, Tensor factors, Tensor? noise, Tensor bias, float slope, "
    "float gain, float limit) -> Tensor",
    &demodulated_activation);
}
