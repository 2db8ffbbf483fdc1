package import Fetch
import Foundation

extension Weights {
  /// CLIP's tokenizer, restricted to a model's vocabulary if it has a compact one.
  package static func tokenizer(for configuration: CLIPConfiguration? = nil) throws -> CLIPTokenizer
  {
    let merges = try String(contentsOfFile: path(vocabulary), encoding: .utf8)
    return try CLIPTokenizer(mergeList: merges, vocabulary: configuration?.vocabulary)
  }
}
