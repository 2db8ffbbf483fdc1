/// Walks the members of a tar archive: POSIX ustar and pax headers, and GNU's long names.
///
/// Reads forward only, so that it works on a compressed stream. Headers are hostile: sizes are
/// checked when their bytes are read, and names are bounded.
struct TarReader {
  /// A regular file inside of the archive.
  struct Member {
    var name: String
    /// Where its bytes begin in the (decompressed) archive.
    var start: Int
    var size: Int
  }

  private let stream: any ByteStream
  /// Where the header after the last member begins.
  private var next = 0

  private static let block = 512
  /// No name is longer, and no pax header.
  private static let maximumHeader = 1 << 16

  init(_ stream: any ByteStream) { self.stream = stream }

  /// The next regular file, or `nil` at the end.
  ///
  /// Its bytes may be read from the stream now.
  mutating func member() throws(Inflater.Damage) -> Member? {
    var longName: String?
    var longSize: Int?
    while true {
      try stream.skip(next - stream.position)
      let header = try stream.read(Self.block)
      if header.isEmpty || header.allSatisfy({ $0 == 0 }) { return nil }
      guard header.count == Self.block, Self.hasGoodChecksum(header),
        let ownSize = Self.number(header[124..<136])
      else { throw Inflater.Damage(reason: "a broken tar header at byte \(next)") }
      let start = next + Self.block
      let size = longSize ?? ownSize
      let (padded, overflow) = size.addingReportingOverflow(Self.block - 1)
      let (end, overflowed) = start.addingReportingOverflow(padded / Self.block * Self.block)
      guard !overflow, !overflowed else {
        throw Inflater.Damage(reason: "a tar header of impossible size at byte \(next)")
      }
      next = end
      switch header[156] {
      case UInt8(ascii: "L"): longName = Self.text(try content(size)[...])
      case UInt8(ascii: "x"):
        let records = Self.paxRecords(try content(size))
        longName = records["path"] ?? longName
        longSize = try records["size"].map { (text) throws(Inflater.Damage) in
          guard let size = Int(text), size >= 0 else {
            throw Inflater.Damage(reason: "a tar member of the size \(text.prefix(40))")
          }
          return size
        }
      case 0, UInt8(ascii: "0"):
        return Member(name: longName ?? Self.name(header), start: start, size: size)
      default: (longName, longSize) = (nil, nil)
      }
    }
  }

  private func content(_ size: Int) throws(Inflater.Damage) -> [UInt8] {
    guard size <= Self.maximumHeader else {
      throw Inflater.Damage(reason: "a tar header of \(size) bytes")
    }
    return try stream.read(size)
  }

  private static func name(_ header: [UInt8]) -> String {
    let name = text(header[0..<100])
    let isUstar = header[257..<262].elementsEqual("ustar".utf8)
    let prefix = isUstar ? text(header[345..<500]) : ""
    return prefix.isEmpty ? name : prefix + "/" + name
  }

  private static func text(_ bytes: ArraySlice<UInt8>) -> String {
    String(decoding: bytes.prefix { $0 != 0 }, as: UTF8.self)
  }

  /// The records of a pax header that decide where a member lies and what it is called: lines of
  /// `LENGTH KEY=VALUE`.
  private static func paxRecords(_ content: [UInt8]) -> [String: String] {
    var records: [String: String] = [:]
    var rest = content[...]
    while let space = rest.firstIndex(of: 0x20),
      let length = Int(String(decoding: rest[..<space], as: UTF8.self)),
      length > space - rest.startIndex, length <= rest.count
    {
      let record = rest[(space + 1)..<(rest.startIndex + length)]
      for key in ["path", "size"] where record.starts(with: Array("\(key)=".utf8)) {
        let value = record.dropFirst(key.utf8.count + 1).dropLast()
        records[key] = String(decoding: value, as: UTF8.self)
      }
      rest = rest.dropFirst(length)
    }
    return records
  }

  /// Octal digits, or GNU's base 256 when the first bit is set.
  private static func number(_ field: ArraySlice<UInt8>) -> Int? {
    if let first = field.first, first & 0x80 != 0 {
      var value = Int(first & 0x7f)
      for byte in field.dropFirst() {
        guard value < 1 << 50 else { return nil }
        value = value << 8 | Int(byte)
      }
      return value
    }
    let digits = field.drop { $0 == 0x20 }.prefix { $0 != 0x20 && $0 != 0 }
    return digits.isEmpty
      ? 0
      : Int(String(decoding: digits, as: UTF8.self), radix: 8)
        .flatMap { $0 >= 0 ? $0 : nil }
  }

  /// The sum of all bytes, the field of the sum itself counted as spaces.
  private static func hasGoodChecksum(_ header: [UInt8]) -> Bool {
    guard let stated = number(header[148..<156]) else { return false }
    let field = header[148..<156].reduce(0) { $0 + Int($1) }
    return header.reduce(0) { $0 + Int($1) } - field + 8 * 0x20 == stated
  }
}
