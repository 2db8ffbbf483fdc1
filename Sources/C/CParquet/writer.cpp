#include "CParquet.h"

#include <arrow/array/builder_binary.h>
#include <arrow/array/builder_primitive.h>
#include <arrow/io/interfaces.h>
#include <arrow/record_batch.h>
#include <arrow/type.h>
#include <parquet/arrow/writer.h>
#include <parquet/properties.h>

#include <memory>
#include <string>
#include <vector>

#include "guard.h"

using cparquet::guarded;

namespace {

/// Hands the file's bytes to the caller, who owns the file.
class Sink final : public arrow::io::OutputStream {
 public:
  Sink(cparquet_sink sink, void* context) : sink_(sink), context_(context) {
    set_mode(arrow::io::FileMode::WRITE);
  }

  arrow::Status Write(const void* bytes, int64_t count) override {
    if (sink_(context_, bytes, count) != 0) return arrow::Status::IOError("the sink refused bytes");
    position_ += count;
    return arrow::Status::OK();
  }
  arrow::Status Close() override {
    closed_ = true;
    return arrow::Status::OK();
  }
  arrow::Result<int64_t> Tell() const override { return position_; }
  bool closed() const override { return closed_; }

 private:
  cparquet_sink sink_;
  void* context_;
  int64_t position_ = 0;
  bool closed_ = false;
};

arrow::Result<std::shared_ptr<arrow::DataType>> data_type(int32_t type) {
  switch (type) {
    case CPARQUET_INT64: return arrow::int64();
    case CPARQUET_DOUBLE: return arrow::float64();
    case CPARQUET_STRING: return arrow::utf8();
    case CPARQUET_BINARY: return arrow::binary();
    default: return arrow::Status::Invalid("unknown column type ", type);
  }
}

template <typename Builder>
arrow::Result<std::shared_ptr<arrow::Array>> strings(const cparquet_values& column, int64_t rows) {
  Builder builder;
  ARROW_RETURN_NOT_OK(builder.Reserve(rows));
  const char* bytes = static_cast<const char*>(column.values);
  for (int64_t row = 0; row < rows; row++) {
    if (!column.valid[row]) {
      builder.UnsafeAppendNull();
      continue;
    }
    const int64_t start = column.offsets[row];
    ARROW_RETURN_NOT_OK(
      builder.Append(std::string_view(bytes + start, column.offsets[row + 1] - start)));
  }
  return builder.Finish();
}

template <typename Builder, typename Value>
arrow::Result<std::shared_ptr<arrow::Array>> numbers(const cparquet_values& column, int64_t rows) {
  Builder builder;
  ARROW_RETURN_NOT_OK(
    builder.AppendValues(static_cast<const Value*>(column.values), rows, column.valid));
  return builder.Finish();
}

arrow::Result<std::shared_ptr<arrow::Array>> array(
  const arrow::DataType& type, const cparquet_values& column, int64_t rows) {
  switch (type.id()) {
    case arrow::Type::INT64: return numbers<arrow::Int64Builder, int64_t>(column, rows);
    case arrow::Type::DOUBLE: return numbers<arrow::DoubleBuilder, double>(column, rows);
    case arrow::Type::BINARY: return strings<arrow::BinaryBuilder>(column, rows);
    default: return strings<arrow::StringBuilder>(column, rows);
  }
}

// A row group is kept in memory until it ends.
constexpr int64_t kRowGroupBytes = 64 << 20;

int64_t byte_count(const arrow::DataType& type, const cparquet_values& column, int64_t rows) {
  const bool is_bytes = type.id() == arrow::Type::STRING || type.id() == arrow::Type::BINARY;
  return is_bytes ? column.offsets[rows] : 8 * rows;
}

}  // namespace

struct cparquet_writer {
  std::shared_ptr<arrow::Schema> schema;
  std::unique_ptr<parquet::arrow::FileWriter> file;
  int64_t group_bytes = 0;
};

int cparquet_writer_open(
  const char* const* names, const int32_t* types, int32_t column_count, cparquet_sink sink,
  void* context, cparquet_writer** writer, char* error, size_t error_size) {
  *writer = nullptr;
  return guarded(error, error_size, [&] {
    std::vector<std::shared_ptr<arrow::Field>> fields;
    for (int32_t i = 0; i < column_count; i++) {
      ARROW_ASSIGN_OR_RAISE(auto type, data_type(types[i]));
      fields.push_back(arrow::field(names[i], type));
    }
    auto opened = std::make_unique<cparquet_writer>();
    opened->schema = arrow::schema(fields);
    // A group stays in memory until it is full; Arrow's own million rows would be gigabytes of
    // text.
    const auto properties = parquet::WriterProperties::Builder()
                              .compression(parquet::Compression::SNAPPY)
                              ->max_row_group_length(16 << 10)
                              ->build();
    ARROW_ASSIGN_OR_RAISE(
      opened->file, parquet::arrow::FileWriter::Open(
                      *opened->schema, arrow::system_memory_pool(),
                      std::make_shared<Sink>(sink, context), properties));
    *writer = opened.release();
    return arrow::Status::OK();
  });
}

int cparquet_writer_append(
  cparquet_writer* writer, const cparquet_values* columns, int64_t rows, char* error,
  size_t error_size) {
  return guarded(error, error_size, [&] {
    if (writer->group_bytes >= kRowGroupBytes) {
      ARROW_RETURN_NOT_OK(writer->file->NewBufferedRowGroup());
      writer->group_bytes = 0;
    }
    std::vector<std::shared_ptr<arrow::Array>> arrays;
    for (int i = 0; i < writer->schema->num_fields(); i++) {
      const arrow::DataType& type = *writer->schema->field(i)->type();
      ARROW_ASSIGN_OR_RAISE(auto values, array(type, columns[i], rows));
      writer->group_bytes += byte_count(type, columns[i], rows);
      arrays.push_back(std::move(values));
    }
    return writer->file->WriteRecordBatch(
      *arrow::RecordBatch::Make(writer->schema, rows, std::move(arrays)));
  });
}

int cparquet_writer_finish(cparquet_writer* writer, char* error, size_t error_size) {
  return guarded(error, error_size, [&] { return writer->file->Close(); });
}

void cparquet_writer_close(cparquet_writer* writer) {
  // The destructor closes an unfinished file; a sink that refuses makes it throw or log, and
  // either way nobody is left to hear it.
  char ignored[8];
  guarded(ignored, sizeof ignored, [&] {
    delete writer;
    return arrow::Status::OK();
  });
}
