import Files

/// An event of a run, marked on its curves.
struct RunMark: Equatable {
  /// The line of the log.
  let text: String
  /// Thousands of images seen by then.
  let kimg: Double

  /// Whether a line of the log is a warning or a rollback of the watchdog.
  static func isWarning(_ line: some StringProtocol) -> Bool {
    line.hasPrefix("warning: ") || isRollback(line)
  }

  /// Whether a line of the log is a rollback of the watchdog.
  static func isRollback(_ line: some StringProtocol) -> Bool { line.contains("; back to ") }

  /// The warnings, rollbacks and continuations in lines of a log, at most the last hundred.
  static func marks(in lines: [Substring]) -> [RunMark] {
    var kimg = 0.0
    var marks: [RunMark] = []
    for line in lines {
      if line.hasPrefix("tick ") {
        let words = line.split(separator: " ")
        guard words.count > 3, words[2] == "kimg", let number = Double(words[3]) else { continue }
        kimg = number
      } else if isWarning(line) || line.hasPrefix("continued at ") {
        marks.append(RunMark(text: String(line.prefix(300)), kimg: kimg))
      }
    }
    return marks.suffix(100)
  }
}
