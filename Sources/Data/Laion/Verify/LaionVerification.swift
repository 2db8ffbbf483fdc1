import BasicAlgorithms
import Datasets
import Files
import Foundation
import Images
import ObjectStore
import Parquet

/// Verifies the folders of a download against their ledgers: every pair exists and is whole, there is
/// nothing else, and the counts add up.
package struct LaionVerification: Sendable {
  /// The folder that holds `split0`, `split1` and so on.
  package let output: String
  /// Whether every image is decoded, not only its header read.
  package var decodesImages = false
  /// Whether every image is read to its last byte and compared with the stored hash.
  package var readsWholeFiles = false

  /// The findings of one split.
  package struct Finding: Equatable, Sendable {
    /// The split's folder.
    package let folder: String
    /// Pairs in the ledger.
    package let pairs: Int
    /// The complaints, one line each, at most `maximumComplaints`.
    package let complaints: [String]
  }

  /// Complaints listed per split.
  package static let maximumComplaints = 20

  /// Verifies the splits in `output`.
  package init(output: String) {
    self.output = output
  }

  /// Verifies all splits.
  ///
  /// - Returns: One finding per split, in order.
  /// - Throws: `LaionError` if there are no splits or a ledger cannot be read.
  package func run() throws(LaionError) -> [Finding] {
    if S3Location.isAddress(output) {
      throw .option("--out must be a folder of this machine, not \(output)")
    }
    let names: [String]
    do {
      names = try listFolder(output)
    } catch {
      throw .file(error)
    }
    let splits = names.compactMap { name in
      name.hasPrefix("split") ? Int(name.dropFirst(5)) : nil
    }.sorted()
    if splits.isEmpty { throw .noSplits(folder: output) }
    for split in splits {
      let record = try UploadLog.read("\(output)/split\(split)/.uploads")
      guard let destination = record.destination else { continue }
      throw .option(
        "the pairs of \(output)/split\(split) are in \(destination), where sizes and hashes were compared when "
          + "they were uploaded; download the objects into a folder to read them"
      )
    }
    var findings: [Finding] = []
    for split in splits { findings.append(try verify("\(output)/split\(split)")) }
    return findings
  }

  private func verify(_ folder: String) throws(LaionError) -> Finding {
    var complaints: [String] = []
    var images: [Int: StoredImage] = [:]
    var latest: [Int: Ledger.Entry] = [:]
    var summary = Ledger.Summary()
    try Ledger.read("\(folder)/.ledger", header: nil) { entry in
      summary.add(entry)
      latest[entry.row] = entry
      if let number = entry.number, case .success(let image) = entry.outcome {
        images[number] = image
      }
    }
    if PackedDatasetWriter.isUnfinished(folder + ".zip") {
      // Its pairs cannot be read before it is finished.
      complaints.append("zip: unfinished; run the download again")
    } else {
      let (captions, faults) = index(folder, latest)
      complaints += files(folder, images, captions)
      complaints += faults
    }
    complaints += statistics(folder, summary)
    return Finding(
      folder: folder,
      pairs: summary.pairs,
      complaints: Array(complaints.prefix(Self.maximumComplaints))
    )
  }

  /// The hash of an empty caption, of a pair that has none.
  private static let noCaption = FNV.hash("".utf8)

  /// Complaints about the pairs themselves.
  private func files(
    _ folder: String,
    _ images: [Int: StoredImage],
    _ captions: [Int: UInt64]
  ) -> [String] {
    var complaints: [String] = []
    var missing = Set(images.keys)
    do throws(FileError) {
      try StoredPairs(folder: folder).visit { file in
        guard let image = images[file.number] else {
          complaints.append("\(file.name): no row of the ledger gave it")
          return
        }
        if file.isCaption {
          if file.bytes.isEmpty, captions[file.number] == Self.noCaption { return }
          if String(validating: file.bytes, as: UTF8.self)?.isEmpty != false {
            complaints.append("\(file.name): empty or not UTF-8")
          } else if let caption = captions[file.number], FNV.hash(file.bytes) != caption {
            complaints.append("\(file.name): not the caption in the index")
          }
          return
        }
        missing.remove(file.number)
        if !file.hasCaption, captions[file.number] != Self.noCaption {
          complaints.append("\(file.name): its caption is missing")
        }
        if let reason = fault(file.bytes, image) { complaints.append("\(file.name): \(reason)") }
      }
    } catch {
      complaints.append(error.description)
    }
    complaints += missing.sorted().prefix(Self.maximumComplaints).map { "pair \($0) is missing" }
    return complaints
  }

  private func fault(_ bytes: UnsafeRawBufferPointer, _ image: StoredImage) -> String? {
    do throws(ImageError) {
      let header = try ImageHeader.probe(bytes)
      if decodesImages { _ = try RGBImage(decoding: bytes) }
      if (header.width, header.height) != (image.width, image.height) {
        return "\(header.width)×\(header.height), the ledger says \(image.width)×\(image.height)"
      }
      guard let file = image.file else { return nil }
      if readsWholeFiles {
        return StoredFile(bytes) == file ? nil : "not the image that was stored"
      }
      return bytes.count == file.size
        ? nil : "\(bytes.count) bytes, the ledger says \(file.size)"
    } catch {
      return error.description
    }
  }

  /// Complaints about `stats.json`.
  private func statistics(_ folder: String, _ summary: Ledger.Summary) -> [String] {
    guard let found = SplitStatistics.read("\(folder)/stats.json") else {
      return FileManager.default.fileExists(atPath: "\(folder)/stats.json")
        ? ["stats.json: damaged; run the download again"]
        : ["stats.json: missing; the split is not finished"]
    }
    var complaints: [String] = []
    if found.pairs != summary.pairs {
      complaints.append("stats.json: \(found.pairs) pairs, the ledger has \(summary.pairs)")
    }
    let failures = Dictionary(uniqueKeysWithValues: summary.failures.map { ("\($0)", $1) })
    if found.failures != failures {
      complaints.append("stats.json: its failures are not those of the ledger")
    }
    let sum = [found.failures, found.filtered].flatMap(\.values).reduce(found.pairs, +)
    if sum != found.rowsRead {
      complaints.append("stats.json: \(sum) rows accounted for, \(found.rowsRead) read")
    }
    return complaints
  }

  /// The hash of each pair's caption in `index.parquet`, and complaints about the file.
  private func index(
    _ folder: String,
    _ latest: [Int: Ledger.Entry]
  ) -> (captions: [Int: UInt64], faults: [String]) {
    var captions: [Int: UInt64] = [:]
    do throws(ParquetError) {
      let reader = try ParquetReader(
        path: "\(folder)/index.parquet",
        columns: ["number", "row", "status", "sha256", "caption"]
      )
      var count = 0
      while let batch = try reader.next() {
        for position in 0..<batch.rowCount {
          count += 1
          let entry = batch["row"].int(position).flatMap { latest[$0] }
          if let fault = Self.fault(batch, position, entry) {
            return (captions, ["index.parquet: line \(count) \(fault)"])
          }
          if let number = entry?.number, let caption = batch["caption"].string(position) {
            captions[number] = FNV.hash(caption.utf8)
          }
        }
      }
      if count == latest.count { return (captions, []) }
      let fault = "index.parquet: \(count) lines, the ledger has \(latest.count) rows"
      return (captions, [fault])
    } catch {
      return (captions, [error.description])
    }
  }

  /// The complaint about a line of the index; `nil` if it equals the ledger.
  private static func fault(
    _ batch: ColumnBatch,
    _ position: Int,
    _ entry: Ledger.Entry?
  ) -> String? {
    var (status, sha256): (String, String?) = ("ok", nil)
    switch entry?.outcome {
    case .success(let image): sha256 = image.sha256
    case .failure(let cause): status = cause.description
    case nil: return "speaks of a row that was not requested"
    }
    let isRight =
      batch["number"].int(position) == entry?.number
      && batch["status"].string(position) == status
      && batch["sha256"].string(position) == sha256
    return isRight ? nil : "is not what the ledger says"
  }
}
