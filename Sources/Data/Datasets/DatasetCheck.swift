import Images

/// The full check of a packed dataset: every checksum, every image, every feature.
package enum DatasetCheck {
  /// A fault of a dataset.
  package struct Fault: Sendable, Equatable, CustomStringConvertible {
    /// The entry of the zip.
    package var entry: String
    /// The reason, in words.
    package var reason: String

    package var description: String { "\(entry): \(reason)" }
  }

  /// Checks a dataset for all faults, not only the first.
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
    return faults + dataset.damagedEntries() + documentFaults(in: dataset)
  }

  /// Faults of captions, labels and the counts of both, found without decoding images.
  static func documentFaults(in dataset: PackedDataset) -> [Fault] {
    var faults: [Fault] = []
    func check(_ entry: String, _ body: (Int) throws(DatasetError) -> Void) {
      for index in 0..<dataset.count {
        do throws(DatasetError) { try body(index) } catch {
          faults.append(.init(entry: entry, reason: error.reason))
          return
        }
      }
    }
    var captionCount = 0
    check(PackedDataset.captionsName) { (index) throws(DatasetError) in
      if let fault = dataset.textFault(at: index) { throw fault }
      let captions = try dataset.captions(at: index).count
      captionCount += captions
      let features = dataset.textFeatureCount(at: index)
      guard captions == features || dataset.featureDimension == 0 || captions == 0 else {
        throw .option("\(captions) captions of image \(index + 1), \(features) features")
      }
    }
    check(PackedDataset.labelsName) { (index) throws(DatasetError) in
      _ = try dataset.label(at: index)
    }
    if faults.isEmpty, let stated = dataset.manifest?.captionCount, stated != captionCount {
      let reason = "\(stated) captions stated, \(captionCount) found"
      faults.append(.init(entry: PackManifest.entryName, reason: reason))
    }
    return faults
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
