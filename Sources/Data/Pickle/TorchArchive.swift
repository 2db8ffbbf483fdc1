package import Files

/// A file of `torch.save`: its tensors, by name, without copying them and without executing anything.
///
/// Reads the zip format of PyTorch 1.6 and later and the legacy format before it. TorchScript files
/// open too, as far as their tensors hang in attributes.
package final class TorchArchive {
  /// A tensor and where it hangs.
  package typealias NamedTensor = (name: String, tensor: TorchTensor)

  /// The tensors in file order; nested names are joined with dots, and a file that is one tensor
  /// gives it the empty name.
  package let tensors: [NamedTensor]
  /// The whole saved object, for values other than tensors.
  package let pickle: Pickle

  private let indices: [String: Int]

  /// Maps a file and reads its description; the values are paged in when they are used.
  package convenience init(_ path: String) throws(PickleError) {
    let file: MappedFile
    do throws(FileError) { file = try MappedFile(path) } catch { throw .file(error) }
    try self.init(MappedBytes(file))
  }

  /// Reads the description of a file in memory.
  package init(_ buffer: MappedBytes) throws(PickleError) {
    let container = try TorchContainer(buffer)
    pickle = container.pickle
    let reader = TorchTensorReader(storages: container.storages, allowsEmbedded: false)
    tensors = try TensorVisitor.tensors(of: container.pickle.root, reader)
    indices = Dictionary(uniqueKeysWithValues: tensors.enumerated().map { ($1.name, $0) })
  }

  /// The tensor of a name.
  package subscript(name: String) -> TorchTensor? { indices[name].map { tensors[$0].tensor } }
}
