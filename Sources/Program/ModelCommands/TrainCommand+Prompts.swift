import CLIP
import Console
import Sampling
import Torch
import Training

extension TrainCommand {
  /// Copies the prompts into the run's folder: a continued run paints the same ones.
  func readPrompts(of options: inout TrainingOptions, continued: Bool) throws {
    // A new run by an earlier one's options reads the file again if it is named again.
    let isNamed = !continued && runFlags.prompts != nil
    guard let file = options.prompts, options.promptLines == nil || isNamed else { return }
    options.promptLines = try Prompts.lines(of: file)
  }

  func promptFeatures(_ options: TrainingOptions, _ model: ClipModel) throws -> Tensor? {
    guard let lines = options.promptLines, !lines.isEmpty else { return nil }
    if let note = model.noteOnLength(of: lines) { Console.error("--prompts: \(note)") }
    let features = try model.features(of: lines).normalized()
    let repeated = lines.indices.flatMap { [Int](repeating: $0, count: 4) }
    return features.gathered(0, repeated)
  }
}
