# shellcheck shell=bash
# shellcheck disable=SC2034
# What the checks of an archive share. Sourced, never run.
#
# NIFTY    the program; the archive's own if not set
# WORK     folder for data and runs; checks-work if not set
# CLIP     CLIP of the data; the small one of the emoji model if not set
# REHEARSE 1 shortens everything, for a machine without a GPU

set -euo pipefail

here=$(dirname "$(realpath "${BASH_SOURCE[0]}")")
nifty=${NIFTY:-$(realpath "$here/../nifty")}
work=${WORK:-checks-work}
rehearse=${REHEARSE:-0}
clip=${CLIP:-$here/../Models/emoji/clip.safetensors}
failed=0
mkdir -p "$work"

say() { printf '%s: %s\n' "$(basename "$0")" "$*"; }

# expect WHAT COMMAND…: says whether a command succeeds, and goes on; what it says goes to $work/checks.log.
expect() {
  local what=$1
  shift
  if "$@" >>"$work/checks.log" 2>&1; then
    say "ok      $what"
  else
    say "FAILED  $what"
    failed=$((failed + 1))
  fi
}

# done_checks: the last line, and the status.
done_checks() {
  say "$failed failed; figures and logs are in $work"
  ((failed == 0))
}

# quick_or_full QUICK FULL: the value for a rehearsal, or for a GPU.
quick_or_full() { if [[ $rehearse == 1 ]]; then echo "$1"; else echo "$2"; fi; }

# The width of networks: narrow in a rehearsal, else a share of the full one, the first argument.
set_shape() {
  shape=(--fmap "$1")
  if [[ $rehearse == 1 ]]; then shape=(--channel-base 512 --channel-max 64 --style-width 64); fi
}

# data SIDE: packs the archive's pictures as $work/SIDE.zip, once.
data() {
  [[ -e $work/$1.zip ]] || "$nifty" pack --source "$here/pictures" --dest "$work/$1.zip" --width "$1" \
    --height "$1" --transform center-crop --clip "$clip" >"$work/pack-$1.log" 2>&1
}

# train NAME ZIP FLAGS…: one run, its folder is in $run.
train() {
  local name=$1 zip=$2
  shift 2
  rm -rf "${work:?}/$name"
  "$nifty" train --outdir "$work/$name" --data "$zip" --clip "$clip" --metrics none --seed 1 \
    "$@" >"$work/$name.log" 2>&1
  run=$(echo "$work/$name"/0*)
}

# figure RUN NAME [first]: the last mean of a figure in a run's stats.jsonl, or that of the first step.
figure() {
  local line
  line=$(if [[ ${3-} == first ]]; then head -n 1 "$1/stats.jsonl"; else tail -n 1 "$1/stats.jsonl"; fi)
  grep -o "\"$2\": {[^}]*" <<<"$line" | grep -o '"mean": [^,}]*' | cut -d' ' -f2
}

# close A B SHARE: whether two numbers differ by at most a share of the larger one.
close() {
  awk -v a="$1" -v b="$2" -v s="$3" 'BEGIN {
    d = a > b ? a - b : b - a; m = a < 0 ? -a : a; n = b < 0 ? -b : b
    exit !(a != "" && b != "" && d <= s * (m > n ? m : n)) }'
}

# finite RUN: whether no figure of a run is NaN or infinite.
finite() { ! grep -qE 'NaN|Infinity' "$1/stats.jsonl"; }

# memory: MiB that the first GPU has in use; 0 without one.
memory() { nvidia-smi --query-gpu=memory.used --format=csv,noheader,nounits 2>/dev/null | head -n 1 || echo 0; }
