public import ArgumentParser
package import CLIP
import Console
import Files
import Foundation
import Networks
import Snapshots
import Torch
import TorchNN

/// Published CLIP weights → a file that states everything about itself.
struct ClipConvertCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "convert",
    abstract: "Rewrite a published CLIP as a safetensors file of nifty's.",
    discussion: """
      Every command takes published files as they are: OpenAI's ViT-B-32.pt,
      safetensors of Hugging Face and OpenCLIP. Converting is for what weights do
      not tell: models of OpenCLIP that were trained on LAION use the exact GELU,
      OpenAI's a quick approximation. A config.json or open_clip_config.json
      beside the file decides; without one, say it with --activation.

      The new file is another file: datasets packed with the old one belong to
      the old one.

      EXAMPLES
        nifty clip convert ViT-B-32.pt --out clip.safetensors
        nifty clip convert open_clip_model.safetensors --activation gelu \\
          --out laion-clip.safetensors
      """
  )

  @Argument(help: "File of a CLIP.") var file: String
  @Option(help: "The file to write.") var out: String
  @Option(help: "Activation: quick-gelu or gelu.") var activation: CLIPActivation?

  func validate() throws {
    if out.hasSuffix(ConvertCommand.graphSuffix) {
      throw ValidationError("a text tower as ONNX is written by: nifty convert \(file) \(out)")
    }
  }

  func run() throws {
    try OutputName.expectFile(out, "safetensors")
    try RegularFile.expectPlace(for: out)
    if URL(filePath: out).resolvingSymlinksInPath() == URL(filePath: file).resolvingSymlinksInPath()
    {
      throw FileError("write", path: out, reason: "it would replace what it is made from")
    }
    let read = try CLIPFile(file, activation: activation)
    let shape = read.model.configuration
    try read.model.save(to: out)
    Console.line(
      "\(out): \(read.model.parameterCount) parameters, images of \(shape.imageResolution)², "
        + "features of \(shape.embedDimension) numbers, "
        + "\((shape.activation ?? .quickGELU).rawValue) (\(read.origin))"
    )
  }
}

extension CLIPActivation: ExpressibleByArgument {}
