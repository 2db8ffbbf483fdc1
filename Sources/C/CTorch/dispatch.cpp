// One boxed call reaches every operator that libtorch registers.
#include "internal.h"
#include <ATen/core/dispatch/Dispatcher.h>
#include <mutex>
#include <sstream>
#include <unordered_map>
#include <vector>

using c10::IValue;
using c10::TypeKind;

struct CTOp {
  c10::OperatorHandle handle;
  std::string text;
  struct Argument {
    TypeKind kind;     // of the argument, optional unwrapped
    TypeKind element;  // of a list's elements, optional unwrapped
    bool optional_elements;
    c10::optional<IValue> standard;
  };
  std::vector<Argument> arguments;

  explicit CTOp(c10::OperatorHandle found) : handle(found) {
    std::ostringstream stream;
    stream << found.schema();
    text = stream.str();
    for (const auto &argument : found.schema().arguments()) {
      auto type = unwrapped(argument.type());
      Argument entry{type->kind(), TypeKind::NoneType, false, argument.default_value()};
      if (auto list = type->cast<c10::ListType>()) {
        auto element = list->getElementType();
        entry.optional_elements = element->kind() == TypeKind::OptionalType;
        entry.element = unwrapped(element)->kind();
      }
      arguments.push_back(std::move(entry));
    }
  }

  static c10::TypePtr unwrapped(const c10::TypePtr &type) {
    auto optional = type->cast<c10::OptionalType>();
    return optional ? optional->getElementType() : type;
  }
};

struct CTCall {
  const CTOp *op = nullptr;
  torch::jit::Stack stack;
};

namespace {

// Swift's integers and integer lists stand for floats and flags where the schema wants those.
void coerce(IValue &value, const CTOp::Argument &argument) {
  if (argument.kind == TypeKind::FloatType && value.isInt()) {
    value = static_cast<double>(value.toInt());
  } else if (argument.kind == TypeKind::ListType) {
    if (argument.element == TypeKind::FloatType && value.isIntList()) {
      c10::List<double> list;
      for (int64_t item : value.toIntVector()) list.push_back(static_cast<double>(item));
      value = std::move(list);
    } else if (argument.element == TypeKind::BoolType && value.isIntList()) {
      c10::List<bool> list;
      for (int64_t item : value.toIntVector()) list.push_back(item != 0);
      value = std::move(list);
    } else if (argument.element == TypeKind::IntType && value.isInt()) {
      value = c10::List<int64_t>({value.toInt()});
    } else if (argument.optional_elements && value.isTensorList()) {
      c10::List<std::optional<at::Tensor>> list;
      for (const at::Tensor &item : value.toTensorVector())
        list.push_back(item.defined() ? std::optional<at::Tensor>(item) : std::nullopt);
      value = std::move(list);
    }
  }
}

void complete(CTCall *call) {
  const auto &arguments = call->op->arguments;
  auto &stack = call->stack;
  TORCH_CHECK(stack.size() <= arguments.size(), "too many arguments for ", call->op->text);
  for (size_t i = 0; i < stack.size(); i++)
    if (arguments[i].kind != TypeKind::TensorType) coerce(stack[i], arguments[i]);
  for (size_t i = stack.size(); i < arguments.size(); i++) {
    TORCH_CHECK(arguments[i].standard.has_value(), "missing arguments for ", call->op->text);
    stack.push_back(*arguments[i].standard);
  }
}

int32_t take_results(torch::jit::Stack &stack, CTTensor **results, int32_t capacity) {
  int32_t count = 0;
  auto take = [&](at::Tensor &&value) {
    TORCH_CHECK(count < capacity, "more than ", capacity, " results");
    results[count++] = ctorch::handle(std::move(value));
  };
  for (IValue &value : stack) {
    if (value.isTensor()) {
      take(std::move(value).toTensor());
    } else if (value.isTensorList()) {
      for (at::Tensor item : value.toTensorVector()) take(std::move(item));
    } else {
      TORCH_CHECK(value.isNone(), "a result that is no tensor");
    }
  }
  return count;
}

thread_local CTCall current;

}  // namespace

extern "C" const CTOp *ct_op_find(const char *qualified_name) noexcept {
  return ctorch::fenced<const CTOp *>(nullptr, [&] {
    static std::mutex mutex;
    static auto &known = *new std::unordered_map<std::string, const CTOp *>();
    std::lock_guard<std::mutex> guard(mutex);
    std::string key = qualified_name;
    if (auto found = known.find(key); found != known.end()) return found->second;
    auto dot = key.find('.');
    auto name = key.substr(0, dot);
    auto overload = dot == std::string::npos ? std::string() : key.substr(dot + 1);
    auto handle = c10::Dispatcher::singleton().findSchemaOrThrow(name.c_str(), overload.c_str());
    return known[key] = new CTOp(handle);
  });
}

extern "C" const char *ct_op_schema(const CTOp *op) noexcept { return op->text.c_str(); }

extern "C" CTCall *ct_call_begin(const CTOp *op) noexcept {
  current.op = op;
  current.stack.clear();
  return &current;
}

extern "C" void ct_push_tensor(CTCall *call, CTTensor *value) noexcept {
  if (value)
    call->stack.emplace_back(ctorch::tensor(value));
  else
    call->stack.emplace_back();
}
extern "C" void ct_push_int(CTCall *call, int64_t value) noexcept {
  call->stack.emplace_back(value);
}
extern "C" void ct_push_double(CTCall *call, double value) noexcept {
  call->stack.emplace_back(value);
}
extern "C" void ct_push_bool(CTCall *call, bool value) noexcept { call->stack.emplace_back(value); }
extern "C" void ct_push_none(CTCall *call) noexcept { call->stack.emplace_back(); }
extern "C" void ct_push_string(CTCall *call, const char *value) noexcept {
  call->stack.emplace_back(std::string(value));
}
extern "C" void ct_push_device(CTCall *call, int32_t type, int32_t index) noexcept {
  call->stack.emplace_back(
    c10::Device(static_cast<c10::DeviceType>(type), static_cast<c10::DeviceIndex>(index)));
}
extern "C" void ct_push_generator(CTCall *call, CTGenerator *value) noexcept {
  call->stack.emplace_back(value->generator);
}
extern "C" void ct_push_ints(CTCall *call, const int64_t *values, size_t count) noexcept {
  call->stack.emplace_back(c10::IntArrayRef(values, count));
}
extern "C" void ct_push_doubles(CTCall *call, const double *values, size_t count) noexcept {
  call->stack.emplace_back(c10::ArrayRef<double>(values, count));
}
extern "C" void ct_push_tensors(CTCall *call, CTTensor *const *values, size_t count) noexcept {
  c10::List<at::Tensor> list;
  list.reserve(count);
  for (size_t i = 0; i < count; i++) list.push_back(ctorch::tensor(values[i]));
  call->stack.emplace_back(std::move(list));
}

extern "C" int32_t ct_call(CTCall *call, CTTensor **results, int32_t capacity) noexcept {
  int32_t count = ctorch::fenced<int32_t>(-1, [&] {
    complete(call);
    call->op->handle.callBoxed(call->stack);
    return take_results(call->stack, results, capacity);
  });
  call->stack.clear();
  return count;
}
