"""Table and chart of an ablation."""
import math

# Two-sided 95 % of Student's t by degrees of freedom.
STUDENT = [math.nan, 12.71, 4.30, 3.18, 2.78, 2.57, 2.45, 2.36, 2.31, 2.26]
COLUMNS = [
    ("mmd_0", "MMD, judge 1"), ("mmd_1", "MMD, judge 2"),
    ("top1_seen", "top-1 seen"), ("top1_held_out", "held out"),
]


def interval(values):
    """Mean and half the 95 % interval; infinite for one value."""
    mean = sum(values) / len(values)
    if len(values) < 2:
        return mean, math.inf
    deviation = math.sqrt(sum((value - mean) ** 2 for value in values) / (len(values) - 1))
    factor = STUDENT[min(len(values) - 1, len(STUDENT) - 1)]
    return mean, factor * deviation / math.sqrt(len(values))


def differences(arm, baseline, part, key):
    """Arm − baseline, seed by seed."""
    return [arm[seed][part][key] - baseline[seed][part][key]
            for seed in sorted(arm) if seed in baseline and part in arm[seed] and part in baseline[seed]]


def verdict(arm, baseline):
    """wins, loses or open."""
    better = worse = True
    for part in ["images", "time"]:
        for key in ["mmd_0", "mmd_1"]:
            pairs = differences(arm, baseline, part, key)
            if not pairs:
                return "open"
            mean, half = interval(pairs)
            better = better and mean + half < 0
            worse = worse and mean - half > 0
    mean, half = interval(differences(arm, baseline, "images", "top1_held_out"))
    falls = mean + half < 0
    if better and not falls:
        return "wins"
    return "loses" if worse or (better and falls) else "open"


def write_report(options, arms, common, results):
    lines = [
        f"# {options.table.stem}", "",
        f"{options.kimg} thousand images, seeds {', '.join(map(str, options.seeds))}; all arms: "
        f"`{' '.join(common)}`. Means; in brackets at the baseline's processor seconds. "
        f"Judges: {', '.join(f'{metric} by {path}' for _, metric, path in options.judges)}.", "",
        "| arm | flags | seeds | processor s | " + " | ".join(name for _, name in COLUMNS)
        + " | verdict |",
        "|---|---|---|---|" + "---|" * (len(COLUMNS) + 1),
    ]
    baseline = results[arms[0][0]]
    for index, (name, flags) in enumerate(arms):
        rows = results[name]
        if not rows:
            continue
        cells = []
        for key, _ in COLUMNS:
            mean = sum(row["images"][key] for row in rows.values()) / len(rows)
            timed = [row["time"][key] for row in rows.values() if "time" in row]
            text = f"{mean:.3f}"
            if timed and index > 0:
                text += f" ({sum(timed) / len(timed):.3f})"
            cells.append(text)
        seconds = sum(row["seconds"] for row in rows.values()) / len(rows)
        word = "baseline" if index == 0 else verdict(rows, baseline)
        lines.append(f"| {name} | `{' '.join(flags)}` | {len(rows)} | {seconds:.0f} | "
                     + " | ".join(cells) + f" | {word} |")
    (options.out / "ablation.md").write_text("\n".join(lines) + "\n")
    (options.out / "ablation.svg").write_text(chart(arms, results))


def chart(arms, results):
    """Bars of the first judge's distance at equal images, with every seed as a dot."""
    rows = [(name, [row["images"]["mmd_0"] for row in results[name].values()])
            for name, _ in arms if results[name]]
    widest = max(max(values) for _, values in rows) or 1
    height = 40 + 26 * len(rows)
    parts = [f'<svg xmlns="http://www.w3.org/2000/svg" width="760" height="{height}" '
             'font-family="sans-serif" font-size="13"><rect width="100%" height="100%" fill="#fff"/>'
             '<text x="12" y="22">kernel distance in a judge\'s features, smaller is better</text>']
    for index, (name, values) in enumerate(rows):
        y = 36 + 26 * index
        mean = sum(values) / len(values)
        width = 480 * mean / widest
        parts.append(f'<text x="190" y="{y + 14}" text-anchor="end">{name}</text>'
                     f'<rect x="200" y="{y}" width="{width:.1f}" height="18" fill="#7da7d9"/>')
        for value in values:
            parts.append(f'<circle cx="{200 + 480 * value / widest:.1f}" cy="{y + 9}" r="3"/>')
        parts.append(f'<text x="{210 + 480 * max(values) / widest:.1f}" y="{y + 14}">{mean:.3f}</text>')
    return "".join(parts) + "</svg>\n"
