/// The version of nifty: what `--version`, the User-Agent and the notes in snapshots say.
package enum Version {
  /// As in semantic versioning (semver.org).
  package static let number = "0.2.0"

  /// What the program says of itself to servers.
  package static let userAgent = "nifty/\(number)"
}
