/// The ids that a small collection of captions uses, numbered without gaps.
///
/// A CLIP that is trained from scratch on a thousand captions would otherwise carry, and its optimiser
/// update, 49,408 embedding rows of which a few thousand ever occur. The order of ids is kept, so the
/// end mark stays the largest and padding stays 0. Single bytes are always included: any text can be
/// written in any vocabulary.
public struct CompactVocabulary: Codable, Equatable, Sendable {
  /// The ids of the full vocabulary, ascending; their indices are the compact ids.
  public let ids: [Int]
  /// Size of the full vocabulary.
  public let fullSize: Int
  private let denseIDs: [Int: Int]

  /// Number of compact ids.
  public var count: Int { ids.count }

  /// A vocabulary of the ids `used`, all single bytes, and the start and end marks.
  ///
  /// - Parameters:
  ///   - used: Ids of the full vocabulary.
  ///   - fullSize: Its size, at least 514.
  public init(used: some Sequence<Int>, fullSize: Int) {
    precondition(fullSize >= 514, "a vocabulary of \(fullSize) ids lacks bytes or marks")
    let all = Set(used).union(0..<512).union([fullSize - 2, fullSize - 1])
    precondition(all.allSatisfy { 0..<fullSize ~= $0 }, "ids beyond the vocabulary of \(fullSize)")
    self.init(sorted: all.sorted(), fullSize: fullSize)
  }

  /// The compact id of a full one, if it is included.
  public subscript(fullID: Int) -> Int? { denseIDs[fullID] }

  private init(sorted: [Int], fullSize: Int) {
    ids = sorted
    self.fullSize = fullSize
    denseIDs = Dictionary(uniqueKeysWithValues: zip(sorted, sorted.indices))
  }

  private enum CodingKeys: CodingKey { case ids, fullSize }

  /// Reads a vocabulary and checks that it is one.
  public init(from decoder: any Decoder) throws {
    let container = try decoder.container(keyedBy: CodingKeys.self)
    let ids = try container.decode([Int].self, forKey: .ids)
    let fullSize = try container.decode(Int.self, forKey: .fullSize)
    let ascending = zip(ids, ids.dropFirst()).allSatisfy { $0 < $1 }
    guard 514...1_000_000 ~= fullSize, ids.count >= 514, ascending,
      ids[511] == 511, ids[0] == 0, ids.suffix(2) == [fullSize - 2, fullSize - 1]
    else { throw CLIPError.configuration("a compact vocabulary without all bytes and marks") }
    self.init(sorted: ids, fullSize: fullSize)
  }

  /// Writes the ids and the full size.
  public func encode(to encoder: any Encoder) throws {
    var container = encoder.container(keyedBy: CodingKeys.self)
    try container.encode(ids, forKey: .ids)
    try container.encode(fullSize, forKey: .fullSize)
  }
}
