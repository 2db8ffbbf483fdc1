import Files
import Foundation

/// A missing model file.
package struct MissingWeights: Error, CustomStringConvertible {
  package let name: String
  package let folders: [String]

  private var remedy: String {
    PublishedWeights.all.first { $0.file == name }.map { "nifty fetch weights \($0.name)" }
      ?? "scripts/setup"
  }

  package var description: String {
    "cannot find \(name) in \(folders.joined(separator: " or ")); run \(remedy), "
      + "or name its folder in NIFTY_WEIGHTS"
  }
}

/// Model files of others that nifty uses: vocabularies and extractor weights.
package enum Weights {
  /// CLIP's byte-pair merges, decompressed.
  package static let vocabulary = "bpe_simple_vocab_16e6.txt"
  /// EfficientNet-Lite0, ImageNet.
  package static let efficientNet = "efficientnet-lite0-57934424.pth"
  /// Inception-v3 of the original TensorFlow graph, as TorchScript.
  package static let inception = "inception-2015-12-05.pt"
  /// OpenAI's CLIP ViT-B/32, as TorchScript.
  package static let clip = "ViT-B-32.pt"
  /// VGG-16 with LPIPS's weights, as TorchScript.
  package static let vgg16 = "vgg16.pt"

  /// The original's CLIP, OpenAI's ViT-B/32, if it was fetched.
  package static var standardCLIP: String? { try? path(clip) }
  /// The help's text on that default.
  package static let standardCLIPText = "\(clip), if it was fetched"
  /// Whether FID's detector was fetched.
  package static var hasInception: Bool { (try? path(inception)) != nil }

  /// The path of a file: in the folder that NIFTY_WEIGHTS names, else in `.deps/weights` of a folder above
  /// the program or the current one.
  package static func path(_ name: String) throws -> String {
    for folder in folders {
      let path = folder + "/" + name
      if FileManager.default.fileExists(atPath: path) { return path }
    }
    throw MissingWeights(name: name, folders: folders)
  }

  /// The destination of fetched weights.
  package static var folder: String { folders.first ?? "./.deps/weights" }

  private static var folders: [String] {
    let named = ProcessInfo.processInfo.environment["NIFTY_WEIGHTS"].map { [$0] } ?? []
    let all = pathsAbove(program: ".deps/weights")
    let present = all.filter { FileManager.default.fileExists(atPath: $0) }
    let here = FileManager.default.currentDirectoryPath + "/.deps/weights"
    return named + (present.isEmpty && named.isEmpty ? [here] : present)
  }
}
