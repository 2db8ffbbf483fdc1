/// An interpolation between several pictures, its stops, frame by frame.
package struct Walk: Sendable, Equatable {
  /// One frame: an interpolation between two stops.
  package struct Frame: Sendable, Equatable {
    /// The stop at share 0, by its number.
    package let from: Int
    /// The stop at share 1, by its number.
    package let to: Int
    /// The weight of the stop at share 1, 0 to 1.
    package let share: Double
  }

  /// The frames in their order.
  package let frames: [Frame]

  /// An interpolation at a constant pace.
  ///
  /// A loop goes from the last stop to the first again. Its last frame is one step before its first one, so
  /// that it can be repeated without a seam. A way without return ends on the last stop.
  ///
  /// - Parameters:
  ///   - stops: The number of stops, at least 2.
  ///   - framesOfLeg: Frames from a stop to the next one, at least 1.
  ///   - isLoop: Whether it returns to the first stop.
  package init(stops: Int, framesOfLeg: Int, isLoop: Bool) {
    precondition(stops >= 2 && framesOfLeg >= 1, "\(stops) stops, \(framesOfLeg) frames a leg")
    let legs = isLoop ? stops : stops - 1
    let moving = (0..<legs).flatMap { leg in
      (0..<framesOfLeg).map { step in
        Frame(
          from: leg,
          to: (leg + 1) % stops,
          share: Double(step) / Double(framesOfLeg)
        )
      }
    }
    frames = isLoop ? moving : moving + [Frame(from: stops - 2, to: stops - 1, share: 1)]
  }
}
