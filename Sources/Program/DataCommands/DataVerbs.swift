package import ArgumentParser

/// The verbs that move data and never compute.
///
/// They run without libtorch, which would cost each of their processes 100 MB and a quarter of a second.
package enum DataVerbs {
  /// All of them.
  package static var all: [any ParsableCommand.Type] { laion + [dataset, fetch] }

  #if COMPUTE_ONLY
  /// Package.swift says what programs for checks leave out.
  package static var laion: [any ParsableCommand.Type] { [] }
  #else
  /// `nifty laion`.
  package static var laion: [any ParsableCommand.Type] { [LaionCommand.self] }
  #endif
  /// `nifty dataset`.
  package static var dataset: any ParsableCommand.Type { DatasetCommand.self }
  /// `nifty fetch`.
  package static var fetch: any ParsableCommand.Type { FetchCommand.self }

  /// Whether a command line asks for one of them.
  ///
  /// - Parameter arguments: The words behind the program's name.
  /// - Returns: Whether the first of them is one's name.
  package static func include(_ arguments: some Collection<String>) -> Bool {
    all.contains { $0.configuration.commandName == arguments.first }
  }
}
