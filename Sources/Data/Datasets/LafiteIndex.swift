import Archives
import BasicAlgorithms
import Files
import Foundation

/// Indexes the `dataset.json` of a zip packed by LAFITE once: it becomes mapped features and labels.
///
/// The result is a sidecar, `NAME.zip.features`, with the same `.npy` entries and labels as nifty's own
/// sets, so that a set of any size opens at once the next time; `SidecarPaths` has its path. The document is
/// read in one pass. Memory while indexing: about a hundred bytes per image and some buffers.
struct LafiteIndex {
  private let zip: ZipArchive
  private let json: Int
  /// Zip entries of the images, in the order of their names.
  private let images: [Int32]

  /// The origin of a sidecar; a changed dataset is indexed again.
  private struct Origin: Codable, Equatable {
    var archiveSize: Int
    var jsonSize: Int
    var jsonChecksum: UInt32
    var imageCount: Int
    /// The version of the sidecar's format: 2 since it has labels.
    var version = 2
  }

  /// The index of a document.
  struct Contents {
    /// The sidecar.
    var sidecar: ZipArchive
    /// The features, if there are any.
    var features: FeatureStore?
    /// A line per image, as in nifty's own sets; `nil` unless every image has a label.
    var labels: MappedBytes?
    /// What was passed over, in words; sidecars of earlier versions have none.
    var remarks: [String] = []
  }

  /// The limit on the length of a feature.
  private static let maximumDimension = 65_536
  private static let originName = "origin.json"
  private static let remarksName = "remarks.json"

  /// Prepares to index an archive.
  ///
  /// - Parameters:
  ///   - zip: The archive.
  ///   - json: The index of its entry `dataset.json`.
  ///   - images: The indices of its images.
  init(_ zip: ZipArchive, json: Int, images: [Int32]) {
    self.zip = zip
    self.json = json
    self.images = images
  }

  /// The index of the document: from a matching sidecar, else from a new one.
  ///
  /// - Throws: `DatasetError` if the document is damaged, or features are required and missing.
  func contents(requiresFeatures: Bool) throws(DatasetError) -> Contents {
    let paths = SidecarPaths(of: zip.path, checksum: zip.checksum(at: json))
    for path in paths.trusted {
      guard let found = try? open(path) else { continue }
      if found.features != nil || !requiresFeatures { return found }
    }
    let path = try paths.writable()
    try index(to: path, requiresFeatures: requiresFeatures)
    return try open(path)
  }

  private var origin: Origin {
    Origin(
      archiveSize: zip.fileSize,
      jsonSize: zip.size(at: json),
      jsonChecksum: zip.checksum(at: json),
      imageCount: images.count
    )
  }

  /// Opens a sidecar of exactly this document.
  func open(_ path: String) throws(DatasetError) -> Contents {
    let sidecar = try archives { () throws(ArchiveError) in try ZipArchive(path) }
    guard let entry = sidecar.index(of: Self.originName) else { throw .noFeatures(path: path) }
    let stated = try archives { () throws(ArchiveError) in
      try sidecar.bytes(at: entry).withBytes { Data($0) }
    }
    guard let stated = try? JSONDecoder().decode(Origin.self, from: stated), stated == origin else {
      throw .damaged(path: path, entry: Self.originName, reason: "it belongs to another zip")
    }
    var contents = Contents(sidecar: sidecar)
    if sidecar.index(of: FeatureStore.imagesName) != nil {
      contents.features = try FeatureStore(sidecar, count: images.count)
    }
    if let remarks = sidecar.index(of: Self.remarksName) {
      let bytes = try archives { () throws(ArchiveError) in try sidecar.bytes(at: remarks).array }
      contents.remarks = (try? JSONDecoder().decode([String].self, from: Data(bytes))) ?? []
    }
    if let labels = sidecar.index(of: PackedDataset.labelsName) {
      contents.labels = try archives { () throws(ArchiveError) in try sidecar.bytes(at: labels) }
    }
    return contents
  }

  private func index(to path: String, requiresFeatures: Bool) throws(DatasetError) {
    let folder = URL(filePath: path).deletingLastPathComponent().path
    let sidecar = try files { () throws(FileError) in try ZipWriter(path) }
    try index(into: sidecar, spoolsIn: folder, requiresFeatures: requiresFeatures)
    try files { () throws(FileError) in try sidecar.finish() }
  }

  /// Parses the document and adds its vectors to a zip.
  ///
  /// - Parameters:
  ///   - sidecar: The zip; it is not finished here.
  ///   - folder: The folder of unlinked spools, which hold the vectors until their order is known.
  ///   - requiresFeatures: Whether a document without features is refused.
  /// - Throws: `DatasetError` if the document is damaged.
  func index(
    into sidecar: ZipWriter,
    spoolsIn folder: String,
    requiresFeatures: Bool
  ) throws(DatasetError) {
    var vectors = Vectors(
      images: try files { () throws(FileError) in try SpoolFile(in: folder) },
      texts: try files { () throws(FileError) in try SpoolFile(in: folder) },
      imageRows: [Int?](repeating: nil, count: images.count),
      textRows: [Range<Int>](repeating: 0..<0, count: images.count),
      labels: [ImageLabel?](repeating: nil, count: images.count)
    )
    let walk = OnePass(
      try archives { () throws(ArchiveError) in try zip.bytes(at: json, verifying: false) }
    )
    do throws(DatasetError) {
      try read(walk, into: &vectors)
    } catch {
      // A wrong checksum explains any other error.
      guard walk.checksum() == zip.checksum(at: json) else { throw damagedBytes }
      throw error
    }
    guard walk.checksum() == zip.checksum(at: json) else { throw damagedBytes }
    let isEmpty = vectors.dimension == nil && vectors.misfits == nil
    guard !isEmpty || !requiresFeatures else { throw .noFeatures(path: zip.path) }
    try check(vectors)
    try files { () throws(FileError) in try write(vectors, to: sidecar) }
  }

  private var damagedBytes: DatasetError { damaged(.init(reason: "its checksum differs")) }

  private func read(_ walk: OnePass, into vectors: inout Vectors) throws(DatasetError) {
    try walk.document.withBytes { (bytes) throws(DatasetError) in
      var scanner = JSONScanner(bytes)
      try scanner.object(
        { (scanner, key) throws(DatasetError) in
          try read(key, from: &scanner, walk, into: &vectors)
        },
        damage: damaged
      )
      do throws(JSONScanner.Damage) { try scanner.end() } catch { throw damaged(error) }
    }
  }

  private func read(
    _ key: String,
    from scanner: inout JSONScanner,
    _ walk: OnePass,
    into vectors: inout Vectors
  ) throws(DatasetError) {
    if scanner.null() { return }
    if key == "labels" {
      do throws(JSONScanner.Damage) {
        try LabelReader.read(from: &scanner) { name, label in
          guard let image = position(of: name) else {
            vectors.passedOver.strayLabels += 1
            return
          }
          if vectors.labels[image] != nil { vectors.passedOver.repeatedLabels += 1 }
          vectors.labels[image] = label
        }
      } catch { throw damaged(error) }
      return
    }
    guard key == "clip_img_features" || key == "clip_txt_features" else {
      do throws(JSONScanner.Damage) { try scanner.skipValue() } catch { throw damaged(error) }
      return
    }
    try scanner.array(
      { (scanner) throws(DatasetError) in
        try readRecord(from: &scanner, isText: key == "clip_txt_features", into: &vectors)
        walk.pass(to: scanner.position)
      },
      damage: damaged
    )
  }

  /// Reads `[name, value]`; a record of an unknown image is counted.
  private func readRecord(
    from scanner: inout JSONScanner,
    isText: Bool,
    into vectors: inout Vectors
  ) throws(DatasetError) {
    var name: String?
    var fits = true
    try scanner.array(
      { (scanner) throws(DatasetError) in
        guard let known = name else {
          do throws(JSONScanner.Damage) { name = try scanner.string() } catch {
            throw damaged(error)
          }
          return
        }
        let image = position(of: known)
        if image == nil { vectors.passedOver.strayFeatures += 1 }
        if isText {
          let start = vectors.textCount
          try scanner.array(
            { (scanner) throws(DatasetError) in
              fits = try readVector(from: &scanner, of: known, isText, into: &vectors) && fits
            },
            damage: damaged
          )
          guard let image else { return }
          if !vectors.textRows[image].isEmpty { vectors.passedOver.repeatedFeatures += 1 }
          vectors.textRows[image] = start..<vectors.textCount
        } else {
          fits = try readVector(from: &scanner, of: known, isText, into: &vectors)
          guard let image, fits else { return }
          if vectors.imageRows[image] != nil { vectors.passedOver.repeatedFeatures += 1 }
          vectors.imageRows[image] = vectors.imageCount - 1
        }
      },
      damage: damaged
    )
    if !fits { vectors.misfits?.imageCount += 1 }
  }

  /// Reads a feature; returns whether its length is that of the first one.
  private func readVector(
    from scanner: inout JSONScanner,
    of name: String,
    _ isText: Bool,
    into vectors: inout Vectors
  ) throws(DatasetError) -> Bool {
    let vector: [Float]
    do throws(JSONScanner.Damage) {
      vector = try scanner.numbers(limit: Self.maximumDimension)
    } catch { throw damaged(error) }
    let expected = vectors.dimension ?? vector.count
    guard vector.count == expected, expected > 0 else {
      if vectors.misfits == nil {
        vectors.misfits = Misfits(firstName: name, firstLength: vector.count)
      }
      return false
    }
    vectors.dimension = expected
    let spool = isText ? vectors.texts : vectors.images
    try files { () throws(FileError) in
      try spool.append(NpyArray.encode(vector, as: .float32))
    }
    if isText { vectors.textCount += 1 } else { vectors.imageCount += 1 }
    return true
  }

  /// Refuses features of another length, and images without one.
  private func check(_ vectors: Vectors) throws(DatasetError) {
    if let misfits = vectors.misfits {
      throw damaged(
        JSONScanner.Damage(
          reason: "\(misfits.imageCount) images have CLIP features that are not of "
            + "\(vectors.dimension ?? 512) numbers, the first is \(misfits.firstName) with "
            + "\(misfits.firstLength)"
        )
      )
    }
    if vectors.dimension != nil, let first = vectors.imageRows.firstIndex(of: nil) {
      let count = vectors.imageRows.count { $0 == nil }
      throw damaged(
        JSONScanner.Damage(
          reason: "\(count) of \(images.count) images have no CLIP feature, the first is "
            + zip.name(at: Int(images[first]))
        )
      )
    }
  }

  private func write(_ vectors: Vectors, to sidecar: ZipWriter) throws(FileError) {
    guard let origin = try? JSONEncoder().encode(origin) else {
      preconditionFailure("integers always encode")
    }
    try sidecar.add(Self.originName, Array(origin))
    // As in the original: labels of only some of the images are ignored.
    let labels = vectors.labels.compactMap { $0?.json }
    var passedOver = vectors.passedOver
    passedOver.partialLabels = labels.count < images.count ? labels.count : 0
    if !passedOver.remarks.isEmpty, let remarks = try? JSONEncoder().encode(passedOver.remarks) {
      try sidecar.add(Self.remarksName, Array(remarks))
    }
    if labels.count == images.count {
      try sidecar.add(PackedDataset.labelsName, Array((labels.joined(separator: "\n") + "\n").utf8))
    }
    if let dimension = vectors.dimension { try add(vectors, dimension, to: sidecar) }
  }

  private func add(
    _ vectors: Vectors,
    _ dimension: Int,
    to sidecar: ZipWriter
  ) throws(FileError) {
    let imageRows = vectors.imageRows.compactMap { row in row.map { $0..<$0 + 1 } }
    try add(FeatureStore.imagesName, rows: imageRows, of: vectors.images, dimension, to: sidecar)
    var index = [0]
    for rows in vectors.textRows { index.append((index.last ?? 0) + rows.count) }
    if let captions = index.last, captions > 0 {
      try add(
        FeatureStore.textsName,
        rows: vectors.textRows,
        of: vectors.texts,
        dimension,
        to: sidecar
      )
      try sidecar.add(FeatureStore.indexName, NpyArray.encode(index))
    }
  }

  /// Adds rows of a spool in the order of the images instead of the document's.
  private func add(
    _ name: String,
    rows: [Range<Int>],
    of spool: SpoolFile,
    _ dimension: Int,
    to sidecar: ZipWriter
  ) throws(FileError) {
    let count = rows.reduce(0) { $0 + $1.count }
    let header = NpyHeader(element: .float32, shape: [count, dimension]).encoded
    let stride = dimension * NpyElement.float32.size
    let mapped = try spool.mapped()
    try mapped.withBytes { (bytes) throws(FileError) in
      let parts = rows.map { bytes.slice($0.lowerBound * stride..<$0.upperBound * stride) }
      var read = 0
      try sidecar.add(name, header: header, parts: parts) { number in
        read += parts[number].count
        guard read >= OnePass.piece else { return }
        mapped.release(0..<mapped.count)
        read = 0
      }
    }
  }

  /// The index of an image in name order.
  private func position(of name: String) -> Int? {
    guard let entry = zip.index(of: name) else { return nil }
    // Entries and images are both in the order of names: search the second for the first.
    let position = images.partitioningIndex { $0 < entry }
    return position < images.count && images[position] == entry ? position : nil
  }

  private func damaged(_ damage: JSONScanner.Damage) -> DatasetError {
    .damaged(path: zip.path, entry: "dataset.json", reason: damage.reason)
  }
}
