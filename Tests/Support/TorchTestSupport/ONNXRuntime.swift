import Foundation
package import TestSupport
package import Testing
package import Torch

/// Microsoft's interpreter of ONNX, in the Python of the tests.
package enum ONNXRuntime {
  /// Whether it can run here.
  package static let isInstalled = Repository.installed("onnxruntime/__init__.py") != nil
  /// Why a test that needs it is skipped.
  package static let reason: Comment = "scripts/setup --tests installs onnxruntime"

  /// What a program said that did not end well.
  private struct Failure: Error, CustomStringConvertible {
    let description: String
  }

  /// Checks a model and runs it.
  ///
  /// - Parameters:
  ///   - path: The model's file.
  ///   - inputs: The inputs of each run by name, float32 or int64.
  /// - Returns: The outputs of each run by name.
  /// - Throws: What Python said, if the model is refused.
  package static func run(_ path: String, _ inputs: [[String: Tensor]]) throws -> [[String: Tensor]]
  {
    try withTemporaryFolder { folder in
      let files = try inputs.enumerated().map { index, tensors in
        let file = "\(folder)/\(index)"
        let sorted = tensors.sorted { $0.key < $1.key }.map { (name: $0.key, tensor: $0.value) }
        try SafeTensors.write(sorted, to: file)
        return file
      }
      let script = Repository.path("Tests/Support/TorchTestSupport/run_onnx.py")
      guard let python = Repository.python,
        let result = try runProgram(python, ["-B", script, path] + files)
      else { throw Failure(description: "there is no Python in .deps") }
      guard result.status == 0 else { throw Failure(description: result.output) }
      return try files.map { try SafeTensors(path: $0 + ".out").all() }
    }
  }
}
