import ArgumentParser
import Text

/// One option of packing, stated once.
///
/// From it come the flag with its help and default, what is allowed, and whether it was changed.
struct PackOption<Value: Equatable & Sendable>: AnyPackOption {
  typealias Path = any KeyPath<PackFlags, Value> & Sendable

  let name: String
  let summary: String
  let range: OptionRange?
  /// Its value when the flag is not given.
  let standard: Value
  private let path: Path
  private let number: @Sendable (Value) -> (value: Double, typed: String)?

  /// An option that is a number within limits.
  ///
  /// - Parameters:
  ///   - name: The long flag.
  ///   - summary: One sentence of help.
  ///   - standard: The default.
  ///   - path: The flag's property.
  ///   - range: What is allowed, in the unit of the flag.
  init(
    _ name: String,
    _ summary: String,
    _ standard: Value,
    _ path: Path,
    in range: OptionRange
  ) where Value: OptionNumber {
    (self.name, self.summary, self.standard, self.path) = (name, summary, standard, path)
    (self.range, number) = (range, { $0.typed })
  }

  /// An option that is no number: a word, a path, a switch.
  init(_ name: String, _ summary: String, _ standard: Value, _ path: Path) {
    (self.name, self.summary, self.standard, self.path) = (name, summary, standard, path)
    (range, number) = (nil, { _ in nil })
  }

  var standardText: String? { number(standard)?.typed }

  func check(in flags: PackFlags) throws {
    guard let range, let (value, typed) = number(flags[keyPath: path]), !range.contains(value)
    else { return }
    throw ValidationError(range.complaint("--" + name, typed))
  }

  func isChanged(in flags: PackFlags) -> Bool { flags[keyPath: path] != standard }
}

/// An option of packing, whatever its value is.
protocol AnyPackOption: Sendable {
  /// The long flag without dashes.
  var name: String { get }
  /// One sentence of help.
  var summary: String { get }
  /// What is allowed; `nil` for what is no number.
  var range: OptionRange? { get }
  /// The default as it is typed; `nil` for none, and for what is no number.
  var standardText: String? { get }

  /// Checks its value.
  ///
  /// - Throws: `ValidationError` naming flag, value and what is allowed.
  func check(in flags: PackFlags) throws

  /// Whether its value is another than the default.
  func isChanged(in flags: PackFlags) -> Bool
}
