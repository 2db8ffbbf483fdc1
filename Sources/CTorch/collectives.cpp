// Several processes that train together: torch's own c10d, Gloo over TCP.
#define USE_C10D_GLOO 1
#include "internal.h"
#include <ATen/ops/empty_like.h>
#include <c10/util/Logging.h>
#include <chrono>
#include <mutex>
#include <torch/csrc/distributed/c10d/ProcessGroupGloo.hpp>
#include <torch/csrc/distributed/c10d/TCPStore.hpp>

struct CTGroup {
  c10::intrusive_ptr<c10d::TCPStore> store;
  c10::intrusive_ptr<c10d::Backend> backend;
};

using ctorch::fenced;
using ctorch::tensor;

// What goes wrong comes back as an error. c10d also logs each failed attempt, with a backtrace.
static void quiet_log() {
  static std::once_flag once;
  std::call_once(once, [] { FLAGS_caffe2_log_level = std::max(FLAGS_caffe2_log_level, 3); });
}

extern "C" int32_t ct_group_join(const char *host, uint16_t port, int32_t rank, int32_t count,
                                 double timeout_seconds, CTGroup **result) noexcept {
  return fenced<int32_t>(1, [&] {
    quiet_log();
    TORCH_CHECK(count > 0 && rank >= 0 && rank < count, "rank ", rank, " of ", count);
    auto timeout = std::chrono::milliseconds(static_cast<int64_t>(timeout_seconds * 1000));
    c10d::TCPStoreOptions options;
    options.port = port;
    options.isServer = rank == 0;
    options.numWorkers = static_cast<size_t>(count);
    options.timeout = timeout;
    auto store = c10::make_intrusive<c10d::TCPStore>(std::string(host), options);
    auto backend = c10::make_intrusive<c10d::ProcessGroupGloo>(
        store, rank, count, c10d::ProcessGroupGloo::Options::create_default(timeout));
    *result = new CTGroup{std::move(store), std::move(backend)};
    return 0;
  });
}

extern "C" void ct_group_leave(CTGroup *group) noexcept {
  fenced<int32_t>(1, [&] {
    delete group;
    return 0;
  });
}

extern "C" int32_t ct_group_sum(CTGroup *group, CTTensor *value) noexcept {
  return fenced<int32_t>(1, [&] {
    std::vector<at::Tensor> values{tensor(value)};
    group->backend->allreduce(values)->wait();
    return 0;
  });
}

extern "C" int32_t ct_group_broadcast(CTGroup *group, CTTensor *value, int32_t root) noexcept {
  return fenced<int32_t>(1, [&] {
    std::vector<at::Tensor> values{tensor(value)};
    c10d::BroadcastOptions options;
    options.rootRank = root;
    group->backend->broadcast(values, options)->wait();
    return 0;
  });
}

extern "C" int32_t ct_group_gather(CTGroup *group, CTTensor *value, CTTensor **results) noexcept {
  return fenced<int32_t>(1, [&] {
    std::vector<at::Tensor> values{tensor(value).contiguous()};
    std::vector<std::vector<at::Tensor>> gathered(1);
    for (int rank = 0; rank < group->backend->getSize(); rank++)
      gathered[0].push_back(at::empty_like(values[0]));
    group->backend->allgather(gathered, values)->wait();
    for (auto &part : gathered[0]) *results++ = ctorch::handle(std::move(part));
    return 0;
  });
}

extern "C" int32_t ct_group_publish(CTGroup *group, const char *key, const char *text) noexcept {
  return fenced<int32_t>(1, [&] {
    std::string value = text;
    group->store->set(key, std::vector<uint8_t>(value.begin(), value.end()));
    return 0;
  });
}

extern "C" int32_t ct_group_published(CTGroup *group, const char *key, char *text,
                                      size_t capacity) noexcept {
  return fenced<int32_t>(-1, [&] {
    if (!group->store->check({key})) return 0;
    auto value = group->store->get(key);
    size_t count = std::min(value.size(), capacity - 1);
    std::copy_n(value.begin(), count, text);
    text[count] = 0;
    return 1;
  });
}
