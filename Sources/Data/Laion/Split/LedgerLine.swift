/// One line of the ledger: fields separated by tabs.
enum LedgerLine {
  static func encoded(_ entry: Ledger.Entry) -> String {
    var fields = ["\(entry.row)", entry.number.map { "\($0)" } ?? "-"]
    switch entry.outcome {
    case .success(let image):
      fields += ["ok", "\(image.width)", "\(image.height)", "\(image.bytes)", image.sha256]
      if let file = image.file { fields += ["\(file.size)", String(file.hash, radix: 16)] }
      if let perceptualHash = image.perceptualHash { fields.append(perceptualHash) }
    case .failure(let cause):
      fields.append(cause.description)
    }
    if let cause = entry.replaced { fields.append("was \(cause)") }
    return fields.joined(separator: "\t")
  }

  static func decoded(_ content: Substring) -> Ledger.Entry? {
    var fields = content.split(separator: "\t", omittingEmptySubsequences: false)
    var replaced: FetchCause?
    if let last = fields.last, last.hasPrefix("was ") {
      guard let cause = FetchCause(String(last.dropFirst(4))) else { return nil }
      replaced = cause
      fields.removeLast()
    }
    guard fields.count >= 3, let row = Self.count(fields[0]) else { return nil }
    if fields.count == 3 {
      guard fields[1] == "-", let cause = FetchCause(String(fields[2])) else { return nil }
      return .init(row: row, number: nil, outcome: .failure(cause), replaced: replaced)
    }
    guard (7...10).contains(fields.count), fields[2] == "ok", let number = Self.count(fields[1]),
      let width = Self.count(fields[3]), let height = Self.count(fields[4]),
      let bytes = Self.count(fields[5])
    else { return nil }
    // Earlier versions did not write the stored file's size and hash.
    let hasFile = fields.count >= 9
    var file: StoredFile?
    if hasFile {
      guard let size = Self.count(fields[7]), let hash = UInt64(fields[8], radix: 16) else {
        return nil
      }
      file = StoredFile(size: size, hash: hash)
    }
    let image = StoredImage(
      width: width,
      height: height,
      bytes: bytes,
      sha256: String(fields[6]),
      perceptualHash: fields.count == 8 || fields.count == 10
        ? fields.last.map { String($0) } : nil,
      file: file
    )
    return .init(row: row, number: number, outcome: .success(image), replaced: replaced)
  }

  /// A count small enough for sums not to overflow: a ledger may come from anywhere.
  private static func count(_ digits: Substring) -> Int? {
    Int(digits).flatMap { (0...1 << 40).contains($0) ? $0 : nil }
  }
}
