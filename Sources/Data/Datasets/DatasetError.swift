package import Files

/// Why a dataset cannot be read, written or made, in one line: what, where, and what to do.
package enum DatasetError: Error, Equatable, CustomStringConvertible {
  /// The system refused a file operation.
  case file(FileError)
  /// There is no file or folder of this name.
  case missing(path: String)
  /// The file is no zip archive, or its directory is damaged.
  case notAZip(path: String, reason: String)
  /// An entry of an archive breaks its own rules.
  case damaged(path: String, entry: String, reason: String)
  /// An entry uses something valid that nifty does not read.
  case unsupported(path: String, entry: String, reason: String)
  /// The archive or folder holds no image.
  case noImages(path: String)
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
    case .missing(let path): "cannot open \(path): no such file; check the path"
    case .notAZip(let path, let reason):
      "\(path) is not a readable zip: \(reason); download or pack it again"
    case .damaged(let path, let entry, let reason):
      "\(path): \(entry) is damaged: \(reason); download or pack it again"
    case .unsupported(let path, let entry, let reason): "\(path): cannot read \(entry): \(reason)"
    case .noImages(let path): "\(path): no image found; expected PNG, JPEG or WebP files"
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
  /// What is wrong, without the file that it is about.
  var reason: String {
    switch self {
    case .file(let error): error.reason
    case .notAZip(_, let reason), .damaged(_, _, let reason), .unsupported(_, _, let reason),
      .unreadableImage(_, _, let reason), .features(_, let reason), .option(let reason):
      reason
    case .wrongResolution(_, _, let found, let expected): "\(found), expected \(expected)"
    case .missing, .noImages, .noFeatures, .wrongFeatureDimension: description
    }
  }
}

/// Runs a file operation and turns its error into a `DatasetError`.
func files<Value>(_ body: () throws(FileError) -> Value) throws(DatasetError) -> Value {
  do throws(FileError) { return try body() } catch { throw .file(error) }
}
