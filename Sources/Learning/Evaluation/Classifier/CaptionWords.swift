/// The words of captions as the classes of a classifier: what a picture shows, without anyone's labels (Joulin et
/// al., "Learning Visual Features from Large Weakly Supervised Data", arXiv 1511.02251, section 3).
package struct CaptionWords: Sendable {
  /// The words that are classes: the one of most pictures first, equal ones by the alphabet.
  package let words: [String]
  /// The words that are left out because they belong to more than a quarter of the pictures: "a", "the".
  package let common: [String]
  /// Number of words that are left out because too few pictures have them, or others have more.
  package let rare: Int

  private let numbers: [String: Int]

  /// Chooses the words of pictures.
  ///
  /// - Parameters:
  ///   - captions: The captions of each picture.
  ///   - leastPictures: Pictures that a word must belong to.
  ///   - most: The most classes.
  package init(captions: [[String]], leastPictures: Int = 5, most: Int = 1000) {
    var pictures: [String: Int] = [:]
    for own in captions {
      for word in Self.words(in: own) { pictures[word, default: 0] += 1 }
    }
    let isCommon = { (count: Int) in count * 4 > captions.count }
    let common = pictures.filter { isCommon($0.value) }.keys.sorted()
    let known =
      pictures
      .filter { !isCommon($0.value) && $0.value >= leastPictures }
      .sorted { ($1.value, $0.key) < ($0.value, $1.key) }
    self.init(
      words: known.prefix(most).map(\.key),
      common: common,
      rare: pictures.count - common.count - min(most, known.count)
    )
  }

  /// Words that are known.
  package init(words: [String]) { self.init(words: words, common: [], rare: 0) }

  private init(words: [String], common: [String], rare: Int) {
    self.words = words
    self.common = common
    self.rare = rare
    numbers = Dictionary(zip(words, words.indices)) { first, _ in first }
  }

  /// The classes of a picture, in ascending order.
  package func classes(of captions: [String]) -> [Int] {
    Self.words(in: captions).compactMap { numbers[$0] }.sorted()
  }

  /// The words of captions: runs of letters, in lower case, of at least two letters.
  ///
  /// Languages without spaces give their phrases instead, which are rare.
  package static func words(in captions: [String]) -> Set<String> {
    Set(
      captions.flatMap { caption in
        caption.lowercased().split { !$0.isLetter }.filter { $0.count >= 2 }.map(String.init)
      }
    )
  }
}
