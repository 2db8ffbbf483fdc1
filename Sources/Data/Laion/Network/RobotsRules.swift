/// The rules of a site's `robots.txt` that apply to us (RFC 9309).
///
/// They are those of the groups that name our product token, else those of the groups for all robots.
package struct RobotsRules: Equatable, Sendable {
  private struct Rule: Equatable {
    let allows: Bool
    /// A path pattern, in which `*` stands for any characters and a final `$` for the end.
    let pattern: [UInt8]
  }

  private var rules: [Rule] = []

  /// The limit on a file in bytes, the least that RFC 9309 (section 2.5) asks for.
  package static let maximumBytes = 500 << 10
  // Bound memory, and the time of a match, which grows with starred patterns times path at worst.
  private static let maximumPattern = 512
  private static let maximumPatterns = 128 << 10
  private static let maximumStarredPatterns = 16 << 10

  /// Rules that allow everything, as a site without the file has them.
  package static let allowingAll = RobotsRules()

  private init() {}

  /// Reads a file.
  ///
  /// - Parameters:
  ///   - bytes: The file, or its beginning; may be anything.
  ///   - agent: Our product token, without version.
  package init(_ bytes: some Collection<UInt8>, agent: String) {
    var (ours, everyones) = (Group(), Group())
    // Whether the current group names us, names all; and whether its list of names continues.
    var (isOurs, isEveryones, namesGoOn) = (false, false, false)
    let text = bytes.prefix(Self.maximumBytes)
    for line in text.split(whereSeparator: { $0 == 0x0A || $0 == 0x0D }) {
      guard let (key, value) = Self.field(line.prefix(Self.maximumPattern)) else { continue }
      switch key {
      case "user-agent":
        if !namesGoOn { (isOurs, isEveryones) = (false, false) }
        namesGoOn = true
        if value == "*" { isEveryones = true }
        if Self.token(value) == agent.lowercased() { isOurs = true }
        ours.exists = ours.exists || isOurs
      case "allow", "disallow":
        namesGoOn = false
        guard let rule = Self.rule(key, value) else { continue }
        if isOurs { ours.append(rule) }
        if isEveryones { everyones.append(rule) }
      default:
        continue
      }
    }
    rules = ours.exists ? ours.rules : everyones.rules
  }

  /// Whether a path with its query may be requested: the longest rule that fits decides, and
  /// `Allow` between equals.
  package func allow(_ target: String) -> Bool {
    if target == "/robots.txt" { return true }
    let target = Self.withoutDots(Self.normalised(Array(target.utf8)))
    var best: Rule?
    for rule in rules where Self.matches(rule.pattern, target) {
      let length = best?.pattern.count ?? -1
      if rule.pattern.count > length || rule.pattern.count == length && rule.allows { best = rule }
    }
    return best?.allows ?? true
  }

  /// Approximate memory in bytes.
  var size: Int { rules.reduce(64) { $0 + $1.pattern.count + 48 } }

  private struct Group {
    var exists = false
    private(set) var rules: [Rule] = []
    private var size = 0
    private var starredSize = 0

    mutating func append(_ rule: Rule) {
      let cost = rule.pattern.count + 16
      size += cost
      if rule.pattern.contains(0x2A) { starredSize += cost }
      if size <= maximumPatterns, starredSize <= maximumStarredPatterns { rules.append(rule) }
    }
  }

  private static func field(_ line: some Collection<UInt8>) -> (key: String, value: String)? {
    guard let colon = line.firstIndex(of: 0x3A) else { return nil }
    let key = String(decoding: line[..<colon], as: UTF8.self)
      .filter { !$0.isWhitespace && $0 != "\u{FEFF}" }
    let value = line[line.index(after: colon)...]
      .prefix { $0 != 0x23 }
      .split { $0 == 0x20 || $0 == 0x09 }
      .first
    return (key.lowercased(), value.map { String(decoding: $0, as: UTF8.self) } ?? "")
  }

  private static func token(_ name: String) -> String {
    name.prefix { $0.isLetter || $0 == "-" || $0 == "_" }.lowercased()
  }

  // An empty `Disallow` forbids nothing, an empty `Allow` says nothing.
  private static func rule(_ key: String, _ value: String) -> Rule? {
    let pattern = normalised(Array(value.utf8.prefix(maximumPattern)))
    return pattern.isEmpty ? nil : Rule(allows: key == "allow", pattern: pattern)
  }

  // Paths are compared in one form (RFC 9309, section 2.2.2): bytes beyond ASCII as percent escapes in
  // capitals, and needless escapes decoded.
  private static func normalised(_ bytes: [UInt8]) -> [UInt8] {
    let digits = Array("0123456789ABCDEF".utf8)
    func escape(_ byte: UInt8) -> [UInt8] {
      [0x25, digits[Int(byte >> 4)], digits[Int(byte & 15)]]
    }
    var result: [UInt8] = []
    var index = 0
    while index < bytes.count {
      if bytes[index] == 0x25, let byte = escaped(bytes[(index + 1)...].prefix(2)) {
        result += isUnreserved(byte) ? [byte] : escape(byte)
        index += 3
      } else {
        result += bytes[index] < 0x80 ? [bytes[index]] : escape(bytes[index])
        index += 1
      }
    }
    return result
  }

  private static func escaped(_ text: ArraySlice<UInt8>) -> UInt8? {
    let digits = text.compactMap { Character(Unicode.Scalar($0)).hexDigitValue }
    return digits.count == 2 ? UInt8(digits[0] << 4 | digits[1]) : nil
  }

  // RFC 3986, section 2.3.
  private static func isUnreserved(_ byte: UInt8) -> Bool {
    switch byte {
    case 0x30...0x39, 0x41...0x5A, 0x61...0x7A, 0x2D, 0x2E, 0x5F, 0x7E: true
    default: false
    }
  }

  /// The path without dot segments, as the server will understand it (RFC 3986, section 5.2.4).
  private static func withoutDots(_ target: [UInt8]) -> [UInt8] {
    let end = target.firstIndex(of: 0x3F) ?? target.count
    var segments: [ArraySlice<UInt8>] = []
    let parts = target[..<end].split(separator: 0x2F, omittingEmptySubsequences: false).dropFirst()
    for (index, part) in parts.enumerated() {
      let isDots = part.elementsEqual([0x2E, 0x2E])
      if isDots { _ = segments.popLast() }
      if !isDots, !part.elementsEqual([0x2E]) {
        segments.append(part)
      }
      // A final dot segment names a folder.
      else if index == parts.count - 1 {
        segments.append([])
      }
    }
    return segments.flatMap { [0x2F] + $0 } + target[end...]
  }

  /// Whether `pattern` fits a beginning of `target`; takes time in proportion to their product at most.
  private static func matches(_ pattern: [UInt8], _ target: [UInt8]) -> Bool {
    var (p, t) = (0, 0)
    // The backtracking point: where matching resumes when the rest after the last star fails here.
    var star: (pattern: Int, target: Int)?
    while true {
      if p == pattern.count { return true }
      if pattern[p] == 0x24, p == pattern.count - 1, t == target.count { return true }
      if pattern[p] == 0x2A {
        star = (p + 1, t)
        p += 1
      } else if t < target.count, pattern[p] == target[t] {
        (p, t) = (p + 1, t + 1)
      } else if let last = star, last.target < target.count {
        star = (last.pattern, last.target + 1)
        (p, t) = (last.pattern, last.target + 1)
      } else {
        return false
      }
    }
  }
}
