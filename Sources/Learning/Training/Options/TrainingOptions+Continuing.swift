import JSON

extension TrainingOptions {
  /// Keys of the options that a continued run may change.
  private static let changeable = Set(
    TrainingOption.all.filter { $0.continuing == .mayChange }.flatMap(\.fields).map(\.key)
  )

  /// Prepares the options for continuing a run, whose name and folder they take.
  ///
  /// - Parameters:
  ///   - earlier: The run's own options.
  ///   - folder: Its folder.
  /// - Throws: `TrainingError.option` naming the first key whose value may not change.
  package mutating func `continue`(
    _ earlier: TrainingOptions,
    in folder: String
  ) throws(TrainingError) {
    named = earlier.named
    outdir = folder.lastIndex(of: "/").map { String(folder[..<$0]) } ?? "."
    let (old, new) = (earlier.json(runFolder: ""), json(runFolder: ""))
    guard let (key, before, after) = Self.firstDifference(old, new, path: "") else { return }
    throw .option(
      "--continue keeps the options of \(folder): \(key) is \(before) there, not \(after); "
        + "to change it start a new run, with --resume from a snapshot"
    )
  }

  private static func firstDifference(
    _ old: OptionValue,
    _ new: OptionValue,
    path: String
  ) -> (key: String, before: String, after: String)? {
    if old == new || changeable.contains(path) { return nil }
    guard case .dictionary(let a) = old, case .dictionary(let b) = new else {
      return (path, old.json, new.json)
    }
    for key in a.map(\.key) + b.map(\.key).filter({ old[$0] == nil }) {
      let inner = path.isEmpty ? key : "\(path).\(key)"
      let (before, after) = (old[key] ?? .null, new[key] ?? .null)
      if let found = firstDifference(before, after, path: inner) { return found }
    }
    return nil
  }
}
