public import Torch

/// The names under which CLIP's weights are published, brought to those of this package.
///
/// This package's names are OpenAI's. OpenCLIP uses the same, in models with a separate text tower under
/// `text.`, and puts `module.` or `state_dict.` in front in checkpoints. Hugging Face's are its own, with
/// queries, keys and values apart and the projections transposed.
public enum CLIPNaming: String, Sendable, CaseIterable {
  /// OpenAI's TorchScript archives, and what nifty writes.
  case openAI
  /// OpenCLIP's `open_clip_model.safetensors` and checkpoints.
  case openCLIP
  /// Hugging Face's `model.safetensors`.
  case huggingFace

  /// A state under this package's names, and the naming it came in.
  ///
  /// Positions that are only counted, masks that follow from the size, counters of batches and the three
  /// sizes of the TorchScript archives are dropped; every other tensor keeps its index, so that a model
  /// of another kind is refused when it is loaded.
  ///
  /// - Parameter state: Tensors by any of the names.
  /// - Returns: The same weights.
  /// - Throws: `CLIPError.snapshot` if a part of a tensor is missing or of another shape.
  public static func unified(
    _ state: [String: Tensor]
  ) throws(CLIPError) -> (naming: CLIPNaming, state: [String: Tensor]) {
    var named: [String: Tensor] = [:]
    for (name, tensor) in state where !isBookkeeping(name) { named[stripped(name)] = tensor }
    if named.keys.contains(where: { $0.hasPrefix("vision_model.") }) {
      return (.huggingFace, try HuggingFaceState(named).unified())
    }
    let custom = named.keys.contains { $0.hasPrefix("text.") }
    if custom {
      named = named.reduce(into: [:]) { result, entry in
        let name = entry.key.hasPrefix("text.") ? String(entry.key.dropFirst(5)) : entry.key
        result[name] = entry.value
      }
    }
    let sizes = state.keys.contains { $0.hasSuffix("input_resolution") }
    return (custom || !sizes ? .openCLIP : .openAI, named)
  }

  private static func isBookkeeping(_ name: String) -> Bool {
    let last = name.split(separator: ".").last.map(String.init) ?? name
    return [
      "num_batches_tracked", "position_ids", "attn_mask", "input_resolution", "context_length",
      "vocab_size",
    ].contains(last)
  }

  /// A name without what checkpoints put in front.
  static func stripped(_ name: String) -> String {
    var name = name[...]
    for prefix in ["state_dict.", "module."] where name.hasPrefix(prefix) {
      name = name.dropFirst(prefix.count)
    }
    return String(name)
  }
}

/// A state under Hugging Face's names (transformers, `CLIPModel`).
private struct HuggingFaceState {
  private let state: [String: Tensor]

  init(_ state: [String: Tensor]) { self.state = state }

  func unified() throws(CLIPError) -> [String: Tensor] {
    var result: [String: Tensor] = [:]
    for (name, tensor) in state {
      if let target = Self.whole[name] {
        result[target] = tensor
      } else if let target = Self.transposed[name] {
        guard tensor.rank == 2 else { throw .snapshot("\(name) has the shape \(tensor.shape)") }
        result[target] = tensor.transposed()
      } else if let (target, part) = Self.layer(name) {
        switch part {
        case "self_attn.q_proj.weight", "self_attn.q_proj.bias":
          let kind = part.hasSuffix("weight") ? "weight" : "bias"
          result["\(target).attn.in_proj_\(kind)"] = try joined(name, tensor)
        case "self_attn.k_proj.weight", "self_attn.k_proj.bias", "self_attn.v_proj.weight",
          "self_attn.v_proj.bias":
          break
        default:
          result["\(target).\(Self.inLayer(part))"] = tensor
        }
      } else {
        result[name] = tensor
      }
    }
    return result
  }

  /// Queries, keys and values as one tensor.
  private func joined(_ name: String, _ queries: Tensor) throws(CLIPError) -> Tensor {
    var parts = [queries]
    for letter in ["k", "v"] {
      let other = name.replacing(".q_proj.", with: ".\(letter)_proj.")
      guard let part = state[other] else { throw .snapshot("it has no tensor \(other)") }
      guard part.shape == queries.shape, part.rank >= 1 else {
        throw .snapshot("\(other) has the shape \(part.shape), not \(queries.shape)")
      }
      parts.append(part.to(queries.dtype))
    }
    return .concatenated(parts)
  }

  /// "text_model.encoder.layers.3.mlp.fc1.bias" → ("transformer.resblocks.3", "mlp.fc1.bias").
  private static func layer(_ name: String) -> (target: String, part: String)? {
    for (prefix, target) in [
      ("text_model.encoder.layers.", "transformer.resblocks."),
      ("vision_model.encoder.layers.", "visual.transformer.resblocks."),
    ] where name.hasPrefix(prefix) {
      let rest = name.dropFirst(prefix.count)
      guard let dot = rest.firstIndex(of: ".") else { return nil }
      return (target + rest[..<dot], String(rest[rest.index(after: dot)...]))
    }
    return nil
  }

  private static func inLayer(_ part: String) -> String {
    for (theirs, ours) in [
      ("self_attn.out_proj.", "attn.out_proj."), ("layer_norm1.", "ln_1."),
      ("layer_norm2.", "ln_2."), ("mlp.fc1.", "mlp.c_fc."), ("mlp.fc2.", "mlp.c_proj."),
    ] where part.hasPrefix(theirs) {
      return ours + part.dropFirst(theirs.count)
    }
    return part
  }

  private static let whole = [
    "logit_scale": "logit_scale",
    "text_model.embeddings.token_embedding.weight": "token_embedding.weight",
    "text_model.embeddings.position_embedding.weight": "positional_embedding",
    "text_model.final_layer_norm.weight": "ln_final.weight",
    "text_model.final_layer_norm.bias": "ln_final.bias",
    "vision_model.embeddings.class_embedding": "visual.class_embedding",
    "vision_model.embeddings.patch_embedding.weight": "visual.conv1.weight",
    "vision_model.embeddings.position_embedding.weight": "visual.positional_embedding",
    // The missing letters are theirs.
    "vision_model.pre_layrnorm.weight": "visual.ln_pre.weight",
    "vision_model.pre_layrnorm.bias": "visual.ln_pre.bias",
    "vision_model.post_layernorm.weight": "visual.ln_post.weight",
    "vision_model.post_layernorm.bias": "visual.ln_post.bias",
  ]

  private static let transposed = [
    "text_projection.weight": "text_projection", "visual_projection.weight": "visual.proj",
  ]
}
