package import CLIP
package import Datasets
import Images
import Torch

/// Packed pictures in memory, divided into those that a classifier learns from and those that it is measured with.
package struct ClassifierData {
  /// The classes.
  package let words: CaptionWords
  /// Pictures to learn from.
  package let training: CLIPPairs
  /// A twentieth of the pictures, to measure with.
  package let heldOut: CLIPPairs
  /// Pictures without a word that is a class.
  package let wordless: Int

  /// The most bytes of pictures that are held in memory.
  private static let mostBytes = 8 << 30
  private static let heldOutEvery = 20

  /// Reads all pictures of packed sets at one size.
  ///
  /// - Parameters:
  ///   - datasets: The sets.
  ///   - side: Height and width of the pictures in memory.
  ///   - mostWords: The most classes.
  ///   - progress: Called with (done, total).
  /// - Throws: `DatasetError` for an image that cannot be read; `EvaluationError.option` for pictures that do not
  ///   fit into memory, fewer than two words, or too few pictures.
  package init(
    _ datasets: [PackedDataset],
    side: Int,
    mostWords: Int,
    progress: (Int, Int) -> Void = { _, _ in }
  ) throws {
    let total = datasets.reduce(0) { $0 + $1.count }
    let size = side * side * 3
    guard total <= Self.mostBytes / size else {
      throw EvaluationError.option(
        "\(total) pictures of \(side)² do not fit into the \(Self.mostBytes >> 30) GiB that a classifier's "
          + "pictures may take: give fewer zips, or a smaller --side"
      )
    }
    let places = datasets.flatMap { dataset in (0..<dataset.count).map { (dataset, $0) } }
    let captions = try places.map { try $0.captions(at: $1) }
    let words = CaptionWords(captions: captions, most: mostWords)
    guard words.words.count >= 2 else {
      throw EvaluationError.option(
        "the captions have \(words.words.count) words that belong to at least 5 pictures and to no more than "
          + "a quarter of them: a classifier needs 2"
      )
    }
    self.words = words
    let chosen = captions.indices.filter { !words.classes(of: captions[$0]).isEmpty }
    wordless = total - chosen.count
    guard chosen.count >= 2 * Self.heldOutEvery else {
      throw EvaluationError.option(
        "\(chosen.count) pictures have a word that is a class: a classifier needs \(2 * Self.heldOutEvery)"
      )
    }
    let apart = Self.heldOut(of: chosen)
    var parts = [(pixels: [UInt8], captions: [[String]])](repeating: ([], []), count: 2)
    for (taken, number) in chosen.enumerated() {
      let (dataset, index) = places[number]
      let part = apart.contains(number) ? 1 : 0
      parts[part].pixels += try dataset.image(at: index).resized(width: side, height: side).pixels
      parts[part].captions.append(captions[number])
      progress(taken + 1, chosen.count)
    }
    training = CLIPPairs(
      pixels: parts[0].pixels,
      resolution: side,
      captions: parts[0].captions
    )
    heldOut = CLIPPairs(pixels: parts[1].pixels, resolution: side, captions: parts[1].captions)
  }

  /// A twentieth of some pictures, drawn: every twentieth would be of one kind where kinds take turns.
  private static func heldOut(of chosen: [Int]) -> Set<Int> {
    let random = SeededRandom(seed: 0, stream: .classifierSplit, position: 0)
    let order = random.permutation(chosen.count).values(Int64.self)
    return Set(order.prefix(chosen.count / heldOutEvery).map { chosen[Int($0)] })
  }
}
