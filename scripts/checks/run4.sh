#!/usr/bin/env bash
# Eight minutes: compute-sanitizer on a short run at 32², then memory over time.
# shellcheck source=scripts/checks/lib.sh
source "$(dirname "$(realpath "$0")")/lib.sh"

set_shape 0.125
data 32
if command -v compute-sanitizer >/dev/null; then
  say "compute-sanitizer on one thousand images of 32²"
  expect "no error of memory" compute-sanitizer --error-exitcode 9 --target-processes all "$nifty" train \
    --outdir "$work/sanitized" --data "$work/32.zip" --clip "$clip" --metrics none "${shape[@]}" --batch 16 \
    --kimg 1 --tick 1
else
  say "compute-sanitizer is not here: it comes with the CUDA toolkit"
fi
minutes=$(quick_or_full 0.2 5)
say "memory over $minutes minutes of training"
"$nifty" train --outdir "$work/soak" --data "$work/32.zip" --clip "$clip" --metrics none "${shape[@]}" --batch 16 \
  --kimg 100000 --tick 1 --snap 2 --keep last:2 --minutes "$minutes" >"$work/soak.log" 2>&1 &
process=$!
: >"$work/memory.txt"
while kill -0 "$process" 2>/dev/null; do
  echo "$(date +%s) $(memory)" >>"$work/memory.txt"
  sleep "$(quick_or_full 1 5)"
done
expect "the run ended well" wait "$process"
# The first readings are from before the first step.
grows() { awk '{ m[NR] = $2 } END { n = NR; exit !(n > 3 && m[n - 1] > 1.02 * m[int(n / 3) + 1]) }' "$work/memory.txt"; }
flat() { ! grows; }
if command -v nvidia-smi >/dev/null; then
  expect "memory does not grow by 2 % after a third of the time" flat
else
  say "nvidia-smi is not here: no memory was read"
fi
done_checks
