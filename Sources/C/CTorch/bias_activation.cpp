// clamp(gain · lrelu(x + bias)) in one pass over the image, computed in float32, with one saved
// tensor: the result, whose sign and size say where the function bends. Its derivative is one pass,
// too, and linear in the incoming gradient, so that it has derivatives of any order.
#include "activation.h"
#include <ATen/ops/empty_like.h>
#include <ATen/ops/sum.h>
#include <ATen/ops/zeros.h>
#include <torch/csrc/autograd/custom_function.h>
#include <torch/library.h>

namespace {

using namespace ctorch;
using at::Tensor;
using torch::autograd::AutogradContext;
using torch::autograd::variable_list;

/// An image as runs of `length` values that share a channel, the channels changing from run to run;
/// or as runs that hold all channels once, one value each.
struct Runs {
  int64_t count, length, channels;
  bool holds_channels;

  explicit Runs(const Tensor &x, bool is_last) {
    channels = x.size(1);
    holds_channels = is_last || x.dim() == 2;
    length = holds_channels ? channels : x.numel() / std::max<int64_t>(x.size(0) * channels, 1);
    count = length == 0 ? 0 : x.numel() / length;
  }
};

template <typename T, typename S>
CT_INLINE void bend(
  const T *x, const S *bias, T *y, const Runs &runs, const Bend &shape, int64_t begin,
  int64_t end) {
  for (int64_t run = begin; run < end; run++) {
    const T *source = x + run * runs.length;
    T *target = y + run * runs.length;
    S own = bias[run % runs.channels];
    if (runs.holds_channels) {
      for (int64_t i = 0; i < runs.length; i++)
        narrow(bent_value<S>(wide(source[i]) + bias[i], shape), target[i]);
    } else {
      for (int64_t i = 0; i < runs.length; i++)
        narrow(bent_value<S>(wide(source[i]) + own, shape), target[i]);
    }
  }
}

template <typename T, typename S>
CT_INLINE void slopes(
  const T *g, const T *y, T *result, const Bend &shape, int64_t begin, int64_t end) {
  for (int64_t i = begin; i < end; i++) narrow(slope<T, S>(g[i], y[i], shape), result[i]);
}

/// The same with the sums over runs: one a run; or, where a run holds the channels, one a channel.
template <typename T, typename S>
CT_INLINE void summed_slopes(
  const T *g, const T *y, T *result, S *sums, const Runs &runs, const Bend &shape, int64_t begin,
  int64_t end) {
  constexpr int64_t lanes = 16;
  for (int64_t run = begin; run < end; run++) {
    int64_t first = run * runs.length;
    if (runs.holds_channels) {
      for (int64_t i = 0; i < runs.length; i++) {
        S value = slope<T, S>(g[first + i], y[first + i], shape);
        narrow(value, result[first + i]);
        sums[i] += value;
      }
      continue;
    }
    S partial[lanes] = {};
    int64_t i = 0;
    for (; i + lanes <= runs.length; i += lanes) {
      for (int64_t lane = 0; lane < lanes; lane++) {
        S value = slope<T, S>(g[first + i + lane], y[first + i + lane], shape);
        narrow(value, result[first + i + lane]);
        partial[lane] += value;
      }
    }
    for (; i < runs.length; i++) {
      S value = slope<T, S>(g[first + i], y[first + i], shape);
      narrow(value, result[first + i]);
      partial[i % lanes] += value;
    }
    S sum = 0;
    for (int64_t lane = 0; lane < lanes; lane++) sum += partial[lane];
    sums[run] = sum;
  }
}

#define KERNELS(T, S)                                                                    \
  CT_CLONES void bend_part(                                                              \
    const T *x, const S *bias, T *y, const Runs &runs, const Bend &shape, int64_t begin, \
    int64_t end) {                                                                       \
    bend<T, S>(x, bias, y, runs, shape, begin, end);                                     \
  }                                                                                      \
  CT_CLONES void slope_part(                                                             \
    const T *g, const T *y, T *result, const Bend &shape, int64_t begin, int64_t end) {  \
    slopes<T, S>(g, y, result, shape, begin, end);                                       \
  }                                                                                      \
  CT_CLONES void summed_part(                                                            \
    const T *g, const T *y, T *result, S *sums, const Runs &runs, const Bend &shape,     \
    int64_t begin, int64_t end) {                                                        \
    summed_slopes<T, S>(g, y, result, sums, runs, shape, begin, end);                    \
  }
KERNELS(float, float)
KERNELS(double, double)
KERNELS(c10::BFloat16, float)
#undef KERNELS

template <typename T>
void bend_all(const Tensor &x, const Tensor &bias, Tensor &y, const Runs &runs, const Bend &shape) {
  using S = typename Sum<T>::Type;
  in_parallel(
    runs.count, 1 + 65536 / std::max<int64_t>(runs.length, 1), [&](int64_t begin, int64_t end) {
      bend_part(values<T>(x), values<S>(bias), y.mutable_data_ptr<T>(), runs, shape, begin, end);
    });
}

template <typename T>
void slope_all(const Tensor &g, const Tensor &y, Tensor &result, const Bend &shape) {
  in_parallel(g.numel(), 65536, [&](int64_t begin, int64_t end) {
    slope_part(values<T>(g), values<T>(y), result.mutable_data_ptr<T>(), shape, begin, end);
  });
}

/// Slopes, and their sums over all but the channels in parts that do not depend on the threads.
template <typename T>
Tensor summed_all(
  const Tensor &g, const Tensor &y, Tensor &result, const Runs &runs, const Bend &shape) {
  using S = typename Sum<T>::Type;
  // Runs of one part; a run of one channel is a part.
  int64_t size = runs.holds_channels ? 1 + 65536 / std::max<int64_t>(runs.length, 1) : 1;
  int64_t parts = (runs.count + size - 1) / size;
  Tensor sums = at::zeros(
    {parts / (runs.holds_channels ? 1 : runs.channels), runs.channels},
    y.options().dtype(c10::CppTypeToScalarType<S>::value));
  S *all = sums.mutable_data_ptr<S>();
  int64_t width = runs.holds_channels ? runs.channels : 0;
  in_parallel(
    parts, 1 + 65536 / std::max<int64_t>(runs.length * size, 1), [&](int64_t begin, int64_t end) {
      for (int64_t part = begin; part < end; part++)
        summed_part(
          values<T>(g), values<T>(y), result.mutable_data_ptr<T>(), all + part * width, runs, shape,
          part * size, std::min((part + 1) * size, runs.count));
    });
  return sums.sum(0);
}

at::MemoryFormat format_of(const Tensor &x) {
  return x.dim() == 4 ? x.suggest_memory_format() : at::MemoryFormat::Contiguous;
}

Tensor bent(const Tensor &image, const Tensor &bias, const Bend &shape) {
  auto format = format_of(image);
  auto x = image.contiguous(format);
  auto y = at::empty_like(x, x.options(), format);
  Runs runs(x, format == at::MemoryFormat::ChannelsLast);
  auto wide_bias = bias.to(x.scalar_type() == at::kDouble ? at::kDouble : at::kFloat).contiguous();
  switch (x.scalar_type()) {
    case at::kFloat: bend_all<float>(x, wide_bias, y, runs, shape); break;
    case at::kDouble: bend_all<double>(x, wide_bias, y, runs, shape); break;
    case at::kBFloat16: bend_all<c10::BFloat16>(x, wide_bias, y, runs, shape); break;
    default: TORCH_CHECK(false, "nifty::bias_activation knows no ", x.scalar_type());
  }
  return y;
}

/// g · dy/dx; linear in g, and constant in y wherever it has a derivative.
struct Slope : torch::autograd::Function<Slope> {
  static Tensor forward(
    AutogradContext *context, const Tensor &gradient, const Tensor &y, double slope, double gain,
    double limit) {
    context->save_for_backward({y});
    context->saved_data["shape"] = std::vector<double>{slope, gain, limit};
    auto format = format_of(y);
    auto g = gradient.contiguous(format);
    auto result = at::empty_like(y, y.options(), format);
    Bend shape{slope, gain, limit};
    switch (y.scalar_type()) {
      case at::kFloat: slope_all<float>(g, y, result, shape); break;
      case at::kDouble: slope_all<double>(g, y, result, shape); break;
      default: slope_all<c10::BFloat16>(g, y, result, shape);
    }
    return result;
  }

  static variable_list backward(AutogradContext *context, variable_list gradients) {
    Tensor result;
    if (gradients[0].defined()) {
      auto y = context->get_saved_variables()[0];
      auto shape = context->saved_data["shape"].toDoubleVector();
      result = Slope::apply(gradients[0], y, shape[0], shape[1], shape[2]);
    }
    return {result, Tensor(), Tensor(), Tensor(), Tensor()};
  }
};

/// Both gradients in one pass, which nobody derives again.
std::tuple<Tensor, Tensor> both_gradients(
  const Tensor &gradient, const Tensor &y, const Bend &shape) {
  auto format = format_of(y);
  auto g = gradient.contiguous(format);
  auto result = at::empty_like(y, y.options(), format);
  Runs runs(y, format == at::MemoryFormat::ChannelsLast);
  switch (y.scalar_type()) {
    case at::kFloat: return {result, summed_all<float>(g, y, result, runs, shape)};
    case at::kDouble: return {result, summed_all<double>(g, y, result, runs, shape)};
    default: return {result, summed_all<c10::BFloat16>(g, y, result, runs, shape)};
  }
}

struct BiasActivation : torch::autograd::Function<BiasActivation> {
  static Tensor forward(
    AutogradContext *context, const Tensor &x, const Tensor &bias, double slope, double gain,
    double limit) {
    auto y = bent(x, bias, {slope, gain, limit});
    context->save_for_backward({y});
    context->saved_data["shape"] = std::vector<double>{slope, gain, limit};
    context->saved_data["bias"] = bias.scalar_type();
    return y;
  }

  static variable_list backward(AutogradContext *context, variable_list gradients) {
    Tensor of_x, of_bias;
    if (gradients[0].defined()) {
      // Only its values count: what it was computed from is no part of the slope's derivative.
      auto y = context->get_saved_variables()[0].detach();
      auto shape = context->saved_data["shape"].toDoubleVector();
      auto type = context->saved_data["bias"].toScalarType();
      if (context->needs_input_grad(1) && !c10::GradMode::is_enabled()) {
        std::tie(of_x, of_bias) = both_gradients(gradients[0], y, {shape[0], shape[1], shape[2]});
        return {of_x, of_bias.to(type), Tensor(), Tensor(), Tensor()};
      }
      of_x = Slope::apply(gradients[0], y, shape[0], shape[1], shape[2]);
      if (context->needs_input_grad(1)) {
        std::vector<int64_t> others{0};
        for (int64_t i = 2; i < y.dim(); i++) others.push_back(i);
        of_bias = at::sum(of_x, others, false, type);
      }
    }
    return {of_x, of_bias, Tensor(), Tensor(), Tensor()};
  }
};

}  // namespace

at::Tensor ctorch::sloped(const at::Tensor &g, const at::Tensor &y, const Bend &bend) {
  return Slope::apply(g, y, bend.slope, bend.gain, bend.limit);
}

namespace {

Tensor bias_activation(
  const Tensor &x, const Tensor &bias, double slope, double gain, double limit) {
  TORCH_CHECK(
    x.dim() >= 2 && bias.dim() == 1 && bias.size(0) == x.size(1), "a bias of ", bias.sizes(),
    " for ", x.sizes());
  TORCH_CHECK(
    gain > 0 && slope >= 0 && limit > 0, "gain and limit are positive, slope is not negative");
  if (c10::GradMode::is_enabled() && (x.requires_grad() || bias.requires_grad()))
    return BiasActivation::apply(x, bias, slope, gain, limit);
  return bent(x, bias, {slope, gain, limit});
}

}  // namespace

TORCH_LIBRARY_FRAGMENT(nifty, library) {
  library.def(
    "bias_activation(Tensor x, Tensor bias, float slope, float gain, float limit) -> Tensor",
    &bias_activation);
}
