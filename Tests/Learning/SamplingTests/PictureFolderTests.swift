import Foundation
import Images
import TestSupport
import Testing

@testable import Sampling

@Suite("Folders of pictures")
struct PictureFolderTests {
  private let folder: TemporaryFolder

  init() throws { folder = try TemporaryFolder() }

  private let image = RGBImage(width: 2, height: 2, pixels: [UInt8](repeating: 9, count: 12))

  @Test(arguments: [
    ("Red Heart!", "red-heart"), ("  a // b ", "a-b"), ("赤いハート", "赤いハート"), ("", ""),
    ("../../etc/passwd", "etc-passwd"), ("…", ""), ("a\u{0}b\nc", "a-b-c"),
    (String(repeating: "x", count: 60), String(repeating: "x", count: 40)),
  ])
  func `a text becomes part of a name`(text: String, expected: String) {
    #expect(PictureFolder.slug(text) == expected)
  }

  @Test func `no name is longer than a file system takes`() {
    let text = String(repeating: "👨‍👩‍👧‍👦漢字", count: 100)
    #expect(PictureFolder.slug(text).utf8.count <= 120)
  }

  @Test func `texts that begin alike do not replace each other, even when overwriting`() throws {
    let rows = (0..<3).map { _ in
      PictureFolder.Row(caption: "a cat", origins: ["seed0000"], images: [image])
    }
    for _ in 0..<2 {
      _ = try PictureFolder(path: folder.path, overwrites: true).write(rows, subtitle: "")
    }
    #expect(
      folder.contents == [
        "seed0000-a-cat-2.png", "seed0000-a-cat-3.png", "seed0000-a-cat.png", "sheet.png",
      ]
    )
  }

  @Test func `the pictures of a sheet are painted when the sheet before is written`() throws {
    let columns = PictureFolder.columnsOfSheet
    let (folder, image) = (folder, image)
    let rows = ["a", "b"].map { text in
      PictureFolder.Row(
        caption: text,
        count: 2 * columns,
        origin: { PictureFolder.origin(seed: UInt64($0)) },
        paint: { index in
          let contents = folder.contents
          #expect(contents.contains("sheet-1-of-2.png") == (index >= columns), "\(index)")
          #expect(!contents.contains("sheet-2-of-2.png"))
          return image
        }
      )
    }
    let sheets = try PictureFolder(path: folder.path).write(rows, subtitle: "")
    #expect(sheets == ["sheet-1-of-2.png", "sheet-2-of-2.png"])
    #expect(folder.contents.count == 4 * columns + 2)
  }

  @Test func `pictures are written though a sheet of them cannot be`() throws {
    try folder.write([], to: "sheet-1-of-2.png/in the way")
    let rows = (0...PictureFolder.rowsOfSheet).map {
      PictureFolder.Row(caption: "\($0)", origins: ["seed0000"], images: [image])
    }
    let error = #expect(throws: (any Error).self) {
      try PictureFolder(path: folder.path, overwrites: true).write(rows, subtitle: "")
    }
    #expect("\(try #require(error))".contains("sheet-1-of-2.png"))
    #expect(folder.contents.count { $0.hasPrefix("seed0000-") } == rows.count)
    #expect(folder.contents.contains("sheet-2-of-2.png"))
  }

  @Test func `many texts go onto several sheets`() throws {
    let rows = (0..<PictureFolder.rowsOfSheet + 1).map {
      PictureFolder.Row(caption: "\($0)", origins: ["seed0000"], images: [image])
    }
    let sheets = try PictureFolder(path: folder.path).write(rows, subtitle: "")
    #expect(sheets == ["sheet-1-of-2.png", "sheet-2-of-2.png"])
    let heights = try sheets.map { try RGBImage(contentsOf: folder.file($0)).height }
    #expect(heights[0] > heights[1])
  }

  @Test func `many seeds go onto several sheets, beside as many texts as there are`() throws {
    let count = PictureFolder.columnsOfSheet + 1
    let rows = ["a", "b"].map { text in
      PictureFolder.Row(
        caption: text,
        origins: (0..<count).map { PictureFolder.origin(seed: UInt64($0)) },
        images: .init(repeating: image, count: count)
      )
    }
    let sheets = try PictureFolder(path: folder.path).write(rows, subtitle: "")
    #expect(sheets == ["sheet-1-of-2.png", "sheet-2-of-2.png"])
    let sizes = try sheets.map { try RGBImage(contentsOf: folder.file($0)) }
    #expect(sizes[0].width > sizes[1].width && sizes[0].height == sizes[1].height)
  }

  @Test func `rows of several lengths fill the sheets that they reach`() throws {
    let counts = [1, PictureFolder.columnsOfSheet * 2 + 1]
    let rows = counts.map { count in
      PictureFolder.Row(
        caption: "\(count)",
        origins: (0..<count).map { PictureFolder.origin(seed: UInt64($0)) },
        images: .init(repeating: image, count: count)
      )
    }
    let sheets = try PictureFolder(path: folder.path).write(rows, subtitle: "")
    #expect(sheets.count == 3)
    let heights = try sheets.map { try RGBImage(contentsOf: folder.file($0)).height }
    #expect(heights[0] > heights[1] && heights[1] == heights[2])
  }

  @Test func `no sheet has more than 16,384 pixels a side`() throws {
    let columns = [RGBImage](repeating: image, count: PictureFolder.columnsOfSheet)
    let wide = CaptionedSheet(
      title: "",
      rows: [.init(caption: String(repeating: "m", count: 80), samples: columns)]
    )
    let rows = (0..<PictureFolder.rowsOfSheet).map {
      CaptionedSheet.Row(caption: "\($0)", samples: [image])
    }
    let high = CaptionedSheet(title: "", rows: rows)
    #expect(try wide.rendered().width <= 16_384 && high.rendered().height <= 16_384)
  }
}

extension PictureFolder.Row {
  /// A row of pictures that are there already.
  fileprivate init(caption: String, origins: [String], images: [RGBImage]) {
    self.init(
      caption: caption,
      count: images.count,
      origin: { origins[$0] },
      paint: { images[$0] }
    )
  }
}
