import Datasets
import Evaluation
import Foundation
import TestSupport
import Testing
import Torch
import TorchNN
import TorchTestSupport

@Suite("Captions of generated images")
struct CaptionWalkTests {
  private let folder: TemporaryFolder

  init() throws { folder = try TemporaryFolder() }

  private func judge(_ sha256: String = "judge") -> CaptionPass.Judge {
    .init(sha256: sha256) { Tensor($0.flatMap { feature("judged " + $0) }, shape: [$0.count, 6]) }
  }

  private func images(_ set: PackedDataset, count: Int) throws -> GeneratedImages {
    GeneratedImages(conditions: try TrainingSet([set]), count: count, seed: 3)
  }

  @Test func `an image's caption is the one that conditioned it`() throws {
    let set = try packSquares(folder.file("a.zip"), count: 5, captions: 3)
    let images = try images(set, count: 12)
    let walk = try CaptionPass(images, judge: judge(), chunk: 4)
    #expect(walk.owners.count == 12)
    let conditions = images.features(at: 0..<12)
    for position in 0..<12 {
      let image = position % 5
      let own = walk.features.selected(0, walk.owners[position]).floats
      let matches = try set.captions(at: image).filter { text in
        let judged = Tensor(feature("judged " + text)).normalized().floats
        let conditioned = Tensor(feature(text)).normalized().floats
        return judged == own && conditioned == conditions.selected(0, position).floats
      }
      #expect(matches.count == 1, "position \(position)")
    }
  }

  @Test func `cosine and retrieval tell the right captions from others`() throws {
    let set = try packSquares(folder.file("a.zip"), count: 40)
    let walk = try CaptionPass(images(set, count: 40), judge: judge())
    let right = walk.features.gathered(0, walk.owners) * 7
    expectClose(walk.meanCosine(right), 1, rtol: 1e-6)
    expectClose(walk.retrieval(right, candidates: 10, seed: 1), 1)
    let wrong = right * -1
    expectClose(walk.meanCosine(wrong), -1, rtol: 1e-6)
    expectClose(walk.retrieval(wrong, candidates: 10, seed: 1), 0)
    // Of two candidates, chance is one half; the same draw gives the same figure.
    let blind = formulaTensor("blind", [40, 6])
    let half = walk.retrieval(blind, candidates: 2, seed: 1)
    #expect((0.2...0.8).contains(half))
    #expect(walk.retrieval(blind, candidates: 2, seed: 1) == half)
    // More candidates than captions are all of them.
    #expect(walk.retrieval(right, candidates: 1000, seed: 1) == 1)
  }

  @Test func `a generator that paints no numbers gets no score`() throws {
    let set = try packSquares(folder.file("a.zip"), count: 5)
    let (images, generator) = (try images(set, count: 4), tinyGenerator())
    _ = try images.painted(by: generator, at: 0..<4)
    withoutGradients { for entry in generator.state { entry.tensor.assign(entry.tensor * .nan) } }
    #expect(throws: EvaluationError.self) { try images.painted(by: generator, at: 0..<4) }
  }

  @Test func `a set without captions is refused by name`() throws {
    let set = try packSquares(folder.file("a.zip"), count: 3, captions: 0)
    let error = #expect(throws: EvaluationError.self) {
      try CaptionPass(images(set, count: 3), judge: judge())
    }
    #expect("\(error.map { "\($0)" } ?? "")".contains("img00000000.png has no caption"))
  }
}
