# shellcheck shell=bash
# Which system this is, and what its packages are called: reads /etc/os-release and scripts/packages.tsv.
# Sourced after scripts/lib.sh, by scripts/setup and by its tests.

packages_table=scripts/packages.tsv

# list_systems: the table's columns, a line each, as `debian-12 bookworm`.
list_systems() {
  awk -F '\t' '$1 == "use" { for (i = 2; i < NF; i++) print $i; exit }' "$packages_table"
}

# os_release FILE KEY: the value without its quotes; nothing where the file does not say.
os_release() {
  sed -nE "s/^$2=(\"([^\"]*)\"|'([^']*)'|([^\"'[:space:]]*))[[:space:]]*$/\2\3\4/p" "$1" 2>/dev/null | tail -n 1
}

# system_name FILE: what people call the system.
system_name() {
  local name
  name=$(os_release "$1" PRETTY_NAME)
  [[ -n $name ]] || name=$(os_release "$1" ID)
  printf '%s' "${name:-a system without $1}"
}

# system_of FILE: the column of the system that FILE describes, or of the one that it derives from, as
# Linux Mint 22 does from ubuntu-24.04. Fails for all others.
system_of() {
  local own codename='' key system code
  own=$(os_release "$1" ID)-$(os_release "$1" VERSION_ID)
  # A derivative has a codename of its own, and names its base's beside it.
  for key in UBUNTU_CODENAME DEBIAN_CODENAME VERSION_CODENAME; do
    [[ -n $codename ]] || codename=$(os_release "$1" "$key")
  done
  while read -r system code; do
    if [[ $system == "$own" || $code == "$codename" ]]; then
      printf '%s' "$system"
      return 0
    fi
  done < <(list_systems)
  return 1
}

# choose_system FILE: the column that NIFTY_SYSTEM names, or that of the system in FILE; `none` where
# packages are left to people. Stops with what to do for a system that has no column.
choose_system() {
  local columns system
  columns=$(list_systems | cut -d ' ' -f 1)
  if system=${NIFTY_SYSTEM:-$(system_of "$1")}; then
    [[ $system == none ]] || grep -qx "$system" <<<"$columns" ||
      die "NIFTY_SYSTEM is none or a column of $packages_table (${columns//$'\n'/, }), not '$system'"
    printf '%s' "$system"
  else
    die "$(system_name "$1") has no column in $packages_table (${columns//$'\n'/, }):" \
      "install the counterparts of what it lists, then repeat with NIFTY_SYSTEM=none"
  fi
}

# cells_of SYSTEM USE…: the column's cells in the rows of these uses, a line each.
cells_of() {
  local system=$1
  shift
  awk -F '\t' -v name="$system" -v uses=" $* " '
    $1 == "use" { for (i = 2; i < NF; i++) if (index($i, name " ") == 1) column = i; next }
    column && NF > 2 && index(uses, " " $1 " ") && $column != "-" { print $column }
  ' "$packages_table"
}

# packages_of SYSTEM USE…: the names of its packages, a line each.
packages_of() {
  cells_of "$@" | sed 's/<.*//'
}

# too_old_of SYSTEM USE…: packages that are too old there, a line each, as `libharfbuzz-dev 4.0`.
too_old_of() {
  cells_of "$@" | sed -n 's/</ /p'
}
