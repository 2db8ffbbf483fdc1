package import Files
package import Networks
package import Snapshots
package import Torch

/// A model that something paints with.
package struct OpenedModel {
  /// Where it is, with its CLIP if that lies beside it.
  package let location: ModelLocation
  /// The SHA-256 of the snapshot's file, computed in the background.
  package let digest: BackgroundDigest
  /// The snapshot.
  package let snapshot: NetworkSnapshot
  /// Its averaged generator.
  package let generator: Generator
  /// The device that paints: a GPU where there is one.
  package let device: Device

  /// Opens a model; its file is hashed meanwhile.
  ///
  /// - Parameters:
  ///   - network: A snapshot, run folder or name, as for `nifty generate`.
  ///   - threads: The number of libtorch's threads.
  /// - Throws: `SamplingError` if there is none; what reading it throws.
  package init(_ network: String, threads: Int) throws {
    Runtime.threads = threads
    location = try ModelLocation(network)
    digest = BackgroundDigest(ofFile: location.network)
    snapshot = try NetworkSnapshot(path: location.network)
    device = Runtime.defaultDevice
    generator = try snapshot.averagedGenerator(on: device)
  }
}
