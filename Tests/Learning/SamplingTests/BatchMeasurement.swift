import Foundation
import Images
import Networks
import Pixels
import Snapshots
import TestSupport
import Testing
import Torch

@testable import Sampling

/// Whether images that are painted in one batch cost less than one by one, and whether they are the same.
///
/// `NIFTY_MEASURE=1 swift test --skip-build --filter BatchMeasurement` prints a line for each batch. The times
/// are those of the processor, on one thread: others may use the machine. The kernels are optimized in
/// every build.
@Suite(
  "A batch of images",
  .serialized,
  .enabled(if: ProcessInfo.processInfo.environment["NIFTY_MEASURE"] != nil, "NIFTY_MEASURE=1"),
  .timeLimit(.minutes(10))
)
struct BatchMeasurement {
  private static let rounds = 3

  /// A generator by a name: that of the emoji model, or one of full width with random weights.
  private func generator(_ name: String) throws -> Generator {
    if name == "emoji" {
      let path = try ModelLocation(Repository.path("Models/emoji")).network
      return try NetworkSnapshot(path: path).averagedGenerator()
    }
    var configuration = GeneratorConfiguration(resolution: 256)
    if name == "256 bfloat16" {
      (configuration.reducedPrecisionResolutions, configuration.clamp) = (7, 256)
    }
    return Generator(configuration, random: SeededRandom(seed: 1))
  }

  @Test(arguments: ["emoji", "256 float32", "256 bfloat16"])
  func `images in one batch, and one by one`(name: String) throws {
    Runtime.threads = 1
    let generator = try generator(name)
    let painter = Painter(
      generator: generator,
      truncation: 1,
      truncationCutoff: nil,
      noise: .const
    )
    let width = generator.configuration.featureDimension
    let feature = SeededRandom(seed: 2).normal([1, width]).normalized()
    for count in name == "emoji" ? [1, 2, 4, 8] : [2, 4] {
      let seeds = (0..<count).map { UInt64($0) }
      let fts = feature.expanded(count, -1)
      let ws = withoutGradients { painter.ws(painter.latents(seeds)) }
      let batch = {
        withoutGradients {
          generator.synthesize(ws, fts: fts, noiseMode: .constant).image.to(.float32)
        }
      }
      let single = { withoutGradients { painter.paint(ws: ws, fts: fts, seeds: seeds) } }
      var times: [(batch: Double, single: Double)] = []
      _ = (batch(), single())
      for _ in 0..<Self.rounds { times.append((seconds(batch), seconds(single))) }
      let (a, b) = (pictures(batch()), pictures(single()))
      let equal = zip(a, b).count { $0 == $1 }
      let ratio = times.map { $0.batch / $0.single }.sorted()
      print(
        String(
          format:
            "%@, %d images: %.1f ms in one batch, %.1f one by one, ratio %.2f (%.2f to %.2f); "
            + "%d of %d the same",
          name,
          count,
          1000 * times.map(\.batch).sorted()[Self.rounds / 2],
          1000 * times.map(\.single).sorted()[Self.rounds / 2],
          ratio[Self.rounds / 2],
          ratio[0],
          ratio[Self.rounds - 1],
          equal,
          count
        )
      )
      #expect(a.count == count && b.count == count)
    }
  }

  /// Processor time of this thread.
  private func seconds(_ work: () -> Tensor) -> Double {
    let start = Self.processorSeconds
    _ = work().sum().item
    return Self.processorSeconds - start
  }

  private static var processorSeconds: Double {
    var time = timespec()
    clock_gettime(CLOCK_THREAD_CPUTIME_ID, &time)
    return Double(time.tv_sec) + Double(time.tv_nsec) / 1e9
  }
}
