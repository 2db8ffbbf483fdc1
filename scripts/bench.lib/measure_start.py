"""scripts/bench start: see its help."""
import argparse
import json
import statistics
import sys

import assets
import training
from processes import measured

parser = argparse.ArgumentParser(prog="scripts/bench start")
parser.add_argument("nifty")
parser.add_argument("work")
parser.add_argument("--rounds", type=int, default=5)
options = parser.parse_args()
nifty, work = options.nifty, options.work
clip, data = assets.full_width(nifty, work)
result = {"rounds": options.rounds}


def record(name, times):
    print(name, [[round(t, 2) for t in time] for time in times], file=sys.stderr, flush=True)
    result[f"{name}_seconds"] = round(statistics.median(wall for wall, _ in times), 3)
    result[f"{name}_cpu_seconds"] = round(statistics.median(used for _, used in times), 3)


network = training.snapshot(nifty, work, data, clip, ["--fp32=0", "--fmap=1"])
for name, model in (("image_256", [network, f"--clip={clip}"]), ("image_emoji", ["emoji"])):
    command = [nifty, "generate", "--network", *model, "--samples=1", f"--out={work}/out",
               "--overwrite", "a photo of a dog"]
    measured(command)
    record(name, [measured(command) for _ in range(options.rounds)])

starts = []
for _ in range(2):
    rows, sampler, start = training.run(
        nifty, [f"--data={data}", f"--clip={clip}", "--fp32=0", "--fmap=1"], 4, 1, 1
    )
    began = training.first_step_began(rows[0])
    starts.append((began - start, sampler.processor_at(began)))
record("step_256", starts)
print(json.dumps(result))
