// When the operators of libtorch ran, when a device did its work, and how much memory it gave out.
#include "internal.h"
#include <ATen/DeviceAccelerator.h>
#include <ATen/record_function.h>
#include <c10/core/Event.h>
#include <c10/core/impl/VirtualGuardImpl.h>
#include <chrono>
#include <cmath>
#include <memory>
#include <mutex>
#include <string>
#include <thread>
#include <vector>

namespace {

struct Event {
  std::string name;
  uint64_t thread;
  int64_t start;
  int64_t duration;
};

struct Start : at::ObserverContext {
  explicit Start(int64_t time) : time(time) {}
  int64_t time;
};

std::mutex mutex;
std::vector<Event> events;
at::CallbackHandle callback = 0;
bool isTracing = false;
// A trace larger than this is of no use to a person, and must not fill the memory.
constexpr size_t mostEvents = 4'000'000;

int64_t now() {
  return std::chrono::duration_cast<std::chrono::nanoseconds>(
           std::chrono::steady_clock::now().time_since_epoch())
    .count();
}

std::unique_ptr<at::ObserverContext> begin(const at::RecordFunction &) {
  return std::make_unique<Start>(now());
}

void end(const at::RecordFunction &function, at::ObserverContext *context) {
  const int64_t start = static_cast<Start *>(context)->time;
  const int64_t duration = now() - start;
  const uint64_t thread = std::hash<std::thread::id>{}(std::this_thread::get_id());
  std::lock_guard<std::mutex> lock(mutex);
  if (events.size() < mostEvents) events.push_back({function.name(), thread, start, duration});
}

}  // namespace

using ctorch::fenced;

extern "C" int32_t ct_trace_begin(void) noexcept {
  return fenced<int32_t>(1, [] {
    std::lock_guard<std::mutex> lock(mutex);
    TORCH_CHECK(!isTracing, "a trace is already under way");
    events.clear();
    callback = at::addGlobalCallback(
      at::RecordFunctionCallback(begin, end)
        .scopes({at::RecordScope::FUNCTION, at::RecordScope::BACKWARD_FUNCTION}));
    isTracing = true;
    return 0;
  });
}

extern "C" int32_t ct_trace_end(CTTraceVisitor visit, void *context) noexcept {
  return fenced<int32_t>(1, [&] {
    std::vector<Event> taken;
    {
      std::lock_guard<std::mutex> lock(mutex);
      TORCH_CHECK(isTracing, "no trace is under way");
      at::removeCallback(callback);
      isTracing = false;
      taken.swap(events);
    }
    for (const Event &event : taken) {
      visit(context, event.name.c_str(), event.thread, event.start, event.duration);
    }
    return 0;
  });
}

extern "C" int64_t ct_device_peak_bytes(int32_t index) noexcept {
  return fenced<int64_t>(0, [&]() -> int64_t {
    if (!at::getAccelerator(false).has_value()) return 0;
    const auto stats = at::accelerator::getDeviceStats(static_cast<c10::DeviceIndex>(index));
    return stats.allocated_bytes[0].peak;
  });
}

struct CTEvent {
  c10::Event event;
};

extern "C" CTEvent *ct_event_record(int32_t index) noexcept {
  return fenced<CTEvent *>(nullptr, [&]() -> CTEvent * {
    const auto kind = at::getAccelerator(false);
    if (!kind.has_value()) return nullptr;
    // This flag is the one with timing.
    auto made =
      std::make_unique<CTEvent>(CTEvent{c10::Event(*kind, c10::EventFlag::BACKEND_DEFAULT)});
    const c10::Device device(*kind, static_cast<c10::DeviceIndex>(index));
    made->event.record(c10::impl::VirtualGuardImpl(*kind).getStream(device));
    return made.release();
  });
}

extern "C" void ct_event_free(CTEvent *event) noexcept { delete event; }

extern "C" int64_t ct_event_nanoseconds(CTEvent *from, CTEvent *to) noexcept {
  return fenced<int64_t>(-1, [&]() -> int64_t {
    to->event.synchronize();
    return std::llround(from->event.elapsedTime(to->event) * 1e6);
  });
}

extern "C" void ct_device_reset_peak(int32_t index) noexcept {
  fenced<int32_t>(0, [&]() -> int32_t {
    if (!at::getAccelerator(false).has_value()) return 0;
    at::accelerator::resetPeakStats(static_cast<c10::DeviceIndex>(index));
    return 0;
  });
}
