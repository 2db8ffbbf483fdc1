// What the kernels of this target share: the processor's vectors, short floats, the threads.
#pragma once
#include <ATen/Parallel.h>
#include <ATen/core/Tensor.h>
#include <c10/util/BFloat16.h>
#include <dlfcn.h>
#include <algorithm>
#include <cstdint>
#include <cstring>
#include <exception>
#include <mutex>

namespace ctorch {

// Compiled once for each kind of processor; the program takes the best at its start. What such a
// function calls is inlined into it, or it would keep to the oldest kind.
#define CT_CLONES __attribute__((target_clones("arch=x86-64-v4", "arch=x86-64-v3", "default")))
#define CT_INLINE inline __attribute__((always_inline))

/// The type in which values of a type are summed.
template <typename T>
struct Sum {
  using Type = T;
};
template <>
struct Sum<c10::BFloat16> {
  using Type = float;
};

CT_INLINE float wide(float value) { return value; }
CT_INLINE double wide(double value) { return value; }
CT_INLINE float wide(c10::BFloat16 value) {
  uint32_t bits = uint32_t(value.x) << 16;
  float result;
  std::memcpy(&result, &bits, sizeof result);
  return result;
}

CT_INLINE void narrow(float value, float &result) { result = value; }
CT_INLINE void narrow(double value, double &result) { result = value; }
/// To the nearest, to the even one of two; any NaN becomes one NaN.
CT_INLINE void narrow(float value, c10::BFloat16 &result) {
  uint32_t bits;
  std::memcpy(&bits, &value, sizeof bits);
  uint32_t rounded = (bits + 0x7FFF + ((bits >> 16) & 1)) >> 16;
  result.x = uint16_t((bits & 0x7FFFFFFF) > 0x7F800000 ? 0x7FC0 : rounded);
}

/// The elements of a tensor of type T. libtorch's own template of this has a name in its libraries
/// that depends on the compiler which made them; a program by another one does not find it.
template <typename T>
const T *values(const at::Tensor &x) {
  TORCH_CHECK(
    x.scalar_type() == c10::CppTypeToScalarType<T>::value, "elements of ", x.scalar_type());
  return static_cast<const T *>(x.const_data_ptr());
}

/// Runs `body(begin, end)` over parts of 0 ..< count, on libtorch's own threads.
///
/// A part has at least `grain` items. ATen's template does so only where the compiler speaks OpenMP
/// with the same library; the entry points of that library are found at run time instead, and where
/// there are none, the caller's thread does all. What an item computes must not depend on its part.
/// What a part throws, for want of memory, is thrown here: no exception leaves a thread of the
/// team.
template <typename Body>
void in_parallel(int64_t count, int64_t grain, const Body &body) {
  using Entry = void (*)(void (*)(void *), void *, unsigned, unsigned);
  using Number = int (*)();
  static const auto entry = reinterpret_cast<Entry>(dlsym(RTLD_DEFAULT, "GOMP_parallel"));
  static const auto rank = reinterpret_cast<Number>(dlsym(RTLD_DEFAULT, "omp_get_thread_num"));
  static const auto team = reinterpret_cast<Number>(dlsym(RTLD_DEFAULT, "omp_get_num_threads"));
  int64_t wanted = std::min<int64_t>(at::get_num_threads(), count / std::max<int64_t>(grain, 1));
  if (wanted < 2 || !entry || !rank || !team || at::in_parallel_region()) {
    body(int64_t(0), count);
    return;
  }
  struct Task {
    const Body &body;
    int64_t count;
    std::mutex lock;
    std::exception_ptr failure;
  } task{body, count, {}, nullptr};
  entry(
    [](void *data) {
      auto &task = *static_cast<Task *>(data);
      // The team may be smaller than was wanted.
      int64_t part = rank(), parts = team();
      try {
        task.body(task.count * part / parts, task.count * (part + 1) / parts);
      } catch (...) {
        std::lock_guard<std::mutex> guard(task.lock);
        task.failure = std::current_exception();
      }
    },
    &task, unsigned(wanted), 0);
  if (task.failure) std::rethrow_exception(task.failure);
}

}  // namespace ctorch
