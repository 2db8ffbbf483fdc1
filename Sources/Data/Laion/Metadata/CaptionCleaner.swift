import Text

/// Turns the alternative text of a web page into caption lines.
///
/// HTML entities are resolved, control and invisible formatting characters removed, white space
/// collapsed, empty lines dropped. The words stay as they are.
package enum CaptionCleaner {
  /// The clean lines of `text`, none of them empty.
  package static func lines(_ text: String) -> [String] {
    HTMLEntities.resolved(text)
      .split(whereSeparator: \.isNewline)
      .map { clean($0) }
      .filter { !$0.isEmpty }
  }

  private static func clean(_ line: Substring) -> String {
    var result = String.UnicodeScalarView()
    var pendingSpace = false
    for scalar in line.unicodeScalars {
      if scalar.properties.isWhitespace || scalar.value == 0x09 {
        pendingSpace = true
      } else if isVisible(scalar) {
        if pendingSpace, !result.isEmpty { result.append(" ") }
        pendingSpace = false
        result.append(scalar)
      }
    }
    return String(result)
  }

  private static func isVisible(_ scalar: Unicode.Scalar) -> Bool {
    switch scalar.value {
    // Joiners change how letters and emoji combine, so they are kept.
    case 0x200C, 0x200D: true
    // Replacement characters are leftovers of a wrong encoding.
    case 0xFFFD: false
    // Tags spell the flags of England, Scotland and Wales.
    case 0xE0020...0xE007F: true
    default:
      switch scalar.properties.generalCategory {
      case .control, .format, .privateUse, .surrogate, .unassigned: false
      default: true
      }
    }
  }
}
