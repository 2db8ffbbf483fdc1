/// Walks the members of a tar archive: POSIX ustar and pax headers, and GNU's long names.
///
/// Reads forward only, so that it works on a compressed stream. Headers are hostile: sizes are
/// checked when their bytes are read, and names are bounded.
package struct TarReader {
  /// A file inside of the archive.
  package struct Member {
    /// Its name as the archive has it.
    package var path: [UInt8]
    /// Where its bytes begin in the (decompressed) archive.
    package var start: Int
    package var size: Int
    /// The name of the member whose bytes it has; `nil` where they are its own.
    package var target: FileName?

    /// Its name for people.
    package var name: String { FileName(path).text }
  }

  /// How an archive ends.
  package enum End {
    /// Two blocks of zeros, or at least one.
    case marked
    /// Right behind a member: it may have been cut there.
    case missing
    /// With more archives behind the first, as of files that were put together.
    case followed
  }

  /// How the archive ended; `nil` before its end.
  package private(set) var end: End?

  /// Members that are no files, as pipes and devices, with their kinds, in the order of the archive.
  package private(set) var others: [(name: FileName, kind: String)] = []

  private let stream: any ByteStream
  /// Where the header after the last member begins; the archive may end before it.
  package private(set) var next = 0

  private static let block = 512
  /// No name is longer, and no pax header.
  private static let maximumHeader = 1 << 16

  private static let special: [UInt8: String] = [
    UInt8(ascii: "3"): "a device", UInt8(ascii: "4"): "a device", UInt8(ascii: "6"): "a named pipe",
    UInt8(ascii: "S"): "a sparse file of GNU tar",
    UInt8(ascii: "M"): "the rest of a file of another volume",
  ]

  package init(_ stream: any ByteStream) { self.stream = stream }

  /// The next file, or `nil` at the end.
  ///
  /// Its bytes may be read from the stream now. Links to other members have none.
  package mutating func member() throws(Inflater.Damage) -> Member? {
    var (longName, longTarget) = ([UInt8]?.none, [UInt8]?.none)
    var longSize: Int?
    while true {
      try stream.skip(next - stream.position)
      let header = try stream.read(Self.block)
      if header.isEmpty {
        end = .missing
        return nil
      }
      if header.allSatisfy({ $0 == 0 }) {
        end = try isFollowed() ? .followed : .marked
        return nil
      }
      guard header.count == Self.block, Self.hasGoodChecksum(header),
        let ownSize = Self.number(header[124..<136])
      else { throw Inflater.Damage(reason: "a broken tar header at byte \(next)") }
      let start = next + Self.block
      let size = longSize ?? ownSize
      let (padded, overflow) = size.addingReportingOverflow(Self.block - 1)
      let (after, overflowed) = start.addingReportingOverflow(padded / Self.block * Self.block)
      guard !overflow, !overflowed else {
        throw Inflater.Damage(reason: "a tar header of impossible size at byte \(next)")
      }
      next = after
      switch header[156] {
      case UInt8(ascii: "L"): longName = Self.text(try content(size)[...])
      case UInt8(ascii: "K"): longTarget = Self.text(try content(size)[...])
      case UInt8(ascii: "x"):
        let records = Self.paxRecords(try content(size))
        longName = records["path"] ?? longName
        longTarget = records["linkpath"] ?? longTarget
        longSize = try records["size"].map { (digits) throws(Inflater.Damage) in
          let text = String(decoding: digits.prefix(40), as: UTF8.self)
          guard let size = Int(text), size >= 0 else {
            throw Inflater.Damage(reason: "a tar member of the size \(text)")
          }
          return size
        }
      case 0, UInt8(ascii: "0"), UInt8(ascii: "7"):
        let path = longName ?? Self.name(header)
        // Old archives mark folders by their names.
        if path.last != UInt8(ascii: "/") { return Member(path: path, start: start, size: size) }
        (longName, longTarget, longSize) = (nil, nil, nil)
      case UInt8(ascii: "1"), UInt8(ascii: "2"):
        let path = longName ?? Self.name(header)
        let target = longTarget ?? Self.text(header[157..<257])
        let isSymbolic = header[156] == UInt8(ascii: "2")
        return Member(
          path: path,
          start: start,
          size: 0,
          target: isSymbolic ? FileName(path).resolving(link: target) : FileName(target)
        )
      default:
        if let kind = Self.special[header[156]] {
          others.append((FileName(longName ?? Self.name(header)), kind))
        }
        (longName, longTarget, longSize) = (nil, nil, nil)
      }
    }
  }

  /// Whether anything but zeros stands behind a block of zeros.
  private func isFollowed() throws(Inflater.Damage) -> Bool {
    // Archives are filled up with zeros, to ten kilobytes as a rule.
    for _ in 0..<64 {
      let more = try stream.read(Self.block)
      if more.isEmpty { return false }
      if !more.allSatisfy({ $0 == 0 }) { return true }
    }
    return false
  }

  private func content(_ size: Int) throws(Inflater.Damage) -> [UInt8] {
    guard size <= Self.maximumHeader else {
      throw Inflater.Damage(reason: "a tar header of \(size) bytes")
    }
    return try stream.read(size)
  }

  private static func name(_ header: [UInt8]) -> [UInt8] {
    let name = text(header[0..<100])
    let isUstar = header[257..<262].elementsEqual("ustar".utf8)
    let prefix = isUstar ? text(header[345..<500]) : []
    return prefix.isEmpty ? name : prefix + [UInt8(ascii: "/")] + name
  }

  private static func text(_ bytes: ArraySlice<UInt8>) -> [UInt8] {
    Array(bytes.prefix { $0 != 0 })
  }

  /// The records of a pax header that decide where a member lies and what it is called: lines of
  /// `LENGTH KEY=VALUE`.
  private static func paxRecords(_ content: [UInt8]) -> [String: [UInt8]] {
    var records: [String: [UInt8]] = [:]
    var rest = content[...]
    while let space = rest.firstIndex(of: 0x20),
      let length = Int(String(decoding: rest[..<space], as: UTF8.self)),
      length > space - rest.startIndex, length <= rest.count
    {
      let record = rest[(space + 1)..<(rest.startIndex + length)]
      for key in ["path", "size", "linkpath"] where record.starts(with: Array("\(key)=".utf8)) {
        let value = record.dropFirst(key.utf8.count + 1).dropLast()
        records[key] = Array(value)
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
