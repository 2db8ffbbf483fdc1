import Foundation
import Glibc
import Images
import Testing

@Suite struct SheetTests {
  private let red = RGBImage(width: 16, height: 16, filledWith: Color(220, 0, 0))
  private let blue = RGBImage(width: 16, height: 16, filledWith: Color(0, 0, 220))

  @Test func `a sheet for which there is no memory is refused in one line`() async {
    await #expect(processExitsWith: .success) {
      let rows = (0..<50).map { _ in
        let image = RGBImage(width: 1, height: 1, filledWith: .black)
        return CaptionedSheet.Row(caption: "a", samples: .init(repeating: image, count: 40))
      }
      // Fonts and all else that stays.
      _ = try CaptionedSheet(title: "t", rows: [rows[0]]).rendered(scale: 1)
      try limitMemory(to: 100 << 20)
      let error = #expect(throws: ImageError.self) {
        try CaptionedSheet(title: "t", rows: rows).rendered()
      }
      #expect(error?.description.hasPrefix("no memory for a drawing of ") == true)
    }
  }

  @Test func `a part of a drawing for which there is no memory is not left out`() async {
    await #expect(processExitsWith: .success) {
      var canvas = try Canvas(width: 6000, height: 6000, scale: 1)
      // Filling takes four bytes a pixel.
      try limitMemory(to: 100 << 20)
      canvas.fill(Rectangle(x: 0, y: 0, width: 6000, height: 6000), .black)
      #expect(throws: ImageError.cannotDraw(width: 6000, height: 6000)) { try canvas.finished() }
    }
  }

  @Test func `a contact sheet for which there is no memory is refused in one line`() async {
    await #expect(processExitsWith: .success) {
      let tiles = [RGBImage](
        repeating: RGBImage(width: 1000, height: 1000, filledWith: .black),
        count: 64
      )
      try limitMemory(to: 100 << 20)
      #expect(throws: ImageError.cannotDraw(width: 8000, height: 8000)) {
        try ImageGrid(columns: 8).image(of: tiles)
      }
    }
  }

  @Test(arguments: ["png", "jpeg", "webp"])
  func `an image for whose pixels there is no memory is an error of its file`(
    format: String
  ) async {
    await #expect(processExitsWith: .success) { [format] in
      let image = RGBImage(width: 6000, height: 6000, filledWith: Color(9, 90, 200))
      let file =
        switch format {
        case "png": try image.encodedPNG()
        case "jpeg": try image.encodedJPEG(quality: 50)
        default: try image.encodedWebP(quality: 50)
        }
      try limitMemory(to: 60 << 20)
      let error = #expect(throws: ImageError.outOfMemory) { try RGBImage(decoding: file) }
      #expect(error?.description.contains("threads") == true)
    }
  }

  @Test func `a reduced picture is shown as the whole one`() throws {
    let pixels = (0..<500 * 400 * 3).map { UInt8(truncatingIfNeeded: $0 * $0 / 900) }
    let picture = RGBImage(width: 500, height: 400, pixels: pixels)
    let reduced = CaptionedSheet.tile(picture)
    #expect(reduced.width == 192 && reduced.height == 192)
    let sheets = try [picture, reduced].map {
      try CaptionedSheet(title: "t", rows: [.init(caption: "a", samples: [$0])]).rendered()
    }
    #expect(sheets[0] == sheets[1])
    let small = RGBImage(width: 32, height: 32, filledWith: .black)
    #expect(CaptionedSheet.tile(small) == small)
  }

  @Test func `every row has its caption and its pictures in columns`() throws {
    let sheet = CaptionedSheet(
      title: "Text to image",
      subtitle: "after 40 kimg",
      rows: [
        .init(caption: "fire engine", real: red, samples: [blue, blue, blue]),
        .init(caption: "消防車", real: red, samples: [blue, blue, blue]),
      ],
      tileSide: 40
    )
    let image = try sheet.rendered(scale: 1)
    let reds = runs(of: Color(220, 0, 0), in: image)
    let blues = runs(of: Color(0, 0, 220), in: image)
    #expect(reds.columns.count == 1 && reds.rows.count == 2)
    #expect(blues.columns.count == 3 && blues.rows == reds.rows)
    for column in reds.columns + blues.columns { #expect(column.count == 40) }
    for row in reds.rows { #expect(row.count == 40) }
    // The captions stand left of the pictures, on the height of their rows.
    for row in reds.rows {
      #expect(hasInk(image, x: 30..<reds.columns[0].lowerBound - 10, y: row))
    }
    // Title and headings stand above.
    #expect(hasInk(image, x: 30..<image.width, y: 0..<reds.rows[0].lowerBound - 2))
    // Margins stay empty.
    #expect(!hasInk(image, x: 0..<30, y: 0..<image.height))
    #expect(!hasInk(image, x: image.width - 30..<image.width, y: 0..<image.height))
  }

  @Test func `without real pictures the samples begin at once`() throws {
    let rows = [CaptionedSheet.Row(caption: "a", samples: [blue, blue])]
    let image = try CaptionedSheet(title: "t", rows: rows, tileSide: 40).rendered(scale: 1)
    let blues = runs(of: Color(0, 0, 220), in: image)
    #expect(blues.columns.count == 2)
    let withReal = [CaptionedSheet.Row(caption: "a", real: red, samples: [blue, blue])]
    let wider = try CaptionedSheet(title: "t", rows: withReal, tileSide: 40).rendered(scale: 1)
    let shifted = runs(of: Color(0, 0, 220), in: wider)
    #expect(shifted.columns[0].lowerBound > blues.columns[0].lowerBound)
  }

  @Test func `a caption of any length stays inside its row`() throws {
    let long = String(repeating: "a very long caption that says everything ", count: 50)
    let rows = [
      CaptionedSheet.Row(caption: long, samples: [blue]),
      CaptionedSheet.Row(caption: String(repeating: "長", count: 500), samples: [blue]),
    ]
    let image = try CaptionedSheet(title: long, rows: rows, tileSide: 60).rendered(scale: 1)
    let tiles = runs(of: Color(0, 0, 220), in: image)
    let left = 30..<tiles.columns[0].lowerBound - 6
    #expect(tiles.rows.count == 2)
    #expect(hasInk(image, x: left, y: tiles.rows[0]) && hasInk(image, x: left, y: tiles.rows[1]))
    let end = tiles.rows[1].upperBound
    #expect(!hasInk(image, x: left, y: end + 4..<image.height))
    #expect(!hasInk(image, x: left.upperBound..<left.upperBound + 4, y: tiles.rows[0]))
  }

  @Test func `a sheet without rows is a title`() throws {
    let image = try CaptionedSheet(title: "nothing yet", rows: []).rendered(scale: 1)
    #expect(image.width > 100 && image.height > 50)
  }

  /// The stretches of columns and of rows in which a colour appears.
  private func runs(
    of color: Color,
    in image: RGBImage
  ) -> (columns: [Range<Int>], rows: [Range<Int>]) {
    var columns = Set<Int>()
    var rows = Set<Int>()
    for y in 0..<image.height {
      for x in 0..<image.width where image[x: x, y: y] == color {
        columns.insert(x)
        rows.insert(y)
      }
    }
    return (stretches(columns), stretches(rows))
  }

  private func stretches(_ rows: Set<Int>) -> [Range<Int>] {
    var result: [Range<Int>] = []
    for row in rows.sorted() {
      if let last = result.last, last.upperBound == row {
        result[result.count - 1] = last.lowerBound..<row + 1
      } else {
        result.append(row..<row + 1)
      }
    }
    return result
  }

  private func hasInk(_ image: RGBImage, x: Range<Int>, y: Range<Int>) -> Bool {
    y.contains { row in x.contains { image[x: $0, y: row].green < 200 } }
  }
}

/// Lets this process have so many bytes more than it has.
private func limitMemory(to bytes: rlim_t) throws {
  let sizes = try String(contentsOfFile: "/proc/self/statm", encoding: .utf8)
  let pages = try #require(sizes.split(separator: " ").first.flatMap { rlim_t($0) })
  var limit = rlimit(rlim_cur: pages * 4096 + bytes, rlim_max: .max)
  try #require(setrlimit(__rlimit_resource_t(RLIMIT_AS.rawValue), &limit) == 0)
}
