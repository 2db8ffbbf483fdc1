import CTorch
package import Files

/// A TorchScript module: a network that comes with its own program, as feature detectors do.
///
/// Loading and calling it runs what its author wrote in libtorch's language, which can compute without
/// end but reaches neither network nor shell. Take such files only from those you trust.
public final class ScriptModule {
  private let handle: OpaquePointer
  private let name: String

  /// Loads a module, in evaluation mode, on the CPU.
  ///
  /// - Parameter file: The file.
  /// - Throws: `TorchError` if it is no TorchScript archive, damaged, or of a later version.
  package init(_ file: MappedFile) throws(TorchError) {
    let loaded = withExtendedLifetime(file) {
      ct_script_load(file.bytes.baseAddress, file.bytes.count)
    }
    guard let loaded else { throw .last("cannot load \(file.path)") }
    handle = loaded
    name = file.path
  }

  deinit { ct_script_free(handle) }

  /// Moves its state to a device.
  public func move(to device: Device) throws(TorchError) {
    if ct_script_move(handle, device.typeCode, device.index) != 0 {
      throw .last("cannot move \(name) to \(device)")
    }
  }

  /// Whether its `forward` has an argument of that name.
  public func takes(_ argument: String) -> Bool { ct_script_takes(handle, argument) }

  /// Calls `forward`; no gradients are recorded.
  ///
  /// - Parameters:
  ///   - input: The only tensor argument.
  ///   - flags: Further arguments by name.
  /// - Returns: The only result.
  /// - Throws: `TorchError` if there is no such `forward`, it fails, or gives anything else.
  public func callAsFunction(
    _ input: Tensor,
    flags: [String: Bool] = [:]
  ) throws(TorchError) -> Tensor {
    let names = flags.keys.sorted()
    let values = names.map { flags[$0] ?? false }
    let result = withoutGradients {
      withCStrings(names) { ct_script_forward(handle, input.handle, $0, values, values.count) }
    }
    guard let result else { throw .last("cannot run \(name)") }
    return Tensor(owning: result)
  }
}

/// Texts as C strings, valid during `body`.
private func withCStrings<Result>(
  _ texts: [String],
  _ body: ([UnsafePointer<CChar>?]) -> Result
) -> Result {
  let copies = texts.map { text in
    let bytes = Array(text.utf8CString)
    let copy = UnsafeMutablePointer<CChar>.allocate(capacity: bytes.count)
    copy.initialize(from: bytes, count: bytes.count)
    return copy
  }
  defer { for copy in copies { copy.deallocate() } }
  return body(copies.map { UnsafePointer($0) })
}
