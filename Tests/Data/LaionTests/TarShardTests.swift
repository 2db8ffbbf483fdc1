import Archives
import Files
import TestSupport
import Testing

@testable import Laion

@Suite struct TarShardTests {
  private func entry(_ name: String, _ bytes: [UInt8]) -> [UInt8] {
    bytes.withUnsafeBytes { Tar.entry(name, $0) }
  }

  private func shard(_ bytes: [UInt8], limit: Int = .max) -> TarShard {
    TarShard(MappedBytes(copying: bytes), limit: limit)
  }

  /// Two pairs, of 2560 bytes with the first's image of 513.
  private var pairs: [UInt8] {
    entry("000000000.png", [UInt8](repeating: 1, count: 513))
      + entry("000000000.txt", Array("one".utf8)) + entry("000000001.png", [])
  }

  @Test func `a shard lists its members where they lie`() {
    let whole = pairs + Tar.end
    let shard = shard(whole)
    #expect(shard.members.map(\.name) == ["000000000.png", "000000000.txt", "000000001.png"])
    #expect(shard.members.map(\.content) == [512..<1025, 2048..<2051, 3072..<3072])
    #expect(shard.isFinished && shard.end == pairs.count)
    #expect(Array(whole[shard.members[1].content]) == Array("one".utf8))
  }

  @Test func `a shard cut at any byte has its whole members and is not finished`() {
    let whole = pairs + Tar.end
    let ends = [1536, 2560, 3072]
    for length in 0..<whole.count {
      let shard = shard(Array(whole[..<length]))
      #expect(shard.members.count == ends.count { $0 <= length }, "\(length) bytes")
      #expect(shard.end == ends.last { $0 <= length } ?? 0, "\(length) bytes")
      #expect(!shard.isFinished, "\(length) bytes")
    }
  }

  @Test func `the end of the first members is where a shard is cut back to`() {
    #expect(shard(pairs + Tar.end, limit: 2).end == 2560)
    #expect(shard(pairs + Tar.end, limit: 0).end == 0)
  }

  @Test func `an entry that nifty does not write ends the list`() {
    let link = Tar.header("000000002.png", size: 0, type: "2")
    #expect(shard(pairs + link + Tar.end).members.count == 3)
    #expect(!shard(pairs + link + Tar.end).isFinished)
    #expect(!shard(pairs + Tar.end + pairs).isFinished)
    #expect(!shard(pairs + Tar.end + Tar.end).isFinished)
    #expect(!shard(pairs + Tar.end.dropLast() + [1]).isFinished)
  }

  @Test func `a changed byte of a header is noticed`() {
    let whole = pairs + Tar.end
    // What stands behind the zero that ends the checksum says nothing.
    for offset in 1536..<2048 where offset != 1536 + 155 {
      var bytes = whole
      bytes[offset] ^= 0x15
      #expect(shard(bytes).members.count == 1, "byte \(offset)")
      #expect(!shard(bytes).isFinished, "byte \(offset)")
    }
  }
}
