import Foundation
import Images
import TestSupport
import Testing

@testable import Datasets

/// COCO, CUB and Multi-Modal CelebA-HQ in small: the layouts of their authors.
@Suite struct ImportTests {
  let folder: TemporaryFolder

  init() throws { folder = try TemporaryFolder() }

  private func write(_ text: String, to name: String) throws {
    try folder.write(Array(text.utf8), to: name)
  }

  private func image(_ name: String, seed: Int = 0) throws {
    try folder.write(noiseImage(8, seed: seed).encodedJPEG(quality: 90), to: name)
  }

  private let captions = """
    {"info": {"year": 2014}, "images": [
      {"license": 5, "file_name": "COCO_train2014_000000000025.jpg", "height": 8, "id": 25},
      {"license": 3, "file_name": "COCO_train2014_000000000009.jpg", "height": 8, "id": 9},
      {"license": 3, "file_name": "COCO_train2014_000000000030.jpg", "height": 8, "id": 30}],
     "licenses": [{"id": 1, "name": "x"}], "annotations": [
      {"image_id": 9, "id": 1, "caption": "A cat.\\n"},
      {"image_id": 25, "id": 2, "caption": " Two giraffes \\u00e0 table"},
      {"image_id": 9, "id": 3, "caption": "The same cat."},
      {"image_id": 30, "id": 4, "caption": "Nothing."}]}
    """

  @Test func `COCO's captions join their images in the order of the names`() throws {
    try write(captions, to: "coco/annotations/captions_train2014.json")
    for id in [9, 25] {
      try image("coco/train2014/COCO_train2014_0000000000\(id < 10 ? "0" : "")\(id).jpg")
    }
    let set = try COCOImport.open(folder.file("coco"), split: "train")
    #expect(set.publishedCount == 82_783)
    #expect(set.missing == [folder.file("coco/train2014/COCO_train2014_000000000030.jpg")])
    #expect(set.count == 2 && set.name(at: 0) == "COCO_train2014_000000000009.jpg")
    #expect(try set.item(at: 0).captions == ["A cat.", "The same cat."])
    #expect(try set.item(at: 1).captions == ["Two giraffes à table"])
    let error = #expect(throws: DatasetError.self) {
      try COCOImport.open(folder.file("coco"), split: "val")
    }
    #expect(error?.description.contains("captions_val2014.json") == true)
    #expect(throws: DatasetError.self) { try COCOImport.open(folder.file("coco"), split: "test") }
  }

  @Test func `an end of line inside of one of COCO's captions is white space`() throws {
    let json =
      #"{"images": [{"id": 1, "file_name": "a.jpg"}], "annotations": ["#
      + #"{"image_id": 1, "caption": "A cat\nwith a hat.\n"}, {"image_id": 1, "caption": "\n"}]}"#
    try write(json, to: "coco/captions_train2014.json")
    try image("coco/train2014/a.jpg")
    let set = try COCOImport.open(folder.file("coco"), split: "train")
    #expect(try set.item(at: 0).captions == ["A cat with a hat."])
  }

  @Test func `captions of unknown images and repaired ones are told in the list`() throws {
    let json =
      Array(
        #"{"annotations": [{"image_id": 7, "caption": "Lost."}, {"image_id": 1, "caption": "A c"#
          .utf8
      ) + [0xff] + Array(#"t."}], "images": [{"id": 1, "file_name": "a.jpg"}]}"#.utf8)
    try folder.write(json, to: "coco/captions_train2014.json")
    try image("coco/train2014/a.jpg")
    let set = try COCOImport.open(folder.file("coco"), split: "train")
    #expect(
      set.remarks == [
        .init(name: "image 7", cause: .strayCaption, reason: "Lost."),
        .init(name: "a.jpg", cause: .repairedCaption, reason: "bytes that are not UTF-8"),
      ]
    )
    let report = try Packer(.init(side: 8)).pack(set, to: folder.file("out.zip"), extractor: nil)
    #expect(report.dropped == set.remarks && report.manifest.imageCount == 1)
    let list = try String(contentsOfFile: folder.file("out.zip.left-out.tsv"), encoding: .utf8)
    #expect(list.contains("image 7\tcaption of an unknown image\tLost.\n"))
  }

  @Test func `the published numbers of images are those of the papers`() {
    // Lin and others 2014 (the 2014 splits); Reed and others 2016; Xia and others 2021.
    #expect(COCOImport.published == ["train": 82_783, "val": 40_504])
    #expect(CUBImport.published == ["train": 8_855, "test": 2_933])
    #expect(CelebAImport.published == ["train": 24_000, "test": 6_000])
  }

  @Test func `splits that a dataset does not have are refused in one line`() {
    func message(_ body: () throws -> ImportedSet) -> String? {
      #expect(throws: DatasetError.self) { try body() }?.description
    }
    let root = folder.path
    #expect(
      message { try COCOImport.open(root, split: "test") }
        == "COCO has the splits train and val, not test"
    )
    #expect(
      message { try CUBImport.open(root, split: "val") }
        == "CUB has the splits train and test, not val"
    )
    #expect(
      message { try CelebAImport.open(root, split: "val") }
        == "Multi-Modal CelebA-HQ has the splits train and test, not val"
    )
  }

  @Test func `a root without the files of a distribution is refused with what was looked for`() {
    func message(_ body: () throws -> ImportedSet) -> String {
      #expect(throws: DatasetError.self) { try body() }?.description ?? ""
    }
    let root = folder.path
    for (said, wanted) in [
      (
        message { try COCOImport.open(root, split: "train") }, "annotations/captions_train2014.json"
      ),
      (message { try CUBImport.open(root, split: "train") }, "trainvalclasses.txt"),
      (message { try CUBImport.open(root, split: "test") }, "testclasses.txt"),
      (message { try CelebAImport.open(root, split: "train") }, "images"),
    ] {
      #expect(said.hasPrefix("\(root) has no ") && said.contains(wanted))
    }
  }

  @Test func `a damaged list of COCO's captions ends in an error, not in a crash`() throws {
    try image("coco/train2014/COCO_train2014_000000000009.jpg")
    var refused = 0
    let alphabet = Array("0179-[]{},:\"\\n\u{1}".utf8)
    for copy in mutations(of: Array(captions.utf8), count: 300, seed: 2, alphabet: alphabet) {
      try folder.write(copy, to: "coco/annotations/captions_train2014.json")
      do { _ = try COCOImport.open(folder.file("coco"), split: "train") } catch { refused += 1 }
    }
    #expect(refused > 100)
  }

  @Test func `CUB's split follows its list of classes`() throws {
    try write("001.Black_footed_Albatross\n003.Sooty_Albatross\n", to: "cub/trainvalclasses.txt")
    try write("002.Laysan_Albatross\n", to: "cub/testclasses.txt")
    for (name, seed) in [
      ("001.Black_footed_Albatross/A_2", 2), ("001.Black_footed_Albatross/A_1", 1),
      ("002.Laysan_Albatross/L_1", 3),
    ] {
      try image("cub/CUB_200_2011/images/\(name).jpg", seed: seed)
      let lines = (1...10).map { "this bird has \($0) feathers" }
      if seed != 2 { try write(lines.joined(separator: "\n"), to: "cub/text_c10/\(name).txt") }
    }
    let set = try CUBImport.open(folder.file("cub"), split: "train")
    #expect(
      (0..<set.count).map(set.name) == [
        "001.Black_footed_Albatross/A_1.jpg", "001.Black_footed_Albatross/A_2.jpg",
      ]
    )
    #expect(try set.item(at: 0).captions.count == 10)
    #expect(
      set.missing == [
        folder.file("cub/text_c10/001.Black_footed_Albatross/A_2.txt"),
        folder.file("cub/CUB_200_2011/images/003.Sooty_Albatross/*.jpg"),
      ]
    )
    let test = try CUBImport.open(folder.file("cub"), split: "test")
    #expect(test.count == 1 && test.publishedCount == 2_933 && test.missing == [])
  }

  @Test(arguments: ["['0', '12']", "[0, 12]"])
  func `CelebA's split follows its pickled list`(list: String) throws {
    try FileManager.default.createDirectory(
      atPath: folder.file("celeba/train"),
      withIntermediateDirectories: true
    )
    let script = "import pickle, sys; pickle.dump(\(list), open(sys.argv[1], 'wb'), 2)"
    _ = try Python.run(script, folder.file("celeba/train/filenames.pickle"))
    try write("3\n", to: "celeba/test.txt")
    for number in [0, 3, 12] {
      try image("celeba/images/\(number).jpg", seed: number)
      try write("She smiles.\nShe is \(number).\n", to: "celeba/celeba-caption/\(number).txt")
    }
    let set = try CelebAImport.open(folder.file("celeba"), split: "train")
    #expect((0..<set.count).map(set.name) == ["0.jpg", "12.jpg"])
    #expect(try set.item(at: 1).captions == ["She smiles.", "She is 12."])
    #expect(set.publishedCount == 24_000 && set.missing == [])
    #expect(try CelebAImport.open(folder.file("celeba"), split: "test").count == 1)
  }
}
