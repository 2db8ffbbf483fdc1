package import CLIP
package import Datasets
import Foundation
import Images
package import Networks
import Pixels
import Text
import Torch

/// The judge: a CLIP outside of training that ranks the captions of generated images.
package struct CaptionJudge {
  package let conditions: TrainingSet
  package let clip: ClipModel
  package let judge: ClipModel

  /// A judge of images under a set's captions.
  package init(conditions: TrainingSet, clip: ClipModel, judge: ClipModel) {
    (self.conditions, self.clip, self.judge) = (conditions, clip, judge)
  }

  /// Judges images of distinct captions of the set: the first English ones, spread over the set.
  ///
  /// - Parameters:
  ///   - generator: Paints the images.
  ///   - count: Distinct captions.
  ///   - perCaption: Images of each.
  ///   - seed: Of the latents.
  ///   - note: Receives a line if captions are truncated for CLIP.
  /// - Returns: The agreement of the generated images, and that of the real images of the same captions, which
  ///   says what the judge knows: it may not recognise what it never saw.
  /// - Throws: `EvaluationError` if the set has fewer distinct captions, `DatasetError` for an image that cannot be
  ///   read.
  package func agreement(
    _ generator: Generator,
    captions count: Int,
    perCaption: Int,
    seed: UInt64,
    note: (String) -> Void = { _ in }
  ) throws -> (generated: CaptionAgreement, real: CaptionAgreement) {
    let captions = try distinctCaptions(count)
    let texts = captions.map(\.text)
    if let line = clip.noteOnLength(of: texts, "captions") { note(line) }
    let features = try clip.features(of: texts).normalized()
    let owners = texts.indices.flatMap { [Int](repeating: $0, count: perCaption) }
    let random = SeededRandom(seed: seed, stream: .captionJudge, position: 0)
    var seen: [Tensor] = []
    for start in stride(from: 0, to: owners.count, by: 32) {
      let chosen = Array(owners[start..<min(start + 32, owners.count)])
      let z = random.normal([chosen.count, generator.configuration.zDimension])
        .to(features.device)
      let labels = try generator.configuration.labelDimension.map { dimension in
        let rows = try chosen.flatMap {
          try conditions.label(at: captions[$0].image, dimension: dimension)
        }
        return Tensor(rows, shape: [chosen.count, dimension]).to(features.device)
      }
      let images = withoutGradients {
        generator(
          z,
          fts: features.gathered(0, chosen),
          labels: labels,
          noiseMode: .random(random)
        )
      }
      guard images.isFinite else { throw EvaluationError.notFinite }
      seen.append(judge.features(of: pictures(images)))
    }
    let candidates = try judge.features(of: texts)
    let reals = try captions.map { judge.features(of: [try conditions.image(at: $0.image)]) }
    return (
      CaptionAgreement(
        images: .concatenated(seen),
        captions: candidates,
        captionOfImage: owners
      ),
      CaptionAgreement(
        images: .concatenated(reals),
        captions: candidates,
        captionOfImage: Array(texts.indices)
      )
    )
  }

  /// Captions with the indices of their images.
  private func distinctCaptions(_ count: Int) throws -> [(text: String, image: Int)] {
    var all: [(text: String, image: Int)] = []
    var known: Set<String> = []
    for index in 0..<conditions.count {
      let (dataset, own) = conditions.location(ofRaw: conditions.rawIndex(at: index))
      let english = try dataset.captions(at: own).first { !isJapanese($0) }
      if let english, known.insert(english).inserted { all.append((english, index)) }
    }
    guard all.count >= count else {
      throw EvaluationError.option(
        "--captions \(count): the data has only \(all.count) distinct captions"
      )
    }
    return (0..<count).map { all[$0 * all.count / count] }
  }
}
