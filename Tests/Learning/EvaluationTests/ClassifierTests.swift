import Archives
import CLIP
import Datasets
import Foundation
import Images
import TestSupport
import Testing
import Torch
import TorchNN
import TorchTestSupport

@testable import Evaluation

@Suite("Words of captions")
struct CaptionWordsTests {
  @Test func `words are runs of letters in lower case`() {
    #expect(
      CaptionWords.words(in: ["A Red-hot apple, 3 x!", "red"]) == ["red", "hot", "apple"]
    )
    #expect(CaptionWords.words(in: ["赤い りんご"]) == ["赤い", "りんご"])
    #expect(CaptionWords.words(in: ["", "4 5", "é", "Éa"]) == ["éa"])
  }

  @Test func `rare and common words are no classes`() {
    var captions = [[String]](repeating: ["the red apple"], count: 5)
    captions += [[String]](repeating: ["the blue sky", "blue"], count: 5)
    captions += [[String]](repeating: ["the sea"], count: 6)
    captions += [[String]](repeating: ["the lonely"], count: 4)
    captions += [["the"], ["the"], ["the"], ["the"]]
    let found = CaptionWords(captions: captions)
    // Of 24 pictures more than 6 are too many, fewer than 5 too few.
    #expect(found.words == ["sea", "apple", "blue", "red", "sky"])
    #expect(found.common == ["the"] && found.rare == 1)
    #expect(found.classes(of: ["A sky over the red sea"]) == [0, 3, 4])
    #expect(found.classes(of: ["lonely"]).isEmpty)
    let few = CaptionWords(captions: captions, most: 2)
    #expect(few.words == ["sea", "apple"] && few.rare == 4)
  }
}

@Suite("Classifier of pictures")
struct ClassifierTests {
  private let colours: [(name: String, rgb: [Double])] = [
    ("red", [230, 20, 20]), ("green", [20, 200, 30]), ("blue", [20, 30, 220]),
    ("white", [240, 240, 240]), ("black", [15, 15, 15]),
  ]
  private let folder: TemporaryFolder

  init() throws { folder = try TemporaryFolder() }

  /// Packs squares of 16² in five colours, with noise, with the colour's name and a word of their own.
  private func pack(_ count: Int, named: (Int) -> String) throws -> PackedDataset {
    let path = folder.file("squares.zip")
    let writer = try PackedDatasetWriter(
      path,
      options: .init(
        resolution: 16,
        featureModel: .init(name: "hash", sha256: "00"),
        featureElement: .float32,
        source: "squares"
      )
    )
    for index in 0..<count {
      let noise = unitValues(seed: UInt64(index + 1), count: 16 * 16 * 3)
      let rgb = colours[index % 5].rgb
      let pixels = noise.enumerated().map { UInt8(max(0, min(255, rgb[$0 % 3] + 6 * $1))) }
      try writer.append(
        PackedRecord(
          image: RGBImage(width: 16, height: 16, pixels: pixels).encodedPNG(),
          imageFeature: feature("\(index)"),
          captions: [named(index)],
          textFeatures: [feature("\(index)")]
        )
      )
    }
    try writer.finish()
    return try PackedDataset(path)
  }

  private func data() throws -> ClassifierData {
    let set = try pack(100) { index in
      index == 7 ? "unheard" : "a \(colours[index % 5].name) square x\(index)"
    }
    return try ClassifierData([set], side: 16, mostWords: 1000)
  }

  private func trained(_ data: ClassifierData, kimg: Double) -> PictureClassifier {
    let model = PictureClassifier(
      resolution: 16,
      words: data.words,
      channels: [8, 12],
      random: SeededRandom(seed: 1)
    )
    var settings = CLIPTrainingConfiguration(kimg: kimg)
    settings.batchSize = 16
    settings.warmUpImages = 64
    settings.learningRate = 1e-2
    ClassifierTrainer(model: model, pairs: data.training, configuration: settings).run()
    return model
  }

  @Test func `pictures are divided, and those without a word left out`() throws {
    let data = try data()
    #expect(Set(data.words.words) == ["red", "green", "blue", "white", "black"])
    #expect(data.words.common == ["square"] && data.wordless == 1)
    #expect(data.training.count == 95 && data.heldOut.count == 4)
    // All pictures once, and those kept out are not all of the colour that comes every fifth time.
    let all = data.training.captions + data.heldOut.captions
    #expect(Set(all).count == 99)
    #expect(Set(data.heldOut.captions.map { $0[0].split(separator: " ")[1] }).count > 1)
  }

  @Test func `colours are learned, also of pictures that were kept out`() throws {
    let data = try data()
    let fresh = PictureClassifier(
      resolution: 16,
      words: data.words,
      channels: [8, 12],
      random: SeededRandom(seed: 1)
    )
    #expect(fresh.accuracy(data.training).top1 < 0.6)
    let model = trained(data, kimg: 1.6)
    #expect(model.accuracy(data.training).top1 > 0.95)
    let found = model.accuracy(data.heldOut)
    #expect(found.top1 == 1 && found.mostCommon < 1)
  }

  @Test func `two runs with a limit in images are equal, and a file brings the same features`()
    throws
  {
    let data = try data()
    let (a, b) = (trained(data, kimg: 0.1), trained(data, kimg: 0.1))
    for (x, y) in zip(a.state, b.state) {
      expectClose(x.tensor.detached(), y.tensor.detached(), rtol: 0, atol: 0, x.name)
    }
    let path = folder.file("classifier.safetensors")
    try a.save(to: path)
    let read = try PictureClassifier.load(path)
    #expect(read.resolution == 16 && read.words.words == data.words.words)
    let pixels = formulaTensor("classifier", [2, 3, 16, 16])
    expectClose(
      read.features(pixels),
      withoutGradients { a.features(pixels) },
      rtol: 0,
      atol: 0
    )
    // As a detector it sees 8-bit pictures of any size.
    let detector = try ClassifierDetector(path: path, device: .cpu)
    let white = detector.features(.full([1, 3, 32, 32], 255, dtype: .uint8))
    #expect(white.shape == [1, 12] && detector.dimension == 12)
    let same = CLIP.normalize(.ones([1, 3, 16, 16]))
    expectClose(white, read.features(same), rtol: 1e-5, atol: 1e-5)
  }

  @Test func `a picture's words share its target`() {
    let words = CaptionWords(words: ["red", "sky", "sea"])
    let pairs = CLIPPairs(
      pixels: .init(repeating: 9, count: 2 * 16 * 16 * 3),
      resolution: 16,
      captions: [["red sky"], ["sea"]]
    )
    let model = PictureClassifier(
      resolution: 16,
      words: words,
      channels: [4],
      random: SeededRandom(seed: 1)
    )
    var settings = CLIPTrainingConfiguration(kimg: 1)
    (settings.shiftPixels, settings.scaling, settings.colourNoise) = (0, 0, 0)
    // Before the step the loss is the mean of −½ (log p(red) + log p(sky)) and −log p(sea).
    let pixels = CLIP.normalize(
      pairs.tensor(of: 0..<2).permuted(0, 3, 1, 2).to(.float32) / 255
    )
    let logs = withoutGradients { model.logits(model.features(pixels, training: true)) }
      .logSoftmax(1).floats
    let expected = -(0.5 * Double(logs[0] + logs[1]) + Double(logs[5])) / 2
    let trainer = ClassifierTrainer(model: model, pairs: pairs, configuration: settings)
    expectClose(trainer.step(share: 0), expected, rtol: 1e-4)
  }

  @Test func `sets without enough words or pictures are refused in words`() throws {
    func refusal(_ count: Int, _ named: (Int) -> String) throws -> String {
      let set = try pack(count, named: named)
      let error = #expect(throws: EvaluationError.self) {
        try ClassifierData([set], side: 16, mostWords: 1000)
      }
      return error?.description ?? ""
    }
    #expect(try refusal(20) { "word x\($0)" }.contains("0 words"))
    #expect(
      try refusal(30) { $0 < 5 ? "red" : $0 < 10 ? "blue" : "x\($0)" }.contains("10 pictures")
    )
    let set = try pack(3) { "x\($0)" }
    let error = #expect(throws: EvaluationError.self) {
      try ClassifierData([set], side: 1 << 20, mostWords: 1000)
    }
    #expect(error?.description.contains("do not fit") == true)
  }

  @Test func `damaged files are errors, and mutated ones never crash`() throws {
    let model = PictureClassifier(
      resolution: 16,
      words: CaptionWords(words: ["red", "blue"]),
      channels: [4, 4],
      random: SeededRandom(seed: 1)
    )
    let path = folder.file("classifier.safetensors")
    try model.save(to: path)
    let good = [UInt8](try Data(contentsOf: URL(filePath: path)))
    for length in [0, 7, 60, good.count / 2, good.count - 1] {
      try folder.write(Array(good.prefix(length)), to: "cut")
      #expect(throws: (any Error).self) { try PictureClassifier.load(folder.file("cut")) }
    }
    // Another safetensors file, other words, another resolution.
    let text = String(decoding: good, as: UTF8.self)
    #expect(text.contains("nifty-classifier"))
    for (old, new) in [
      ("nifty-classifier", "nifty-clip000000"), ("\\\"blue\\\"", "\\\"bl\\\",\\\"\\\""),
      ("\\\"red\\\"", "\\\"blue\\\""), (":16", ":15"), (":16", ":-8"), (":16", ":99"),
    ] {
      try folder.write(replaced(good, old, new), to: "odd.safetensors")
      #expect(throws: (any Error).self, "\(old) → \(new)") {
        try PictureClassifier.load(folder.file("odd.safetensors"))
      }
    }
    for round in 0..<600 {
      var bytes = good
      let place = Int(mixed(UInt64(round), 11) % UInt64(min(good.count, 2000)))
      bytes[place] = UInt8(truncatingIfNeeded: mixed(UInt64(round), 12))
      try folder.write(bytes, to: "bad.safetensors")
      _ = try? PictureClassifier.load(folder.file("bad.safetensors"))
    }
  }

  /// The first place of some bytes with others in their place; the header's length follows.
  private func replaced(_ bytes: [UInt8], _ old: String, _ new: String) -> [UInt8] {
    guard let range = bytes.firstRange(of: Array(old.utf8)) else {
      Issue.record("no \(old)")
      return bytes
    }
    var result = bytes
    result.replaceSubrange(range, with: Array(new.utf8))
    let length = bytes.prefix(8).reversed().reduce(0) { $0 << 8 | Int($1) }
    let longer = length + new.utf8.count - old.utf8.count
    for place in 0..<8 { result[place] = UInt8(truncatingIfNeeded: longer >> (8 * place)) }
    return result
  }
}
