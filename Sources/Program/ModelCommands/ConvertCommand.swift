import ArgumentParser
import CLIP
import Console
import Files
import Foundation
import Networks
import Sampling
import Snapshots
import Text
import Torch

/// The original's pickles ⇄ safetensors, and graphs of ONNX.
struct ConvertCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "convert",
    abstract: "Convert a snapshot between LAFITE's pickle and safetensors, or to ONNX.",
    discussion: """
      OUT ends in .pkl for a pickle that the original code loads, in
      .safetensors for that file and a config.json beside it, or names a
      folder for model.safetensors and config.json inside. Nothing is lost in
      either direction. Pickles are read without executing anything in them.
      A folder with its CLIP inside is all that nifty generate needs. With --card
      a model card goes into it, README.md with Hugging Face's front matter: what
      the snapshot and its run's folder say of data, training and scores.

      With OUT ending in .onnx other programs paint: the averaged generator with
      its mapping becomes a graph of ONNX, a CLIP its text tower. With --half
      weights are stored in float16; with --half-compute the blocks that the
      network itself runs in reduced precision compute in it, too.
      Documentation/guides/export.md has an example.

      EXAMPLES
        nifty convert network-snapshot-010000.pkl model
        nifty convert network-snapshot-010000.pkl coco.safetensors --ema-only --half
        nifty convert runs/00000-coco network-snapshot-025000.pkl
        nifty convert runs/00000-coco Models/coco --ema-only --half \\
          --clip clip.safetensors --card --license cc-by-4.0
        nifty convert network-snapshot-010000.pkl coco.onnx --half
        nifty convert clip.safetensors clip-text.onnx --half
      """
  )

  @Argument(
    help: "Snapshot of either format, run folder, or folder made by convert; for .onnx also a CLIP."
  )
  var input: String

  @Argument(help: "File ending in .pkl, .safetensors or .onnx, or a folder.")
  var output: String

  @Flag(help: "Keep only the averaged generator: enough to paint.")
  var emaOnly = false

  @Flag(help: "Store weights in half precision.")
  var half = false

  @Flag(
    help: "For .onnx: --half, and blocks that run in reduced precision compute in float16."
  )
  var halfCompute = false

  @Option(help: "CLIP that the network was trained with, to go into the folder.")
  var clip: String?

  @Flag(help: "Write a model card into the folder: README.md.")
  var card = false

  @Option(
    help:
      "Licence of the weights in the card, by its identifier; without it, \(ModelCard.unknownLicense)."
  )
  var license: String?

  func validate() throws {
    let name = URL(filePath: output).lastPathComponent
    if name.contains("."), !Self.isFile(output), !isFolder(output) {
      throw ValidationError(
        "OUT must end in .pkl, .safetensors or .onnx, or name a folder, not \(name)"
      )
    }
    if clip != nil, Self.isFile(output) {
      throw ValidationError("--clip goes into a folder, not beside \(name)")
    }
    if card, Self.isFile(output) {
      throw ValidationError("--card goes into a folder, not beside \(name)")
    }
    if let license, !card || !ModelCard.isLicense(license) {
      throw ValidationError(
        card
          ? "--license is an identifier of letters, digits, '.', '-' and '+', as cc-by-4.0, not '\(license)'"
          : "--license is for --card"
      )
    }
    if emaOnly, output.hasSuffix(Self.graphSuffix) {
      throw ValidationError(
        "--ema-only is for safetensors: a .onnx holds the averaged generator, or a CLIP's text tower, alone"
      )
    }
    if halfCompute, !output.hasSuffix(Self.graphSuffix) {
      throw ValidationError("--half-compute is for .onnx; for \(name) give --half")
    }
    if emaOnly, output.hasSuffix(".pkl") {
      throw ValidationError("--ema-only is for safetensors: the original needs G, D and G_ema")
    }
  }

  func run() throws {
    Runtime.threads = 1
    if output.hasSuffix(Self.graphSuffix) { return try exportGraph() }
    let location = try ModelLocation(input)
    let snapshot = try NetworkSnapshot(path: location.network)
    for name in snapshot.omittedSettings {
      Console.error("nifty: \(name) is an object of Python and is left out")
    }
    let target = Self.isFile(output) ? output : output + "/" + ModelLocation.modelName
    try expectOther(location.network, than: target)
    // Before anything is written.
    let card = self.card ? try modelCard(of: snapshot) : nil
    if !Self.isFile(output) { try makeFolder(output) }
    let notes = try clip.map { try addCLIP($0, of: snapshot) } ?? [:]
    try snapshot.convert(to: target, averageOnly: emaOnly, half: half, notes: notes)
    Console.line("wrote \(target), \(snapshot.imagesSeen / 1000) kimg")
    if let card { try write(card) }
  }

  private var cardPath: String { output + "/" + ModelCard.fileName }

  /// The model card, for a folder that has none.
  private func modelCard(of snapshot: NetworkSnapshot) throws -> ModelCard {
    try RegularFile.expect(at: cardPath)
    if FileManager.default.fileExists(atPath: cardPath) {
      throw FileError("write", path: cardPath, reason: "it is there already; move it away")
    }
    let precision = half ? "float16" : "float32"
    let parts = emaOnly ? "the averaged generator" : "the networks of the snapshot"
    var files = [(name: ModelLocation.modelName, what: "\(parts), \(precision)")]
    if clip != nil {
      files.append(
        (ModelLocation.clipName, "the CLIP that turns texts into features, \(precision)")
      )
    }
    files.append(("config.json", "shape of the networks"))
    return try ModelCard(
      of: snapshot,
      name: URL(filePath: output).standardizedFileURL.lastPathComponent,
      files: files,
      license: license ?? ModelCard.unknownLicense
    )
  }

  /// Writes the model card, and says what it could not know.
  private func write(_ card: ModelCard) throws {
    try AtomicFile.write(card.text, to: cardPath)
    let unknown = [
      license == nil ? "the licence (--license)" : nil,
      card.options == nil ? "how it was trained (the snapshot lies in no run's folder)" : nil,
      card.scores.isEmpty ? "scores (nifty metrics measures them)" : nil,
      card.unreadable == 0 ? nil : "\(Text.count(card.unreadable, "unreadable line")) of scores",
    ].compactMap(\.self)
    Console.line(
      "wrote \(cardPath)"
        + (unknown.isEmpty ? "" : "; it does not know " + unknown.joined(separator: ", "))
    )
  }

  /// Writes the CLIP into the folder.
  ///
  /// - Returns: What the network's file says about it.
  private func addCLIP(_ path: String, of snapshot: NetworkSnapshot) throws -> [String: String] {
    let model = try ClipModel(path: path)
    try model.expectMatch(snapshot)
    let target = output + "/" + ModelLocation.clipName
    try model.model.save(to: target, dtype: half ? .float16 : .float32)
    return ["clip": ModelLocation.clipName, "clip_sha256": try SHA256.digest(ofFile: target)]
  }

  private static func isFile(_ path: String) -> Bool {
    [".pkl", ".safetensors", graphSuffix].contains { path.hasSuffix($0) }
  }

  /// Refuses to replace what is read.
  func expectOther(_ source: String, than target: String) throws(FileError) {
    if resolved(target) == resolved(source) {
      throw FileError("write", path: target, reason: "it would replace what it is made from")
    }
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
