import Foundation
import Images
import Laion
import Parquet
import TestSupport
import Text

/// A PNG of one colour, different for every `number`.
func samplePNG(_ number: Int, side: Int = 40) throws -> [UInt8] {
  var pixels: [UInt8] = []
  for _ in 0..<side * side {
    pixels += [UInt8(number & 255), UInt8(number >> 8 & 255), UInt8((number &* 37) & 255)]
  }
  return try RGBImage(width: side, height: side, pixels: pixels).encodedPNG()
}

/// Writes one part of LAION-shaped metadata with these addresses and captions.
func writePart(
  _ number: Int,
  in folder: String,
  _ rows: [(url: String?, text: String?)]
) throws {
  let writer = try ParquetWriter(
    path: "\(folder)/part-\(zeroPadded(number, to: 5))-test.snappy.parquet",
    columns: [("SAMPLE_ID", .int64), ("URL", .string), ("TEXT", .string), ("NSFW", .string)]
  )
  for (index, row) in rows.enumerated() {
    try writer.append([
      .int64(Int64(1000 + index)),
      row.url.map { .string($0) } ?? .null,
      row.text.map { .string($0) } ?? .null,
      .string(row.text?.contains("unsafe") == true ? "NSFW" : "UNLIKELY"),
    ])
  }
  try writer.finish()
}

/// Quick settings for a server on this machine.
func loopbackConfiguration(_ folder: String) -> LaionConfiguration {
  var configuration = LaionConfiguration(metadata: folder + "/meta", output: folder + "/out")
  configuration.fetch.allowPrivateAddresses = true
  configuration.fetch.followsRobots = false
  configuration.image.dropsDuplicates = false
  configuration.fetch.retryDelay = 0.01
  configuration.fetch.connectTimeout = 2
  configuration.fetch.readTimeout = 2
  configuration.fetch.totalTimeout = 5
  configuration.fetch.resolverThreads = 2
  configuration.fetch.decoderThreads = 2
  return configuration
}

func makeFolder(_ path: String) throws {
  try FileManager.default.createDirectory(atPath: path, withIntermediateDirectories: true)
}

/// The files of a split that make up its pairs, by name.
func pairs(in folder: String) throws -> [String: Data] {
  var files: [String: Data] = [:]
  for name in try FileManager.default.contentsOfDirectory(atPath: folder)
  where name.hasSuffix(".png") || name.hasSuffix(".txt") {
    files[name] = FileManager.default.contents(atPath: "\(folder)/\(name)")
  }
  return files
}

/// What the index of a split says of each row, in row order.
func statuses(in folder: String) throws -> [String] {
  let reader = try ParquetReader(path: folder + "/index.parquet", columns: ["status"])
  var statuses: [String] = []
  while let batch = try reader.next() {
    statuses += (0..<batch.rowCount).map { batch["status"].string($0) ?? "null" }
  }
  return statuses
}
