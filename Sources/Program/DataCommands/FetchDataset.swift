import ArgumentParser
import Console
import Fetch
import Files
import Foundation
import Text

extension FetchCommand {
  /// LAFITE's processed COCO.
  struct COCO: AsyncParsableCommand {
    static let configuration = DatasetFlags.configuration("coco", "COCO 2014")
    @OptionGroup var flags: DatasetFlags
    func run() async throws { try await flags.fetch("coco") }
  }

  /// LAFITE's processed Multi-Modal CelebA-HQ.
  struct CelebA: AsyncParsableCommand {
    static let configuration = DatasetFlags.configuration("celeba", "Multi-Modal CelebA-HQ")
    @OptionGroup var flags: DatasetFlags
    func run() async throws { try await flags.fetch("celeba") }
  }

  /// LAFITE's processed CUB.
  struct CUB: AsyncParsableCommand {
    static let configuration = DatasetFlags.configuration("cub", "CUB-200-2011")
    @OptionGroup var flags: DatasetFlags
    func run() async throws { try await flags.fetch("cub") }
  }
}

/// How a processed dataset is fetched.
struct DatasetFlags: ParsableArguments {
  @Option(help: "Link to the file on Google Drive, or its id.")
  var id: String?

  @Option(help: "Address of the file elsewhere.")
  var url: String?

  @Option(help: "train, or val or test: whose link to take from the page.")
  var split = "train"

  @Option(
    help: """
      Zip to write. (default: \(Self.standardPath(of: "NAME", split: "SPLIT")); of --id and --url
      \(Self.standardPath(of: "NAME", split: nil)))
      """
  )
  var out: String?

  @Option(help: .hidden)
  var driveServer = "https://drive.google.com"

  @Option(help: .hidden)
  var page = "https://raw.githubusercontent.com/drboog/Lafite/HEAD/README.md"

  /// LAFITE's processed zips have at most some 25 GB.
  private static let maximumBytes = 64 << 30

  /// Where the links stand, for people.
  private static let home = "https://github.com/drboog/Lafite"

  static func configuration(_ name: String, _ title: String) -> CommandConfiguration {
    CommandConfiguration(
      commandName: name,
      abstract: "Download LAFITE's processed \(title).",
      discussion: """
        LAFITE's author shares the zips on Google Drive and keeps the links at
        \(home). The page is asked for the one of --split;
        if it is not clear, its links are listed, and --id takes one of them.

        A download that broke off goes on where it stopped. The hash of the first
        one is kept beside the file as NAME.sha256, and later ones are compared
        with it. To pack the set from its original distribution: nifty import.

        EXAMPLES
          nifty fetch \(name)
          nifty fetch \(name) --id https://drive.google.com/file/d/ID/view \\
            --out data/\(name)_train.zip
          nifty fetch \(name) --url https://mirror.example/\(name).zip
        """
    )
  }

  /// The zip to write if `--out` does not say it; a file that was named may be of any split.
  static func standardPath(of name: String, split: String?) -> String {
    "data/\(name)\(split.map { "_\($0)" } ?? "").zip"
  }

  func validate() throws {
    guard id == nil || url == nil else {
      throw ValidationError("--id and --url both name the zip; give one of them")
    }
    guard ["train", "val", "test"].contains(split) else {
      throw ValidationError("--split is train, val or test, not \(split)")
    }
    if let id, DriveDownload.id(in: id) == nil {
      throw ValidationError("--id must be a Google Drive link or id, not \(id)")
    }
    if let url, !SnapshotCache.isAddress(url) {
      throw ValidationError("--url must be an http or https address, not \(url)")
    }
  }

  /// Downloads the file unless it is there.
  ///
  /// - Parameter name: What `nifty fetch` calls the set.
  /// - Throws: `DownloadError` or `FileError`; offline, the error says what to put where.
  func fetch(_ name: String) async throws {
    let isNamed = id != nil || url != nil
    let path = out ?? Self.standardPath(of: name, split: isNamed ? nil : split)
    let expected = RecordedHash.read(path)
    if FileManager.default.fileExists(atPath: path) {
      return try RecordedHash.check(path, expected)
    }
    let folder = URL(filePath: path).deletingLastPathComponent().path
    try makeFolder(folder)
    do {
      let digest = try await download(name, to: path, expected)
      try Self.expectZip(path)
      try RecordedHash.note(digest, of: path, expected)
    } catch let error as DownloadError where error.cause == .unreachable {
      throw DownloadError(
        cause: .unreachable,
        description:
          "\(error); without a network, get LAFITE's processed \(name) from the links at "
          + "\(Self.home) with a browser and put it at \(path)"
      )
    }
  }

  private func download(
    _ name: String,
    to path: String,
    _ expected: String?
  ) async throws -> String {
    var download: ResumableDownload
    if url == nil {
      var id = id.flatMap(DriveDownload.id) ?? ""
      if id.isEmpty {
        let link = try await linked(name)
        Console.error("\(Self.home) has “\(link.name)”: \(link.id)")
        id = link.id
      }
      let location = try await DriveDownload(id: id, server: driveServer).location()
      download = ResumableDownload(url: location.url.absoluteString, path: path, sha256: expected)
      download.cookies = location.cookies
    } else {
      download = ResumableDownload(url: url ?? "", path: path, sha256: expected)
    }
    download.refusesPages = true
    download.maximumBytes = Self.maximumBytes
    return try await download.run(shownAs: path)
  }

  /// The link of the author's page that fits.
  private func linked(_ name: String) async throws -> SharedLinks.Link {
    let links = SharedLinks(try await WebPage(page).text())
    let fitting = links.zips(of: name, split: split)
    if fitting.count == 1, let link = fitting.first { return link }
    let shown = (fitting.isEmpty ? links.links : fitting).prefix(20)
    let list = shown.map { "“\($0.name.prefix(80))” \($0.id)" }.joined(separator: ", ")
    let count = fitting.isEmpty ? "no link" : "\(fitting.count) links"
    throw DownloadError(
      cause: .page,
      description: "\(Self.home) has \(count) for \(name) \(split)"
        + (list.isEmpty ? "; look there and give it with --id" : "; give one with --id: \(list)")
    )
  }

  /// Removes what is no zip: a page or a message under a file's type.
  private static func expectZip(_ path: String) throws {
    let start = try FileHandle(forReadingFrom: URL(filePath: path)).read(upToCount: 2)
    guard start.map({ Array($0) }) == Array("PK".utf8) else {
      unlink(path)
      throw DownloadError(cause: .page, description: "\(path) was no zip; nothing was kept")
    }
  }
}
