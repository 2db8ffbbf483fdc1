import Foundation
import JSON
import Snapshots
import TestSupport
import Testing
import Training

@testable import ModelCommands

@Suite("The model card")
struct ModelCardTests {
  private static let snapshot = Repository.path(
    "Tests/Model/SnapshotsTests/Fixtures/network-snapshot-000012.pkl"
  )

  private func card(
    _ path: String,
    name: String = "coco",
    license: String = "mit"
  ) throws -> ModelCard {
    try ModelCard(
      of: try NetworkSnapshot(path: path),
      name: name,
      files: [("model.safetensors", "weights")],
      license: license
    )
  }

  @Test func `of a snapshot alone it says what is not known`() throws {
    let card = try card(Self.snapshot)
    let lines = card.text.split(separator: "\n", omittingEmptySubsequences: false)
    #expect(
      lines.prefix(8) == [
        "---", "license: mit", "pipeline_tag: text-to-image", "library_name: nifty", "tags:",
        "- lafite",
        "- stylegan2", "- clip",
      ]
    )
    #expect(lines[8] == "---" && lines[10] == "# coco")
    #expect(card.text.contains("how it was trained is not known here"))
    #expect(card.text.contains("No score of this snapshot was recorded."))
    #expect(card.text.contains("| `model.safetensors` | weights |"))
  }

  @Test func `of a run it states data, training and the scores of this snapshot`() throws {
    let folder = try TemporaryFolder()
    let path = folder.file("network-snapshot-000012.pkl")
    try FileManager.default.copyItem(atPath: Self.snapshot, toPath: path)
    var options = TrainingOptions(trainer: TrainerConfiguration(resolution: 16))
    options.data = ["/data/a \"b\".zip", "/data/c|`d`.zip"]
    options.imageCount = 1234
    options.clip = "/models/clip.safetensors"
    options.resume = "/runs/network-snapshot-000004.pkl"
    options.trainer.losses.mixingProb = 0.25
    options.trainer.batchSize = 8
    try folder.write(
      Array(options.json(runFolder: folder.path).prettyJSON.utf8),
      to: "training_options.json"
    )
    func line(_ value: String, _ kimg: String) -> String {
      #"{"results": {"fid50k_full": \#(value)}, "snapshot_pkl": "network-snapshot-0000\#(kimg).pkl"}"#
    }
    let scores = [line("30.5", "12"), line("12.5", "08"), line("null", "16"), "{"]
    try folder.write(Array(scores.joined(separator: "\n").utf8), to: "metric-fid50k_full.jsonl")
    let card = try card(path)
    #expect(card.unreadable == 1)
    let text = card.text
    for part in [
      "datasets:\n- \"a \\\"b\\\"\"\n- \"c|`d`\"\n", "metrics:\n- \"fid50k_full\"\n",
      "    - type: \"fid50k_full\"\n      value: 30.5\n---\n", "| data | `a \"b\"`, `c__d_` |",
      "| images | 1234 of", "| condition | captions; pseudo text of the images for 25.0 % |",
      ", 8 a step |", "| CLIP | `clip.safetensors` |",
      "| begun from | `network-snapshot-000004.pkl` |",
      "| `fid50k_full` | 30.50 |",
    ] {
      #expect(text.contains(part), "\(part)\n\(text)")
    }
    #expect(!text.contains("12.5"))
    try folder.write(Array("{".utf8), to: "training_options.json")
    #expect(throws: (any Error).self) { try self.card(path) }
  }

  @Test(arguments: [
    ("cc-by-4.0", true), ("GPL-3.0+", true), ("", false), ("a b", false), ("a\nb: c", false),
    ("é", false),
    (String(repeating: "a", count: 65), false),
  ])
  func `a licence is an identifier`(text: String, isOne: Bool) {
    #expect(ModelCard.isLicense(text) == isOne)
  }
}
