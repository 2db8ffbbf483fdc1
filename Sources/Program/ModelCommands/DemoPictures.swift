import CLIP
import Console
import Datasets
import Files
import Foundation
import Images
import Networks
import Pixels
import Snapshots
import Text
import Torch
import Training

/// The demo's last pictures: prompts beside samples, and the metric over training.
struct DemoPictures {
  let paths: DemoPaths
  let snapshot: String

  func write() throws {
    let generator = try NetworkSnapshot(path: snapshot).averagedGenerator()
    let clip = try ClipModel(path: paths.clip, towers: .texts)
    try sheet(generator, clip).write(png: paths.file("demo.png"))
    let chart = try curve()
    try chart.rendered().write(png: paths.file("curve.png"))
    try AtomicFile.write(chart.svg(), to: paths.file("curve.svg"))
    Console.line("wrote \(paths.file("demo.png")) and \(paths.file("curve.png"))")
  }

  /// Captions of the training part, English and Japanese in turn, with the real picture.
  private func sheet(_ generator: Generator, _ clip: ClipModel) throws -> RGBImage {
    let data = try PackedDataset(paths.file("theme-train.zip"))
    let random = SeededRandom(seed: 0, plain: .demonstrationSheet)
    let count = 12
    let z = random.normal([6, generator.configuration.zDimension])
    let rows = try (0..<count).map { row -> CaptionedSheet.Row in
      let index = row * data.count / count
      let captions = try data.captions(at: index)
      let caption = captions.first { isJapanese($0) == (row % 2 == 1) } ?? captions.first ?? ""
      let feature = try clip.features(of: [caption]).normalized().expanded(6, -1)
      let images = withoutGradients { generator(z, fts: feature, noiseMode: .constant) }
      return .init(
        caption: caption,
        real: try data.image(at: index),
        samples: pictures(images)
      )
    }
    return try CaptionedSheet(
      title: "nifty demo",
      subtitle: "LAFITE at 32², a few minutes on two cores",
      rows: rows,
      realHeading: "real",
      samplesHeading: "generated"
    ).rendered()
  }

  /// The Fréchet distance at the start, after pre-training and along fine-tuning.
  private func curve() throws -> LineChart {
    let points = try DemoScores(paths: paths).distances.map {
      Point($0.kimg, $0.value)
    }
    let final = try Figures.read(paths.file("fd-final.json"))
    let references = [
      ("two halves of the real images", "fd_lite0_real_halves"),
      ("mean image", "fd_lite0_mean_image"), ("noise", "fd_lite0_noise"),
    ].compactMap { label, key in final[key].map { LineChart.Reference(label, value: $0) } }
    return LineChart(
      title: "Fréchet distance (EfficientNet-Lite0)",
      xLabel: "thousand images",
      yLabel: "fd_lite0",
      series: [.init("generated images", points: points)],
      references: references
    )
  }
}
