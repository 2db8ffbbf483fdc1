// The sums of a device over NCCL.
#pragma once
#include "nccl_library.h"
#include <ATen/core/Tensor.h>
#include <c10/core/Event.h>
#include <chrono>
#include <condition_variable>
#include <deque>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <thread>
#include <vector>

namespace ctorch {

/// The sums of one device, over NCCL.
///
/// A call enqueues on the device's current stream and returns; work that follows on that stream
/// sees its result. A thread watches: what is not done in time is aborted, and every later call and
/// `check` throw why.
class NCCLGroup {
 public:
  using Clock = std::chrono::steady_clock;

  /// Meets the others; all ranks have the unique id that one of them made.
  NCCLGroup(
    std::shared_ptr<NCCLLibrary> library, c10::Device device, NCCLLibrary::UniqueId id, int rank,
    int count, std::chrono::milliseconds timeout);
  ~NCCLGroup();
  NCCLGroup(const NCCLGroup &) = delete;
  NCCLGroup &operator=(const NCCLGroup &) = delete;

  void sum(const at::Tensor &value);
  /// As `sum`, beside the current stream: what is computed after it does not wait until `join`.
  void begin_sum(const at::Tensor &value);
  /// Lets the current stream wait for the sums that were begun.
  void join();
  void broadcast(const at::Tensor &value, int root);
  std::vector<at::Tensor> gather(const at::Tensor &value);
  /// Throws what the watching thread has found.
  void check() const;

  const c10::Device device;

 private:
  /// A call on its way: in NCCL's hands until `returned`, then on the stream until the event.
  struct Call {
    const char *name;
    Clock::time_point deadline;
    bool returned = false;
    std::optional<c10::Event> event;
  };

  void enqueue(
    const char *name, const at::Tensor &value,
    const std::function<int(int type, void *stream)> &body);
  void watch();
  /// Drops the calls that are done; whether one is late, or NCCL says that another rank is gone.
  bool has_failed();

  std::shared_ptr<NCCLLibrary> library_;
  NCCLLibrary::Comm comm_ = nullptr;
  const int count_;
  const std::chrono::milliseconds timeout_;
  mutable std::mutex mutex_;
  std::condition_variable changed_;
  std::deque<std::shared_ptr<Call>> calls_;
  std::string failure_;
  // Made by the first `begin_sum`; the calling threads take turns.
  std::optional<c10::Stream> beside_;
  bool is_over_ = false;
  std::thread watcher_;
};

}  // namespace ctorch
