/// Curves over training: a few series of (x, y) with labelled horizontal lines to compare against.
///
/// The same layout becomes a PNG (`rendered`) or an SVG document (`svg`).
package struct LineChart: Sendable {
  /// A curve.
  package struct Series: Sendable {
    /// Its name in the legend.
    package let name: String
    /// Its points with rising x; one that is not finite interrupts the curve.
    package let points: [Point]

    /// A curve.
    package init(_ name: String, points: [Point]) {
      self.name = name
      self.points = points
    }
  }

  /// A horizontal line to compare with, such as the distance between two halves of the real images.
  package struct Reference: Sendable {
    /// The line's label.
    package let label: String
    /// Where it lies on the y axis.
    package let value: Double

    /// A horizontal line.
    package init(_ label: String, value: Double) {
      self.label = label
      self.value = value
    }
  }

  /// The large line on top.
  package let title: String
  /// What x is, with its unit.
  package let xLabel: String
  /// What y is; written above the axis, where it can be read without turning the head.
  package let yLabel: String
  /// The curves.
  package let series: [Series]
  /// The lines to compare with.
  package let references: [Reference]
  /// The width of the picture, in points.
  package let width: Double
  /// The height of the picture, in points.
  package let height: Double

  /// A chart; `rendered` and `svg` draw it.
  package init(
    title: String,
    xLabel: String,
    yLabel: String,
    series: [Series],
    references: [Reference] = [],
    width: Double = 760,
    height: Double = 430
  ) {
    precondition(width >= 320 && height >= 220, "a chart of \(width)×\(height) points")
    self.title = title
    self.xLabel = xLabel
    self.yLabel = yLabel
    self.series = series
    self.references = references.filter(\.value.isDrawable)
    self.width = width
    self.height = height
  }

  /// The chart in pixels.
  ///
  /// - Parameter scale: Pixels per point; 2 looks sharp on any screen.
  /// - Returns: The picture.
  /// - Throws: `ImageError.fontMissing` when no installed font has the characters,
  ///   `ImageError.cannotDraw` when there is no memory for the pixels.
  package func rendered(scale: Double = 2) throws(ImageError) -> RGBImage {
    try drawing().rendered(scale: scale)
  }

  /// The chart as an SVG document.
  ///
  /// - Returns: The document.
  /// - Throws: `ImageError.fontMissing`: the layout needs the widths of its labels.
  package func svg() throws(ImageError) -> String {
    try drawing().svg(describedAs: "\(title): \(yLabel) over \(xLabel)")
  }

  private func drawing() throws(ImageError) -> Drawing {
    let texts = [title, xLabel, yLabel, "…−"] + series.map(\.name) + references.map(\.label)
    let layout = ChartLayout(self, fonts: try FontBook.system(drawing: texts))
    var drawing = Drawing(width: width, height: height)
    layout.addHeader(to: &drawing)
    layout.addAxes(to: &drawing)
    layout.addReferences(to: &drawing)
    for index in series.indices { layout.addCurve(index, to: &drawing) }
    return drawing
  }
}
