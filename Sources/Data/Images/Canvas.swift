import CImages

/// Where text lies relative to its point.
package enum TextAnchor: String, Sendable {
  /// The text begins at the point.
  case start
  /// The point is the middle of the baseline.
  case middle
  /// The text ends at the point.
  case end
}

/// A picture that is drawn on: rectangles, lines, circles, text and other pictures, anti-aliased.
///
/// Coordinates are in points from the left upper corner; `scale` pixels make a point, so that the
/// same drawing comes out at any resolution.
package struct Canvas: Sendable {
  /// What has been drawn so far.
  package private(set) var image: RGBImage
  /// Pixels per point.
  package let scale: Double
  /// Whether the system refused the memory for a part of the drawing.
  private var isIncomplete = false

  /// An empty canvas of at least one pixel.
  ///
  /// - Throws: `ImageError.cannotDraw` if it would have more pixels than a PNG file can, or there is no
  ///   memory for them.
  package init(
    width: Double,
    height: Double,
    scale: Double = 2,
    background: Color = .white
  ) throws(ImageError) {
    precondition(scale > 0, "canvas scale \(scale)")
    self.scale = scale
    let (width, height) = (max(1, (width * scale).rounded()), max(1, (height * scale).rounded()))
    guard 3 * width * height <= Self.mostBytes, cimages_has_memory(Int(3 * width * height)) else {
      let pixels = { (side: Double) in side < 1e9 ? Int(side) : Int(1e9) }
      throw .cannotDraw(width: pixels(width), height: pixels(height))
    }
    image = RGBImage(width: Int(width), height: Int(height), filledWith: background)
  }

  /// What `RGBImage.encodedPNG` takes.
  private static let mostBytes = Double(1 << 30)

  /// The whole drawing.
  ///
  /// - Throws: `ImageError.cannotDraw` if there was no memory for a part of it.
  package func finished() throws(ImageError) -> RGBImage {
    if isIncomplete {
      throw .cannotDraw(width: image.width, height: image.height)
    }
    return image
  }

  /// Fills a rectangle, with rounded corners where `radius` is above 0.
  package mutating func fill(
    _ rectangle: Rectangle,
    _ color: Color,
    radius: Double = 0,
    opacity: Double = 1
  ) {
    var outline = Outline()
    outline.addPolygon(rectangle.corners(radius: radius), scale: scale)
    fill(outline, color, opacity: opacity)
  }

  /// Fills a circle.
  package mutating func fillCircle(at center: Point, radius: Double, _ color: Color) {
    var outline = Outline()
    outline.addPolygon(circle(center, radius: radius), scale: scale)
    fill(outline, color)
  }

  /// Draws a line through points.
  ///
  /// - Parameters:
  ///   - points: At least two, else nothing is drawn.
  ///   - color: Its colour.
  ///   - width: Its width in points.
  ///   - dash: Lengths of dash and gap in points; nil for a solid line.
  package mutating func line(
    _ points: [Point],
    _ color: Color,
    width: Double,
    dash: (on: Double, off: Double)? = nil
  ) {
    for part in dash.map({ dashes(points, $0) }) ?? [points] {
      if part.count == 2, part[0].x == part[1].x || part[0].y == part[1].y {
        fillStraight(part[0], part[1], color, width: width)
      } else {
        stroke(part, color, width: width)
      }
    }
  }

  /// Draws one line of text.
  ///
  /// - Parameters:
  ///   - text: UTF-8 text, Latin or Japanese.
  ///   - point: Start, middle or end of the baseline, as `anchor` says.
  ///   - style: Size, strength and fonts.
  ///   - color: Its colour.
  ///   - anchor: What of the text lies at `point`.
  package mutating func text(
    _ text: String,
    at point: Point,
    _ style: TextStyle,
    _ color: Color,
    anchor: TextAnchor = .start
  ) {
    let shaped = style.shape(text)
    let shift =
      switch anchor {
      case .start: 0.0
      case .middle: shaped.width / 2
      case .end: shaped.width
      }
    var outline = Outline()
    let origin = Point(point.x - shift, point.y)
    shaped.add(to: &outline, at: origin, scale: scale, weight: style.weight)
    fill(outline, color)
  }

  /// Draws a picture, enlarged or reduced to fill `rectangle`, and rounds its corners.
  ///
  /// - Parameters:
  ///   - picture: The picture.
  ///   - rectangle: Where; moved to whole pixels.
  ///   - enlargement: How a picture with fewer pixels is enlarged.
  ///   - radius: Of the corners, in points.
  ///   - background: The colour outside of the rounded corners.
  package mutating func draw(
    _ picture: RGBImage,
    in rectangle: Rectangle,
    enlargement: Enlargement = .lanczos,
    radius: Double = 0,
    background: Color = .white
  ) {
    let width = max(1, Int((rectangle.width * scale).rounded()))
    let height = max(1, Int((rectangle.height * scale).rounded()))
    let x = Int((rectangle.x * scale).rounded())
    let y = Int((rectangle.y * scale).rounded())
    image.paste(picture.scaled(width: width, height: height, enlargement), x: x, y: y)
    guard radius > 0 else { return }
    let exact = Rectangle(
      x: Double(x) / scale,
      y: Double(y) / scale,
      width: Double(width) / scale,
      height: Double(height) / scale
    )
    // The rectangle with a rounded hole in it.
    var outline = Outline()
    outline.addPolygon(exact.corners(radius: 0), scale: scale)
    outline.addPolygon(exact.corners(radius: radius).reversed(), scale: scale)
    fill(outline, background)
  }

  /// An upright or level line, moved to whole pixels so that it is sharp.
  private mutating func fillStraight(_ a: Point, _ b: Point, _ color: Color, width: Double) {
    let thickness = max(1, (width * scale).rounded())
    let isLevel = a.y == b.y
    let across = ((isLevel ? a.y : a.x) * scale - thickness / 2).rounded() / scale
    let from = isLevel ? min(a.x, b.x) : min(a.y, b.y)
    let length = isLevel ? abs(a.x - b.x) : abs(a.y - b.y)
    fill(
      isLevel
        ? Rectangle(x: from, y: across, width: length, height: thickness / scale)
        : Rectangle(x: across, y: from, width: thickness / scale, height: length),
      color
    )
  }

  private mutating func stroke(_ points: [Point], _ color: Color, width: Double) {
    let coordinates = points.flatMap { [Float($0.x * scale), Float($0.y * scale)] }
    let size = (Int32(image.width), Int32(image.height))
    let lineWidth = Float(width * scale)
    let isDrawn = image.pixels.withUnsafeMutableBufferPointer { pixels in
      cimages_stroke(
        pixels.baseAddress,
        size.0,
        size.1,
        coordinates,
        points.count,
        lineWidth,
        color.red,
        color.green,
        color.blue
      )
    }
    if !isDrawn { isIncomplete = true }
  }

  private mutating func fill(_ outline: Outline, _ color: Color, opacity: Double = 1) {
    let width = Int32(image.width)
    let height = Int32(image.height)
    let isDrawn = image.pixels.withUnsafeMutableBufferPointer { pixels in
      cimages_fill(
        pixels.baseAddress,
        width,
        height,
        outline.segments,
        outline.segments.count,
        color.red,
        color.green,
        color.blue,
        Float(opacity)
      )
    }
    if !isDrawn { isIncomplete = true }
  }
}
