/// Decides from the metadata alone which rows are worth a request.
///
/// A value that the metadata does not give passes, except a caption, which is what the pair is for.
package struct RowFilter: Codable, Equatable, Sendable {
  /// Safety labels that are dropped.
  package var excludedLabels = ["NSFW"]
  /// The least CLIP similarity of image and caption.
  package var minimumSimilarity: Double?
  /// The least length of the shorter side, in pixels.
  package var minimumSide: Int?
  /// The greatest length of the longer side, in pixels.
  package var maximumSide: Int?
  /// The greatest ratio of the longer to the shorter side.
  package var maximumAspect: Double?
  /// The least number of characters in the longest caption line, after cleaning.
  package var minimumCaptionLength = 1
  /// The greatest number of characters in all caption lines together, after cleaning.
  package var maximumCaptionLength = 10_000

  /// The defaults above.
  package init() {}

  /// Why a row was dropped.
  package enum Cause: String, CaseIterable, Sendable {
    case label = "filtered: safety label"
    case similarity = "filtered: similarity"
    case tooSmall = "filtered: too small"
    case tooLarge = "filtered: too large"
    case aspect = "filtered: aspect ratio"
    case noCaption = "filtered: no caption"
    case captionTooLong = "filtered: caption too long"
  }

  /// Why `row` is dropped; `nil` when it is kept.
  ///
  /// - Parameters:
  ///   - row: The metadata.
  ///   - caption: Its caption after `CaptionCleaner`.
  /// - Returns: The first cause that applies.
  package func cause(_ row: MetadataRow, caption: [String]) -> Cause? {
    if let label = row.nsfw, excludedLabels.contains(where: { $0.matches(label) }) { return .label }
    if let minimumSimilarity, let similarity = row.similarity {
      // Written this way round, NaN is dropped.
      guard similarity >= minimumSimilarity else { return .similarity }
    }
    if let cause = sizeCause(row) { return cause }
    let lengths = caption.map(\.count)
    if (lengths.max() ?? 0) < max(1, minimumCaptionLength) { return .noCaption }
    if lengths.reduce(0, +) > maximumCaptionLength { return .captionTooLong }
    return nil
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
