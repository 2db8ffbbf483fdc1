import Files
import Foundation
import Glibc

/// A tar archive of samples as WebDataset writes them: `0001.jpg`, `0001.txt`, `0001.cls`.
///
/// Captions are the lines of `.txt`, the label is the number in `.cls`. Order: by name, byte by byte.
/// The archive is mapped, not compressed.
struct ImageTextTar: ImageTextSource {
  private let path: String
  private let data: MappedBytes
  private let members: [String: Range<Int>]
  private let images: [String]

  /// Lists a tar archive.
  init(_ path: String) throws(DatasetError) {
    self.path = path
    data = try Self.map(path)
    do throws(Inflater.Damage) {
      members = try Self.list(MappedStream(data), size: data.count)
    } catch {
      throw .damaged(path: path, entry: "the archive", reason: error.reason)
    }
    images = members.keys.filter { !FileNames.isHidden($0) && FileNames.isImage($0) }
      .sorted(by: FileNames.precedes)
    guard !images.isEmpty else { throw .noImages(path: path) }
  }

  var count: Int { images.count }

  var summary: String { "tar " + URL(filePath: path).lastPathComponent }

  var identity: String { FileStamp.of(path) }

  func name(at index: Int) -> String { images[index] }

  func item(at index: Int) throws(DatasetError) -> ImageTextItem {
    let name = images[index]
    let stem = String(name.dropLast(FileNames.suffix(of: name).count))
    let label = contents(stem + "cls").flatMap {
      Int(String(decoding: $0, as: UTF8.self).trimmingCharacters(in: .whitespacesAndNewlines))
    }
    return ImageTextItem(
      picture: .encoded(contents(name) ?? []),
      text: contents(stem + "txt"),
      label: label.map { .index($0) }
    )
  }

  private func contents(_ name: String) -> [UInt8]? {
    members[name].map { range in data.withBytes { Array($0[range]) } }
  }

  private static func list(
    _ stream: MappedStream,
    size: Int
  ) throws(Inflater.Damage) -> [String: Range<Int>] {
    var members: [String: Range<Int>] = [:]
    var reader = TarReader(stream)
    while let member = try reader.member() {
      guard member.size <= size - member.start else {
        throw Inflater.Damage(reason: "\(member.name) reaches beyond its end")
      }
      members[member.name] = member.start..<member.start + member.size
    }
    return members
  }

  static func map(_ path: String) throws(DatasetError) -> MappedBytes {
    do throws(FileError) {
      let file = try MappedFile(path)
      return MappedBytes(file.bytes, owner: file)
    } catch {
      throw error.code == ENOENT ? .missing(path: path) : .file(error)
    }
  }
}
