import TestSupport
import Testing

@testable import Snapshots

@Suite("Names of snapshots")
struct SnapshotNameTests {
  @Test(
    arguments: [
      ("network-snapshot-000012.pkl", 12), ("runs/a.b/network-snapshot-010000.safetensors", 10_000),
      ("network-snapshot-1000000.pkl", 1_000_000), ("best7", 7),
      ("network-snapshot-000012.pkl.tmp", 12),
      ("model.safetensors", nil), ("", nil), ("a/", nil),
      ("network-snapshot-99999999999999999999.pkl", nil), ("snapshot-١٢.pkl", nil),
    ] as [(String, Int?)]
  )
  func `the digits before the extension are thousands of images`(path: String, kimg: Int?) {
    #expect(SnapshotName.kimg(of: path) == kimg)
  }

  @Test func `a folder's snapshots are listed oldest first, without unfinished ones`() throws {
    let folder = try TemporaryFolder()
    let names = [
      "network-snapshot-000010.pkl", "network-snapshot-000002.pkl",
      "network-snapshot-000011.pkl.tmp",
      "fakes000010.png",
    ]
    for name in names { try folder.write([], to: name) }
    #expect(
      try SnapshotName.list(in: folder.path) == [
        "network-snapshot-000002.pkl", "network-snapshot-000010.pkl",
      ]
    )
  }
}
