import Console
import Text

extension ResumableDownload {
  /// Downloads the file and shows the progress on the console.
  ///
  /// - Parameter name: What is downloaded, for the line of progress.
  /// - Returns: The SHA-256 of the whole file.
  /// - Throws: As `run(progress:)`.
  package func run(shownAs name: String) async throws -> String {
    try await run { done, total in
      let whole = total.map { "/\(Text.number(Double($0) / 1e6))" } ?? ""
      Console.progress("\(name)  \(Text.number(Double(done) / 1e6))\(whole) MB")
    }
  }
}
