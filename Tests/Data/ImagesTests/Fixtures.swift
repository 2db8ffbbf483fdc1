import BasicAlgorithms
import Files
import Foundation
import Images
import Text

/// Files under Fixtures/, made by Fixtures/make-fixtures.py.
enum Fixtures {
  static let folder = URL(filePath: #filePath).deletingLastPathComponent()
    .appending(path: "Fixtures")

  static func path(_ name: String) -> String { folder.appending(path: name).path }

  static func bytes(_ name: String) throws -> [UInt8] {
    [UInt8](try Data(contentsOf: folder.appending(path: name)))
  }

  static func image(_ name: String) throws -> RGBImage {
    try RGBImage(decoding: bytes(name))
  }
}

/// The 64-bit FNV-1a hash, as make-fixtures.py writes it.
func fnv1a(_ bytes: [UInt8]) -> String {
  zeroPadded(FNV.hash(bytes), to: 16, radix: 16)
}

/// Where two pictures differ, in a sentence; nil when they are equal.
func difference(_ actual: RGBImage, _ expected: RGBImage) -> String? {
  if actual == expected { return nil }
  guard actual.width == expected.width, actual.height == expected.height else {
    return "\(actual.width)×\(actual.height), expected \(expected.width)×\(expected.height)"
  }
  var differing = 0
  var worst = (index: 0, distance: 0)
  for index in actual.pixels.indices {
    let distance = abs(Int(actual.pixels[index]) - Int(expected.pixels[index]))
    if distance > 0 { differing += 1 }
    if distance > worst.distance { worst = (index, distance) }
  }
  let pixel = worst.index / 3
  return "\(differing) bytes differ, worst by \(worst.distance) at "
    + "(\(pixel % actual.width), \(pixel / actual.width))"
}
