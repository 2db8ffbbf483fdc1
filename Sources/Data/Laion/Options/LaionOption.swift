package import Text

/// One option of a download, stated once.
///
/// It gives the flag with its help and default, the allowed range, and the error message.
package struct LaionOption<Value: Sendable>: AnyLaionOption {
  typealias Path = any WritableKeyPath<LaionConfiguration, Value> & Sendable

  package let name: String
  package let summary: String
  package let discussion: String
  package let range: OptionRange?
  private let number: @Sendable (Value) -> (value: Double, typed: String)?
  private let read: @Sendable (LaionConfiguration) -> Value
  private let write: @Sendable (inout LaionConfiguration, Value) -> Void

  private init(
    _ name: String,
    _ summary: String,
    _ discussion: String,
    _ range: OptionRange?,
    number: @escaping @Sendable (Value) -> (value: Double, typed: String)?,
    read: @escaping @Sendable (LaionConfiguration) -> Value,
    write: @escaping @Sendable (inout LaionConfiguration, Value) -> Void
  ) {
    (self.name, self.summary, self.discussion) = (name, summary, discussion)
    (self.range, self.number, self.read, self.write) = (range, number, read, write)
  }

  /// An option that is a number within limits.
  ///
  /// - Parameters:
  ///   - name: The long flag.
  ///   - summary: One sentence of help.
  ///   - discussion: Further text of the full help.
  ///   - path: The property of its value.
  ///   - mirrors: Further properties of the same value.
  ///   - range: The allowed range, in the unit of the flag.
  init(
    _ name: String,
    _ summary: String,
    discussion: String = "",
    _ path: Path,
    _ mirrors: [any WritableKeyPath<LaionConfiguration, Value?> & Sendable] = [],
    in range: OptionRange
  ) where Value: OptionNumber {
    self.init(
      name,
      summary,
      discussion,
      range,
      number: \.typed,
      read: { $0[keyPath: path] },
      write: { settings, value in
        settings[keyPath: path] = value
        for mirror in mirrors { settings[keyPath: mirror] = value }
      }
    )
  }

  /// A number within limits, without a flag.
  init(setting name: String, _ path: Path, in range: OptionRange) where Value: OptionNumber {
    self.init(name, "", path, in: range)
  }

  /// An option that is no number: a word, a list, a switch.
  init(_ name: String, _ summary: String, discussion: String = "", _ path: Path) {
    self.init(
      name,
      summary,
      discussion: discussion,
      read: { $0[keyPath: path] },
      write: { $0[keyPath: path] = $1 }
    )
  }

  /// A flag with a number that no setting keeps by itself.
  init(flag name: String, _ summary: String, discussion: String, in range: OptionRange)
  where Value == Int? {
    self.init(
      name,
      summary,
      discussion,
      range,
      number: \.typed,
      read: { _ in nil },
      write: { _, _ in }
    )
  }

  /// An option that several settings keep together.
  ///
  /// - Parameters:
  ///   - name: The long flag.
  ///   - summary: One sentence of help.
  ///   - discussion: Further text of the full help.
  ///   - read: Gets its value from a configuration.
  ///   - write: Sets its value in a configuration.
  init(
    _ name: String,
    _ summary: String,
    discussion: String = "",
    read: @escaping @Sendable (LaionConfiguration) -> Value,
    write: @escaping @Sendable (inout LaionConfiguration, Value) -> Void
  ) {
    self.init(name, summary, discussion, nil, number: { _ in nil }, read: read, write: write)
  }
}

extension LaionOption {
  /// Its value when the flag is not given.
  package var standard: Value { read(LaionConfiguration(metadata: "", output: "")) }

  package var standardText: String? {
    number(standard)?.typed
  }

  /// Sets a value, which `LaionConfiguration.validate` checks.
  package func set(_ settings: inout LaionConfiguration, _ value: Value) { write(&settings, value) }

  /// Checks a value.
  ///
  /// - Throws: `LaionError.option` naming flag, value and what is allowed.
  package func check(_ value: Value) throws(LaionError) {
    guard let range, let number = number(value), !range.contains(number.value) else { return }
    throw .option(range.complaint(flag, number.typed))
  }

  package func check(in settings: LaionConfiguration) throws(LaionError) {
    try check(read(settings))
  }
}

/// An option of a download, without the type of its value.
package protocol AnyLaionOption: Sendable {
  /// The long flag without dashes; without a flag, the path in the configuration.
  var name: String { get }
  /// One sentence of help; empty if there is no flag.
  var summary: String { get }
  /// Further text of the full help.
  var discussion: String { get }
  /// The allowed range; `nil` if the value is no number.
  var range: OptionRange? { get }
  /// The default as it is typed; `nil` if there is none or the value is no number.
  var standardText: String? { get }

  /// Checks its value in a configuration.
  ///
  /// - Throws: `LaionError.option` naming flag, value and what is allowed.
  func check(in settings: LaionConfiguration) throws(LaionError)
}

extension AnyLaionOption {
  /// Whether there is a flag.
  package var hasFlag: Bool { !summary.isEmpty }

  /// Its name for users: the flag, else the path in the configuration.
  package var flag: String { hasFlag ? "--" + name : name }
}
