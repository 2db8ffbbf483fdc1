# shellcheck shell=bash
# What the scripts share. Sourced, never run: it moves to the repository's root and sets the rules.

set -euo pipefail

# The running script, and the name that messages carry: `setup` for scripts/setup.
script_path=$(realpath "$0")
script=$(basename "$0")

cd "$(dirname "${BASH_SOURCE[0]}")/.."

# Says one line of progress.
say() {
  printf '%s: %s\n' "$script" "$*"
}

# Says one line of what went wrong and what to do, and stops.
die() {
  printf '%s: error: %s\n' "$script" "$*" >&2
  exit 1
}

# Builds what the sources say now, so that nothing stale is measured; its path is in $nifty.
release_nifty() {
  scripts/setup --tests >&2
  swift build -c release >&2
  # shellcheck disable=SC2034
  nifty=$PWD/.build/release/nifty
}

# Prints the comment block at the head of the running script, its help, when -h or --help is asked.
help_if_asked() {
  if [[ ${1-} == -h || ${1-} == --help ]]; then
    awk 'NR > 1 && !/^#/ { exit } NR > 1 { sub(/^# ?/, ""); print }' "$script_path"
    exit 0
  fi
}
