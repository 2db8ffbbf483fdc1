import ArgumentParser
import CLIP
import CommandLine
import Datasets
import Foundation
import Text

/// Stage 3: sources of images and captions → zips with features.
struct PackCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "pack",
    abstract: "Shape images and captions into zips with CLIP features inside.",
    discussion: """
      Takes the original's flags and sources: a folder with all below it, a .zip,
      an LSUN folder NAME_lmdb, cifar-10-python.tar.gz and
      train-images-idx3-ubyte.gz; also a .tar of samples. Captions are the lines
      of NAME.txt beside NAME.png; labels come from dataset.json. Several sources
      are packed one after the other into zips of the same names when --dest is a
      folder.

      A run that was killed is continued by the same command. What was left out
      is listed in DEST.left-out.tsv.

      EXAMPLES
        nifty pack --source=data/split0 --dest=data/split0.zip \\
          --width=256 --height=256 --transform=center-crop --clip clip.safetensors
        nifty pack --source='data/split{0..9}' --dest=data \\
          --width=256 --height=256 --transform=center-crop --clip clip.safetensors
        nifty pack --source=cifar-10-python.tar.gz --dest=cifar10.zip --no-clip
      """
  )

  @Option(help: "What to pack; repeat for several. Brace patterns are expanded.")
  var source: [String]

  @Option(help: "Zip to write, or a folder for several.")
  var dest: String

  @OptionGroup var flags: PackFlags

  func validate() throws { try flags.check() }

  func run() throws {
    let sources = source.flatMap(expandedBraces)
    var isFolder: ObjCBool = false
    let destIsFolder =
      FileManager.default.fileExists(atPath: dest, isDirectory: &isFolder) && isFolder.boolValue
    guard sources.count == 1 || destIsFolder else {
      throw DatasetError.option(
        "--dest must be an existing folder for several sources, not \(dest)"
      )
    }
    let zips = try destIsFolder ? Self.zips(of: sources, in: dest) : [dest]
    // Sources first: a mistyped path should not wait for a model to load.
    let opened = try sources.map { ($0, try ImageTextSources.open($0)) }
    let extractor = try flags.extractor()
    for ((path, source), zip) in zip(opened, zips) {
      try flags.pack(source, called: path, to: zip, extractor)
    }
  }

  /// The zip of each source in a folder.
  ///
  /// - Throws: `DatasetError` when two sources would go to one zip, or one over itself.
  static func zips(of sources: [String], in folder: String) throws(DatasetError) -> [String] {
    var owners: [String: String] = [:]
    var zips: [String] = []
    for source in sources {
      let url = URL(filePath: source)
      let zip = "\(folder)/\(url.deletingPathExtension().lastPathComponent).zip"
      if let other = owners.updateValue(source, forKey: zip) {
        throw .option("\(other) and \(source) would both become \(zip); pack one of them elsewhere")
      }
      guard url.resolvingSymlinksInPath() != URL(filePath: zip).resolvingSymlinksInPath() else {
        throw .option("\(source) would be overwritten by its own zip; give another --dest")
      }
      zips.append(zip)
    }
    return zips
  }
}
