// Handles, host memory, autograd, generators and process-wide settings.
#include "internal.h"
#include <ATen/CPUGeneratorImpl.h>
#include <ATen/Context.h>
#include <ATen/Parallel.h>
#include <ATen/ops/empty.h>
#include <atomic>
#include <c10/core/GradMode.h>
#include <cstring>
#include <dlfcn.h>
#include <limits.h>
#include <malloc.h>
#include <torch/csrc/autograd/autograd.h>
#include <torch/version.h>

static_assert(sizeof(at::Tensor) == sizeof(void *), "a tensor must be one pointer");

namespace {
thread_local std::string last_error;
std::atomic<int64_t> live_handles{0};
}  // namespace

namespace ctorch {
void set_error(const char *message) noexcept {
  try {
    last_error = message;
  } catch (...) {
    last_error.clear();
  }
}
void count_handles(int64_t change) noexcept {
  live_handles.fetch_add(change, std::memory_order_relaxed);
}
}  // namespace ctorch

using ctorch::fenced;
using ctorch::impl;
using ctorch::tensor;

extern "C" const char *ct_error() noexcept { return last_error.c_str(); }

extern "C" void ct_release(CTTensor *value) noexcept {
  if (!value) return;
  ctorch::count_handles(-1);
  at::Tensor released(ctorch::Pointer::reclaim(impl(value)));
}

extern "C" int64_t ct_live_handles() noexcept { return live_handles.load(); }

extern "C" int32_t ct_from_bytes(
  const void *data, size_t bytes, const int64_t *sizes, int32_t dimensions, int32_t dtype,
  CTTensor **result) noexcept {
  return fenced<int32_t>(1, [&] {
    auto options = at::TensorOptions().dtype(static_cast<at::ScalarType>(dtype));
    auto value = at::empty(c10::IntArrayRef(sizes, dimensions), options);
    TORCH_CHECK(value.nbytes() == bytes, "a tensor of ", value.nbytes(), " bytes from ", bytes);
    if (bytes) std::memcpy(value.data_ptr(), data, bytes);
    *result = ctorch::handle(std::move(value));
    return 0;
  });
}

extern "C" int32_t ct_to_bytes(CTTensor *value, int32_t dtype, void *data, size_t bytes) noexcept {
  return fenced<int32_t>(1, [&] {
    auto host =
      tensor(value).detach().to(at::kCPU, static_cast<at::ScalarType>(dtype)).contiguous();
    TORCH_CHECK(host.nbytes() == bytes, "a tensor of ", host.nbytes(), " bytes to ", bytes);
    if (bytes) std::memcpy(data, host.data_ptr(), bytes);
    return 0;
  });
}

extern "C" const void *ct_row_major_data(CTTensor *value) noexcept {
  return fenced<const void *>(nullptr, [&]() -> const void * {
    auto here = tensor(value);
    bool lies = here.device().is_cpu() && here.is_contiguous() && !here.is_conj() && !here.is_neg();
    return lies ? here.const_data_ptr() : nullptr;
  });
}

extern "C" int32_t ct_dimensions(CTTensor *value) noexcept {
  return static_cast<int32_t>(impl(value)->dim());
}
extern "C" int64_t ct_size(CTTensor *value, int32_t dimension) noexcept {
  return impl(value)->size(dimension);
}
extern "C" int64_t ct_count(CTTensor *value) noexcept { return impl(value)->numel(); }
extern "C" int64_t ct_stride(CTTensor *value, int32_t dimension) noexcept {
  return impl(value)->stride(dimension);
}
extern "C" bool ct_is_channels_last(CTTensor *value) noexcept {
  return tensor(value).suggest_memory_format() == at::MemoryFormat::ChannelsLast;
}
extern "C" int32_t ct_dtype(CTTensor *value) noexcept {
  return static_cast<int32_t>(c10::typeMetaToScalarType(impl(value)->dtype()));
}
extern "C" void ct_device(CTTensor *value, int32_t *type, int32_t *index) noexcept {
  auto device = impl(value)->device();
  *type = static_cast<int32_t>(device.type());
  *index = device.index();
}
extern "C" int32_t ct_item(CTTensor *value, double *result) noexcept {
  return fenced<int32_t>(1, [&] {
    *result = tensor(value).item().toDouble();
    return 0;
  });
}

extern "C" bool ct_requires_grad(CTTensor *value) noexcept { return tensor(value).requires_grad(); }
extern "C" int32_t ct_set_requires_grad(CTTensor *value, bool required) noexcept {
  return fenced<int32_t>(1, [&] {
    tensor(value).requires_grad_(required);
    return 0;
  });
}
extern "C" bool ct_set_grad_enabled(bool enabled) noexcept {
  bool before = c10::GradMode::is_enabled();
  c10::GradMode::set_enabled(enabled);
  return before;
}

extern "C" int32_t ct_grad(
  CTTensor *const *outputs, CTTensor *const *weights, size_t output_count, CTTensor *const *inputs,
  size_t input_count, bool retain_graph, bool create_graph, bool allow_unused,
  CTTensor **gradients) noexcept {
  return fenced<int32_t>(1, [&] {
    torch::autograd::variable_list out, weight, in;
    for (size_t i = 0; i < output_count; i++) {
      out.push_back(tensor(outputs[i]));
      if (weights) weight.push_back(tensor(weights[i]));
    }
    for (size_t i = 0; i < input_count; i++) in.push_back(tensor(inputs[i]));
    auto result = torch::autograd::grad(out, in, weight, retain_graph, create_graph, allow_unused);
    for (size_t i = 0; i < input_count; i++) gradients[i] = ctorch::handle(std::move(result[i]));
    return 0;
  });
}

extern "C" CTGenerator *ct_generator_create(uint64_t seed) noexcept {
  return fenced<CTGenerator *>(
    nullptr, [&] { return new CTGenerator{at::detail::createCPUGenerator(seed)}; });
}
extern "C" void ct_generator_free(CTGenerator *generator) noexcept { delete generator; }

extern "C" void ct_set_threads(int32_t count) noexcept { at::set_num_threads(count); }
extern "C" int32_t ct_threads() noexcept { return at::get_num_threads(); }

extern "C" void ct_keep_freed_memory() noexcept {
  mallopt(M_MMAP_MAX, 0);
  mallopt(M_TRIM_THRESHOLD, INT_MAX);
  mallopt(M_TOP_PAD, 64 << 20);
}

extern "C" void ct_set_cuda(int32_t benchmark, int32_t tf32) noexcept {
  fenced<int32_t>(0, [&] {
    at::globalContext().setBenchmarkCuDNN(benchmark != 0);
    at::globalContext().setAllowTF32CuBLAS(tf32 != 0);
    at::globalContext().setAllowTF32CuDNN(tf32 != 0);
    return 0;
  });
}

extern "C" int32_t ct_cuda_devices() noexcept {
  return fenced<int32_t>(0, [&] {
    // The hooks of a CUDA wheel register only once its library is in the process.
    static const bool loaded = dlopen("libtorch_cuda.so", RTLD_NOW | RTLD_GLOBAL) != nullptr;
    return loaded && at::hasCUDA() ? static_cast<int32_t>(at::getNumGPUs()) : 0;
  });
}
extern "C" const char *ct_version() noexcept { return TORCH_VERSION; }
