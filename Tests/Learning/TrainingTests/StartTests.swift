import Foundation
import Networks
import Snapshots
import TestSupport
import Testing
import Torch
import TorchNN

@testable import Training

/// How a run starts from the snapshot of another one.
@Suite("Start from a snapshot")
struct StartTests {
  private let folder: TemporaryFolder

  init() throws { folder = try TemporaryFolder() }

  private func configuration(
    side: Int,
    seed: UInt64,
    isAdaptive: Bool = false
  )
    -> TrainerConfiguration
  {
    var result = tinyTrainer(seed: seed)
    (result.generator.resolution, result.discriminator.resolution) = (side, side)
    if isAdaptive, let transforms = AugmentConfiguration(named: "bgc") {
      result.augmentation = AugmentationOptions(transforms, target: 0.6)
    }
    return result
  }

  private func snapshot(
    of trainer: Trainer,
    _ name: String = "network-snapshot-000003.safetensors",
    imagesSeen: Int = 3000,
    notes: [String: String] = [:]
  ) throws -> NetworkSnapshot {
    try NetworkSnapshot.write(
      to: folder.file(name),
      networks: [
        (.generator, trainer.generator), (.discriminator, trainer.discriminator),
        (.average, trainer.average),
      ],
      generator: trainer.configuration.generator,
      discriminator: trainer.configuration.discriminator,
      imagesSeen: imagesSeen,
      notes: notes
    )
    return try NetworkSnapshot(path: folder.file(name))
  }

  private func options(_ configuration: TrainerConfiguration) -> TrainingOptions {
    var options = TrainingOptions(trainer: configuration)
    options.resume = "x"
    return options
  }

  @Test(arguments: ["network-snapshot-000003.safetensors", "network-snapshot-000003.pkl"])
  func `a larger generator takes all but its last block, and the log lists what is new`(
    name: String
  ) throws {
    let small = Trainer(try tinyInputs(configuration(side: 16, seed: 1)))
    let shape = configuration(side: 32, seed: 2)
    let large = Trainer(try tinyInputs(shape))
    let before = large.generator.stateDictionary.mapValues { $0.copy() }
    let lines = try large.start(from: snapshot(of: small, name), options(shape))
    let known = small.generator.stateDictionary
    for (name, tensor) in large.generator.stateDictionary {
      let source = known[name] ?? before[name]
      #expect(tensor.bytes == source?.bytes, "\(name)")
      #expect((known[name] == nil) == name.hasPrefix("synthesis.b32."), "\(name)")
    }
    #expect(lines.count == 3)
    #expect(
      lines[1].hasSuffix(
        "of 16² for 32²; new: synthesis.b32.resample_filter, synthesis.b32.conv0, synthesis.b32.conv1, "
          + "synthesis.b32.torgb"
      ),
      "\(lines[1])"
    )
    // The smaller one's first block reads RGB, the larger one's second does not.
    #expect(lines[2].contains("new: b32.resample_filter, b32.fromrgb, b32.conv0"), "\(lines[2])")
    #expect(
      large.discriminator.stateDictionary["b8.conv0.weight"]?.bytes
        == small.discriminator.stateDictionary["b8.conv0.weight"]?.bytes
    )
  }

  @Test func `of the same resolution nothing is left out in silence`() throws {
    let source = Trainer(try tinyInputs(configuration(side: 16, seed: 1)))
    let shape = configuration(side: 16, seed: 2)
    let target = Trainer(try tinyInputs(shape))
    #expect(try target.start(from: snapshot(of: source), options(shape)).isEmpty)
    #expect(target.imagesSeen == 0)
    let aided = Trainer(try tinyInputs(shape, classifier: VisionAidedTests.classifier()))
    let lines = try aided.start(from: snapshot(of: source), options(shape))
    #expect(lines.count == 1 && lines[0].contains("heads of --vision-aided begin anew"))
    var wide = shape
    wide.generator.channelMax = 16
    let other = Trainer(try tinyInputs(wide))
    #expect(throws: (any Error).self) { try other.start(from: snapshot(of: source), options(wide)) }
  }

  @Test func `a network of which nothing fits is refused`() throws {
    let source = Trainer(try tinyInputs(configuration(side: 16, seed: 1)))
    var shape = configuration(side: 32, seed: 2)
    (shape.generator.zDimension, shape.generator.wDimension) = (6, 6)
    (shape.generator.channelBase, shape.generator.channelMax) = (96, 3)
    (shape.generator.featureDimension, shape.generator.styleWidth) = (4, 4)
    shape.discriminator.featureDimension = 4
    let target = Trainer(try tinyInputs(shape))
    let error = #expect(throws: (any Error).self) {
      try target.start(from: snapshot(of: source), options(shape))
    }
    #expect("\(try #require(error))".contains("nothing of its G_ema fits"), "\(error!)")
  }

  @Test func `the state of a snapshot is taken where it is asked for`() throws {
    let source = Trainer(try tinyInputs(configuration(side: 16, seed: 1, isAdaptive: true)))
    source.adaptive?.value = 0.375
    #expect(source.notes == ["augment_p": "0.375"])
    let shape = configuration(side: 16, seed: 2, isAdaptive: true)
    var asked = options(shape)
    asked.resumesState = true
    let file = try snapshot(of: source, notes: source.notes)
    let target = Trainer(try tinyInputs(shape))
    let lines = try target.start(from: file, asked)
    #expect(lines == ["--resume-state: counts on from 3.000 kimg, augmentation from p = 0.375"])
    #expect(target.imagesSeen == 3000 && target.augmentProbability == 0.375)
    #expect(target.pipe?.probability == 0.375)

    for note in ["", "nan", "-1", "1e300", "x"] {
      let odd = try snapshot(of: source, "odd.safetensors", notes: ["augment_p": note])
      let other = Trainer(try tinyInputs(shape))
      let said = try other.start(from: odd, asked)
      #expect(said.first?.contains("does not say ADA's p, which begins at 0") == true, "\(said)")
      #expect(other.augmentProbability == 0)
    }
  }

  @Test func `a state that cannot be counted on from is refused`() throws {
    let shape = configuration(side: 16, seed: 1)
    let trainer = Trainer(try tinyInputs(shape))
    var asked = options(shape)
    asked.resumesState = true
    for (images, expected) in [(0, "does not say how many images"), (3000, "give a larger --kimg")]
    {
      asked.kimg = 2
      let file = try snapshot(of: trainer, "file.safetensors", imagesSeen: images)
      let error = #expect(throws: TrainingError.self) { try trainer.start(from: file, asked) }
      #expect("\(try #require(error))".contains(expected), "\(error!)")
    }
    asked.resume = nil
    let error = #expect(throws: TrainingError.self) { try asked.validate() }
    #expect("\(try #require(error))".contains("--resume-state=1 needs --resume"))
  }

  @Test func `frozen blocks keep their bits, the others learn, and snapshots have all names`()
    throws
  {
    var shape = configuration(side: 16, seed: 1)
    let whole = Trainer(try tinyInputs(shape))
    shape.frozenResolution = 8
    let trainer = Trainer(try tinyInputs(shape))
    func isFrozen(_ name: String) -> Bool {
      name.hasPrefix("synthesis.b4.") || name.hasPrefix("synthesis.b8.")
    }
    let names = whole.generator.state.map(\.name)
    #expect(trainer.generator.state.map(\.name) == names)
    #expect(
      trainer.generator.namedParameters.map(\.name)
        == whole.generator.namedParameters.map(\.name).filter { !isFrozen($0) }
    )
    let before = trainer.generator.stateDictionary.mapValues { $0.copy() }
    // The weights are those of a run without frozen blocks.
    for (name, tensor) in whole.generator.stateDictionary {
      #expect(before[name]?.bytes == tensor.bytes, "\(name)")
    }
    _ = trainer.step(tinyBatch(1))
    for entry in trainer.generator.state where isFrozen(entry.name) {
      #expect(entry.tensor.bytes == before[entry.name]?.bytes, "\(entry.name)")
    }
    let moved = trainer.generator.namedParameters.filter {
      $0.tensor.bytes != before[$0.name]?.bytes
    }
    #expect(moved.contains { $0.name.hasPrefix("synthesis.b16.") })
    #expect(moved.contains { $0.name.hasPrefix("mapping.") })
    let average = trainer.average.stateDictionary
    for entry in trainer.generator.state where isFrozen(entry.name) {
      #expect(average[entry.name]?.bytes == entry.tensor.bytes, "\(entry.name)")
    }
    let read = try snapshot(of: trainer).averagedGenerator()
    #expect(read.state.map(\.name) == names)
  }

  @Test(arguments: [3, 6, 32])
  func `blocks that are not there cannot be frozen`(resolution: Int) throws {
    var options = TrainingOptions(trainer: tinyTrainer(seed: 1))
    options.trainer.frozenResolution = resolution
    let error = #expect(throws: TrainingError.self) { try options.validateForResolution() }
    let line = "--freeze-generator must be 0 or one of 4, 8, 16, not \(resolution)"
    #expect("\(try #require(error))" == line)
  }

  @Test func `the intervals of the penalties are set, and one without weight stays off`() throws {
    func intervals(_ given: [TrainingArguments.Given]) throws -> [Int?] {
      var options = TrainingOptions(trainer: tinyTrainer(seed: 1))
      try TrainingArguments(given).apply(to: &options)
      return [
        options.trainer.generatorRegularisationInterval,
        options.trainer.discriminatorRegularisationInterval,
      ]
    }
    #expect(try intervals([]) == [4, 16])
    #expect(try intervals([.init(.plInterval, 8), .init(.r1Interval, 2)]) == [8, 2])
    #expect(try intervals([.init(.plWeight, 0.0), .init(.plInterval, 8)]) == [nil, 16])
    // Another weight does not bring the usual interval back.
    #expect(try intervals([.init(.plInterval, 8), .init(.plWeight, 1.0)]) == [8, 16])
  }
}
