import Files
import Foundation
import Glibc
import Images

/// Writes many small images as one folder that appears when it is complete.
///
/// Flushing every file by itself would take most of a minute on an ordinary disk; here the system
/// is asked once to write everything out, and the rename of the folder is what makes the images exist.
enum DemoImages {
  /// Writes every image as an RGB PNG file on white, `folder/NAME.png`.
  ///
  /// A folder with just these files is kept as it is: it was complete when it got its name.
  static func write(_ pictures: [DemoPicture], to folder: String) throws(DemoError) {
    let manager = FileManager.default
    let present: [String]
    do { present = try listFolder(ifThere: folder) } catch { throw .file(error) }
    if Set(present) == Set(pictures.map { $0.name + ".png" }) { return }
    let partial = "\(folder).\(getpid())-\(UInt32.random(in: 0 ... .max)).partial"
    try makeFolder(partial)
    defer { try? manager.removeItem(atPath: partial) }
    for picture in pictures {
      let bytes = try encoded(picture)
      let path = "\(partial)/\(picture.name).png"
      do { try ScratchFile.write(bytes, to: path) } catch { throw .file(error) }
    }
    do { try ScratchFile.flushFileSystem(of: partial) } catch { throw .file(error) }
    try? manager.removeItem(atPath: folder)
    if rename(partial, folder) != 0 { throw .file(FileError("rename to", path: folder)) }
  }

  /// Makes a folder and those above it.
  static func makeFolder(_ path: String) throws(DemoError) {
    do { try Files.makeFolder(path) } catch { throw .file(error) }
  }

  private static func encoded(_ picture: DemoPicture) throws(DemoError) -> [UInt8] {
    let image = try picture.image()
    do throws(ImageError) { return try image.encodedPNG() } catch { throw .image(error) }
  }
}
