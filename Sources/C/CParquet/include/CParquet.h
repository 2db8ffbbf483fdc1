// Parquet through Arrow C++: the only C++ of the data side, behind plain C functions.
//
// Record batches cross the border as the Arrow C data interface, a stable ABI:
// https://arrow.apache.org/docs/format/CDataInterface.html
//
// No function throws. Those that can fail return 0 on success; otherwise `error` holds one line of
// text, cut to `error_size` and always terminated.

#pragma once

#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

#ifndef ARROW_C_DATA_INTERFACE
#define ARROW_C_DATA_INTERFACE

struct ArrowSchema {
  const char* format;
  const char* name;
  const char* metadata;
  int64_t flags;
  int64_t n_children;
  struct ArrowSchema** children;
  struct ArrowSchema* dictionary;
  void (*release)(struct ArrowSchema*);
  void* private_data;
};

struct ArrowArray {
  int64_t length;
  int64_t null_count;
  int64_t offset;
  int64_t n_buffers;
  int64_t n_children;
  const void** buffers;
  struct ArrowArray** children;
  struct ArrowArray* dictionary;
  void (*release)(struct ArrowArray*);
  void* private_data;
};

#endif  // ARROW_C_DATA_INTERFACE

/// An open Parquet file.
typedef struct cparquet_reader cparquet_reader;

/// Opens a file and describes its columns; `rows` is what its footer claims.
///
/// All memory that reading needs comes from a pool of at most `memory_limit` bytes, so a file whose
/// pages claim absurd sizes fails instead of taking the machine with it.
int cparquet_reader_open(
  const char* path, int64_t memory_limit, cparquet_reader** reader, struct ArrowSchema* schema,
  int64_t* rows, char* error, size_t error_size);

/// Chooses the columns to read, as positions in the schema, and the rows of a batch.
int cparquet_reader_select(
  cparquet_reader* reader, const int32_t* fields, int32_t field_count, int64_t batch_rows,
  char* error, size_t error_size);

/// Reads the next batch, columns in the order chosen; at the end `batch->release` is null.
///
/// A batch borrows the reader's memory pool: release it before the reader is closed.
int cparquet_reader_next(
  cparquet_reader* reader, struct ArrowArray* batch, char* error, size_t error_size);

/// Closes the file; `reader` may be null.
void cparquet_reader_close(cparquet_reader* reader);

/// The type of a column that is written.
enum cparquet_type {
  CPARQUET_INT64 = 0,
  CPARQUET_DOUBLE = 1,
  CPARQUET_STRING = 2,
  CPARQUET_BINARY = 3,
};

/// The values of one column, valid during the call.
struct cparquet_values {
  /// One byte per row: 0 means null.
  const uint8_t* valid;
  /// int64_t or double per row; for strings, the UTF-8 bytes of all rows one after another.
  const void* values;
  /// For strings: rows + 1 offsets into `values`, ascending from 0.
  const int64_t* offsets;
};

/// Takes the file's bytes in order; returns 0 when they are written.
typedef int (*cparquet_sink)(void* context, const void* bytes, int64_t count);

/// A Parquet file being written.
typedef struct cparquet_writer cparquet_writer;

/// Starts a snappy-compressed file of nullable columns.
int cparquet_writer_open(
  const char* const* names, const int32_t* types, int32_t column_count, cparquet_sink sink,
  void* context, cparquet_writer** writer, char* error, size_t error_size);

/// Appends `rows` rows; `columns` has one entry per column.
int cparquet_writer_append(
  cparquet_writer* writer, const struct cparquet_values* columns, int64_t rows, char* error,
  size_t error_size);

/// Writes the footer.
int cparquet_writer_finish(cparquet_writer* writer, char* error, size_t error_size);

/// Frees the writer, finished or not; `writer` may be null.
void cparquet_writer_close(cparquet_writer* writer);

#ifdef __cplusplus
}
#endif
