import CLIP
import Datasets
import Distributed
import Foundation
import Networks
import TestSupport
import Testing
import Torch
import TorchTestSupport

@testable import Training

/// The captions of which pseudo text is retrieved, from files.
@Suite("Text corpus")
struct TextCorpusTests {
  private let folder: TemporaryFolder
  private let model: ClipModel
  private var clip: String { folder.file("clip.safetensors") }

  init() throws {
    folder = try TemporaryFolder()
    model = try tinyClipModel(at: folder.file("clip.safetensors"))
  }

  private func complaint(_ path: String) -> String {
    do {
      _ = try TextCorpus(path, clip: clip, on: .cpu)
      return ""
    } catch { return "\(error)" }
  }

  @Test func `lines of a text file are captions, and long ones are said`() throws {
    let lines = (0..<300).map { "caption \($0)" } + [String(repeating: "long ", count: 100)]
    let path = folder.file("names.txt")
    try Data((lines.joined(separator: "\n") + "\n\n").utf8).write(to: URL(filePath: path))
    let corpus = try TextCorpus(path, clip: clip, on: .cpu)
    expectClose(
      corpus.features,
      try model.features(of: lines).normalized(),
      rtol: 1e-5,
      atol: 1e-6
    )
    #expect(
      corpus.notes == [
        "pseudo text is retrieved from 301 captions of \(path)",
        "\(path): captions longer than the 77 tokens that CLIP reads, whose ends are left out: "
          + "1 of 301",
      ]
    )
  }

  @Test func `captions of packed data are those of all its images`() throws {
    let path = folder.file("data.zip")
    try TinyRun.pack(path, width: 6, maker: model.sha256)
    let set = try TrainingSet([PackedDataset(path)])
    let pairs = try FeaturePairs(set, images: Array(0..<set.rawCount))
    let corpus = try TextCorpus(path, clip: clip, on: .cpu)
    expectClose(corpus.features, pairs.texts, rtol: 1e-6, atol: 1e-7)
    try Data("red heart\n".utf8).write(to: URL(filePath: folder.file("names.txt")))
    let both = try TextCorpus(folder.file("{names.txt,data.zip}"), clip: clip, on: .cpu)
    expectClose(both.features.sliced(0, 1..<1 + pairs.count), pairs.texts, rtol: 1e-6, atol: 1e-7)
  }

  @Test func `files that hold no captions of this CLIP are refused by name`() throws {
    try TinyRun.pack(folder.file("other.zip"), width: 6, maker: "00")
    #expect(complaint(folder.file("other.zip")).contains("were made by another CLIP (none)"))
    try TinyRun.pack(folder.file("wide.zip"), width: 7, maker: model.sha256)
    #expect(complaint(folder.file("wide.zip")).contains("has features of 7 numbers"))
    #expect(complaint(folder.file("none.zip")).contains("none.zip"))
    #expect(complaint(folder.file("none.txt")).contains("none.txt"))
    let large = folder.file("large.txt")
    try Data().write(to: URL(filePath: large))
    try #require(truncate(large, 65 << 20) == 0)
    #expect(complaint(large).contains("no file of captions: it has 68.2 MB, and at most 67.1 MB"))
    try Data([0xff, 0xfe, 0]).write(to: URL(filePath: folder.file("binary.txt")))
    #expect(complaint(folder.file("binary.txt")).contains("no UTF-8 text of captions"))
  }

  @Test func `a run's pseudo text comes from its corpus`() throws {
    let path = folder.file("data.zip")
    try TinyRun.pack(path, width: 6, maker: model.sha256)
    var options = TrainingOptions(trainer: tinyTrainer(seed: 5))
    (options.data, options.clip) = ([path], clip)
    options.trainer.losses.imageNoise = 0
    let set = try TrainingSet([PackedDataset(path)])
    let captions = SeededRandom(seed: 3).normal([20, 6]).normalized()
    let inputs = try StepInputs(options, set, model, captions: captions, on: .cpu, .alone)
    let h = SeededRandom(seed: 4).normal([5, 6]).normalized()
    let source = try #require(inputs.pseudoText)
    let made = source(h, noise: .ones([5, 6]))
    let best = h.matmul(captions.transposed()).largest(1)
    expectClose((made * h).sum(1), best, rtol: 1e-5, atol: 1e-6)

    options.textCorpusSteps = 10
    let fitted = try StepInputs(options, set, model, captions: captions, on: .cpu, .alone)
    let fitting = try #require(fitted.pseudoText)
    let closer = fitting(h, noise: .ones([5, 6]))
    #expect((closer * h).sum(1).mean().item > best.mean().item)
  }
  @Test func `a run knows its files by what is in them`() throws {
    let data = folder.file("data.zip")
    try TinyRun.pack(data, width: 6, maker: model.sha256)
    let texts = folder.file("texts.txt")
    var options = TrainingOptions(trainer: tinyTrainer(seed: 5))
    (options.data, options.clip) = ([data], clip)
    options.textCorpus = folder.file("{texts.txt,data.zip}")
    let set = try TrainingSet([PackedDataset(data)])
    let captions = SeededRandom(seed: 3).normal([20, 6]).normalized()
    func files(of text: String) throws -> [FileIdentity] {
      try text.write(toFile: texts, atomically: true, encoding: .utf8)
      return try StepInputs(options, set, model, captions: captions, on: .cpu, .alone).files
    }
    let (before, after) = (try files(of: "a cat"), try files(of: "a dog"))
    #expect(before.map(\.option) == ["--clip", "--text-corpus", "--text-corpus"])
    #expect(before.map(\.path) == [clip, texts, data])
    #expect(before[0].digest == model.sha256)
    #expect(zip(before, after).map { $0 == $1 } == [true, false, true])
  }
}
