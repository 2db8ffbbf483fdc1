"""scripts/bench sample: see its help."""
import argparse
import json
import sys

import assets
import training
from processes import measured

parser = argparse.ArgumentParser(prog="scripts/bench sample")
parser.add_argument("nifty")
parser.add_argument("work")
parser.add_argument("--threads", type=int, default=1)
options = parser.parse_args()
nifty, work = options.nifty, options.work
clip, data = assets.full_width(nifty, work)
few, many = 2, 18


def painted(network, count):
    """Processor seconds of so many images of one text."""
    return measured(
        [nifty, "generate", f"--network={network}", f"--clip={clip}", f"--samples={count}",
         f"--threads={options.threads}", f"--out={work}/out", "--overwrite", "a photo of a dog"]
    )[1]


result = {"images": many - few, "threads": options.threads}
for name, flag in (("bf16", "--fp32=0"), ("fp32", "--fp32=1")):
    network = training.snapshot(nifty, work, data, clip, [flag, "--fmap=1"])
    rates = sorted((many - few) / (painted(network, many) - painted(network, few)) for _ in range(3))
    print(name, [round(rate, 3) for rate in rates], file=sys.stderr, flush=True)
    result[f"{name}_images_per_cpu_second"] = round(rates[1], 3)
print(json.dumps(result))
