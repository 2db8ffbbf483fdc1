// Several processes that train together: torch's own c10d, Gloo over TCP, and NCCL for tensors of
// CUDA.
#define USE_C10D_GLOO 1
#include "internal.h"
#include "nccl_group.h"
#include <ATen/ops/empty.h>
#include <ATen/ops/empty_like.h>
#include <c10/util/Logging.h>
#include <atomic>
#include <chrono>
#include <cstdlib>
#include <cstring>
#include <future>
#include <mutex>
#include <netdb.h>
#include <optional>
#include <sys/socket.h>
#include <thread>
#include <unistd.h>
#include <torch/csrc/distributed/c10d/ProcessGroupGloo.hpp>
#include <torch/csrc/distributed/c10d/TCPStore.hpp>

struct CTGroup {
  c10::intrusive_ptr<c10d::TCPStore> store;
  c10::intrusive_ptr<c10d::Backend> backend;
  std::chrono::milliseconds timeout;
  // How long the store may take to answer.
  std::chrono::milliseconds patience;
  // Turns true when the last question that was not answered in time has its answer after all.
  std::shared_ptr<std::atomic<bool>> unanswered = nullptr;
  std::mutex mutex;
  // Sums of the device's tensors, if it was asked for.
  std::unique_ptr<ctorch::NCCLGroup> nccl = nullptr;

  bool is_nccl(const at::Tensor &value) const { return nccl && nccl->device == value.device(); }

  c10d::Backend &gloo() const {
    TORCH_CHECK(backend, "this rank has hung up");
    return *backend;
  }
};

using ctorch::fenced;
using ctorch::tensor;

// What goes wrong comes back as an error. c10d also logs each failed attempt, with a backtrace.
static void quiet_log() {
  static std::once_flag once;
  std::call_once(once, [] { FLAGS_caffe2_log_level = std::max(FLAGS_caffe2_log_level, 3); });
}

// Asks the store, which waits for an answer without end where the network was cut: on a thread of
// its own, which is left behind then. While it has no answer, further questions are not asked.
template <class Body>
static auto ask(CTGroup *group, Body body) {
  auto is_answered = std::make_shared<std::atomic<bool>>(false);
  {
    std::lock_guard lock(group->mutex);
    TORCH_CHECK(!group->unanswered || *group->unanswered, "rank 0 does not answer");
  }
  using Result = decltype(body(*group->store));
  auto task = std::make_shared<std::packaged_task<Result()>>(
    [store = group->store, body = std::move(body)] { return body(*store); });
  auto answer = task->get_future();
  std::thread([task, is_answered] {
    (*task)();
    *is_answered = true;
  }).detach();
  if (answer.wait_for(group->patience) != std::future_status::ready) {
    std::lock_guard lock(group->mutex);
    group->unanswered = is_answered;
    TORCH_CHECK(false, "rank 0 does not answer");
  }
  return answer.get();
}

// Waits until all ranks have said that they are here. Who has not is named on all others: rank 0,
// with whom the store goes, leaves the names and stays a moment for them to be read.
static void meet(CTGroup *group, int32_t rank, int32_t count) {
  auto here = [](int32_t rank) { return "here-" + std::to_string(rank); };
  const std::string given_up = "given-up";
  ask(group, [key = here(rank)](auto &store) { store.set(key, {1}); });
  auto is_there = [&](const std::string &key) {
    return ask(group, [key](auto &store) { return store.check({key}); });
  };
  auto until = std::chrono::steady_clock::now() + group->timeout;
  std::string missing;
  for (int32_t other = 0; other < count && missing.empty();) {
    if (is_there(here(other))) {
      other++;
    } else if (is_there(given_up)) {
      auto names = ask(group, [given_up](auto &store) { return store.get(given_up); });
      missing.assign(names.begin(), names.end());
    } else if (std::chrono::steady_clock::now() < until) {
      std::this_thread::sleep_for(std::chrono::milliseconds(50));
    } else {
      for (; other < count; other++)
        if (!is_there(here(other)))
          missing += (missing.empty() ? "rank " : ", rank ") + std::to_string(other);
    }
  }
  if (missing.empty()) return;
  if (rank == 0) {
    std::vector<uint8_t> names(missing.begin(), missing.end());
    ask(group, [given_up, names](auto &store) { store.set(given_up, names); });
    std::this_thread::sleep_for(std::chrono::milliseconds(500));
  }
  auto seconds = std::chrono::duration_cast<std::chrono::seconds>(group->timeout).count();
  TORCH_CHECK(false, missing, " did not come within ", seconds, " seconds");
}

// The address of this machine from which packets to another one leave. The machine's name, which
// Gloo would take, is often known to itself alone.
static std::string address_toward(const char *host) {
  addrinfo hints{};
  hints.ai_socktype = SOCK_DGRAM;
  addrinfo *found = nullptr;
  int status = getaddrinfo(host, "9", &hints, &found);
  TORCH_CHECK(status == 0, host, " has no address: ", gai_strerror(status));
  std::unique_ptr<addrinfo, decltype(&freeaddrinfo)> owner(found, freeaddrinfo);
  for (addrinfo *entry = found; entry; entry = entry->ai_next) {
    int descriptor = socket(entry->ai_family, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    if (descriptor < 0) continue;
    sockaddr_storage own{};
    socklen_t length = sizeof own;
    char text[NI_MAXHOST];
    // Connecting a datagram socket sends nothing; it only chooses the way.
    bool known = connect(descriptor, entry->ai_addr, entry->ai_addrlen) == 0 &&
                 getsockname(descriptor, reinterpret_cast<sockaddr *>(&own), &length) == 0 &&
                 getnameinfo(
                   reinterpret_cast<sockaddr *>(&own), length, text, sizeof text, nullptr, 0,
                   NI_NUMERICHOST) == 0;
    close(descriptor);
    if (known) return text;
  }
  TORCH_CHECK(false, "no way to ", host);
}

static std::shared_ptr<::gloo::transport::Device> device_toward(const char *host) {
  const char *interface = std::getenv("GLOO_SOCKET_IFNAME");
  return interface && *interface ? c10d::ProcessGroupGloo::createDeviceForInterface(interface)
                                 : c10d::ProcessGroupGloo::createDeviceForHostname(
                                     address_toward(host));
}

extern "C" int32_t ct_group_join(
  const char *host, uint16_t port, int32_t rank, int32_t count, double timeout_seconds,
  CTGroup **result) noexcept {
  return fenced<int32_t>(1, [&] {
    quiet_log();
    TORCH_CHECK(count > 0 && rank >= 0 && rank < count, "rank ", rank, " of ", count);
    auto timeout = std::chrono::milliseconds(static_cast<int64_t>(timeout_seconds * 1000));
    c10d::TCPStoreOptions options;
    options.port = port;
    options.isServer = rank == 0;
    options.numWorkers = static_cast<size_t>(count);
    options.timeout = timeout;
    // It would wait for all, and not say for whom.
    options.waitWorkers = false;
    auto store = c10::make_intrusive<c10d::TCPStore>(std::string(host), options);
    auto patience = std::min<std::chrono::milliseconds>(timeout, std::chrono::seconds(5));
    std::unique_ptr<CTGroup> group(new CTGroup{store, nullptr, timeout, patience});
    meet(group.get(), rank, count);
    auto gloo = c10d::ProcessGroupGloo::Options::create(timeout);
    gloo->devices.push_back(device_toward(host));
    group->backend = c10::make_intrusive<c10d::ProcessGroupGloo>(store, rank, count, gloo);
    *result = group.release();
    return 0;
  });
}

extern "C" void ct_group_leave(CTGroup *group) noexcept {
  fenced<int32_t>(1, [&] {
    delete group;
    return 0;
  });
}

// Fails on every rank if there is a problem on one of them.
static void agree(CTGroup *group, const std::string &problem) {
  std::vector<at::Tensor> problems{at::empty({}, at::kLong).fill_(problem.empty() ? 0 : 1)};
  group->gloo().allreduce(problems)->wait();
  TORCH_CHECK(problem.empty(), problem);
  TORCH_CHECK(problems[0].item<int64_t>() == 0, "another rank cannot use NCCL");
}

// What goes wrong in `body`, or nothing.
template <class Body>
static std::string problem_of(Body body) {
  try {
    body();
    return "";
  } catch (const c10::Error &error) {
    return error.what_without_backtrace();
  } catch (const std::exception &error) {
    return error.what();
  }
}

extern "C" int32_t ct_group_use_nccl(
  CTGroup *group, const char *path, int32_t type, int32_t index) noexcept {
  return fenced<int32_t>(1, [&] {
    auto &gloo = group->gloo();
    c10::Device device(static_cast<c10::DeviceType>(type), static_cast<c10::DeviceIndex>(index));
    std::shared_ptr<ctorch::NCCLLibrary> library;
    ctorch::NCCLLibrary::UniqueId id{};
    agree(group, problem_of([&] {
            library = std::make_shared<ctorch::NCCLLibrary>(path);
            if (gloo.getRank() == 0) library->check(library->get_unique_id(&id), "unique id");
          }));
    std::vector<at::Tensor> bytes{at::empty({sizeof id}, at::kByte)};
    std::memcpy(bytes[0].data_ptr(), &id, sizeof id);
    gloo.broadcast(bytes)->wait();
    std::memcpy(&id, bytes[0].data_ptr(), sizeof id);
    std::unique_ptr<ctorch::NCCLGroup> nccl;
    agree(group, problem_of([&] {
            nccl = std::make_unique<ctorch::NCCLGroup>(
              library, device, id, gloo.getRank(), gloo.getSize(), group->timeout);
          }));
    group->nccl = std::move(nccl);
    return 0;
  });
}

extern "C" bool ct_group_uses_nccl(CTGroup *group, CTTensor *value) noexcept {
  return fenced<bool>(false, [&] { return group->is_nccl(tensor(value)); });
}

extern "C" void ct_group_hang_up(CTGroup *group) noexcept {
  fenced<int32_t>(1, [&] {
    group->nccl.reset();
    group->backend.reset();
    return 0;
  });
}

extern "C" int32_t ct_group_check(CTGroup *group) noexcept {
  return fenced<int32_t>(1, [&] {
    if (group->nccl) group->nccl->check();
    return 0;
  });
}

extern "C" int32_t ct_group_sum(CTGroup *group, CTTensor *value) noexcept {
  return fenced<int32_t>(1, [&] {
    std::vector<at::Tensor> values{tensor(value)};
    if (group->is_nccl(values[0])) {
      group->nccl->sum(values[0]);
      return 0;
    }
    group->gloo().allreduce(values)->wait();
    return 0;
  });
}

int ctorch::size(CTGroup *group) { return group->gloo().getSize(); }

std::function<void()> ctorch::begin_sum(CTGroup *group, const at::Tensor &value) {
  if (group->is_nccl(value)) {
    group->nccl->begin_sum(value);
    return [group] { group->nccl->join(); };
  }
  std::vector<at::Tensor> values{value};
  return [work = group->gloo().allreduce(values)] { work->wait(); };
}

extern "C" int32_t ct_group_broadcast(CTGroup *group, CTTensor *value, int32_t root) noexcept {
  return fenced<int32_t>(1, [&] {
    std::vector<at::Tensor> values{tensor(value)};
    if (group->is_nccl(values[0])) {
      group->nccl->broadcast(values[0], root);
      return 0;
    }
    c10d::BroadcastOptions options;
    options.rootRank = root;
    group->gloo().broadcast(values, options)->wait();
    return 0;
  });
}

extern "C" int32_t ct_group_gather(CTGroup *group, CTTensor *value, CTTensor **results) noexcept {
  return fenced<int32_t>(1, [&] {
    std::vector<at::Tensor> values{tensor(value).contiguous()};
    std::vector<std::vector<at::Tensor>> gathered(1);
    if (group->is_nccl(values[0])) {
      for (auto &part : group->nccl->gather(values[0]))
        *results++ = ctorch::handle(std::move(part));
      return 0;
    }
    for (int rank = 0; rank < group->gloo().getSize(); rank++)
      gathered[0].push_back(at::empty_like(values[0]));
    group->gloo().allgather(gathered, values)->wait();
    for (auto &part : gathered[0]) *results++ = ctorch::handle(std::move(part));
    return 0;
  });
}

extern "C" int32_t ct_group_publish(CTGroup *group, const char *key, const char *text) noexcept {
  return fenced<int32_t>(1, [&] {
    return ask(group, [key = std::string(key), value = std::string(text)](c10d::Store &store) {
      store.set(key, std::vector<uint8_t>(value.begin(), value.end()));
      return 0;
    });
  });
}

extern "C" int32_t ct_group_published(
  CTGroup *group, const char *key, char *text, size_t capacity) noexcept {
  return fenced<int32_t>(-1, [&] {
    auto value = ask(group, [key = std::string(key)](c10d::Store &store) {
      return store.check({key}) ? std::optional(store.get(key)) : std::nullopt;
    });
    if (!value) return 0;
    size_t count = std::min(value->size(), capacity - 1);
    std::copy_n(value->begin(), count, text);
    text[count] = 0;
    return 1;
  });
}
