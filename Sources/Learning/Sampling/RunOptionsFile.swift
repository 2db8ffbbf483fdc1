/// The file of a run's options, as far as it is read without training's code.
package enum RunOptionsFile {
  /// Its name in the run's folder.
  package static let name = "training_options.json"
  /// The object of nifty's own options.
  package static let ownKey = "nifty"
  /// In that object, the path of the CLIP.
  package static let clipKey = "clip"
}
