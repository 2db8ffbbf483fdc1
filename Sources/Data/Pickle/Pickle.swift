package import Files

/// One pickle that has been read.
package struct Pickle {
  /// The decoded root value.
  package let root: PickleValue
  /// Where the next byte after the pickle lies: pickles may follow each other in one file.
  package let end: Int
  /// Every persistent identifier met, in order.
  package let persistentIDs: [PickleValue]

  /// Reads one pickle that starts at `offset`.
  ///
  /// - Throws: `PickleError` with the offset of the byte that cannot be read.
  package init(_ buffer: MappedBytes, at offset: Int = 0) throws(PickleError) {
    var unpickler = Unpickler(buffer, at: offset)
    root = try unpickler.run()
    end = unpickler.offset
    persistentIDs = unpickler.persistentIDs
  }
}
