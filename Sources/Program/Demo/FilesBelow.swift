import Files
import Foundation

/// Paths of all files in a folder and those inside it, relative to it, sorted folder by folder.
///
/// - Throws: `DemoError` when a folder cannot be read.
func filesBelow(_ root: String, _ path: String = "") throws(DemoError) -> [String] {
  let names: [String]
  do { names = try listFolder(path.isEmpty ? root : "\(root)/\(path)") } catch {
    throw .file(error)
  }
  var files: [String] = []
  for name in names.sorted() {
    let relative = path.isEmpty ? name : "\(path)/\(name)"
    var isFolder: ObjCBool = false
    guard FileManager.default.fileExists(atPath: "\(root)/\(relative)", isDirectory: &isFolder)
    else { continue }
    if isFolder.boolValue {
      files += try filesBelow(root, relative)
    } else {
      files.append(relative)
    }
  }
  return files
}
