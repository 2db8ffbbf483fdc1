import Archives
import Files
import Foundation

/// An LSUN category: a folder `NAME_lmdb` with image files in the database `data.mdb`.
///
/// Order: that of the keys. There are no captions and no labels.
struct LSUNSource: ImageTextSource {
  private let path: String
  private let database: LMDBFile

  private static let maximumImageSize = 512 << 20

  /// Opens the folder's database.
  init(_ path: String) throws(DatasetError) {
    self.path = path
    database = try archives { () throws(ArchiveError) in try LMDBFile(path + "/data.mdb") }
    guard database.count > 0 else { throw .noImages(path: path) }
  }

  var count: Int { database.count }

  var summary: String { "LSUN " + URL(filePath: path).lastPathComponent }

  var identity: String { FileStamp.of(path + "/data.mdb") }

  func name(at index: Int) -> String { database.key(at: index) }

  func item(at index: Int) throws(DatasetError) -> ImageTextItem {
    let value = database.value(at: index)
    guard value.count <= Self.maximumImageSize else {
      throw .unsupported(
        path: path,
        entry: name(at: index),
        reason: "it is larger than \(Self.maximumImageSize >> 20) MiB"
      )
    }
    return ImageTextItem(picture: .encoded(value.withBytes { Array($0) }))
  }
}
