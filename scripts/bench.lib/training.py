"""`nifty train` for a few steps of a tick each: what its phases cost."""
import glob
import json
import os
import shutil
import statistics
import subprocess
import tempfile
import time

from processes import Sampler

# Steps between two phases of a kind: Greg every 4, Dreg every 16.
SHARES = {"Gmain": 1, "Dmain": 1, "average": 1, "Greg": 1 / 4, "Dreg": 1 / 16}


def lines(work):
    found = glob.glob(f"{work}/runs/*/stats.jsonl")
    if not found:
        return []
    with open(found[0]) as file:
        return [json.loads(line) for line in file if line.endswith("\n")]


def run(nifty, flags, batch, steps, threads, extra=()):
    """Trains for some steps and returns (rows of stats.jsonl, the sampler, when it was started)."""
    work = tempfile.mkdtemp(prefix="nifty-bench-")
    try:
        with open(f"{work}/prompts.txt", "w") as out:
            out.write("a photo of a dog\n")
        command = [
            nifty, "train", f"--outdir={work}/runs", f"--batch={batch}", f"--threads={threads}",
            f"--kimg={steps * batch / 1000}", f"--tick={batch / 1000}", "--snap=1000000",
            f"--prompts={work}/prompts.txt", "--checkpoint-minutes=1000", "--workers=1",
            "--metrics=none", *flags, *extra,
        ]
        environment = dict(os.environ, OMP_NUM_THREADS=str(threads))
        with open(f"{work}/console", "w+") as console:
            start = time.time()
            process = subprocess.Popen(command, stdout=console, stderr=console, env=environment)
            sampler = Sampler(process.pid)
            sampler.start()
            code = process.wait()
            sampler.stop()
            rows = lines(work)
            if code or len(rows) < steps:
                console.seek(0)
                raise SystemExit(f"{' '.join(command)} ended with {code}:\n{console.read()}")
        return rows, sampler, start
    finally:
        shutil.rmtree(work)


def phases(rows, sampler):
    """Of each phase the median (wall, processor) seconds; the first step only warms up, but for Dreg.

    A step's line carries when it was written and how long each phase took, so that the phases lie
    one before the other from there backwards.
    """
    seen = {name: [] for name in SHARES}
    for row in rows:
        end = row["timestamp"]
        for name in ("average", "Dreg", "Dmain", "Greg", "Gmain"):
            figure = row.get(f"Timing/{name}")
            if not figure or not figure["num"]:
                continue
            wall = figure["mean"] / 1000
            used = sampler.processor_at(end) - sampler.processor_at(end - wall)
            seen[name].append((wall, used))
            end -= wall
    warm = {name: times[1:] or times for name, times in seen.items() if times}
    return {
        name: tuple(statistics.median(time[i] for time in times) for i in (0, 1))
        for name, times in warm.items()
    }


def first_step_began(row):
    """When a run's first step began, from its line."""
    names = ("average", "Dreg", "Dmain", "Greg", "Gmain")
    return row["timestamp"] - sum(
        row[f"Timing/{name}"]["mean"] / 1000 for name in names if f"Timing/{name}" in row
    )


def iteration(times):
    """(wall, processor) seconds of Gmain + Dmain + Greg/4 + Dreg/16 and the average."""
    return tuple(sum(SHARES[name] * time[i] for name, time in times.items()) for i in (0, 1))


def snapshot(nifty, work, data, clip, flags):
    """The path of the snapshot of a network that was trained for one step of four images."""
    folder = tempfile.mkdtemp(dir=work)
    with open(f"{folder}/prompts.txt", "w") as out:
        out.write("a photo of a dog\n")
    subprocess.run(
        [nifty, "train", f"--outdir={folder}/runs", f"--data={data}", f"--clip={clip}", "--batch=4",
         "--threads=1", "--kimg=0.004", f"--prompts={folder}/prompts.txt", "--metrics=none", *flags],
        capture_output=True, check=True,
    )
    return sorted(glob.glob(f"{folder}/runs/*/network-snapshot*.pkl"))[-1]
