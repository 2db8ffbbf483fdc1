import Files
import Foundation
import TestSupport
import Testing

@testable import Laion

@Suite struct StagedSegmentsTests {
  private func staged(in path: String) throws -> StagedSegments {
    let folder = SplitFolder(path: path, format: .original)
    try folder.create()
    return StagedSegments(folder)
  }

  private func files(in path: String) throws -> Int {
    try FileManager.default.contentsOfDirectory(atPath: path + "/.staged").count
  }

  /// Bytes that tell their row at both ends.
  private func image(_ row: Int, _ count: Int) -> [UInt8] {
    var image = [UInt8](repeating: UInt8(truncatingIfNeeded: row), count: count)
    image[0] = UInt8(truncatingIfNeeded: row >> 8)
    image[count - 1] ^= UInt8(truncatingIfNeeded: row >> 8)
    return image
  }

  @Test func `images come back by their rows, written and given up by many threads at once`()
    async throws
  {
    try await withTemporaryFolder { path in
      let staged = try staged(in: path)
      try await withThrowingTaskGroup(of: Void.self) { group in
        for task in 0..<8 {
          group.addTask {
            for row in stride(from: task, to: 1600, by: 8) {
              let size = 1 + row * 7919 % 90_000
              try staged.write(image(row, size), row: row)
              if row % 3 == 0 { staged.discard(row: row) }
            }
          }
        }
        try await group.waitForAll()
      }
      for row in (0..<1600).shuffled() where row % 3 != 0 {
        #expect(try staged.read(row: row) == image(row, 1 + row * 7919 % 90_000))
      }
      #expect(throws: FileError.self) { try staged.read(row: 3) }
    }
  }

  @Test func `a file is used again when its images are given up`() throws {
    try withTemporaryFolder { path in
      let staged = try staged(in: path)
      // As a download does: 50 images wait at most, of 500 with 250 MB in all.
      let large = image(0, 1 << 19)
      for row in 0..<500 {
        try staged.write(large, row: row)
        if row >= 50 { staged.discard(row: row - 50) }
      }
      #expect(try staged.read(row: 470) == large)
      // 25 MB are in two or three segments, one of them in part given up.
      #expect(staged.segmentCount <= 3 + StagedSegments.mostEmpty)
      #expect(try files(in: path) == staged.segmentCount)
    }
  }

  @Test func `the disk is given back after a slow row`() throws {
    try withTemporaryFolder { path in
      let staged = try staged(in: path)
      let half = StagedSegments.segmentBytes / 2 + 1
      for row in 0..<9 { try staged.write(image(row, half), row: row) }
      #expect(try files(in: path) == 9)
      for row in 0..<9 { staged.discard(row: row) }
      // The one that is being filled, and the empty ones that are kept.
      #expect(try files(in: path) == 1 + StagedSegments.mostEmpty)
      try staged.write([1, 2, 3], row: 9)
      #expect(try staged.read(row: 9) == [1, 2, 3])
    }
  }

  @Test func `a row's second image replaces its first`() throws {
    try withTemporaryFolder { path in
      let staged = try staged(in: path)
      try staged.write([1, 2, 3], row: 5)
      try staged.write([4], row: 5)
      #expect(try staged.read(row: 5) == [4])
    }
  }

  @Test func `an image larger than a segment has one of its own`() throws {
    try withTemporaryFolder { path in
      let staged = try staged(in: path)
      let large = image(1, StagedSegments.segmentBytes + 1)
      try staged.write([9], row: 0)
      try staged.write(large, row: 1)
      try staged.write([8], row: 2)
      #expect(try staged.read(row: 1) == large)
      #expect(try staged.read(row: 0) == [9] && staged.read(row: 2) == [8])
    }
  }

  @Test func `a file that somebody cut is an error, not a wrong image`() throws {
    try withTemporaryFolder { path in
      let staged = try staged(in: path)
      try staged.write([1, 2, 3], row: 0)
      try RegularFile.cut("\(path)/.staged/0.images", to: 2)
      #expect(throws: FileError.self) { try staged.read(row: 0) }
    }
  }

  @Test func `a folder that takes no files is an error that names it`() throws {
    try withTemporaryFolder { path in
      let staged = try staged(in: path)
      try FileManager.default.removeItem(atPath: path + "/.staged")
      let error = #expect(throws: FileError.self) { try staged.write([1], row: 0) }
      #expect(error?.path.hasSuffix(".staged/0.images") == true)
      #expect(throws: FileError.self) { try staged.read(row: 0) }
    }
  }
}
