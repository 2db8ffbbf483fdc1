import Archives
import Datasets
import Evaluation
import Foundation
import Synchronization
import TestSupport
import Testing
import Torch
import TorchTestSupport

@Suite("Cached statistics")
struct StatisticsCacheTests {
  private let folder: TemporaryFolder
  private let set: TrainingSet

  init() throws {
    folder = try TemporaryFolder()
    set = try TrainingSet([packSquares(folder.file("train.zip"), count: 9)])
  }

  private func statistics(_ detector: QuarterDetector) throws -> FeatureStatistics {
    try RealImages(set, indices: Array(0..<9)).statistics(detector, keepingFeatures: true)
  }

  @Test func `cached statistics round-trip, with their vectors`() throws {
    let detector = QuarterDetector()
    let cache = StatisticsCache(folder: folder.file("deep/cache"))
    let key = StatisticsCache.Key(set, count: 9, detector: detector)
    #expect(cache.statistics(key, withVectors: false) == nil)
    let original = try statistics(detector)
    #expect(cache.store(original, key))
    let found = try #require(cache.statistics(key, withVectors: true))
    expectClose(found.covariance, original.covariance, rtol: 0, atol: 0)
    expectClose(try #require(found.features), try #require(original.features), rtol: 0, atol: 0)
  }

  @Test func `the key follows images, count, mirror, detector and weights, not the path`() throws {
    let detector = QuarterDetector()
    let key = StatisticsCache.Key(set, count: 9, detector: detector).text
    let copy = try packSquares(folder.file("copy.zip"), count: 9)
    let same = StatisticsCache.Key(try TrainingSet([copy]), count: 9, detector: detector)
    #expect(same.text == key)
    let other = try packSquares(folder.file("other.zip"), count: 9, first: 1)
    let others = try [
      StatisticsCache.Key(TrainingSet([other]), count: 9, detector: detector),
      StatisticsCache.Key(set, count: 8, detector: detector),
      StatisticsCache.Key(
        TrainingSet([copy], options: .init(mirror: true)),
        count: 9,
        detector: detector
      ),
      StatisticsCache.Key(set, count: 9, detector: QuarterDetector(name: "b")),
      StatisticsCache.Key(set, count: 9, detector: QuarterDetector(sha256: "b")),
    ]
    #expect(Set(others.map(\.text) + [key]).count == 6)
  }

  @Test func `a damaged, forged or foreign cache file is a miss`() throws {
    let detector = QuarterDetector()
    let cache = StatisticsCache(folder: folder.path)
    let key = StatisticsCache.Key(set, count: 9, detector: detector)
    let path = cache.path(key)
    let statistics = try statistics(detector)
    #expect(cache.store(statistics, key))
    let good = try Data(contentsOf: URL(filePath: path))
    func write(_ data: Data) throws { try data.write(to: URL(filePath: path)) }

    for length in [0, 7, 8, 100, good.count / 2, good.count - 1] {
      try write(good.prefix(length))
      #expect(cache.statistics(key, withVectors: false) == nil, "cut to \(length)")
    }
    // Whole, but of another key.
    try statistics.save(to: path, metadata: ["key": key.text + "x"])
    #expect(cache.statistics(key, withVectors: false) == nil)
    // Of another number of images.
    let few = try RealImages(set, indices: [0, 1]).statistics(detector)
    try few.save(to: path, metadata: ["key": key.text])
    #expect(cache.statistics(key, withVectors: false) == nil)
    // Without the vectors that are wanted.
    try RealImages(set, indices: Array(0..<9)).statistics(detector)
      .save(to: path, metadata: ["key": key.text])
    #expect(cache.statistics(key, withVectors: true) == nil)
    #expect(cache.statistics(key, withVectors: false) != nil)
    // Not finite, and of impossible counts.
    for count in [Int64(9), 0, -1, .max] {
      try SafeTensors.write(
        [
          ("count", Tensor([count])), ("sum", .full([12], .nan, dtype: .float64)),
          ("products", .zeros([12, 12], dtype: .float64)),
        ],
        metadata: ["key": key.text],
        to: path
      )
      #expect(cache.statistics(key, withVectors: false) == nil, "count \(count)")
    }
    try write(good)
    #expect(cache.statistics(key, withVectors: true) != nil)
  }

  @Test func `an unwritable cache folder is no error, and told once`() throws {
    try Data().write(to: URL(filePath: folder.file("file")))
    let detector = QuarterDetector()
    let told = Mutex<[String]>([])
    let cache = StatisticsCache(folder: folder.file("file/cache")) { line in
      told.withLock { $0.append(line) }
    }
    let key = StatisticsCache.Key(set, count: 9, detector: detector)
    for _ in 0..<2 { #expect(try !cache.store(statistics(detector), key)) }
    let lines = told.withLock { $0 }
    #expect(lines.count == 1 && lines[0].contains("NIFTY_CACHE"), "\(lines)")
    #expect(cache.statistics(key, withVectors: false) == nil)
  }
}

@Suite("Statistics of pytorch-fid")
struct NumPyStatisticsTests {
  /// Made by Fixtures/npz.py.
  private struct Recorded: Decodable { let distance: Double }

  /// The features of the script.
  private func statistics(_ name: String, scale: Double, offset: Double) -> FeatureStatistics {
    var statistics = FeatureStatistics(dimension: 6)
    statistics.append(formulaTensor("npz/" + name, [50, 6], scale: scale, offset: offset))
    return statistics
  }

  @Test func `stored and deflated files give pytorch-fid's distance`() throws {
    let data = try Data(contentsOf: URL(filePath: fixture("npz.json")))
    let recorded = try JSONDecoder().decode(Recorded.self, from: data)
    let real = try FeatureMoments(npz: fixture("pytorch-fid.npz"))
    let other = try FeatureMoments(npz: fixture("pytorch-fid-stored.npz"))
    let distance = frechetDistance(real: real, generated: other)
    expectClose(distance, recorded.distance, rtol: 1e-9)
    let own = statistics("real", scale: 1, offset: 0)
    expectClose(real.mean, own.mean, rtol: 1e-12, atol: 1e-14)
    // np.cov divides by n − 1.
    expectClose(real.covariance * (49 / 50), own.covariance, rtol: 1e-10, atol: 1e-12)
  }

  @Test func `what nifty writes, nifty reads back, and others read in their convention`() throws {
    let folder = try TemporaryFolder()
    let own = statistics("other", scale: 1.5, offset: 0.25)
    let path = folder.file("own.npz")
    try own.write(npz: path)
    let back = try FeatureMoments(npz: path)
    expectClose(back.mean, own.mean, rtol: 0, atol: 0)
    expectClose(back.covariance, own.covariance, rtol: 1e-14, atol: 1e-15)
    // Without `count` it is what pytorch-fid would have written.
    let theirs = try FeatureMoments(npz: fixture("pytorch-fid-stored.npz"))
    expectClose(theirs.covariance * (49 / 50), own.covariance, rtol: 1e-10, atol: 1e-12)
    let zip = try ZipArchive(path)
    #expect((0..<zip.count).map { zip.name(at: $0) } == ["count.npy", "mu.npy", "sigma.npy"])
  }

  @Test func `cut and changed files are refused, without harm`() throws {
    let folder = try TemporaryFolder()
    let path = folder.file("bad.npz")
    var accepted = 0
    for name in ["pytorch-fid.npz", "pytorch-fid-stored.npz"] {
      let good = try Data(contentsOf: URL(filePath: fixture(name)))
      for length in stride(from: 0, to: good.count, by: 7) {
        try good.prefix(length).write(to: URL(filePath: path))
        #expect(throws: (any Error).self) { try FeatureMoments(npz: path) }
      }
      for offset in stride(from: 0, to: good.count, by: 3) {
        var bytes = good
        bytes[offset] ^= UInt8(1 << (offset % 8))
        try bytes.write(to: URL(filePath: path))
        if (try? FeatureMoments(npz: path)) != nil { accepted += 1 }
      }
    }
    // Dates, versions and attributes may change; numbers are under a checksum.
    #expect(accepted < 150)
  }

  @Test func `arrays that do not fit each other are refused by name`() throws {
    let folder = try TemporaryFolder()
    func refusal(_ entries: [(String, [UInt8])]) throws -> String {
      let path = folder.file("x.npz")
      let zip = try ZipWriter(path)
      for (name, bytes) in entries { try zip.add(name, bytes) }
      try zip.finish()
      do { _ = try FeatureMoments(npz: path) } catch { return "\(error)" }
      return "accepted"
    }
    let mu = ("mu.npy", NpyArray.encode([0.0, 1], shape: [2]))
    let sigma = ("sigma.npy", NpyArray.encode([1.0, 0, 0, 1], shape: [2, 2]))
    #expect(try refusal([mu, sigma]) == "accepted")
    #expect(try refusal([mu]).contains("sigma"))
    #expect(try refusal([sigma]).contains("mu"))
    let wide = ("sigma.npy", NpyArray.encode([1.0, 0], shape: [1, 2]))
    #expect(try refusal([mu, wide]).contains("1 × 2"))
    let wild = ("mu.npy", NpyArray.encode([0.0, .infinity], shape: [2]))
    #expect(try refusal([wild, sigma]).contains("finite"))
    for (numbers, reason) in [
      ([1.0, 0, 0, -1], "variance is negative"), ([1.0, 0.5, 0, 1], "not symmetric"),
    ] {
      let odd = ("sigma.npy", NpyArray.encode(numbers, shape: [2, 2]))
      #expect(try refusal([mu, odd]).contains(reason))
    }
    #expect(try refusal([mu, sigma, ("count.npy", NpyArray.encode([0]))]).contains("0 vectors"))
    let none = ("count.npy", NpyHeader(element: .int64, shape: [1, 0]).encoded)
    #expect(try refusal([mu, sigma, none]).contains("count has 1 × 0"))
    let many = ("count.npy", NpyArray.encode([3, 3]))
    #expect(try refusal([mu, sigma, many]).contains("count has 2 × 1"))
  }
}
