import Files

/// A file of `torch.save` in either format: the pickle of its object and the storages beside it.
struct TorchContainer {
  /// The saved object.
  let pickle: Pickle
  /// The storages by key.
  let storages: [String: TorchStorage]

  /// Opens either format by its first bytes.
  init(_ buffer: MappedBytes) throws(PickleError) {
    if buffer.count >= 4, buffer.slice(0..<4).array == [0x50, 0x4B, 0x03, 0x04] {
      self = try Self(zip: TorchZip(buffer))
    } else {
      self = try Self(legacy: buffer)
    }
  }

  private init(pickle: Pickle, storages: [String: TorchStorage]) {
    self.pickle = pickle
    self.storages = storages
  }

  /// The storage that the file is, when a storage and not a dictionary was saved.
  func rootStorage() throws(PickleError) -> TorchStorage {
    guard case .persistent(let persistent) = pickle.root else {
      throw .content(reason: "an embedded torch file that is no storage")
    }
    let id = try StorageID(persistent.id)
    guard let storage = storages[id.key] else {
      throw .content(reason: "an embedded torch file without its storage '\(id.key)'")
    }
    return try storage.view(id.view)
  }

  /// The storages the pickle mentions, by key.
  private static func storageIDs(_ pickle: Pickle) throws(PickleError) -> [String: StorageID] {
    var ids: [String: StorageID] = [:]
    for value in pickle.persistentIDs {
      guard case .persistent(let persistent) = value else { continue }
      let id = try StorageID(persistent.id)
      if let known = ids[id.key], known.byteCount != id.byteCount {
        throw .content(reason: "the storage '\(id.key)' is described in two ways")
      }
      ids[id.key] = id
    }
    return ids
  }

  // MARK: Legacy format

  /// 0x1950a86a20f9469cfc6c, little-endian.
  static let legacyMagic: [UInt8] = [0x6C, 0xFC, 0x9C, 0x46, 0xF9, 0x20, 0x6A, 0xA8, 0x50, 0x19]

  /// Five pickles (magic number, protocol, system, object, keys), then for each key the number of
  /// elements (int64) and the raw values.
  private init(legacy buffer: MappedBytes) throws(PickleError) {
    let magic = try Pickle(buffer)
    guard case .bigInt(let bytes) = magic.root, bytes == Self.legacyMagic else {
      throw .content(reason: "this is not a file of torch.save")
    }
    let version = try Pickle(buffer, at: magic.end)
    guard version.root.int == 1001 else {
      throw .content(reason: "an unknown version of torch.save's legacy format")
    }
    let system = try Pickle(buffer, at: version.end)
    if system.root["little_endian"]?.bool == false {
      throw .content(reason: "a torch file written on a big-endian machine")
    }
    let object = try Pickle(buffer, at: system.end)
    let keys = try Pickle(buffer, at: object.end)
    guard let keyList = keys.root.items else {
      throw .content(reason: "a torch file without its list of storages")
    }
    let ids = try Self.storageIDs(object)
    var reader = ByteReader(buffer, at: keys.end)
    var storages: [String: TorchStorage] = [:]
    for item in keyList {
      guard let key = item.string ?? item.int.map(String.init), let id = ids[key],
        storages[key] == nil
      else { throw .content(reason: "a torch file with an unknown or repeated storage") }
      let start = reader.offset
      let count = Int(try reader.integer(Int64.self))
      guard count == id.count, let size = id.byteCount else {
        throw .malformed(
          offset: start,
          reason: "storage '\(key)' has \(count) elements instead of \(id.count)"
        )
      }
      storages[key] = TorchStorage(type: id.type, buffer: try reader.bytes(size))
    }
    self.init(pickle: object, storages: storages)
  }

  // MARK: Zip format

  /// `NAME/data.pkl`, `NAME/data/KEY` and `NAME/byteorder`.
  private init(zip: TorchZip) throws(PickleError) {
    let pickle = try Pickle(zip["data.pkl"])
    if zip.contains("byteorder"), try zip["byteorder"].array == Array("big".utf8) {
      throw .content(reason: "a torch file written on a big-endian machine")
    }
    var storages: [String: TorchStorage] = [:]
    for (key, id) in try Self.storageIDs(pickle) {
      let bytes = try zip["data/" + key]
      guard let size = id.byteCount, size <= bytes.count else {
        throw .content(reason: "storage '\(key)' has \(bytes.count) bytes, fewer than it should")
      }
      storages[key] = TorchStorage(type: id.type, buffer: bytes.slice(0..<size))
    }
    self.init(pickle: pickle, storages: storages)
  }
}
