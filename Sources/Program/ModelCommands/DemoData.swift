import ArgumentParser
import Console
import Demo

/// What the demonstration learns from.
enum DemoData: String, CaseIterable, ExpressibleByArgument {
  /// An emoji font without near copies.
  case emoji
  /// An emoji font, OpenMoji, clip art and stamps.
  case drawings

  /// The share of subjects that `drawings` hold out.
  static let heldOutSubjects = 0.05

  /// The pictures in their parts; says what was taken of which source.
  func materials() async throws -> DemoMaterials {
    switch self {
    case .emoji:
      return try DemoMaterials(EmojiCollection.installed().emoji.map { DemoPicture($0) })
    case .drawings:
      let drawings = try await DrawingCollection.installed()
      for line in drawings.report { Console.line(line) }
      var options = DemoMaterials.Options()
      options.heldOut = .subjects(Self.heldOutSubjects)
      return try DemoMaterials(drawings.pictures, options: options)
    }
  }
}
