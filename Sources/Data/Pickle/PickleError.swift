package import Files

/// Why a pickle, or the tensors inside one, cannot be read or written; one line each.
package enum PickleError: Error, Equatable, CustomStringConvertible {
  /// The file itself cannot be opened or written.
  case file(FileError)
  /// The bytes break the format at `offset`.
  case malformed(offset: Int, reason: String)
  /// The zip around the pickle breaks its format.
  case archive(reason: String)
  /// The bytes are well formed, but use something that is never needed for data.
  case unsupported(offset: Int, what: String)
  /// Reading or writing would take more memory, depth or work than is reasonable for the input.
  case limit(what: String)
  /// The pickle is valid, but its content is not what was expected.
  case content(reason: String)

  package var description: String {
    switch self {
    case .file(let error): error.description
    case .malformed(let offset, let reason):
      "pickle: byte \(offset): \(reason); the file is damaged or not a pickle"
    case .archive(let reason): "pickle: its zip: \(reason); the file is damaged"
    case .unsupported(let offset, let what):
      "pickle: byte \(offset): \(what) is not supported; save the file again from plain tensors"
    case .limit(let what):
      "pickle: \(what); no ordinary file does this, so it is refused"
    case .content(let reason): "pickle: \(reason)"
    }
  }
}
