import CLIP
import Networks
import Snapshots
import Training

extension ClipModel {
  /// Refuses a CLIP that a network was not trained with.
  ///
  /// - Parameter snapshot: The network; it says so itself if nifty wrote it.
  /// - Throws: `TrainingError.option` naming both files.
  func expectMatch(_ snapshot: NetworkSnapshot) throws {
    if let trainedWith = snapshot.notes["clip_sha256"], trainedWith != sha256 {
      throw TrainingError.option(
        "\(snapshot.path) was trained with another CLIP (\(snapshot.notes["clip"] ?? "unknown")) "
          + "than \(name)"
      )
    }
    let (has, needs) = (model.configuration.embedDimension, snapshot.generator.featureDimension)
    guard has == needs else {
      throw TrainingError.option(
        "\(name) makes features of width \(has), but \(snapshot.path) takes \(needs)"
      )
    }
  }
}
