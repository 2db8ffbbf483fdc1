import Archives
import Files
import Foundation
import Images
import TestSupport
import Testing

@testable import Datasets

/// Everything that can be packed besides folders; the fixtures are made by `make_sources.py`.
@Suite struct SourceTests {
  let folder: TemporaryFolder

  init() throws { folder = try TemporaryFolder() }

  private func open(_ name: String) throws -> any ImageTextSource {
    try ImageTextSources.open(fixture(name).path)
  }

  // MARK: MNIST

  @Test(arguments: [0, 1, 3, 5, 7]) func `idx files cut inside of a number are refused`(size: Int) {
    func stream(_ count: Int) -> MappedStream {
      MappedStream(MappedBytes(copying: [UInt8](repeating: 0, count: count)))
    }
    #expect(throws: DatasetError.self) {
      try MNISTSource("a", images: stream(size), labels: stream(size), labelsPath: "b")
    }
  }

  // MARK: Tars

  @Test func `a tar's size in a pax header counts, and not the one in its own`() throws {
    let png = try noiseImage(4, seed: 0).encodedPNG(level: 0)
    let record = Array("\(9 + "\(png.count)".utf8.count) size=\(png.count)\n".utf8)
    #expect(String(decoding: record, as: UTF8.self).hasPrefix("\(record.count) "))
    func padded(_ bytes: [UInt8]) -> [UInt8] {
      bytes + [UInt8](repeating: 0, count: (512 - bytes.count % 512) % 512)
    }
    let tar =
      Tar.header("x", size: record.count, type: "x") + padded(record)
      + Tar.header("1.png", size: 0) + padded(png)
      + Tar.header("1.cls", size: 1) + padded([UInt8(ascii: "5")])
    try folder.write(tar + [UInt8](repeating: 0, count: 1024), to: "a.tar")
    let source = try ImageTextSources.open(folder.file("a.tar"))
    #expect(try source.item(at: 0) == ImageTextItem(picture: .encoded(png), label: .index(5)))
  }

  // MARK: LSUN

  @Test func `LSUN's database gives what the LMDB library wrote, in the order of its keys`() throws
  {
    let source = try open("bedroom_tiny_lmdb")
    #expect(source.count == 302)
    #expect(source.summary == "LSUN bedroom_tiny_lmdb")
    var lines = ""
    for index in 0..<source.count {
      guard case .encoded(let bytes) = try source.item(at: index).picture else {
        Issue.record("item \(index) is no file")
        return
      }
      let digest = bytes.withUnsafeBytes { SHA256.digest(of: $0) }
      lines += "\(source.name(at: index)) \(digest)\n"
    }
    #expect(
      Array(lines.utf8).withUnsafeBytes { SHA256.digest(of: $0) }
        == "fb761c77639e9843f402bad54cab742f83b8c2fe38a91ca0002bba631c470ad1"
    )
  }

  @Test(arguments: [0, 1, 1000])
  func `values of a database cannot reach beyond their pages`(pages: Int) throws {
    var database = try bytes(of: fixture("bedroom_tiny_lmdb/data.mdb").path)
    for page in stride(from: 2 * 4096, to: database.count, by: 4096)
    where database[page + 10] == 4 && database[page + 11] == 0 {
      for byte in 0..<4 { database[page + 12 + byte] = UInt8(pages >> (8 * byte) & 255) }
    }
    try folder.write(database, to: "bad_lmdb/data.mdb")
    #expect(throws: DatasetError.self) { try ImageTextSources.open(folder.file("bad_lmdb")) }
  }

  @Test func `values of a database cannot share their pages`() throws {
    var database = try bytes(of: fixture("bedroom_tiny_lmdb/data.mdb").path)
    func word(_ offset: Int) -> Int { Int(database[offset]) | Int(database[offset + 1]) << 8 }
    func pageStarts(_ kind: Int) -> [Int] {
      stride(from: 2 * 4096, to: database.count, by: 4096).filter { word($0 + 10) == kind }
    }
    // All large values lead to the same page.
    let first = try #require(pageStarts(4).first)
    var shared = 0
    for leaf in pageStarts(2) {
      for slot in stride(from: leaf + 16, to: leaf + word(leaf + 12), by: 2) {
        let node = leaf + word(slot)
        guard word(node + 4) & 1 == 1 else { continue }
        database[node + 8 + word(node + 6)] = UInt8(first / 4096)
        shared += 1
      }
    }
    #expect(shared == 2)
    try folder.write(database, to: "bad_lmdb/data.mdb")
    let error = #expect(throws: DatasetError.self) {
      try ImageTextSources.open(folder.file("bad_lmdb"))
    }
    #expect(error?.description.contains("page \(first / 4096) is used twice") == true)
  }

  @Test func `damaged databases end in errors, not in crashes`() throws {
    let whole = try bytes(of: fixture("bedroom_tiny_lmdb/data.mdb").path)
    var refused = 0
    for number in 0..<300 {
      var random = CounterRandom(seed: 11, position: number)
      var damaged = whole
      for _ in 0..<1 + random.integer(below: 4) {
        // Mostly where the structure is: the first bytes of a page, and the first meta page.
        let page = random.integer(below: whole.count / 4096) * 4096
        let offsets = [random.integer(below: 160), page + random.integer(below: 64)]
        let edges: [UInt8] = [0x00, 0x01, 0x7f, 0x80, 0xff, UInt8(truncatingIfNeeded: number)]
        damaged[offsets[random.integer(below: 2)]] = edges[random.integer(below: 6)]
      }
      if number % 10 == 0 { damaged.removeLast(number * 500 % whole.count) }
      try folder.write(damaged, to: "bad_lmdb/data.mdb")
      do {
        let source = try ImageTextSources.open(folder.file("bad_lmdb"))
        for index in 0..<source.count { _ = try source.item(at: index) }
      } catch {
        refused += 1
      }
    }
    #expect(refused > 100)
  }

  // MARK: CIFAR-10 and MNIST

  @Test func `CIFAR-10's pickles give pixels and classes in the order of the batches`() throws {
    let source = try open("cifar-10-python.tar.gz")
    #expect(source.count == 10)
    #expect(source.name(at: 3) == "data_batch_2/1")
    for i in 0..<10 {
      let item = try source.item(at: i)
      let image = try item.image()
      #expect((image.width, image.height) == (32, 32))
      #expect(item.label == .index(7 * i % 10))
      for (p, c) in [(0, 0), (1, 1), (500, 2), (1023, 0), (1023, 2)] {
        #expect(Int(image.pixels[3 * p + c]) == (37 * i + 85 * c + p) % 256)
      }
    }
  }

  @Test func `MNIST's digits lie in black frames and carry their classes`() throws {
    let source = try open("train-images-idx3-ubyte.gz")
    #expect(source.count == 3)
    for i in 0..<3 {
      let item = try source.item(at: i)
      let image = try item.image()
      #expect((image.width, image.height) == (32, 32))
      #expect(item.label == .index(3 * i % 10))
      #expect(image[x: 1, y: 16] == .black && image[x: 16, y: 30] == .black)
      let value = UInt8((11 * i + 9 * 27 + 5) % 256)
      #expect(image[x: 7, y: 29] == Color(value, value, value))
    }
  }

  @Test(arguments: ["cifar-10-python.tar.gz", "train-images-idx3-ubyte.gz"])
  func `damaged archives end in errors, not in crashes`(name: String) throws {
    let whole = try bytes(of: fixture(name).path)
    let labels = "train-labels-idx1-ubyte.gz"
    try folder.write(bytes(of: fixture(labels).path), to: labels)
    var refused = 0
    for (number, copy) in mutations(of: whole, count: 400, seed: 5).enumerated() {
      try folder.write(number % 4 == 0 ? Array(copy.dropLast(number % 97)) : copy, to: name)
      do {
        let source = try ImageTextSources.open(folder.file(name))
        for index in 0..<source.count { _ = try source.item(at: index).image() }
      } catch {
        refused += 1
      }
    }
    #expect(refused > 300)
  }

  @Test func `MNIST without its labels says what is missing`() throws {
    let name = "train-images-idx3-ubyte.gz"
    try folder.write(bytes(of: fixture(name).path), to: name)
    let labels = folder.file("train-labels-idx1-ubyte.gz")
    #expect(throws: DatasetError.missing(path: labels)) {
      try ImageTextSources.open(folder.file(name))
    }
  }

  // MARK: Archives

  private func writeSamples(to name: String) throws {
    for number in 1...2 {
      let png = try noiseImage(8, seed: number).encodedPNG(level: 0)
      try folder.write(png, to: "\(name)/a/\(number).png")
      try folder.write(Array("caption \(number)\n".utf8), to: "\(name)/a/\(number).txt")
    }
    try folder.write(Array("7\n".utf8), to: "\(name)/a/1.cls")
    try folder.write(
      Array(#"{"labels": [["a/1.png", 7], ["a/2.png", [0.5, 1]]]}"#.utf8),
      to: "\(name)/dataset.json"
    )
  }

  private func expectSamples(_ source: any ImageTextSource, labels: [ImageLabel?]) throws {
    #expect((0..<source.count).map(source.name) == ["a/1.png", "a/2.png"])
    for index in 0..<2 {
      let item = try source.item(at: index)
      #expect(try item.image() == noiseImage(8, seed: index + 1))
      #expect(item.captions == ["caption \(index + 1)"])
      #expect(item.label == labels[index])
    }
  }

  @Test func `labels of a folder come from its dataset.json`() throws {
    try writeSamples(to: "in")
    let labels: [ImageLabel?] = [.index(7), .vector([0.5, 1])]
    try expectSamples(ImageTextSources.open(folder.file("in")), labels: labels)
  }

  @Test(arguments: ["ZIP_STORED", "ZIP_DEFLATED"])
  func `a zip is read stored or compressed, with labels and captions`(method: String) throws {
    try writeSamples(to: "in")
    let script = """
      import os, sys, zipfile
      os.chdir(sys.argv[1])
      with zipfile.ZipFile("../in.zip", "w", zipfile.\(method)) as z:
        for root, _, names in os.walk("."):
          for name in names: z.write(os.path.join(root, name)[2:])
      """
    _ = try Python.run(script, folder.file("in"))
    let labels: [ImageLabel?] = [.index(7), .vector([0.5, 1])]
    try expectSamples(ImageTextSources.open(folder.file("in.zip")), labels: labels)
  }

  @Test func `a packed dataset can be packed again`() throws {
    let path = try packNoise(folder.file("a.zip"), count: 4)
    let source = try ImageTextSources.open(path)
    #expect(source.count == 4)
    #expect(try source.item(at: 2).captions == ["caption 0 of 2", "caption 1 of 2"])
    #expect(try source.item(at: 3).image() == noiseImage(8, seed: 3))
  }

  @Test(arguments: ["gnu", "pax", "ustar"])
  func `a tar of samples is read in every common form`(form: String) throws {
    try writeSamples(to: "in")
    try FileManager.default.removeItem(atPath: folder.file("in/dataset.json"))
    let long = String(repeating: "long-", count: 40)
    let script = """
      import sys, tarfile
      forms = {"gnu": tarfile.GNU_FORMAT, "pax": tarfile.PAX_FORMAT, "ustar": tarfile.USTAR_FORMAT}
      with tarfile.open(sys.argv[2], "w", format=forms[sys.argv[3]]) as t:
        t.add(sys.argv[1] + "/a", "a")
        if sys.argv[3] != "ustar": t.add(sys.argv[1] + "/a/1.png", "\(long).png")
      """
    _ = try Python.run(script, folder.file("in"), folder.file("in.tar"), form)
    let source = try ImageTextSources.open(folder.file("in.tar"))
    if form == "ustar" {
      try expectSamples(source, labels: [.index(7), nil])
    } else {
      #expect((0..<source.count).map(source.name) == ["a/1.png", "a/2.png", "\(long).png"])
      #expect(try source.item(at: 2).image() == noiseImage(8, seed: 1))
    }
  }

  @Test(arguments: [
    (#"{"labels": [["a.png"]]}"#, "without a name or a value"),
    (#"{"labels": [["a.png", 1, 2]]}"#, "more than a name and a value"),
    (#"{"labels": [["a.png", -1]]}"#, "is no class"),
    (#"{"labels": [["a.png", 1.5]]}"#, "is no class"),
    (#"{"labels": {"a.png": 1}}"#, "no '['"),
    (#"{"labels": null"#, "no '}'"),
  ])
  func `labels that cannot be read are refused with the reason`(json: String, reason: String) throws
  {
    try folder.write(noiseImage(8, seed: 0).encodedPNG(level: 0), to: "in/a.png")
    try folder.write(Array(json.utf8), to: "in/dataset.json")
    let error = #expect(throws: DatasetError.self) {
      try ImageTextSources.open(folder.file("in"))
    }
    #expect(error?.description.contains(reason) == true, "\(String(describing: error))")
  }

  @Test func `a path of no known kind is refused`() throws {
    try folder.write([1], to: "a.rar")
    let error = #expect(throws: DatasetError.self) {
      try ImageTextSources.open(folder.file("a.rar"))
    }
    #expect(error?.description.contains("no source that nifty knows") == true)
  }

  // MARK: Labels and other kinds of images in what is packed

  private func pack(_ change: (inout Packer.Options) -> Void = { _ in }) throws -> PackReport {
    var options = Packer.Options()
    options.featureElement = .float32
    change(&options)
    return try Packer(options).pack(
      ImageTextSources.open(folder.file("in")),
      to: folder.file("out.zip"),
      extractor: HashExtractor()
    )
  }

  @Test func `labels are kept when every image has one, in both forms`() throws {
    try writeSamples(to: "in")
    let report = try pack { $0.writesLafiteJSON = true }
    #expect(report.unlabelledCount == 0)
    let set = try PackedDataset(folder.file("out.zip"))
    #expect(set.hasLabels)
    #expect(try set.label(at: 0) == .index(7))
    #expect(try set.label(at: 1) == .vector([0.5, 1]))
    let script = """
      import json, sys, zipfile
      print(json.loads(zipfile.ZipFile(sys.argv[1]).read("dataset.json"))["labels"])
      """
    #expect(
      try Python.run(script, folder.file("out.zip"))
        == "[['00000/img00000000.png', 7], ['00000/img00000001.png', [0.5, 1.0]]]\n"
    )
  }

  @Test func `labels of a part of the images are dropped and counted`() throws {
    try writeSamples(to: "in")
    try folder.write(Array(#"{"labels": [["a/1.png", 7]]}"#.utf8), to: "in/dataset.json")
    #expect(try pack().unlabelledCount == 1)
    let set = try PackedDataset(folder.file("out.zip"))
    #expect(try !set.hasLabels && set.label(at: 0) == nil)
  }

  @Test func `without a size images stay as they are, and those of another size are left out`()
    throws
  {
    try writeSamples(to: "in")
    try folder.write(noiseImage(4, seed: 3).encodedPNG(level: 0), to: "in/b.png")
    try folder.write(noiseImage(8, seed: 3, height: 4).encodedPNG(level: 0), to: "in/c.png")
    let grey = RGBImage(width: 8, height: 8, filledWith: .white)
    try folder.write(grey.encodedPNG(level: 0), to: "in/d.png")
    try folder.write(Array("BM bitmap".utf8), to: "in/e.gif")
    let report = try pack { $0.leavesOutGrey = true }
    #expect(report.dropped.map(\.name) == ["*.cls", "b.png", "c.png", "d.png", "e.gif"])
    #expect(
      report.dropped.map(\.cause)
        == [.unreadKind, .mismatched, .mismatched, .grey, .undecodable("unknown format")]
    )
    #expect(report.manifest.resolution == 8 && report.manifest.imageCount == 2)
    #expect(try PackedDataset(folder.file("out.zip")).image(at: 1) == noiseImage(8, seed: 2))
    try SkippedItems.write(report.dropped, beside: folder.file("out.zip"))
    let list = try String(contentsOfFile: folder.file("out.zip.left-out.tsv"), encoding: .utf8)
    let first =
      "b.png\tanother size\t4×4 pixels, while those before it have 8²; give --width and --height\n"
    let unread = "*.cls\tkind of file that is not read\t"
    #expect(list.hasPrefix("name\tcause\treason\n" + unread) && list.contains("\n" + first))
    #expect(list.split(separator: "\n").count == 6)
  }

  @Test func `JPEG entries, features of mirrored images, and sets without features`() throws {
    try writeSamples(to: "in")
    _ = try pack {
      $0.encoding = .jpeg(quality: 90)
      $0.addsFlippedFeatures = true
    }
    var set = try PackedDataset(folder.file("out.zip"))
    #expect(set.name(at: 1) == "00000/img00000001.jpg")
    let image = noiseImage(8, seed: 2)
    #expect(try set.image(at: 1) == RGBImage(decoding: image.encodedJPEG(quality: 90)))
    #expect(set.flippedFeature(at: 1) == HashExtractor().feature(image.flipped().pixels))
    #expect(set.imageFeature(at: 1) == HashExtractor().feature(image.pixels))

    _ = try Packer(Packer.Options()).pack(
      ImageTextSources.open(folder.file("in")),
      to: folder.file("bare.zip"),
      extractor: nil
    )
    #expect(throws: DatasetError.noFeatures(path: folder.file("bare.zip"))) {
      try PackedDataset(folder.file("bare.zip"))
    }
    set = try PackedDataset(folder.file("bare.zip"), requiresFeatures: false)
    #expect((set.count, set.featureDimension, set.captionCount) == (2, 0, 0))
    #expect(try set.captions(at: 0) == ["caption 1"])
    #expect(DatasetCheck.faults(in: set) == [])
  }
}
