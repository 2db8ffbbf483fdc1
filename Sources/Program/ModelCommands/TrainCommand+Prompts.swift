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

  /// Features of the prompts, [4 P, F] for P prompts, unit length; `nil` without prompts.
  ///
  /// Nothing else of a run needs the text tower, which leaves the memory again.
  func promptFeatures(_ options: TrainingOptions, on device: Device) throws -> Tensor? {
    guard let lines = options.promptLines, !lines.isEmpty else { return nil }
    let model = try ClipModel(path: options.clip, device: device, towers: .texts)
    if let note = model.noteOnLength(of: lines) { Console.error("--prompts: \(note)") }
    let features = try model.features(of: lines).normalized()
    let repeated = lines.indices.flatMap { [Int](repeating: $0, count: 4) }
    return features.gathered(0, repeated)
  }
}
