import Files
import Foundation
import TestSupport
import Testing

@testable import Datasets

@Suite("Journals of packing")
struct PackJournalTests {
  private let folder: TemporaryFolder
  private var path: String { folder.file("journal") }

  init() throws { folder = try TemporaryFolder() }

  private func state(_ items: Int, part size: Int = 0) -> PackJournal.State {
    var state = PackJournal.State()
    (state.itemsDone, state.imageCount, state.captionCount) = (items, items - 1, 2 * items)
    (state.featureDimension, state.resolution, state.unlabelledCount) = (512, 64, 1)
    state.sizes = ["archive.zip": size, "directory": 2 * size]
    return state
  }

  private func open(
    fingerprint: String = "same",
    limit: Int? = nil,
    isInPlace: (PackJournal.Finished) -> Bool = { _ in false },
    partSize: (String) -> Int = { _ in .max }
  ) throws -> PackJournal {
    try PackJournal(
      path,
      fingerprint: fingerprint,
      limit: limit,
      isInPlace: isInPlace,
      partSize: partSize
    )
  }

  private func write(_ states: [PackJournal.State]) throws {
    let journal = try open()
    for state in states { try journal.append(state) }
  }

  @Test func `a checkpoint comes back with every number`() throws {
    #expect(try open().state == nil)
    var last = state(30, part: 7)
    last.finished = .init(size: 99, inode: .max)
    try write([state(10), state(20), last])
    #expect(try open(isInPlace: { $0 == last.finished }).state == last)
  }

  @Test func `a line stays as earlier versions wrote it`() throws {
    try write([state(3, part: 5)])
    let json =
      #"{"captionCount":6,"featureDimension":512,"imageCount":2,"itemsDone":3,"resolution":64,"#
      + #""sizes":{"archive.zip":5,"directory":10},"unlabelledCount":1}"#
    let lines = ["nifty pack journal 1\tsame", json].map(RecordLog.Checksum.crc32.sealed)
    #expect(try bytes(of: path) == Array(lines.joined().utf8))
  }

  @Test func `a journal cut at any byte keeps its whole checkpoints, and goes on behind them`()
    throws
  {
    let states = [state(10, part: 1), state(20, part: 2), state(30, part: 3)]
    try write(states)
    let whole = try bytes(of: path)
    for length in 0...whole.count {
      try folder.write(Array(whole.prefix(length)), to: "journal")
      // The first line is the header.
      let kept = max(0, whole.prefix(length).count { $0 == 0x0A } - 1)
      let journal = try open()
      #expect(journal.state == (kept == 0 ? nil : states[kept - 1]), "\(length) bytes")
      for state in states.dropFirst(kept) { try journal.append(state) }
      #expect(try bytes(of: path) == whole, "\(length) bytes")
    }
  }

  @Test func `reading stops at a changed byte`() throws {
    let states = [state(10), state(20)]
    try write(states)
    let whole = try bytes(of: path)
    let first = try #require(whole.firstIndex(of: UInt8(ascii: "{")))
    var changed = whole
    changed[first + 1] ^= 1
    try folder.write(changed, to: "journal")
    #expect(try open().state == nil)
    changed = whole
    changed[changed.count - 3] ^= 1
    try folder.write(changed, to: "journal")
    #expect(try open().state == states[0])
  }

  @Test func `a checkpoint whose parts are not all there does not count, nor any behind it`() throws
  {
    let states = [state(10, part: 100), state(20, part: 200), state(30, part: 300)]
    let kept: [(size: Int, last: Int?)] = [
      (300, 2), (299, 1), (200, 1), (199, 0), (100, 0), (99, nil),
    ]
    for (size, expected) in kept {
      try? FileManager.default.removeItem(atPath: path)
      try write(states)
      let found = try open(partSize: { $0 == "directory" ? 2 * size : 1000 }).state
      #expect(found == expected.map { states[$0] }, "\(size) bytes")
    }
  }

  @Test func `checkpoints of more items than are asked for do not count`() throws {
    let states = [state(10), state(20), state(30)]
    for (limit, expected) in [(30, 2), (29, 1), (10, 0), (9, nil)] as [(Int, Int?)] {
      try? FileManager.default.removeItem(atPath: path)
      try write(states)
      #expect(try open(limit: limit).state == expected.map { states[$0] }, "at most \(limit)")
    }
  }

  @Test(arguments: [-1, 1 << 57, .max, .min]) func `reading stops at an impossible count`(
    number: Int
  ) throws {
    var (items, size, side) = (state(20), state(20), state(20))
    items.captionCount = number
    size.sizes["archive.zip"] = number
    side.resolution = number
    for odd in [items, size, side] {
      try? FileManager.default.removeItem(atPath: path)
      try write([state(10), odd])
      #expect(try open().state == state(10))
    }
  }

  @Test func `a finished dataset counts only where its archive has its final name`() throws {
    var finished = state(20, part: 200)
    finished.finished = .init(size: 1, inode: 2)
    try write([state(10, part: 100), finished])
    let other = try open(isInPlace: { $0.inode == 3 }, partSize: { _ in 1000 }).state
    #expect(other == state(10, part: 100))
    try write([finished])
    // Its parts are gone with the archive.
    #expect(try open(isInPlace: { $0.inode == 2 }, partSize: { _ in 0 }).state == finished)
  }

  @Test func `a journal of other settings is refused, and one that another process has open`()
    throws
  {
    try write([state(10)])
    let other = #expect(throws: DatasetError.self) { try open(fingerprint: "other") }
    #expect(
      other?.description.contains("\(folder.path) holds a dataset begun from another") == true
    )
    #expect(try open().state == state(10), "it is left as it was")
    let first = try open()
    let second = #expect(throws: DatasetError.self) { try open() }
    #expect(
      second?.description.contains("cannot pack into \(path): process \(getpid()) is using it")
        == true
    )
    withExtendedLifetime(first) {}
  }
}
