package import Files

extension ZipArchive {
  /// The bytes of an entry, without a copy.
  ///
  /// - Parameters:
  ///   - index: The entry.
  ///   - verifying: Whether to compare the checksum, which reads every byte once.
  /// - Returns: The bytes, in place.
  /// - Throws: `ArchiveError` when the entry is compressed, encrypted or damaged.
  package func bytes(at index: Int, verifying: Bool = true) throws(ArchiveError) -> MappedBytes {
    let entry = try checkedEntry(at: index)
    if entry.flags & 1 == 1 { throw unsupported(index, Self.encrypted) }
    if entry.method != 0 {
      throw unsupported(index, "it is compressed (method \(entry.method)); re-zip with zip -0")
    }
    let range = try dataRange(of: entry, at: index)
    let bytes = file.slice(range)
    if verifying, bytes.withBytes(CRC32.of) != entry.crc {
      throw damaged(index, "its checksum differs")
    }
    return bytes
  }

  /// The bytes of an entry, copied, decompressed where need be, and compared with its checksum.
  ///
  /// - Parameters:
  ///   - index: The entry.
  ///   - limit: An entry that states more bytes is refused before any are allocated.
  /// - Returns: The bytes, uncompressed.
  /// - Throws: `ArchiveError` when the entry is encrypted, too large or damaged.
  package func contents(at index: Int, limit: Int) throws(ArchiveError) -> [UInt8] {
    let entry = try checkedEntry(at: index)
    guard entry.size <= limit else {
      let most = limit >= 1 << 20 ? "\(limit >> 20) MiB" : "\(limit) bytes"
      throw unsupported(index, "it is larger than \(most)")
    }
    if entry.method == 0 { return try bytes(at: index).withBytes { Array($0) } }
    if entry.flags & 1 == 1 { throw unsupported(index, Self.encrypted) }
    guard entry.method == 8 else {
      throw unsupported(
        index,
        "its compression (method \(entry.method)) is not deflate; unpack it, or zip it again"
      )
    }
    let packed = file.slice(try dataRange(of: entry, at: index))
    do throws(Inflater.Damage) {
      let contents = try Inflater(packed, form: .raw).read(entry.size)
      guard contents.count == entry.size, contents.withUnsafeBytes(CRC32.of) == entry.crc else {
        throw Inflater.Damage(reason: "its checksum differs")
      }
      return contents
    } catch {
      throw damaged(index, error.reason)
    }
  }

  /// Compares the checksum of every entry and keeps little of the file in memory meanwhile.
  package func verifyChecksums() throws(ArchiveError) {
    var (start, read) = (0, 0)
    for index in 0..<count {
      let header = try checkedEntry(at: index).headerStart
      read += try bytes(at: index).withBytes { $0.count }
      // In an archive in the order of names all before this entry is done with.
      if read >= 64 << 20 {
        file.release(start..<max(start, header))
        (start, read) = (header, 0)
      }
    }
  }

  private static let encrypted = "it is encrypted; unpack it with its password, and pack the folder"

  private func dataRange(
    of entry: ZipDirectory.Entry,
    at index: Int
  ) throws(ArchiveError) -> Range<Int> {
    let name = nameBytes(at: index)
    do throws(ZipDirectory.Damage) {
      return try ZipDirectory.dataRange(
        of: entry,
        name: name,
        in: file.bytes,
        before: directory.lowerBound
      )
    } catch { throw damaged(index, error.reason) }
  }

  private func unsupported(_ index: Int, _ reason: String) -> ArchiveError {
    .unsupported(path: path, entry: name(at: index), reason: reason)
  }

  private func damaged(_ index: Int, _ reason: String) -> ArchiveError {
    .damaged(path: path, entry: name(at: index), reason: reason)
  }
}
