import Datasets
import Files
import Foundation

/// The image and caption files of a split in any layout: a folder, tar shards, or a packed dataset.
struct StoredPairs {
  let folder: String

  /// One file of a pair.
  struct File {
    /// The file's name, after its shard's.
    let name: String
    /// The pair's number.
    let number: Int
    let isCaption: Bool
    /// Whether the pair has a caption file.
    let hasCaption: Bool
    /// Valid during the visit.
    let bytes: UnsafeRawBufferPointer
  }

  private static let imageSuffixes = Set(SplitFolder.imageSuffixes)

  /// Visits every file once, in the order of names.
  func visit(_ body: (File) -> Void) throws(FileError) {
    let names = try listFolder(ifThere: folder)
    let captions = Set(names.filter { $0.hasSuffix(".txt") })
    for name in names {
      guard let (number, suffix) = Self.parts(name), suffix != "tar" else { continue }
      let file = try MappedFile("\(folder)/\(name)")
      body(
        File(
          name: name,
          number: number,
          isCaption: suffix == "txt",
          hasCaption: captions.contains("\(number).txt"),
          bytes: file.bytes
        )
      )
      withExtendedLifetime(file) {}
    }
    for name in names where name.hasSuffix(".tar") { try visit(shard: name, body) }
    if access(folder + ".zip", F_OK) == 0 { try visit(dataset: folder + ".zip", body) }
  }

  private func visit(dataset path: String, _ body: (File) -> Void) throws(FileError) {
    do throws(DatasetError) {
      let set = try PackedDataset(path, requiresFeatures: false)
      for number in 0..<set.count {
        let name = set.name(at: number)
        let caption = try set.captions(at: number).joined(separator: "\n")
        for (bytes, isCaption) in [
          (try set.encodedImage(at: number), false), (Array(caption.utf8), true),
        ] {
          bytes.withUnsafeBytes { bytes in
            body(
              File(
                name: name,
                number: number,
                isCaption: isCaption,
                hasCaption: !caption.isEmpty,
                bytes: bytes
              )
            )
          }
        }
      }
    } catch .file(let error) {
      throw error
    } catch {
      throw FileError("read", path: path, reason: error.description)
    }
  }

  private func visit(shard: String, _ body: (File) -> Void) throws(FileError) {
    let file = try MappedFile("\(folder)/\(shard)")
    defer { withExtendedLifetime(file) {} }
    let tar = TarShard(MappedBytes(file))
    // A shard that is still being filled has no end yet.
    if !shard.hasPrefix("."), !tar.isFinished {
      let reason = "it is torn after \(tar.members.count) entries"
      throw FileError("read", path: file.path, reason: reason)
    }
    let names = Set(tar.members.map(\.name))
    for (name, content) in tar.members {
      guard let (number, suffix) = Self.parts(name) else { continue }
      body(
        File(
          name: "\(shard)/\(name)",
          number: number,
          isCaption: suffix == "txt",
          hasCaption: names.contains(name.dropLast(suffix.count) + "txt"),
          bytes: UnsafeRawBufferPointer(rebasing: file.bytes[content])
        )
      )
    }
  }

  /// The number and the ending of a pair's file; `nil` for other files.
  private static func parts(_ name: String) -> (number: Int, suffix: String)? {
    let parts = name.split(separator: ".", omittingEmptySubsequences: false)
    guard parts.count == 2, let number = Int(parts[0]), number >= 0 else { return nil }
    let suffix = String(parts[1])
    return suffix == "txt" || imageSuffixes.contains(suffix) ? (number, suffix) : nil
  }
}
