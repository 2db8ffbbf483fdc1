import Evaluation
import Files
import Foundation
import TestSupport
import Testing
import Torch
import TorchTestSupport

/// With stand-ins of the original's detectors: the real files have not been at hand.
@Suite("TorchScript detectors")
struct ScriptDetectorTests {
  /// Made by Fixtures/script_detectors.py.
  private struct Answer: Decodable {
    let shape: [Int]
    let values: [Float]
  }

  private static let cases: [(kind: DetectorKind, file: String, flag: String)] = [
    (.inceptionFeatures, "inception-stand-in", "return_features"),
    (.inceptionProbabilities, "inception-stand-in", "no_output_bias"),
    (.vggFeatures, "vgg16-stand-in", "return_features"),
    (.vggDistances, "vgg16-stand-in", "return_lpips"),
  ]

  private var images: Tensor {
    formulaTensor("detectors/images", [3, 3, 24, 24], scale: 60, offset: 128)
      .rounded().clamped(from: 0, to: 255).to(.uint8)
  }

  @Test(arguments: cases) func `results agree with Python`(
    kind: DetectorKind,
    file: String,
    flag: String
  ) throws {
    let data = try Data(contentsOf: URL(filePath: fixture("script_detectors.json")))
    let recorded = try JSONDecoder().decode([String: Answer].self, from: data)
    let golden = try #require(recorded["\(file) \(flag)"])
    let path = fixture(file + ".pt")
    let detector = try ScriptDetector(kind, path: path)
    // Distances have more numbers for larger images; the length known is that of 64² ones.
    #expect(detector.dimension == (kind == .vggDistances ? 4 * 16 * 16 : golden.shape[1]))
    #expect(detector.sha256 == (try SHA256.digest(ofFile: path)))
    let answer = try detector.features(kind == .vggDistances ? images.to(.float32) : images)
    expectClose(answer, Tensor(golden.values, shape: golden.shape), rtol: 1e-5, atol: 1e-6)
  }

  @Test func `a module with another interface is refused by name`() throws {
    let path = fixture("plain-script.pt")
    for (kind, flag) in [
      (DetectorKind.inceptionFeatures, "return_features"), (.vggDistances, "return_lpips"),
    ] {
      let error = #expect(throws: EvaluationError.self) { try ScriptDetector(kind, path: path) }
      #expect("\(error.map { "\($0)" } ?? "")".contains("takes no \(flag)"))
    }
    // The right name on the wrong network.
    #expect(throws: EvaluationError.self) {
      try ScriptDetector(.vggDistances, path: fixture("inception-stand-in.pt"))
    }
  }

  @Test(arguments: ["sparse", "nested", "meta", "complex"])
  func `an answer that is no dense tensor of numbers is refused`(kind: String) {
    let error = #expect(throws: EvaluationError.self) {
      try ScriptDetector(.inceptionFeatures, path: fixture("odd-script-\(kind).pt"))
    }
    #expect(error?.description.contains("odd-script-\(kind).pt") == true)
  }

  @Test func `missing and truncated files are errors, and mutated ones never crash`() throws {
    #expect(throws: (any Error).self) {
      try ScriptDetector(.inceptionFeatures, path: "/nowhere/inception.pt")
    }
    let folder = try TemporaryFolder()
    let path = folder.file("bad.pt")
    let good = try Data(contentsOf: URL(filePath: fixture("inception-stand-in.pt")))
    for length in [0, 1, 100, good.count / 2, good.count - 1] {
      try good.prefix(length).write(to: URL(filePath: path))
      #expect(throws: EvaluationError.self, "cut to \(length)") {
        try ScriptDetector(.inceptionFeatures, path: path)
      }
    }
    var survived = 0
    for round in 0..<120 {
      var bytes = good
      let offset = Int(mixed(UInt64(round), 1) % UInt64(good.count))
      bytes[offset] ^= UInt8(1 << (round % 8))
      try bytes.write(to: URL(filePath: path))
      if (try? ScriptDetector(.inceptionFeatures, path: path)) != nil { survived += 1 }
    }
    #expect(survived < 120)
  }
}
