import CParquet
import Files
import Foundation

/// The type of a column that `ParquetWriter` writes; every column may hold nulls.
package enum ParquetType: Int32, Sendable {
  case int64 = 0
  case double = 1
  case string = 2
  case binary = 3
}

/// One value of a row.
package enum ParquetValue: Sendable, Equatable {
  case null
  case int64(Int64)
  case double(Double)
  case string(String)
  case binary([UInt8])
}

/// Writes a snappy-compressed Parquet file row by row.
///
/// The file appears under its name when `finish()` returns, and not at all if that never happens.
/// Not thread-safe: one writer, one task.
package final class ParquetWriter {
  /// The final name.
  package let path: String
  /// Rows appended so far.
  package private(set) var rowCount = 0

  // Rows and bytes kept before they are handed over; a row group's worth would be too much memory.
  private static let batchRows = 4096
  private static let batchBytes = 8 << 20

  private let columns: [(name: String, type: ParquetType)]
  private let sink: Sink
  private let writer: OpaquePointer
  private var pending: [PendingColumn]
  private var pendingRows = 0
  private var finished = false

  /// Starts a file.
  ///
  /// - Parameters:
  ///   - path: The final name; its folder must exist.
  ///   - columns: Names and types, in order.
  /// - Throws: `ParquetError` when the folder is missing or not writable.
  package init(
    path: String,
    columns: [(name: String, type: ParquetType)]
  ) throws(ParquetError) {
    self.path = path
    self.columns = columns
    pending = columns.map { PendingColumn($0.type) }
    do throws(FileError) {
      sink = Sink(try AtomicFile(path))
    } catch {
      throw .file(error)
    }
    let names = columns.map { strdup($0.name) }
    defer { for name in names { free(name) } }
    var writer: OpaquePointer?
    let context = Unmanaged.passUnretained(sink).toOpaque()
    let failure = message { [sink] error, size in
      _ = sink
      return cparquet_writer_open(
        names.map { UnsafePointer($0) },
        columns.map(\.type.rawValue),
        Int32(columns.count),
        writeToSink,
        context,
        &writer,
        error,
        size
      )
    }
    guard failure == nil, let writer else {
      throw sink.failure.map { .file($0) }
        ?? .unwritable(path: path, reason: failure ?? "no writer")
    }
    self.writer = writer
  }

  deinit {
    // An unfinished C++ writer still tries to write its footer: refuse the bytes.
    sink.isClosed = true
    cparquet_writer_close(writer)
  }

  /// Appends one row, a value per column in their order.
  package func append(_ row: [ParquetValue]) throws(ParquetError) {
    precondition(!finished, "append to a finished file: \(path)")
    precondition(
      row.count == columns.count,
      "a row of \(row.count) values for \(columns.count) columns"
    )
    for (index, value) in row.enumerated() {
      let fits = pending[index].append(value)
      precondition(fits, "column \(columns[index]) cannot hold \(value)")
    }
    pendingRows += 1
    rowCount += 1
    let isFull = pending.contains { $0.text.count >= Self.batchBytes }
    if isFull || pendingRows == Self.batchRows { try flush() }
  }

  /// Appends rows.
  package func append(rows: some Sequence<[ParquetValue]>) throws(ParquetError) {
    for row in rows { try append(row) }
  }

  /// Flushes the pending rows, writes the footer and renames the file.
  package func finish() throws(ParquetError) {
    precondition(!finished, "finish of a finished file: \(path)")
    try flush()
    try check(message { error, size in cparquet_writer_finish(writer, error, size) })
    do throws(FileError) {
      try sink.file.commit()
    } catch {
      throw .file(error)
    }
    finished = true
  }

  private func flush() throws(ParquetError) {
    if pendingRows == 0 { return }
    // Pointers into the columns' arrays are taken by copies that stay put during the call.
    let buffers = pending.map { ColumnBuffers($0) }
    let failure = message { error, size in
      cparquet_writer_append(
        writer,
        buffers.map(\.values),
        Int64(pendingRows),
        error,
        size
      )
    }
    withExtendedLifetime(buffers) {}
    try check(failure)
    pending = columns.map { PendingColumn($0.type) }
    pendingRows = 0
  }

  private func check(_ failure: String?) throws(ParquetError) {
    if let failure = sink.failure { throw .file(failure) }
    if let failure { throw .unwritable(path: path, reason: failure) }
  }
}

/// The file behind the C++ writer, and the reason why it refused bytes.
private final class Sink {
  let file: AtomicFile
  var failure: FileError?
  var isClosed = false

  init(_ file: AtomicFile) {
    self.file = file
  }

  func write(_ bytes: UnsafeRawBufferPointer) -> Int32 {
    if isClosed || failure != nil { return 1 }
    do throws(FileError) {
      try file.write(bytes)
      return 0
    } catch {
      failure = error
      return 1
    }
  }
}

private func writeToSink(
  _ context: UnsafeMutableRawPointer?,
  _ bytes: UnsafeRawPointer?,
  _ count: Int64
) -> Int32 {
  guard let context else { return 1 }
  let sink = Unmanaged<Sink>.fromOpaque(context).takeUnretainedValue()
  return sink.write(UnsafeRawBufferPointer(start: bytes, count: Int(count)))
}
