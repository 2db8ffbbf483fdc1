#!/usr/bin/env bash
# Five minutes: does a GPU compute what the CPU computes? a thousand images in float32 at 32² and 64² with the
# same draws, and the default precision without NaN.
# shellcheck source=scripts/checks/lib.sh
source "$(dirname "$(realpath "$0")")/lib.sh"

set_shape 0.125
flags=(--batch 16 "${shape[@]}" --kimg 1 --tick 1 --snap 1)
for side in 32 64; do
  data "$side"
  say "$side², float32, CPU and GPU"
  CUDA_VISIBLE_DEVICES='' train "cpu-$side" "$work/$side.zip" "${flags[@]}" --fp32 1
  cpu=$run
  train "gpu-$side" "$work/$side.zip" "${flags[@]}" --fp32 1
  for name in Loss/G/loss Loss/D/loss; do
    a=$(figure "$cpu" "$name" first) b=$(figure "$run" "$name" first)
    expect "$side² $name of the first step: $a on the CPU, $b on the GPU, within 0.1 %" close "$a" "$b" 0.001
    a=$(figure "$cpu" "$name") b=$(figure "$run" "$name")
    expect "$side² $name of the other 62: $a on the CPU, $b on the GPU, within 5 %" close "$a" "$b" 0.05
  done
  say "$side², default precision"
  train "default-$side" "$work/$side.zip" "${flags[@]}"
  expect "$side² without NaN" finite "$run"
done
done_checks
