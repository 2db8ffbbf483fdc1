import ArgumentParser
import CommandLine
import Console
import Datasets
import Files
import Foundation
import Images
import Text

/// Packed datasets: their content, a check, and conversions.
struct DatasetCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "dataset",
    abstract: "Look at packed datasets, check, export and merge them.",
    discussion: """
      EXAMPLES
        nifty dataset info data/split0.zip
        nifty dataset verify data/split*.zip
        nifty dataset grid data/split0.zip --out look.png
        nifty dataset merge a.zip b.zip --dest both.zip
        nifty dataset export data/split0.zip --dest folder
      """,
    subcommands: [Info.self, Verify.self] + export + [Merge.self, Grid.self]
  )

  #if COMPUTE_ONLY
  private static var export: [any ParsableCommand.Type] { [] }
  #else
  private static var export: [any ParsableCommand.Type] { [Export.self] }
  #endif
}

extension DatasetCommand {
  /// The content of a dataset.
  struct Info: ParsableCommand {
    static let configuration = CommandConfiguration(
      abstract: "Say what is in a dataset.",
      discussion: "EXAMPLES\n  nifty dataset info data/split0.zip"
    )

    @Argument(help: "The zips. Brace patterns are expanded.") var zips: [String]

    func run() throws {
      for path in zips.flatMap(expandedBraces) {
        let set = try PackedDataset(path, requiresFeatures: false)
        Console.line(path)
        for (name, value) in try Self.rows(set) {
          Console.line("  " + name.padding(toLength: 10, withPad: " ", startingAt: 0) + " " + value)
        }
      }
    }

    private static func rows(_ set: PackedDataset) throws -> [(String, String)] {
      // A set packed without features has captions, but no features of them.
      let captions = set.manifest?.captionCount ?? set.captionCount
      let without = captions == 0 ? 0 : try set.uncaptionedCount()
      let rest = without == 0 ? "" : "; \(without) of the images have none"
      var rows = [
        ("images", "\(set.count) of \(set.resolution)×\(set.resolution), \(set.name(at: 0)) …"),
        ("captions", captions == 0 ? "none" : "\(captions)" + rest),
        ("features", set.featureDimension == 0 ? "none" : "\(set.featureDimension) numbers each"),
        ("size", "\(set.fileSize >> 20) MiB, \(set.fileSize / set.count) bytes an image"),
      ]
      if set.hasFlippedFeatures { rows.append(("mirrored", "features of mirrored images")) }
      if set.hasLabels { rows.append(("labels", "every image has one")) }
      rows += set.remarks.map { ("note", "passed over: " + $0) }
      guard let manifest = set.manifest else { return rows + [("packed by", "LAFITE")] }
      if let model = manifest.featureModel {
        rows.append(("CLIP", "\(model.name), sha256 \(model.sha256.prefix(12))…"))
      }
      rows.append(("made", "from \(manifest.source), \(manifest.crop), \(manifest.resizeFilter)"))
      for (cause, count) in manifest.dropped.sorted(by: { $0.key < $1.key }) {
        rows.append((DropCause(cause).leavesOutImage ? "left out" : "note", "\(count) \(cause)"))
      }
      return rows
    }
  }

  /// The full check.
  struct Verify: ParsableCommand {
    static let configuration = CommandConfiguration(
      abstract: "Check every checksum, image and feature.",
      discussion: "EXAMPLES\n  nifty dataset verify 'data/split{0..9}.zip'"
    )

    @Argument(help: "The zips. Brace patterns are expanded.") var zips: [String]

    @Option(help: "Threads that decode.")
    var threads = ProcessInfo.processInfo.activeProcessorCount

    func validate() throws {
      if let complaint = OptionRange.threads.complaint(about: threads, of: "--threads") {
        throw ValidationError(complaint)
      }
    }

    private static func captionNote(_ set: PackedDataset) -> String {
      // A set without any caption is one for training without them.
      guard let without = try? set.uncaptionedCount(), (1..<set.count).contains(without) else {
        return ""
      }
      return "; \(without) images without captions"
    }

    func run() throws {
      var damaged = 0
      for path in zips.flatMap(expandedBraces) {
        let set: PackedDataset
        do {
          set = try PackedDataset(path, requiresFeatures: false)
        } catch {
          // The others are checked all the same.
          Console.error("\(error)")
          damaged += 1
          continue
        }
        let faults = DatasetCheck.faults(in: set, threads: threads) { done, total in
          Console.progress("verify \(path)  \(done)/\(total)")
        }
        for fault in faults { Console.error("\(path): \(fault)") }
        Console.line(
          "\(path): \(Text.count(set.count, "image")), "
            + (faults.isEmpty ? "all well" : Text.count(faults.count, "fault"))
            + Self.captionNote(set) + set.remarks.map { "; passed over: \($0)" }.joined()
        )
        if !faults.isEmpty { damaged += 1 }
      }
      if damaged > 0 {
        let datasets = Text.count(damaged, "damaged dataset")
        throw DatasetError.option("\(datasets); download or pack again")
      }
    }
  }

  /// Several datasets as one.
  struct Merge: ParsableCommand {
    static let configuration = CommandConfiguration(
      abstract: "Join datasets into one.",
      discussion: "EXAMPLES\n  nifty dataset merge 'split{0..9}.zip' --dest all.zip"
    )

    @Argument(help: "The zips, in order. Brace patterns are expanded.") var zips: [String]

    @Option(help: "Zip to write.") var dest: String

    func run() throws {
      try OutputName.expectFile(dest, "zip")
      try refuseAddress(dest, to: "write")
      let sets = try zips.flatMap(expandedBraces).map {
        try PackedDataset($0, requiresFeatures: false)
      }
      for path in DatasetMerge.repeated(sets) {
        Console.error("\(path) is given more than once: its images count as often")
      }
      let manifest = try DatasetMerge.merge(sets, to: dest) { done, total in
        Console.progress("merge  \(done)/\(total)")
      }
      Console.line(
        "\(dest): \(Text.count(manifest.imageCount, "image")) of \(manifest.resolution)², "
          + "\(Text.count(manifest.captionCount, "caption"))"
      )
    }
  }

  /// Images with their captions as a picture.
  struct Grid: ParsableCommand {
    static let configuration = CommandConfiguration(
      abstract: "Draw some images with their captions.",
      discussion: "EXAMPLES\n  nifty dataset grid data/split0.zip --count 12 --out look.png"
    )

    @Argument(help: "The zip.") var zip: String

    @Option(help: "PNG to write.") var out: String

    @Option(help: "How many images, spread over the set.") var count = 16

    func validate() throws {
      guard (1...200).contains(count) else {
        throw ValidationError("--count must be 1 to 200, not \(count)")
      }
      guard out.lowercased().hasSuffix(".png") else {
        throw ValidationError("--out must end in .png, not \(out)")
      }
    }

    func run() throws {
      try RegularFile.expectPlace(for: out)
      let set = try PackedDataset(zip, requiresFeatures: false)
      let shown = min(count, set.count)
      let rows = try (0..<shown).map { row in
        let index = row * set.count / shown
        let captions = try set.captions(at: index)
        return CaptionedSheet.Row(
          caption: captions.first ?? set.name(at: index),
          samples: [CaptionedSheet.tile(try set.image(at: index))]
        )
      }
      let sheet = CaptionedSheet(
        title: URL(filePath: zip).lastPathComponent,
        subtitle: "\(shown) of \(set.count) images of \(set.resolution)×\(set.resolution)",
        rows: rows,
        samplesHeading: "Image"
      )
      try sheet.rendered().write(png: out)
      Console.line("wrote \(out): \(shown) of \(Text.count(set.count, "image"))")
    }
  }
}
