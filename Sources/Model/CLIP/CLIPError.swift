/// What can be wrong with a CLIP model, its vocabulary or a caption given from outside.
public enum CLIPError: Error, Equatable, Sendable, CustomStringConvertible {
  /// The merge list of the tokenizer cannot be used.
  case vocabulary(line: Int, reason: String)
  /// A caption has more tokens than the model reads.
  case captionTooLong(tokens: Int, contextLength: Int)
  /// A configuration that no model can have.
  case configuration(String)
  /// A file or state dictionary that is no CLIP model.
  case snapshot(String)
  /// A file that holds no CLIP model.
  case file(path: String, reason: String)

  /// Folders that hold no pictures with texts to train on.
  case noPairs(folders: [String])

  /// One line: what is wrong and what to do.
  public var description: String {
    switch self {
    case .vocabulary(let line, let reason):
      "line \(line) of the BPE vocabulary: \(reason); expected bpe_simple_vocab_16e6.txt, decompressed"
    case .captionTooLong(let tokens, let contextLength):
      "a caption of \(tokens) tokens is too long for a context of \(contextLength); "
        + "shorten it or allow truncation"
    case .configuration(let reason): "impossible CLIP configuration: \(reason)"
    case .snapshot(let reason): "not a CLIP model: \(reason)"
    case .file(let path, let reason): "\(path): \(reason)"
    case .noPairs(let folders):
      "no pairs of picture and text in \(folders.joined(separator: ", "))"
    }
  }
}
