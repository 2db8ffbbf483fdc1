// Gradients that are summed over the ranks while the rest of them is still being computed.
#include "internal.h"
#include <ATen/TensorOperators.h>
#include <ATen/core/grad_mode.h>
#include <ATen/ops/cat.h>
#include <ATen/ops/ones_like.h>
#include <ATen/ops/zeros_like.h>
#include <mutex>
#include <torch/csrc/autograd/autograd.h>
#include <torch/csrc/autograd/function.h>
#include <torch/csrc/autograd/variable.h>
#include <unordered_set>

using ctorch::fenced;
using ctorch::tensor;
using torch::autograd::Node;

// A bucket is summed when it is complete and those before it have been begun: on every rank the
// calls are the same in the same order, whatever the order in which gradients come.
struct CTExchange {
  struct Bucket {
    std::vector<size_t> members;
    size_t missing = 0;
    at::Tensor flat;
    std::function<void()> wait;
  };

  CTGroup *group;
  std::vector<at::Tensor> tensors;
  std::vector<size_t> bucket_of;
  std::vector<std::pair<at::Tensor, unsigned>> hooks;
  std::vector<Bucket> buckets;

  // The pass on its way; gradients arrive on the threads of the backward pass.
  std::mutex mutex;
  bool is_running = false;
  std::vector<at::Tensor> within, before, values;
  double rounds = 1;
  size_t next = 0;
  size_t arrived = 0;
  int32_t early = 0;
  std::string failure;

  ~CTExchange() {
    for (auto &[tensor, hook] : hooks) tensor.remove_hook(hook);
  }

  void start(CTTensor *const *within_handles, CTTensor *const *before_handles) {
    auto all = [&](CTTensor *const *handles) {
      std::vector<at::Tensor> result(tensors.size());
      for (size_t i = 0; handles && i < tensors.size(); i++) result[i] = tensor(handles[i]);
      return result;
    };
    within = all(within_handles);
    before = all(before_handles);
    values.assign(tensors.size(), {});
    next = arrived = 0;
    early = 0;
    failure.clear();
    for (auto &bucket : buckets) {
      bucket.missing = bucket.members.size();
      bucket.flat = at::Tensor();
      bucket.wait = nullptr;
    }
    is_running = true;
  }

  // A tensor's gradient is there; undefined if the pass gives it none.
  void arrive(size_t index, const at::Tensor &gradient) {
    std::lock_guard lock(mutex);
    if (!is_running || values[index].defined()) return;
    at::NoGradGuard no_grad;
    at::Tensor value = tensors[index].detach();
    if (tensors[index].requires_grad()) {
      if (!gradient.defined()) {
        value = within[index].defined() ? within[index] : at::zeros_like(value);
      } else {
        value = within[index].defined() ? within[index] + gradient : gradient.detach();
      }
      if (before[index].defined()) value = before[index] + value;
      if (rounds > 1) value = value / rounds;
    }
    values[index] = value;
    buckets[bucket_of[index]].missing--;
    arrived++;
    while (next < buckets.size() && buckets[next].missing == 0) {
      begin(buckets[next++]);
      if (arrived < tensors.size()) early++;
    }
  }

  void begin(Bucket &bucket) {
    if (!failure.empty()) return;
    std::vector<at::Tensor> flat;
    for (size_t index : bucket.members) flat.push_back(values[index].reshape(-1));
    bucket.flat = at::cat(flat);
    attempt([&] { bucket.wait = ctorch::begin_sum(group, bucket.flat); });
  }

  // What goes wrong between the ranks does not stop the pass: `finish` tells.
  template <class Body>
  void attempt(Body body) {
    try {
      body();
    } catch (const c10::Error &error) {
      failure = error.what_without_backtrace();
    } catch (const std::exception &error) {
      failure = error.what();
    }
  }
};

// The nodes that a backward pass from `root` comes to.
static std::unordered_set<const Node *> reachable(const at::Tensor &root) {
  std::unordered_set<const Node *> seen;
  std::vector<const Node *> open;
  auto visit = [&](const Node *node) {
    if (node && seen.insert(node).second) open.push_back(node);
  };
  visit(root.grad_fn().get());
  while (!open.empty()) {
    const Node *node = open.back();
    open.pop_back();
    for (const auto &edge : node->next_edges()) visit(edge.function.get());
  }
  return seen;
}

extern "C" CTExchange *ct_exchange_create(
  CTGroup *group, CTTensor *const *tensors, const int32_t *buckets, size_t count,
  int32_t bucket_count) noexcept {
  return fenced<CTExchange *>(nullptr, [&] {
    auto exchange = std::make_unique<CTExchange>();
    exchange->group = group;
    exchange->buckets.resize(bucket_count);
    for (size_t i = 0; i < count; i++) {
      TORCH_CHECK(
        buckets[i] >= 0 && buckets[i] < bucket_count, "bucket ", buckets[i], " of ", bucket_count);
      exchange->tensors.push_back(tensor(tensors[i]));
      exchange->bucket_of.push_back(buckets[i]);
      exchange->buckets[buckets[i]].members.push_back(i);
    }
    for (size_t i = 0; i < count; i++) {
      auto &value = exchange->tensors[i];
      if (!value.requires_grad()) continue;
      auto arrive = [own = exchange.get(), i](const at::Tensor &gradient) {
        own->arrive(i, gradient);
      };
      exchange->hooks.emplace_back(value, value.register_hook(arrive));
    }
    return exchange.release();
  });
}

extern "C" void ct_exchange_free(CTExchange *exchange) noexcept { delete exchange; }

extern "C" int32_t ct_exchange_grad(
  CTExchange *exchange, CTTensor *output, CTTensor *const *within, CTTensor *const *before,
  double rounds, bool is_cut_off) noexcept {
  return fenced<int32_t>(1, [&] {
    auto root = tensor(output);
    {
      std::lock_guard lock(exchange->mutex);
      exchange->rounds = rounds;
      exchange->start(within, before);
      if (is_cut_off) exchange->failure = "the others were lost before";
    }
    // What the pass does not come to would keep back the buckets behind it.
    auto nodes = reachable(root);
    torch::autograd::variable_list inputs;
    for (size_t i = 0; i < exchange->tensors.size(); i++) {
      auto &value = exchange->tensors[i];
      bool takes_part = value.requires_grad() &&
                        nodes.contains(torch::autograd::impl::grad_accumulator(value).get());
      if (takes_part)
        inputs.push_back(value);
      else
        exchange->arrive(i, {});
    }
    if (!inputs.empty())
      torch::autograd::grad({root}, inputs, {at::ones_like(root)}, false, false, true);
    for (size_t i = 0; i < exchange->tensors.size(); i++) exchange->arrive(i, {});
    std::lock_guard lock(exchange->mutex);
    exchange->is_running = false;
    return 0;
  });
}

extern "C" int32_t ct_exchange_early(CTExchange *exchange) noexcept {
  return fenced<int32_t>(0, [&] {
    std::lock_guard lock(exchange->mutex);
    return exchange->early;
  });
}

extern "C" int32_t ct_exchange_finish(CTExchange *exchange, CTTensor **results) noexcept {
  return fenced<int32_t>(1, [&] {
    auto &own = *exchange;
    for (auto &bucket : own.buckets)
      if (own.failure.empty()) own.attempt(bucket.wait);
    for (auto &bucket : own.buckets) {
      if (own.failure.empty())
        bucket.flat = bucket.flat / static_cast<double>(ctorch::size(own.group));
      int64_t start = 0;
      for (size_t index : bucket.members) {
        auto value = own.values[index];
        if (own.failure.empty())
          value = bucket.flat.narrow(0, start, value.numel()).reshape(value.sizes());
        start += value.numel();
        results[index] = ctorch::handle(std::move(value));
      }
      bucket.flat = at::Tensor();
      bucket.wait = nullptr;
    }
    own.within.clear();
    own.before.clear();
    own.values.clear();
    TORCH_CHECK(own.failure.empty(), own.failure);
    return 0;
  });
}
