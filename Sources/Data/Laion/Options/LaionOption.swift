package import Text

/// One option of a download, stated once.
///
/// From it come the flag with its help and default, what is allowed, and the message about what is not.
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
  ///   - discussion: What the full help adds.
  ///   - path: Where its value is kept.
  ///   - mirrors: Where it is kept, too.
  ///   - range: What is allowed, in the unit of the flag.
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

  /// A number within limits that has no flag.
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

  /// A flag that counts, and that no setting keeps by itself.
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
  ///   - discussion: What the full help adds.
  ///   - read: Its value in a configuration.
  ///   - write: Takes a value.
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

  /// Takes a value, which `LaionConfiguration.validate` checks.
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

/// An option of a download, whatever its value is.
package protocol AnyLaionOption: Sendable {
  /// The long flag without dashes; for what has no flag, where the configuration keeps it.
  var name: String { get }
  /// One sentence of help; empty if there is no flag.
  var summary: String { get }
  /// What the full help adds.
  var discussion: String { get }
  /// What is allowed; `nil` for what is no number.
  var range: OptionRange? { get }
  /// The default as it is typed; `nil` for none, and for what is no number.
  var standardText: String? { get }

  /// Checks its value in a configuration.
  ///
  /// - Throws: `LaionError.option` naming flag, value and what is allowed.
  func check(in settings: LaionConfiguration) throws(LaionError)
}

extension AnyLaionOption {
  /// Whether there is a flag.
  package var hasFlag: Bool { !summary.isEmpty }

  /// What the command line calls it; where the configuration keeps it, if there is no flag.
  package var flag: String { hasFlag ? "--" + name : name }
}
