import Files
import JSON
import Pickle
import Torch

/// The networks of the original's snapshot pickle; nothing in it is executed.
///
/// LAFITE and StyleGAN2-ADA pickle a dictionary with the modules `G`, `D` and `G_ema`.
struct PickleStore: SnapshotStore {
  let layouts: [String: TensorLayout]
  /// The keyword arguments that each network says it was made with.
  private(set) var keywords: [NetworkSnapshot.Part: OptionValue] = [:]
  private(set) var record = TrainingRecord()
  /// What nifty's own pickles say beside what the original reads.
  let extras: PickleValue?
  /// Settings that are objects of classes, by name; they are not kept.
  private(set) var omitted: [String] = []
  private let tensors: [String: TorchTensor]

  /// Maps a file and reads its description; the values are paged in when they are used.
  init(path: String) throws {
    let file = try MappedFile(path)
    do {
      try self.init(MappedBytes(file))
    } catch {
      throw SnapshotError(path, error.description)
    }
  }

  private init(_ buffer: MappedBytes) throws(PickleError) {
    let root = try Pickle(buffer).root
    if case .tuple = root {
      throw .content(
        reason:
          "a TensorFlow snapshot of StyleGAN2; convert it with StyleGAN2-ADA's own loader first"
      )
    }
    guard root.entries != nil else { throw .content(reason: Self.noSnapshot) }
    var tensors: [String: TorchTensor] = [:]
    for part in NetworkSnapshot.Part.allCases {
      guard let value = root[part.rawValue] else { continue }
      if case .none = value { continue }
      let module = try ModuleState(value)
      for (name, tensor) in module.tensors { tensors["\(part.rawValue).\(name)"] = tensor }
      keywords[part] = try OptionValue.reading(
        module.initKeywordArguments,
        name: "\(part.rawValue)._init_kwargs",
        omitted: &omitted
      )
    }
    guard !tensors.isEmpty else { throw .content(reason: Self.noSnapshot) }
    try Self.checkSize(tensors, fileSize: buffer.count)
    self.tensors = tensors
    layouts = tensors.mapValues { TensorLayout(dtype: DType($0.type), shape: $0.shape) }
    extras = root["nifty"]
    try readRecord(root)
  }

  private static let noSnapshot = "no network snapshot (it holds none of G, D and G_ema)"

  private mutating func readRecord(_ root: PickleValue) throws(PickleError) {
    func setting(_ key: String, _ value: PickleValue?) throws(PickleError) -> OptionValue {
      guard let value else { return [:] }
      return try OptionValue.reading(value, name: key, omitted: &omitted) ?? [:]
    }
    record.trainingSet = try setting("training_set_kwargs", root["training_set_kwargs"])
    record.arguments = try setting("args", root["args"])
    record.generatorKeywords = keywords[.average] ?? keywords[.generator] ?? [:]
    record.discriminatorKeywords = keywords[.discriminator] ?? [:]
  }

  /// Refuses tensors that share memory so widely that copies of them would outgrow the file.
  private static func checkSize(
    _ tensors: [String: TorchTensor],
    fileSize: Int
  ) throws(PickleError) {
    let sizes = tensors.values.map { $0.count * $0.type.size }
    guard sizes.reduce(0, +) <= 4 * fileSize + (1 << 16) else {
      throw .limit(what: "its tensors are far larger than the file")
    }
  }

  func tensor(_ name: String) -> Tensor? {
    tensors[name].map { stored in
      stored.withContiguousBytes {
        Tensor(copying: $0, shape: stored.shape, dtype: DType(stored.type))
      }
    }
  }

  func bytes(of name: String) -> [UInt8] { tensors[name]?.contiguousBytes() ?? [] }
}
