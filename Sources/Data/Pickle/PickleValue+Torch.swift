package import Files

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
    _ bytes: MappedBytes,
    type: TorchScalarType,
    shape: [Int],
    isParameter: Bool
  ) -> PickleValue {
    tensor(type: type, shape: shape, isParameter: isParameter) { bytes }
  }

  /// A dense tensor whose values are asked for when they are written.
  ///
  /// - Parameters:
  ///   - type: The type of the elements.
  ///   - shape: Lengths of the dimensions.
  ///   - isParameter: Whether it becomes a `torch.nn.Parameter`.
  ///   - bytes: Gives the values, little-endian, in C order.
  /// - Returns: The record of the call that rebuilds the tensor.
  package static func tensor(
    type: TorchScalarType,
    shape: [Int],
    isParameter: Bool,
    bytes: @escaping () -> MappedBytes
  ) -> PickleValue {
    let count = shape.reduce(1, *)
    var strides: [Int] = []
    var step = 1
    for length in shape.reversed() {
      strides.insert(step, at: 0)
      step *= max(length, 1)
    }
    let header = legacyStorageHeader(type: type, count: count)
    let file = PickleBytes(count: header.count + count * type.size) {
      let values = bytes()
      return values.withBytes { MappedBytes(copying: header, $0) }
    }
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

  /// What `torch.save` of a storage writes in the legacy format before the values.
  private static func legacyStorageHeader(type: TorchScalarType, count: Int) -> [UInt8] {
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
    var header: [UInt8] = []
    for value in pickles {
      // These few values are neither deep nor beyond protocol 2.
      guard let pickle = try? PickleWriter.bytes(of: value, version: .two) else {
        preconditionFailure("a constant pickle cannot be written")
      }
      header += pickle
    }
    withUnsafeBytes(of: Int64(count).littleEndian) { header += $0 }
    return header
  }
}
