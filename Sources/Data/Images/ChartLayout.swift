/// Where everything on a line chart lies, in points, and how it looks.
struct ChartLayout {
  private static let margin = 26.0
  private static let referenceGap = 10.0

  private let chart: LineChart
  private let titleStyle: TextStyle
  private let labelStyle: TextStyle
  private let tickStyle: TextStyle
  private let x: Axis
  private let y: Axis
  private let plot: Rectangle
  private let headerBottom: Double
  private let referenceLines: [[String]]

  init(_ chart: LineChart, fonts: FontBook) {
    self.chart = chart
    let title = TextStyle(size: 19, weight: .bold, fonts: fonts)
    let label = TextStyle(size: 12.5, fonts: fonts)
    let tick = TextStyle(size: 11.5, fonts: fonts)
    titleStyle = title
    labelStyle = label
    tickStyle = tick

    let points = chart.series.flatMap(\.points).filter { $0.x.isDrawable && $0.y.isDrawable }
    x = Axis(covering: points.map(\.x), count: 8, startsAtZero: true, endsAtTick: false)
    let y = Axis(
      covering: points.map(\.y) + chart.references.map(\.value),
      count: max(3, Int(chart.height / 75))
    )
    self.y = y

    let lines = chart.references.map { tick.wrap($0.label, width: 120, maximumLines: 3) }
    referenceLines = lines
    let referenceWidth = lines.joined().map { tick.width(of: $0) }.max() ?? 0
    let tickWidth = y.ticks.map { tick.width(of: y.label($0)) }.max() ?? 0
    headerBottom = Self.margin + title.capitalHeight + 34
    let top = headerBottom + 20
    let left = Self.margin + tickWidth + 8
    let right = referenceWidth > 0 ? referenceWidth + Self.referenceGap : 10
    let bottom = Self.margin + label.capitalHeight + 12 + tick.lineHeight
    plot = Rectangle(
      x: left,
      y: top,
      width: chart.width - Self.margin - right - left,
      height: chart.height - bottom - top
    )
  }

  /// Title, the name of the y axis, and the legend at the right when there is more than one curve.
  func addHeader(to drawing: inout Drawing) {
    let baseline = Self.margin + titleStyle.capitalHeight
    let room = chart.width - 2 * Self.margin
    drawing.add(
      .text(
        titleStyle.shorten(chart.title, width: room),
        Point(Self.margin, baseline),
        titleStyle,
        Palette.ink,
        .start
      )
    )
    let nameWidth = labelStyle.width(of: chart.yLabel)
    drawing.add(
      .text(chart.yLabel, Point(Self.margin, headerBottom), labelStyle, Palette.quiet, .start)
    )
    if chart.series.count > 1 { addLegend(to: &drawing, from: Self.margin + nameWidth + 24) }
  }

  /// Entries from the right edge leftwards, in the order of the curves.
  private func addLegend(to drawing: inout Drawing, from left: Double) {
    let swatch = 18.0
    let gap = 18.0
    let end = chart.width - Self.margin
    let share = (end - left) / Double(chart.series.count) - swatch - gap - 6
    let names = chart.series.map { labelStyle.shorten($0.name, width: max(share, 24)) }
    let widths = names.map { swatch + 6 + labelStyle.width(of: $0) }
    var position = end - widths.reduce(0, +) - gap * Double(names.count - 1)
    for (index, name) in names.enumerated() {
      let y = headerBottom - labelStyle.capitalHeight / 2
      drawing.add(
        .line([Point(position, y), Point(position + swatch, y)], color(index), width: 3, dash: nil)
      )
      let start = Point(position + swatch + 6, headerBottom)
      drawing.add(.text(name, start, labelStyle, Palette.ink, .start))
      position += widths[index] + gap
    }
  }

  /// Horizontal grid lines, the base line, and the numbers along both axes.
  func addAxes(to drawing: inout Drawing) {
    let right = plot.x + plot.width
    let bottom = plot.y + plot.height
    for tick in y.ticks {
      let height = position(y: tick)
      let isBase = height > bottom - 0.5
      drawing.add(
        .line(
          [Point(plot.x, height), Point(right, height)],
          isBase ? Palette.axis : Palette.grid,
          width: 1,
          dash: nil
        )
      )
      let origin = Point(plot.x - 8, height + tickStyle.capitalHeight / 2)
      drawing.add(.text(y.label(tick), origin, tickStyle, Palette.quiet, .end))
    }
    for tick in x.ticks {
      let across = position(x: tick)
      drawing.add(
        .line(
          [Point(across, bottom), Point(across, bottom + 4)],
          Palette.axis,
          width: 1,
          dash: nil
        )
      )
      let origin = Point(across, bottom + 8 + tickStyle.size)
      drawing.add(.text(x.label(tick), origin, tickStyle, Palette.quiet, .middle))
    }
    let name = Point(plot.x + plot.width / 2, chart.height - Self.margin + 2)
    drawing.add(.text(chart.xLabel, name, labelStyle, Palette.quiet, .middle))
    if chart.series.allSatisfy({ $0.points.isEmpty }) {
      addEmptyNote(to: &drawing)
    }
  }

  private func addEmptyNote(to drawing: inout Drawing) {
    let note = "no values yet"
    let middle = Point(plot.x + plot.width / 2, plot.y + plot.height / 2)
    let width = labelStyle.width(of: note) + 16
    let height = labelStyle.lineHeight + 6
    let paper = Rectangle(
      x: middle.x - width / 2,
      y: middle.y - height / 2,
      width: width,
      height: height
    )
    drawing.add(.rectangle(paper, Palette.paper, radius: 4))
    let baseline = Point(middle.x, middle.y + labelStyle.capitalHeight / 2)
    drawing.add(.text(note, baseline, labelStyle, Palette.faint, .middle))
  }

  /// Dashed lines whose labels stand at the right, moved apart where they would touch.
  func addReferences(to drawing: inout Drawing) {
    let right = plot.x + plot.width
    let order = chart.references.indices.sorted {
      chart.references[$0].value > chart.references[$1].value
    }
    var free = -Double.infinity
    for index in order {
      let height = position(y: chart.references[index].value)
      let line = [Point(plot.x, height), Point(right, height)]
      drawing.add(.line(line, Palette.faint, width: 1.2, dash: (5, 4)))
      let lines = referenceLines[index]
      let leading = tickStyle.size * 1.2
      let block = Double(lines.count - 1) * leading + tickStyle.capitalHeight
      var baseline = max(height - block / 2, free) + tickStyle.capitalHeight
      for line in lines {
        let start = Point(right + Self.referenceGap, baseline)
        drawing.add(.text(line, start, tickStyle, Palette.quiet, .start))
        baseline += leading
      }
      free = baseline - leading + 7
    }
  }

  /// The curve, and a dot at its last value.
  func addCurve(_ index: Int, to drawing: inout Drawing) {
    var run: [Point] = []
    var runs: [[Point]] = []
    for point in chart.series[index].points {
      if point.x.isDrawable, point.y.isDrawable {
        run.append(Point(position(x: point.x), position(y: point.y)))
      } else {
        runs.append(run)
        run = []
      }
    }
    runs.append(run)
    for run in runs where run.count > 1 {
      drawing.add(.line(run, color(index), width: 2, dash: nil))
    }
    // Few values are shown as such; many would only blur the line.
    let points = runs.joined()
    for point in points.count <= 40 ? Array(points) : points.suffix(1) {
      drawing.add(.circle(point, radius: 4.2, Palette.paper))
      drawing.add(.circle(point, radius: 3, color(index)))
    }
  }

  private func color(_ index: Int) -> Color { Palette.series[index % Palette.series.count] }

  private func position(x value: Double) -> Double { plot.x + plot.width * x.fraction(of: value) }

  private func position(y value: Double) -> Double {
    plot.y + plot.height * (1 - y.fraction(of: value))
  }
}
