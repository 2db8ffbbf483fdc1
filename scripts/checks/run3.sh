#!/usr/bin/env bash
# Six minutes: kill and go on, the stall of a checkpoint, prompts, every metric without weights of others, and a
# snapshot of the GPU read on the CPU.
# shellcheck source=scripts/checks/lib.sh
source "$(dirname "$(realpath "$0")")/lib.sh"

side=$(quick_or_full 32 256)
set_shape 1
data "$side"
printf '%s\n' "red heart" "sun" >"$work/prompts.txt"
say "a run that is killed"
rm -rf "${work:?}/killed"
"$nifty" train --outdir "$work/killed" --data "$work/$side.zip" --clip "$clip" --metrics none --batch 16 \
  "${shape[@]}" --kimg 8 --tick 1 --snap 1 --prompts "$work/prompts.txt" >"$work/killed.log" 2>&1 &
process=$!
for ((second = 0; second < 300; second++)); do
  compgen -G "$work/killed/0*/network-snapshot-000002.*" >/dev/null && break
  kill -0 "$process" 2>/dev/null || break
  sleep 1
done
pkill -9 -P "$process" 2>/dev/null || true
kill -9 "$process" 2>/dev/null || true
wait "$process" 2>/dev/null || true
run=$(echo "$work/killed"/0*)
expect "it goes on after kill -9" "$nifty" train --continue "$run"
expect "it reaches 8 thousand images" compgen -G "$run/network-snapshot-000008.*"
expect "without NaN" finite "$run"
say "a checkpoint stops training for $(figure "$run" Timing/checkpoint_sec) s of a tick of \
$(figure "$run" Timing/sec_per_tick) s"
snapshot=$(compgen -G "$run/network-snapshot-000008.*" | head -n 1)
metrics=(swd_pixels clip_fid clip_score r_precision cmmd mmd_judge prdc_judge variety_judge judge_top1)
if compgen -G "${NIFTY_WEIGHTS:-$here/../.deps/weights}/efficientnet-lite0-*.pth" >/dev/null; then
  metrics+=(fd_lite0 fd_lite0_infinity prdc_lite0)
else
  say "left out, for want of EfficientNet-Lite0's weights: fd_lite0, fd_lite0_infinity, prdc_lite0"
fi
for metric in "${metrics[@]}"; do
  expect "$metric" "$nifty" metrics --network "$snapshot" --metrics "$metric" --images 128 --captions 8 \
    --data "$work/$side.zip" --clip "$clip" --judge "$clip"
done
expect "pictures on the GPU" "$nifty" generate --network "$snapshot" --clip "$clip" --out "$work/on-gpu" --overwrite \
  "red heart"
CUDA_VISIBLE_DEVICES='' expect "the same snapshot on the CPU" "$nifty" generate --network "$snapshot" --clip "$clip" \
  --out "$work/on-cpu" --overwrite "red heart"
say "compare by eye: $work/on-gpu and $work/on-cpu"
done_checks
