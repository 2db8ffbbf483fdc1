package import Testing

extension Tag {
  /// Runs for minutes when it runs in full.
  @Tag package static var slow: Self
}

/// Reads damaged inputs; `part` of them at least must be refused, and one at least accepted, or
/// nothing but the first check would be tested.
package func expectSafe(
  _ inputs: DamagedInputs,
  _ few: Int,
  refused part: Double,
  _ what: String = #function,
  sourceLocation: SourceLocation = #_sourceLocation,
  _ body: ([UInt8]) throws -> Void
) {
  let report = inputs.read(few, body)
  print("fuzz: \(what): \(report)")
  #expect(
    Double(report.refused) > part * Double(report.inputs) && report.refused < report.inputs,
    sourceLocation: sourceLocation
  )
  // Other tests run beside, and take memory and processor: the bounds are far above any input's.
  #expect(report.slowest < .seconds(5), sourceLocation: sourceLocation)
  #expect(report.peakGrowth < 512 << 20, sourceLocation: sourceLocation)
}
