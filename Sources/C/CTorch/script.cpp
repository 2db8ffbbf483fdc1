// TorchScript modules: programs of libtorch's own language, loaded from a file and called.
#include "internal.h"
#include <istream>
#include <streambuf>
#include <torch/csrc/jit/api/module.h>
#include <torch/csrc/jit/serialization/import.h>

struct CTScript {
  torch::jit::Module module;
};

namespace {

// Bytes in memory as a stream that can be read and sought; they are never written.
struct Memory : std::streambuf {
  Memory(const char *data, size_t count) {
    char *start = const_cast<char *>(data);
    setg(start, start, start + count);
  }

  pos_type seekoff(
    off_type offset, std::ios_base::seekdir direction, std::ios_base::openmode) override {
    char *base = direction == std::ios_base::beg   ? eback()
                 : direction == std::ios_base::cur ? gptr()
                                                   : egptr();
    off_type target = (base - eback()) + offset;
    if (target < 0 || target > egptr() - eback()) return pos_type(off_type(-1));
    setg(eback(), eback() + target, egptr());
    return pos_type(target);
  }

  pos_type seekpos(pos_type position, std::ios_base::openmode which) override {
    return seekoff(off_type(position), std::ios_base::beg, which);
  }
};

}  // namespace

extern "C" CTScript *ct_script_load(const void *bytes, size_t count) noexcept {
  return ctorch::fenced<CTScript *>(nullptr, [&] {
    Memory memory(static_cast<const char *>(bytes), count);
    std::istream stream(&memory);
    auto script = std::make_unique<CTScript>(CTScript{torch::jit::load(stream, c10::kCPU)});
    script->module.eval();
    return script.release();
  });
}

extern "C" void ct_script_free(CTScript *script) noexcept { delete script; }

extern "C" int32_t ct_script_move(CTScript *script, int32_t type, int32_t index) noexcept {
  return ctorch::fenced<int32_t>(1, [&] {
    script->module.to(
      c10::Device(static_cast<c10::DeviceType>(type), static_cast<c10::DeviceIndex>(index)));
    return 0;
  });
}

extern "C" bool ct_script_takes(CTScript *script, const char *argument) noexcept {
  return ctorch::fenced<bool>(false, [&] {
    auto method = script->module.find_method("forward");
    return method && method->function().getSchema().argumentIndexWithName(argument).has_value();
  });
}

extern "C" CTTensor *ct_script_forward(
  CTScript *script, CTTensor *input, const char *const *names, const bool *values,
  size_t count) noexcept {
  return ctorch::fenced<CTTensor *>(nullptr, [&] {
    torch::jit::Kwargs flags;
    for (size_t i = 0; i < count; i++) flags[names[i]] = values[i];
    auto result = script->module.get_method("forward")({ctorch::tensor(input)}, flags);
    TORCH_CHECK(result.isTensor(), "forward gives a ", result.tagKind(), ", not a tensor");
    auto value = result.toTensor();
    TORCH_CHECK(value.defined(), "forward gives an undefined tensor");
    // Only these have sizes, strides and numbers that all the functions of this target may ask for.
    TORCH_CHECK(
      !value.is_nested() && value.layout() == c10::kStrided && !value.is_quantized() &&
        (value.is_floating_point() || c10::isIntegralType(value.scalar_type(), true)),
      "forward gives no dense tensor of real numbers");
    auto device = ctorch::tensor(input).device();
    TORCH_CHECK(
      value.device() == device, "forward gives a tensor on ", value.device(), ", not ", device);
    return ctorch::handle(std::move(value));
  });
}
