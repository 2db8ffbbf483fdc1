import Networks
import Torch
import TorchNN
import TorchTestSupport
import Training

@testable import CLIP

/// The shape of a golden generator: by the manifest of its state, or of its recorded outputs.
func goldenGenerator(_ net: String) throws -> GeneratorConfiguration {
  GoldenNetwork.generatorConfiguration(try keywords(net, "G"))
}

/// The shape of a golden discriminator.
func goldenDiscriminator(_ net: String) throws -> DiscriminatorConfiguration {
  GoldenNetwork.discriminatorConfiguration(try keywords(net, "D"))
}

private func keywords(_ net: String, _ part: String) throws -> [String: Any] {
  let state = try Manifest(of: "\(net)_\(part)_state.safetensors").config
  return state.isEmpty ? try Manifest(of: "\(net)_\(part)_golden.safetensors").config : state
}

/// The losses that a manifest's `hyper` and `loss_kwargs` describe; what they lack has LAFITE's
/// default.
func goldenLosses(_ config: [String: Any]) -> LossConfiguration {
  let (hyper, kwargs) = (config.object("hyper"), config.object("loss_kwargs"))
  var result = LossConfiguration()
  result.lam = hyper.double("lam") ?? result.lam
  result.temp = hyper.double("temp") ?? result.temp
  result.itd = hyper.double("itd") ?? result.itd
  result.itc = hyper.double("itc") ?? result.itc
  result.iid = hyper.double("iid") ?? result.iid
  result.iic = hyper.double("iic") ?? result.iic
  result.mixingProb = hyper.double("mixing_prob") ?? result.mixingProb
  result.gamma = kwargs.double("r1_gamma") ?? result.gamma
  result.styleMixingProb = kwargs.double("style_mixing_prob") ?? result.styleMixingProb
  result.pathLengthWeight = kwargs.double("pl_weight") ?? result.pathLengthWeight
  result.pathLengthDecay = kwargs.double("pl_decay") ?? result.pathLengthDecay
  result.pathLengthShrink = kwargs.int("pl_batch_shrink") ?? result.pathLengthShrink
  return result
}

/// The image tower of the golden folder's tiny CLIP, its embedding cut to the first `dimension`
/// components.
func tinyCLIP(dimension: Int) throws -> (Tensor) -> Tensor {
  var state = try Golden("clip_tiny_state").tensors
  guard let projection = state["visual.proj"], let text = state["text_projection"] else {
    preconditionFailure("clip_tiny_state.safetensors has no projections")
  }
  state["visual.proj"] = projection.sliced(1, 0..<dimension).contiguous()
  state["text_projection"] = text.sliced(1, 0..<dimension).contiguous()
  let configuration = try CLIPConfiguration(shapes: state.mapValues(\.shape))
  let clip = try CLIP(configuration, state: state)
  clip.setTrainable(false)
  return { clip.encodeImage($0) }
}
