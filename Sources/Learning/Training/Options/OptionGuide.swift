import Text

/// The flags of `nifty train` as the migration guide lists them: a Markdown table of flag, default,
/// allowed values and meaning.
package func guideTable() -> String {
  let rows = TrainingOption.all.filter(\.hasFlag).map { option in
    let shown = option.defaultText.map { $0.contains(" ") ? $0 : "`\($0)`" } ?? "–"
    let meaning = (option.isOurs ? "ours: " : "") + option.meaning
    return "| `\(option.name)` | \(shown) | \(option.range?.text ?? "–") | \(meaning) |"
  }
  return (["| option | default | allowed | meaning |", "|---|---|---|---|"] + rows)
    .joined(separator: "\n")
}

extension TrainingOption {
  /// The guide's text on the option.
  fileprivate var meaning: String {
    if let guide { return guide }
    let line = summary.split(separator: "\n").joined(separator: " ")
    let sentence = line.hasSuffix(".") ? String(line.dropLast()) : line
    // "CLIP" stays as it is.
    let isName = sentence.dropFirst().first?.isUppercase == true
    return isName ? sentence : sentence.prefix(1).lowercased() + sentence.dropFirst()
  }
}
