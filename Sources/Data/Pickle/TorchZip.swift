import Archives
import Files

/// The zip that `torch.save` writes: stored entries, all below one folder, whatever its name.
///
/// Checksums are not compared: that would read every byte of files of gigabytes before its use.
struct TorchZip {
  private let zip: ZipArchive
  /// The folder, with its slash; empty where the entries lie in none.
  private let prefix: [UInt8]

  /// Reads the directory and finds the folder by its `data.pkl`.
  init(_ buffer: MappedBytes) throws(PickleError) {
    do throws(ArchiveError) {
      zip = try ZipArchive(buffer, path: "the torch file", repeatedNames: .lastCounts)
    } catch {
      throw .archive(reason: error.reason)
    }
    let end = Array("data.pkl".utf8)
    let found = zip.firstIndex { name in
      name.count >= end.count && name.suffix(end.count).elementsEqual(end)
        && (name.count == end.count || name[name.count - end.count - 1] == UInt8(ascii: "/"))
    }
    guard let found else {
      throw .content(reason: "a zip file that is not of torch.save: data.pkl is missing")
    }
    prefix = Array(zip.nameBytes(at: found).dropLast(end.count))
  }

  /// Whether there is an entry of this name in the folder.
  func contains(_ name: String) -> Bool { index(of: name) != nil }

  /// The bytes of an entry of the folder, where they lie.
  subscript(name: String) -> MappedBytes {
    get throws(PickleError) {
      guard let index = index(of: name) else {
        throw .content(reason: "the zip file has no entry '\(name)'")
      }
      guard zip.isStored(index) else {
        throw .content(reason: "the entry '\(name)' is compressed, which torch never does")
      }
      do throws(ArchiveError) {
        return try zip.bytes(at: index, verifying: false)
      } catch {
        throw .archive(reason: "the entry '\(name)': \(error.reason)")
      }
    }
  }

  private func index(of name: String) -> Int? {
    (prefix + Array(name.utf8)).withUnsafeBytes { zip.index(ofName: $0) }
  }
}
