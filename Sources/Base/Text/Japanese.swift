/// Whether a text has kana or Chinese characters.
package func isJapanese(_ text: String) -> Bool {
  text.unicodeScalars.contains { scalar in
    (0x3040...0x30FF).contains(scalar.value) || (0x4E00...0x9FFF).contains(scalar.value)
  }
}
