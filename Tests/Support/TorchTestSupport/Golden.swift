import Foundation
import TestSupport
package import Testing
package import Torch

/// One file of recorded numbers, with what the manifest says of it.
///
/// Files are found in the folder that the environment variable NIFTY_GOLDENS names, else in
/// Tests/Goldens. Everything compared through a `Golden` counts into its worst error, which is
/// printed when the last reference goes.
package final class Golden {
  /// File name without extension.
  package let name: String
  private let file: SafeTensors
  private var worst = 0.0
  private var compared = 0
  private let isReported: Bool

  /// Opens `name`.safetensors.
  ///
  /// - Parameters:
  ///   - name: File name without extension.
  ///   - isReported: Prints the worst error at the end.
  /// - Throws: Where there is no such file or it is no safetensors file.
  package init(_ name: String, isReported: Bool = true) throws {
    self.name = name
    self.isReported = isReported
    file = try SafeTensors(path: Self.path("\(name).safetensors"))
  }

  deinit {
    if isReported && compared > 0 {
      print("golden: \(name): worst error \(worst) over \(compared) tensors")
    }
  }

  /// The names of the stored tensors, sorted.
  package var names: [String] { file.names }

  /// All stored tensors.
  package var tensors: [String: Tensor] { file.all() }

  /// Whether a tensor of that name is stored whole.
  package func contains(_ name: String) -> Bool { file.entries[name] != nil }

  /// One stored tensor, which must exist.
  package subscript(name: String) -> Tensor {
    guard let tensor = file[name] else {
      preconditionFailure("\(self.name).safetensors has no tensor \(name)")
    }
    return tensor
  }

  /// Expects a tensor to agree with the stored one, or with its digest if only that is stored.
  @discardableResult
  package func expectClose(
    _ actual: Tensor,
    _ name: String,
    rtol: Double,
    atol: Double,
    sourceLocation: SourceLocation = #_sourceLocation
  ) -> Double {
    let error: Double
    if contains(name) {
      error = TorchTestSupport.expectClose(
        actual,
        self[name],
        rtol: rtol,
        atol: atol,
        "\(self.name) \(name)",
        sourceLocation: sourceLocation
      )
    } else {
      error = expectDigest(of: actual, name, rtol: rtol, atol: atol, sourceLocation)
    }
    worst = max(worst, error)
    compared += 1
    return error
  }

  /// The manifest's entry for this file, decoded.
  package func manifest<Entry: Decodable>(_ type: Entry.Type = Entry.self) throws -> Entry {
    try Self.manifest(of: "\(name).safetensors")
  }

  /// The path of a file in the folder of goldens.
  package static func path(_ file: String) -> String { folder.appending(path: file).path }

  /// A JSON file of the folder, decoded.
  package static func json<Value: Decodable>(_ file: String) throws -> Value {
    try JSONDecoder().decode(Value.self, from: Data(contentsOf: folder.appending(path: file)))
  }

  /// The manifest's entry of any file, decoded.
  package static func manifest<Entry: Decodable>(of file: String) throws -> Entry {
    guard let data = manifestEntries[file] else {
      preconditionFailure("the manifest has no entry \(file)")
    }
    return try JSONDecoder().decode(Entry.self, from: data)
  }

  /// The names of the files in a folder of the goldens, sorted; of the whole if none is named.
  package static func names(of name: String = "") -> [String] {
    do { return try FileManager.default.contentsOfDirectory(atPath: path(name)).sorted() } catch {
      preconditionFailure("\(error)")
    }
  }

  /// The names of the files that the manifest knows.
  package static var manifestNames: Set<String> { Set(manifestEntries.keys) }

  private static let folder = Repository.goldens

  // One JSON text a file: the manifest is parsed once and an entry decoded when asked for.
  private static let manifestEntries: [String: Data] = {
    guard let data = try? Data(contentsOf: folder.appending(path: "manifest.json")),
      let object = try? JSONSerialization.jsonObject(with: data) as? [String: Any]
    else { preconditionFailure("no manifest.json in \(folder.path)") }
    return object.compactMapValues { try? JSONSerialization.data(withJSONObject: $0) }
  }()
}

extension Golden {
  /// Compares a large tensor with its digest.
  ///
  /// The files keep the sums over rows (first dimension) and columns in float64, every k-th element
  /// with k = max(1, count / 1024), and the Euclidean norm. A sum of n elements may be off by √n times
  /// what one element may.
  private func expectDigest(
    of actual: Tensor,
    _ name: String,
    rtol: Double,
    atol: Double,
    _ location: SourceLocation
  ) -> Double {
    guard contains("\(name)#l2") else {
      preconditionFailure("\(self.name).safetensors has neither \(name) nor its digest")
    }
    let rows = actual.size(0)
    let columns = actual.count / rows
    let matrix = actual.to(.float64).reshaped(rows, columns)
    let norm = self["\(name)#l2"]
    let typical = norm.item / Double(actual.count).squareRoot()
    let sumTolerance = atol + rtol * typical
    func check(_ part: String, _ value: Tensor, _ tolerance: Double) -> Double {
      TorchTestSupport.expectClose(
        value.to(.float32),
        self["\(name)#\(part)"],
        rtol: rtol,
        atol: tolerance,
        "\(self.name) \(name)#\(part)",
        sourceLocation: location
      )
    }
    let flat = actual.reshaped(actual.count)
    var worst = max(
      check("l2", matrix.squared().sum().squareRoot(), atol),
      check("sample", flat.strided(0, step: max(1, actual.count / 1024)), atol)
    )
    let scale = { (count: Int) in Double(count).squareRoot() }
    let rowError = check("rowsum", matrix.sum(1), sumTolerance * scale(columns))
    if columns <= 4096 {
      let columnError = check("colsum", matrix.sum(0), sumTolerance * scale(rows))
      worst = max(worst, columnError / scale(rows))
    }
    // Sums cancel, so their relative error says little: count what one element contributes.
    worst = max(worst, rowError / scale(columns))
    return worst
  }
}
