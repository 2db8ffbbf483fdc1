/// CLIP's tokenizer: captions to the numbers its text tower reads (Radford et al., arXiv 2103.00020,
/// section 2.4; byte pair encoding on lower-cased UTF-8).
///
/// Ids agree with OpenAI's for the same merge list. A tokenizer with a `CompactVocabulary` gives that
/// vocabulary's ids instead.
public struct CLIPTokenizer: Sendable {
  /// Number of different ids.
  public let vocabularySize: Int
  /// The id before a caption.
  public let startOfText: Int
  /// The id after a caption: the largest of all, by which the model finds the caption's end.
  public let endOfText: Int

  private let merges: BytePairMerges
  private let vocabulary: CompactVocabulary?

  /// Merges that OpenAI's vocabulary of 49,408 ids uses.
  private static let publishedMerges = 49_408 - 512 - 2

  /// A tokenizer.
  ///
  /// - Parameters:
  ///   - mergeList: The text of bpe_simple_vocab_16e6.txt.
  ///   - vocabulary: The ids in use, if not all of them.
  /// - Throws: `CLIPError.vocabulary` with the offending line.
  public init(mergeList: String, vocabulary: CompactVocabulary? = nil) throws(CLIPError) {
    merges = try BytePairMerges(text: mergeList, limit: Self.publishedMerges)
    self.vocabulary = vocabulary
    let full = 512 + merges.parts.count + 2
    if let vocabulary, vocabulary.fullSize != full {
      throw .configuration("a vocabulary made from \(vocabulary.fullSize) ids, not \(full)")
    }
    vocabularySize = vocabulary?.count ?? full
    startOfText = vocabularySize - 2
    endOfText = vocabularySize - 1
  }

  /// The same tokenizer, restricted to a vocabulary.
  public func restricted(to vocabulary: CompactVocabulary) -> CLIPTokenizer {
    CLIPTokenizer(merges: merges, vocabulary: vocabulary)
  }

  /// The smallest vocabulary with everything that `captions` need, and all bytes.
  public func vocabulary(for captions: some Sequence<String>) -> CompactVocabulary {
    let full = CLIPTokenizer(merges: merges, vocabulary: nil)
    var used: Set<Int> = []
    for caption in captions { used.formUnion(full.encode(caption)) }
    return CompactVocabulary(used: used, fullSize: full.vocabularySize)
  }

  /// The ids of a caption of any length, without start and end.
  public func encode(_ caption: String) -> [Int] {
    var ids: [Int] = []
    let scalars = cleanedForCLIP(caption)
    forEachWord(in: scalars) { word in
      switch word {
      case .startOfText: ids.append(startOfText)
      case .endOfText: ids.append(endOfText)
      case .text(let range):
        let utf8 = scalars[range].flatMap { Array(UTF8.encode($0) ?? .init()) }
        for id in merges.encode(utf8) { append(id, to: &ids) }
      }
    }
    return ids
  }

  /// The ids of a caption between start and end, filled up with zeros.
  ///
  /// - Parameters:
  ///   - caption: Any text.
  ///   - contextLength: Length of the result; at least 2.
  ///   - truncating: Cuts a long caption, keeping the end mark as the last token, instead of throwing.
  /// - Returns: `contextLength` ids.
  /// - Throws: `CLIPError.captionTooLong`.
  public func tokenize(
    _ caption: String,
    contextLength: Int = 77,
    truncating: Bool = false
  ) throws(CLIPError) -> [Int] {
    precondition(contextLength >= 2, "a context of \(contextLength) has no room for start and end")
    var ids = [startOfText] + encode(caption) + [endOfText]
    if ids.count > contextLength {
      if !truncating {
        throw .captionTooLong(tokens: ids.count, contextLength: contextLength)
      }
      ids.removeLast(ids.count - contextLength)
      ids[contextLength - 1] = endOfText
    }
    return ids + [Int](repeating: 0, count: contextLength - ids.count)
  }

  /// Whether a caption with its start and end takes at most `contextLength` tokens.
  public func fits(_ caption: String, contextLength: Int) -> Bool {
    encode(caption).count + 2 <= contextLength
  }

  private init(merges: BytePairMerges, vocabulary: CompactVocabulary?) {
    self.merges = merges
    self.vocabulary = vocabulary
    vocabularySize = vocabulary?.count ?? 512 + merges.parts.count + 2
    startOfText = vocabularySize - 2
    endOfText = vocabularySize - 1
  }

  /// Adds one id, or what stands for it in a compact vocabulary: the largest known parts.
  private func append(_ id: Int32, to ids: inout [Int]) {
    guard let vocabulary else { return ids.append(Int(id)) }
    if let dense = vocabulary[Int(id)] { return ids.append(dense) }
    let (left, right) = merges.parts[Int(id) - 512]
    append(left, to: &ids)
    append(right, to: &ids)
  }
}
