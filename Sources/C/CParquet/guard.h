// Turns Arrow's Status and any C++ exception into a C return value and one line of text.

#pragma once

#include <arrow/status.h>

#include <cstddef>
#include <cstring>
#include <exception>
#include <new>
#include <string>

namespace cparquet {

/// Copies at most `size - 1` bytes of the first line of `text`.
inline void report(const char* text, char* error, size_t size) noexcept {
  if (error == nullptr || size == 0) return;
  size_t count = 0;
  while (count + 1 < size && text[count] != '\0' && text[count] != '\n') {
    error[count] = text[count];
    count++;
  }
  error[count] = '\0';
}

/// Runs `body`, which returns an arrow::Status, and reports whatever goes wrong.
template <typename Body>
int guarded(char* error, size_t size, Body&& body) noexcept {
  try {
    const arrow::Status status = body();
    if (status.ok()) return 0;
    report(status.message().c_str(), error, size);
  } catch (const std::bad_alloc&) {
    report("out of memory", error, size);
  } catch (const std::exception& exception) {
    report(exception.what(), error, size);
  } catch (...) {
    report("unknown C++ exception", error, size);
  }
  return 1;
}

}  // namespace cparquet
