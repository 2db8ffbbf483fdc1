import Evaluation
import Foundation
import TestSupport
import Testing
import Torch
import TorchTestSupport

private let weightsPath: String = {
  Repository.path(".deps/weights/efficientnet-lite0-57934424.pth")
}()

@Suite(
  "EfficientNet-Lite0 detector: Golden",
  .enabled(
    if: FileManager.default.fileExists(atPath: weightsPath),
    "run scripts/setup: no \(weightsPath)"
  )
)
struct Lite0DetectorTests {
  /// Made by NetworksTests/Fixtures/efficientnet_lite0.py.
  private struct Recorded: Decodable { let features: [String: [Float]] }

  @Test func `features of the published weights agree with a network of torch's own layers`() throws
  {
    let file = URL(filePath: #filePath).deletingLastPathComponent()
      .appending(path: "Fixtures/efficientnet_lite0.json")
    let recorded = try JSONDecoder().decode(Recorded.self, from: Data(contentsOf: file))
    let detector = try Lite0Detector(path: weightsPath)
    #expect(detector.sha256.count == 64)
    for (name, shape) in [("small", [1, 3, 32, 32]), ("wide", [1, 3, 240, 300])] {
      let image = formulaTensor("lite0/\(name)", shape, scale: 60, offset: 128)
        .rounded().clamped(from: 0, to: 255).to(.uint8)
      let golden = Tensor(try #require(recorded.features[name]), shape: [1, 1280])
      expectClose(detector.features(image), golden, rtol: 1e-3, atol: 1e-4, name)
    }
  }
}

@Suite("EfficientNet-Lite0 detector")
struct Lite0DetectorFileTests {
  @Test func `files that hold no weights are refused`() throws {
    let folder = try TemporaryFolder()
    let path = folder.file("weights.pth")
    #expect(throws: (any Error).self) { try Lite0Detector(path: path) }
    for bytes in [
      Data(), Data("not a pickle".utf8), Data([0x80, 2, 0x2E]), Data([0x80, 2, 0x4E, 0x2E]),
    ] {
      try bytes.write(to: URL(filePath: path))
      let error = #expect(throws: EvaluationError.self) { try Lite0Detector(path: path) }
      let words = "\(try #require(error))"
      #expect(words.hasPrefix("\(path) does not hold the expected weights: "), "\(words)")
      #expect(words.split(separator: "\n").count == 1)
    }
  }
}
