import Text
import TorchNN

// Options of the run: folder, duration, speed, output.
extension TrainingOption {
  package static let runOptions =
    [
      outdir, gpus, snap, seed, cfg, kimg, batch, batchPerDevice, rankTimeout, minutes, tick,
      generatorRate, discriminatorRate, ema, resume, resumesState, prompts, threads, snapshotFormat,
      keep,
      profile,
      alert,
      checkpointMinutes, onCollapse,
    ] + runOfFiles

  package static let outdir = TrainingOption(
    "outdir",
    "Where the run folder is made.",
    \.outdir,
    default: .unsaid,
    guide: "required: folder that receives run folders"
  )
  package static let gpus = TrainingOption(
    "gpus",
    """
    Processes, one a device; started here, unless torchrun, srun or mpirun has done so.
    """,
    \.gpus,
    key: "num_gpus",
    in: .between(1, 4096),
    continuing: .mayChange,
    guide: "number of processes, one a device, of any number; [several machines](multi-machine.md)"
  )
  package static let snap = TrainingOption(
    "snap",
    "Ticks between snapshots.",
    \.networkSnapshotTicks,
    [\.imageSnapshotTicks],
    key: "network_snapshot_ticks",
    fields: [.field("image_snapshot_ticks", \.imageSnapshotTicks)],
    in: .atLeast(1),
    continuing: .mayChange
  )
  package static let seed = TrainingOption(
    "seed",
    "Seed of everything random.",
    \.seed,
    key: "random_seed",
    fields: [.field("training_set_kwargs.random_seed", \.seed, if: { $0.subset != nil })],
    in: .atLeast(0)
  )
  package static let cfg = TrainingOption(
    flag: "cfg",
    "Base configuration; there is one.",
    default: .words("auto")
  )
  package static let kimg = TrainingOption(
    "kimg",
    "Thousands of images to train for.",
    \.kimg,
    fields: [.field("total_kimg", \.wholeKimg)],
    in: .above(0, atMost: 1e12, "thousands of images"),
    named: .kimg,
    continuing: .mayChange
  )
  package static let batch = TrainingOption(
    "batch",
    "Images per step.",
    \.trainer.batchSize,
    key: "batch_size",
    in: .between(1, 65_536, "images"),
    default: .words("\(TrainingOptions.standardBatchPerDevice) per device"),
    named: .batch,
    guide: "images per step. Does not change `gamma`, the averaging or the statistics layer"
  )
  package static let batchPerDevice = TrainingOption(
    flag: "batch-gpu",
    "Images that a device computes at once; fewer need less memory. auto: as many as fit.",
    fields: [.derived("batch_gpu", \.batchPerDevice)],
    in: .between(1, 65_536, "images"),
    default: .words("its share of the batch"),
    continuing: .mayChange,
    guide:
      "images that a device computes at once, a multiple of `mbstd-group`; fewer need less memory. `auto` "
      + "(ours) takes as many as fit, see [fine-tuning](fine-tuning.md#memory)"
  )
  package static let rankTimeout = TrainingOption(
    flag: "rank-timeout",
    "Seconds that another process may be silent, or get nowhere, before the run stops.",
    in: .above(0, atMost: 1e6, "seconds"),
    default: .words(Text.typed(TrainingArguments.standardRankTimeout)),
    continuing: .mayChange,
    ours: true
  )
  package static let minutes = TrainingOption(
    "minutes",
    "Stop after this many minutes of training.",
    \.maximumSeconds,
    key: "nifty.maximum_seconds",
    in: .above(0, atMost: 1e10, "minutes"),
    times: 60,
    continuing: .mayChange,
    ours: true
  )
  package static let tick = TrainingOption(
    "tick",
    "Length of a tick in thousands of images.",
    \.tickKimg,
    key: "nifty.kimg_per_tick",
    in: .above(0, atMost: 1e12, "thousands of images"),
    ours: true
  )
  package static let generatorRate = TrainingOption(
    "g_lr",
    "Generator's learning rate.",
    \.trainer.generatorOptimizer.learningRate,
    key: "G_opt_kwargs.lr",
    in: .above(0, atMost: 1e12),
    guide: "generator's learning rate; 0.002 from 1024² on"
  )
  package static let discriminatorRate = TrainingOption(
    "d_lr",
    "Discriminator's learning rate.",
    \.trainer.discriminatorOptimizer.learningRate,
    key: "D_opt_kwargs.lr",
    in: .above(0, atMost: 1e12),
    guide: "discriminator's learning rate; 0.002 from 1024² on"
  )
  package static let ema = TrainingOption(
    "ema",
    "Half-life of the averaged generator in kimg.",
    \.trainer.emaKimg,
    key: "ema_kimg",
    in: .above(0, atMost: 1e12, "thousands of images"),
    ours: true
  )
  package static let resume = TrainingOption(
    "resume",
    "Snapshot to start from.",
    \.resumeOrNone,
    fields: [.field("resume_pkl", \.resume, if: { $0.resume != nil })],
    named: .resume,
    guide:
      "a snapshot, the original's or ours. The average then does not ramp up, and `ada` adapts "
      + "five times as fast"
  )
  package static let resumesState = TrainingOption(
    "resume-state",
    "With --resume: count on from the snapshot's kimg and ADA's p.",
    \.resumesState,
    key: "nifty.resume_state",
    ours: true,
    guide:
      "1, with `resume`: the run counts on from the snapshot's kimg and, with `aug=ada`, from its p; "
      + "optimisers begin anew"
  )
  package static let prompts = TrainingOption(
    "prompts",
    """
    File of prompts, one a line, for the sample grids. The run keeps them: the file is read once.
    """,
    \.prompts,
    key: "nifty.prompts",
    ours: true
  )
  package static let threads = TrainingOption(
    "threads",
    "Threads of one operation on the CPU.",
    \.threads,
    key: "nifty.threads",
    in: .between(1, 1024, "threads"),
    continuing: .mayChange,
    ours: true
  )
  package static let snapshotFormat = TrainingOption(
    "snapshot-format",
    "Format of network snapshots.",
    \.snapshotFormat,
    key: "nifty.snapshot_format",
    ours: true,
    guide: "`pkl`, which the original reads, or `safetensors`"
  )
  package static let keep = TrainingOption(
    "keep",
    """
    Network snapshots that stay on the disk: all, or last:N, best:M (by the first metric) and \
    every:KIMG, separated by commas.
    """,
    \.keep,
    key: "nifty.keep",
    continuing: .mayChange,
    ours: true,
    guide:
      "network snapshots that stay: `all`, or `last:N`, `best:M` and `every:KIMG` separated by commas, "
      + "see [fine-tuning](fine-tuning.md#disk)"
  )
  package static let profile = TrainingOption(
    flag: "profile",
    "Trace phases and operators of the first 17 steps as profile000012.json, for Chrome.",
    continuing: .mayChange,
    ours: true
  )
  package static let alert = TrainingOption(
    flag: "alert",
    "Post one JSON object to this address when the run collapses, ends or is stopped.",
    continuing: .mayChange,
    ours: true,
    guide: "an address that gets one JSON object when the run collapses, ends or is stopped, see "
      + "[fine-tuning](fine-tuning.md#being-told); it is not kept with the run"
  )
  package static let checkpointMinutes = TrainingOption(
    "checkpoint-minutes",
    "Minutes between checkpoints.",
    \.checkpointSeconds,
    key: "nifty.checkpoint_seconds",
    in: .above(0, atMost: 1e10, "minutes"),
    times: 60,
    continuing: .mayChange,
    ours: true,
    guide: "minutes between checkpoints: how much a `kill -9` costs at most"
  )
  package static let onCollapse = TrainingOption(
    "on-collapse",
    """
    When the run has collapsed: warn, stop, or rollback to the last good checkpoint with half \
    the learning rates.
    """,
    \.collapsePolicy,
    key: "nifty.on_collapse",
    continuing: .mayChange,
    ours: true,
    guide: "`warn`, `stop` or `rollback`, see [fine-tuning](fine-tuning.md#when-it-collapses)"
  )

  private static let runOfFiles: [TrainingOption] = [
    .fileOnly("ema_rampup", \.trainer.emaRampUp),
    .fileOnly("G_opt_kwargs.betas", \.trainer.generatorOptimizer.betas),
    .fileOnly("G_opt_kwargs.eps", \.trainer.generatorOptimizer.epsilon, in: .between(0, 1e12)),
    .fileOnly("D_opt_kwargs.betas", \.trainer.discriminatorOptimizer.betas),
    .fileOnly("D_opt_kwargs.eps", \.trainer.discriminatorOptimizer.epsilon, in: .between(0, 1e12)),
    .fileOnly(
      "nifty.rounds",
      \.trainer.rounds,
      in: .between(1, 65_536),
      continuing: .mayChange
    ),
    .fileOnly("nifty.prompt_lines", \.promptLines, if: { $0.promptLines != nil }),
    .fileOnly("nifty.named", \.named, continuing: .mayChange),
  ]
}
