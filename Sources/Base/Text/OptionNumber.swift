/// A number, or none, as an option may be.
package protocol OptionNumber: SendableMetatype {
  /// The number, and how it is typed; `nil` for none.
  var typed: (value: Double, typed: String)? { get }
}

extension Int: OptionNumber {
  package var typed: (value: Double, typed: String)? { (Double(self), String(self)) }
}

extension Double: OptionNumber {
  package var typed: (value: Double, typed: String)? { (self, Text.typed(self)) }
}

extension Optional: OptionNumber where Wrapped: OptionNumber {
  package var typed: (value: Double, typed: String)? { self?.typed }
}

extension OptionRange {
  /// What is wrong with a number given by a flag; `nil` if it is allowed, and for none.
  package func complaint(about number: some OptionNumber, of flag: String) -> String? {
    number.typed.flatMap { contains($0.value) ? nil : complaint(flag, $0.typed) }
  }
}
