/// A drawing primitive, rendered as pixels or as SVG.
enum Mark: Sendable {
  case rectangle(Rectangle, Color, radius: Double)
  case line([Point], Color, width: Double, dash: (on: Double, off: Double)?)
  case circle(Point, radius: Double, Color)
  case text(String, Point, TextStyle, Color, TextAnchor)
}

/// Marks on white paper, in the order in which they are drawn.
struct Drawing: Sendable {
  let width: Double
  let height: Double
  private(set) var marks: [Mark] = []

  init(width: Double, height: Double) {
    self.width = width
    self.height = height
  }

  mutating func add(_ mark: Mark) { marks.append(mark) }

  /// The drawing in pixels.
  ///
  /// - Throws: `ImageError.cannotDraw` where there is no memory for them.
  func rendered(scale: Double) throws(ImageError) -> RGBImage {
    var canvas = try Canvas(width: width, height: height, scale: scale, background: Palette.paper)
    for mark in marks {
      switch mark {
      case .rectangle(let rectangle, let color, let radius):
        canvas.fill(rectangle, color, radius: radius)
      case .line(let points, let color, let width, let dash):
        canvas.line(points, color, width: width, dash: dash)
      case .circle(let center, let radius, let color):
        canvas.fillCircle(at: center, radius: radius, color)
      case .text(let text, let point, let style, let color, let anchor):
        canvas.text(text, at: point, style, color, anchor: anchor)
      }
    }
    return try canvas.finished()
  }

  /// The drawing as an SVG document; all text is escaped.
  func svg(describedAs description: String) -> String {
    let size = "\(number(width)) \(number(height))"
    var lines = [
      "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 \(size)\" width=\"\(number(width))\""
        + " height=\"\(number(height))\" role=\"img\" aria-label=\"\(escaped(description))\""
        + " font-family=\"'Open Sans', 'Noto Sans', 'DejaVu Sans', 'VL PGothic', sans-serif\">",
      "<rect width=\"100%\" height=\"100%\" fill=\"\(Palette.paper.css)\"/>",
    ]
    lines += marks.map(svg)
    lines.append("</svg>")
    return lines.joined(separator: "\n") + "\n"
  }

  private func svg(_ mark: Mark) -> String {
    switch mark {
    case .rectangle(let r, let color, let radius):
      return "<rect x=\"\(number(r.x))\" y=\"\(number(r.y))\" width=\"\(number(r.width))\""
        + " height=\"\(number(r.height))\" rx=\"\(number(radius))\" fill=\"\(color.css)\"/>"
    case .line(let points, let color, let width, let dash):
      let path = points.map { "\(number($0.x)),\(number($0.y))" }.joined(separator: " ")
      let dashes =
        dash.map { " stroke-dasharray=\"\(number($0.on)) \(number($0.off))\"" } ?? ""
      return "<polyline points=\"\(path)\" fill=\"none\" stroke=\"\(color.css)\""
        + " stroke-width=\"\(number(width))\" stroke-linejoin=\"round\"\(dashes)/>"
    case .circle(let center, let radius, let color):
      return "<circle cx=\"\(number(center.x))\" cy=\"\(number(center.y))\""
        + " r=\"\(number(radius))\" fill=\"\(color.css)\"/>"
    case .text(let text, let point, let style, let color, let anchor):
      let weight = style.weight == .bold ? " font-weight=\"600\"" : ""
      return "<text x=\"\(number(point.x))\" y=\"\(number(point.y))\""
        + " font-size=\"\(number(style.size))\"\(weight) fill=\"\(color.css)\""
        + " text-anchor=\"\(anchor.rawValue)\">\(escaped(text))</text>"
    }
  }

  /// At most two decimals, without a trailing zero.
  private func number(_ value: Double) -> String {
    let hundredths = (value * 100).rounded() / 100
    return hundredths == hundredths.rounded() ? String(Int(hundredths)) : String(hundredths)
  }

  /// Safe inside an element and inside a quoted attribute; characters that XML forbids are left out.
  private func escaped(_ text: String) -> String {
    var result = ""
    for scalar in text.unicodeScalars {
      switch scalar {
      case "&": result += "&amp;"
      case "<": result += "&lt;"
      case ">": result += "&gt;"
      case "\"": result += "&quot;"
      case "\t", "\n", "\r": result += " "
      case "\u{fffe}", "\u{ffff}": break
      default: if scalar.value >= 0x20 { result.unicodeScalars.append(scalar) }
      }
    }
    return result
  }
}
