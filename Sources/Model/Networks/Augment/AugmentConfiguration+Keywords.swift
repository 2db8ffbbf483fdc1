extension AugmentConfiguration {
  /// The original's keyword of each transform with its multiplier, in its order.
  public static var multipliers: [(keyword: String, path: WritableKeyPath<Self, Double>)] {
    [
      ("xflip", \.xFlip), ("rotate90", \.rotate90), ("xint", \.xInt), ("scale", \.scale),
      ("rotate", \.rotate), ("aniso", \.aniso), ("xfrac", \.xFrac), ("brightness", \.brightness),
      ("contrast", \.contrast), ("lumaflip", \.lumaFlip), ("hue", \.hue),
      ("saturation", \.saturation), ("imgfilter", \.imageFilter), ("noise", \.noise),
      ("cutout", \.cutout),
    ]
  }

  /// A configuration from multipliers by keyword; what is not named is left out.
  ///
  /// - Parameter keywords: As in the original's `augment_kwargs`; an unknown one gives `nil`.
  public init?(keywords: [String: Double]) {
    self.init()
    for (keyword, value) in keywords {
      guard let path = Self.multipliers.first(where: { $0.keyword == keyword })?.path else {
        return nil
      }
      self[keyPath: path] = value
    }
  }

  /// The multipliers in use by keyword.
  public var keywords: [String: Double] {
    let used = Self.multipliers.filter { self[keyPath: $0.path] != 0 }
    return Dictionary(uniqueKeysWithValues: used.map { ($0.keyword, self[keyPath: $0.path]) })
  }

  /// The name of the published set with these transforms, or `custom`.
  public var name: String {
    Self.names.first { Self(named: $0) == self } ?? "custom"
  }
}
