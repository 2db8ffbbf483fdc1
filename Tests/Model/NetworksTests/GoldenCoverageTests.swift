import Testing
import TorchTestSupport

@Suite("Golden coverage")
struct GoldenCoverageTests {
  // Files that a suite runs by name. Networks, loss phases,
  // trajectories and recorded augmentations are run by pattern, whatever they are.
  private static let known: Set = [
    "ops_bias_act", "ops_upfirdn2d", "ops_conv2d_resample", "ops_modulated_conv2d", "ops_layers",
    "ops_conv2dlayer", "adam", "ema", "contra_loss", "bicubic", "full_preprocess",
    "clip_tiny_state", "clip_tiny_golden", "clip_tiny_fullvocab", "augment_debug",
    "metrics_inputs",
  ]
  // Recorded files that nothing runs yet, by how their names begin.
  private static let elsewhere = ["snapshot/", "dataset/"]

  @Test func `no recorded file is left out silently`() {
    let files = Manifest.files(prefix: "")
    #expect(files.count > 20)
    for file in files {
      let isPattern =
        ["loss_", "trajectory_", "augment_random"].contains { file.hasPrefix($0) }
        || (file.hasPrefix("net") && ["_golden", "_state"].contains { file.hasSuffix($0) })
      let isElsewhere = Self.elsewhere.contains { file.hasPrefix($0) }
      #expect(
        isPattern || isElsewhere || Self.known.contains(file),
        "\(file).safetensors is run by no test"
      )
    }
  }
}
