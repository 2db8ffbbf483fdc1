// Lists of numbers in JSON, read by simdjson, behind plain C functions. No function throws.

#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#define CSJ_NOEXCEPT noexcept
#else
#define CSJ_NOEXCEPT
#endif

/// Reads one list after another; holds what the last one needed. Not for two threads at once.
typedef struct CSJReader CSJReader;

/// A reader, to be freed; NULL when memory is out.
CSJReader *csj_reader_new(void) CSJ_NOEXCEPT;
void csj_reader_free(CSJReader *reader) CSJ_NOEXCEPT;

/// Reads the list of numbers that the text begins with: `[1, -2.5e3]`, as RFC 8259 has it.
///
/// - available: Bytes that may be read; those behind the list are not looked at.
/// - limit: A longer list is not read.
/// - values: The numbers, rounded to double and then to single precision; until the next call.
/// - count, length: How many numbers there are, and bytes of text.
///
/// Returns false for everything that is not such a list of finite numbers, and where that is
/// decided elsewhere: a number beyond single precision or of more than 19 digits, a list of more
/// than 4 MiB, no memory.
bool csj_read_numbers(
  CSJReader *reader, const uint8_t *text, size_t available, size_t limit, const float **values,
  size_t *count, size_t *length) CSJ_NOEXCEPT;

#ifdef __cplusplus
}
#endif
