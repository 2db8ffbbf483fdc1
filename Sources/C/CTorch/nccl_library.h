// NCCL's C interface, opened when a group asks for it: the same binary runs where there is none,
// and CUDA's headers are not needed to build it.
#pragma once
#include <cstddef>
#include <string>

namespace ctorch {

/// What NCCL's functions return, and the numbers of its types and operations.
struct NCCLCode {
  enum Result : int { success = 0, in_progress = 7 };
  enum Operation : int { sum = 0 };
  enum Type : int {
    uint8 = 1,
    int32 = 2,
    int64 = 4,
    float16 = 6,
    float32 = 7,
    float64 = 8,
    bfloat16 = 9,
  };
};

/// NCCL's functions and types, as nccl.h declares them since version 2.4; a test compares the two.
struct NCCLLibrary {
  struct UniqueId {
    char bytes[128];
  };
  using Comm = struct ncclComm *;

  /// Opens the library; throws what is missing.
  explicit NCCLLibrary(const std::string &path);

  int (*get_unique_id)(UniqueId *);
  int (*comm_init_rank)(Comm *, int count, UniqueId, int rank);
  int (*comm_destroy)(Comm);
  int (*comm_abort)(Comm);
  int (*comm_get_async_error)(Comm, int *result);
  int (*all_reduce)(
    const void *, void *, size_t count, int type, int operation, Comm, void *stream);
  int (*broadcast)(const void *, void *, size_t count, int type, int root, Comm, void *stream);
  int (*all_gather)(const void *, void *, size_t count, int type, Comm, void *stream);
  const char *(*get_error_string)(int);
  const char *(*get_last_error)(Comm);

  /// Throws NCCL's words unless `result` is success.
  void check(int result, const char *what) const;
};

}  // namespace ctorch
