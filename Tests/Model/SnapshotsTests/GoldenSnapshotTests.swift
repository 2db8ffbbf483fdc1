import Foundation
import Networks
import Snapshots
import Testing
import Torch
import TorchNN
import TorchTestSupport

@testable import JSON

private let files = Golden.names().filter { $0.hasPrefix("snapshot") && !$0.contains(".") }
  .flatMap { folder in
    Golden.names(of: folder).filter { $0.hasSuffix(".pkl") }.map { "\(folder)/\($0)" }
  }

/// Snapshots that the original's training loop wrote, with what their networks compute.
///
/// Every folder of the goldens whose name begins with `snapshot` is taken. The recorded file, of 13 MB,
/// is not in the repository: NIFTY_GOLDENS names a folder that has it. What the repository has are
/// small pickles of the same form, in PickleReadingTests.
@Suite(
  "Golden snapshots",
  .enabled(if: !files.isEmpty, "no snapshot*/*.pkl in the golden folder")
)
struct GoldenSnapshotTests {
  private func folder(_ file: String) -> String { String(file.prefix { $0 != "/" }) }

  @Test(arguments: files)
  func `every tensor of every network is the recorded one`(file: String) throws {
    let snapshot = try NetworkSnapshot(path: Golden.path(file))
    for part in NetworkSnapshot.Part.allCases {
      let digest = try Golden("\(folder(file))/state_\(part.rawValue)_digest", isReported: false)
      let network: any Module =
        part == .discriminator
        ? Discriminator(try #require(snapshot.discriminator), random: SeededRandom(seed: 0))
        : Generator(snapshot.generator, random: SeededRandom(seed: 0))
      try snapshot.load(part, into: network)
      let recorded = Set(digest.names.map { String($0.prefix { $0 != "#" }) })
      #expect(Set(network.state.map(\.name)) == recorded)
      for entry in network.state {
        let (name, tensor) = (entry.name, entry.tensor)
        if digest.contains(name) {
          #expect(tensor.detached().bytes == digest[name].bytes, "\(part.rawValue).\(name)")
        } else {
          // Sums were rounded to float32.
          digest.expectClose(tensor.detached(), name, rtol: 3e-7, atol: 0)
        }
      }
    }
  }

  @Test(arguments: files)
  func `its networks compute what the original's did`(file: String) throws {
    let golden = try Golden("\(folder(file))/outputs")
    let snapshot = try NetworkSnapshot(path: Golden.path(file))
    let (z, fts) = (golden["z"], golden["fts"])
    let average = try snapshot.averagedGenerator()
    let w = average.mapping(z).selected(1, 0)
    golden.expectClose(w, "w", rtol: 1e-6, atol: 1e-6)
    let img = average(z, fts: fts, noiseMode: .constant)
    golden.expectClose(img, "img", rtol: 1e-5, atol: 1e-5)
    let generator = Generator(snapshot.generator, random: SeededRandom(seed: 0))
    try snapshot.load(.generator, into: generator)
    let raw = generator(z, fts: fts, noiseMode: .constant).detached()
    golden.expectClose(raw, "img_G", rtol: 1e-5, atol: 1e-5)
    let discriminator = Discriminator(
      try #require(snapshot.discriminator),
      random: SeededRandom(seed: 0)
    )
    try snapshot.load(.discriminator, into: discriminator)
    let output = discriminator(golden["img"], fts: fts)
    golden.expectClose(output.logits.detached(), "logits", rtol: 1e-5, atol: 1e-5)
    let features = try #require(output.features)
    golden.expectClose(features.detached(), "d_fts", rtol: 1e-5, atol: 1e-5)
  }

  @Test(arguments: files)
  func `the record beside the networks is read`(file: String) throws {
    let snapshot = try NetworkSnapshot(path: Golden.path(file))
    let text = try String(contentsOfFile: Golden.path("\(folder(file))/info.json"), encoding: .utf8)
    let info = try #require(OptionValue(json: text))
    #expect(snapshot.record.trainingSet == info["training_set_kwargs"])
    #expect(snapshot.record.arguments == info["args"])
    #expect(snapshot.record.generatorKeywords == info["G_init_kwargs"])
    #expect(snapshot.record.discriminatorKeywords == info["D_init_kwargs"])
    #expect(snapshot.omittedSettings.isEmpty)
  }
}
