/// Seeds as StyleGAN's commands write them: `0,3,10-15`; at most 10,000 of them.
package struct SeedList: CustomStringConvertible {
  /// The seeds in the order given.
  package let seeds: [UInt64]

  private static let most = 10_000

  /// The list as it is typed.
  package let description: String

  /// The seeds of a range.
  package init(_ range: ClosedRange<UInt64>) {
    seeds = Array(range)
    description = "\(range.lowerBound)-\(range.upperBound)"
  }

  /// The seeds that a text lists; `nil` where it is no list, or one of too many.
  package init?(argument: String) {
    var seeds: [UInt64] = []
    for part in argument.split(separator: ",", omittingEmptySubsequences: false) {
      let ends = part.split(separator: "-", omittingEmptySubsequences: false).map { UInt64($0) }
      guard (1...2).contains(ends.count), let first = ends[0], let last = ends[ends.count - 1],
        first <= last, last - first < UInt64(Self.most - seeds.count)
      else { return nil }
      seeds += first...last
    }
    self.seeds = seeds
    description = argument
  }
}
