#include "CParquet.h"

#include <arrow/c/bridge.h>
#include <arrow/io/file.h>
#include <arrow/memory_pool.h>
#include <arrow/record_batch.h>
#include <arrow/type.h>
#include <parquet/arrow/reader.h>
#include <parquet/arrow/schema.h>
#include <parquet/file_reader.h>
#include <parquet/metadata.h>
#include <parquet/properties.h>

#include <memory>
#include <numeric>
#include <string>
#include <vector>

#include "guard.h"

using cparquet::guarded;

// Members are destroyed from the last to the first: the pool must outlive what it allocated.
struct cparquet_reader {
  // Counts this reader's memory: a cap over the system's pool alone counts that of the whole
  // process.
  std::unique_ptr<arrow::ProxyMemoryPool> counted;
  std::unique_ptr<arrow::CappedMemoryPool> pool;
  std::shared_ptr<arrow::io::ReadableFile> input;
  std::unique_ptr<parquet::arrow::FileReader> file;
  std::unique_ptr<arrow::RecordBatchReader> batches;
  std::vector<int> order;  // chosen column → position in the batch as Arrow returns it
};

namespace {

arrow::Status open(
  const char* path, int64_t memory_limit, cparquet_reader& reader, ArrowSchema* schema,
  int64_t* rows) {
  reader.counted = std::make_unique<arrow::ProxyMemoryPool>(arrow::system_memory_pool());
  reader.pool = std::make_unique<arrow::CappedMemoryPool>(reader.counted.get(), memory_limit);
  ARROW_ASSIGN_OR_RAISE(reader.input, arrow::io::ReadableFile::Open(path, reader.pool.get()));

  // A buffered stream reads a column chunk a megabyte at a time instead of whole: memory stays
  // flat whatever the size of a row group.
  parquet::ReaderProperties properties(reader.pool.get());
  properties.enable_buffered_stream();
  properties.set_buffer_size(1 << 20);
  parquet::ArrowReaderProperties arrow_properties(/*use_threads=*/false);
  arrow_properties.set_pre_buffer(false);

  parquet::arrow::FileReaderBuilder builder;
  ARROW_RETURN_NOT_OK(builder.Open(reader.input, properties));
  ARROW_RETURN_NOT_OK(
    builder.memory_pool(reader.pool.get())->properties(arrow_properties)->Build(&reader.file));

  *rows = reader.file->parquet_reader()->metadata()->num_rows();
  if (*rows < 0) return arrow::Status::Invalid("the footer claims ", *rows, " rows");
  std::shared_ptr<arrow::Schema> types;
  ARROW_RETURN_NOT_OK(reader.file->GetSchema(&types));
  return arrow::ExportSchema(*types, schema);
}

arrow::Status select(
  cparquet_reader& reader, const int32_t* fields, int32_t field_count, int64_t batch_rows) {
  if (field_count < 1 || batch_rows < 1) return arrow::Status::Invalid("nothing to read");
  const auto& manifest = reader.file->manifest();
  const auto& all = manifest.schema_fields;
  std::vector<int> leaves;
  for (int32_t i = 0; i < field_count; i++) {
    if (fields[i] < 0 || static_cast<size_t>(fields[i]) >= all.size()) {
      return arrow::Status::Invalid("no column at position ", fields[i]);
    }
    // A list has its elements as its only child.
    const auto& field = all[fields[i]];
    const auto& leaf = !field.is_leaf() && field.children.size() == 1 ? field.children[0] : field;
    if (!leaf.is_leaf()) {
      return arrow::Status::Invalid("column '", field.field->name(), "' is nested");
    }
    leaves.push_back(leaf.column_index);
  }
  std::vector<int> groups(reader.file->num_row_groups());
  std::iota(groups.begin(), groups.end(), 0);
  reader.file->set_batch_size(batch_rows);
  ARROW_ASSIGN_OR_RAISE(reader.batches, reader.file->GetRecordBatchReader(groups, leaves));

  // Arrow may return the columns in the file's order: find each by its name.
  const auto schema = reader.batches->schema();
  reader.order.clear();
  for (int32_t i = 0; i < field_count; i++) {
    const int position = schema->GetFieldIndex(all[fields[i]].field->name());
    if (position < 0) return arrow::Status::Invalid("two columns share a name");
    reader.order.push_back(position);
  }
  return arrow::Status::OK();
}

arrow::Status next(cparquet_reader& reader, ArrowArray* out) {
  out->release = nullptr;
  if (reader.batches == nullptr) return arrow::Status::Invalid("no columns were chosen");
  std::shared_ptr<arrow::RecordBatch> batch;
  ARROW_RETURN_NOT_OK(reader.batches->ReadNext(&batch));
  if (batch == nullptr) return arrow::Status::OK();
  ARROW_ASSIGN_OR_RAISE(batch, batch->SelectColumns(reader.order));
  // Checks the buffers' sizes against the length and the offsets' ends against the data.
  ARROW_RETURN_NOT_OK(batch->Validate());
  return arrow::ExportRecordBatch(*batch, out);
}

}  // namespace

int cparquet_reader_open(
  const char* path, int64_t memory_limit, cparquet_reader** reader, ArrowSchema* schema,
  int64_t* rows, char* error, size_t error_size) {
  *reader = nullptr;
  schema->release = nullptr;
  return guarded(error, error_size, [&] {
    auto opened = std::make_unique<cparquet_reader>();
    ARROW_RETURN_NOT_OK(open(path, memory_limit, *opened, schema, rows));
    *reader = opened.release();
    return arrow::Status::OK();
  });
}

int cparquet_reader_select(
  cparquet_reader* reader, const int32_t* fields, int32_t field_count, int64_t batch_rows,
  char* error, size_t error_size) {
  return guarded(
    error, error_size, [&] { return select(*reader, fields, field_count, batch_rows); });
}

int cparquet_reader_next(
  cparquet_reader* reader, ArrowArray* batch, char* error, size_t error_size) {
  return guarded(error, error_size, [&] { return next(*reader, batch); });
}

void cparquet_reader_close(cparquet_reader* reader) { delete reader; }
