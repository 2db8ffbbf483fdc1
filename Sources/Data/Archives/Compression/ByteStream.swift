package import Files

/// Bytes that are read once, from front to back.
package protocol ByteStream: AnyObject {
  /// Bytes read or passed over so far.
  var position: Int { get }
  /// The next bytes: `count` of them, fewer at the end.
  func read(_ count: Int) throws(Inflater.Damage) -> [UInt8]
  /// Passes over bytes.
  func skip(_ count: Int) throws(Inflater.Damage)
}

extension ByteStream {
  /// Passes over bytes by reading them, which is all that a compressed stream can do.
  package func skip(_ count: Int) throws(Inflater.Damage) {
    var left = count
    while left > 0 {
      let bytes = try read(min(left, 1 << 20))
      if bytes.isEmpty { throw Inflater.Damage(reason: "it ends too early") }
      left -= bytes.count
    }
  }
}

/// A mapped file as a stream.
package final class MappedStream: ByteStream {
  package private(set) var position = 0
  private let bytes: MappedBytes

  package init(_ bytes: MappedBytes) { self.bytes = bytes }

  package func read(_ count: Int) -> [UInt8] {
    let end = min(bytes.count, position + max(0, count))
    defer { position = max(position, end) }
    return position < end ? bytes.withBytes { Array($0[position..<end]) } : []
  }

  package func skip(_ count: Int) throws(Inflater.Damage) {
    guard count <= bytes.count - position else {
      throw Inflater.Damage(reason: "it ends too early")
    }
    position += count
  }
}

/// A gzip file as a stream of its decompressed bytes.
package final class GzipStream: ByteStream {
  package private(set) var position = 0
  private let inflater: Inflater

  package init(_ bytes: MappedBytes) { inflater = Inflater(bytes, form: .gzip) }

  package func read(_ count: Int) throws(Inflater.Damage) -> [UInt8] {
    let bytes = try inflater.read(count)
    position += bytes.count
    return bytes
  }
}
