// The elementary resampling step of StyleGAN2 (arXiv 1912.04958): insert zeros, pad, filter, keep
// every n-th pixel. Its derivative is the same step with the filter turned round and enlarging and
// reducing exchanged, so that it has derivatives of any order; the filter is a constant.
//
// The filter is a sum of products of a column and a row (of one, where it is separable). Each row
// of the image is filtered once and kept in float32 while the output rows need it.
#include "kernels.h"
#include <ATen/ops/empty.h>
#include <ATen/ops/mul.h>
#include <torch/csrc/autograd/custom_function.h>
#include <torch/custom_class.h>
#include <torch/library.h>
#include <algorithm>
#include <numeric>
#include <vector>

namespace {

using namespace ctorch;
using at::Tensor;
using torch::autograd::AutogradContext;
using torch::autograd::variable_list;

/// One direction: y[o] = Σₖ taps[k] · x[(o · down + k − before) / up], where that is a whole index.
struct Axis {
  int64_t in, out, up, down, before;

  /// The same for the gradient of x by that of y.
  Axis adjoint(int64_t taps) const { return {out, in, down, up, taps - 1 - before}; }
};

struct Filter : torch::CustomClassHolder {
  Axis y, x;
  /// Row after row, as many as the filter has.
  std::vector<double> taps;
  int64_t height, width;
  /// Whether a sum begins with the last tap.
  bool descends = false;

  c10::intrusive_ptr<Filter> adjoint() const {
    auto result = c10::make_intrusive<Filter>(*this);
    result->y = y.adjoint(height);
    result->x = x.adjoint(width);
    std::reverse(result->taps.begin(), result->taps.end());
    result->descends = !descends;
    return result;
  }
};

using SharedFilter = c10::intrusive_ptr<Filter>;

int64_t floor_divided(int64_t a, int64_t b) { return a / b - (a % b < 0); }

// What is compiled for each kind of processor: loops over plain memory, which call nothing.

template <typename T, typename S>
CT_INLINE void widened(const T *source, S *target, int64_t count) {
  for (int64_t i = 0; i < count; i++) target[i] = wide(source[i]);
}

/// target[i · step] = source[i]
template <typename T, typename S>
CT_INLINE void narrowed(const S *source, T *target, int64_t count, int64_t step) {
  if (step == 1) {
    for (int64_t i = 0; i < count; i++) narrow(source[i], target[i]);
  } else {
    for (int64_t i = 0; i < count; i++) narrow(source[i], target[i * step]);
  }
}

/// Values that are summed side by side.
constexpr int64_t block = 32;

/// out = Σ factors · sources, in the order of the taps. libtorch's filter of each channel and its
/// gradient add in this order, too, so that both round alike. Whole blocks are read and written.
template <typename S>
CT_INLINE void weighed(
  const S *const *sources, const S *factors, int64_t taps, S *__restrict out, int64_t count) {
  for (int64_t i = 0; i < count; i += block) {
    S sums[block] = {};
    for (int64_t tap = 0; tap < taps; tap++) {
      const S *source = sources[tap] + i;
      S factor = factors[tap];
      for (int64_t lane = 0; lane < block; lane++) sums[lane] += factor * source[lane];
    }
    for (int64_t lane = 0; lane < block; lane++) out[i + lane] = sums[lane];
  }
}

#define CONVERSIONS(T, S)                                                              \
  CT_CLONES void widen(const T *source, S *target, int64_t count) {                    \
    widened(source, target, count);                                                    \
  }                                                                                    \
  CT_CLONES void narrow_all(const S *source, T *target, int64_t count, int64_t step) { \
    narrowed(source, target, count, step);                                             \
  }
CONVERSIONS(float, float)
CONVERSIONS(double, double)
CONVERSIONS(c10::BFloat16, float)
#undef CONVERSIONS

CT_CLONES void weigh(
  const float *const *sources, const float *factors, int64_t taps, float *out, int64_t count) {
  weighed(sources, factors, taps, out, count);
}
CT_CLONES void weigh(
  const double *const *sources, const double *factors, int64_t taps, double *out, int64_t count) {
  weighed(sources, factors, taps, out, count);
}

/// Filters the rows of planes, of `inner` values a pixel.
///
/// The outputs o ≡ phase (mod phases) of a row have their inputs `stride` apart, so that rows are
/// kept split into as many parts: what a tap of a phase reads lies side by side. Of small planes
/// several go at once: a part holds the row of one after the row of another, each with its zeros.
template <typename T>
struct Rows {
  using S = typename Sum<T>::Type;
  const Filter &filter;
  const int64_t inner, phases, stride;
  /// Pixels of zeros before the first; of a part of a row with zeros; and outputs of one phase, at
  /// most.
  int64_t margin, lane, columns;
  /// Planes that go at once, at most, and now.
  int64_t most, group = 1;
  std::vector<S> kept, sum;
  std::vector<int64_t> owners;
  std::vector<const S *> sources;
  std::vector<S> factors;

  Rows(const Filter &filter, int64_t inner)
      : filter(filter),
        inner(inner),
        phases(filter.x.up / std::gcd(filter.x.up, filter.x.down)),
        stride(filter.x.down / std::gcd(filter.x.up, filter.x.down)) {
    const Axis &x = filter.x;
    margin = std::max<int64_t>(0, floor_divided(x.before, x.up) + 1);
    int64_t last = floor_divided((x.out - 1) * x.down + filter.width - 1 - x.before, x.up) + 1;
    columns = (x.out + phases - 1) / phases;
    lane = std::max((margin + std::max(x.in, last + 1)) / stride + 2, columns);
    most = inner == 1 ? std::max<int64_t>(1, 512 / lane) : 1;
    // As many rows as one output row reads, and one more.
    owners.assign(size_t(filter.height / filter.y.up) + 2, -1);
    kept.assign(owners.size() * row_size() + block, 0);
    sum.resize(size_t(phases) * phase_size());
    sources.resize(filter.taps.size());
    factors.resize(filter.taps.size());
  }

  size_t row_size() const { return size_t(stride * lane * most * inner); }
  /// Values of one phase of an output row, in whole blocks.
  size_t phase_size() const { return size_t((lane * most * inner + block - 1) / block * block); }

  /// An input row of each plane with zeros on both sides, part after part.
  const S *row(const T *planes, int64_t index) {
    size_t slot = size_t(index) % owners.size();
    S *result = kept.data() + slot * row_size();
    if (owners[slot] == index) return result;
    owners[slot] = index;
    int64_t count = filter.x.in;
    for (int64_t p = 0; p < group; p++) {
      const T *source = planes + (p * filter.y.in + index) * count * inner;
      if (stride == 1) {
        widen(source, result + at(p, margin), count * inner);
        continue;
      }
      for (int64_t first = 0; first < std::min(stride, count); first++) {
        S *target = result + at(p, margin + first);
        for (int64_t i = first; i < count; i += stride, target += inner) {
          if (inner == 1)
            *target = wide(source[i]);
          else
            widen(source + i * inner, target, inner);
        }
      }
    }
    return result;
  }

  /// Where a pixel of a plane's kept row begins.
  int64_t at(int64_t plane, int64_t pixel) const {
    return (pixel % stride * lane * most + plane * lane + pixel / stride) * inner;
  }

  /// Output rows begin ..< end of some planes that lie one after the other.
  void run(const T *planes, T *output, int64_t count, int64_t begin, int64_t end) {
    const Axis &y = filter.y, &x = filter.x;
    group = count;
    std::fill(owners.begin(), owners.end(), -1);
    for (int64_t o = begin; o < end; o++) {
      for (int64_t phase = 0; phase < phases; phase++) {
        int64_t found = 0, offset = phase * x.down - x.before;
        for (int64_t i = 0; i < filter.height; i++) {
          int64_t line = o * y.down + i - y.before;
          if (line < 0 || line % y.up != 0 || line / y.up >= y.in) continue;
          const S *source = row(planes, line / y.up);
          for (int64_t j = (-offset % x.up + x.up) % x.up; j < filter.width; j += x.up) {
            sources[size_t(found)] = source + at(0, floor_divided(offset + j, x.up) + margin);
            factors[size_t(found++)] = S(filter.taps[size_t(i * filter.width + j)]);
          }
        }
        if (filter.descends) {
          std::reverse(sources.begin(), sources.begin() + found);
          std::reverse(factors.begin(), factors.begin() + found);
        }
        weigh(
          sources.data(), factors.data(), found, sum.data() + size_t(phase) * phase_size(),
          ((group - 1) * lane + columns) * inner);
      }
      for (int64_t p = 0; p < group; p++)
        store(sum.data() + p * lane * inner, output + (p * y.out + o) * x.out * inner);
    }
  }

  void store(const S *sums, T *out) const {
    int64_t count = filter.x.out;
    for (int64_t phase = 0; phase < phases; phase++) {
      const S *source = sums + size_t(phase) * phase_size();
      int64_t own = (count - phase + phases - 1) / phases;
      if (phases == 1 || inner == 1) {
        narrow_all(source, out + phase, own * inner, phases);
      } else {
        for (int64_t q = 0; q < own; q++)
          narrow_all(source + q * inner, out + (phase + q * phases) * inner, inner, 1);
      }
    }
  }
};

template <typename T>
void run_all(const Filter &filter, const Tensor &x, Tensor &y, bool is_last) {
  int64_t inner = is_last ? x.size(1) : 1;
  int64_t planes = x.size(0) * x.size(1) / std::max<int64_t>(inner, 1);
  const T *input = values<T>(x);
  T *output = y.mutable_data_ptr<T>();
  int64_t in = filter.y.in * filter.x.in * inner, out = filter.y.out * filter.x.out * inner;
  if (!is_last) {
    in_parallel(planes, 1 + 65536 / out, [&](int64_t begin, int64_t end) {
      Rows<T> rows(filter, inner);
      for (int64_t plane = begin; plane < end; plane += rows.most)
        rows.run(
          input + plane * in, output + plane * out, std::min(rows.most, end - plane), 0,
          filter.y.out);
    });
    return;
  }
  // The channels lie within a plane: an item is sixteen of its rows.
  int64_t height = 16, blocks = (filter.y.out + height - 1) / height;
  int64_t size = std::min(height, filter.y.out) * filter.x.out * inner;
  in_parallel(planes * blocks, 1 + 65536 / size, [&](int64_t begin, int64_t end) {
    Rows<T> rows(filter, inner);
    for (int64_t item = begin; item < end; item++) {
      int64_t plane = item / blocks, first = item % blocks * height;
      rows.run(
        input + plane * in, output + plane * out, 1, first, std::min(first + height, filter.y.out));
    }
  });
}

Tensor applied(const Filter &filter, const Tensor &image) {
  auto format = image.suggest_memory_format();
  bool is_last = format == at::MemoryFormat::ChannelsLast;
  auto x = image.contiguous(format);
  auto y = at::empty({x.size(0), x.size(1), filter.y.out, filter.x.out}, x.options(), format);
  if (y.numel() == 0) return y;
  switch (x.scalar_type()) {
    case at::kFloat: run_all<float>(filter, x, y, is_last); break;
    case at::kDouble: run_all<double>(filter, x, y, is_last); break;
    case at::kBFloat16: run_all<c10::BFloat16>(filter, x, y, is_last); break;
    default: TORCH_CHECK(false, "nifty::resample knows no ", x.scalar_type());
  }
  return y;
}

struct Resample : torch::autograd::Function<Resample> {
  static Tensor forward(AutogradContext *context, const Tensor &x, const SharedFilter &filter) {
    context->saved_data["filter"] = c10::IValue::make_capsule(filter);
    return applied(*filter, x);
  }

  static variable_list backward(AutogradContext *context, variable_list gradients) {
    if (!gradients[0].defined()) return {Tensor(), Tensor()};
    auto filter =
      c10::static_intrusive_pointer_cast<Filter>(context->saved_data["filter"].toCapsule());
    return {Resample::apply(gradients[0], filter->adjoint()), Tensor()};
  }
};

Tensor resample(
  const Tensor &x, const Tensor &filter, at::IntArrayRef up, at::IntArrayRef down,
  at::IntArrayRef before, at::IntArrayRef after, bool flip, double gain) {
  TORCH_CHECK(x.dim() == 4, "an image is [N, C, H, W], not ", x.sizes());
  TORCH_CHECK(filter.dim() == 2 && filter.numel() > 0, "a filter is [h, w], not ", filter.sizes());
  auto taps = at::mul(filter, gain).to(at::kDouble).contiguous();
  auto result = c10::make_intrusive<Filter>();
  result->height = taps.size(0);
  result->width = taps.size(1);
  const double *first = values<double>(taps);
  result->taps.assign(first, first + taps.numel());
  if (flip) std::reverse(result->taps.begin(), result->taps.end());
  auto axis = [&](int64_t size, size_t n, int64_t count) {
    TORCH_CHECK(up[n] > 0 && down[n] > 0, "factors are positive");
    int64_t whole = size * up[n] + before[n] + after[n] - count;
    TORCH_CHECK(whole >= 0, "an image of ", size, " pixels is too small for ", count, " taps");
    return Axis{size, whole / down[n] + 1, up[n], down[n], before[n]};
  };
  result->y = axis(x.size(2), 0, result->height);
  result->x = axis(x.size(3), 1, result->width);
  if (c10::GradMode::is_enabled() && x.requires_grad()) return Resample::apply(x, result);
  return applied(*result, x);
}

}  // namespace

TORCH_LIBRARY_FRAGMENT(nifty, library) {
  library.def(
    "resample(Tensor x, Tensor filter, int[2] up, int[2] down, int[2] before, int[2] after, "
    "bool flip, float gain) -> Tensor",
    &resample);
}
