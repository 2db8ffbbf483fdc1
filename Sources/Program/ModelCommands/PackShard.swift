import ArgumentParser
import Foundation

/// One machine's part of a packing, as `--shard 2/10`.
struct PackShard: ExpressibleByArgument, Equatable {
  /// The part, from 0.
  let index: Int
  /// The number of parts.
  let count: Int

  /// The most parts.
  private static let most = 1_000_000

  init?(argument: String) {
    let numbers = argument.split(separator: "/", omittingEmptySubsequences: false).map { Int($0) }
    guard numbers.count == 2, let index = numbers[0], let count = numbers[1],
      (1...Self.most).contains(count), (0..<count).contains(index)
    else { return nil }
    (self.index, self.count) = (index, count)
  }

  /// Every n-th of several sources.
  func sources(of all: [String]) -> [String] {
    all.enumerated().filter { $0.offset % count == index }.map(\.element)
  }

  /// The part's own file beside that of the whole: `coco-2-of-10.zip` of `coco.zip`.
  func path(of whole: String) -> String {
    let url = URL(filePath: whole)
    let ending = url.pathExtension
    let stem = ending.isEmpty ? whole : String(whole.dropLast(ending.count + 1))
    return "\(stem)-\(index)-of-\(count)" + (ending.isEmpty ? "" : ".\(ending)")
  }
}
