extension PickleValue {
  /// A dense tensor the way LAFITE's snapshots hold one: its storage is a whole legacy torch file.
  ///
  /// - Parameters:
  ///   - bytes: The values, little-endian, in C order.
  ///   - type: The type of the elements.
  ///   - shape: Lengths of the dimensions; they must account for all of `bytes`.
  ///   - isParameter: Whether it becomes a `torch.nn.Parameter`.
  /// - Returns: The record of the call that rebuilds the tensor.
  package static func tensor(
    _ bytes: PickleBuffer,
    type: TorchScalarType,
    shape: [Int],
    isParameter: Bool
  ) -> PickleValue {
    let count = shape.reduce(1, *)
    precondition(
      bytes.count == count * type.size,
      "\(bytes.count) bytes for a \(type) tensor of shape \(shape)"
    )
    var strides: [Int] = []
    var step = 1
    for length in shape.reversed() {
      strides.insert(step, at: 0)
      step *= max(length, 1)
    }
    let file = legacyStorageFile(bytes, type: type, count: count)
    let tensor = call(
      .global("torch._utils", "_rebuild_tensor_v2"),
      [
        call(.global("torch.storage", "_load_from_bytes"), [.bytes(file)]), 0,
        .tuple(shape.map { .int(Int64($0)) }), .tuple(strides.map { .int(Int64($0)) }), false,
        .orderedDictionary([]),
      ]
    )
    guard isParameter else { return tensor }
    return call(
      .global("torch._utils", "_rebuild_parameter"),
      [tensor, false, .orderedDictionary([])]
    )
  }

  /// What `torch.save` of a storage writes in the legacy format.
  private static func legacyStorageFile(
    _ bytes: PickleBuffer,
    type: TorchScalarType,
    count: Int
  ) -> [UInt8] {
    let sizes: PickleValue = .dictionary([("short", 2), ("int", 4), ("long", 4)])
    let system: PickleValue = .dictionary([
      ("protocol_version", 1001), ("little_endian", true), ("type_sizes", sizes),
    ])
    let storage = PickleValue.persistent(
      PicklePersistent(
        .tuple([
          "storage", .global("torch", type.storageName), "0", "cpu", .int(Int64(count)), .none,
        ])
      )
    )
    let pickles: [PickleValue] = [
      .bigInt(TorchContainer.legacyMagic), 1001, system, storage, .list(["0"]),
    ]
    var file: [UInt8] = []
    file.reserveCapacity(bytes.count + 512)
    for value in pickles {
      // These few values are neither deep nor beyond protocol 2.
      guard let pickle = try? PickleWriter.bytes(of: value, version: .two) else {
        preconditionFailure("a constant pickle cannot be written")
      }
      file += pickle
    }
    withUnsafeBytes(of: Int64(count).littleEndian) { file += $0 }
    bytes.withBytes { file += $0 }
    return file
  }
}
