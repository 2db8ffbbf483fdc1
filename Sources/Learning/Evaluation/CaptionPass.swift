import CLIP
import Datasets
package import Torch

/// The captions of generated images, from a pass over the conditioning set, with a judge's features.
package struct CaptionPass {
  /// Features of the distinct captions, unit length, [m, E].
  package let features: Tensor
  /// The caption of each image, as a row of `features`.
  package let owners: [Int]

  /// A judge's text side: a CLIP's hash and its function of texts.
  package struct Judge {
    /// SHA-256 of the CLIP's file.
    package let sha256: String
    /// Features of texts, of any length, [n, E].
    package let features: ([String]) throws -> Tensor
    /// Receives the distinct captions once, to report those that will be truncated.
    package let announce: ([String]) -> Void

    /// A judge.
    package init(
      sha256: String,
      announce: @escaping ([String]) -> Void = { _ in },
      features: @escaping ([String]) throws -> Tensor
    ) {
      self.sha256 = sha256
      self.features = features
      self.announce = announce
    }
  }

  /// Follows the pass of `GeneratedImages` and embeds its captions.
  ///
  /// Captions are encoded from their texts; of a set with features alone, these are used if they are the
  /// judge's own.
  ///
  /// - Parameters:
  ///   - images: The pass over the conditioning set.
  ///   - judge: The CLIP that encodes the captions.
  ///   - chunk: Captions embedded at once.
  /// - Throws: `EvaluationError.option` if an image of the set has neither a text nor a feature of the judge.
  package init(_ images: GeneratedImages, judge: Judge, chunk: Int = 64) throws {
    var rows: [Key: Int] = [:]
    var texts: [String] = []
    var stored: [Float] = []
    var owners: [Int] = []
    let set = images.conditions
    for position in 0..<images.count {
      let index = position % set.count
      let number = set.captionNumber(at: index, seed: images.seed, position: position)
      let (dataset, entry) = set.location(ofRaw: set.rawIndex(at: index))
      guard let number else {
        throw EvaluationError.option(
          "\(dataset.path): \(dataset.name(at: entry)) has no caption; "
            + "metrics of captions need a --test_data with captions"
        )
      }
      let captions = try dataset.captions(at: entry)
      let hasText = captions.indices.contains(number)
      guard hasText || dataset.manifest?.featureModel?.sha256 == judge.sha256 else {
        throw EvaluationError.option(
          "\(dataset.path) keeps no texts of its captions, only another CLIP's features; "
            + "pack it again with nifty pack, or judge with the CLIP that packed it"
        )
      }
      let key = hasText ? Key.text(captions[number]) : .stored(set.rawIndex(at: index), number)
      if rows[key] == nil {
        rows[key] = rows.count
        switch key {
        case .text(let text): texts.append(text)
        case .stored: stored += dataset.textFeature(image: entry, caption: number)
        }
      }
      owners.append(rows[key] ?? 0)
    }
    guard texts.isEmpty || stored.isEmpty else {
      throw EvaluationError.option("only some of the sets keep the texts of their captions")
    }
    self.owners = owners
    if texts.isEmpty {
      features = Tensor(stored, shape: [rows.count, set.featureDimension]).normalized()
    } else {
      judge.announce(texts)
      let parts = try stride(from: 0, to: texts.count, by: chunk).map {
        try judge.features(Array(texts[$0..<min($0 + chunk, texts.count)]))
      }
      features = Tensor.concatenated(parts).to(.cpu).normalized()
    }
  }

  private enum Key: Hashable {
    case text(String)
    case stored(Int, Int)
  }

  /// Mean cosine between an image and its caption.
  ///
  /// - Parameter images: CLIP features of the images, of any length, [n, E].
  /// - Returns: From −1 to 1.
  package func meanCosine(_ images: Tensor) -> Double {
    let own = features.gathered(0, owners)
    return (images.to(.float32).normalized() * own).sum(1).mean().item
  }

  /// Captions that `retrieval` ranks for an image, its own included: 100, or all if there are fewer.
  package func candidateCount(_ limit: Int = 100) -> Int { min(limit, features.size(0)) }

  /// R-precision at rank one (Xu et al., arXiv 1711.10485, section 4.1, with a CLIP as judge): the
  /// fraction of images whose own caption is nearer than 99 others drawn at random.
  ///
  /// - Parameters:
  ///   - images: CLIP features of the images, of any length, [n, E].
  ///   - candidates: Captions to rank, the own one included; all if there are fewer.
  ///   - seed: Draws the others.
  /// - Returns: From 0 to 1; a tie does not count as nearer.
  package func retrieval(_ images: Tensor, candidates: Int = 100, seed: UInt64) -> Double {
    let m = features.size(0)
    let others = candidateCount(candidates) - 1
    var random = CountedNumbers(state: mixed(seed, RandomStream.retrievalCandidates.number))
    var hits = 0
    let x = images.to(.float32).normalized()
    for start in stride(from: 0, to: owners.count, by: 256) {
      let rows = start..<min(start + 256, owners.count)
      let cosines = x.sliced(0, rows).matmul(features.transposed()).floats
      for (row, image) in rows.enumerated() {
        let own = cosines[row * m + owners[image]]
        var drawn: Set<Int> = []
        var isFirst = true
        while drawn.count < others {
          let other = Int.random(in: 0..<m, using: &random)
          guard other != owners[image], drawn.insert(other).inserted else { continue }
          if cosines[row * m + other] >= own { isFirst = false }
        }
        if isFirst { hits += 1 }
      }
    }
    return Double(hits) / Double(max(1, owners.count))
  }
}

/// The mixed numbers of consecutive states.
private struct CountedNumbers: RandomNumberGenerator {
  var state: UInt64

  mutating func next() -> UInt64 {
    defer { state &+= 1 }
    return mixed(state)
  }
}
