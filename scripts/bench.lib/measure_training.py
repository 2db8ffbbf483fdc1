"""scripts/bench train: see its help."""
import argparse
import json
import sys

import torch

import assets
import ideal
import training

# resolution, batch, channel base and maximum, steps, flags. A step of 256² takes a minute.
DEMO = (
    "--channel-base=512 --channel-max=128 --style-width=128 --feature-scale=8 "
    "--feature-logit=per-sample --contrastive=infonce --itd=2 --itc=4 --temp=0.2 --clip-crop=none "
    "--gamma=2 --pl-weight=2 --mixing_prob=1.0"
).split()
CASES = {
    "256-bf16": (256, 4, 32768, 512, 5, ["--fp32=0", "--fmap=1"]),
    "256-fp32": (256, 4, 32768, 512, 5, ["--fp32=1", "--fmap=1"]),
    "64-bf16": (64, 16, 8192, 512, 17, ["--fp32=0", "--fmap=0.25"]),
    "64-fp32": (64, 16, 8192, 512, 17, ["--fp32=1", "--fmap=0.25"]),
    "32-demo": (32, 32, 512, 128, 65, ["--fp32=1", *DEMO]),
}


class Bench:
    def __init__(self, nifty, work, threads):
        self.nifty, self.work, self.threads = nifty, work, threads
        self.paths = {}

    def clip(self, name):
        """(path, image tower) of the CLIP of a case."""
        if name == "32-demo":
            path = self.made("small", lambda: assets.small_clip(self.nifty, self.work))
            return path, assets.convolution_tower()
        model = assets.random_clip()

        def written():
            path = f"{self.work}/clip.safetensors"
            assets.write_safetensors(path, model.state_dict())
            return path

        return self.made("large", written), model.visual

    def made(self, key, body):
        if key not in self.paths:
            self.paths[key] = body()
        return self.paths[key]

    def measure(self, name, nifty, extra, steps):
        side, batch, _, _, usual, flags = CASES[name]
        clip, _ = self.clip(name)
        data = self.made(side, lambda: assets.packed(self.nifty, self.work, side, 64, clip))
        rows, sampler, _ = training.run(
            nifty, [f"--data={data}", f"--clip={clip}", *flags], batch, steps or usual,
            self.threads, extra,
        )
        times = training.phases(rows, sampler)
        wall, used = training.iteration(times)
        return {
            "cpu_seconds": round(used, 4), "wall_seconds": round(wall, 4),
            "images_per_second": round(batch / wall, 2),
            "images_per_cpu_second": round(batch / used, 2), "peak_mib": round(sampler.peak_mib()),
            "phases": {key: [round(t, 4) for t in time] for key, time in times.items()},
        }

    def with_ideal(self, name, result):
        side, batch, base, most, _, flags = CASES[name]
        _, tower = self.clip(name)
        gflop, seconds = ideal.iteration(
            side, batch, lambda r: min(base // r, most), "--fp32=0" in flags, tower
        )
        total = sum(seconds.values())
        return result | {
            "ideal_cpu_seconds": round(total, 4),
            "ideal_parts": {key: round(value, 4) for key, value in seconds.items()},
            "utilisation": round(total / result["cpu_seconds"], 4),
            "gflop": round(sum(gflop.values()), 1),
            "gflop_per_second": round(sum(gflop.values()) / result["cpu_seconds"], 1),
        }


def sides_of(text, nifty):
    """Two sides: (label, program, flags)."""
    parts = text.split(",")
    if len(parts) != 2:
        raise SystemExit(f"--sides takes two, separated by a comma, not '{text}'")
    return [(p, nifty, [p]) if p.startswith("--") else (p, p, []) for p in parts]


def main():
    parser = argparse.ArgumentParser(prog="scripts/bench train")
    parser.add_argument("nifty")
    parser.add_argument("work")
    parser.add_argument("--only", default=",".join(CASES))
    parser.add_argument("--steps", type=int, default=0)
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--sides")
    options, extra = parser.parse_known_args()
    names = options.only.split(",")
    unknown = [name for name in names if name not in CASES]
    if unknown:
        raise SystemExit(f"no case {', '.join(unknown)}; there are: {', '.join(CASES)}")
    torch.set_num_threads(options.threads)
    bench = Bench(options.nifty, options.work, options.threads)
    result = {}
    for name in names:
        if options.sides:
            pair = sides_of(options.sides, options.nifty)
            rounds = [
                {label: bench.measure(name, program, extra + flags, options.steps)
                 for label, program, flags in pair}
                for _ in range(3)
            ]
            a, b = (label for label, _, _ in pair)
            ratios = sorted(r[b]["cpu_seconds"] / r[a]["cpu_seconds"] for r in rounds)
            result[name] = {"ratio": round(ratios[1], 4), "ratios": [round(r, 4) for r in ratios],
                            "rounds": rounds}
        else:
            measured = bench.measure(name, options.nifty, extra, options.steps)
            result[name] = bench.with_ideal(name, measured)
        print(name, json.dumps(result[name]), file=sys.stderr, flush=True)
    print(json.dumps(result))


main()
