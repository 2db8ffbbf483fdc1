import Foundation
import Images
import Threads

/// Prefetches batches for training: decodes ahead on its own threads.
///
/// The image at a position of the run is a pure function of (training set, seed, position): batches
/// do not depend on the number of threads, on batch size, or on whether the run was interrupted.
/// Threads work ahead of the last requested position; a request for another position restarts there. Not
/// thread-safe: one consumer at a time.
package final class BatchLoader {
  /// The settings of a loader.
  package struct Options: Sendable {
    /// Seed of the order and of the choice of captions.
    package var seed: UInt32
    /// This process's rank, in `0 ..< ranks`.
    package var rank: Int
    /// Number of ranks.
    package var ranks: Int
    /// Number of decoding threads.
    package var threads: Int
    /// The number of images to decode ahead.
    package var capacity: Int
    /// The numbers of a class label; `nil` loads none.
    package var labelDimension: Int?

    /// Settings of a loader.
    package init(
      seed: UInt32 = 0,
      rank: Int = 0,
      ranks: Int = 1,
      threads: Int = 2,
      capacity: Int = 64,
      labelDimension: Int? = nil
    ) {
      precondition(ranks >= 1 && (0..<ranks).contains(rank), "rank \(rank) of \(ranks)")
      precondition(threads >= 1 && capacity >= 1, "\(threads) threads, capacity \(capacity)")
      self.seed = seed
      self.rank = rank
      self.ranks = ranks
      self.threads = threads
      self.capacity = capacity
      self.labelDimension = labelDimension
    }
  }

  /// The images to load.
  package let trainingSet: TrainingSet

  private typealias Pipeline = OrderedPipeline<SampleRequest, Result<Sample, DatasetError>>

  /// A position of the run and the sampler's index there.
  private struct SampleRequest: Sendable {
    var position: Int
    var index: Int
  }

  private struct Sample: Sendable {
    var index: Int
    var pixels: [UInt8]
    var imageFeature: [Float]
    var textFeature: [Float]
    var isPseudoText: Bool
    var label: [Float]
  }

  /// The sampler, used by one pipeline at a time under that pipeline's lock.
  private final class SamplerBox {
    var sampler: InfiniteSampler
    init(_ sampler: InfiniteSampler) { self.sampler = sampler }
  }

  /// Assembles batches from samples in order; one thread at a time.
  private final class Assembler: @unchecked Sendable {
    // Sendable: `BatchLoader` begins to assemble a batch only after the one before is complete.
    let trainingSet: TrainingSet
    let options: Options
    private let sampler: SamplerBox
    private var pipeline: Pipeline?
    private var nextPosition = -1

    init(_ trainingSet: TrainingSet, _ options: Options) {
      self.trainingSet = trainingSet
      self.options = options
      sampler = SamplerBox(InfiniteSampler(count: trainingSet.count, seed: options.seed))
    }

    deinit { pipeline?.stop() }

    func batch(at imagesSeen: Int, size: Int) throws(DatasetError) -> HostBatch {
      seek(to: imagesSeen + options.rank)
      let (side, dimension) = (trainingSet.resolution, trainingSet.featureDimension)
      var batch = HostBatch(size: size, resolution: side, featureDimension: dimension)
      batch.pixels.reserveCapacity(size * side * side * 3)
      batch.imageFeatures.reserveCapacity(size * dimension)
      batch.textFeatures.reserveCapacity(size * dimension)
      for _ in 0..<size {
        guard let result = pipeline?.next() else {
          preconditionFailure("a pipeline without end ended")
        }
        let sample: Sample
        do throws(DatasetError) {
          sample = try result.get()
        } catch {
          // The pipeline is past the failed image: the next call restarts at its position.
          nextPosition = -1
          throw error
        }
        nextPosition += options.ranks
        batch.pixels += sample.pixels
        batch.imageFeatures += sample.imageFeature
        batch.textFeatures += sample.textFeature
        batch.isPseudoText.append(sample.isPseudoText)
        batch.labels += sample.label
        batch.indices.append(sample.index)
      }
      return batch
    }

    private func seek(to position: Int) {
      if pipeline != nil && position == nextPosition { return }
      // The old pipeline claims nothing after this, so the sampler is free for the new one.
      pipeline?.stop()
      let (sampler, ranks) = (sampler, options.ranks)
      let (trainingSet, options) = (trainingSet, options)
      pipeline = Pipeline(
        threads: options.threads,
        capacity: options.capacity,
        claim: { step in
          let position = position + step * ranks
          return SampleRequest(position: position, index: sampler.sampler.index(at: position))
        },
        work: { request in
          Result { () throws(DatasetError) in
            try BatchLoader.load(request, from: trainingSet, options)
          }
        }
      )
      nextPosition = position
    }
  }

  private let assembler: Assembler
  /// The prefetched batch of the next position.
  private var ahead: BatchAhead?

  /// A loader; threads start with the first batch.
  package init(_ trainingSet: TrainingSet, options: Options = Options()) {
    self.trainingSet = trainingSet
    assembler = Assembler(trainingSet, options)
  }

  /// The batch of this rank at a point of the run.
  ///
  /// Item k lies at position `imagesSeen + rank + k·ranks`: the ranks together take
  /// `imagesSeen ..< imagesSeen + size·ranks`.
  /// - Parameters:
  ///   - imagesSeen: Images seen before by all ranks together.
  ///   - size: Number of images for this rank.
  /// - Returns: `size` images with their features.
  /// - Throws: `DatasetError` naming zip and entry of an image that cannot be read.
  package func batch(at imagesSeen: Int, size: Int) throws(DatasetError) -> HostBatch {
    precondition(imagesSeen >= 0 && size >= 1, "batch of \(size) at \(imagesSeen)")
    let expected = ahead.map { ($0, $0.take()) }
    ahead = nil
    let batch: HostBatch
    if let (asked, result) = expected, asked.imagesSeen == imagesSeen, asked.size == size {
      batch = try result.get()
    } else {
      batch = try assembler.batch(at: imagesSeen, size: size)
    }
    ahead = BatchAhead(at: imagesSeen + size * assembler.options.ranks, size: size) {
      [assembler] imagesSeen, size throws(DatasetError) in
      try assembler.batch(at: imagesSeen, size: size)
    }
    return batch
  }

  private static func load(
    _ request: SampleRequest,
    from trainingSet: TrainingSet,
    _ options: Options
  ) throws(DatasetError) -> Sample {
    let features = try trainingSet.features(
      at: request.index,
      seed: UInt64(options.seed),
      position: request.position
    )
    return Sample(
      index: request.index,
      pixels: try trainingSet.image(at: request.index).pixels,
      imageFeature: features.image,
      textFeature: features.text,
      isPseudoText: trainingSet.hasPseudoText(at: request.index),
      label: try label(request, of: trainingSet, options)
    )
  }

  private static func label(
    _ request: SampleRequest,
    of trainingSet: TrainingSet,
    _ options: Options
  ) throws(DatasetError) -> [Float] {
    guard let dimension = options.labelDimension else { return [] }
    return try trainingSet.label(at: request.index, dimension: dimension)
  }
}

/// A prefetched batch, assembled on a thread of its own.
private final class BatchAhead: @unchecked Sendable {
  // Sendable: `result` is written before `isThere` is signalled and read after that.
  let imagesSeen: Int
  let size: Int
  private var result: Result<HostBatch, DatasetError>?
  private let isThere = DispatchSemaphore(value: 0)

  init(
    at imagesSeen: Int,
    size: Int,
    _ make: @escaping @Sendable (Int, Int) throws(DatasetError) -> HostBatch
  ) {
    self.imagesSeen = imagesSeen
    self.size = size
    WorkerThread.startOrExit { [self] in
      result = Result { () throws(DatasetError) in try make(imagesSeen, size) }
      isThere.signal()
    }
  }

  /// Waits for the batch; to be called once.
  func take() -> Result<HostBatch, DatasetError> {
    isThere.wait()
    guard let result else { preconditionFailure("a batch that was signalled and is not there") }
    return result
  }
}
