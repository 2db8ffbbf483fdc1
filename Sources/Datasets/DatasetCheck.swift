import Images

/// The full check of a packed dataset: every checksum, every image, every feature.
package enum DatasetCheck {
  /// Something in a dataset that is not as it should be.
  package struct Fault: Sendable, Equatable, CustomStringConvertible {
    /// The entry of the zip.
    package var entry: String
    /// What is wrong with it.
    package var reason: String

    package var description: String { "\(entry): \(reason)" }
  }

  /// Checks a dataset; every fault is found, not only the first.
  ///
  /// - Parameters:
  ///   - dataset: The dataset; its counts and shapes were checked when it was opened.
  ///   - threads: Threads that decode.
  ///   - progress: Called with (images done, images).
  /// - Returns: The faults, images first, in the order of the dataset.
  package static func faults(
    in dataset: PackedDataset,
    threads: Int = 2,
    progress: (Int, Int) -> Void = { _, _ in }
  ) -> [Fault] {
    var faults: [Fault] = []
    let count = dataset.count
    let pipeline = OrderedPipeline(
      threads: threads,
      capacity: 64 * threads,
      claim: { $0 < count ? $0 : nil },
      work: { imageFaults(dataset, $0) }
    )
    var done = 0
    while let found = pipeline.next() {
      faults += found
      done += 1
      if done % 256 == 0 || done == count { progress(done, count) }
    }
    return faults + dataset.otherFaults()
  }

  private static func imageFaults(_ dataset: PackedDataset, _ index: Int) -> [Fault] {
    let entry = dataset.name(at: index)
    var faults: [Fault] = []
    do throws(DatasetError) { _ = try dataset.image(at: index) } catch {
      faults.append(Fault(entry: entry, reason: error.reason))
    }
    guard dataset.featureDimension > 0 else { return faults }
    func check(_ feature: [Float], _ what: String) {
      if !feature.allSatisfy(\.isFinite) {
        faults.append(Fault(entry: entry, reason: "\(what) is not finite"))
      } else if feature.allSatisfy({ $0 == 0 }) {
        faults.append(Fault(entry: entry, reason: "\(what) is zero"))
      }
    }
    check(dataset.imageFeature(at: index), "its image feature")
    dataset.flippedFeature(at: index).map { check($0, "its mirrored image's feature") }
    for caption in 0..<dataset.textFeatureCount(at: index) {
      check(
        dataset.textFeature(image: index, caption: caption),
        "the feature of caption \(caption + 1)"
      )
    }
    return faults
  }
}

extension PackedDataset {
  /// Faults of everything that is no image.
  fileprivate func otherFaults() -> [DatasetCheck.Fault] {
    var faults = damagedEntries().map {
      DatasetCheck.Fault(entry: $0, reason: "its checksum differs")
    }
    func check(_ entry: String, _ body: (Int) throws(DatasetError) -> Void) {
      for index in 0..<count {
        do throws(DatasetError) { try body(index) } catch {
          faults.append(.init(entry: entry, reason: error.reason))
          return
        }
      }
    }
    check(Self.captionsName) { (index) throws(DatasetError) in
      let captions = try captions(at: index).count
      guard captions == textFeatureCount(at: index) || featureDimension == 0 || captions == 0 else {
        throw .option(
          "\(captions) captions of image \(index + 1), \(textFeatureCount(at: index)) features"
        )
      }
    }
    check(Self.labelsName) { (index) throws(DatasetError) in _ = try label(at: index) }
    return faults
  }
}
