/// One of several equal parts of a source, for machines that pack it together.
///
/// The items are those of one machine's range, in the order of the source: the parts' datasets merged in order
/// hold what one machine packs.
package struct SourceShard: ImageTextSource {
  private let source: any ImageTextSource
  private let index: Int
  private let shards: Int
  private let items: Range<Int>

  /// A part of a source.
  ///
  /// - Parameters:
  ///   - source: The whole.
  ///   - index: The part, from 0.
  ///   - shards: The number of parts.
  package init(_ source: any ImageTextSource, _ index: Int, of shards: Int) {
    precondition((0..<shards).contains(index), "shard \(index) of \(shards)")
    (self.source, self.index, self.shards) = (source, index, shards)
    items =
      Self.start(index, of: shards, source.count)..<Self.start(index + 1, of: shards, source.count)
  }

  /// The first item of a part: ⌊count · index / shards⌋, without overflow.
  private static func start(_ index: Int, of shards: Int, _ count: Int) -> Int {
    count / shards * index + count % shards * index / shards
  }

  package var count: Int { items.count }

  package var summary: String { "\(source.summary), shard \(index) of \(shards)" }

  package var identity: String { "\(source.identity)\nshard \(index) of \(shards)" }

  /// Those of the whole source, told by the first part.
  package var remarks: [PackReport.Dropped] { index == 0 ? source.remarks : [] }

  package func name(at index: Int) -> String { source.name(at: items.lowerBound + index) }

  package func stamp(at index: Int) -> String { source.stamp(at: items.lowerBound + index) }

  package func item(at index: Int) throws(DatasetError) -> ImageTextItem {
    try source.item(at: items.lowerBound + index)
  }
}
