import BasicAlgorithms
import Files
import Web

/// Decides which rows are requested: by the filter, the deny list, and earlier rows (duplicates).
///
/// The verdicts are deterministic, so that a continued run counts the dropped rows again by replaying them.
struct RowScreen {
  enum Verdict: Equatable {
    case dropped(RowFilter.Cause)
    /// Request the image; the caption is clean, its lines joined.
    case wanted(caption: String)
  }

  private let filter: RowFilter
  private let denied: DenyList
  private var seen = HashSet64()

  init(_ filter: RowFilter, denied: DenyList) {
    self.filter = filter
    self.denied = denied
  }

  mutating func judge(_ row: MetadataRow) -> Verdict {
    let caption = CaptionCleaner.lines(row.text ?? "")
    if let cause = filter.cause(row, caption: caption) { return .dropped(cause) }
    // An invalid address fails, and is counted, when it is requested.
    if let url = row.url.flatMap({ WebURL($0) }) {
      if denied.contains(url) { return .dropped(.denied) }
      if filter.dropsDuplicates, !seen.insert(FNV.hash(url.description.utf8)) {
        return .dropped(.duplicate)
      }
    }
    return .wanted(caption: caption.joined(separator: "\n"))
  }
}

/// A set of 64-bit hashes, 11 to 22 bytes each: tens of millions fit where strings would not.
///
/// Two of 13 million addresses share a hash with a probability of one in 200,000.
struct HashSet64 {
  // Open addressing with linear probing; 0 marks a free slot.
  private var slots: [UInt64] = Array(repeating: 0, count: 1024)
  private(set) var count = 0

  /// Adds a hash; `false` if it was there.
  mutating func insert(_ hash: UInt64) -> Bool {
    if count * 4 >= slots.count * 3 { grow() }
    return add(hash == 0 ? 1 : hash)
  }

  private mutating func add(_ hash: UInt64) -> Bool {
    let mask = slots.count - 1
    // FNV's low bits are its weakest: the high ones choose the slot.
    var slot = Int(truncatingIfNeeded: (hash &* 0x9E37_79B9_7F4A_7C15) >> 20) & mask
    while slots[slot] != 0 {
      if slots[slot] == hash { return false }
      slot = (slot + 1) & mask
    }
    slots[slot] = hash
    count += 1
    return true
  }

  private mutating func grow() {
    let old = slots
    slots = Array(repeating: 0, count: old.count * 2)
    count = 0
    for hash in old where hash != 0 { _ = add(hash) }
  }
}
