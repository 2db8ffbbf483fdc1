import Foundation
import Torch

/// When a small training ends, and how large its steps are: a warm-up, then half a cosine to zero.
struct StepSchedule: Sendable {
  /// Images to see; a repeated image counts again.
  var images: Double
  /// Ends the training early; the step size is then scheduled by time.
  var maximumSeconds: Double?
  /// Images over which the step size rises from zero.
  var warmUpImages: Int

  /// Takes steps to the limit in images or in time.
  ///
  /// - Parameters:
  ///   - imagesSeen: Images seen so far.
  ///   - report: Called about once a second and at the end.
  ///   - step: One step, given the share of the training that is behind, [0, 1); returns its loss.
  func run(
    imagesSeen: () -> Int,
    report: (StepProgress) -> Void,
    step: (Double) -> Double
  ) {
    let clock = ContinuousClock()
    let start = clock.now
    var (losses, lastReport): ([Double], Double) = ([], 0)
    while true {
      let seconds = (clock.now - start) / .seconds(1)
      let timeShare = maximumSeconds.map { seconds / $0 } ?? 0
      let share = max(Double(imagesSeen()) / images, timeShare)
      if seconds - lastReport >= 1 || share >= 1 {
        report(
          StepProgress(
            imagesSeen: imagesSeen(),
            loss: losses.reduce(0, +) / Double(max(1, losses.count)),
            imagesPerSecond: Double(imagesSeen()) / max(seconds, 1e-9),
            secondsLeft: share > 0 ? max(0, seconds * (1 / share - 1)) : .infinity
          )
        )
        (losses, lastReport) = ([], seconds)
      }
      if share >= 1 { return }
      losses.append(step(share))
    }
  }

  /// The step size's factor, in (0, 1], at a share of the training and after some images.
  func factor(share: Double, imagesSeen: Int) -> Double {
    let warmUp = min(1, Double(imagesSeen + 1) / Double(max(1, warmUpImages)))
    return warmUp * 0.5 * (1 + cos(Double.pi * min(1, share)))
  }
}

/// Where a small training stands.
package struct StepProgress: Sendable {
  /// Images seen.
  package var imagesSeen: Int
  /// Mean loss since the last report.
  package var loss: Double
  /// Images a second since the start.
  package var imagesPerSecond: Double
  /// Estimated seconds to the end.
  package var secondsLeft: Double
}

/// The images of steps: each round sees all of them in a new order, but for what does not fill a step.
struct ShuffledRounds {
  private let count: Int
  private let size: Int
  private let seed: UInt64
  private let stream: RandomStream
  private var order: [Int] = []

  /// Rounds over `count` images; a step takes all of them if there are fewer than its size.
  init(count: Int, batchSize: Int, seed: UInt64, stream: RandomStream) {
    self.count = count
    size = min(batchSize, count)
    self.seed = seed
    self.stream = stream
  }

  /// The images of the next step; a new round follows from the seed and the images seen.
  mutating func next(imagesSeen: Int) -> [Int] {
    if order.count < size {
      let random = SeededRandom(seed: seed, stream: stream, position: UInt64(imagesSeen))
      order = random.permutation(count).values(Int64.self).map(Int.init)
    }
    defer { order.removeLast(size) }
    return Array(order.suffix(size))
  }
}
