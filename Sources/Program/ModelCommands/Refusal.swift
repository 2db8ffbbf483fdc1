import ArgumentParser
import Text

/// Refuses a number outside its range, naming flag, value and what is allowed.
///
/// - Throws: `ValidationError`, which the parser prints with the usage.
func refuse(_ number: some OptionNumber, unless range: OptionRange, flag: String) throws {
  if let complaint = range.complaint(about: number, of: flag) { throw ValidationError(complaint) }
}
