import Foundation
import Testing

@testable import Images

@Suite struct ChartTests {
  private let chart = LineChart(
    title: "Fréchet distance <fd-lite0> & \"more\"",
    xLabel: "kimg",
    yLabel: "distance",
    series: [
      .init("with text", points: [Point(0, 277), Point(8, 389), Point(40, 274)]),
      .init(
        "language-free",
        points: [Point(0, 277), Point(8, .nan), Point(40, 309), Point(44, 300)]
      ),
    ],
    references: [
      .init("two halves of the real images 42", value: 42), .init("mean image 397", value: 397),
    ]
  )

  @Test func `axes have round marks around the values`() {
    let axis = Axis(covering: [42, 277, 397], count: 5)
    #expect(axis.ticks == [0, 100, 200, 300, 400] && axis.range == 0...400)
    #expect(axis.fraction(of: 100) == 0.25)
    let narrow = Axis(covering: [0.93, 0.97], count: 4)
    #expect(narrow.ticks.map(narrow.label) == ["0.93", "0.94", "0.95", "0.96", "0.97"])
    let kimg = Axis(covering: [0, 10_200], count: 8, startsAtZero: true, endsAtTick: false)
    #expect(kimg.range == 0...10_200)
    #expect(kimg.ticks.map(kimg.label) == ["0", "2,000", "4,000", "6,000", "8,000", "10,000"])
  }

  @Test(arguments: [
    [0, 5e-324], [-5e-324, 5e-324], [1e-310, 2e-310], [-9e99, 9e99], [5e-324], [1e-100, 3e-100],
  ])
  func `an axis can be made for the largest and smallest finite numbers`(values: [Double]) {
    for count in [1, 5, 40] {
      let axis = Axis(covering: values, count: count)
      #expect(axis.ticks.count >= 1 && axis.ticks.count < 200)
      #expect(values.allSatisfy { axis.range.contains($0) })
      _ = axis.ticks.map(axis.label)
    }
  }

  @Test func `an axis exists for no value, one value, and equal values`() {
    #expect(Axis(covering: [], count: 5).range == 0...1)
    let close = Axis(covering: [1, 1 + 1e-15], count: 5)
    #expect(close.ticks.count < 20 && close.range.contains(0.95))
    for value in [0, 5, -3, 1e-9, 1e12, -9e99] {
      let axis = Axis(covering: [value, value], count: 5)
      #expect(axis.range.contains(value) && axis.ticks.count >= 2 && axis.ticks.count < 20)
    }
  }

  @Test(
    arguments: [
      (0.25, 0.05, "0.25"), (0.3, 0.1, "0.3"), (-40, 20, "−40"), (1_234_567, 1, "1,234,567"),
      (2.5, 2.5, "2.5"), (2e-7, 1e-7, "2e-7"), (3e9, 1e9, "3e9"), (1e-17, 0.1, "0"),
      (100, 25, "100"), (0.05, 0.025, "0.050"), (0.50005, 0.00005, "0.50005"),
    ] as [(Double, Double, String)]
  )
  func `marks are written with the decimals of their step`(
    value: Double,
    step: Double,
    text: String
  ) {
    #expect(Axis.label(value, step: step) == text)
  }

  @Test func `the SVG is well-formed and holds every curve and label`() throws {
    let svg = try chart.svg()
    let reader = try SVGReader(svg)
    // Two curves, of which one is broken into a lone point and a line; two references; six grid
    // lines or ticks at least; two swatches.
    #expect(reader.elements["polyline", default: 0] >= 12)
    #expect(reader.texts.contains("Fréchet distance <fd-lite0> & \"more\""))
    for text in ["kimg", "distance", "with text", "language-free", "mean image 397", "400"] {
      #expect(reader.texts.contains(text), "\(text)")
    }
    // A marker and its rim for each finite value.
    #expect(reader.elements["circle"] == 12)
    #expect(!svg.contains("nan") && !svg.contains("inf"))
  }

  @Test func `the PNG has the size asked for and every curve's colour`() throws {
    let image = try chart.rendered(scale: 1)
    #expect(image.width == 760 && image.height == 430)
    for color in Palette.series.prefix(2) {
      #expect(count(color, in: image) > 100)
    }
    #expect(count(Palette.series[2], in: image) == 0)
    #expect(image[x: 0, y: 0] == .white && image[x: 759, y: 429] == .white)
    let twice = try chart.rendered()
    #expect(twice.width == 1520 && twice.height == 860)
  }

  @Test func `labels of references never overlap`() throws {
    let crowded = LineChart(
      title: "t",
      xLabel: "x",
      yLabel: "y",
      series: [.init("a", points: [Point(0, 0), Point(1, 1)])],
      references: (0..<5).map { .init("reference \($0)", value: 0.5 + Double($0) / 1000) }
    )
    let lines = try crowded.svg().split(separator: "\n").filter { $0.contains("reference ") }
    let heights = lines.compactMap { line in
      line.split(separator: "y=\"").dropFirst().first.flatMap { Double($0.prefix { $0 != "\"" }) }
    }
    #expect(heights.count == 5)
    for (upper, lower) in zip(heights, heights.dropFirst()) { #expect(lower - upper >= 11) }
  }

  @Test func `a diverged run is drawn as far as it goes`() throws {
    let values = [1, 2, .infinity, -.infinity, .nan, 1.7e308, -1.7e308, 3]
    let points = values.enumerated().map { Point(Double($0.offset), $0.element) }
    let chart = LineChart(
      title: "t",
      xLabel: "x",
      yLabel: "y",
      series: [.init("loss", points: points)],
      references: [.init("nowhere", value: .nan)]
    )
    let reader = try SVGReader(try chart.svg())
    #expect(reader.elements["circle"] == 6 && !reader.texts.contains("nowhere"))
    #expect(reader.texts.contains("3"))
  }

  @Test func `an empty chart says so`() throws {
    let empty = LineChart(title: "t", xLabel: "x", yLabel: "y", series: [])
    #expect(try empty.svg().contains(">no values yet<"))
    #expect(throws: Never.self) { try empty.rendered(scale: 1) }
  }

  private func count(_ color: Color, in image: RGBImage) -> Int {
    var count = 0
    for y in 0..<image.height {
      for x in 0..<image.width where image[x: x, y: y] == color { count += 1 }
    }
    return count
  }
}
