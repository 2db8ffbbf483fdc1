extension PackedDataset {
  /// Checks that this dataset can stand beside another: images of one size, features of one length.
  ///
  /// - Throws: `DatasetError` that names both sizes or both lengths.
  func expectFits(_ first: PackedDataset) throws(DatasetError) {
    guard resolution == first.resolution else {
      throw .wrongResolution(
        path: path,
        entry: name(at: 0),
        found: "\(resolution)×\(resolution)",
        expected: "\(first.resolution)×\(first.resolution) as in \(first.path)"
      )
    }
    guard featureDimension == first.featureDimension else {
      throw .wrongFeatureDimension(
        path: path,
        found: featureDimension,
        expected: first.featureDimension
      )
    }
  }
}
