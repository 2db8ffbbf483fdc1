import Networks

// Options of the arithmetic, most of them for CUDA.
extension TrainingOption {
  package static let numericsOptions = [fullPrecision, winograd, nhwc, nobench, allowTF32]

  package static let fullPrecision = TrainingOption(
    "fp32",
    "Compute everything in float32.",
    \.isFullPrecision,
    default: .words("0; 1 on a CPU below \(TrainingOptions.smallestReducedOnCPU)²"),
    guide: "everything in float32"
  )
  package static let winograd = TrainingOption(
    "winograd",
    "Winograd's convolutions on a CPU with AVX-512.",
    \.usesWinograd,
    fields: [.field("nifty.winograd", \.usesWinograd, if: { !$0.usesWinograd })],
    guide: "convolutions of 3 × 3 by Winograd's algorithm on a CPU with AVX-512, "
      + "[up to three times as fast](../PERFORMANCE.md#winograds-convolutions); changes values only by rounding"
  )
  package static let nhwc = TrainingOption(
    "nhwc",
    "Channels innermost in half precision.",
    \.trainer.generator.channelsLast,
    [\.trainer.discriminator.channelsLast],
    fields: [
      .field(
        "G_kwargs.synthesis_kwargs.fp16_channels_last",
        \.trainer.generator.channelsLast,
        if: { $0.trainer.generator.channelsLast != nil }
      ),
      .field(
        "D_kwargs.block_kwargs.fp16_channels_last",
        \.trainer.discriminator.channelsLast,
        if: { $0.trainer.discriminator.channelsLast != nil }
      ),
    ],
    default: .words("0; 1 on a CPU"),
    guide: "channels innermost in memory in the blocks of half precision; changes "
      + "[speed](../PERFORMANCE.md#order-of-memory), values only by rounding"
  )
  package static let nobench = TrainingOption(
    "nobench",
    "Do not let cuDNN try its algorithms.",
    \.keepsAlgorithms,
    fields: [.field("cudnn_benchmark", \.benchmarks, if: { !$0.benchmarks })],
    guide: "do not let cuDNN try its algorithms; nothing on a CPU"
  )
  package static let allowTF32 = TrainingOption(
    "allow-tf32",
    "Let CUDA multiply in TF32.",
    \.allowsTF32,
    fields: [.field("allow_tf32", \.allowsTF32, if: { $0.allowsTF32 })],
    guide: "CUDA's short mantissa; nothing on a CPU"
  )
}
