import Datasets
import Files
import Foundation
import HTTPTypes
import JSON
import Synchronization

/// The packed sets of runs, opened on demand.
final class RunData: Sendable {
  private let opened = Mutex(RecentValues<String, PackedDataset>(capacity: 16))

  /// The number of pictures on a contact sheet.
  private static let samples = 24
  /// The most shown characters of a caption.
  private static let longestCaption = 300

  /// The paths of the sets in a run's options.
  static func paths(of folder: String) throws -> [String] {
    let text = try OpenedFile(folder + "/training_options.json").text(upTo: 4 << 20)
    guard let data = OptionValue(json: text)?["nifty"]?["data"] else { return [] }
    if case .list(let items) = data { return items.compactMap(\.string) }
    return data.string.map { [$0] } ?? []
  }

  /// One set of a run.
  ///
  /// - Throws: `RequestError` if there is no such set, or it cannot be read.
  func set(_ number: Int, of folder: String) throws -> PackedDataset {
    let paths = try Self.paths(of: folder)
    guard paths.indices.contains(number) else {
      throw RequestError("the run has no set \(number)", status: .notFound)
    }
    return try open(paths[number])
  }

  /// The sets with a few pictures of each, spread over the set, and their captions.
  func sheet(of folder: String) throws -> OptionValue {
    let paths = try Self.paths(of: folder)
    let each = max(Self.samples / max(paths.count, 1), 1)
    let sets = paths.prefix(Self.samples).map { path -> OptionValue in
      let name = OptionValue.string(URL(filePath: path).lastPathComponent)
      do {
        return try Self.summary(try open(path), samples: each).adding("name", name)
      } catch {
        // A missing set does not hide the others.
        return ["name": name, "trouble": .string("\(error)")]
      }
    }
    return ["sets": .list(sets), "count": .int(paths.count)]
  }

  private static func summary(_ set: PackedDataset, samples: Int) throws -> OptionValue {
    let count = min(samples, set.count)
    let shown = try (0..<count).map { number -> OptionValue in
      // One of each stratum, at golden-ratio offsets, which do not align with periods of the set.
      let offset = (Double(number) * 0.618_034).truncatingRemainder(dividingBy: 1)
      let position = Double(number) + offset
      let index = min(Int(position * Double(set.count) / Double(count)), set.count - 1)
      return ["index": .int(index), "captions": try captions(set, index)]
    }
    let dropped = set.manifest?.dropped.sorted { ($0.value, $0.key) > ($1.value, $1.key) } ?? []
    return [
      "images": .int(set.count), "resolution": .int(set.resolution),
      "captions": .int(set.manifest?.captionCount ?? set.captionCount),
      "left_out": .list(
        dropped.map { ["cause": .string($0.key), "images": .int($0.value)] }
      ),
      "samples": .list(shown),
    ]
  }

  /// The captions of a picture, as they are shown.
  static func captions(_ set: PackedDataset, _ index: Int) throws -> OptionValue {
    .list(
      try set.captions(at: index).prefix(5).map { .string(String($0.prefix(longestCaption))) }
    )
  }

  private func open(_ path: String) throws -> PackedDataset {
    do {
      let set = try opened.withLock { $0[path] } ?? PackedDataset(path, requiresFeatures: false)
      opened.withLock { $0[path] = set }
      return set
    } catch {
      throw RequestError("\(error)", status: .notFound, code: "unreadable")
    }
  }
}
