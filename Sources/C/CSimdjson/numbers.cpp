#include "CSimdjson.h"

#include <simdjson.h>

#include <algorithm>
#include <cmath>
#include <cstring>
#include <new>
#include <string_view>
#include <vector>

namespace {

namespace ondemand = simdjson::ondemand;

/// More than a list of the 65,536 numbers that a feature may have takes.
constexpr size_t longest = 4 << 20;

/// simdjson reads beyond the end of what it is given, so that much must follow it.
constexpr size_t padding = simdjson::SIMDJSON_PADDING;

/// simdjson 3.0's on-demand reader takes `0.012345678901234567890123` for 4.8e-06: its way for more
/// than 19 significant digits begins at the wrong digit after a zero. Such numbers are not left to
/// it. Float's and double's shortest spellings have at most 17.
constexpr size_t most_digits = 19;

/// Whether a number's text has more digits than simdjson is trusted with, from the first that
/// counts.
bool has_many_digits(std::string_view token) {
  if (token.size() <= most_digits) return false;
  size_t at = token.find_first_not_of("-0.");
  size_t digits = 0;
  for (; at < token.size() && (token[at] == '.' || (token[at] >= '0' && token[at] <= '9')); at++) {
    digits += token[at] != '.';
  }
  return digits > most_digits;
}

}  // namespace

struct CSJReader {
  ondemand::parser parser;
  std::vector<float> values;
  /// A copy of a list that has too little behind it.
  std::vector<char> padded;

  bool read(const char *text, size_t length, size_t available, size_t limit) {
    if (available - length < padding) {
      padded.assign(length + padding, ' ');
      std::memcpy(padded.data(), text, length);
      text = padded.data();
      available = padded.size();
    }
    values.clear();
    ondemand::document document;
    ondemand::array array;
    if (
      parser.iterate(text, length, available).get(document) != simdjson::SUCCESS ||
      document.get_array().get(array) != simdjson::SUCCESS) {
      return false;
    }
    for (auto item : array) {
      double value = 0;
      std::string_view token;
      if (
        item.raw_json_token().get(token) != simdjson::SUCCESS || has_many_digits(token) ||
        values.size() == limit || item.get_double().get(value) != simdjson::SUCCESS) {
        return false;
      }
      values.push_back(static_cast<float>(value));
      if (!std::isfinite(values.back())) return false;
    }
    return true;
  }
};

extern "C" CSJReader *csj_reader_new(void) noexcept { return new (std::nothrow) CSJReader; }

extern "C" void csj_reader_free(CSJReader *reader) noexcept { delete reader; }

extern "C" bool csj_read_numbers(
  CSJReader *reader, const uint8_t *text, size_t available, size_t limit, const float **values,
  size_t *count, size_t *length) noexcept {
  try {
    if (reader == nullptr || available == 0 || text[0] != '[') return false;
    // A list of numbers ends with the first bracket that closes.
    const void *end = std::memchr(text, ']', std::min(available, longest));
    if (end == nullptr) return false;
    *length = static_cast<size_t>(static_cast<const uint8_t *>(end) - text) + 1;
    if (!reader->read(reinterpret_cast<const char *>(text), *length, available, limit)) {
      return false;
    }
    *values = reader->values.data();
    *count = reader->values.size();
    return true;
  } catch (...) {
    return false;
  }
}
