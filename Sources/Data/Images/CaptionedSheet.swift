/// Prompts and what was made of them: one row per prompt, its caption at the left.
///
/// The first picture of a row may be a real one under its own heading, a little apart from the
/// samples. Captions are English or Japanese and are wrapped.
package struct CaptionedSheet: Sendable {
  /// A prompt with its pictures.
  package struct Row: Sendable {
    /// The prompt.
    package let caption: String
    /// A real picture of it, if there is one.
    package let real: RGBImage?
    /// The pictures made from it, all shown at one size.
    package let samples: [RGBImage]

    /// A row.
    package init(caption: String, real: RGBImage? = nil, samples: [RGBImage]) {
      self.caption = caption
      self.real = real
      self.samples = samples
    }
  }

  /// The side of a picture in points, if none is given.
  package static let standardTileSide = 96.0
  /// Pixels per point, if no scale is given; it looks sharp on any screen.
  package static let standardScale = 2.0

  /// The large line on top.
  package let title: String
  /// A quiet line below it; empty for none.
  package let subtitle: String
  /// What is shown.
  package let rows: [Row]
  /// Over the real pictures.
  package let realHeading: String
  /// Over the samples.
  package let samplesHeading: String
  /// The side of a picture in points.
  package let tileSide: Double
  /// How small pictures are enlarged.
  package let enlargement: Enlargement

  /// A sheet; `rendered` draws it.
  package init(
    title: String,
    subtitle: String = "",
    rows: [Row],
    realHeading: String = "Real",
    samplesHeading: String = "Generated",
    tileSide: Double = standardTileSide,
    enlargement: Enlargement = .lanczos
  ) {
    precondition(tileSide >= 8, "a tile of \(tileSide) points")
    self.title = title
    self.subtitle = subtitle
    self.rows = rows
    self.realHeading = realHeading
    self.samplesHeading = samplesHeading
    self.tileSide = tileSide
    self.enlargement = enlargement
  }

  /// A picture as small as a sheet of the standard size and scale shows it, so that many of them fit into
  /// memory: the sheet is the same in every byte.
  package static func tile(_ picture: RGBImage) -> RGBImage {
    let side = Int((standardTileSide * standardScale).rounded())
    let square = picture.centerCropped()
    return square.width > side ? square.resized(width: side, height: side) : square
  }

  /// Draws the sheet.
  ///
  /// - Parameter scale: Pixels per point.
  /// - Returns: The picture.
  /// - Throws: `ImageError.fontMissing` when no installed font has the captions' characters,
  ///   `ImageError.cannotDraw` when there is no memory for so large a sheet.
  package func rendered(scale: Double = standardScale) throws(ImageError) -> RGBImage {
    let texts = [title, subtitle, realHeading, samplesHeading, "…"] + rows.map(\.caption)
    let fonts = try FontBook.system(drawing: texts)
    let layout = SheetLayout(self, fonts: fonts)
    var canvas = try Canvas(
      width: layout.width,
      height: layout.height,
      scale: scale,
      background: Palette.paper
    )
    drawHeader(on: &canvas, layout)
    for (index, row) in rows.enumerated() { draw(row, index, on: &canvas, layout) }
    return try canvas.finished()
  }

  private func drawHeader(on canvas: inout Canvas, _ layout: SheetLayout) {
    let left = SheetLayout.margin
    let room = layout.width - 2 * left
    canvas.text(
      layout.title.shorten(title, width: room),
      at: Point(left, layout.titleBaseline),
      layout.title,
      Palette.ink
    )
    if !subtitle.isEmpty {
      canvas.text(
        layout.subtitle.shorten(subtitle, width: room),
        at: Point(left, layout.subtitleBaseline),
        layout.subtitle,
        Palette.quiet
      )
    }
    if layout.hasReal {
      canvas.text(
        realHeading,
        at: Point(layout.realX, layout.headingBaseline),
        layout.heading,
        Palette.quiet
      )
    }
    canvas.text(
      samplesHeading,
      at: Point(layout.samplesX, layout.headingBaseline),
      layout.heading,
      Palette.quiet
    )
  }

  private func draw(_ row: Row, _ index: Int, on canvas: inout Canvas, _ layout: SheetLayout) {
    let top = layout.rowTop(index)
    if index > 0 {
      let y = top - SheetLayout.rowGap / 2
      canvas.line(
        [Point(SheetLayout.margin, y), Point(layout.width - SheetLayout.margin, y)],
        Palette.grid,
        width: 1
      )
    }
    let lines = layout.captionLines(row.caption)
    let style = layout.caption
    let height = Double(lines.count - 1) * style.lineHeight + style.capitalHeight
    var baseline = top + (tileSide - height) / 2 + style.capitalHeight
    for line in lines {
      canvas.text(line, at: Point(SheetLayout.margin, baseline), style, Palette.ink)
      baseline += style.lineHeight
    }
    if let real = row.real { draw(real, x: layout.realX, top, on: &canvas) }
    for (column, sample) in row.samples.enumerated() {
      draw(sample, x: layout.sampleX(column), top, on: &canvas)
    }
  }

  private func draw(_ picture: RGBImage, x: Double, _ top: Double, on canvas: inout Canvas) {
    let frame = Rectangle(x: x, y: top, width: tileSide, height: tileSide)
    canvas.draw(
      picture.centerCropped(),
      in: frame,
      enlargement: enlargement,
      radius: 5,
      background: Palette.paper
    )
  }
}

/// Where everything on a sheet lies, in points.
private struct SheetLayout {
  static let margin = 36.0
  static let rowGap = 17.0
  static let tileGap = 8.0
  static let realGap = 26.0
  static let captionGap = 24.0

  let title: TextStyle
  let subtitle: TextStyle
  let heading: TextStyle
  let caption: TextStyle
  let hasReal: Bool
  let width: Double
  let height: Double
  let titleBaseline: Double
  let subtitleBaseline: Double
  let headingBaseline: Double
  let realX: Double
  let samplesX: Double
  private let captionWidth: Double
  private let tileSide: Double
  private let firstRow: Double

  init(_ sheet: CaptionedSheet, fonts: FontBook) {
    title = TextStyle(size: 24, weight: .bold, fonts: fonts)
    subtitle = TextStyle(size: 13, fonts: fonts)
    heading = TextStyle(size: 11.5, weight: .bold, fonts: fonts)
    let caption = TextStyle(size: 15, fonts: fonts)
    self.caption = caption
    tileSide = sheet.tileSide
    hasReal = sheet.rows.contains { $0.real != nil }

    // As wide as the longest caption on one line, within reason.
    let longest = sheet.rows.map { caption.width(of: String($0.caption.prefix(80))) }.max() ?? 0
    captionWidth = min(max(longest.rounded(.up), 110), 210)
    realX = Self.margin + captionWidth + Self.captionGap
    samplesX = hasReal ? realX + tileSide + Self.realGap : realX
    let samples = Double(max(sheet.rows.map(\.samples.count).max() ?? 0, 1))
    width = samplesX + samples * (tileSide + Self.tileGap) - Self.tileGap + Self.margin

    titleBaseline = Self.margin + title.capitalHeight
    subtitleBaseline = titleBaseline + (sheet.subtitle.isEmpty ? 0 : 23)
    headingBaseline = subtitleBaseline + 36
    firstRow = headingBaseline + 11
    let rows = Double(sheet.rows.count)
    height = firstRow + rows * (tileSide + Self.rowGap) - Self.rowGap + Self.margin
  }

  func rowTop(_ index: Int) -> Double { firstRow + Double(index) * (tileSide + Self.rowGap) }

  func sampleX(_ column: Int) -> Double { samplesX + Double(column) * (tileSide + Self.tileGap) }

  func captionLines(_ text: String) -> [String] {
    let most = max(1, Int((tileSide + 4) / caption.lineHeight))
    return caption.wrap(text, width: captionWidth, maximumLines: most)
  }
}
