import ArgumentParser
import Images
import Sampling
import Text

/// Refuses a number outside its range, naming flag, value and what is allowed.
///
/// - Throws: `ValidationError`, which the parser prints with the usage.
func refuse(_ number: some OptionNumber, unless range: OptionRange, flag: String) throws {
  if let complaint = range.complaint(about: number, of: flag) { throw ValidationError(complaint) }
}

/// A picture that the user named, turned as its file says.
///
/// - Throws: `SamplingError` naming the file and what is wrong with it.
func givenPicture(_ path: String) throws -> RGBImage {
  do throws(ImageError) {
    return try RGBImage(contentsOf: path, appliesOrientation: true)
  } catch {
    if case .file(let error) = error { throw error }
    throw SamplingError("\(path): \(error)")
  }
}
