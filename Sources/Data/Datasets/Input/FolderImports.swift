import Files
import Foundation
import Pickle

/// CUB-200-2011 with ten captions an image: `images/CLASS/NAME.jpg`, `text_c10/CLASS/NAME.txt`, and the
/// classes of the zero-shot split in `trainvalclasses.txt` and `testclasses.txt`.
///
/// After Wah and others, "The Caltech-UCSD Birds-200-2011 Dataset"; captions and split of Reed and
/// others, "Learning Deep Representations of Fine-Grained Visual Descriptions", CVPR 2016.
package enum CUBImport {
  /// Images in the two splits.
  package static let published = ["train": 8_855, "test": 2_933]

  /// Opens a split, `train` or `test`.
  package static func open(_ root: String, split: String) throws(DatasetError) -> ImportedSet {
    guard let published = published[split] else {
      throw .option("CUB has the splits train and test, not \(split)")
    }
    let list = split == "train" ? "trainvalclasses.txt" : "testclasses.txt"
    let classes = try ImportedSet.first(
      of: [list, "text_c10/\(list)", "CUB_200_2011/\(list)"],
      in: root,
      what: "classes of the split \(split)"
    )
    let images = try ImportedSet.first(
      of: ["CUB_200_2011/images", "images"],
      in: root,
      what: "folder of images"
    )
    let texts = try ImportedSet.first(
      of: ["text_c10", "CUB_200_2011/text_c10", "text"],
      in: root,
      what: "folder of captions"
    )
    let names = try FileBytes.read(classes, limit: 1 << 20).map(CaptionText.lines) ?? []
    var entries: [ImportedSet.Entry] = []
    for name in names where !name.contains("/") && name != ".." {
      let files = try files { () throws(FileError) in try listFolder(ifThere: "\(images)/\(name)") }
      guard !files.isEmpty else {
        // The class is missing: an impossible file name stands for it in the list of missing files.
        entries.append(
          .init(name: "\(name)/*", image: "\(images)/\(name)/*.jpg", captions: .lines([]))
        )
        continue
      }
      for file in files where FileNames.isImage(file) && !FileNames.isHidden(file) {
        let text = FileNames.replacingSuffix(of: "\(texts)/\(name)/\(file)", by: "txt")
        entries.append(
          .init(name: "\(name)/\(file)", image: "\(images)/\(name)/\(file)", captions: .file(text))
        )
      }
    }
    return try ImportedSet("CUB-200-2011 \(split)", publishedCount: published, entries)
  }
}

/// Multi-Modal CelebA-HQ: `images/N.jpg`, ten captions in `celeba-caption/N.txt`, and the split in
/// `train/filenames.pickle` or `train.txt`.
///
/// After Xia and others, "TediGAN: Text-Guided Diverse Face Image Generation and Manipulation",
/// CVPR 2021.
package enum CelebAImport {
  /// Images in the two splits.
  package static let published = ["train": 24_000, "test": 6_000]

  /// Opens a split, `train` or `test`.
  package static func open(_ root: String, split: String) throws(DatasetError) -> ImportedSet {
    guard let published = published[split] else {
      throw .option("Multi-Modal CelebA-HQ has the splits train and test, not \(split)")
    }
    let images = try ImportedSet.first(
      of: ["images", "CelebA-HQ-img", "image"],
      in: root,
      what: "folder of images"
    )
    let texts = try ImportedSet.first(
      of: ["celeba-caption", "text/celeba-caption", "text"],
      in: root,
      what: "folder of captions"
    )
    let list = try ImportedSet.first(
      of: ["\(split)/filenames.pickle", "text/\(split)/filenames.pickle", "\(split).txt"],
      in: root,
      what: "list of the split \(split)"
    )
    let stems = try stems(list)
    let files = try files { () throws(FileError) in try listFolder(images) }
    let byStem = [String: String](
      files.filter { FileNames.isImage($0) }.map { (String($0.prefix { $0 != "." }), $0) },
      uniquingKeysWith: min
    )
    return try ImportedSet(
      "Multi-Modal CelebA-HQ \(split)",
      publishedCount: published,
      stems.map { stem in
        let name = byStem[stem] ?? "\(stem).jpg"
        return .init(
          name: name,
          image: "\(images)/\(name)",
          captions: .file("\(texts)/\(stem).txt")
        )
      }
    )
  }

  /// The numbers of a split: a pickled list of strings or integers, or lines of text.
  private static func stems(_ path: String) throws(DatasetError) -> [String] {
    guard let bytes = try FileBytes.read(path, limit: 64 << 20) else { throw .missing(path: path) }
    let found: [String]
    if path.hasSuffix(".pickle") {
      guard let items = (try? Pickle(MappedBytes(copying: bytes)))?.root.items else {
        throw .damaged(path: path, entry: "the list of the split", reason: "no pickled list")
      }
      found = items.compactMap { $0.string ?? $0.int.map(String.init) }
    } else {
      found = CaptionText.lines(bytes)
    }
    return found.map { String($0.prefix { $0 != "." }) }.filter { !$0.contains("/") && !$0.isEmpty }
  }
}
