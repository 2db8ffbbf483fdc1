package import Files

/// A NumPy array of one or two dimensions, read in place from mapped bytes.
///
/// Opening it checks type, shape and length; elements are converted when a row is asked for, so an
/// array of many gigabytes costs nothing until it is used.
package struct NpyArray: Sendable {
  /// The element type.
  package let element: NpyElement
  /// Rows: the first dimension.
  package let rows: Int
  /// Elements per row: the second dimension, 1 for a one-dimensional array.
  package let columns: Int

  private let data: MappedBytes
  private let dataStart: Int

  /// Opens an array.
  ///
  /// - Parameters:
  ///   - data: The whole `.npy` file.
  ///   - path: The archive it came from, for error messages.
  ///   - entry: Its name there, for error messages.
  /// - Throws: `ArchiveError` when it is no array of a known type in C order, or of another length.
  package init(_ data: MappedBytes, path: String, entry: String) throws(ArchiveError) {
    let header: NpyHeader
    do throws(NpyHeader.Damage) {
      (header, dataStart) = try data.withBytes { bytes throws(NpyHeader.Damage) in
        try NpyHeader.read(bytes)
      }
    } catch {
      throw error.isUnsupported
        ? .unsupported(path: path, entry: entry, reason: error.reason)
        : .damaged(path: path, entry: entry, reason: error.reason)
    }
    element = header.element
    rows = header.shape[0]
    columns = header.shape.count == 2 ? header.shape[1] : 1
    self.data = data
    let (elements, tooMany) = rows.multipliedReportingOverflow(by: columns)
    let (size, tooLarge) = elements.multipliedReportingOverflow(by: element.size)
    guard !tooMany, !tooLarge, size == data.count - dataStart else {
      throw .damaged(
        path: path,
        entry: entry,
        reason: "\(data.count - dataStart) bytes for \(rows) × \(columns) \(element)"
      )
    }
  }

  /// One row of a floating-point array, as single precision.
  ///
  /// - Returns: `columns` numbers.
  package func floats(row: Int) -> [Float] {
    if element == .float64 { return doubles(row: row).map { Float($0) } }
    let start = offset(row: row)
    return data.withBytes { bytes in
      [Float](unsafeUninitializedCapacity: columns) { output, count in
        switch element {
        case .float32:
          for column in 0..<columns {
            let bits = bytes.littleEndian(UInt32.self, at: start + 4 * column)
            output.initializeElement(at: column, to: Float(bitPattern: bits))
          }
        case .float16:
          for column in 0..<columns {
            let bits = bytes.littleEndian(UInt16.self, at: start + 2 * column)
            output.initializeElement(at: column, to: Float(Float16(bitPattern: bits)))
          }
        case .float64, .int64: preconditionFailure("floats of an \(element) array")
        }
        count = columns
      }
    }
  }

  /// One row of a floating-point array, as double precision.
  ///
  /// - Returns: `columns` numbers.
  package func doubles(row: Int) -> [Double] {
    guard element == .float64 else { return floats(row: row).map { Double($0) } }
    let start = offset(row: row)
    return data.withBytes { bytes in
      (0..<columns).map {
        Double(bitPattern: bytes.littleEndian(UInt64.self, at: start + 8 * $0))
      }
    }
  }

  /// Visits the bytes of all rows in their order, some rows at a time.
  ///
  /// The next rows are read from the disk meanwhile, and those visited leave the memory.
  ///
  /// - Parameters:
  ///   - count: Rows at a time.
  ///   - body: Gets the rows' numbers and their elements, which are valid during the call.
  package func forEachRows(_ count: Int, _ body: (Range<Int>, UnsafeRawBufferPointer) -> Void) {
    precondition(count > 0, "\(count) rows at a time")
    let size = columns * element.size
    let place = { (first: Int) in
      let rows = first..<min(first + count, rows)
      return (rows, dataStart + rows.lowerBound * size..<dataStart + rows.upperBound * size)
    }
    for first in stride(from: 0, to: rows, by: count) {
      let (rows, range) = place(first)
      if rows.upperBound < self.rows { data.prefetch(place(rows.upperBound).1) }
      data.withBytes { body(rows, UnsafeRawBufferPointer(rebasing: $0[range])) }
      data.release(range)
    }
  }

  /// The first element of a row of an integer array.
  package func integer(row: Int) -> Int { integer(row: row, column: 0) }

  /// An element of an integer array.
  package func integer(row: Int, column: Int) -> Int {
    precondition(element == .int64, "integer of a \(element) array")
    precondition((0..<columns).contains(column), "column \(column) of \(columns)")
    let start = offset(row: row) + 8 * column
    return data.withBytes { Int(Int64(bitPattern: $0.littleEndian(UInt64.self, at: start))) }
  }

  /// Encodes a two-dimensional floating-point array as an `.npy` file.
  package static func encode(_ rows: [[Float]], columns: Int, as element: NpyElement) -> [UInt8] {
    var bytes = NpyHeader(element: element, shape: [rows.count, columns]).encoded
    for row in rows {
      precondition(row.count == columns, "row of \(row.count) in an array of \(columns) columns")
      bytes += encode(row, as: element)
    }
    return bytes
  }

  /// Encodes double-precision numbers of one or two dimensions as an `.npy` file.
  package static func encode(_ values: [Double], shape: [Int]) -> [UInt8] {
    precondition(
      values.count == shape.reduce(1, *),
      "\(values.count) numbers for the shape \(shape)"
    )
    var bytes = NpyHeader(element: .float64, shape: shape).encoded
    bytes.reserveCapacity(bytes.count + 8 * values.count)
    for value in values { bytes.append(littleEndian: value.bitPattern) }
    return bytes
  }

  /// Encodes a one-dimensional integer array as an `.npy` file.
  package static func encode(_ values: [Int]) -> [UInt8] {
    var bytes = NpyHeader(element: .int64, shape: [values.count]).encoded
    bytes.reserveCapacity(bytes.count + 8 * values.count)
    for value in values { bytes.append(littleEndian: Int64(value)) }
    return bytes
  }

  /// The elements alone, without a header.
  package static func encode(_ row: [Float], as element: NpyElement) -> [UInt8] {
    precondition(element.size <= 4, "floats as \(element)")
    return [UInt8](unsafeUninitializedCapacity: row.count * element.size) { output, count in
      let output = UnsafeMutableRawBufferPointer(output)
      for (index, value) in row.enumerated() {
        if element == .float16 {
          let bits = Float16(value).bitPattern.littleEndian
          output.storeBytes(of: bits, toByteOffset: 2 * index, as: UInt16.self)
        } else {
          let bits = value.bitPattern.littleEndian
          output.storeBytes(of: bits, toByteOffset: 4 * index, as: UInt32.self)
        }
      }
      count = output.count
    }
  }

  private func offset(row: Int) -> Int {
    precondition((0..<rows).contains(row), "row \(row) of \(rows)")
    return dataStart + row * columns * element.size
  }
}
