/// The key pair that signs requests, with the token of a session.
///
/// What prints it, by description or by reflection, prints where it comes from and nothing else.
package struct Credentials: Sendable, CustomStringConvertible, CustomDebugStringConvertible,
  CustomReflectable
{
  let accessKey: String
  let secret: String
  let token: String?
  /// Where they come from, in words.
  package let source: String

  /// Credentials, without blanks around them.
  ///
  /// - Throws: `StoreError` for characters that no credential has: they could not be sent in a header.
  package init(
    accessKey: String,
    secret: String,
    token: String? = nil,
    source: String
  ) throws(StoreError) {
    for (name, text) in [("key id", accessKey), ("secret", secret), ("token", token ?? "x")] {
      guard !text.isEmpty, text.utf8.allSatisfy({ (0x21...0x7E).contains($0) }) else {
        throw StoreError(
          .settings,
          "the \(name) of the credentials from \(source) is empty, or has a blank or a character that is "
            + "not ASCII"
        )
      }
    }
    (self.accessKey, self.secret, self.token, self.source) = (accessKey, secret, token, source)
  }

  package var description: String { "credentials from \(source)" }
  package var debugDescription: String { description }
  package var customMirror: Mirror { Mirror(self, children: ["source": source]) }

  /// A text of a server without what only we may know: it may send back what it was sent.
  func redacting(_ text: String) -> String {
    [secret, token, accessKey].compactMap { $0 }.reduce(text) { $0.replacing($1, with: "…") }
  }
}
