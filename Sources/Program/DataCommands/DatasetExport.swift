import Archives
import ArgumentParser
import Console
import Datasets
import Files
import Foundation
import Parquet
import Text

extension DatasetCommand {
  /// A dataset in another form.
  struct Export: ParsableCommand {
    static let configuration = CommandConfiguration(
      abstract: "Write a dataset as a folder, a tar or a table.",
      discussion: """
          The form follows from --dest: NAME.tar is a WebDataset of samples (image,
          .txt with the captions, .cls with the label), NAME.parquet a table of
          captions and labels (with --images of the image files too), anything else
          a folder of images with .txt files and the labels in dataset.json.

          EXAMPLES
            nifty dataset export data/split0.zip --dest split0
            nifty dataset export data/split0.zip --dest split0.tar
            nifty dataset export data/split0.zip --dest split0.parquet --images
        """
    )

    @Argument(help: "The zip.") var zip: String

    @Option(help: "What to write: a folder, a .tar or a .parquet.") var dest: String

    @Flag(help: "Put the image files into the .parquet.") var images = false

    private var form: String { URL(filePath: dest).pathExtension.lowercased() }

    /// Suffixes of files, which a folder must not have: who gives one expects such a file.
    private static let otherForms = [
      "zip", "gz", "tgz", "bz2", "xz", "zst", "7z", "rar", "json", "jsonl", "csv", "tsv", "txt",
      "npy", "npz", "h5", "hdf5", "lmdb", "tfrecord", "tfrecords", "arrow", "feather", "pkl", "pt",
    ]

    func validate() throws {
      if dest.isEmpty {
        throw ValidationError("--dest is empty; give a folder, a .tar or a .parquet")
      }
      guard !Self.otherForms.contains(form) else {
        throw ValidationError(
          "--dest \(dest): a .\(form) is not written; give a .tar, a .parquet, or a folder without it"
        )
      }
      guard !images || form == "parquet" else {
        throw ValidationError("--images is for a --dest of .parquet; other forms always hold them")
      }
    }

    func run() throws {
      guard !FileManager.default.fileExists(atPath: dest) else {
        throw DatasetError.option("\(dest) is there already; remove it or give another --dest")
      }
      let set = try PackedDataset(zip, requiresFeatures: false)
      for index in 0..<set.count { try Self.check(set.name(at: index), of: zip) }
      switch form {
      case "tar": try writeTar(set)
      case "parquet": try writeTable(set)
      default: try writeFolder(set)
      }
      Console.line("\(dest): \(Text.count(set.count, "image"))")
    }

    private func writeTar(_ set: PackedDataset) throws {
      let tar = try TarWriter(dest)
      for index in 0..<set.count {
        let (stem, suffix) = Self.parts(set.name(at: index))
        try tar.add("\(stem).\(suffix)", set.encodedImage(at: index))
        let captions = try set.captions(at: index)
        if !captions.isEmpty { try tar.add("\(stem).txt", Self.text(captions)) }
        if case .index(let label)? = try set.label(at: index) {
          try tar.add("\(stem).cls", Array("\(label)".utf8))
        }
        progress(index, set)
      }
      try tar.finish()
    }

    private func writeFolder(_ set: PackedDataset) throws {
      let folder = try PartialFolder(dest)
      var labels: [[Any]] = []
      for index in 0..<set.count {
        let name = set.name(at: index)
        try AtomicFile.write(set.encodedImage(at: index), to: folder.makePath(of: name))
        let captions = try set.captions(at: index)
        if !captions.isEmpty {
          try AtomicFile.write(
            Self.text(captions),
            to: folder.makePath(of: Self.parts(name).stem + ".txt")
          )
        }
        switch try set.label(at: index) {
        case .index(let label)?: labels.append([name, label])
        case .vector(let label)?: labels.append([name, label.map(Double.init)])
        case nil: break
        }
        progress(index, set)
      }
      if !labels.isEmpty {
        let json = try JSONSerialization.data(withJSONObject: ["labels": labels])
        try AtomicFile.write(Array(json), to: folder.makePath(of: "dataset.json"))
      }
      try folder.finish()
    }

    private func writeTable(_ set: PackedDataset) throws {
      let writer = try ParquetWriter(
        path: dest,
        columns: [("name", .string), ("captions", .string), ("label", .int64)]
          + (images ? [("image", .binary)] : [])
      )
      for index in 0..<set.count {
        var label = ParquetValue.null
        if case .index(let number)? = try set.label(at: index) { label = .int64(Int64(number)) }
        let captions = try set.captions(at: index).joined(separator: "\n")
        let file: [ParquetValue] = images ? [.binary(try set.encodedImage(at: index))] : []
        try writer.append([.string(set.name(at: index)), .string(captions), label] + file)
        progress(index, set)
      }
      try writer.finish()
    }

    private func progress(_ index: Int, _ set: PackedDataset) {
      if index % 100 == 0 { Console.progress("export  \(index)/\(set.count)") }
    }

    /// A name must not lead out of the folder, and fit into a tar.
    private static func check(_ name: String, of zip: String) throws {
      let parts = name.split(separator: "/", omittingEmptySubsequences: false)
      guard name.utf8.count <= 96, !name.contains("\u{0}"),
        parts.allSatisfy({ !["", ".", ".."].contains($0) })
      else {
        throw DatasetError.damaged(path: zip, entry: name, reason: "its name cannot be exported")
      }
    }

    private static func text(_ captions: [String]) -> [UInt8] {
      Array((captions.joined(separator: "\n") + "\n").utf8)
    }

    private static func parts(_ name: String) -> (stem: String, suffix: String) {
      guard let dot = name.lastIndex(of: ".") else { return (name, "png") }
      return (String(name[..<dot]), String(name[name.index(after: dot)...]))
    }
  }
}
