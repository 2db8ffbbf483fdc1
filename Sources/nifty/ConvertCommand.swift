import ArgumentParser
import Files
import Foundation
import Snapshots
import Torch

/// The original's pickles ⇄ safetensors.
struct ConvertCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "convert",
    abstract: "Convert a snapshot between LAFITE's pickle and safetensors.",
    discussion: """
      OUT ends in .pkl for a pickle that the original code loads, in
      .safetensors for that file and a config.json beside it, or names a
      folder for model.safetensors and config.json inside. Nothing is lost in
      either direction. Pickles are read without executing anything in them.

      EXAMPLES
        nifty convert network-snapshot-010000.pkl model
        nifty convert network-snapshot-010000.pkl coco.safetensors --ema-only --half
        nifty convert runs/00000-coco network-snapshot-025000.pkl
      """
  )

  @Argument(help: "Snapshot of either format, run folder, or folder made by convert.")
  var input: String

  @Argument(help: "File ending in .pkl or .safetensors, or a folder.")
  var output: String

  @Flag(help: "Keep only the averaged generator: enough to paint.")
  var emaOnly = false

  @Flag(help: "Store weights in half precision.")
  var half = false

  /// The name of the file in a folder that is made.
  static let modelName = "model.safetensors"

  func validate() throws {
    let name = URL(filePath: output).lastPathComponent
    if name.contains("."), !Self.isFile(output), !isFolder(output) {
      throw ValidationError("OUT must end in .pkl or .safetensors, or name a folder, not \(name)")
    }
    if emaOnly, output.hasSuffix(".pkl") {
      throw ValidationError("--ema-only is for safetensors: the original needs G, D and G_ema")
    }
  }

  func run() throws {
    Runtime.threads = 1
    let place = try ModelPlace(input)
    let snapshot = try NetworkSnapshot(path: place.network)
    for name in snapshot.omittedSettings {
      Console.error("nifty: \(name) is an object of Python and is left out")
    }
    let target = Self.isFile(output) ? output : output + "/" + Self.modelName
    guard resolved(target) != resolved(place.network) else {
      throw FileError("write", path: target, reason: "it would replace what it is made from")
    }
    if !Self.isFile(output) { try makeFolder() }
    try snapshot.convert(to: target, averageOnly: emaOnly, half: half)
    Console.line("wrote \(target), \(snapshot.imagesSeen / 1000) kimg")
  }

  private func makeFolder() throws {
    do {
      try FileManager.default.createDirectory(atPath: output, withIntermediateDirectories: true)
    } catch {
      let reason = "not writable, or a file is in the way"
      throw FileError("create folder", path: output, reason: reason)
    }
  }

  private static func isFile(_ path: String) -> Bool {
    path.hasSuffix(".pkl") || path.hasSuffix(".safetensors")
  }

  private func isFolder(_ path: String) -> Bool {
    var isFolder: ObjCBool = false
    return FileManager.default.fileExists(atPath: path, isDirectory: &isFolder)
      && isFolder.boolValue
  }

  private func resolved(_ path: String) -> String {
    URL(filePath: path).resolvingSymlinksInPath().path
  }
}
