import ArgumentParser
import CLIP
import CommandLine
import Console
import Datasets
import Files
import Foundation
import ObjectStore

/// Stage 3: sources of images and captions → zips with features.
struct PackCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "pack",
    abstract: "Shape images and captions into zips with CLIP features inside.",
    discussion: """
      Takes the original's flags and sources: a folder with all below it, a .zip,
      an LSUN folder NAME_lmdb, cifar-10-python.tar.gz and
      train-images-idx3-ubyte.gz; also a .tar or .tar.gz of samples. Captions are
      the lines of NAME.txt beside NAME.png, or a value of NAME.json that
      --caption-key names; labels come from dataset.json. Several sources become
      zips of the same names when --dest is a folder, and one zip when it is a
      .zip. BMP and TIFF are not read: they are listed as left out.

      Of s3://bucket/prefix the archives below it are packed, or where there are
      none the images and captions; they are downloaded into the cache folder
      (NIFTY_CACHE) and stay there. Credentials come from AWS_ACCESS_KEY_ID and
      AWS_SECRET_ACCESS_KEY, or from AWS_PROFILE in ~/.aws.

      A run that was killed is continued by the same command. What was left out
      is listed in DEST.left-out.tsv.

      EXAMPLES
        nifty pack --source=data/split0 --dest=data/split0.zip \\
          --width=256 --height=256 --transform=center-crop --clip clip.safetensors
        nifty pack --source='data/split{0..9}' --dest=data \\
          --width=256 --height=256 --transform=center-crop --clip clip.safetensors
        nifty pack --source='cc3m/*.tar' --caption-key=caption --orientation=exif \\
          --dest=data/cc3m.zip --width=256 --height=256 --transform=center-crop
        nifty pack --source=coco --dest=coco.zip --shard=2/10 \\
          --width=256 --height=256 --transform=center-crop --clip clip.safetensors
        nifty pack --source=s3://bucket/laion/split0 --dest=data/split0.zip \\
          --width=256 --height=256 --transform=center-crop --clip clip.safetensors
        nifty pack --source=cifar-10-python.tar.gz --dest=cifar10.zip --no-clip
      """
  )

  @Option(
    help: "What to pack; repeat for several. Braces, * and ? are expanded; or s3://bucket/prefix."
  )
  var source: [String]

  @Option(
    help: """
      Address of the object store of s3:// sources; as AWS_ENDPOINT_URL_S3 or ~/.aws/config say if not
      given, else AWS's.
      """
  )
  var s3Endpoint: String?

  @Option(help: "Zip to write, its folder being made; or a folder, for a zip of each source.")
  var dest: String

  @Option(
    help: "Key of the captions in the .json beside each image, as caption; else its .txt is read."
  )
  var captionKey: String?

  @Option(
    help: """
      Part i of n, as 2/10, for machines that pack together: every n-th source where
      --dest is a folder, else a range of the images, into DEST-i-of-n.zip.
      """
  )
  var shard: PackShard?

  @OptionGroup var flags: PackFlags

  func validate() throws {
    if captionKey?.isEmpty == true { throw ValidationError("--caption-key must not be empty") }
    if s3Endpoint != nil, !source.contains(where: S3Location.isAddress) {
      throw ValidationError("--s3-endpoint is for a --source s3://…")
    }
    try flags.check()
  }

  func run() throws {
    let all = PackSources.expanded(source)
    var isFolder: ObjCBool = false
    let destIsFolder =
      FileManager.default.fileExists(atPath: dest, isDirectory: &isFolder) && isFolder.boolValue
    if let twin = Dictionary(grouping: all, by: { $0 }).first(where: { $0.value.count > 1 }) {
      throw DatasetError.option("\(twin.key) is named twice; its images would be packed twice")
    }
    // Of all shards: two machines must not write one zip.
    if destIsFolder { _ = try Self.zips(of: all.filter { !S3Location.isAddress($0) }, in: dest) }
    let own = destIsFolder ? shard?.sources(of: all) ?? all : all
    if let shard, own.isEmpty {
      return Console.line("no source is in shard \(shard.index) of \(shard.count)")
    }
    let sources = try PackSources.paths(own, endpoint: s3Endpoint)
    guard sources.count == 1 || destIsFolder || dest.lowercased().hasSuffix(".zip") else {
      throw DatasetError.option(
        "--dest must be an existing folder or a .zip for several sources, not \(dest)"
      )
    }
    let zips =
      try destIsFolder ? Self.zips(of: sources, in: dest) : [shard?.path(of: dest) ?? dest]
    // Sources first: a mistyped path should not wait for a model to load.
    let opened = try sources.map { path in
      (path, try part(of: ImageTextSources.open(path, captionKey: captionKey), destIsFolder))
    }
    if let shard, opened.allSatisfy({ $0.1.count == 0 }) {
      return Console.line("no image is in shard \(shard.index) of \(shard.count)")
    }
    if !destIsFolder, let own = sources.first(where: { Self.isSame($0, zips[0]) }) {
      throw DatasetError.option("\(own) would be overwritten by its own zip; give another --dest")
    }
    for zip in zips {
      try refuseAddress(zip, to: "write")
      try OutputName.expectFile(zip, "zip")
    }
    for zip in zips { try makeFolder(URL(filePath: zip).deletingLastPathComponent().path) }
    let extractor = try flags.extractor()
    if zips.count < opened.count {
      let joined = JoinedSource(opened.map { (path: $0, source: $1) })
      return try flags.pack(joined, called: dest, to: zips[0], extractor)
    }
    for ((path, source), zip) in zip(opened, zips) {
      try flags.pack(source, called: path, to: zip, extractor)
    }
  }

  /// The images of a source that this shard packs: all of them where whole sources are divided.
  private func part(
    of source: any ImageTextSource,
    _ destIsFolder: Bool
  ) -> any ImageTextSource {
    guard let shard, !destIsFolder else { return source }
    return SourceShard(source, shard.index, of: shard.count)
  }

  /// The zip of each source in a folder.
  ///
  /// - Throws: `DatasetError` when two sources would go to one zip, or one over itself.
  static func zips(of sources: [String], in folder: String) throws(DatasetError) -> [String] {
    var owners: [String: String] = [:]
    var zips: [String] = []
    for source in sources {
      let url = URL(filePath: source)
      var stem = url.deletingPathExtension()
      // Of a.tar.gz.
      if stem.pathExtension.lowercased() == "tar" { stem.deletePathExtension() }
      let zip = "\(folder)/\(stem.lastPathComponent).zip"
      if let other = owners.updateValue(source, forKey: zip) {
        throw .option("\(other) and \(source) would both become \(zip); pack one of them elsewhere")
      }
      guard !isSame(source, zip) else {
        throw .option("\(source) would be overwritten by its own zip; give another --dest")
      }
      zips.append(zip)
    }
    return zips
  }

  private static func isSame(_ a: String, _ b: String) -> Bool {
    URL(filePath: a).resolvingSymlinksInPath() == URL(filePath: b).resolvingSymlinksInPath()
  }
}
