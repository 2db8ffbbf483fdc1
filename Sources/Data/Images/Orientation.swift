/// How a stored picture must be turned to stand upright (EXIF tag 0x0112).
package enum Orientation: Int, Sendable, CaseIterable {
  /// As it is.
  case upright = 1
  /// Exchange left and right.
  case mirrored = 2
  /// Turn by half.
  case upsideDown = 3
  /// Exchange top and bottom.
  case mirroredUpsideDown = 4
  /// Exchange rows and columns.
  case transposed = 5
  /// Turn right by a quarter: the camera was turned left.
  case turnedLeft = 6
  /// Exchange rows and columns along the other diagonal.
  case transversed = 7
  /// Turn left by a quarter: the camera was turned right.
  case turnedRight = 8

  /// What a file's EXIF data says.
  package enum Reading: Sendable, Equatable {
    /// Nothing: there is no such data, no such tag, or the orientation is not known (0).
    case unstated
    /// An orientation.
    case stated(Orientation)
    /// The data is damaged, or its value is none of 0 to 8.
    case damaged
  }

  /// Reads the orientation from the EXIF data of a JPEG, PNG or WebP.
  ///
  /// - Parameter bytes: The whole file; may be anything.
  /// - Returns: The orientation, if the data is there and whole.
  package static func reading(exifOf bytes: UnsafeRawBufferPointer) -> Reading {
    let exif =
      switch ImageFormat(detecting: bytes) {
      case .jpeg: Self.exifSegment(of: bytes)
      case .png: Self.chunk("eXIf", in: bytes, from: 8, isPNG: true)
      case .webp: Self.chunk("EXIF", in: bytes, from: 12, isPNG: false)
      // AVIF says it in its container.
      case .gif, .avif, nil: Slice<UnsafeRawBufferPointer>?.none
      }
    guard let exif else { return .unstated }
    let directory = TIFFDirectory(UnsafeRawBufferPointer(rebasing: withoutName(exif)))
    do throws(TIFFDirectory.Damage) {
      guard let value = try directory?.orientation() else {
        return directory == nil ? .damaged : .unstated
      }
      return value == 0 ? .unstated : Orientation(rawValue: value).map { .stated($0) } ?? .damaged
    } catch {
      return .damaged
    }
  }

  /// The orientation in the EXIF data of a JPEG, PNG or WebP; upright where none is stated.
  package init(exifOf bytes: UnsafeRawBufferPointer) {
    guard case .stated(let orientation) = Self.reading(exifOf: bytes) else {
      self = .upright
      return
    }
    self = orientation
  }

  /// Some programs put the name that JPEG needs before the structure in other files too.
  private static func withoutName(
    _ bytes: Slice<UnsafeRawBufferPointer>
  ) -> Slice<UnsafeRawBufferPointer> {
    let name = Array("Exif\0\0".utf8)
    return bytes.starts(with: name) ? bytes.dropFirst(name.count) : bytes
  }

  /// The data of the first chunk of this name: of a PNG, length, name, data and checksum, or of a
  /// WebP, name, length and data padded to an even offset.
  private static func chunk(
    _ name: String,
    in bytes: UnsafeRawBufferPointer,
    from start: Int,
    isPNG: Bool
  ) -> Slice<UnsafeRawBufferPointer>? {
    var position = start
    while bytes.count - position >= 8 {
      let digits = bytes[(position + (isPNG ? 0 : 4))..<(position + (isPNG ? 4 : 8))]
      let length =
        isPNG
        ? digits.reduce(0) { $0 << 8 | Int($1) } : digits.reversed().reduce(0) { $0 << 8 | Int($1) }
      guard length <= bytes.count - position - 8 else { return nil }
      let end = position + 8 + length
      if bytes[(position + (isPNG ? 4 : 0))...].starts(with: name.utf8) {
        return bytes[(position + 8)..<end]
      }
      position = end + (isPNG ? 4 : length % 2)
    }
    return nil
  }

  /// The TIFF structure inside the first EXIF segment: the markers before the image data, each with
  /// a big-endian length that includes its own two bytes.
  private static func exifSegment(
    of bytes: UnsafeRawBufferPointer
  ) -> Slice<UnsafeRawBufferPointer>? {
    guard bytes.starts(with: [0xff, 0xd8]) else { return nil }
    let name = Array("Exif\0\0".utf8)
    var position = 2
    while position + 4 <= bytes.count, bytes[position] == 0xff {
      let marker = bytes[position + 1]
      if marker == 0xff {
        position += 1
        continue
      }
      let length = Int(bytes[position + 2]) << 8 | Int(bytes[position + 3])
      let end = position + 2 + length
      if marker == 0xda || length < 2 || end > bytes.count { return nil }
      let body = bytes[(position + 4)..<end]
      if marker == 0xe1, body.starts(with: name) { return body }
      position = end
    }
    return nil
  }
}

/// The first directory of a TIFF structure.
private struct TIFFDirectory {
  private let bytes: UnsafeRawBufferPointer
  private let isLittleEndian: Bool

  init?(_ bytes: UnsafeRawBufferPointer) {
    self.bytes = bytes
    if bytes.starts(with: [0x49, 0x49, 0x2a, 0x00]) {
      isLittleEndian = true
    } else if bytes.starts(with: [0x4d, 0x4d, 0x00, 0x2a]) {
      isLittleEndian = false
    } else {
      return nil
    }
  }

  /// The value of tag 0x0112; `nil` if the directory lacks it.
  ///
  /// - Throws: `Damage` if the directory leads out of the bytes, or the tag is not one 16-bit number.
  func orientation() throws(Damage) -> Int? {
    let start = try integer(at: 4, bytes: 4)
    for index in 0..<(try integer(at: start, bytes: 2)) {
      let entry = start + 2 + index * 12
      guard try integer(at: entry, bytes: 2) == 0x0112 else { continue }
      guard try integer(at: entry + 2, bytes: 2) == 3 else { throw Damage() }
      return try integer(at: entry + 8, bytes: 2)
    }
    return nil
  }

  /// What leads out of the bytes.
  struct Damage: Error {}

  private func integer(at offset: Int, bytes count: Int) throws(Damage) -> Int {
    guard offset >= 0, offset + count <= bytes.count else { throw Damage() }
    let digits = bytes[offset..<offset + count]
    return isLittleEndian
      ? digits.reversed().reduce(0) { $0 << 8 | Int($1) }
      : digits.reduce(0) { $0 << 8 | Int($1) }
  }
}

extension RGBImage {
  /// The picture turned upright.
  package func turned(_ orientation: Orientation) -> RGBImage {
    switch orientation {
    case .upright: self
    case .mirrored: flipped()
    case .upsideDown: flipped().upsideDownRows()
    case .mirroredUpsideDown: upsideDownRows()
    case .transposed: transposed()
    case .turnedLeft: transposed().flipped()
    case .transversed: transposed().flipped().upsideDownRows()
    case .turnedRight: transposed().upsideDownRows()
    }
  }

  private func upsideDownRows() -> RGBImage {
    var result: [UInt8] = []
    result.reserveCapacity(pixels.count)
    let rowBytes = width * 3
    for y in stride(from: height - 1, through: 0, by: -1) {
      result += pixels[y * rowBytes..<(y + 1) * rowBytes]
    }
    return RGBImage(width: width, height: height, pixels: result)
  }

  private func transposed() -> RGBImage {
    var result: [UInt8] = []
    result.reserveCapacity(pixels.count)
    for x in 0..<width {
      for y in 0..<height {
        let index = (y * width + x) * 3
        result += pixels[index..<index + 3]
      }
    }
    return RGBImage(width: height, height: width, pixels: result)
  }
}
