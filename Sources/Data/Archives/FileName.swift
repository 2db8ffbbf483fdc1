/// The name of a file inside of a folder or archive, as its bytes.
///
/// Names are bytes to the system and to archives. Strings would take two names that Unicode holds to be
/// equivalent for one, and lose what is written in an older encoding.
package struct FileName: Hashable, Sendable, Comparable {
  /// The parts of the name with `/` between them; without parts that say nothing, as of `./a/1.png`.
  package let bytes: [UInt8]

  /// Takes a name as a folder or archive has it.
  package init(_ bytes: some Collection<UInt8>) {
    let parts = bytes.split(separator: UInt8(ascii: "/"))
    self.bytes = Array(parts.filter { !$0.elementsEqual(".".utf8) }.joined(separator: "/".utf8))
  }

  /// Takes a name from a list; `\` between folders counts as `/`, as programs for Windows write it.
  package init(listed text: String) {
    self.init(text.utf8.map { $0 == UInt8(ascii: "\\") ? UInt8(ascii: "/") : $0 })
  }

  /// The name for people: bytes that are not UTF-8 are written as `\xE9`.
  package var text: String {
    if let text = String(validating: bytes, as: UTF8.self) { return text }
    let digits = Array("0123456789ABCDEF".utf8)
    return String(
      decoding: bytes.flatMap { byte in
        byte < 0x80 ? [byte] : [0x5C, 0x78, digits[Int(byte >> 4)], digits[Int(byte & 15)]]
      },
      as: UTF8.self
    )
  }

  /// What stands behind the last dot of the last part, in lower case; empty where there is none.
  package var suffix: String { String(decoding: bytes[stemEnd...], as: UTF8.self).lowercased() }

  /// The name without its suffix, up to the dot and with it.
  package var stem: FileName { FileName(whole: Array(bytes[..<stemEnd])) }

  /// Whether the file or a folder on its way is hidden, or a shadow file of macOS.
  package var isHidden: Bool {
    bytes.starts(with: "__MACOSX/".utf8)
      || bytes.split(separator: UInt8(ascii: "/")).contains { $0.first == UInt8(ascii: ".") }
  }

  /// Whether the last part begins with a dot, or the name leads upwards; not so for a shadow file of macOS,
  /// which holds no data of its own.
  package var isHiddenItself: Bool {
    let parts = bytes.split(separator: UInt8(ascii: "/"))
    if parts.contains(where: { $0.elementsEqual("..".utf8) }) { return true }
    guard let last = parts.last, !bytes.starts(with: "__MACOSX/".utf8) else { return false }
    return last.first == UInt8(ascii: ".") && !last.starts(with: "._".utf8)
  }

  /// Where a symbolic link of this name leads: from its own folder on.
  package func resolving(link target: [UInt8]) -> FileName {
    let slash = UInt8(ascii: "/")
    var parts = bytes.split(separator: slash).dropLast().map { Array($0) }
    if target.first == slash { parts = [] }
    for part in target.split(separator: slash) where !part.elementsEqual(".".utf8) {
      if part.elementsEqual("..".utf8) { _ = parts.popLast() } else { parts.append(Array(part)) }
    }
    return FileName(Array(parts.joined(separator: [slash])))
  }

  private init(whole bytes: [UInt8]) { self.bytes = bytes }

  private var stemEnd: Int {
    let last = bytes.lastIndex(of: UInt8(ascii: "/")).map { $0 + 1 } ?? 0
    return bytes[last...].lastIndex(of: UInt8(ascii: ".")).map { $0 + 1 } ?? bytes.count
  }

  /// The order of Python's `sorted`, in which the original numbers images: by Unicode scalars.
  package static func < (left: FileName, right: FileName) -> Bool {
    left.bytes.lexicographicallyPrecedes(right.bytes)
  }
}
