import Files

/// Turns the records by which torch pickles tensors into ``TorchTensor``s.
final class TorchTensorReader {
  private let storages: [String: TorchStorage]
  /// Storages that lie in the pickle itself, by the identity of their bytes.
  private var embedded: [ObjectIdentifier: TorchStorage] = [:]
  private let allowsEmbedded: Bool

  /// - Parameters:
  ///   - storages: What persistent identifiers refer to, by key.
  ///   - allowsEmbedded: Whether storages may be whole torch files inside the pickle, as in LAFITE's
  ///     snapshots.
  init(storages: [String: TorchStorage], allowsEmbedded: Bool) {
    self.storages = storages
    self.allowsEmbedded = allowsEmbedded
  }

  /// The tensor that a value describes; `nil` if it describes something else.
  func tensor(_ value: PickleValue) throws(PickleError) -> TorchTensor? {
    var value = value
    // A parameter wraps a tensor; nobody wraps more than a few times.
    for _ in 0..<8 {
      guard let object = value.object, let path = object.globalPath,
        let arguments = object.arguments.items
      else { return nil }
      switch path {
      case "torch._utils._rebuild_parameter", "torch._utils._rebuild_parameter_with_state":
        guard let inner = arguments.first else { return nil }
        value = inner
      case "torch._tensor._rebuild_from_type_v2":
        guard arguments.count >= 3, let path = arguments[0].globalPath,
          let inner = arguments[2].items
        else { return nil }
        return try rebuild(path, inner)
      default: return try rebuild(path, arguments)
      }
    }
    return nil
  }

  private func rebuild(
    _ path: String,
    _ arguments: [PickleValue]
  ) throws(PickleError) -> TorchTensor? {
    let names = ["_rebuild_tensor", "_rebuild_tensor_v2", "_rebuild_tensor_v3"]
    guard names.contains(where: { path == "torch._utils." + $0 }) else { return nil }
    guard arguments.count >= 4, let offset = arguments[1].int,
      let shape = integers(arguments[2]), let strides = integers(arguments[3])
    else { throw .content(reason: "a tensor with arguments of unknown form (\(path))") }
    var storage = try storage(arguments[0])
    if path.hasSuffix("_v3"), arguments.count >= 7 {
      let name = arguments[6].globalPath ?? ""
      storage.type =
        name.hasPrefix("torch.") ? TorchScalarType(rawValue: String(name.dropFirst(6))) : nil
    }
    guard let type = storage.type else {
      throw .content(reason: "a tensor whose element type is not supported")
    }
    return try TorchTensor(
      type: type,
      shape: shape,
      strides: strides,
      storageOffset: offset,
      storage: storage.buffer
    )
  }

  private func integers(_ value: PickleValue) -> [Int]? {
    // More dimensions than PyTorch has: no need to read them all.
    guard let items = value.items, items.count <= 64 else { return nil }
    let integers = items.compactMap(\.int)
    return integers.count == items.count ? integers : nil
  }

  private func storage(_ value: PickleValue) throws(PickleError) -> TorchStorage {
    if case .persistent(let persistent) = value {
      let id = try StorageID(persistent.id)
      guard let storage = storages[id.key] else {
        throw .content(reason: "the storage '\(id.key)' of a tensor is missing")
      }
      var typed = storage
      typed.type = id.type
      return try typed.view(id.view)
    }
    guard allowsEmbedded, let object = value.object,
      object.globalPath == "torch.storage._load_from_bytes",
      case .bytes(let bytes)? = object.arguments.items?.first
    else { throw .content(reason: "a tensor whose storage has an unknown form") }
    if let known = embedded[ObjectIdentifier(bytes)] { return known }
    let storage = try TorchContainer(bytes.buffer).rootStorage()
    embedded[ObjectIdentifier(bytes)] = storage
    return storage
  }
}

/// Torch's persistent identifier `('storage', type, key, location, count[, view])`.
struct StorageID {
  /// The element type; `nil` for untyped storages.
  let type: TorchScalarType?
  /// The name of the storage in the file.
  let key: String
  /// Number of elements.
  let count: Int
  /// First element and length of the part that is meant, of very old files.
  let view: Range<Int>?

  init(_ value: PickleValue) throws(PickleError) {
    guard let items = value.items, items.count >= 5, items[0].string == "storage",
      let key = items[2].string ?? items[2].int.map(String.init),
      let count = items[4].int, count >= 0,
      let name = items[1].globalPath?.split(separator: ".").last
    else { throw .content(reason: "a storage that is described in an unknown form") }
    guard key.utf8.count < 256 else {
      throw .limit(what: "a storage is named with \(key.utf8.count) bytes")
    }
    self.key = key
    self.count = count
    if name == "UntypedStorage" {
      type = nil
    } else if let type = TorchScalarType(storageName: String(name)) {
      self.type = type
    } else {
      throw .content(reason: "a storage of type \(name), which is not supported")
    }
    if items.count >= 6, let view = items[5].items {
      guard view.count == 3, let start = view[1].int, let length = view[2].int, start >= 0,
        length >= 0, start <= count, length <= count - start
      else { throw .content(reason: "a view outside of its storage '\(key)'") }
      self.view = start..<start + length
    } else {
      view = nil
    }
  }

  /// Bytes of the storage, or `nil` beyond what a machine can address.
  var byteCount: Int? {
    let (bytes, overflow) = count.multipliedReportingOverflow(by: type?.size ?? 1)
    return overflow ? nil : bytes
  }
}

extension TorchStorage {
  /// A part of the storage, in elements; all of it for `nil`.
  func view(_ range: Range<Int>?) throws(PickleError) -> TorchStorage {
    guard let range else { return self }
    let size = type?.size ?? 1
    guard range.upperBound <= buffer.count / size else {
      throw .content(reason: "a view outside of its storage")
    }
    let bytes = range.lowerBound * size..<range.upperBound * size
    return TorchStorage(type: type, buffer: buffer.slice(bytes))
  }
}
