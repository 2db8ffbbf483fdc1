package import Torch

/// The agreement of generated images with their captions, judged by a CLIP.
///
/// The judge must not be the CLIP that the generator was trained with: a generator learns to please that one
/// long before its pictures show anything.
package struct CaptionAgreement: Codable, Equatable, Sendable {
  /// Share of images whose own caption is ranked first among all candidates.
  package var topOne: Double
  /// Mean cosine between an image and its caption.
  package var meanCosine: Double
  /// Number of candidate captions; chance level is one in so many.
  package var candidates: Int

  /// Judges images.
  ///
  /// - Parameters:
  ///   - images: CLIP features of the images, of any length, [n, E].
  ///   - captions: CLIP features of the candidate captions, of any length, [m, E].
  ///   - captionOfImage: The caption of each image, by its row.
  package init(images: Tensor, captions: Tensor, captionOfImage: [Int]) {
    let (n, m) = (images.size(0), captions.size(0))
    precondition(
      captionOfImage.count == n && captionOfImage.allSatisfy { 0..<m ~= $0 },
      "\(captionOfImage.count) caption numbers for \(n) images and \(m) captions"
    )
    let (x, y) = (images.to(.float32).normalized(), captions.to(.float32).normalized())
    let cosines = x.matmul(y.transposed())
    let nearest = cosines.indexOfLargest(1).values(Int64.self)
    let right = zip(nearest, captionOfImage).filter { Int($0) == $1 }
    topOne = Double(right.count) / Double(max(1, n))
    meanCosine = (x * y.gathered(0, captionOfImage)).sum(1).mean().item
    candidates = m
  }
}
