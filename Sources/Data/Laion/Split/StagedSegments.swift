import Files
import Glibc
import Synchronization

/// Images one after another in a few files that are used again and again.
///
/// For outputs that copy the images into an archive: a file for each would be made and removed a moment later,
/// which costs more than fetching a small image.
final class StagedSegments: ImageStaging {
  /// A file that is filled from its start to the end, and again when all its images are given up.
  fileprivate struct Segment {
    let descriptor: Int32
    let path: String
    var end = 0
    var images = 0
  }

  fileprivate struct Place {
    let segment: Int
    let start: Int
    let count: Int
  }

  fileprivate struct State {
    /// By their numbers.
    var segments: [Int: Segment] = [:]
    var places: [Int: Place] = [:]
    /// The segment that is being filled.
    var current: Int?
    /// Segments without images.
    var empty: [Int] = []
    var made = 0
  }

  /// The size beyond which a segment takes no more images.
  static let segmentBytes = 16 << 20
  /// The empty segments that are kept; others are removed, which frees the disk after a slow row.
  static let mostEmpty = 2

  private let folder: SplitFolder
  private let state = Mutex(State())

  init(_ folder: SplitFolder) { self.folder = folder }

  deinit {
    for segment in state.withLock({ $0.segments }).values { close(segment.descriptor) }
  }

  /// Segments that exist.
  var segmentCount: Int { state.withLock { $0.segments.count } }

  func write(_ image: [UInt8], row: Int) throws(FileError) {
    discard(row: row)
    let (segment, start) = try place(image.count, row)
    do throws(FileError) {
      try writeAll(image, to: segment.descriptor, from: start, path: segment.path)
    } catch {
      discard(row: row)
      throw error
    }
  }

  /// The image of a row.
  ///
  /// - Throws: `FileError` if it cannot be read as it was written.
  func read(row: Int) throws(FileError) -> [UInt8] {
    let found = state.withLock { state in
      state.places[row].flatMap { place in state.segments[place.segment].map { ($0, place) } }
    }
    guard let (segment, place) = found else {
      let reason = "the image of row \(row) was not staged"
      throw FileError("read", path: folder.path, reason: reason)
    }
    let image = try readAll(
      place.count,
      of: segment.descriptor,
      from: place.start,
      path: segment.path
    )
    if image.count < place.count {
      throw FileError("read", path: segment.path, reason: "it became shorter meanwhile")
    }
    return image
  }

  func discard(row: Int) {
    state.withLock { state in
      guard let place = state.places.removeValue(forKey: row),
        var segment = state.segments[place.segment]
      else { return }
      segment.images -= 1
      if segment.images == 0 { segment.end = 0 }
      state.segments[place.segment] = segment
      if segment.images == 0, place.segment != state.current { state.release(place.segment) }
    }
  }

  /// Takes room for an image of so many bytes.
  private func place(_ count: Int, _ row: Int) throws(FileError) -> (Segment, start: Int) {
    try state.withLock { state in
      Result { () throws(FileError) in
        let number = try segment(for: count, &state)
        guard var segment = state.segments[number] else {
          throw FileError("write", path: folder.path, reason: "staging has lost a segment")
        }
        let start = segment.end
        segment.end += count
        segment.images += 1
        state.segments[number] = segment
        state.places[row] = Place(segment: number, start: start, count: count)
        return (segment, start)
      }
    }.get()
  }

  /// The current segment if it has room for an image of so many bytes or is empty, else the next.
  private func segment(for count: Int, _ state: inout State) throws(FileError) -> Int {
    guard let number = state.current, let current = state.segments[number],
      current.end == 0 || current.end + count <= Self.segmentBytes
    else { return try next(&state) }
    return number
  }

  /// An empty segment, from now on the one that is filled.
  private func next(_ state: inout State) throws(FileError) -> Int {
    if let empty = state.empty.popLast() {
      state.current = empty
      return empty
    }
    let path = folder.stagedSegment(state.made)
    let descriptor = try RegularFile.open(path, O_RDWR | O_CREAT | O_TRUNC, to: "create")
    state.segments[state.made] = Segment(descriptor: descriptor, path: path)
    state.current = state.made
    state.made += 1
    return state.made - 1
  }
}

extension StagedSegments.State {
  /// Keeps a segment without images for later, or removes it.
  fileprivate mutating func release(_ number: Int) {
    if empty.count < StagedSegments.mostEmpty { return empty.append(number) }
    guard let segment = segments.removeValue(forKey: number) else { return }
    close(segment.descriptor)
    unlink(segment.path)
  }
}
