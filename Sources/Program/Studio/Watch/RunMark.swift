import Files

/// Something that happened in a run and is marked on its curves.
struct RunMark: Equatable {
  /// What happened.
  let text: String
  /// Thousands of images seen then.
  let kimg: Double

  /// Whether a line of the log tells of an alarm of the watchdog.
  static func isWarning(_ line: some StringProtocol) -> Bool {
    line.hasPrefix("warning: ") || isRollback(line)
  }

  /// Whether a line of the log tells that the watchdog took the run back.
  static func isRollback(_ line: some StringProtocol) -> Bool { line.contains("; back to ") }

  /// The alarms, rollbacks and continuations in lines of a log, at most the last hundred.
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
