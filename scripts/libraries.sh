# shellcheck shell=bash
# Which libraries an archive of scripts/package holds. Sourced by scripts/package, and by its tests.

# What every Linux has.
system_libraries='^(ld-linux.*|linux-vdso|libc|libm|libdl|librt|libpthread|libresolv|libutil|libstdc\+\+|libgcc_s)\.so'

# own_libraries TORCH: of what `ldd` says on standard input, `NAME PATH` of what neither the system nor
# TORCH brings, a line each. TORCH is a real path; ldd follows the links by which the programs find it. A
# CUDA build of torch keeps CUDA's libraries in the folder nvidia beside it.
own_libraries() {
  local torch=$1 library path real
  awk '$2 == "=>" && $3 ~ /^\// { print $1, $3 }' | sort -u | while read -r library path; do
    real=$(realpath "$path")
    [[ $library =~ $system_libraries || $real == "$torch"/* || $real == "${torch%/*}"/nvidia/* ]] ||
      printf '%s %s\n' "$library" "$path"
  done
}

# newest_symbol PREFIX FILE…: the newest version of a library's symbols that the files use: 2.35 of GLIBC_2.35.
newest_symbol() {
  local prefix=$1
  shift
  objdump -T "$@" | grep -o "${prefix}_[0-9.]*" | sed "s/^${prefix}_//" | sort -Vu | tail -1
}
