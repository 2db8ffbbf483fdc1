import CSimdjson

/// Lists of numbers in JSON, read by simdjson.
///
/// simdjson takes documents of at most 4 GiB and indexes each whole before it gives the first value. So it
/// gets one list at a time: a few kilobytes, from a document of any size.
final class NumberLists {
  private let reader: OpaquePointer?

  init() { reader = csj_reader_new() }

  deinit { csj_reader_free(reader) }

  /// Reads the list that the text begins with.
  ///
  /// - Parameters:
  ///   - text: Text that begins with the list.
  ///   - limit: The limit on its length.
  /// - Returns: The numbers and the length of their text in bytes; `nil` for anything but a list of numbers of
  ///   single precision, and for lists of over 4 MiB.
  func read(
    _ text: Slice<UnsafeRawBufferPointer>,
    limit: Int
  ) -> (values: [Float], length: Int)? {
    let text = UnsafeRawBufferPointer(rebasing: text)
    var values: UnsafePointer<Float>?
    var (count, length) = (0, 0)
    let bytes = text.baseAddress?.assumingMemoryBound(to: UInt8.self)
    guard csj_read_numbers(reader, bytes, text.count, limit, &values, &count, &length) else {
      return nil
    }
    return (Array(UnsafeBufferPointer(start: values, count: count)), length)
  }
}
