import Foundation
import Networks
import Snapshots
import TestSupport
import Testing
import Torch
import TorchNN

@testable import JSON

/// Pickles that Python wrote, see `Fixtures/make.py`.
@Suite("Snapshot pickles from Python")
struct PickleReadingTests {
  @Test func `a snapshot of the original opens with all of its settings`() throws {
    let snapshot = try NetworkSnapshot(path: fixture("network-snapshot-000012.pkl"))
    #expect(snapshot.generator == fixtureGenerator())
    #expect(snapshot.discriminator == fixtureDiscriminator())
    #expect(snapshot.imagesSeen == 12_000)
    #expect(snapshot.notes.isEmpty)
    #expect(NetworkSnapshot.Part.allCases.allSatisfy(snapshot.contains))
    #expect(worstDifference(from: try snapshot.averagedGenerator()) < 1e-7)
    let discriminator = Discriminator(fixtureDiscriminator(), random: SeededRandom(seed: 1))
    try snapshot.load(.discriminator, into: discriminator)
    #expect(worstDifference(from: discriminator) < 1e-7)
  }

  @Test func `settings become plain values, whatever Python kept them in`() throws {
    let record = try NetworkSnapshot(path: fixture("network-snapshot-000012.pkl")).record
    #expect(
      record.trainingSet == ["path": "d.zip", "max_size": 24, "xflip": false, "resolution": 8]
    )
    // The device of torch is an object of a class; it is left out, and said so.
    #expect(
      record.arguments == [
        "batch_size": 4, "temp": 0.5, "itd": 5.0, "lam": 0.0, "gather": false,
        "betas": .tuple([0, 0.99]), "note": "消防車 \"a\"\n",
        "loss_kwargs": ["r1_gamma": 1.0, "count": 7],
      ]
    )
    let snapshot = try NetworkSnapshot(path: fixture("network-snapshot-000012.pkl"))
    #expect(snapshot.omittedSettings == ["args.device"])
    #expect(record.generatorKeywords["synthesis_kwargs"]?["change"] == 4)
    #expect(record.discriminatorKeywords["epilogue_kwargs"]?["mbstd_group_size"] == 4)
  }

  @Test(arguments: ["protocol2", "protocol3", "protocol5", "strided", "zip"])
  func `protocols, plain classes, strides and zip storages all read the same`(
    form: String
  ) throws {
    let snapshot = try NetworkSnapshot(path: fixture("average-\(form).pkl"))
    #expect(snapshot.generator == fixtureGenerator())
    #expect(snapshot.discriminator == nil)
    #expect(snapshot.contains(.average) && !snapshot.contains(.generator))
    #expect(worstDifference(from: try snapshot.averagedGenerator()) < 1e-7)
  }

  @Test func `half storages read as float32`() throws {
    let snapshot = try NetworkSnapshot(path: fixture("average-half.pkl"))
    let worst = worstDifference(from: try snapshot.averagedGenerator())
    #expect(worst > 1e-6 && worst < 2.5e-4)
  }

  @Test func `a StyleGAN2-ADA file resumes by name and keeps what it lacks`() throws {
    let snapshot = try NetworkSnapshot(path: fixture("stylegan2-ada.pkl"))
    #expect(snapshot.discriminator?.usesFeatures == false)
    let shape = fixtureGenerator()
    let network = Generator(shape, random: SeededRandom(seed: 3))
    let before = network.state.map { (name: $0.name, values: $0.tensor.floats) }
    try snapshot.load(.generator, into: network, matching: .byName)
    var taken = 0
    for (old, new) in zip(before, network.state) {
      let text = ["pre_", "affine_0", "scale_layer", "bias_layer"]
      if text.contains(where: { new.name.contains($0) }) {
        #expect(new.tensor.floats == old.values, "\(new.name)")
      } else {
        let expected = fixtureWeights(new.name, count: new.tensor.count)
        #expect(zip(new.tensor.floats, expected).allSatisfy { abs($0 - $1) < 1e-7 }, "\(new.name)")
        taken += 1
      }
    }
    #expect(taken > 20)
    let discriminator = Discriminator(fixtureDiscriminator(), random: SeededRandom(seed: 4))
    try snapshot.load(.discriminator, into: discriminator, matching: .byName)
    #expect(worstDifference(from: try snapshot.averagedGenerator()) < 1e-7)
  }

  private static let claims: [(key: String, keywords: OptionValue)] = [
    ("z_dim", ["z_dim": 9]), ("w_dim", ["w_dim": 9]), ("img_resolution", ["img_resolution": 16]),
    ("img_channels", ["img_channels": 1]), ("num_layers", ["mapping_kwargs": ["num_layers": 3]]),
    ("f_dim", ["synthesis_kwargs": ["f_dim": 9]]), ("change", ["synthesis_kwargs": ["change": 8]]),
    ("num_fp16_res", ["synthesis_kwargs": ["num_fp16_res": -1]]),
  ]

  @Test(arguments: claims)
  func `claims that the tensors contradict are refused`(
    key: String,
    keywords: OptionValue
  ) throws {
    try withTemporaryFolder { folder in
      let path = "\(folder)/claim.pkl"
      let random = SeededRandom(seed: 1)
      let network = Generator(fixtureGenerator(), random: random)
      try NetworkSnapshot.write(
        to: path,
        networks: [
          (.generator, network), (.average, network),
          (.discriminator, Discriminator(fixtureDiscriminator(), random: random)),
        ],
        generator: fixtureGenerator(),
        discriminator: fixtureDiscriminator(),
        imagesSeen: 0,
        record: TrainingRecord(generatorKeywords: keywords)
      )
      let text = openingError(path)
      #expect(text.contains(key) && !text.contains("\n"), "\(text)")
    }
  }

  @Test func `a truncated pickle is one clear error`() throws {
    let whole = try Data(contentsOf: URL(filePath: fixture("network-snapshot-000012.pkl")))
    try withTemporaryFolder { folder in
      let path = "\(folder)/short.pkl"
      for length in stride(from: 2, to: whole.count, by: 997) {
        try whole.prefix(length).write(to: URL(filePath: path))
        let text = openingError(path)
        #expect(text.hasPrefix("\(path): pickle: ") && !text.contains("\n"), "\(text)")
      }
    }
  }

  @Test func `a pickle of something else is no snapshot`() throws {
    try withTemporaryFolder { folder in
      let path = "\(folder)/other.pkl"
      let others: [([UInt8], String)] = [
        ([0x80, 2, 0x7D, 0x2E], "none of G, D and G_ema"),
        ([0x80, 4, 0x4E, 0x2E], "none of G, D and G_ema"),
        ([0x80, 2, 0x4E, 0x4E, 0x4E, 0x87, 0x2E], "TensorFlow"),
        ([0x80, 2, 0x7D] + Array("U\u{5}G_emaK\u{1}s.".utf8), "no module"),
        (Array("PK\u{3}\u{4}".utf8), "a PyTorch archive without networks"),
      ]
      for (bytes, reason) in others {
        try Data(bytes).write(to: URL(filePath: path))
        let text = openingError(path)
        #expect(text.contains(reason), "\(text)")
      }
    }
  }
}
