import Images
import Text

/// Finds stored pictures whose perceptual hash is near that of a new one.
///
/// The bits are split into one band more than bits may differ. Two near hashes agree in at least one band,
/// so only hashes with an equal band are compared.
struct NearDuplicates {
  /// Bits that may differ.
  let threshold: Int

  private var hashes: [PerceptualHash] = []
  /// For each band, the last hash of each key; and for each hash the one before it with its key.
  private var latest: [[Int32]]
  private var earlier: [[Int32]]

  private static let keys = 1 << 16
  private static let none: Int32 = -1

  init(threshold: Int) {
    precondition((0..<PerceptualHash.bitCount).contains(threshold), "threshold \(threshold)")
    self.threshold = threshold
    latest = Array(repeating: Array(repeating: Self.none, count: Self.keys), count: threshold + 1)
    earlier = Array(repeating: [], count: threshold + 1)
  }

  /// Adds a hash, unless an earlier one is near.
  ///
  /// - Returns: Whether it was added.
  mutating func insert(_ hash: PerceptualHash) -> Bool {
    let keys = latest.indices.map { key(of: hash, band: $0) }
    for (band, key) in keys.enumerated() {
      var index = latest[band][key]
      while index != Self.none {
        if hashes[Int(index)].distance(to: hash) <= threshold { return false }
        index = earlier[band][Int(index)]
      }
    }
    for (band, key) in keys.enumerated() {
      earlier[band].append(latest[band][key])
      latest[band][key] = Int32(hashes.count)
    }
    hashes.append(hash)
    return true
  }

  /// The bits of a band, folded to 16 where there are more.
  private func key(of hash: PerceptualHash, band: Int) -> Int {
    let start = band * PerceptualHash.bitCount / latest.count
    let end = (band + 1) * PerceptualHash.bitCount / latest.count
    var key: UInt64 = 0
    for bit in start..<end {
      let word = bit < 64 ? hash.rows : hash.columns
      key = key << 1 | (word >> UInt64(bit % 64) & 1)
      if bit - start >= 16 { key = (key & 0xFFFF) ^ (key >> 16) &* 0x9E37 & 0xFFFF }
    }
    return Int(key & 0xFFFF)
  }
}

extension PerceptualHash {
  /// 32 hexadecimal digits, as the ledger has them.
  var text: String {
    [rows, columns].map { zeroPadded($0, to: 16, radix: 16) }.joined()
  }

  /// The hash of 32 hexadecimal digits.
  init?(_ text: String) {
    guard text.utf8.count == 32, let rows = UInt64(text.prefix(16), radix: 16),
      let columns = UInt64(text.dropFirst(16), radix: 16)
    else { return nil }
    self.init(rows: rows, columns: columns)
  }
}
