package import Fetch
import Files

extension Weights {
  /// CLIP's tokenizer, restricted to a model's vocabulary if it has a compact one.
  package static func tokenizer(for configuration: CLIPConfiguration? = nil) throws -> CLIPTokenizer
  {
    let path = try path(vocabulary)
    let file = try MappedFile(path)
    defer { withExtendedLifetime(file) {} }
    guard let merges = String(validating: file.bytes, as: UTF8.self) else {
      throw FileError("read", path: path, reason: "it is no UTF-8 text; fetch it again")
    }
    return try CLIPTokenizer(mergeList: merges, vocabulary: configuration?.vocabulary)
  }
}
