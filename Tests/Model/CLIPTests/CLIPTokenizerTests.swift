import Foundation
import Networks
import TestSupport
import Testing
import TorchTestSupport

@testable import CLIP

/// The published merge list, put there by scripts/setup.
private let mergeListPath = Repository.path(".deps/weights/bpe_simple_vocab_16e6.txt")

/// The published tokenizer, read once for all suites.
let publishedTokenizer: CLIPTokenizer? = {
  guard let data = FileManager.default.contents(atPath: mergeListPath) else { return nil }
  return try? CLIPTokenizer(mergeList: String(decoding: data, as: UTF8.self))
}()

@Suite(
  "CLIP tokenizer: Golden",
  .enabled(if: publishedTokenizer != nil, "run scripts/setup: no \(mergeListPath)")
)
struct CLIPTokenizerGoldenTests {
  private struct File: Decodable {
    struct Case: Decodable {
      let text: String
      let ids: [Int]
      let n_with_specials: Int
      let tokenize: String
      let tokenize_truncated: [Int]?
    }
    let sot: Int
    let eot: Int
    let context_length: Int
    let cases: [Case]
  }

  @Test func `ids are those of the published tokenizer`() throws {
    let file: File = try Golden.json("clip_tokenizer.json")
    let tokenizer = try #require(publishedTokenizer)
    #expect((tokenizer.startOfText, tokenizer.endOfText) == (file.sot, file.eot))
    #expect(tokenizer.vocabularySize == 49_408)
    #expect(file.cases.count > 60)
    for recorded in file.cases {
      #expect(tokenizer.encode(recorded.text) == recorded.ids, "\(recorded.text.debugDescription)")
      if recorded.tokenize == "ok" {
        let ids = try tokenizer.tokenize(recorded.text)
        #expect(ids.count == file.context_length)
        #expect(Array(ids.prefix(recorded.n_with_specials).dropFirst().dropLast()) == recorded.ids)
        #expect(ids[recorded.n_with_specials - 1] == file.eot)
      } else {
        #expect(
          throws: CLIPError.captionTooLong(tokens: recorded.n_with_specials, contextLength: 77)
        ) { try tokenizer.tokenize(recorded.text) }
        let cut = try tokenizer.tokenize(recorded.text, truncating: true)
        #expect(cut == recorded.tokenize_truncated)
      }
    }
  }

  @Test func `a compact vocabulary keeps order, marks and padding`() throws {
    let full = try #require(publishedTokenizer)
    let vocabulary = full.vocabulary(for: ["a red fire engine", "消防車"])
    let compact = full.restricted(to: vocabulary)
    #expect(compact.vocabularySize == vocabulary.count)
    #expect(vocabulary.count < 530)
    let ids = try full.tokenize("a red fire engine", contextLength: 12)
    let dense = try compact.tokenize("a red fire engine", contextLength: 12)
    #expect(dense.map { vocabulary.ids[$0] } == ids)
    #expect(dense.max() == compact.endOfText)
    #expect(dense.last == 0)
  }

  @Test func `unknown words are spelled with known parts`() throws {
    let full = try #require(publishedTokenizer)
    let compact = full.restricted(to: full.vocabulary(for: ["fire"]))
    let spelled = compact.encode("engine")
    #expect(spelled.count == 6)
    #expect(spelled.allSatisfy { $0 < 512 })
    #expect(compact.encode("fire").count == 1)
    #expect(compact.encode("木").count == 3)
  }

  @Test func `a vocabulary survives JSON and refuses damage`() throws {
    let full = try #require(publishedTokenizer)
    let vocabulary = full.vocabulary(for: ["grapes"])
    let json = try JSONEncoder().encode(vocabulary)
    #expect(try JSONDecoder().decode(CompactVocabulary.self, from: json) == vocabulary)
    let damaged = #"{"ids":[1,2,3],"fullSize":49408}"#
    #expect(throws: CLIPError.self) {
      try JSONDecoder().decode(CompactVocabulary.self, from: Data(damaged.utf8))
    }
  }

  @Test func `a caption that is one endless word is encoded in bounded time`() throws {
    // Measured inside: a limit on the test would count its wait for a thread.
    let start = ContinuousClock.now
    let tokenizer = try #require(publishedTokenizer)
    let letters = unitValues(seed: 1, count: 20_000).map { $0 < -0.5 ? "a" : $0 < 0.5 ? "t" : "h" }
    let ids = tokenizer.encode(letters.joined())
    #expect(ids.count > 2000 && ids.count < 12_000)
    #expect(tokenizer.encode(String(repeating: "&amp;", count: 10_000)).count > 1000)
    #expect(start.duration(to: .now) < .seconds(30))
  }
}

@Suite("CLIP tokenizer")
struct CLIPTokenizerTests {
  private let merges = "#version\ni n\nt h\nth e</w>\na n\n"

  @Test func `merges apply by priority`() throws {
    let tokenizer = try CLIPTokenizer(mergeList: merges)
    #expect(tokenizer.vocabularySize == 512 + 4 + 2)
    // The end-of-word "e" makes "the" one token; inside "then" only "th" merges.
    #expect(tokenizer.encode("the") == [514])
    let (e, n) = (68, 77 + 256)
    #expect(tokenizer.encode("then") == [513, e, n])
    #expect(tokenizer.encode("THE the") == [514, 514])
  }

  @Test func `captions are framed, padded and cut`() throws {
    let tokenizer = try CLIPTokenizer(mergeList: merges)
    let (start, end) = (516, 517)
    #expect(try tokenizer.tokenize("the", contextLength: 5) == [start, 514, end, 0, 0])
    #expect(try tokenizer.tokenize("", contextLength: 3) == [start, end, 0])
    #expect(throws: CLIPError.captionTooLong(tokens: 5, contextLength: 4)) {
      try tokenizer.tokenize("the the the", contextLength: 4)
    }
    #expect(
      try tokenizer.tokenize("the the the", contextLength: 4, truncating: true)
        == [start, 514, 514, end]
    )
  }

  @Test(arguments: [("", 1), ("#x\na b c\n", 2), ("#x\na b\nzz y\n", 3), ("\u{0}\u{1}", 1)])
  func `a damaged merge list is refused with its line`(text: String, line: Int) throws {
    let error = #expect(throws: CLIPError.self) { try CLIPTokenizer(mergeList: text) }
    guard case .vocabulary(let found, _) = error else {
      Issue.record("\(String(describing: error))")
      return
    }
    #expect(found == line)
  }
}
