import Files
package import JSON
import Networks
import Snapshots
import TorchNN

/// One key of `training_options.json`: how it is written, and how it is taken back.
private struct OptionField {
  let path: [String]
  /// `nil` where the key is left out.
  let json: (TrainingOptions) -> OptionValue?
  /// Whether the value was of the right kind.
  let take: (inout TrainingOptions, OptionValue) -> Bool

  /// A key that stands for one option.
  ///
  /// - Parameters:
  ///   - path: Keys joined by dots.
  ///   - option: The option.
  ///   - isWritten: Whether the key is there at all; always if not given.
  /// - Returns: Its way out and back.
  static func field<Value: JSONConvertible>(
    _ path: String,
    _ option: WritableKeyPath<TrainingOptions, Value>,
    if isWritten: @escaping (TrainingOptions) -> Bool = { _ in true }
  ) -> OptionField {
    OptionField(
      path: path.split(separator: ".").map(String.init),
      json: { isWritten($0) ? $0[keyPath: option].json : nil },
      take: { options, json in
        guard let value = Value(json: json) else { return false }
        options[keyPath: option] = value
        return true
      }
    )
  }

  /// A key that the original writes and nothing here depends on.
  static func fixed(_ path: String, _ value: OptionValue) -> OptionField {
    OptionField(
      path: path.split(separator: ".").map(String.init),
      json: { _ in value },
      take: { _, _ in true }
    )
  }
}

extension TrainingOptions {
  /// The options under the original's keys, and under `nifty` what the original does not have.
  ///
  /// - Parameter runFolder: The run's folder, as the original's `run_dir`.
  /// - Returns: An object.
  package func json(runFolder: String) -> OptionValue {
    var result: OptionValue = [:]
    for field in Self.fields {
      if let value = field.json(self) { result.set(field.path[...], value) }
    }
    result.set(["run_dir"], .string(runFolder))
    return result
  }

  /// Reads the options of an earlier run, ours or the original's.
  ///
  /// What the file does not say is as `--cfg auto` has it for the file's resolution.
  ///
  /// - Throws: `FileError`, or `TrainingError` naming the key that makes no sense.
  package init(contentsOf path: String) throws {
    try self.init(text: try Self.text(of: path), of: path)
  }

  /// The text of a file of options, which is not looked at.
  ///
  /// - Throws: `FileError`, or `TrainingError` if the file is far too large.
  package static func text(of path: String) throws -> String {
    let file = try MappedFile(path)
    return try withExtendedLifetime(file) {
      guard file.bytes.count <= 16 << 20 else { throw noOptions(path) }
      return String(decoding: file.bytes, as: UTF8.self)
    }
  }

  private static func noOptions(_ path: String) -> TrainingError {
    .option("\(path) is no training_options.json; give one of a run folder")
  }

  /// Takes the options of an earlier run from the text of its file.
  ///
  /// - Parameters:
  ///   - text: The text.
  ///   - path: The file that holds it, perhaps on another machine.
  /// - Throws: `TrainingError` naming the key that makes no sense.
  package init(text: String, of path: String) throws(TrainingError) {
    guard let json = OptionValue(json: text),
      let resolution = json["training_set_kwargs"]?["resolution"]?.int
    else { throw Self.noOptions(path) }
    guard (8...4096).contains(resolution), resolution & (resolution - 1) == 0 else {
      throw TrainingError.option("\(path): training_set_kwargs.resolution cannot be \(resolution)")
    }
    self = .automatic(resolution: resolution, featureDimension: 512, reducedPrecision: true)
    for field in Self.fields {
      guard let value = json[field.path[...]] else { continue }
      guard field.take(&self, value) else {
        let key = field.path.joined(separator: ".")
        throw TrainingError.option("\(path): \(key) cannot be \(value.json)")
      }
    }
    if let folder = json["run_dir"]?.string, let end = folder.lastIndex(of: "/") {
      outdir = String(folder[..<end])
    }
    trainer.discriminator.resolution = resolution
    guard json["nifty"] == nil else { return }
    // The original's file does not say what was asked for in words, and always counts the images.
    named = [.gamma, .kimg, .batch]
    if json["training_set_kwargs"]?["random_seed"] == nil { subset = nil }
  }

  private static var fields: [OptionField] {
    topFields + dataFields + networkFields + scheduleFields + ownFields
  }

  private static var topFields: [OptionField] {
    [
      .field("f_dim", \.trainer.generator.featureDimension),
      .field("ratio", \.ratio),
      .field("mixing_prob", \.trainer.losses.mixingProb),
      .field("metric_only_test", \.measuresAgainstTest),
      .field("lam", \.trainer.losses.lam),
      .field("temp", \.trainer.losses.temp),
      .field("itd", \.trainer.losses.itd),
      .field("itc", \.trainer.losses.itc),
      .field("iid", \.trainer.losses.iid),
      .field("iic", \.trainer.losses.iic),
      .field("d_use_norm", \.trainer.discriminator.normalizesFeatures),
      .field("d_use_fts", \.trainer.discriminator.usesFeatures),
      .field("gather", \.gathers),
      .field("num_gpus", \.gpus),
      .field("image_snapshot_ticks", \.imageSnapshotTicks),
      .field("network_snapshot_ticks", \.networkSnapshotTicks),
      .field("metrics", \.metrics),
      .field("random_seed", \.seed),
    ]
  }

  private static var dataFields: [OptionField] {
    let (training, testing) = ("training_set_kwargs.", "testing_set_kwargs.")
    let name = OptionValue.string("training.dataset.ImageFolderDataset")
    return [
      .fixed(training + "class_name", name),
      .field(training + "path", \.pathOrPaths),
      .field(training + "use_labels", \.usesLabels),
      .field(training + "max_size", \.subsetOrAll),
      .field(training + "xflip", \.mirror),
      .fixed(training + "use_clip", .bool(true)),
      .field(training + "ratio", \.ratio),
      .field(training + "resolution", \.trainer.generator.resolution),
      .field(training + "random_seed", \.seed, if: { $0.subset != nil }),
      .fixed(testing + "class_name", name),
      .field(testing + "path", \.testData),
      .field(testing + "use_labels", \.usesLabels),
      .fixed(testing + "max_size", .null),
      .field(testing + "xflip", \.mirror),
      .fixed(testing + "use_clip", .bool(true)),
      .field(testing + "ratio", \.ratio),
      .field(testing + "resolution", \.trainer.discriminator.resolution),
      .fixed("data_loader_kwargs.pin_memory", .bool(false)),
      .field("data_loader_kwargs.num_workers", \.workers),
      .fixed("data_loader_kwargs.prefetch_factor", .int(2)),
    ]
  }

  private static var networkFields: [OptionField] {
    let (G, D) = ("G_kwargs.", "D_kwargs.")
    return [
      .fixed(G + "class_name", .string("training.networks.Generator")),
      .field(G + "z_dim", \.trainer.generator.zDimension),
      .field(G + "w_dim", \.trainer.generator.wDimension),
      .field(G + "m_layer_features", \.trainer.generator.featureDimension),
      .field(G + "m_num_layers", \.trainer.generator.mappingLayers),
      .field(G + "mapping_kwargs.num_layers", \.trainer.generator.mappingLayers),
      .field(G + "synthesis_kwargs.channel_base", \.trainer.generator.channelBase),
      .field(G + "synthesis_kwargs.channel_max", \.trainer.generator.channelMax),
      .field(
        G + "synthesis_kwargs.num_fp16_res",
        \.trainer.generator.reducedPrecisionResolutions
      ),
      .field(G + "synthesis_kwargs.conv_clamp", \.trainer.generator.clamp),
      .field(G + "synthesis_kwargs.change", \.trainer.generator.structureChange),
      .field(G + "synthesis_kwargs.f_dim", \.trainer.generator.featureDimension),
      .field(
        G + "synthesis_kwargs.fp16_channels_last",
        \.trainer.generator.channelsLast,
        if: { $0.trainer.generator.channelsLast != nil }
      ),
      .fixed(D + "class_name", .string("training.networks.Discriminator")),
      .field(D + "use_norm", \.trainer.discriminator.normalizesFeatures),
      .field(D + "use_fts", \.trainer.discriminator.usesFeatures),
      .fixed(D + "block_kwargs", [:]),
      .field(
        D + "block_kwargs.freeze_layers",
        \.trainer.frozenLayers,
        if: { $0.trainer.frozenLayers > 0 }
      ),
      .field(
        D + "block_kwargs.fp16_channels_last",
        \.trainer.discriminator.channelsLast,
        if: { $0.trainer.discriminator.channelsLast != nil }
      ),
      .fixed(D + "mapping_kwargs", [:]),
      .field(D + "epilogue_kwargs.mbstd_group_size", \.trainer.discriminator.minibatchGroup),
      .field(D + "epilogue_kwargs.f_dim", \.trainer.discriminator.featureDimension),
      .field(D + "channel_base", \.trainer.discriminator.channelBase),
      .field(D + "channel_max", \.trainer.discriminator.channelMax),
      .field(D + "num_fp16_res", \.trainer.discriminator.reducedPrecisionResolutions),
      .field(D + "conv_clamp", \.trainer.discriminator.clamp),
    ]
  }

  private static func adam(
    _ key: String,
    _ optimizer: WritableKeyPath<TrainingOptions, Adam.Configuration>
  ) -> [OptionField] {
    [
      .fixed(key + ".class_name", .string("torch.optim.Adam")),
      .field(key + ".lr", optimizer.appending(path: \.learningRate)),
      .field(key + ".betas", optimizer.appending(path: \.betas)),
      .field(key + ".eps", optimizer.appending(path: \.epsilon)),
    ]
  }

  private static var scheduleFields: [OptionField] {
    adam("G_opt_kwargs", \.trainer.generatorOptimizer)
      + adam("D_opt_kwargs", \.trainer.discriminatorOptimizer)
      + [
        .fixed("loss_kwargs.class_name", .string("training.loss.StyleGAN2Loss")),
        .field("loss_kwargs.r1_gamma", \.trainer.losses.gamma),
        .field("loss_kwargs.style_mixing_prob", \.trainer.losses.styleMixingProb),
        .field("loss_kwargs.pl_weight", \.trainer.losses.pathLengthWeight),
        .field("loss_kwargs.pl_decay", \.trainer.losses.pathLengthDecay),
        .field("loss_kwargs.pl_batch_shrink", \.trainer.losses.pathLengthShrink),
        .field("total_kimg", \.wholeKimg),
        .field("batch_size", \.trainer.batchSize),
        .field("batch_gpu", \.batchPerDevice),
        .field("ema_kimg", \.trainer.emaKimg),
        .field("ema_rampup", \.trainer.emaRampUp),
        .field("augment_kwargs", \.augmentKeywords, if: { $0.trainer.augmentation != nil }),
        .field("augment_p", \.augmentProbability, if: { $0.trainer.augmentation != nil }),
        .field("ada_target", \.augmentTarget, if: { $0.augmentTarget != nil }),
        .field("ada_kimg", \.augmentKimg, if: { $0.augmentTarget != nil }),
        .field("ada_interval", \.augmentInterval, if: { $0.augmentTarget != nil }),
        .field("resume_pkl", \.resume, if: { $0.resume != nil }),
        .field("cudnn_benchmark", \.benchmarks, if: { !$0.benchmarks }),
        .field("allow_tf32", \.allowsTF32, if: { $0.allowsTF32 }),
      ]
  }

  private static var ownFields: [OptionField] {
    [
      .field("nifty.data", \.data),
      .field("nifty.image_count", \.imageCount),
      .field("nifty.subset", \.subset),
      .field("nifty.mirror_features", \.mirrorsFeatures),
      .field("nifty.clip", \.clip),
      .field("nifty.text_mapper", \.textMapper),
      .field("nifty.gathers", \.trainer.losses.gathers),
      .field("nifty.rounds", \.trainer.rounds),
      .field("nifty.contrastive", \.trainer.losses.contrastive),
      .field("nifty.feature_logit", \.trainer.discriminator.featureLogit),
      .field("nifty.clip_crop", \.trainer.losses.clipCrop),
      .field("nifty.text_noise", \.trainer.losses.textNoise),
      .field("nifty.image_noise", \.trainer.losses.imageNoise),
      .field("nifty.style_width", \.trainer.generator.styleWidth),
      .field("nifty.feature_scale", \.trainer.generator.featureScale),
      .field("nifty.G_reg_interval", \.trainer.generatorRegularisationInterval),
      .field("nifty.D_reg_interval", \.trainer.discriminatorRegularisationInterval),
      .field("nifty.kimg_per_tick", \.tickKimg),
      .field("nifty.maximum_seconds", \.maximumSeconds),
      .field("nifty.checkpoint_seconds", \.checkpointSeconds),
      .field("nifty.on_collapse", \.collapsePolicy),
      .field("nifty.metric_images", \.metricImages),
      .field("nifty.prompts", \.prompts),
      .field("nifty.prompt_lines", \.promptLines, if: { $0.promptLines != nil }),
      .field("nifty.snapshot_format", \.snapshotFormat),
      .field("nifty.threads", \.threads),
      .field("nifty.named", \.named),
    ]
  }
}

extension ContrastiveForm: JSONConvertible {}
extension FeatureLogit: JSONConvertible {}
extension CLIPCrop: JSONConvertible {}
extension SnapshotFormat: JSONConvertible {}
extension NamedPart: JSONConvertible {}
extension CollapsePolicy: JSONConvertible {}
