import Datasets
import Files
import Foundation
import Images

/// Measurements of the data side, one a word; not part of the program.
///
/// `scripts/bench` runs them.
@main
enum DataBench {
  static func main() throws {
    let words = Array(CommandLine.arguments.dropFirst())
    switch (words.first, words.count) {
    case ("pack", 5): try pack(words[1], to: words[2], side: Int(words[3]) ?? 256, words[4])
    case ("generate", 3): try generate(words[1], count: Int(words[2]) ?? 1000)
    case ("random", 4): try random(words[1], count: Int(words[2]) ?? 1000, clip: words[3])
    case ("open", 3...): try open(Array(words.dropFirst(2)), reads: Int(words[1]) ?? 1000)
    case ("index", 2): try index(words[1])
    case ("featured", 4): try addFeatures(words[1], to: words[2], count: Int(words[3]) ?? 1000)
    case ("load", 4): try load(words[1], threads: Int(words[2]) ?? 2, rate: Double(words[3]) ?? 0)
    default: throw DatasetError.option("usage: DataBench pack|generate|random|open|index|load …")
    }
  }

  private static var processorSeconds: Double {
    var usage = rusage()
    getrusage(__rusage_who_t(RUSAGE_SELF.rawValue), &usage)
    func seconds(_ time: timeval) -> Double { Double(time.tv_sec) + Double(time.tv_usec) / 1e6 }
    return seconds(usage.ru_utime) + seconds(usage.ru_stime)
  }

  private static var peakMegabytes: Double {
    // Not ru_maxrss: a process inherits its parent's.
    Double(Memory.bytes(.peak) ?? 0) / 0x1p20
  }

  private static func line(_ values: [(String, Double)]) {
    print("{" + values.map { "\"\($0.0)\": \($0.1)" }.joined(separator: ", ") + "}")
  }

  /// Packs a folder without features, as `png` or `webp`.
  private static func pack(
    _ source: String,
    to path: String,
    side: Int,
    _ format: String
  ) throws {
    var options = Packer.Options(side: side)
    if format == "webp" { options.encoding = .webp }
    options.crop = .center
    options.threads = 1
    let report = try Packer(options).pack(ImageTextFolder(source), to: path, extractor: nil)
    line([
      ("images", Double(report.manifest.imageCount)), ("cpu_seconds", processorSeconds),
      ("rss_mb", peakMegabytes),
    ])
  }

  /// A dataset of many images of 64×64 with two captions each, most of the pictures alike.
  private static func generate(_ path: String, count: Int) throws {
    let model = PackManifest.FeatureModel(name: "bench", sha256: "")
    let writer = try PackedDatasetWriter(path, options: .init(resolution: 64, featureModel: model))
    let pictures = try (0..<64).map { number -> [UInt8] in
      let pixels = (0..<64 * 64 * 3).map { UInt8(truncatingIfNeeded: ($0 * (number + 3)) >> 4) }
      return try RGBImage(width: 64, height: 64, pixels: pixels).encodedPNG()
    }
    for index in 0..<count {
      let feature = (0..<8).map { Float(($0 + index) % 97) / 97 + 0.01 }
      try writer.append(
        PackedRecord(
          image: pictures[index % 64],
          imageFeature: feature,
          captions: ["a picture", "number \(index)"],
          textFeatures: [feature, feature]
        )
      )
    }
    try writer.finish()
  }

  /// A dataset of many images of 16×16 without captions, with random features of 512 numbers that the CLIP
  /// of a hash is said to have made.
  private static func random(_ path: String, count: Int, clip: String) throws {
    let model = PackManifest.FeatureModel(name: "bench", sha256: clip)
    let writer = try PackedDatasetWriter(path, options: .init(resolution: 16, featureModel: model))
    let picture = try RGBImage(width: 16, height: 16, filledWith: Color(90, 90, 90)).encodedPNG()
    // xorshift64
    var state: UInt64 = 88_172_645_463_325_252
    for _ in 0..<count {
      let feature = [Float](unsafeUninitializedCapacity: 512) { numbers, filled in
        while filled < 512 {
          state ^= state << 13
          state ^= state >> 7
          state ^= state << 17
          numbers.initializeElement(
            at: filled,
            to: Float(Int32(truncatingIfNeeded: state)) / 0x1p31
          )
          filled += 1
        }
      }
      try writer.append(
        PackedRecord(image: picture, imageFeature: feature, captions: [], textFeatures: [])
      )
    }
    try writer.finish()
  }

  /// Opens datasets as one, then reads images at random indices.
  private static func open(_ paths: [String], reads: Int) throws {
    let clock = ContinuousClock()
    let start = clock.now
    let set = try TrainingSet(paths.map { try PackedDataset($0) })
    let opening = start.duration(to: clock.now) / .seconds(1)
    let memory = peakMegabytes
    let cpu = processorSeconds
    var random = SystemRandomNumberGenerator()
    var sum = 0
    for _ in 0..<reads {
      sum += Int(try set.image(at: Int.random(in: 0..<set.count, using: &random)).pixels[0])
    }
    line([
      ("images", Double(set.count)), ("open_seconds", opening), ("rss_mb", memory),
      ("reads_per_second", Double(reads) / (processorSeconds - cpu)), ("checksum", Double(sum)),
    ])
  }

  /// Opens a LAFITE zip whose `dataset.json` has no index yet.
  private static func index(_ path: String) throws {
    let clock = ContinuousClock()
    let start = clock.now
    let set = try PackedDataset(path)
    line([
      ("images", Double(set.count)), ("seconds", start.duration(to: clock.now) / .seconds(1)),
      ("cpu_seconds", processorSeconds), ("rss_mb", peakMegabytes),
    ])
  }

  /// The images of a set again and again, with made features of 512 numbers and two captions each.
  private static func addFeatures(_ source: String, to path: String, count: Int) throws {
    let set = try PackedDataset(source, requiresFeatures: false)
    let model = PackManifest.FeatureModel(name: "bench", sha256: "")
    let writer = try PackedDatasetWriter(
      path,
      options: .init(resolution: set.resolution, featureModel: model)
    )
    for index in 0..<count {
      let feature = (0..<512).map { Float(($0 + index) % 97) / 97 + 0.01 }
      try writer.append(
        PackedRecord(
          image: set.encodedImage(at: index % set.count),
          imageFeature: feature,
          captions: ["a picture", "number \(index)"],
          textFeatures: [feature, feature]
        )
      )
    }
    try writer.finish()
  }

  /// Loads batches of 16 as fast as they come; then at the rate of a trainer, of which one thread
  /// computes between the batches, and how long it waits.
  private static func load(_ path: String, threads: Int, rate: Double) throws {
    let set = try TrainingSet([PackedDataset(path)])
    let loader = BatchLoader(set, options: .init(threads: threads))
    let clock = ContinuousClock()
    let size = 16
    var seen = 0
    func step() throws -> Duration {
      try clock.measure {
        _ = try loader.batch(at: seen, size: size)
        seen += size
      }
    }
    for _ in 0..<8 { _ = try step() }
    let cpu = processorSeconds
    let rounds = 128
    var free = Duration.zero
    for _ in 0..<rounds { free += try step() }
    let fastest = Double(rounds * size) / (free / .seconds(1))
    let perImage = (processorSeconds - cpu) / Double(rounds * size)
    let wanted = rate > 0 ? rate : fastest / 4
    let pause = Duration.seconds(Double(size) / wanted)
    var waits: [Double] = []
    for _ in 0..<100 {
      let wait = try step()
      let end = clock.now + pause - wait
      var work = 0.0
      while clock.now < end { work += 1 }
      waits.append(work < 0 ? .nan : wait / pause)
    }
    waits.sort()
    line([
      ("images_per_second", fastest), ("cpu_ms", 1000 * perImage), ("trainer_rate", wanted),
      ("waited", waits.reduce(0, +) / Double(waits.count)), ("waited_median", waits[50]),
      ("waited_most", waits[99]), ("rss_mb", peakMegabytes),
    ])
  }
}
