import Datasets
import Files
import Foundation
import TestSupport
import Testing
import Torch
import TorchTestSupport

@testable import Evaluation

@Suite("Image encoders by file")
struct EncoderDetectorTests {
  private let path = fixture("encoder-stand-in.pt")

  /// Recorded by Fixtures/encoder.py.
  @Test(arguments: [8, 16, 40], EncoderInput.allCases) func `features agree with Python`(
    size: Int,
    input: EncoderInput
  ) throws {
    let data = try Data(contentsOf: URL(filePath: fixture("encoder.json")))
    let recorded = try JSONDecoder().decode([String: [Float]].self, from: data)
    let golden = try #require(recorded["\(size) \(input.rawValue)"])
    let detector = try EncoderDetector(path: path, side: 16, input: input)
    #expect(detector.name == "encoder-stand-in" && detector.dimension == 5)
    #expect(detector.sha256 == (try SHA256.digest(ofFile: path)))
    let images = formulaTensor("encoder/images\(size)", [3, 3, size, size], scale: 60, offset: 128)
      .rounded().clamped(from: 0, to: 255).to(.uint8)
    expectClose(
      try detector.features(images),
      Tensor(golden, shape: [3, 5]),
      rtol: 1e-5,
      atol: 1e-5
    )
  }

  @Test func `the name of a file is the encoder's`() {
    #expect(EncoderDetector.name(of: "/a/dinov2.pt") == "dinov2")
    #expect(EncoderDetector.name(of: "vit.b14.torchscript") == "vit.b14")
    #expect(EncoderDetector.name(of: ".hidden") == ".hidden")
    #expect(EncoderDetector.name(of: "a/") == "a")
  }

  @Test func `an encoder's metrics are named after it`() throws {
    let folder = try TemporaryFolder()
    let set = try packSquares(folder.file("train.zip"), count: 12)
    let path = path
    func suite(_ encoder: String?) throws -> MetricSuite {
      var plan = MetricPlan()
      plan.images = 8
      plan.encoder = encoder
      return try MetricSuite(
        ["fd_dinov2", "mmd_dinov2", "prdc_dinov2"],
        plan: plan,
        training: [set],
        conditions: TrainingSet([set]),
        sources: MetricSources(
          detector: { kind in
            #expect(kind == .encoder)
            return try EncoderDetector(path: path, side: 16, input: .imagenet)
          },
          judge: { throw EvaluationError.option("no judge") }
        )
      )
    }
    let generator = tinyGenerator()
    let found = try suite("dinov2")
    #expect(try found.line("fd_dinov2", of: generator, snapshot: "a").results[0].value > 0)
    #expect(
      try found.line("mmd_dinov2", of: generator, snapshot: "a").results[0].name == "mmd_dinov2"
    )
    let shares = try found.line("prdc_dinov2", of: generator, snapshot: "a").results
    #expect(shares.map(\.name).contains("prdc_dinov2_coverage"))
    #expect(throws: EvaluationError.self) { try suite(nil) }
    #expect(throws: EvaluationError.self) { try suite("other") }
    // Its distances are better when smaller, whatever the name ends with.
    for name in ["fd_x_mean", "mmd_x_recall", "fd_x_mean_infinity"] {
      #expect(!MetricHistory(name: name, entries: []).prefersLarge)
    }
    #expect(MetricHistory(name: "prdc_x_recall", entries: []).prefersLarge)
  }

  @Test func `what is no encoder is refused by name`() throws {
    func refusal(_ path: String, side: Int = 16) -> String {
      let error = #expect(throws: (any Error).self) {
        try EncoderDetector(path: path, side: side, input: .unit)
      }
      return error.map { "\($0)" } ?? ""
    }
    #expect(refusal("/nowhere/dinov2.pt").contains("/nowhere/dinov2.pt"))
    // It takes 16² only.
    #expect(refusal(path, side: 24).contains("encoder-stand-in.pt is no image encoder"))
    for odd in ["sparse", "nested", "meta", "complex"] {
      #expect(refusal(fixture("odd-script-\(odd).pt")).contains("odd-script-\(odd).pt"))
    }
    let folder = try TemporaryFolder()
    let good = try Data(contentsOf: URL(filePath: path))
    for length in [0, 1, 100, good.count / 2, good.count - 1] {
      try folder.write(Array(good.prefix(length)), to: "cut.pt")
      #expect(refusal(folder.file("cut.pt")).contains("cut.pt is no image encoder"))
    }
    var survived = 0
    for round in 0..<120 {
      var bytes = Array(good)
      bytes[Int(mixed(UInt64(round), 7) % UInt64(good.count))] ^= UInt8(1 << (round % 8))
      try folder.write(bytes, to: "bad.pt")
      let opened = try? EncoderDetector(path: folder.file("bad.pt"), side: 16, input: .unit)
      if opened != nil { survived += 1 }
    }
    #expect(survived < 120)
  }
}
