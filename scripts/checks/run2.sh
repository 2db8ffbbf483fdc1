#!/usr/bin/env bash
# Eight minutes: images a second and memory at 256², full width, batch 16, and what each switch is worth.
# shellcheck source=scripts/checks/lib.sh
source "$(dirname "$(realpath "$0")")/lib.sh"

side=$(quick_or_full 32 256)
set_shape 1
kimg=$(quick_or_full 1 4)
data "$side"
measure() {
  local name=$1
  shift
  train "speed-$name" "$work/$side.zip" --batch 16 "${shape[@]}" --kimg "$kimg" --tick 1 --snap 1000 "$@"
  expect "$name without NaN" finite "$run"
  say "$name: $(figure "$run" Timing/sec_per_kimg) s a thousand images, peak $(figure "$run" Resources/peak_gpu_mem_gb) GB on \
the GPU"
}
measure default
measure nhwc-0 --nhwc 0
measure nhwc-1 --nhwc 1
measure fp32 --fp32 1
measure fp32-tf32 --fp32 1 --allow-tf32 1
measure nobench --nobench 1
measure profile --profile
say "the trace is in $run"
done_checks
