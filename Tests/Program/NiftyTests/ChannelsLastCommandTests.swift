import Foundation
import Networks
import Snapshots
import TestSupport
import Testing
import Torch
import TorchNN
import TorchTestSupport

/// `--nhwc` on its way from the command line into the networks and their snapshots.
@Suite("nifty train --nhwc")
struct ChannelsLastCommandTests {
  private let fixture: TrainingFixture

  init() throws { fixture = try TrainingFixture() }

  /// The snapshots of a short run with further flags, in order, and what it printed.
  private func snapshots(_ flags: String) throws -> ([NetworkSnapshot], String) {
    let outcome = try fixture.run(
      TrainingFixture.train + " --kimg=0.008 --tick=0.004 --snap=1 " + flags
    )
    #expect(outcome.status == 0, "\(outcome.errors)")
    let runs = fixture.folder.file("runs")
    let run = try #require(try FileManager.default.contentsOfDirectory(atPath: runs).first)
    let names = try FileManager.default.contentsOfDirectory(atPath: "\(runs)/\(run)")
      .filter { $0.hasPrefix("network-snapshot-") }.sorted()
    let found = try names.map { try NetworkSnapshot(path: "\(runs)/\(run)/\($0)") }
    let kept = fixture.folder.file("kept-\(flags.hashValue)")
    try FileManager.default.moveItem(atPath: runs, toPath: kept)
    return (found, outcome.output + outcome.errors)
  }

  @Test func `it reaches both networks, and changes the order of memory only`() throws {
    let (last, said) = try snapshots("--fp32=0 --nhwc=1")
    let (plain, _) = try snapshots("--fp32=0 --nhwc=0")
    try #require(!last.isEmpty && last.count == plain.count)
    #expect(!said.contains("changes nothing"))
    for (own, other) in zip(last, plain) {
      #expect(own.generator.reducedPrecisionResolutions == 4)
      #expect(own.generator.channelsLast == true && own.discriminator?.channelsLast == true)
      #expect(other.generator.channelsLast == false && other.discriminator?.channelsLast == false)
      let networks = [try own.averagedGenerator(), try other.averagedGenerator()]
      for (a, b) in zip(networks[0].state, networks[1].state) {
        #expect(a.name == b.name)
        let scale = b.tensor.detached().reshaped(-1).largestMagnitude(0).item
        // Adam's first steps go by the gradients' signs: rounding turns few of them.
        expectClose(a.tensor.detached(), b.tensor.detached(), rtol: 0, atol: 0.05 * scale + 0.02)
      }
      let random = SeededRandom(seed: 3)
      let (z, fts) = (random.normal([2, 8]), random.normal([2, 16]).normalized())
      let images = networks.map { network in
        withoutGradients { network(z, fts: fts, noiseMode: .constant) }
      }
      #expect(images.allSatisfy { $0.shape == [2, 3, 16, 16] && $0.isFinite })
    }
  }

  @Test func `in float32 it is said to change nothing`() throws {
    let (found, said) = try snapshots("--nhwc=1")
    #expect(said.contains("--nhwc changes nothing in float32"), "\(said)")
    #expect(found.allSatisfy { $0.generator.channelsLast == true })
  }
}
