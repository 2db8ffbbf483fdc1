import CImages
import Glibc

/// A point on a drawing, in points, x to the right and y down.
package struct Point: Sendable, Hashable {
  /// To the right.
  package var x: Double
  /// Down.
  package var y: Double

  /// A point.
  package init(_ x: Double, _ y: Double) {
    self.x = x
    self.y = y
  }
}

/// An upright rectangle on a drawing, in points.
package struct Rectangle: Sendable, Hashable {
  /// The left edge.
  package var x: Double
  /// The upper edge.
  package var y: Double
  /// To the right of the left edge.
  package var width: Double
  /// Below the upper edge.
  package var height: Double

  /// A rectangle by its left upper corner and its size.
  package init(x: Double, y: Double, width: Double, height: Double) {
    self.x = x
    self.y = y
    self.width = width
    self.height = height
  }
}

/// Closed outlines, as the filling loop takes them.
///
/// Every shape here runs in the same direction, so that shapes that overlap unite.
struct Outline {
  private(set) var segments: [cimages_segment] = []

  /// Adds a polygon; the last corner is joined to the first.
  mutating func addPolygon(_ corners: [Point], scale: Double) {
    guard var previous = corners.last else { return }
    for corner in corners {
      segments.append(
        cimages_segment(
          x0: Float(previous.x * scale),
          y0: Float(previous.y * scale),
          x1: Float(corner.x * scale),
          y1: Float(corner.y * scale)
        )
      )
      previous = corner
    }
  }

  /// Adds a piece of an outline that the caller closes, in pixels.
  mutating func add(_ segment: cimages_segment) { segments.append(segment) }
}

extension Rectangle {
  /// The corners clockwise, replaced by arcs of `radius`.
  func corners(radius: Double) -> [Point] {
    let radius = min(radius, width / 2, height / 2)
    if radius <= 0 {
      return [
        Point(x, y), Point(x + width, y), Point(x + width, y + height), Point(x, y + height),
      ]
    }
    let centers = [
      Point(x + width - radius, y + radius), Point(x + width - radius, y + height - radius),
      Point(x + radius, y + height - radius), Point(x + radius, y + radius),
    ]
    let steps = 8
    return centers.enumerated().flatMap { quarter, center in
      (0...steps).map { step in
        let angle = (Double(quarter - 1) + Double(step) / Double(steps)) * .pi / 2
        return Point(center.x + radius * cos(angle), center.y + radius * sin(angle))
      }
    }
  }
}

/// A circle as a polygon of many sides, clockwise.
func circle(_ center: Point, radius: Double) -> [Point] {
  let sides = 48
  return (0..<sides).map { side in
    let angle = Double(side) / Double(sides) * 2 * .pi
    return Point(center.x + radius * cos(angle), center.y + radius * sin(angle))
  }
}

/// Cuts a line into dashes.
///
/// - Parameters:
///   - points: The line.
///   - dash: Length of a dash and of the gap behind it, in points.
/// - Returns: The dashes, each a line of its own.
func dashes(_ points: [Point], _ dash: (on: Double, off: Double)) -> [[Point]] {
  var result: [[Point]] = []
  var current: [Point] = points.first.map { [$0] } ?? []
  var isOn = true
  var remaining = dash.on
  for (start, end) in zip(points, points.dropFirst()) {
    let length = hypot(end.x - start.x, end.y - start.y)
    var position = 0.0
    while length - position > remaining {
      position += remaining
      let part = position / length
      let here = Point(start.x + (end.x - start.x) * part, start.y + (end.y - start.y) * part)
      if isOn { result.append(current + [here]) }
      current = [here]
      isOn.toggle()
      remaining = isOn ? dash.on : dash.off
    }
    remaining -= length - position
    current.append(end)
  }
  if isOn, current.count > 1 { result.append(current) }
  return result
}
