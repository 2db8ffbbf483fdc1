import TestSupport
import Testing

/// Numbers on the command line that are too large, too small, or without effect.
@Suite("Numbers of flags")
struct NumberFlagTests {
  /// A command line, and the message about it.
  static let refused: [(line: String, message: String)] = [
    (
      "generate --network emoji --threads=3000000000 a",
      "--threads must be between 1 and 1024 threads, not 3000000000"
    ),
    (
      "generate --network emoji --trunc-cutoff=-1 a",
      "--trunc-cutoff must be 0 or more layers, not -1"
    ),
    ("generate --network emoji --trunc=nan a", "--trunc must be between -10 and 10, not nan"),
    ("generate --network emoji --trunc=1e308 a", "--trunc must be between -10 and 10, not 1e308"),
    ("walk --network emoji --trunc=1,1e308 a b", "--trunc must be between -10 and 10, not 1e308"),
    (
      "generate --network emoji --image-noise=0.5 a",
      "--image-noise is the noise of --from-image: give a picture, too"
    ),
    (
      "generate --network emoji --latents l.safetensors --seeds=1",
      "--latents holds features and latents: no --clip, --samples or --seeds beside it"
    ),
    (
      "generate --network emoji --overwrite --out=x.safetensors a",
      "--overwrite is for a folder of pictures; x.safetensors is replaced anyway"
    ),
    (
      "clip train --data=d --out=o --threads=3000000000",
      "--threads must be between 1 and 1024 threads, not 3000000000"
    ),
    (
      "clip train --data=d --out=o --kimg=inf",
      "--kimg must be above 0 and at most 1e09 thousand images, not inf"
    ),
    (
      "clip train --data=d --out=o --seconds=-3",
      "--seconds must be above 0 and at most 1e09 seconds, not -3"
    ),
    (
      "clip mapper --data=d --out=o --threads=3000000000",
      "--threads must be between 1 and 1024 threads, not 3000000000"
    ),
    (
      "metrics --network=n --threads=3000000000",
      "--threads must be between 1 and 1024 threads, not 3000000000"
    ),
    (
      "metrics --network=n --images=9223372036854775807",
      "--images must be between 2 and 1e09, not 9223372036854775807"
    ),
    (
      "dataset verify z.zip --threads=9223372036854775807",
      "--threads must be between 1 and 1024 threads, not 9223372036854775807"
    ),
    (
      "laion --metadata=m --out=o --metrics-port=65536",
      "--metrics-port must be between 0 and 65535, not 65536"
    ),
    (
      "laion --metadata=m --out=o --metrics-address=0.0.0.0",
      "--metrics-address is where --metrics-port answers: give a port, too"
    ),
    (
      "laion --metadata=m --out=o --quality=80",
      "--quality is for --format jpg and webp; png is without loss"
    ),
    (
      "pack --source=s --dest=d --no-clip --checkpoint=1e300",
      "--checkpoint must be between 0 and 86400 seconds, not 1e300"
    ),
    (
      "pack --source=s --dest=d --no-clip --threads=9223372036854775807",
      "--threads must be between 1 and 1024 threads, not 9223372036854775807"
    ),
    (
      "pack --source=s --dest=d --no-clip --batch=9223372036854775807",
      "--batch must be between 1 and 65536 images, not 9223372036854775807"
    ),
    (
      "pack --source=s --dest=d --no-clip --quality=80",
      "--quality is for --format=jpeg; webp is without loss"
    ),
    ("pack --source=s --dest=d --no-clip --clip-view=whole", "--clip-view needs --clip"),
    (
      "train --outdir=o --data=d --clip=c --metric-images=9223372036854775807",
      "--metric-images must be between 2 and 1e09 images, not 9223372036854775807"
    ),
    (
      "metrics --network=n --metrics=judge_top1 --judge=j --captions=1000000 --per-caption=1000000",
      "--captions times --per-caption must be at most 100000000 images, not 1000000000000"
    ),
    (
      "import coco --root=r --dest=folder --width=256",
      "--width is about what a zip holds; folder is a folder of the files as they are"
    ),
  ]

  @Test(arguments: refused)
  func `a number out of range is refused before anything starts`(
    line: String,
    message: String
  ) throws {
    let outcome = try nifty(line.split(separator: " ").map(String.init))
    #expect(outcome.status == 64, "\(outcome.errors)")
    #expect(outcome.errors.hasPrefix("Error: \(message)\n"), "\(outcome.errors)")
  }
}
