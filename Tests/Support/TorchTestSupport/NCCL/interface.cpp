// NVIDIA's own nccl.h against what nifty calls: compiled by a test, run by nobody.
#include <nccl.h>

#include "nccl_library.h"

#include <type_traits>

namespace {

using Library = ctorch::NCCLLibrary;
using Code = ctorch::NCCLCode;

/// Whether a caller of the one may pass the other: enumerations are integers to it.
template <class A, class B>
constexpr bool alike =
  sizeof(A) == sizeof(B) && alignof(A) == alignof(B) &&
  std::is_pointer_v<A> == std::is_pointer_v<B>&& std::is_class_v<A> == std::is_class_v<B>;

template <class R, class... A, class S, class... B>
constexpr bool same(R (*)(A...), S (*)(B...)) {
  if constexpr (sizeof...(A) != sizeof...(B)) {
    return false;
  } else {
    return alike<R, S> && (alike<A, B> && ...);
  }
}

static_assert(same(ncclGetUniqueId, decltype(Library::get_unique_id){}));
static_assert(same(ncclCommInitRank, decltype(Library::comm_init_rank){}));
static_assert(same(ncclCommDestroy, decltype(Library::comm_destroy){}));
static_assert(same(ncclCommAbort, decltype(Library::comm_abort){}));
static_assert(same(ncclCommGetAsyncError, decltype(Library::comm_get_async_error){}));
static_assert(same(ncclAllReduce, decltype(Library::all_reduce){}));
static_assert(same(ncclBroadcast, decltype(Library::broadcast){}));
static_assert(same(ncclAllGather, decltype(Library::all_gather){}));
static_assert(same(ncclGetErrorString, decltype(Library::get_error_string){}));
static_assert(same(ncclGetLastError, decltype(Library::get_last_error){}));

static_assert(int{ncclSuccess} == Code::success && int{ncclInProgress} == Code::in_progress);
static_assert(int{ncclSum} == Code::sum);
static_assert(int{ncclUint8} == Code::uint8 && int{ncclInt32} == Code::int32);
static_assert(int{ncclInt64} == Code::int64 && int{ncclFloat16} == Code::float16);
static_assert(int{ncclFloat32} == Code::float32 && int{ncclFloat64} == Code::float64);
static_assert(int{ncclBfloat16} == Code::bfloat16);

}  // namespace
