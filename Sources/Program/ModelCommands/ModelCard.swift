import Evaluation
import Files
import Foundation
import Networks
import Sampling
import Snapshots
import Text
import Training

/// The model card of a converted network: Markdown with the front matter that Hugging Face reads
/// (https://huggingface.co/docs/hub/model-cards).
///
/// It says what files say: the snapshot, and the options and scores of the run it lies in. What no file says, such as
/// the licence of the images, it says to be unknown.
struct ModelCard {
  /// The file's name beside the weights.
  static let fileName = "README.md"
  /// Hugging Face's word for a licence that has no identifier.
  static let unknownLicense = "other"

  /// The folder's name.
  let name: String
  /// Side of the images in pixels.
  let resolution: Int
  /// Images that the generator had seen.
  let imagesSeen: Int
  /// The files of the folder, with what each is.
  let files: [(name: String, what: String)]
  /// The options of the run; `nil` where the snapshot lies in none.
  let options: TrainingOptions?
  /// The scores of this snapshot.
  let scores: [(name: String, value: Double)]
  /// Lines of the run's scores that cannot be read.
  let unreadable: Int
  /// An identifier of the weights' licence, as of SPDX.
  let license: String

  /// Reads what the run of a snapshot knows of it.
  ///
  /// - Parameters:
  ///   - snapshot: The snapshot that was converted.
  ///   - name: The model's name.
  ///   - files: The files of the folder, with what each is.
  ///   - license: An identifier of the licence.
  /// - Throws: `FileError` if the run's scores cannot be read, `TrainingError` if its options cannot.
  init(
    of snapshot: NetworkSnapshot,
    name: String,
    files: [(name: String, what: String)],
    license: String
  ) throws {
    self.name = name
    self.files = files
    self.license = license
    resolution = snapshot.generator.resolution
    imagesSeen = snapshot.imagesSeen
    guard let run = SnapshotFiles.folder(of: snapshot.path) else {
      (options, scores, unreadable) = (nil, [], 0)
      return
    }
    options = try TrainingOptions(contentsOf: "\(run)/\(RunOptionsFile.name)")
    (scores, unreadable) = try Self.scores(of: snapshot.path, in: run)
  }

  private static func scores(
    of snapshot: String,
    in run: String
  ) throws -> ([(name: String, value: Double)], unreadable: Int) {
    var unreadable = 0
    let own = (URL(filePath: snapshot).lastPathComponent as NSString).deletingPathExtension
    var found: [(name: String, value: Double)] = []
    for file in try listFolder(run).sorted()
    where file.hasPrefix("metric-") && file.hasSuffix(".jsonl") {
      let (histories, broken) = try MetricHistory.read("\(run)/\(file)")
      unreadable += broken
      for history in histories {
        let entry = history.entries.last { entry in
          (entry.snapshot as NSString).deletingPathExtension == own && entry.value.isFinite
        }
        if let entry { found.append((history.name, entry.value)) }
      }
    }
    return (found, unreadable)
  }

  /// Whether a text may stand for a licence in the front matter.
  static func isLicense(_ text: String) -> Bool {
    let letters = UInt8(ascii: "a")...UInt8(ascii: "z")
    return (1...64).contains(text.utf8.count)
      && text.utf8.allSatisfy { letters.contains($0 | 0x20) || "0123456789.-+".utf8.contains($0) }
  }

  /// The whole card.
  var text: String {
    [frontMatter, introduction, training, scoreTable, limits].joined(separator: "\n\n") + "\n"
  }

  private var frontMatter: String {
    var lines = [
      "---", "license: \(license)", "pipeline_tag: text-to-image", "library_name: nifty",
    ]
    lines += ["tags:", "- lafite", "- stylegan2", "- clip"]
    let data = dataNames
    if !data.isEmpty { lines += ["datasets:"] + data.map { "- \(quoted($0))" } }
    if !scores.isEmpty {
      lines += ["metrics:"] + scores.map { "- \(quoted($0.name))" }
      lines += ["model-index:", "- name: \(quoted(name))", "  results:", "  - task:"]
      lines += ["      type: text-to-image", "    metrics:"]
      for (name, value) in scores {
        lines += ["    - type: \(quoted(name))", "      value: \(value)"]
      }
    }
    return (lines + ["---"]).joined(separator: "\n")
  }

  private var introduction: String {
    """
    # \(plain(name))

    Paints images of \(resolution)² from texts, with nifty:

        nifty generate --network \(plain(name)) "a text"

    | file | what |
    |---|---|
    \(files.map { "| `\(plain($0.name))` | \($0.what) |" }.joined(separator: "\n"))
    """
  }

  private var training: String {
    let title = "## Training\n\n"
    guard let options else {
      return title + "The snapshot lay in no run's folder: how it was trained is not known here. "
        + "The generator had seen \(imagesSeen) images."
    }
    let trainer = options.trainer
    var rows = [
      ("data", dataNames.map { "`\(plain($0))`" }.joined(separator: ", ")),
      (
        "images", "\(options.imageCount) of \(resolution)²\(options.mirror ? ", mirrored too" : "")"
      ),
      ("condition", condition(trainer.losses.mixingProb)),
      ("images seen", "\(imagesSeen), \(trainer.batchSize) a step"),
      ("CLIP", "`\(plain(last(options.clip)))`"),
      ("recipe", "`\(options.recipe.rawValue)`, seed \(trainer.seed)"),
    ]
    if let start = options.resume { rows.append(("begun from", "`\(plain(last(start)))`")) }
    return title + "| | |\n|---|---|\n"
      + rows.map { "| \($0.0) | \($0.1) |" }.joined(separator: "\n")
      + "\n\nA LAFITE (arXiv 2111.13792), a StyleGAN2 conditioned on CLIP's features. All options are in "
      + "`training_options.json` of the run's folder."
  }

  private func condition(_ mixing: Double) -> String {
    if mixing > 0.99 { return "pseudo text of the images, no captions" }
    return mixing < 0.01
      ? "captions" : "captions; pseudo text of the images for \(Text.number(100 * mixing)) %"
  }

  private var scoreTable: String {
    let title = "## Scores\n\n"
    if scores.isEmpty { return title + "No score of this snapshot was recorded." }
    return title
      + "Of this snapshot. The lines of `metric-NAME.jsonl` in the run's folder have the protocol, without "
      + "which scores must not be compared.\n\n| metric | value |\n|---|---|\n"
      + scores.map { "| `\(plain($0.name))` | \(Text.score($0.value)) |" }.joined(separator: "\n")
  }

  private var limits: String {
    """
    ## Limits

    It knows what its images, their captions and its CLIP taught it, with their errors and prejudices, and may
    repeat single images. Nothing filters what it paints. The licences of the images are not recorded: check them
    before you share the weights.
    """
  }

  private var dataNames: [String] {
    (options?.data ?? []).map { (last($0) as NSString).deletingPathExtension }
  }

  private func last(_ path: String) -> String { URL(filePath: path).lastPathComponent }

  /// A text that ends neither code nor a table's cell.
  private func plain(_ text: String) -> String {
    String(text.map { "`|\n\r".contains($0) ? "_" : $0 })
  }

  /// A string of JSON, which YAML reads as well.
  private func quoted(_ text: String) -> String {
    let data = try? JSONEncoder().encode(text)
    return data.map { String(decoding: $0, as: UTF8.self) } ?? "\"\""
  }
}
