import Foundation
import JSON
import Networks
import Pickle

extension SnapshotDescription {
  /// What a pickle says: the shapes as its tensors tell them, or as nifty wrote them down beside.
  init(pickle: PickleStore, path: String) throws {
    let part: NetworkSnapshot.Part = pickle.keywords[.average] != nil ? .average : .generator
    let shapes = NetworkShapes(
      shapes: pickle.shapes(prefix: part.prefix),
      keywords: pickle.keywords[part] ?? [:],
      path: path
    )
    self.init(generator: try shapes.generator())
    let discriminatorShapes = pickle.shapes(prefix: NetworkSnapshot.Part.discriminator.prefix)
    if !discriminatorShapes.isEmpty {
      discriminator = try NetworkShapes(
        shapes: discriminatorShapes,
        keywords: pickle.keywords[.discriminator] ?? [:],
        path: path
      ).discriminator()
    }
    imagesSeen = Self.imagesSeen(fileName: path)
    if let extras = pickle.extras { try read(extras, pickle, path) }
    record = pickle.record
    try check(path)
  }

  /// The number of images that the name of a run's snapshot tells; 0 for other names.
  private static func imagesSeen(fileName path: String) -> Int {
    let name = path.split(separator: "/").last ?? ""
    guard name.wholeMatch(of: /network-snapshot-[0-9]{6}\.pkl/) != nil else { return 0 }
    return (SnapshotName.kimg(of: name) ?? 0) * 1000
  }

  /// What nifty writes for itself into a pickle, under `nifty`; the original ignores it.
  var extras: PickleValue {
    get throws {
      let metadata = try metadata.filter { key, _ in
        !TrainingRecord.fields.contains { $0.key == key }
      }
      return .dictionary(metadata.sorted { $0.key < $1.key }.map { ($0.key, .string($0.value)) })
    }
  }

  private mutating func read(
    _ extras: PickleValue,
    _ pickle: PickleStore,
    _ path: String
  ) throws {
    var metadata: [String: String] = [:]
    for (key, value) in extras.entries ?? [] {
      if let key = key.string, let text = value.string { metadata[key] = text }
    }
    let told = try SnapshotDescription(metadata: metadata, path: path)
    // Tensors and keyword arguments must agree with it; the rest stands only here.
    let (found, foundHead) = (generator, discriminator)
    generator = told.generator
    generator.featureScale = 1
    guard generator == found else {
      throw SnapshotError(path, "its description of the generator disagrees with its tensors")
    }
    generator = told.generator
    discriminator = told.discriminator
    discriminator?.featureLogit = .batchSum
    guard discriminator == foundHead else {
      throw SnapshotError(path, "its description of the discriminator disagrees with its tensors")
    }
    discriminator = told.discriminator
    imagesSeen = told.imagesSeen
    notes = told.notes
  }
}
