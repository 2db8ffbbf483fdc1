import Foundation
import Images
import TestSupport
import Testing

@testable import Demo

@Suite struct ClipArtMetadataTests {
  private func metadata(_ title: String, _ keywords: [String]) -> ClipArtMetadata {
    let items = keywords.map { "<rdf:li>\($0)</rdf:li>" }.joined()
    return ClipArtMetadata(
      svg: Array(
        """
        <svg xmlns="http://www.w3.org/2000/svg"><metadata><rdf:RDF><cc:Work>
        <dc:title>\(title)</dc:title><dc:publisher><cc:Agent><dc:title>Open Clip Art Library</dc:title>
        </cc:Agent></dc:publisher><dc:subject><rdf:Bag>\(items)</rdf:Bag></dc:subject>
        </cc:Work></rdf:RDF></metadata></svg>
        """.utf8
      )
    )
  }

  @Test func `a title of its own comes first, then with keywords and folders`() {
    let found = metadata("Ice Cream Cone (1 scoop)", ["dessert", "festive", "hash(0x86a0bb0)", ""])
    #expect(
      found.captions(path: "food/desserts/cone.svg", isOwnTitle: true) == [
        "ice cream cone 1 scoop", "ice cream cone 1 scoop, dessert, festive, desserts, food",
      ]
    )
  }

  @Test func `a set's title gives way to keywords and folders`() {
    let found = metadata("SVG Road Signs", ["transport", "icon"])
    #expect(
      found.captions(path: "transportation/roadsigns/sign7_3.svg", isOwnTitle: false)
        == ["transport, roadsigns, transportation"]
    )
    #expect(
      found.captions(path: "animals/birds/puffin-md.svg", isOwnTitle: false)
        == ["puffin", "puffin, transport, birds, animals"]
    )
  }

  @Test func `a title that was copied with its author gives way to the file's name`() {
    let found = metadata("Clipart by Nicu Buculei - nosmoke", ["home"])
    #expect(
      found.captions(path: "buildings/house_02.svg", isOwnTitle: true)
        == ["house", "house, home, buildings"]
    )
  }

  @Test func `a picture's name has no dots, which web servers refuse in a row`() {
    #expect(
      ClipArtCollection.name(of: "transportation/warning..._cedric_.svg")
        == "clipart-transportation-warning-dot--dot--dot-_cedric_"
    )
  }

  @Test(arguments: [
    "", "<svg/>", "<metadata>", "<metadata><rdf:RDF></metadata>", "<metadata>&a;</metadata>",
  ])
  func `a file without readable metadata has no captions of its own`(svg: String) {
    let found = ClipArtMetadata(svg: Array(svg.utf8))
    #expect(found.captions(path: "a.svg", isOwnTitle: true).isEmpty)
  }
}

@Suite struct OpenMojiNameTests {
  @Test func `a file name is the emoji's code points without the variation selector`() {
    #expect(OpenMojiCollection.emoji("1F9D1-200D-2695-FE0F") == "\u{1F9D1}\u{200D}\u{2695}")
    #expect(OpenMojiCollection.emoji("red-apple") == nil)
    #expect(OpenMojiCollection.emoji("FFFFFFFF") == nil)
    #expect(OpenMojiCollection.emoji("") == nil)
  }
}

@Suite struct StampCollectionTests {
  @Test func `a stamp has its English and Japanese names and its folders`() {
    let text = "A rocket.\nfr.utf8=Une fusée.\nja.utf8=ロケット\n"
    #expect(
      StampCollection.captions(text, path: "space/small_ships/rocket2")
        == ["rocket", "ロケット", "rocket, small ships, space"]
    )
    let names = ["A happy lion!", "Hair.", "USA flag.", "The letter z.", "747", "– Because…"].map {
      StampCollection.captions($0 + "\nja.utf8=あ", path: "a")?.first
    }
    #expect(names == ["happy lion", "hair", "USA flag", "letter z", nil, "– Because…"])
  }

  @Test(arguments: ["", "ja.utf8=ロケット", "A rocket.\nfr.utf8=Une fusée.", "A rocket.\nja.utf8= "])
  func `a stamp without words in both languages has no captions`(text: String) {
    #expect(StampCollection.captions(text, path: "space/rocket") == nil)
  }

  @Test func `a folder's stamps are drawings before photos, and what lacks one is counted`() throws
  {
    let folder = try TemporaryFolder()
    try FileManager.default.createDirectory(
      atPath: folder.file("animals/cats"),
      withIntermediateDirectories: true
    )
    let red = RGBImage(width: 3, height: 1, filledWith: Color(255, 0, 0))
    for name in ["animals/cats/lion", "animals/cats/v1.2"] {
      try folder.write(Array("A lion.\nja.utf8=ライオン\n".utf8), to: name + ".txt")
      try folder.write(try red.encodedPNG(), to: name + ".png")
    }
    try folder.write(Array("<svg/>".utf8), to: "animals/cats/lion.svg")
    try folder.write(Array("A bird.\nja.utf8=とり\n".utf8), to: "bird.txt")
    try folder.write([0xff, 0xfe], to: "broken.txt")
    let stamps = try StampCollection(folder: folder.path)
    #expect(
      stamps.pictures.map(\.name) == ["stamp-animals-cats-lion", "stamp-animals-cats-v1-dot-2"]
    )
    #expect(stamps.pictures.allSatisfy { $0.isOfTheme && $0.subject == "lion" })
    #expect(stamps.unnamed == 2)
    guard case .trimmedSVG = stamps.pictures[0].content else {
      Issue.record("the photo is taken")
      return
    }
    let image = try stamps.pictures[1].image()
    #expect((image.width, image.height) == (DemoPicture.drawnSide, DemoPicture.drawnSide))
    #expect(image[x: 64, y: 64] == Color(255, 0, 0) && image[x: 64, y: 20] == .white)
    #expect(throws: DemoError.self) { try StampCollection(folder: folder.file("none")) }
  }

  @Test func `the foreground is what is not white, to its last row and column`() {
    var pixels = [UInt8](repeating: 255, count: 5 * 4 * 3)
    pixels[(1 * 5 + 4) * 3 + 2] = 254
    pixels[(3 * 5 + 2) * 3] = 0
    let image = RGBImage(width: 5, height: 4, pixels: pixels)
    #expect(image.foreground == PictureBox(left: 2, top: 1, right: 5, bottom: 4))
    #expect(RGBImage(width: 5, height: 4, filledWith: .white).foreground == nil)
  }
}

@Suite(.enabled(if: VectorDrawing.failure == nil, "librsvg is not installed"))
struct VectorDrawingTests {
  private func draw(_ body: String, side: Int = 8) throws -> RGBImage {
    try VectorDrawing.image(
      Array("<svg xmlns='http://www.w3.org/2000/svg' viewBox='0 0 2 1'>\(body)</svg>".utf8),
      side: side
    )
  }

  @Test func `a wide drawing lies in the middle on white`() throws {
    let image = try draw("<rect width='2' height='1' fill='#ff8000'/>")
    #expect(image[x: 0, y: 1] == Color(255, 255, 255))
    #expect(image[x: 0, y: 2] == Color(255, 128, 0))
    #expect(image[x: 7, y: 5] == Color(255, 128, 0))
    #expect(image[x: 7, y: 6] == Color(255, 255, 255))
  }

  @Test func `what is no drawing is refused in one line`() {
    for text in ["", "<svg", "GIF89a", "<svg xmlns='http://www.w3.org/2000/svg'><g></svg>"] {
      #expect(throws: DemoError.self) { try VectorDrawing.image(Array(text.utf8), side: 8) }
      do { _ = try VectorDrawing.image(Array(text.utf8), side: 8) } catch {
        #expect(!"\(error)".contains("\n") && "\(error)".count > 12)
      }
    }
    #expect(throws: DemoError.self) { try draw("<g/>", side: 0) }
    #expect(throws: DemoError.self) { try draw("<g/>", side: 4097) }
  }

  @Test func `a spot in a corner becomes the middle of a square, and white stays`() throws {
    let svg = { (body: String) in
      Array("<svg xmlns='http://www.w3.org/2000/svg' viewBox='0 0 60 60'>\(body)</svg>".utf8)
    }
    let spot = svg("<rect x='12' y='58' width='48' height='2' fill='#00ffff'/>")
    let trimmed = try VectorDrawing.trimmedImage(spot, page: 60)
    #expect((trimmed.width, trimmed.height) == (52, 52))
    #expect(trimmed[x: 1, y: 25] == .white && trimmed[x: 2, y: 25] == Color(0, 255, 255))
    #expect(trimmed[x: 49, y: 26] == Color(0, 255, 255) && trimmed[x: 50, y: 26] == .white)
    #expect(trimmed[x: 25, y: 24] == .white && trimmed[x: 25, y: 27] == .white)
    let white = try VectorDrawing.trimmedImage(svg(""), page: 6)
    #expect(white == RGBImage(width: 6, height: 6, filledWith: .white))
  }

  @Test func `a drawing does not read files beside it`() throws {
    let image = try draw("<image href='file:///etc/passwd' width='2' height='1'/>")
    #expect(image.pixels.allSatisfy { $0 == 255 })
  }
}

@Suite struct SeenPicturesTests {
  /// A disc of one colour on white.
  private func disc(_ color: Color, x: Int, radius: Int = 9) -> RGBImage {
    var pixels: [UInt8] = []
    for row in 0..<32 {
      for column in 0..<32 {
        let inside = (row - 16) * (row - 16) + (column - x) * (column - x) < radius * radius
        pixels += inside ? [color.red, color.green, color.blue] : [255, 255, 255]
      }
    }
    return RGBImage(width: 32, height: 32, pixels: pixels)
  }

  @Test func `the same shape in nearly the same colour counts once, in another colour twice`() {
    var known = SeenPictures()
    let discs = [
      disc(Color(200, 40, 40), x: 16), disc(Color(202, 41, 39), x: 16),
      disc(Color(40, 40, 200), x: 16), disc(Color(200, 40, 40), x: 9),
    ]
    var isNew: [Bool] = []
    for disc in discs { isNew.append(known.insert(disc)) }
    #expect(isNew == [true, false, true, true])
  }
}

@Suite(.enabled(if: Installed.both, "the emoji packages are not installed"))
struct DrawingCollectionTests {
  @Test func `held-out captions are held out in every style`() throws {
    func picture(_ subject: String, _ style: String) -> DemoPicture {
      DemoPicture(
        name: "\(style)-\(subject)",
        captions: [subject],
        subject: subject,
        isOfTheme: subject.hasSuffix("1"),
        license: "CC0-1.0",
        content: .png([])
      )
    }
    let pictures = ["noto", "openmoji"].flatMap { style in
      (0..<400).map { picture("thing \($0)", style) }
    }
    var options = DemoMaterials.Options()
    options.heldOut = .subjects(0.05)
    let materials = try DemoMaterials(pictures, options: options)
    let held = materials.pictures(.test)
    #expect((20...60).contains(held.count))
    let subjects = Set(held.map(\.subject))
    #expect(held.count == 2 * subjects.count)
    for part in [DemoMaterials.Part.pretraining, .training] {
      #expect(!materials.pictures(part).contains { subjects.contains($0.subject) })
    }
  }

  @Test func `what is installed is more than the font, and its licences are named`() async throws {
    let drawings = try await DrawingCollection.installed()
    let byLicense = Dictionary(grouping: drawings.pictures, by: \.license).mapValues(\.count)
    #expect((byLicense["OFL-1.1"] ?? 0) > 3000)
    #expect(drawings.report.count >= 2)
    #expect(Set(drawings.pictures.map(\.name)).count == drawings.pictures.count)
    if OpenMojiCollection.installedFolder != nil, VectorDrawing.failure == nil {
      #expect((byLicense["CC-BY-SA-4.0"] ?? 0) > 3000)
      let apple = drawings.pictures.filter {
        $0.subject == "red apple" && $0.license != "GPL-2.0-or-later"
      }
      #expect(apple.map { $0.captions[0] } == ["red apple", "red apple, OpenMoji style"])
      #expect(apple.last?.captions.contains("赤リンゴ OpenMoji風") == true)
    }
    if FileManager.default.fileExists(atPath: StampCollection.debianFolder),
      VectorDrawing.failure == nil
    {
      #expect((byLicense["GPL-2.0-or-later"] ?? 0) > 800)
      if drawings.report.count == 4 { #expect(drawings.pictures.count >= 12_000) }
    }
    for line in drawings.report { print(line) }
  }
}
