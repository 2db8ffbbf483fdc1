import Files
import Foundation

/// A `.safetensors` file, mapped: eight bytes of header length, a JSON header
/// `{name: {dtype, shape, data_offsets}}`, then the raw little-endian values.
///
/// Format: https://github.com/huggingface/safetensors. Every offset, shape and type is checked before
/// use; a file that breaks a rule is refused with the name of the tensor that breaks it.
public final class SafeTensors {
  /// What the header says of one tensor.
  public struct Entry {
    /// Element type.
    public let dtype: DType
    /// Dimensions.
    public let shape: [Int]
    let bytes: Range<Int>
  }

  /// The file's path.
  public let path: String
  /// The tensors by name.
  public let entries: [String: Entry]
  /// The header's free text, `__metadata__`.
  public let metadata: [String: String]
  private let file: MappedFile

  /// The tensors' names in alphabetical order.
  public var names: [String] { entries.keys.sorted() }

  /// Opens a file and checks its header.
  public init(path: String) throws {
    self.path = path
    file = try MappedFile(path)
    let bytes = file.bytes
    // Whatever is mistaken for one, a page for one, gives an absurd length.
    let looks = FileKind.guess(bytes).flatMap { $0 == "safetensors" ? nil : "it looks like \($0)" }
    guard bytes.count >= 8 else {
      throw Self.refusal(path, looks ?? "shorter than its header length")
    }
    let length = UInt64(littleEndian: bytes.loadUnaligned(as: UInt64.self))
    guard length <= 100_000_000, Int(length) <= bytes.count - 8 else {
      throw Self.refusal(path, looks ?? "a header of \(length) bytes in a file of \(bytes.count)")
    }
    let start = 8 + Int(length)
    let json = try? JSONSerialization.jsonObject(with: Data(bytes[8..<start]))
    guard let header = json as? [String: Any] else {
      throw Self.refusal(path, looks ?? "the header is no JSON object")
    }
    metadata = header["__metadata__"] as? [String: String] ?? [:]
    var entries: [String: Entry] = [:]
    let stated = header.values.lazy.compactMap { Self.end(of: $0) }.max() ?? 0
    guard stated <= bytes.count - start else {
      throw Self.refusal(
        path,
        "it ends too early, after \(bytes.count - start) of \(stated) bytes of tensors; download or copy it again"
      )
    }
    for (name, value) in header where name != "__metadata__" {
      guard let entry = Self.entry(value, base: start, fileSize: bytes.count) else {
        throw Self.refusal(path, "tensor \(name) has a wrong type, shape or offset")
      }
      entries[name] = entry
    }
    self.entries = entries
  }

  /// A copy of one tensor on the CPU, or `nil` if there is none of that name.
  public subscript(name: String) -> Tensor? {
    guard let entry = entries[name] else { return nil }
    return Tensor(
      copying: UnsafeRawBufferPointer(rebasing: file.bytes[entry.bytes]),
      shape: entry.shape,
      dtype: entry.dtype
    )
  }

  /// All tensors, copied to the CPU.
  public func all() -> [String: Tensor] {
    entries.keys.reduce(into: [:]) { $0[$1] = self[$1] }
  }

  /// A tensor to be written: its values are asked for when their turn comes, so that no more than one
  /// tensor needs to be in memory.
  public struct Draft {
    let name: String
    let dtype: DType
    let shape: [Int]
    let writing: (_ write: ([UInt8]) throws -> Void) throws -> Void

    /// A tensor to be written.
    ///
    /// - Parameters:
    ///   - name: Its name in the file.
    ///   - dtype: Element type.
    ///   - shape: Dimensions.
    ///   - bytes: Gives the elements in row-major order, exactly as many as the shape says.
    public init(
      name: String,
      dtype: DType,
      shape: [Int],
      bytes: @escaping () throws -> [UInt8]
    ) {
      self.init(name: name, dtype: dtype, shape: shape) { write in try write(try bytes()) }
    }

    /// A tensor to be written that is never whole in memory.
    ///
    /// - Parameters:
    ///   - name: Its name in the file.
    ///   - dtype: Element type.
    ///   - shape: Dimensions.
    ///   - writing: Writes the elements in row-major order, a part at a time; exactly as many as the
    ///     shape says.
    public init(
      name: String,
      dtype: DType,
      shape: [Int],
      writing: @escaping (_ write: ([UInt8]) throws -> Void) throws -> Void
    ) {
      (self.name, self.dtype, self.shape, self.writing) = (name, dtype, shape, writing)
    }
  }

  /// Writes tensors to a file, atomically, in the order given.
  public static func write(
    _ tensors: [(name: String, tensor: Tensor)],
    metadata: [String: String] = [:],
    to path: String
  ) throws {
    let drafts = tensors.map { name, tensor in
      Draft(name: name, dtype: tensor.dtype, shape: tensor.shape) { tensor.bytes }
    }
    try write(drafts, metadata: metadata, to: path)
  }

  /// Writes tensors to a file one after the other, atomically, in the order given.
  ///
  /// - Returns: The file's size and its CRC-32, so that nobody has to read it for them.
  @discardableResult
  public static func write(
    _ drafts: [Draft],
    metadata: [String: String] = [:],
    to path: String
  ) throws -> (bytes: Int, checksum: UInt32) {
    var header: [String: Any] = metadata.isEmpty ? [:] : ["__metadata__": metadata]
    var offset = 0
    var sizes: [Int] = []
    for draft in drafts {
      guard let code = typeCodes[draft.dtype] else {
        throw TorchError("cannot store \(draft.dtype) tensor \(draft.name) as safetensors")
      }
      sizes.append(draft.shape.reduce(draft.dtype.byteCount, *))
      let end = offset + sizes[sizes.count - 1]
      header[draft.name] = ["dtype": code, "shape": draft.shape, "data_offsets": [offset, end]]
      offset = end
    }
    var json = try JSONSerialization.data(withJSONObject: header, options: [.sortedKeys])
    json.append(contentsOf: repeatElement(0x20, count: (8 - json.count % 8) % 8))
    let file = try AtomicFile(path, flushInterval: AtomicFile.runInterval)
    var checksum = CRC32()
    func append(_ bytes: [UInt8]) throws {
      bytes.withUnsafeBytes { checksum.update($0) }
      try file.write(bytes)
    }
    try append(withUnsafeBytes(of: UInt64(json.count).littleEndian) { Array($0) })
    try append(Array(json))
    for (draft, size) in zip(drafts, sizes) {
      var count = 0
      try draft.writing { bytes in
        count += bytes.count
        try append(bytes)
      }
      precondition(count == size, "\(draft.name): \(count) bytes instead of \(size)")
    }
    try file.commit()
    return (file.size, checksum.value)
  }

  /// Where the bytes of a tensor end behind the header, as the header states it.
  private static func end(of value: Any) -> Int? {
    ((value as? [String: Any])?["data_offsets"] as? [Int])?.last
  }

  private static func entry(_ value: Any, base: Int, fileSize: Int) -> Entry? {
    guard let fields = value as? [String: Any], let code = fields["dtype"] as? String,
      let dtype = typeCodes.first(where: { $0.value == code })?.key,
      let shape = fields["shape"] as? [Int], shape.allSatisfy({ $0 >= 0 }), shape.count <= 16,
      let offsets = fields["data_offsets"] as? [Int], offsets.count == 2,
      0 <= offsets[0], offsets[0] <= offsets[1], offsets[1] <= fileSize - base
    else { return nil }
    var size = dtype.byteCount
    // Of no elements too: strides are products of all dimensions but one.
    var extent = dtype.byteCount
    for dimension in shape {
      let (product, overflow) = extent.multipliedReportingOverflow(by: max(dimension, 1))
      if overflow { return nil }
      (extent, size) = (product, size * dimension)
    }
    guard size == offsets[1] - offsets[0] else { return nil }
    return Entry(dtype: dtype, shape: shape, bytes: base + offsets[0]..<base + offsets[1])
  }

  private static func refusal(_ path: String, _ reason: String) -> TorchError {
    TorchError("\(path) is not a valid safetensors file: \(reason)")
  }

  private static let typeCodes: [DType: String] = [
    .float64: "F64", .float32: "F32", .float16: "F16", .bfloat16: "BF16", .int64: "I64",
    .int32: "I32", .int16: "I16", .int8: "I8", .uint8: "U8", .bool: "BOOL",
  ]
}
