import Archives
import Files
import Glibc

/// Lists the files of a folder recursively, with their names as bytes.
enum FolderScan {
  /// The files, and the folders that cannot be read.
  ///
  /// Links to files count as files; links to folders are not followed, so there are no loops, and listed as
  /// unread. Hidden folders are skipped.
  ///
  /// - Parameter root: The folder; may be a link.
  /// - Returns: Names relative to the folder, in no order.
  static func files(in root: String) -> (files: [FileName], unread: [PackReport.Dropped]) {
    var (files, unread): ([FileName], [PackReport.Dropped]) = ([], [])
    var folders: [FileName] = [FileName([])]
    while let folder = folders.popLast() {
      guard let stream = opendir(path(folder, in: root)) else {
        let reason = FileError("open folder", path: folder.text).reason
        unread.append(.init(name: folder.text + "/", cause: .unreadable, reason: reason))
        continue
      }
      defer { closedir(stream) }
      while true {
        errno = 0
        guard let entry = readdir(stream) else { break }
        let name = withUnsafeBytes(of: &entry.pointee.d_name) { Array($0.prefix { $0 != 0 }) }
        if name == Array(".".utf8) || name == Array("..".utf8) { continue }
        let relative = FileName(folder.bytes + [UInt8(ascii: "/")] + name)
        if relative.bytes.elementsEqual("__MACOSX".utf8) { continue }
        if isFolder(entry.pointee, relative, in: root) {
          if name.first != UInt8(ascii: ".") { folders.append(relative) }
        } else if isLinkToFolder(entry.pointee, relative, in: root) {
          let reason = "a link to a folder; give the folder it leads to as another source"
          unread.append(.init(name: relative.text + "/", cause: .linkedFolder, reason: reason))
        } else {
          files.append(relative)
        }
      }
      if errno != 0 {
        let reason = FileError("list folder", path: folder.text).reason
        unread.append(.init(name: folder.text + "/", cause: .unreadable, reason: reason))
      }
    }
    return (files, unread)
  }

  /// The path of a file for the system.
  static func path(_ name: FileName, in root: String) -> [CChar] {
    (Array(root.utf8) + [UInt8(ascii: "/")] + name.bytes + [0]).map { CChar(bitPattern: $0) }
  }

  private static func isLinkToFolder(
    _ entry: dirent,
    _ name: FileName,
    in root: String
  ) -> Bool {
    guard Int(entry.d_type) == Int(DT_LNK) || Int(entry.d_type) == Int(DT_UNKNOWN) else {
      return false
    }
    var status = stat()
    return stat(path(name, in: root), &status) == 0 && status.st_mode & S_IFMT == S_IFDIR
  }

  private static func isFolder(_ entry: dirent, _ name: FileName, in root: String) -> Bool {
    if Int(entry.d_type) != Int(DT_UNKNOWN) { return Int(entry.d_type) == Int(DT_DIR) }
    // Some file systems do not give the type.
    var status = stat()
    return lstat(path(name, in: root), &status) == 0 && status.st_mode & S_IFMT == S_IFDIR
  }
}
