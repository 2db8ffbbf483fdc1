import CParquet
import Files
import Foundation

/// Owns the C++ reader; batches keep it alive because they borrow its memory pool.
final class ParquetHandle {
  /// A column of the file.
  struct Field {
    let name: String
    /// Arrow's format string: "l" for int64, "u" for UTF-8.
    let format: String
    /// The format of the values when the column is dictionary-encoded.
    let dictionaryFormat: String?
    /// The format of the elements of a list, if these are plain.
    let elementFormat: String?

    /// Arrow's name of the type where values of it cannot be read; `nil` where they can.
    var unreadableType: String? {
      if ArrowFormat(format, elementFormat) == nil { return format }
      return dictionaryFormat.flatMap { ArrowFormat($0) == nil ? $0 : nil }
    }
  }

  let path: String
  let fields: [Field]
  let rowCount: Int

  private let reader: OpaquePointer

  /// What a file looks like that Arrow does not read.
  private static func kind(of path: String) -> String? {
    guard let file = try? MappedFile(path) else { return nil }
    defer { withExtendedLifetime(file) {} }
    guard let kind = FileKind.guess(file.bytes), kind != "Parquet" else { return nil }
    return "it looks like \(kind)"
  }

  init(path: String, memoryLimit: Int) throws(ParquetError) {
    do throws(FileError) { try RegularFile.expectReadable(path) } catch { throw .file(error) }
    var reader: OpaquePointer?
    var schema = ArrowSchema()
    var rows: Int64 = 0
    let failure = message { error, size in
      cparquet_reader_open(path, Int64(memoryLimit), &reader, &schema, &rows, error, size)
    }
    guard failure == nil, let reader else {
      throw .unreadable(path: path, reason: Self.kind(of: path) ?? failure ?? "no reader")
    }
    self.path = path
    self.reader = reader
    rowCount = Int(rows)
    fields = (0..<Int(schema.n_children)).compactMap { index in
      guard let child = schema.children[index]?.pointee else { return nil }
      return Field(
        name: child.name.map { String(cString: $0) } ?? "",
        format: child.format.map { String(cString: $0) } ?? "",
        dictionaryFormat: child.dictionary?.pointee.format.map { String(cString: $0) },
        elementFormat: Self.elementFormat(child)
      )
    }
    schema.release?(&schema)
  }

  private static func elementFormat(_ list: ArrowSchema) -> String? {
    guard list.n_children == 1, let element = list.children[0]?.pointee,
      element.n_children == 0, element.dictionary == nil
    else { return nil }
    return element.format.map { String(cString: $0) }
  }

  deinit { cparquet_reader_close(reader) }

  func select(_ fields: [Int], batchRows: Int) throws(ParquetError) {
    let positions = fields.map { Int32($0) }
    let failure = message { error, size in
      cparquet_reader_select(
        reader,
        positions,
        Int32(positions.count),
        Int64(batchRows),
        error,
        size
      )
    }
    if let failure { throw .unreadable(path: path, reason: failure) }
  }

  func next(rowsRead: Int) throws(ParquetError) -> ArrowBatch? {
    var array = ArrowArray()
    let failure = message { error, size in
      cparquet_reader_next(reader, &array, error, size)
    }
    if let failure { throw .damaged(path: path, row: rowsRead, reason: failure) }
    if array.release == nil { return nil }
    return ArrowBatch(array, handle: self)
  }
}

/// Owns the memory of one batch.
final class ArrowBatch {
  let rowCount: Int

  private var array: ArrowArray
  private let handle: ParquetHandle

  init(_ array: ArrowArray, handle: ParquetHandle) {
    self.array = array
    self.handle = handle
    rowCount = Int(array.length)
  }

  deinit { array.release?(&array) }

  func child(_ position: Int) -> UnsafePointer<ArrowArray>? {
    precondition(
      position < array.n_children,
      "column \(position) of a batch of \(array.n_children) columns"
    )
    return array.children[position].map { UnsafePointer($0) }
  }
}

/// Calls a C function with room for a message; returns the message when the call failed.
func message(_ call: (UnsafeMutablePointer<CChar>, Int) -> Int32) -> String? {
  withUnsafeTemporaryAllocation(of: CChar.self, capacity: 512) { buffer in
    guard let base = buffer.baseAddress else { return "out of memory" }
    buffer.initialize(repeating: 0)
    return call(base, buffer.count) == 0 ? nil : String(cString: base)
  }
}
