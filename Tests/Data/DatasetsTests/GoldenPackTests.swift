import Foundation
import Images
import TestSupport
import Testing

@testable import Datasets

/// What the official `dataset_tool.py` made of the same folder: `dataset/` among the goldens.
@Suite struct GoldenPackTests {
  private struct Info: Decodable { var captions: [String: String] }

  private static let goldens = Repository.goldens

  private func path(_ name: String) -> String {
    Self.goldens.appending(path: "dataset/\(name)").path
  }

  @Test func `names, pixels and the structure of captions equal the original's`() throws {
    let folder = try TemporaryFolder()
    var options = Packer.Options(side: 64)
    options.crop = .center
    options.writesLafiteJSON = true
    let report = try Packer(options).pack(
      ImageTextSources.open(path("source")),
      to: folder.file("ours.zip"),
      extractor: HashExtractor()
    )
    #expect(report.dropped == [])
    // A copy: opening the original's leaves an index beside it.
    try FileManager.default.copyItem(
      atPath: path("shapes64.zip"),
      toPath: folder.file("theirs.zip")
    )
    let theirs = try PackedDataset(folder.file("theirs.zip"))
    let ours = try PackedDataset(folder.file("ours.zip"))
    let info = try JSONDecoder().decode(
      Info.self,
      from: Data(contentsOf: URL(filePath: path("shapes64_info.json")))
    )
    let captions = info.captions.sorted { $0.key < $1.key }.map(\.value)
    try #require(ours.count == theirs.count && ours.count == captions.count)
    for index in 0..<ours.count {
      #expect(ours.name(at: index) == theirs.name(at: index))
      #expect(try ours.image(at: index) == theirs.image(at: index))
      #expect(ours.textFeatureCount(at: index) == theirs.textFeatureCount(at: index))
      let lines = captions[index].split(separator: "\n").map(String.init)
      #expect(try ours.captions(at: index) == lines)
    }
  }
}
