package import Archives
package import Files

/// An error of reading, writing or making a dataset, in one line: what, where, and what to do.
package enum DatasetError: Error, Equatable, CustomStringConvertible {
  /// The system refused a file operation.
  case file(FileError)
  /// An archive, or an entry of a dataset, is missing, damaged or unsupported.
  case archive(ArchiveError)
  /// The archive or folder holds no image; the text says what else it holds.
  case noImages(path: String, holds: String = "")
  /// None of the images of a source could be packed; the text gives the reasons by cause.
  case nothingPacked(source: String, reasons: String)
  /// The archive holds images without CLIP features.
  case noFeatures(path: String)
  /// An image is not square, or not of the dataset's side.
  case wrongResolution(path: String, entry: String, found: String, expected: String)
  /// Features of another length than the set's.
  case wrongFeatureDimension(path: String, found: Int, expected: Int)
  /// An image of the dataset cannot be decoded.
  case unreadableImage(path: String, entry: String, reason: String)
  /// A feature extractor failed or returned something unusable.
  case features(model: String, reason: String)
  /// An option that does not fit the data.
  case option(String)

  package var description: String {
    switch self {
    case .file(let error): error.description
    case .archive(let error): error.description
    case .noImages(let path, let holds):
      "\(path): no image found\(holds.isEmpty ? "" : ", only \(holds)"); expected files that end in .png, .jpg, .webp and the like"
    case .nothingPacked(let source, let reasons):
      "\(source): none of the images could be packed: \(reasons)"
    case .noFeatures(let path):
      "\(path): images without CLIP features; pack its source with nifty pack"
    case .wrongResolution(let path, let entry, let found, let expected):
      "\(path): \(entry) is \(found), expected \(expected); pack all sets at one size"
    case .wrongFeatureDimension(let path, let found, let expected):
      "\(path): CLIP features of \(found) numbers, expected \(expected); "
        + "pack all sets with one CLIP model"
    case .unreadableImage(let path, let entry, let reason):
      "\(path): cannot decode \(entry): \(reason)"
    case .features(let model, let reason): "CLIP model \(model): \(reason)"
    case .option(let reason): reason
    }
  }
}

extension DatasetError {
  /// An error of an archive; a file error inside of it stays one.
  package init(_ error: ArchiveError) {
    self = if case .file(let error) = error { .file(error) } else { .archive(error) }
  }

  /// A missing file or folder.
  package static func missing(path: String) -> Self { .archive(.missing(path: path)) }

  /// A damaged entry of a dataset.
  package static func damaged(path: String, entry: String, reason: String) -> Self {
    .archive(.damaged(path: path, entry: entry, reason: reason))
  }

  /// A valid entry of a dataset that nifty does not support.
  package static func unsupported(path: String, entry: String, reason: String) -> Self {
    .archive(.unsupported(path: path, entry: entry, reason: reason))
  }

  /// The reason, without the path.
  var reason: String {
    switch self {
    case .file(let error): error.reason
    case .archive(let error): error.reason
    case .unreadableImage(_, _, let reason), .features(_, let reason), .option(let reason): reason
    case .wrongResolution(_, _, let found, let expected): "\(found), expected \(expected)"
    case .noImages, .nothingPacked, .noFeatures, .wrongFeatureDimension: description
    }
  }
}

/// Runs a file operation and converts its error to a `DatasetError`.
func files<Value>(_ body: () throws(FileError) -> Value) throws(DatasetError) -> Value {
  do throws(FileError) { return try body() } catch { throw .file(error) }
}

/// Reads an archive and converts its error to a `DatasetError`.
func archives<Value>(_ body: () throws(ArchiveError) -> Value) throws(DatasetError) -> Value {
  do throws(ArchiveError) { return try body() } catch { throw DatasetError(error) }
}
