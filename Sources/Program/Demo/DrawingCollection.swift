import Foundation
import Images

/// Pictures of three sources: an emoji font, the same things in OpenMoji's style, and clip art.
///
/// What a machine lacks is left out and named, as long as there is the font.
package struct DrawingCollection: Sendable {
  /// The pictures, source by source.
  package private(set) var pictures: [DemoPicture] = []
  /// A line for each source: what was taken, and what was left out and why.
  package private(set) var report: [String] = []

  /// Collects what is installed; takes a minute, because every drawing is looked at.
  ///
  /// - Throws: `DemoError` when the font or the names are missing, or a file is damaged.
  package static func installed() async throws -> DrawingCollection {
    var collection = DrawingCollection()
    var options = EmojiCollection.Options()
    options.includesSkinTones = true
    options.includesCountryFlags = true
    let emoji = try EmojiCollection.installed(options: options)
    collection.pictures = emoji.emoji.map { DemoPicture($0) }
    collection.report.append("\(emoji.emoji.count) of the emoji font, with flags and skin tones")
    if let failure = VectorDrawing.failure {
      collection.report.append(
        "no OpenMoji and no clip art: \(failure); install it with: "
          + "apt-get install \(VectorDrawing.package)"
      )
      return collection
    }
    try await collection.addOpenMoji()
    try await collection.addClipArt()
    return collection
  }

  private mutating func addOpenMoji() async throws {
    guard let folder = OpenMojiCollection.installedFolder else {
      report.append(
        "no OpenMoji: .deps/openmoji is missing; make it with: scripts/setup --drawings"
      )
      return
    }
    let found = try OpenMojiCollection(
      folder: folder,
      english: Annotations(language: "en"),
      japanese: Annotations(language: "ja"),
      groups: EmojiGroups()
    )
    let (kept, damaged, _) = try await Self.drawable(found.pictures, dropsDuplicates: false)
    pictures += kept
    report.append(
      "\(kept.count) of OpenMoji; left out: \(found.unnamed) without a name in both languages, "
        + "\(damaged) that cannot be drawn"
    )
  }

  private mutating func addClipArt() async throws {
    let found: ClipArtCollection
    do throws(DemoError) {
      found = try ClipArtCollection()
    } catch {
      report.append(
        "no clip art: \(ClipArtCollection.debianFolder) is missing; install it with: "
          + "apt-get install openclipart-svg"
      )
      return
    }
    let (kept, damaged, duplicates) = try await Self.drawable(found.pictures, dropsDuplicates: true)
    pictures += kept
    report.append(
      "\(kept.count) of clip art; left out: \(found.icons) icons and variants of shapes, "
        + "\(found.unnamed) without words, \(duplicates) near-duplicates, "
        + "\(damaged) that cannot be drawn or are white"
    )
  }

  /// The pictures that can be drawn and are not white all over, in order, each looked at on some core.
  private static func drawable(
    _ pictures: [DemoPicture],
    dropsDuplicates: Bool
  ) async throws -> (kept: [DemoPicture], damaged: Int, duplicates: Int) {
    var kept: [DemoPicture] = []
    var (damaged, duplicates) = (0, 0)
    var known = SeenPictures()
    for (picture, drawing) in zip(pictures, await drawings(of: pictures)) {
      guard let drawing, drawing.thumbnail.pixels.contains(where: { $0 < 230 }) else {
        damaged += 1
        continue
      }
      if dropsDuplicates, !known.insert(drawing.thumbnail) {
        duplicates += 1
      } else {
        kept.append(picture.with(.png(drawing.png)))
      }
    }
    return (kept, damaged, duplicates)
  }

  /// A picture that was drawn, which is the costly part and is done once.
  private struct Drawing {
    /// Enough of it to compare.
    var thumbnail: RGBImage
    var png: [UInt8]

    init(_ picture: DemoPicture) throws {
      let image = try picture.image()
      thumbnail = image.resized(width: 32, height: 32, filter: .box)
      png = try image.encodedPNG()
    }
  }

  /// The pictures, drawn; `nil` for what cannot be.
  ///
  /// A task a core, which lets others have their turn after each picture.
  private static func drawings(of pictures: [DemoPicture]) async -> [Drawing?] {
    let workers = ProcessInfo.processInfo.activeProcessorCount
    return await withTaskGroup(of: [(Int, Drawing?)].self) { group in
      for worker in 0..<workers {
        group.addTask {
          var found: [(Int, Drawing?)] = []
          for index in stride(from: worker, to: pictures.count, by: workers) {
            found.append((index, try? Drawing(pictures[index])))
            await Task.yield()
          }
          return found
        }
      }
      return await group.reduce(into: [Drawing?](repeating: nil, count: pictures.count)) {
        for (index, drawing) in $1 { $0[index] = drawing }
      }
    }
  }
}
