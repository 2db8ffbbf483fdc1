import Files
import Text

// What is read of a `dataset.json` before it is written in the order of the images.

extension LafiteIndex {
  /// The vectors read so far, in spools, in document order, and their images.
  struct Vectors {
    let images: SpoolFile
    let texts: SpoolFile
    /// Per image, its row in `images`.
    var imageRows: [Int?]
    /// Per image, its rows in `texts`.
    var textRows: [Range<Int>]
    /// Per image, its label.
    var labels: [ImageLabel?]
    var dimension: Int?
    var imageCount = 0
    var textCount = 0
    /// Images with a feature of another length, by the names of the document.
    var misfits: Misfits?
    var passedOver = PassedOver()
  }

  /// Records that count for nothing.
  struct PassedOver {
    /// Features and labels of images that the zip does not have.
    var strayFeatures = 0
    var strayLabels = 0
    /// Records of images that had one; the last counts, as in Python's dictionaries.
    var repeatedFeatures = 0
    var repeatedLabels = 0
    /// Images with a label while others have none: no label counts then.
    var partialLabels = 0

    /// The counts in words.
    var remarks: [String] {
      let counts = [
        (strayFeatures, "CLIP feature", "of images that the zip lacks"),
        (strayLabels, "label", "of images that the zip lacks"),
        (repeatedFeatures, "CLIP feature", "given again (the last counts)"),
        (repeatedLabels, "label", "given again (the last counts)"),
        (partialLabels, "label", "while other images have none (then none counts)"),
      ]
      return counts.compactMap { count, what, why in
        count > 0 ? Text.count(count, what) + " " + why : nil
      }
    }
  }

  /// Features of another length than the document's first.
  struct Misfits {
    var firstName: String
    var firstLength: Int
    var imageCount = 0
  }
}
