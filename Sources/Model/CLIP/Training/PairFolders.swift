import Datasets
import Images
import Text

/// Folders of image–caption pairs, read into memory at one size: what a small CLIP trains on.
package enum PairFolders {
  /// Reads every pair that can be read; the rest is counted.
  package static func pairs(_ paths: [String], side: Int) throws -> (pairs: CLIPPairs, dropped: Int)
  {
    var pixels: [UInt8] = []
    var captions: [[String]] = []
    var dropped = 0
    for path in paths {
      let folder = try ImageTextFolder(path)
      for index in 0..<folder.count {
        guard let item = try? folder.item(at: index), !item.captions.isEmpty,
          let image = try? item.image()
        else {
          dropped += 1
          continue
        }
        pixels += image.centerCropped().resized(width: side, height: side).pixels
        captions.append(item.captions)
      }
    }
    return (CLIPPairs(pixels: pixels, resolution: side, captions: captions), dropped)
  }
}

extension CLIPPairs {
  /// The pictures that have a caption in Japanese (or in another language), with their first such.
  package func inJapanese(_ japanese: Bool) -> CLIPPairs? {
    let size = resolution * resolution * 3
    var pixels: [UInt8] = []
    var chosen: [[String]] = []
    for (index, own) in captions.enumerated() {
      guard let caption = own.first(where: { isJapanese($0) == japanese }) else { continue }
      pixels += self.pixels[index * size..<(index + 1) * size]
      chosen.append([caption])
    }
    if chosen.isEmpty { return nil }
    return CLIPPairs(pixels: pixels, resolution: resolution, captions: chosen)
  }
}
