import BasicAlgorithms
import Files
import Foundation

extension SplitDownload {
  /// Refuses a folder that was begun with other settings or metadata, finished or not.
  func checkSettings() throws(LaionError) {
    // A crash may have torn the first line of a ledger, but not of one whose split is finished.
    let begun = Ledger.fingerprint(folder.ledgerPath)
    let isFinished = FileManager.default.fileExists(atPath: folder.statisticsPath)
    if begun == nil, !isFinished { return }
    if begun == (try fingerprint()) { return }
    throw .differentSettings(folder: folder.path)
  }

  /// The fingerprint of everything that decides which rows become pairs under which numbers.
  func fingerprint() throws(LaionError) -> String {
    let encoder = JSONEncoder()
    encoder.outputFormatting = .sortedKeys
    let layout =
      configuration.layout == .webdataset
      ? "webdataset \(configuration.pairsPerShard)" : "\(configuration.layout)"
    let identity = try FileIdentity.of(part.path)
    let settings = [
      (try? encoder.encode(configuration.filter)) ?? Data(),
      (try? encoder.encode(configuration.image)) ?? Data(),
      (try? encoder.encode(configuration.columns)) ?? Data(),
      Data("\(layout) \(denied.fingerprint) \(part.fileName) \(identity)".utf8),
    ]
    return String(FNV.hash(settings.joined(separator: [0])), radix: 16)
  }
}
