import JSON

// The layout of `training_options.json`.

extension TrainingOptions {
  /// The fields of all keys, in the order of the file.
  static let fields: [OptionField] = {
    let known = Dictionary(uniqueKeysWithValues: allFields.map { ($0.key, $0) })
    return layout.compactMap { known[$0] }
  }()

  /// The keys of all options and those that only the original reads, in no order.
  static var allFields: [OptionField] { TrainingOption.all.flatMap(\.fields) + fixedFields }

  /// The keys in the order in which the original writes them, then ours.
  ///
  /// They are read in this order, too: of two keys for one option, the more exact one wins by being later.
  static let layout = """
    f_dim
    ratio
    mixing_prob
    metric_only_test
    lam
    temp
    itd
    itc
    iid
    iic
    d_use_norm
    d_use_fts
    gather
    num_gpus
    image_snapshot_ticks
    network_snapshot_ticks
    metrics
    random_seed
    training_set_kwargs.class_name
    training_set_kwargs.path
    training_set_kwargs.use_labels
    training_set_kwargs.max_size
    training_set_kwargs.xflip
    training_set_kwargs.use_clip
    training_set_kwargs.ratio
    training_set_kwargs.resolution
    training_set_kwargs.random_seed
    testing_set_kwargs.class_name
    testing_set_kwargs.path
    testing_set_kwargs.use_labels
    testing_set_kwargs.max_size
    testing_set_kwargs.xflip
    testing_set_kwargs.use_clip
    testing_set_kwargs.ratio
    testing_set_kwargs.resolution
    data_loader_kwargs.pin_memory
    data_loader_kwargs.num_workers
    data_loader_kwargs.prefetch_factor
    G_kwargs.class_name
    G_kwargs.z_dim
    G_kwargs.w_dim
    G_kwargs.m_layer_features
    G_kwargs.m_num_layers
    G_kwargs.mapping_kwargs.num_layers
    G_kwargs.synthesis_kwargs.channel_base
    G_kwargs.synthesis_kwargs.channel_max
    G_kwargs.synthesis_kwargs.num_fp16_res
    G_kwargs.synthesis_kwargs.conv_clamp
    G_kwargs.synthesis_kwargs.change
    G_kwargs.synthesis_kwargs.f_dim
    G_kwargs.synthesis_kwargs.fp16_channels_last
    D_kwargs.class_name
    D_kwargs.use_norm
    D_kwargs.use_fts
    D_kwargs.block_kwargs
    D_kwargs.block_kwargs.freeze_layers
    D_kwargs.block_kwargs.fp16_channels_last
    D_kwargs.mapping_kwargs
    D_kwargs.epilogue_kwargs.mbstd_group_size
    D_kwargs.epilogue_kwargs.f_dim
    D_kwargs.channel_base
    D_kwargs.channel_max
    D_kwargs.num_fp16_res
    D_kwargs.conv_clamp
    G_opt_kwargs.class_name
    G_opt_kwargs.lr
    G_opt_kwargs.betas
    G_opt_kwargs.eps
    D_opt_kwargs.class_name
    D_opt_kwargs.lr
    D_opt_kwargs.betas
    D_opt_kwargs.eps
    loss_kwargs.class_name
    loss_kwargs.r1_gamma
    loss_kwargs.style_mixing_prob
    loss_kwargs.pl_weight
    loss_kwargs.pl_decay
    loss_kwargs.pl_batch_shrink
    total_kimg
    batch_size
    batch_gpu
    ema_kimg
    ema_rampup
    augment_kwargs
    augment_p
    ada_target
    ada_kimg
    ada_interval
    resume_pkl
    cudnn_benchmark
    allow_tf32
    nifty.data
    nifty.image_count
    nifty.subset
    nifty.mirror_features
    nifty.clip
    nifty.text_mapper
    nifty.text_corpus
    nifty.text_corpus_steps
    nifty.gathers
    nifty.rounds
    nifty.winograd
    nifty.contrastive
    nifty.feature_logit
    nifty.clip_crop
    nifty.text_noise
    nifty.image_noise
    nifty.style_width
    nifty.feature_scale
    nifty.recipe
    nifty.text_lr_multiplier
    nifty.reuse_fakes
    nifty.diffaug
    nifty.adversarial
    nifty.r2_gamma
    nifty.matching_aware
    nifty.lecam
    nifty.paired
    nifty.paired_warmup
    nifty.vision_aided
    nifty.vision_aided_warmup
    nifty.clip_views
    nifty.lr_decay_kimg
    nifty.ema_deviation
    nifty.freeze_generator
    nifty.resume_state
    nifty.G_reg_interval
    nifty.D_reg_interval
    nifty.kimg_per_tick
    nifty.maximum_seconds
    nifty.checkpoint_seconds
    nifty.on_collapse
    nifty.metric_images
    nifty.metrics_every
    nifty.metrics_at_start
    nifty.prompts
    nifty.prompt_lines
    nifty.snapshot_format
    nifty.keep
    nifty.threads
    nifty.named
    """
    .split(separator: "\n").map(String.init)

  /// Keys of the original that have no effect here.
  private static var fixedFields: [OptionField] {
    let data = OptionValue.string("training.dataset.ImageFolderDataset")
    let adam = OptionValue.string("torch.optim.Adam")
    return [
      .fixed("training_set_kwargs.class_name", data),
      .fixed("training_set_kwargs.use_clip", .bool(true)),
      .fixed("testing_set_kwargs.class_name", data),
      .fixed("testing_set_kwargs.max_size", .null),
      .fixed("testing_set_kwargs.use_clip", .bool(true)),
      .fixed("data_loader_kwargs.pin_memory", .bool(false)),
      .fixed("data_loader_kwargs.prefetch_factor", .int(2)),
      .fixed("G_kwargs.class_name", .string("training.networks.Generator")),
      .fixed("D_kwargs.class_name", .string("training.networks.Discriminator")),
      .fixed("D_kwargs.block_kwargs", [:]),
      .fixed("D_kwargs.mapping_kwargs", [:]),
      .fixed("G_opt_kwargs.class_name", adam),
      .fixed("D_opt_kwargs.class_name", adam),
      .fixed("loss_kwargs.class_name", .string("training.loss.StyleGAN2Loss")),
    ]
  }
}
