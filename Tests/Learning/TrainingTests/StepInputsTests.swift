import CLIP
import Datasets
import Distributed
import Networks
import TestSupport
import Testing
import Torch

@testable import Training

/// What a step reads is checked against each other before a run begins.
@Suite("Inputs of a step")
struct StepInputsTests {
  private let folder: TemporaryFolder
  private let model: ClipModel

  init() throws {
    folder = try TemporaryFolder()
    model = try tinyClipModel(at: folder.file("clip.safetensors"))
  }

  private func complaint(width: Int, maker: String?, mapper: String? = nil) throws -> String {
    try TinyRun.pack(folder.file("data.zip"), width: width, maker: maker)
    var options = TrainingOptions(trainer: tinyTrainer(seed: 5))
    (options.data, options.clip) = (["data.zip"], "clip.safetensors")
    options.textMapper = mapper.map(folder.file)
    let set = try TrainingSet([PackedDataset(folder.file("data.zip"))])
    do {
      _ = try StepInputs(options, set, model, on: .cpu, .alone)
      return ""
    } catch { return "\(error)" }
  }

  @Test func `features of another width are refused with both widths`() throws {
    #expect(
      try complaint(width: 7, maker: model.sha256)
        == "data.zip has features of 7 numbers, clip.safetensors makes 6; pack again with --clip "
        + "clip.safetensors, or train with the CLIP that packed it"
    )
  }

  @Test func `features of another CLIP are refused with its name`() throws {
    #expect(
      try complaint(width: 6, maker: "00")
        == "the features in data.zip were made by another CLIP (none) than clip.safetensors; pack "
        + "again with --clip clip.safetensors, or train with the other"
    )
  }

  @Test func `a mapper of another width or CLIP is refused`() throws {
    for (name, width, maker) in [
      ("wide", 7, model.sha256), ("other", 6, "00"), ("own", 6, model.sha256),
    ] {
      try TextMapper(.init(featureDimension: width), random: SeededRandom(seed: 1)).save(
        to: folder.file(name),
        notes: ["clip": "ViT-B/32", "clip_sha256": maker]
      )
    }
    let wide = try complaint(width: 6, maker: model.sha256, mapper: "wide")
    #expect(wide == "\(folder.file("wide")) maps features of 7 numbers, the data has 6")
    let other = try complaint(width: 6, maker: model.sha256, mapper: "other")
    #expect(
      other
        == "\(folder.file("other")) was made for another CLIP (ViT-B/32) than clip.safetensors"
    )
    #expect(try complaint(width: 6, maker: model.sha256, mapper: "own") == "")
  }
}
