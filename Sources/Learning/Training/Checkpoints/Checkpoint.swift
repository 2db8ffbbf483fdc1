import Files
import Foundation
import Text
package import Torch

/// A checkpoint on the disk: a folder with a state, tensors, and a manifest with their sizes and checksums.
package struct Checkpoint {
  /// The run's state beside the tensors.
  package let state: RunState
  /// Its tensors.
  package let tensors: SafeTensors

  private static let (manifestName, stateName, tensorsName) = (
    "manifest.json", "state.json", "tensors.safetensors"
  )

  /// Opens a checkpoint and verifies all of it.
  ///
  /// - Throws: An error of one line if anything is missing, of another size, or changed.
  package init(at path: String) throws {
    let manifest = try Manifest(contentsOf: "\(path)/\(Self.manifestName)")
    for name in [Self.stateName, Self.tensorsName] {
      let file = try MappedFile("\(path)/\(name)")
      try withExtendedLifetime(file) {
        guard let entry = manifest.files[name] else {
          throw TrainingError.checkpoint("its manifest does not list \(name)")
        }
        guard file.bytes.count == entry.bytes else {
          throw TrainingError.checkpoint(
            "\(name) has \(file.bytes.count) bytes instead of \(entry.bytes)"
          )
        }
        guard entry.hasChecksum(of: file.bytes) else {
          throw TrainingError.checkpoint("the checksum of \(name) differs")
        }
      }
    }
    let json = try MappedFile("\(path)/\(Self.stateName)")
    let text = withExtendedLifetime(json) { String(decoding: json.bytes, as: UTF8.self) }
    state = try RunState(json: text)
    tensors = try SafeTensors(path: "\(path)/\(Self.tensorsName)")
    try state.validate()
  }

  /// Writes a checkpoint into an existing, empty folder; the manifest comes last.
  ///
  /// - Throws: `FileError` if it cannot be written.
  package static func write(
    _ state: RunState,
    _ loan: StateLoan,
    to path: String
  ) throws {
    let json = Array(try state.json.utf8)
    try AtomicFile.write(json, to: "\(path)/\(stateName)")
    let tensors = try SafeTensors.write(
      loan.drafts,
      metadata: ["format": "nifty-checkpoint"],
      to: "\(path)/\(tensorsName)"
    )
    var manifest = Manifest(imagesSeen: state.trainer.imagesSeen)
    manifest.files = [
      stateName: Manifest.Entry(bytes: json.count, json.withUnsafeBytes(CRC32.of)),
      tensorsName: Manifest.Entry(bytes: tensors.bytes, tensors.checksum),
    ]
    try AtomicFile.write(try manifest.json, to: "\(path)/\(manifestName)")
  }
}

/// The manifest of a checkpoint: sizes and checksums of its files.
private struct Manifest: Codable {
  struct Entry: Codable {
    let bytes: Int
    /// Of format 2.
    let crc32: String?
    /// Of format 1.
    let crc32c: String?

    init(bytes: Int, _ checksum: UInt32) {
      self.bytes = bytes
      crc32 = Self.hexadecimal(checksum)
      crc32c = nil
    }

    func hasChecksum(of bytes: UnsafeRawBufferPointer) -> Bool {
      if let crc32 { return crc32 == Self.hexadecimal(CRC32.of(bytes)) }
      return crc32c == Self.hexadecimal(CRC32C.of(bytes))
    }

    private static func hexadecimal(_ checksum: UInt32) -> String {
      zeroPadded(checksum, to: 8, radix: 16)
    }
  }

  /// 2; version 0.1 wrote 1.
  var format = 2
  var imagesSeen: Int
  var files: [String: Entry] = [:]

  private enum CodingKeys: String, CodingKey {
    case format, files
    case imagesSeen = "images_seen"
  }

  init(imagesSeen: Int) { self.imagesSeen = imagesSeen }

  init(contentsOf path: String) throws {
    let file = try MappedFile(path)
    guard file.bytes.count <= 1 << 20,
      let manifest = try? JSONDecoder().decode(Self.self, from: file.withBytes { Data($0) })
    else { throw TrainingError.checkpoint("its manifest.json cannot be read") }
    guard (1...2).contains(manifest.format) else {
      throw TrainingError.stopped(
        "\(path) has format \(manifest.format), this version reads formats 1 and 2; go on with the nifty "
          + "that wrote it"
      )
    }
    self = manifest
  }

  var json: String {
    get throws {
      let encoder = JSONEncoder()
      encoder.outputFormatting = [.prettyPrinted, .sortedKeys]
      return String(decoding: try encoder.encode(self), as: UTF8.self) + "\n"
    }
  }
}
