import Archives
import Files
import Foundation

/// A tar archive of samples as WebDataset writes them: `0001.jpg`, `0001.txt`, `0001.cls`.
///
/// Captions are the lines of `.txt`, or come from `.json`; the label is the number in `.cls`. Order: by name,
/// byte by byte. A link to another member has its bytes. The archive is mapped; a compressed one is
/// decompressed into an unlinked temporary file first.
struct ImageTextTar: ImageTextSource {
  let remarks: [PackReport.Dropped]
  private let path: String
  private let data: MappedBytes
  private let samples: [SampleListing<Range<Int>>.Sample]
  private let labels: LabelList
  private let captionKey: String?

  /// The suffixes of compressed archives.
  static let compressedSuffixes = [".tar.gz", ".tgz"]
  private static let piece = 1 << 20

  /// Lists a tar archive.
  ///
  /// - Parameters:
  ///   - path: The archive, compressed by gzip or not.
  ///   - captionKey: The key of the captions in the JSON beside an image; `nil` for text members.
  /// - Throws: `DatasetError` if it is missing, damaged, without images, or has no captions under the key.
  init(_ path: String, captionKey: String? = nil) throws(DatasetError) {
    self.path = path
    self.captionKey = captionKey
    let file = try archives { () throws(ArchiveError) in try MappedBytes.archive(path) }
    // By its bytes: many a .tar is compressed, and browsers decompress what they store as .tar.gz.
    data =
      file.withBytes { $0.starts(with: [0x1f, 0x8b]) } ? try Self.decompressed(file, path) : file
    let contents: Contents
    do throws(Inflater.Damage) {
      contents = try Contents(MappedStream(data), size: data.count, name: path)
    } catch {
      if let kind = data.withBytes({ FileKind.guess($0) }), kind != "a tar archive" {
        throw .option("\(path) is no tar: it looks like \(kind)")
      }
      throw .damaged(path: path, entry: "the archive", reason: error.reason)
    }
    let listing = SampleListing(
      contents.files,
      captionSuffix: captionKey == nil ? "txt" : "json",
      readsClasses: true
    )
    samples = listing.samples
    let list = contents.files.last { $0.0 == FileName(Array("dataset.json".utf8)) }
    labels =
      try list.map { [data] (file) throws(DatasetError) in
        try data.withBytes { (bytes) throws(DatasetError) in
          try LabelList(.init(rebasing: bytes[file.1]), of: "\(path)/dataset.json")
        }
      } ?? LabelList()
    remarks =
      contents.remarks + listing.remarks + labels.remarks(beside: samples.map(\.name))
      + Self.words(samples, data)
    guard !samples.isEmpty else { throw .noImages(path: path, holds: listing.rest) }
    guard let captionKey else { return }
    let documents = samples.lazy.compactMap(\.text).prefix(100).map { [data] range in
      data.withBytes { Array($0[range]) }
    }
    try CaptionJSON.expect(captionKey, in: documents, of: path)
  }

  /// Whether the name is that of a compressed archive.
  static func isCompressed(_ path: String) -> Bool {
    compressedSuffixes.contains { path.lowercased().hasSuffix($0) }
  }

  private static func decompressed(
    _ file: MappedBytes,
    _ path: String
  ) throws(DatasetError) -> MappedBytes {
    let stream = GzipStream(file)
    func next() throws(DatasetError) -> [UInt8] {
      do throws(Inflater.Damage) { return try stream.read(piece) } catch {
        throw .damaged(path: path, entry: "the archive", reason: error.reason)
      }
    }
    let folder = FileManager.default.temporaryDirectory.path
    let spool = try files { () throws(FileError) in try SpoolFile(in: folder) }
    var bytes = try next()
    while !bytes.isEmpty {
      let piece = bytes
      try files { () throws(FileError) in try spool.append(piece) }
      bytes = try next()
    }
    return try files { () throws(FileError) in try spool.mapped() }
  }

  var count: Int { samples.count }

  var summary: String { "tar " + URL(filePath: path).lastPathComponent }

  var identity: String { FileStamp.of(path) + (captionKey.map { " captions of \($0)" } ?? "") }

  func name(at index: Int) -> String { samples[index].name.text }

  func item(at index: Int) throws(DatasetError) -> ImageTextItem {
    let sample = samples[index]
    let own = sample.label.flatMap { Self.index($0, data) }
    do throws(JSONScanner.Damage) {
      return try ImageTextItem(
        picture: .encoded(bytes(sample.image)),
        file: sample.text.map(bytes),
        key: captionKey,
        label: own.map { .index($0) } ?? labels[sample.name]
      )
    } catch {
      throw .damaged(path: path, entry: "the .json of \(sample.name.text)", reason: error.reason)
    }
  }

  private func bytes(_ range: Range<Int>) -> [UInt8] { data.withBytes { Array($0[range]) } }

  /// The number in a `.cls`.
  private static func index(_ range: Range<Int>, _ data: MappedBytes) -> Int? {
    data.withBytes { bytes in
      let text = String(decoding: bytes[range].prefix(64), as: UTF8.self)
      return Int(text.trimmingCharacters(in: .whitespacesAndNewlines))
    }
  }

  /// Remarks on classes that are words.
  private static func words(
    _ samples: [SampleListing<Range<Int>>.Sample],
    _ data: MappedBytes
  ) -> [PackReport.Dropped] {
    samples.filter { $0.label.map { index($0, data) == nil } ?? false }.map { sample in
      let reason = "its .cls holds no number; classes are numbered 0, 1, …"
      return .init(name: sample.name.text, cause: .wordLabel, reason: reason)
    }
  }
}

extension ImageTextTar {
  /// The files of an archive, with the bytes of each.
  private struct Contents {
    var files: [(FileName, Range<Int>)] = []
    var remarks: [PackReport.Dropped] = []

    /// The limit on a chain of links.
    private static let maximumLinks = 16

    init(_ stream: MappedStream, size: Int, name: String) throws(Inflater.Damage) {
      var (ranges, links): ([FileName: Range<Int>], [(name: FileName, target: FileName)]) = (
        [:], []
      )
      var reader = TarReader(stream)
      while let member = try reader.member() {
        let name = FileName(member.path)
        if let target = member.target {
          links.append((name, target))
          continue
        }
        guard member.size <= size - member.start else {
          throw Inflater.Damage(reason: "\(member.name) reaches beyond its end")
        }
        let range = member.start..<member.start + member.size
        ranges[name] = range
        files.append((name, range))
      }
      let targets = Dictionary(links.map { ($0.name, $0.target) }) { $1 }
      for (name, target) in links {
        if let range = Self.range(of: target, ranges, targets) {
          files.append((name, range))
        } else if name.isImage && !name.isHidden {
          let reason = "a link to \(target.text), which is not in the archive"
          remarks.append(.init(name: name.text, cause: .unreadable, reason: reason))
        }
      }
      for (name, kind) in reader.others where name.isImage && !name.isHidden {
        let reason = "\(kind), which the archive has no picture of"
        remarks.append(.init(name: name.text, cause: .unreadable, reason: reason))
      }
      noteEnd(reader.end, name)
    }

    private mutating func noteEnd(_ end: TarReader.End?, _ name: String) {
      let reason =
        switch end {
        case .missing: "it ends without the blocks that end a tar; a download that was cut short?"
        case .followed: "more data stands behind its end, which is not read; unpack it"
        case .marked, nil: ""
        }
      if reason.isEmpty { return }
      let file = URL(filePath: name).lastPathComponent
      remarks.append(.init(name: file, cause: .missingEnd, reason: reason))
    }

    private static func range(
      of name: FileName,
      _ ranges: [FileName: Range<Int>],
      _ targets: [FileName: FileName]
    ) -> Range<Int>? {
      var name = name
      for _ in 0..<maximumLinks {
        if let range = ranges[name] { return range }
        guard let next = targets[name] else { return nil }
        name = next
      }
      return nil
    }
  }
}
