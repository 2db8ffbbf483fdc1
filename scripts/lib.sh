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

# expect_number WHAT VALUE: stops unless the value is a number above 0.
expect_number() {
  [[ $2 =~ ^[0-9]*[.]?[0-9]+$ && $2 =~ [1-9] ]] || die "$1 must be a number above 0, not '$2'"
}

# expect_flags "FLAG=KIND …" ARGUMENTS…: stops at a wrong argument, before anything that takes time.
# KIND is whole (a whole number from 1), seed (from 0), number (above 0), text or switch; `*` among them
# lets other arguments through. FLAG=VALUE is read as FLAG VALUE. A flag that is given twice is refused, as only
# one of its values would count.
expect_flags() {
  local known=" $1 " given=' '
  shift
  while (($# > 0)); do
    if [[ $1 == --*=* && $known == *" ${1%%=*}="* ]]; then set -- "${1%%=*}" "${1#*=}" "${@:2}"; fi
    if [[ $known == *" $1="* ]]; then
      [[ $given != *" $1 "* ]] || die "$1 is given twice; give it once"
      given+="$1 "
    fi
    case $known in
      *" $1=whole "*)
        [[ ${2-} =~ ^[1-9][0-9]{0,8}$ ]] || die "$1 takes a whole number from 1, not '${2-}'"
        shift 2
        ;;
      *" $1=seed "*)
        [[ ${2-} =~ ^[0-9]{1,19}$ ]] || die "$1 takes a whole number from 0, not '${2-}'"
        shift 2
        ;;
      *" $1=number "*)
        expect_number "$1" "${2-}"
        shift 2
        ;;
      *" $1=text "*)
        [[ -n ${2-} ]] || die "$1 takes a value; see --help"
        shift 2
        ;;
      *" $1=switch "* | *" * "*) shift ;;
      *) die "unknown argument '$1'; see --help" ;;
    esac
  done
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
