import JSON

/// One key of `training_options.json`, with its getter and setter.
struct OptionField: Sendable {
  /// The keys from the outermost on, joined by dots.
  let key: String
  /// The value; `nil` if the key is left out.
  let json: @Sendable (TrainingOptions) -> OptionValue?
  /// Sets a value; returns whether it was of the right kind.
  let take: @Sendable (inout TrainingOptions, OptionValue) -> Bool

  /// The keys from the outermost on.
  var path: [String] { key.split(separator: ".").map(String.init) }

  /// A key that stands for one option.
  ///
  /// - Parameters:
  ///   - key: Keys joined by dots.
  ///   - option: The option.
  ///   - isWritten: Whether the key is written; always if not given.
  /// - Returns: The field.
  static func field<Value: JSONConvertible>(
    _ key: String,
    _ option: TrainingOption.Path<Value>,
    if isWritten: @escaping @Sendable (TrainingOptions) -> Bool = { _ in true }
  ) -> OptionField {
    OptionField(
      key: key,
      json: { isWritten($0) ? $0[keyPath: option].json : nil },
      take: { options, json in
        guard let value = Value(json: json) else { return false }
        options[keyPath: option] = value
        return true
      }
    )
  }

  /// A key that follows from other keys: it is written for the original, and only its kind is checked.
  static func derived<Value: JSONConvertible>(
    _ key: String,
    _ value: any KeyPath<TrainingOptions, Value> & Sendable
  ) -> OptionField {
    OptionField(
      key: key,
      json: { $0[keyPath: value].json },
      take: { _, json in Value(json: json) != nil }
    )
  }

  /// A key of the original without effect here.
  static func fixed(_ key: String, _ value: OptionValue) -> OptionField {
    OptionField(key: key, json: { _ in value }, take: { _, _ in true })
  }
}
