package import JSON
package import Text

/// One option of a training run, stated once.
///
/// It gives the flag with its help and default, the keys of `training_options.json`, the allowed range, the
/// rule of `--continue`, and the row of the migration guide.
package struct TrainingOption: Sendable {
  typealias Path<Value> = any WritableKeyPath<TrainingOptions, Value> & Sendable

  /// The help's text on the default.
  package enum Default: Sendable {
    /// Nothing.
    case unsaid
    /// The default's value.
    case value
    /// The default's value, and something about it.
    case valueAnd(String)
    /// A default that depends on other values, in words.
    case words(String)
  }

  /// Whether `--continue` may change it.
  package enum Continuing: Sendable {
    /// No: it decides what a run computes.
    case stays
    /// Yes.
    case mayChange
  }

  /// The long flag without dashes; the key, for an option of files alone.
  package let name: String
  /// Whether there is a flag.
  package let hasFlag: Bool
  /// One sentence about it.
  package let summary: String
  /// The guide's own text, in Markdown.
  let guide: String?
  /// Whether the original lacks it.
  let isOurs: Bool
  /// The allowed range.
  package let range: OptionRange?
  /// Whether `--continue` may change it.
  package let continuing: Continuing
  /// Its keys in `training_options.json`.
  let fields: [OptionField]
  /// The part of the run folder's name that shows the option.
  let part: NamedPart?
  private let shown: Default
  /// Its values in the unit of the flag; one, unless the file has several.
  private let values: @Sendable (TrainingOptions) -> [OptionValue]
  private let take: (@Sendable (inout TrainingOptions, OptionValue) -> Bool)?

  /// An option that is kept in `TrainingOptions`.
  ///
  /// - Parameters:
  ///   - name: The long flag; the key, if there is no flag.
  ///   - summary: One sentence; empty if there is no flag.
  ///   - path: The property of its value.
  ///   - mirrors: Further properties of the same value.
  ///   - key: Its key in the file.
  ///   - fields: Further keys.
  ///   - range: The allowed range, in the unit of the flag.
  ///   - factor: Stored units per unit of the flag.
  ///   - shown: The help's text on the default.
  ///   - part: The part of the run folder's name that shows the option.
  ///   - continuing: Whether `--continue` may change it.
  ///   - isOurs: Whether the original lacks it.
  ///   - guide: The guide's own text instead of the summary.
  init<Value: JSONConvertible>(
    _ name: String,
    _ summary: String,
    _ path: Path<Value>,
    _ mirrors: [Path<Value>] = [],
    key: String? = nil,
    fields: [OptionField] = [],
    in range: OptionRange? = nil,
    times factor: Double? = nil,
    default shown: Default = .value,
    named part: NamedPart? = nil,
    continuing: Continuing = .stays,
    ours isOurs: Bool = false,
    guide: String? = nil
  ) {
    self.name = name
    self.summary = summary
    hasFlag = !summary.isEmpty
    self.guide = guide
    self.isOurs = isOurs
    self.range = range
    self.continuing = continuing
    self.fields = (key.map { [.field($0, path)] } ?? []) + fields
    self.part = part
    self.shown = shown
    let paths = [path] + mirrors
    values = { options in
      paths.map { path in
        let json = options[keyPath: path].json
        guard let factor, let value = json.double else { return json }
        return .double(value / factor)
      }
    }
    take = { options, json in
      var json = json
      if let factor, let value = json.double { json = .double(value * factor) }
      guard let value = Value(json: json) else { return false }
      for path in paths { options[keyPath: path] = value }
      return true
    }
  }

  /// An option of files alone, without a flag.
  ///
  /// - Parameters:
  ///   - key: Its key in the file.
  ///   - path: The property of its value.
  ///   - range: The allowed range.
  ///   - continuing: Whether `--continue` may change it.
  ///   - isWritten: Whether the key is written; always if not given.
  /// - Returns: The option.
  static func fileOnly<Value: JSONConvertible>(
    _ key: String,
    _ path: Path<Value>,
    in range: OptionRange? = nil,
    continuing: Continuing = .stays,
    if isWritten: @escaping @Sendable (TrainingOptions) -> Bool = { _ in true }
  ) -> TrainingOption {
    TrainingOption(
      key,
      "",
      path,
      fields: [.field(key, path, if: isWritten)],
      in: range,
      continuing: continuing
    )
  }

  /// A flag that is not stored by itself: its meaning depends on others, or it is no option of the run.
  init(
    flag name: String,
    _ summary: String,
    fields: [OptionField] = [],
    in range: OptionRange? = nil,
    default shown: Default = .unsaid,
    continuing: Continuing = .stays,
    ours isOurs: Bool = false,
    guide: String? = nil,
    value: @escaping @Sendable (TrainingOptions) -> OptionValue = { _ in .null }
  ) {
    (self.name, self.summary, hasFlag) = (name, summary, true)
    (self.guide, self.isOurs, self.range, self.continuing) = (guide, isOurs, range, continuing)
    (self.fields, part, self.shown, take) = (fields, nil, shown, nil)
    values = { [value($0)] }
  }
}

extension TrainingOption {
  /// Its name for users: the flag, else the key.
  package var flag: String { hasFlag ? "--" + name : name }

  /// The help's text on the default, if any.
  package var defaultText: String? {
    switch shown {
    case .unsaid: nil
    case .words(let text): text
    case .value: text(Self.standard)
    case .valueAnd(let remark): text(Self.standard).map { "\($0), \(remark)" }
    }
  }

  /// The help of its flag.
  package var help: String { summary + (defaultText.map { " (default: \($0))" } ?? "") }

  /// Checks a value in the unit of the flag.
  ///
  /// - Throws: `TrainingError.option` naming flag, value and what is allowed.
  func check(_ value: OptionValue) throws(TrainingError) {
    guard let range, let number = value.double, !range.contains(number) else { return }
    throw .option(range.complaint(flag, Self.text(value)))
  }

  /// Checks its values of a run.
  ///
  /// - Throws: `TrainingError.option` naming flag, value and what is allowed.
  func check(in options: TrainingOptions) throws(TrainingError) {
    for value in values(options) { try check(value) }
  }

  /// Sets its value.
  ///
  /// - Returns: Whether the value is of the right kind.
  @discardableResult
  func set(_ options: inout TrainingOptions, _ value: OptionValue) -> Bool {
    guard let take else { return true }
    guard take(&options, value) else { return false }
    if let part { options.note(part) }
    return true
  }

  /// Its value in the unit of the flag.
  package func value(in options: TrainingOptions) -> OptionValue { values(options)[0] }

  private func text(_ options: TrainingOptions) -> String? {
    let value = value(in: options)
    return value == .null ? nil : Self.text(value)
  }

  /// A value as it is typed.
  static func text(_ value: OptionValue) -> String {
    switch value {
    case .bool(let isOn): isOn ? "1" : "0"
    case .int(let number): String(number)
    case .double(let number): Text.typed(number)
    case .string(let text): text
    default: value.json
    }
  }

  /// The options whose values the help shows as defaults.
  private static let standard = TrainingOptions.automatic(
    resolution: 256,
    featureDimension: 512,
    reducedPrecision: true
  )
}
