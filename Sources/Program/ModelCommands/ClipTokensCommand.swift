import ArgumentParser
import CLIP
import Console
import Torch

/// Texts → the numbers that a CLIP's text tower reads.
struct ClipTokensCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "tokens",
    abstract: "Print the token ids of texts, as a text tower in ONNX takes them.",
    discussion: """
      Prints a line for each text: a JSON array as long as the model's context,
      start mark, text, end mark, filled up with zeros. The ends of longer texts
      are left out, and a note says so. A tokenizer elsewhere, as in a browser,
      can be compared with it.

      EXAMPLES
        nifty clip tokens ViT-B-32.pt "a red heart"
        nifty clip tokens Models/emoji/clip.safetensors "red heart" 赤いハート
      """
  )

  @Argument(help: "File of a CLIP.") var file: String
  @Argument(help: "Texts.") var texts: [String]

  func run() throws {
    Runtime.threads = 1
    let model = try ClipModel(path: file, towers: .texts)
    if let note = model.noteOnLength(of: texts, "texts") { Console.error("nifty: \(note)") }
    for ids in try model.tokens(of: texts) {
      Console.line("[" + ids.map(String.init).joined(separator: ",") + "]")
    }
  }
}
