// Shared by the C++ files of this target: handles, and the fence that no exception passes.
#pragma once
#include "include/ctorch.h"
#include <ATen/core/Generator.h>
#include <ATen/core/Tensor.h>
#include <functional>
#include <string>

namespace ctorch {

using Impl = c10::TensorImpl;
using Pointer = c10::intrusive_ptr<Impl, c10::UndefinedTensorImpl>;

void set_error(const char *message) noexcept;
void count_handles(int64_t change) noexcept;

inline Impl *impl(CTTensor *handle) { return reinterpret_cast<Impl *>(handle); }

/// A new reference to the tensor behind a handle.
inline at::Tensor tensor(CTTensor *handle) {
  return handle ? at::Tensor(Pointer::reclaim_copy(impl(handle))) : at::Tensor();
}

/// Gives a tensor's reference away as a handle.
inline CTTensor *handle(at::Tensor &&value) {
  if (!value.defined()) return nullptr;
  count_handles(1);
  return reinterpret_cast<CTTensor *>(value.unsafeReleaseTensorImpl());
}

/// Runs `body`; on any exception keeps its message and returns `failure`.
template <typename Result, typename Body>
Result fenced(Result failure, Body &&body) noexcept {
  try {
    return body();
  } catch (const c10::Error &error) {
    set_error(error.what_without_backtrace());
  } catch (const std::exception &error) {
    set_error(error.what());
  } catch (...) {
    set_error("an exception of unknown type");
  }
  return failure;
}

/// Number of ranks.
int size(CTGroup *group);
/// Begins to replace a contiguous tensor by its sum over all ranks; all of them begin the same sums
/// in the same order. Calling the result waits, and throws what went wrong.
std::function<void()> begin_sum(CTGroup *group, const at::Tensor &value);

}  // namespace ctorch

struct CTGenerator {
  at::Generator generator;
};
