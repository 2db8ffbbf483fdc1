#include "nccl_group.h"
#include <ATen/ops/empty.h>
#include <c10/core/DeviceGuard.h>
#include <c10/core/StreamGuard.h>
#include <dlfcn.h>
#include <future>

namespace ctorch {

namespace {

/// A type as NCCL numbers it.
int nccl_type(at::ScalarType type) {
  switch (type) {
    case at::kByte: return NCCLCode::uint8;
    case at::kInt: return NCCLCode::int32;
    case at::kLong: return NCCLCode::int64;
    case at::kHalf: return NCCLCode::float16;
    case at::kFloat: return NCCLCode::float32;
    case at::kDouble: return NCCLCode::float64;
    case at::kBFloat16: return NCCLCode::bfloat16;
    default: TORCH_CHECK(false, "NCCL has no type for ", type);
  }
}

/// The device's current stream; the CPU, on which only tests use this class, has none.
std::optional<c10::Stream> current_stream(c10::Device device) {
  if (device.is_cpu()) return std::nullopt;
  return c10::impl::VirtualGuardImpl(device.type()).getStream(device);
}

}  // namespace

NCCLLibrary::NCCLLibrary(const std::string &path) {
  // Never closed: NCCL keeps threads of its own.
  void *library = dlopen(path.c_str(), RTLD_NOW | RTLD_LOCAL);
  TORCH_CHECK(library, dlerror());
  auto find = [&](auto &function, const char *name) {
    void *symbol = dlsym(library, name);
    TORCH_CHECK(symbol, path, " has no ", name);
    function = reinterpret_cast<std::remove_reference_t<decltype(function)>>(symbol);
  };
  find(get_unique_id, "ncclGetUniqueId");
  find(comm_init_rank, "ncclCommInitRank");
  find(comm_destroy, "ncclCommDestroy");
  find(comm_abort, "ncclCommAbort");
  find(comm_get_async_error, "ncclCommGetAsyncError");
  find(all_reduce, "ncclAllReduce");
  find(broadcast, "ncclBroadcast");
  find(all_gather, "ncclAllGather");
  find(get_error_string, "ncclGetErrorString");
  find(get_last_error, "ncclGetLastError");
}

void NCCLLibrary::check(int result, const char *what) const {
  if (result == NCCLCode::success || result == NCCLCode::in_progress) return;
  const char *detail = get_last_error(nullptr);
  bool has_detail = detail && *detail;
  TORCH_CHECK(
    false, "NCCL's ", what, ": ", get_error_string(result), has_detail ? ": " : "",
    has_detail ? detail : "");
}

NCCLGroup::NCCLGroup(
  std::shared_ptr<NCCLLibrary> library, c10::Device device, NCCLLibrary::UniqueId id, int rank,
  int count, std::chrono::milliseconds timeout)
    : device(device), library_(std::move(library)), count_(count), timeout_(timeout) {
  // It waits without end for a rank that died: on a thread of its own, which is left behind then.
  std::packaged_task<NCCLLibrary::Comm()> task([library = library_, device, id, rank, count] {
    c10::DeviceGuard guard(device);
    NCCLLibrary::Comm comm = nullptr;
    library->check(library->comm_init_rank(&comm, count, id, rank), "meeting");
    return comm;
  });
  auto met = task.get_future();
  std::thread(std::move(task)).detach();
  TORCH_CHECK(
    met.wait_for(timeout) == std::future_status::ready,
    "NCCL's meeting: not all ranks came in time");
  comm_ = met.get();
  watcher_ = std::thread([this] { watch(); });
}

NCCLGroup::~NCCLGroup() {
  {
    std::lock_guard lock(mutex_);
    is_over_ = true;
  }
  changed_.notify_all();
  watcher_.join();
  // What is still on its way has nobody who waits for it.
  if (failure_.empty()) {
    calls_.empty() ? library_->comm_destroy(comm_) : library_->comm_abort(comm_);
  }
}

void NCCLGroup::check() const {
  std::lock_guard lock(mutex_);
  TORCH_CHECK(failure_.empty(), failure_);
}

void NCCLGroup::enqueue(
  const char *name, const at::Tensor &value,
  const std::function<int(int type, void *stream)> &body) {
  TORCH_CHECK(
    value.is_contiguous() && value.device() == device, name, " of a tensor of ", value.device(),
    value.is_contiguous() ? "" : " with gaps");
  int type = nccl_type(value.scalar_type());
  auto stream = current_stream(device);
  auto call = std::make_shared<Call>(Call{name, Clock::now() + timeout_});
  {
    std::lock_guard lock(mutex_);
    TORCH_CHECK(failure_.empty(), failure_);
    calls_.push_back(call);
  }
  c10::DeviceGuard guard(device);
  int result = body(type, stream ? stream->native_handle() : nullptr);
  {
    std::lock_guard lock(mutex_);
    if (stream) {
      call->event.emplace(device.type());
      call->event->record(*stream);
    }
    call->returned = true;
    // Why the watching thread ended the call, rather than that it ended.
    TORCH_CHECK(failure_.empty(), failure_);
  }
  library_->check(result, name);
}

void NCCLGroup::sum(const at::Tensor &value) {
  void *data = value.data_ptr();
  enqueue("sum", value, [&](int type, void *stream) {
    return library_->all_reduce(data, data, value.numel(), type, NCCLCode::sum, comm_, stream);
  });
}

void NCCLGroup::begin_sum(const at::Tensor &value) {
  auto current = current_stream(device);
  if (!current) return sum(value);
  c10::impl::VirtualGuardImpl streams(device.type());
  if (!beside_) beside_ = streams.getStreamFromGlobalPool(device, /*isHighPriority=*/true);
  // The values are computed on the current stream, and their memory is that stream's to use again.
  c10::Event is_computed(device.type());
  is_computed.record(*current);
  is_computed.block(*beside_);
  streams.recordDataPtrOnStream(value.storage().data_ptr(), *beside_);
  c10::StreamGuard guard(*beside_);
  sum(value);
}

void NCCLGroup::join() {
  check();
  if (!beside_) return;
  c10::Event is_summed(device.type());
  is_summed.record(*beside_);
  is_summed.block(*current_stream(device));
}

void NCCLGroup::broadcast(const at::Tensor &value, int root) {
  void *data = value.data_ptr();
  enqueue("broadcast", value, [&](int type, void *stream) {
    return library_->broadcast(data, data, value.numel(), type, root, comm_, stream);
  });
}

std::vector<at::Tensor> NCCLGroup::gather(const at::Tensor &value) {
  auto sizes = value.sizes().vec();
  sizes.insert(sizes.begin(), count_);
  auto all = at::empty(sizes, value.options());
  enqueue("gather", value, [&](int type, void *stream) {
    return library_->all_gather(
      value.data_ptr(), all.data_ptr(), value.numel(), type, comm_, stream);
  });
  return all.unbind(0);
}

bool NCCLGroup::has_failed() {
  while (!calls_.empty()) {
    auto &call = *calls_.front();
    if (!call.returned || (call.event && !call.event->query())) break;
    calls_.pop_front();
  }
  // A communicator may be aborted under a call that hangs, but not under one that has just begun.
  bool in_hand = !calls_.empty() && !calls_.back()->returned;
  auto *oldest = calls_.empty() ? nullptr : in_hand ? calls_.back().get() : calls_.front().get();
  if (oldest && Clock::now() > oldest->deadline) {
    failure_ = std::string("NCCL's ") + oldest->name + " was not done in time";
  } else if (!in_hand) {
    int state = NCCLCode::success;
    library_->comm_get_async_error(comm_, &state);
    if (state != NCCLCode::success && state != NCCLCode::in_progress)
      failure_ = std::string("NCCL: ") + library_->get_error_string(state);
  }
  return !failure_.empty();
}

void NCCLGroup::watch() {
  std::unique_lock lock(mutex_);
  while (!is_over_) {
    bool failed = true;
    try {
      failed = has_failed();
    } catch (const std::exception &error) {
      failure_ = error.what();
    }
    if (failed) {
      // Ends kernels that wait for the others, so that whoever waits for the stream goes on.
      lock.unlock();
      library_->comm_abort(comm_);
      return;
    }
    changed_.wait_for(lock, std::chrono::milliseconds(20));
  }
}

}  // namespace ctorch
