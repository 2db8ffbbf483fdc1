import Files
import Foundation

/// A model file that is not on this machine.
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

/// Files that nifty needs and does not make: vocabularies and extractor weights.
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

  /// The CLIP that the original works with, OpenAI's ViT-B/32, if it was fetched.
  package static var standardCLIP: String? { try? path(clip) }
  /// What a help says of that default.
  package static let standardCLIPText = "\(clip), if it was fetched"
  /// Whether the detector of FID was fetched.
  package static var hasInception: Bool { (try? path(inception)) != nil }

  /// The path of a file: in the folder that NIFTY_WEIGHTS names, else, and for what is not there, in
  /// `.deps/weights` of a folder above the program or the current one.
  package static func path(_ name: String) throws -> String {
    for folder in folders {
      let path = folder + "/" + name
      if FileManager.default.fileExists(atPath: path) { return path }
    }
    throw MissingWeights(name: name, folders: folders)
  }

  /// Where fetched weights go.
  package static var folder: String { folders.first ?? "./.deps/weights" }

  private static var folders: [String] {
    let named = ProcessInfo.processInfo.environment["NIFTY_WEIGHTS"].map { [$0] } ?? []
    let all = pathsAbove(program: ".deps/weights")
    let present = all.filter { FileManager.default.fileExists(atPath: $0) }
    let here = FileManager.default.currentDirectoryPath + "/.deps/weights"
    return named + (present.isEmpty && named.isEmpty ? [here] : present)
  }
}
