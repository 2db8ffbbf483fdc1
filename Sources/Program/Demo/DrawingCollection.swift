import Foundation
import Images

/// Pictures of four sources: an emoji font, the same things in OpenMoji's style, clip art, and stamps.
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
    var known = SeenPictures()
    if let failure = VectorDrawing.failure {
      collection.report.append(
        "no OpenMoji, no clip art and no stamps: \(failure); install it with: "
          + "apt-get install \(VectorDrawing.package)"
      )
      return collection
    }
    try await collection.addOpenMoji()
    try await collection.addClipArt(&known)
    try await collection.addStamps(&known)
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
    var (kept, damaged): ([DemoPicture], Int) = ([], 0)
    for (picture, drawing) in zip(found.pictures, await Self.drawings(of: found.pictures)) {
      if let drawing { kept.append(picture.with(.png(drawing.png))) } else { damaged += 1 }
    }
    pictures += kept
    report.append(
      "\(kept.count) of OpenMoji; left out: \(found.unnamed) without a name in both languages, "
        + "\(damaged) that cannot be drawn or are white"
    )
  }

  private mutating func addClipArt(_ known: inout SeenPictures) async throws {
    let found: ClipArtCollection
    do throws(DemoError) { found = try ClipArtCollection() } catch {
      report.append("no clip art: \(error); install it with: apt-get install openclipart-svg")
      return
    }
    report.append(
      await add(found.pictures, of: "clip art", except: &known)
        + "\(found.icons) icons and variants of shapes, \(found.unnamed) without words"
    )
  }

  private mutating func addStamps(_ known: inout SeenPictures) async throws {
    let found: StampCollection
    do throws(DemoError) { found = try StampCollection() } catch {
      report.append("no stamps: \(error); install it with: apt-get install tuxpaint-stamps-default")
      return
    }
    report.append(
      await add(found.pictures, of: "Tux Paint's stamps", except: &known)
        + "\(found.unnamed) without a picture or words in both languages"
    )
  }

  /// Adds the pictures that can be drawn, are not white all over and look like none before, in order;
  /// a line of those that were not added, to which others can be appended.
  private mutating func add(
    _ found: [DemoPicture],
    of source: String,
    except known: inout SeenPictures
  ) async -> String {
    var (kept, damaged, duplicates) = (0, 0, 0)
    for (picture, drawing) in zip(found, await Self.drawings(of: found)) {
      if let drawing, known.insert(drawing.thumbnail) {
        pictures.append(picture.with(.png(drawing.png)))
        kept += 1
      } else if drawing != nil {
        duplicates += 1
      } else {
        damaged += 1
      }
    }
    return "\(kept) of \(source); left out: \(duplicates) near-duplicates, "
      + "\(damaged) that cannot be drawn or are white, "
  }

  /// A picture that was drawn and is not white all over: the costly part, done once.
  private struct Drawing {
    /// Enough of it to compare.
    var thumbnail: RGBImage
    var png: [UInt8]

    init?(_ picture: DemoPicture) throws {
      let image = try picture.image()
      thumbnail = image.resized(width: 32, height: 32, filter: .box)
      guard thumbnail.pixels.contains(where: { $0 < 230 }) else { return nil }
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
