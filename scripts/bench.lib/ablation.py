"""Trains the arms of a table with several seeds, scores them, and writes what each is worth."""
import argparse
import concurrent.futures
import json
import os
import pathlib
import subprocess
import sys

from ablation_report import write_report

HELD_OUT_CAPTIONS = 48
IMAGES = 1000


class Once(argparse.Action):
    """A value that is given once: argparse would keep the last without a word."""

    def __call__(self, parser, namespace, value, name=None):
        if getattr(namespace, "given_" + self.dest, False):
            parser.error(f"{name} is given twice: several zips are one brace pattern")
        setattr(namespace, "given_" + self.dest, True)
        setattr(namespace, self.dest, value)


def arguments():
    parser = argparse.ArgumentParser(prog="scripts/ablate", allow_abbrev=False)
    parser.add_argument("table", type=pathlib.Path)
    parser.add_argument("--data", required=True, action=Once, help="zip, or several by a brace pattern")
    parser.add_argument("--test", required=True, action=Once)
    parser.add_argument("--clip", required=True, action=Once)
    parser.add_argument("--judge", action="append", default=[])
    parser.add_argument("--classifier", action="append", default=[])
    parser.add_argument("--out", type=pathlib.Path, required=True, action=Once)
    parser.add_argument("--kimg", type=int, default=60)
    parser.add_argument("--seeds", default="0,1")
    parser.add_argument("--only", default="")
    parser.add_argument("--jobs", type=int, default=2)
    parser.add_argument("--nifty", default=".build/release/nifty")
    options = parser.parse_args()
    if not options.judge or len(options.judge) + len(options.classifier) != 2:
        parser.error("give --judge twice, or --judge and --classifier: an arm wins only if two judges agree")
    options.judges = ([("--judge", "mmd_judge", path) for path in options.judge]
                      + [("--classifier", "mmd_features", path) for path in options.classifier])
    if options.kimg < 1 or options.jobs < 1:
        parser.error("--kimg and --jobs begin at 1")
    try:
        options.seeds = [int(seed) for seed in options.seeds.split(",")]
    except ValueError:
        parser.error(f"--seeds is a list as 0,1 and not {options.seeds}")
    for path in [options.table, options.test, options.clip, options.nifty,
                 *options.judge, *options.classifier]:
        if not os.path.exists(path):
            parser.error(f"{path} is not there")
    return options


def read_table(path):
    """Arms in order, [(name, flags)], and the flags of all."""
    arms, common = [], []
    for number, line in enumerate(path.read_text().splitlines(), 1):
        if not line.strip() or line.startswith("#"):
            continue
        name, _, flags = line.partition("\t")
        if not name.strip() or "/" in name or name in [arm for arm, _ in arms]:
            sys.exit(f"ablate: error: {path}:{number}: an arm needs a name of its own without /")
        if name == "*":
            common = flags.split()
        else:
            arms.append((name, flags.split()))
    if len(arms) < 2:
        sys.exit(f"ablate: error: {path} names {len(arms)} arms: a baseline and one more are needed")
    return arms, common


def run(command, log):
    """Runs a command at low priority; processor seconds, also of what it started."""
    environment = dict(os.environ, OMP_NUM_THREADS="1")
    with open(log, "a") as file:
        process = subprocess.Popen(
            ["nice", "-n", "19", *command], stdout=file, stderr=subprocess.STDOUT, env=environment)
        _, status, usage = os.wait4(process.pid, 0)
        process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode != 0:
        sys.exit(f"ablate: error: {' '.join(command[:2])} ended with {process.returncode}; see {log}")
    return usage.ru_utime + usage.ru_stime


def train(options, common, flags, seed, folder):
    """The run's folder, after `--kimg` thousand images, and its processor seconds so far."""
    spent = folder / "processor-seconds"
    runs = folder / "runs"
    old = sorted(runs.glob("*/checkpoint")) if runs.exists() else []
    if old:
        command = [options.nifty, "train", f"--continue={old[-1].parent}"]
    else:
        command = [
            options.nifty, "train", f"--outdir={runs}", f"--data={options.data}",
            f"--test_data={options.test}", f"--clip={options.clip}", f"--seed={seed}",
            f"--kimg={options.kimg}", "--threads=1", "--metrics=none",
            *(flag.replace("{data}", options.data) for flag in [*common, *flags])]
    seconds = run(command, folder / "train.log")
    with open(spent, "a") as file:
        file.write(f"{seconds}\n")
    total = sum(float(line) for line in spent.read_text().split())
    return sorted(runs.iterdir())[-1], total


def score(options, snapshot, folder, name):
    """Both judges' distances, and the first one's agreement on seen and on held-out captions."""
    result = {}
    network = [options.nifty, "metrics", f"--network={snapshot}", f"--data={options.data}",
               f"--clip={options.clip}", "--threads=1"]

    def measured(task, *flags):
        figures = folder / f"{name}-{task}.json"
        run([*network, *flags, f"--figures={figures}"], folder / "score.log")
        return json.loads(figures.read_text())

    for index, (flag, metric, path) in enumerate(options.judges):
        also = ",judge_top1,variety_judge" if index == 0 else ""
        found = measured(f"seen-{index}", f"{flag}={path}", f"--metrics={metric}{also}", f"--images={IMAGES}")
        result[f"mmd_{index}"] = found[metric]
        if index == 0:
            result["top1_seen"] = found["judge_top1"]
            result["variety"] = found["variety_judge"]
            held_out = measured("held_out", f"{flag}={path}", f"--test_data={options.test}",
                                "--metrics=judge_top1", f"--captions={HELD_OUT_CAPTIONS}")
            result["top1_held_out"] = held_out["judge_top1"]
    return result


def snapshots(run_folder):
    """[(thousand images, path)] in order."""
    found = []
    for path in run_folder.glob("network-snapshot-*"):
        digits = path.stem.rpartition("-")[2]
        found.append((int(digits), path))
    return sorted(found)


def one(options, common, arm, flags, seed, budget):
    """Trains and scores one arm with one seed; `budget` is the baseline's processor seconds."""
    folder = options.out / f"{arm}-seed{seed}"
    folder.mkdir(parents=True, exist_ok=True)
    file = folder / "result.json"
    result = json.loads(file.read_text()) if file.exists() else {}
    wanted = {"flags": common + flags, "kimg": options.kimg, "data": options.data, "clip": options.clip,
              "judges": [path for _, _, path in options.judges], "format": 2}
    note = folder / "wanted.json"
    if note.exists() and json.loads(note.read_text()) != wanted:
        sys.exit(f"ablate: error: {folder} was made with other flags, data, judges or --kimg: delete it, "
                 "or give another --out")
    note.write_text(json.dumps(wanted))
    if not result:
        run_folder, seconds = train(options, common, flags, seed, folder)
        kimg, last = snapshots(run_folder)[-1]
        result = {"kimg": kimg, "seconds": seconds,
                  "images": score(options, last, folder, "images")}
    if budget and "time" not in result:
        # The last snapshot that the baseline's processor seconds would have reached.
        reach = result["kimg"] * budget / result["seconds"]
        run_folder = sorted((folder / "runs").iterdir())[-1]
        within = [row for row in snapshots(run_folder) if row[0] <= max(reach, 1)]
        kimg, path = within[-1]
        same = kimg == result["kimg"]
        result["time_kimg"] = kimg
        result["time"] = result["images"] if same else score(options, path, folder, "time")
    part = file.with_suffix(".part")
    part.write_text(json.dumps(result, indent=1))
    part.rename(file)
    print(f"{arm} seed {seed}: {result['kimg']} kimg, {result['seconds']:.0f} processor s, "
          f"mmd {result['images']['mmd_0']:.4f}", flush=True)
    return result


def main():
    options = arguments()
    arms, common = read_table(options.table)
    if options.only:
        names = options.only.split(",")
        unknown = set(names) - {name for name, _ in arms}
        if unknown:
            sys.exit(f"ablate: error: no arm {', '.join(unknown)} in {options.table}")
        arms = [arm for arm in arms if arm[0] in names or arm == arms[0]]
    options.out.mkdir(parents=True, exist_ok=True)
    results = {name: {} for name, _ in arms}
    baseline = arms[0][0]
    with concurrent.futures.ThreadPoolExecutor(options.jobs) as pool:
        def each(rows, budget):
            waiting = {pool.submit(one, options, common, name, flags, seed, budget): (name, seed)
                       for seed in options.seeds for name, flags in rows}
            for done in concurrent.futures.as_completed(waiting):
                name, seed = waiting[done]
                results[name][seed] = done.result()
                write_report(options, arms, common, results)
        each(arms[:1], None)
        budget = sum(row["seconds"] for row in results[baseline].values()) / len(options.seeds)
        each(arms, budget)


main()
