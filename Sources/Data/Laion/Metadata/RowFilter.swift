/// Decides from the metadata alone which rows are worth a request.
///
/// A missing value passes, except a caption, and a licence or language where only some are wanted.
package struct RowFilter: Codable, Equatable, Sendable {
  /// Safety labels that are dropped.
  package var excludedLabels = ["NSFW"]
  /// The least CLIP similarity of image and caption.
  package var minimumSimilarity: Double?
  /// The greatest probability of an unsafe image.
  package var maximumUnsafety: Double?
  /// The greatest probability of a watermark.
  package var maximumWatermark: Double?
  /// The least length of the shorter side, in pixels.
  package var minimumSide: Int?
  /// The greatest length of the longer side, in pixels.
  package var maximumSide: Int?
  /// The greatest ratio of the longer to the shorter side.
  package var maximumAspect: Double?
  /// Whether rows without a caption are kept; `nil` for no.
  package var keepsUncaptioned: Bool?
  /// The least number of characters in the longest caption line, after cleaning.
  package var minimumCaptionLength = 1
  /// The greatest number of characters in all caption lines together, after cleaning.
  package var maximumCaptionLength = 10_000
  /// The wanted licences, ignoring case; empty for any.
  package var licences: [String] = []
  /// The wanted languages, as "en"; empty for any.
  package var languages: [String] = []
  /// Whether only the first row of each address is requested.
  package var dropsDuplicates = true

  /// The defaults above.
  package init() {}

  /// The cause for which a row is dropped.
  package enum Cause: String, CaseIterable, Sendable {
    case unreadable = "filtered: unreadable row"
    case label = "filtered: safety label"
    case unsafety = "filtered: probably unsafe"
    case watermark = "filtered: probably watermarked"
    case similarity = "filtered: similarity"
    case licence = "filtered: licence"
    case language = "filtered: language"
    case tooSmall = "filtered: too small"
    case tooLarge = "filtered: too large"
    case aspect = "filtered: aspect ratio"
    case noCaption = "filtered: no caption"
    case captionTooLong = "filtered: caption too long"
    case denied = "filtered: on the deny list"
    case duplicate = "filtered: duplicate URL"
  }

  /// The cause for which `row` is dropped; `nil` if it is kept.
  ///
  /// - Parameters:
  ///   - row: The metadata.
  ///   - caption: Its caption after `CaptionCleaner`.
  /// - Returns: The first cause that applies; `RowScreen` adds the deny list and duplicates.
  package func cause(_ row: MetadataRow, caption: [String]) -> Cause? {
    if !row.isReadable { return .unreadable }
    if let label = row.nsfw, excludedLabels.contains(where: { $0.matches(label) }) { return .label }
    // Written this way round, NaN is dropped.
    if let maximumUnsafety, let value = row.unsafety, !(value <= maximumUnsafety) {
      return .unsafety
    }
    if let maximumWatermark, let value = row.watermark, !(value <= maximumWatermark) {
      return .watermark
    }
    if let minimumSimilarity, let value = row.similarity, !(value >= minimumSimilarity) {
      return .similarity
    }
    if !Self.isWanted(row.licence, licences) { return .licence }
    if !Self.isWanted(row.language, languages) { return .language }
    if let cause = sizeCause(row) { return cause }
    let lengths = caption.map(\.count)
    let isWanted = keepsUncaptioned == true && lengths.isEmpty
    if !isWanted, (lengths.max() ?? 0) < max(1, minimumCaptionLength) { return .noCaption }
    if lengths.reduce(0, +) > maximumCaptionLength { return .captionTooLong }
    return nil
  }

  private static func isWanted(_ value: String?, _ wanted: [String]) -> Bool {
    wanted.isEmpty || wanted.contains { $0.matches(value ?? "") }
  }

  private func sizeCause(_ row: MetadataRow) -> Cause? {
    // Some crawls write 0 where the size was not known.
    guard let width = row.width, let height = row.height, width > 0, height > 0 else { return nil }
    let (shorter, longer) = (min(width, height), max(width, height))
    if let minimumSide, shorter < minimumSide { return .tooSmall }
    if let maximumSide, longer > maximumSide { return .tooLarge }
    if let maximumAspect, Double(longer) > maximumAspect * Double(shorter) { return .aspect }
    return nil
  }
}

extension String {
  fileprivate func matches(_ label: String) -> Bool {
    lowercased() == label.lowercased()
  }
}
