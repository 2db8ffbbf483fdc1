package import Datasets
import Foundation
package import Networks
import Torch

/// Metrics of generators against one data set, by name.
///
/// The statistics of real images are cached; one pass over a generator's images serves all metrics, so the
/// first metric of a snapshot has the time of the pass.
package final class MetricSuite {
  /// The metrics, in the requested order.
  package let definitions: [MetricDefinition]
  /// Images that are generated for a metric.
  package var imageCount: Int { images.count }

  let plan: MetricPlan
  let sources: MetricSources
  let training: [PackedDataset]
  let images: GeneratedImages
  private let singleImages: GeneratedImages
  private var detectors: [DetectorKind: any FeatureDetector] = [:]
  private var references: [String: FeatureStatistics] = [:]
  var captionPass: CaptionPass?
  private var pass: Pass?

  /// Features of one generator's images.
  private struct Pass {
    let generator: ObjectIdentifier
    let snapshot: String
    var unserved: Set<String>
    var statistics: [DetectorKind: FeatureStatistics]
  }

  /// Prepares metrics.
  ///
  /// - Parameters:
  ///   - names: Of `MetricDefinition.all`, or metrics of the plan's encoder.
  ///   - plan: How to measure.
  ///   - training: The whole training zips.
  ///   - conditions: The test set, whose captions are used.
  ///   - sources: Detectors.
  /// - Throws: `EvaluationError.option` for an unknown name.
  package init(
    _ names: [String],
    plan: MetricPlan,
    training: [PackedDataset],
    conditions: TrainingSet,
    sources: MetricSources
  ) throws {
    definitions = try names.map { name in
      guard let definition = MetricDefinition(named: name, encoder: plan.encoder) else {
        throw EvaluationError.option(
          "there is no metric \(name); there are "
            + MetricDefinition.all.map(\.name).joined(separator: ", ")
        )
      }
      return definition
    }
    self.plan = plan
    self.sources = sources
    self.training = training
    let path = conditions.datasets.map(\.path).joined(separator: " ")
    func images(batchSize: Int) -> GeneratedImages {
      GeneratedImages(
        conditions: conditions,
        count: plan.images ?? plan.rules.generatedImages(testPath: path),
        seed: plan.seed,
        device: plan.device,
        batchSize: batchSize
      )
    }
    self.images = images(batchSize: plan.batchSize)
    singleImages = images(batchSize: 1)
  }

  /// Measures one of the metrics.
  ///
  /// - Parameters:
  ///   - name: The metric.
  ///   - generator: The generator to score.
  ///   - snapshot: File name of the generator's snapshot.
  /// - Returns: The line for `metric-NAME.jsonl`.
  /// - Throws: An error of the data or of a detector, `EvaluationError.option` if there are too few
  ///   images or no captions for the metric.
  package func line(
    _ name: String,
    of generator: Generator,
    snapshot: String
  ) throws -> MetricLine {
    guard let definition = definitions.first(where: { $0.name == name }) else {
      preconditionFailure("the suite was not asked for \(name)")
    }
    let start = Date()
    let detector = try detector(definition.detector)
    let results = try results(definition, generator, snapshot)
    let finish = Date()
    return MetricLine(
      results: results.values,
      metric: name,
      totalSeconds: finish.timeIntervalSince(start),
      devices: plan.ranks.count,
      snapshot: snapshot,
      timestamp: finish.timeIntervalSince1970,
      measurement: .init(
        rules: plan.rules.rawValue,
        generatedImages: results.generatedImages ?? images.count,
        scaledFrom: results.generatedImages == nil ? scaledFrom : nil,
        seed: plan.seed,
        realImages: results.realImages,
        detector: detector.name,
        detectorSHA256: detector.sha256,
        resize: detector.resize,
        captionSource: paths(images.conditions.datasets),
        referenceSet: results.referenceSet,
        candidates: definition.kind == .captionRetrieval ? captionPass?.candidateCount() : nil
      )
    )
  }

  /// Joins a pass led by another rank.
  ///
  /// - Parameters:
  ///   - number: The job's number, as that rank sent it.
  ///   - generator: The generator to score.
  /// - Throws: `EvaluationError.option` if none of the metrics has this job, an error of the data or of a
  ///   detector, or that another rank is gone.
  package func help(job number: Int, _ generator: Generator) throws {
    let job = PassRanks.Job(number: number)
    let isKnown =
      switch job {
      case nil: false
      case .generated: true
      case .real(let index), .own(let index): definitions.indices.contains(index)
      }
    guard let job, isKnown else {
      throw EvaluationError.option(
        "rank 0 computes a metric that this rank does not know (job \(number)): "
          + "start all ranks with the same nifty and options"
      )
    }
    try help(job, generator)
  }

  private func help(_ job: PassRanks.Job, _ generator: Generator) throws {
    switch job {
    case .generated: _ = try paint(generator, "")
    case .real(let index):
      _ = try look(at: realImages(definitions[index]), definitions[index], PassRanks.Job.real)
    case .own(let index): try helpAlone(definitions[index], generator)
    }
  }

  /// The real images' statistics for a metric, cached.
  package func real(_ definition: MetricDefinition) throws -> FeatureStatistics {
    try cached(realImages(definition), definition) {
      try look(at: $0, definition, PassRanks.Job.real)
    }
  }

  /// Statistics of real images, of which a metric may have several sets: from memory, the cache, or a pass.
  func cached(
    _ images: RealImages,
    _ definition: MetricDefinition,
    _ look: (RealImages) throws -> FeatureStatistics
  ) throws -> FeatureStatistics {
    let withVectors = definition.kind.needsRealVectors
    let detector = try detector(definition.detector)
    let key = StatisticsCache.Key(images.set, count: images.indices.count, detector: detector)
    if let known = references[key.text], !withVectors || known.features != nil { return known }
    if let stored = plan.cache?.statistics(key, withVectors: withVectors) {
      references[key.text] = stored
      return stored
    }
    let found = try look(images)
    plan.cache?.store(found, key)
    references[key.text] = found
    return found
  }

  private func realImages(_ definition: MetricDefinition) throws -> RealImages {
    let set = try TrainingSet(
      definition.kind == .nearestTraining ? training : referenceDatasets,
      options: .init(mirror: plan.mirror && definition.honoursMirror)
    )
    let count = min(set.count, definition.maximumReal ?? set.count)
    return RealImages(
      set,
      indices: Array(0..<count),
      device: plan.device,
      batchSize: definition.detector.seesOneByOne ? 1 : plan.batchSize
    )
  }

  /// Runs a pass over real images on all ranks.
  func look(
    at images: RealImages,
    _ definition: MetricDefinition,
    _ job: (Int) -> PassRanks.Job
  ) throws -> FeatureStatistics {
    let detector = try detector(definition.detector)
    var found: FeatureStatistics?
    try plan.ranks.together(job(index(of: definition))) {
      found = try reproducibly(definition.detector) {
        try images.statistics(
          detector,
          keepingFeatures: definition.kind.needsRealVectors,
          ranks: plan.ranks
        ) { sources.progress("features of real images", $0, $1) }
      }
    }
    guard let found else { preconditionFailure("a pass that was not made") }
    return found
  }

  func index(of definition: MetricDefinition) -> Int {
    guard let index = definitions.firstIndex(where: { $0.name == definition.name }) else {
      preconditionFailure("the suite was not asked for \(definition.name)")
    }
    return index
  }

  /// The detector of a kind, made once.
  package func detector(_ kind: DetectorKind) throws -> any FeatureDetector {
    if let known = detectors[kind] { return known }
    let made = try sources.detector(kind)
    detectors[kind] = made
    return made
  }

  private struct Results {
    var values: [(name: String, value: Double)]
    var realImages: Int?
    var referenceSet: String?
    /// The number of the metric's own images, for which there is no rule.
    var generatedImages: Int?
  }

  private func results(
    _ definition: MetricDefinition,
    _ generator: Generator,
    _ snapshot: String
  ) throws -> Results {
    let name = definition.name
    if let value = try pathLength(definition, generator) { return Results(values: [(name, value)]) }
    if definition.kind.isFrechet, let reference = plan.reference {
      let fake = try generated(definition, generator, snapshot)
      guard reference.moments.mean.count == fake.dimension else {
        throw EvaluationError.option(
          "\(reference.path) has features of \(reference.moments.mean.count) numbers, "
            + "\(name) of \(fake.dimension)"
        )
      }
      let value = try frechet(definition, reference.moments, fake)
      return Results(values: [(name, value)], referenceSet: reference.path)
    }
    if !definition.kind.comparesWithReal {
      return Results(values: try judged(definition, generated(definition, generator, snapshot)))
    }
    let real = try real(definition)
    if definition.kind == .variety {
      guard plan.samplesPerCaption >= 2, real.count >= 2 else {
        throw EvaluationError.option("\(name) needs at least 2 images a caption and 2 real images")
      }
      let samples = try samples(definition, generator)
      return Results(
        values: reproducibly(definition.detector) { variety(definition, real, samples) },
        realImages: real.count,
        referenceSet: paths(referenceDatasets),
        generatedImages: samples.count
      )
    }
    // Before the pass: it may be refused.
    let heldOut = definition.kind == .nearestTraining ? try heldOut(definition) : nil
    let fake = try generated(definition, generator, snapshot)
    if let heldOut {
      let values = reproducibly(definition.detector) { nearest(definition, real, fake, heldOut) }
      return Results(values: values, realImages: real.count, referenceSet: paths(training))
    }
    return Results(
      values: try reproducibly(definition.detector) { try compared(definition, real, fake) },
      realImages: real.count,
      referenceSet: paths(referenceDatasets)
    )
  }

  /// Statistics of the generator's images, from one pass for all metrics of the suite.
  private func generated(
    _ definition: MetricDefinition,
    _ generator: Generator,
    _ snapshot: String
  ) throws -> FeatureStatistics {
    if pass?.generator != ObjectIdentifier(generator) || pass?.snapshot != snapshot {
      pass = try paint(generator, snapshot)
    }
    guard let found = pass?.statistics[definition.detector] else {
      preconditionFailure("a pass without \(definition.detector)")
    }
    pass?.unserved.remove(definition.name)
    if pass?.unserved.isEmpty == true { pass = nil }
    return found
  }

  private func paint(_ generator: Generator, _ snapshot: String) throws -> Pass {
    let looking = definitions.filter { !$0.kind.paintsItsOwn }
    // In the requested order, which is the same on all ranks.
    var kinds: [DetectorKind] = []
    var statistics: [DetectorKind: FeatureStatistics] = [:]
    for definition in looking where statistics[definition.detector] == nil {
      let kind = definition.detector
      kinds.append(kind)
      statistics[kind] = FeatureStatistics(
        dimension: try detector(kind).dimension,
        keepingFeatures: looking.contains { $0.detector == kind && $0.kind.needsVectors }
      )
    }
    let single = kinds.filter(\.seesOneByOne)
    let batched = kinds.filter { !$0.seesOneByOne }
    try plan.ranks.together(.generated) {
      for (images, kinds) in [(images, batched), (singleImages, single)] where !kinds.isEmpty {
        let detectors = try kinds.map { try detector($0) }
        var done = 0
        try reproducibly(kinds[0]) {
          try images.features(of: generator, detectors, plan.ranks) { batch in
            for (kind, features) in zip(kinds, batch) { statistics[kind]?.append(features) }
            done += batch.first?.size(0) ?? 0
            sources.progress("features of generated images", done, images.count)
          }
        }
      }
    }
    return Pass(
      generator: ObjectIdentifier(generator),
      snapshot: snapshot,
      unserved: Set(looking.map(\.name)),
      statistics: statistics
    )
  }

  private var referenceDatasets: [PackedDataset] {
    plan.rules == .clean || plan.comparesWithTest ? images.conditions.datasets : training
  }

  private var scaledFrom: Int? {
    let whole = plan.rules.generatedImages(testPath: paths(images.conditions.datasets))
    return images.count == whole ? nil : whole
  }

  private func paths(_ datasets: [PackedDataset]) -> String {
    datasets.map(\.path).joined(separator: ", ")
  }
}
