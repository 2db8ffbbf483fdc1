package import CLIP
import Fetch
import Networks
package import Snapshots
package import Torch

extension ClipModel {
  /// What a help says of the CLIP that is taken where none is named.
  package static let standardText = Weights.standardCLIPText

  /// Refuses a CLIP that a network was not trained with.
  ///
  /// - Parameter snapshot: The network; it says so itself if nifty wrote it.
  /// - Throws: `SamplingError` naming both files.
  package func expectMatch(_ snapshot: NetworkSnapshot) throws {
    if let trainedWith = snapshot.notes["clip_sha256"], trainedWith != sha256 {
      throw SamplingError(
        "\(snapshot.path) was trained with another CLIP (\(snapshot.notes["clip"] ?? "unknown")) "
          + "than \(name)"
      )
    }
    let (has, needs) = (model.configuration.embedDimension, snapshot.generator.featureDimension)
    guard has == needs else {
      throw SamplingError(
        "\(name) makes features of width \(has), but \(snapshot.path) takes \(needs)"
      )
    }
  }
}

extension ModelLocation {
  /// The CLIP that the generator was trained with.
  ///
  /// - Parameters:
  ///   - path: The file that the user named; else the location's own, else OpenAI's if it was fetched.
  ///   - snapshot: The generator's snapshot.
  ///   - device: Where it shall compute.
  ///   - towers: `texts` for callers that never ask for the features of pictures.
  /// - Returns: The CLIP.
  /// - Throws: `SamplingError` where none is known or it does not match; what reading it throws.
  package func clipModel(
    _ path: String?,
    for snapshot: NetworkSnapshot,
    on device: Device,
    towers: CLIPTowers = .both
  ) throws -> ClipModel {
    guard snapshot.generator.featureDimension > 0 else {
      throw SamplingError(
        "\(network) paints without texts, as StyleGAN2-ADA's networks do: nifty generate takes it with "
          + "seeds alone"
      )
    }
    guard let path = path ?? clip ?? Weights.standardCLIP else {
      throw SamplingError("--clip FILE is needed: the CLIP that \(network) was trained with")
    }
    let model = try ClipModel(path: path, device: device, towers: towers)
    try model.expectMatch(snapshot)
    return model
  }
}
