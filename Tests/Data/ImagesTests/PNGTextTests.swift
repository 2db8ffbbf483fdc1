import Foundation
import TestSupport
import Testing

@testable import Images

@Suite("Texts in PNG files")
struct PNGTextTests {
  private let image = RGBImage(width: 7, height: 5, filledWith: Color(10, 200, 30))
  private let texts = [
    PNGText(keyword: "nifty", text: #"{"prompt": "赤いハート ❤"}"#),
    PNGText(keyword: "Comment", text: ""),
  ]

  @Test func `PNG text round-trips, and the pixels stay`() throws {
    let png = try image.encodedPNG(texts: texts)
    #expect(PNGText.texts(in: png) == texts)
    #expect(try RGBImage(decoding: png) == image)
    #expect(PNGText.texts(in: try image.encodedPNG()).isEmpty)
    #expect(try image.encodedPNG(texts: []) == image.encodedPNG())
  }

  @Test(.enabled(if: Repository.python != nil, "scripts/setup --tests installs PIL"))
  func `PIL reads the text`() throws {
    let python = try #require(Repository.python)
    try withTemporaryFolder { folder in
      try image.write(png: folder + "/a.png", texts: texts)
      let process = Process()
      process.executableURL = URL(filePath: python)
      process.arguments = [
        "-c", "from PIL import Image; import sys; print(Image.open(sys.argv[1]).text['nifty'])",
        folder + "/a.png",
      ]
      let pipe = Pipe()
      process.standardOutput = pipe
      process.environment = ["PYTHONIOENCODING": "utf-8"]
      try process.run()
      let output = try pipe.fileHandleForReading.readToEnd() ?? Data()
      process.waitUntilExit()
      #expect(String(decoding: output, as: UTF8.self) == texts[0].text + "\n")
    }
  }

  @Test func `damaged files end the list and never the program`() throws {
    let png = try image.encodedPNG(texts: texts)
    for length in 0..<png.count { _ = PNGText.texts(in: Array(png[..<length])) }
    for position in png.indices {
      for byte: UInt8 in [0, 0xFF, png[position] ^ 1] {
        var damaged = png
        damaged[position] = byte
        let read = PNGText.texts(in: damaged)
        // A changed text has another checksum.
        #expect(read.allSatisfy(texts.contains), "byte \(position)")
      }
    }
    #expect(PNGText.texts(in: []).isEmpty)
    #expect(PNGText.texts(in: Array("GIF89a".utf8)).isEmpty)
  }
}
