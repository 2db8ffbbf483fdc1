import ArgumentParser
import Console
import Datasets
import Files
import Foundation
import Images
import Text

/// Published datasets in the layouts of their authors → folders of pairs, or zips.
struct ImportCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "import",
    abstract: "Bring COCO, CUB or Multi-Modal CelebA-HQ into folders or zips.",
    discussion: """
      NAME    FILES BELOW --root
      coco    annotations/captions_train2014.json, train2014/*.jpg (and val)
      cub     CUB_200_2011/images, text_c10, trainvalclasses.txt,
              testclasses.txt
      celeba  images, celeba-caption, train/filenames.pickle or train.txt

      The number of images is compared with the published one, and what is
      missing is listed in DEST.missing.txt. --dest is a folder, or a zip, which
      is packed with the flags of nifty pack.

      EXAMPLES
        nifty import coco --root coco --split train --dest coco_train.zip \\
          --width=256 --height=256 --transform=center-crop --clip ViT-B-32.pt
        nifty import cub --root birds --split test --dest cub_test
      """
  )

  /// The sets that can be imported.
  enum Name: String, ExpressibleByArgument, CaseIterable { case coco, cub, celeba }

  @Argument(help: "coco, cub or celeba.") var name: Name

  @Option(help: "Folder with the files of the distribution.") var root: String

  @Option(help: "train; or val (coco), test (cub, celeba).") var split = "train"

  @Option(help: "A .zip or a folder to write.") var dest: String

  @Flag(help: "Go on although the number of images is not the published one.")
  var allowMissing = false

  @OptionGroup var flags: PackFlags

  private var isZip: Bool { dest.lowercased().hasSuffix(".zip") }

  func validate() throws {
    if isZip { try flags.check() } else { try flags.checkUnused(by: dest) }
  }

  func run() throws {
    let set = try open()
    try report(set)
    if isZip {
      try flags.pack(set, called: set.summary, to: dest, try flags.extractor())
    } else {
      try writeFolder(set)
    }
  }

  private func open() throws -> ImportedSet {
    switch name {
    case .coco: try COCOImport.open(root, split: split)
    case .cub: try CUBImport.open(root, split: split)
    case .celeba: try CelebAImport.open(root, split: split)
    }
  }

  /// Compares with the authors' published numbers; a difference ends the import unless it is allowed.
  private func report(_ set: ImportedSet) throws {
    for path in set.missing.prefix(20) { Console.error("missing: \(path)") }
    let list = dest + ".missing.txt"
    if set.missing.isEmpty {
      unlink(list)
    } else {
      try AtomicFile.write(set.missing.map { $0 + "\n" }.joined(), to: list)
      let files = Text.count(set.missing.count, "file is", "files are")
      Console.error("\(files) missing, all listed in \(list)")
    }
    if !set.uncaptioned.isEmpty {
      let images = Text.count(set.uncaptioned.count, "image has", "images have")
      Console.error("\(images) no caption, as \(set.uncaptioned[0])")
    }
    guard set.count != set.publishedCount || !set.missing.isEmpty else { return }
    let difference =
      "\(set.summary): \(Text.count(set.count, "image")), \(set.publishedCount) were published, "
      + "\(Text.count(set.missing.count, "file")) missing"
    guard allowMissing else {
      throw DatasetError.option("\(difference); complete \(root), or give --allow-missing")
    }
    Console.error(difference)
  }

  private func writeFolder(_ set: ImportedSet) throws {
    var remarks = set.remarks
    let folder = try PartialFolder(dest)
    for index in 0..<set.count {
      let item = try set.item(at: index)
      guard case .encoded(let bytes) = item.picture else { continue }
      let path = try folder.makePath(of: set.name(at: index))
      try AtomicFile.write(bytes, to: path)
      if item.hasRepairedCaptions {
        let reason = "bytes that are not UTF-8"
        remarks.append(.init(name: set.name(at: index), cause: .repairedCaption, reason: reason))
      }
      let text = URL(filePath: path).deletingPathExtension().path + ".txt"
      try AtomicFile.write(item.captions.map { $0 + "\n" }.joined(), to: text)
      if index % 100 == 0 { Console.progress("import  \(index)/\(set.count)") }
    }
    // As with a zip: the list is there before the folder.
    try SkippedItems.write(remarks, beside: dest)
    try folder.finish()
    Console.line("\(dest): \(Text.count(set.count, "image")) with captions")
    if !remarks.isEmpty {
      let captions = Text.count(remarks.count, "caption is", "captions are")
      Console.line("  \(captions) listed in \(dest).left-out.tsv")
    }
  }
}
