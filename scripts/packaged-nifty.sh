#!/bin/sh
# nifty @VERSION@ of an archive of scripts/package: finds torch, and runs the program beside this script.

wanted=@TORCH@
# Verbs that the programs for checks lack.
without="@WITHOUT@"
here=$(dirname "$(readlink -f "$0")")

# The version of a torch package or of a libtorch archive, as 2.13.
version() {
  {
    sed -n "s/^__version__ = '\([0-9]*\.[0-9]*\).*/\1/p" "$1/version.py"
    sed -n 's/^\([0-9]*\.[0-9]*\).*/\1/p' "$1/build-version"
  } 2>/dev/null | head -n 1
}

# The torch of the Python environment.
of_python() {
  python3 -c 'import importlib.util as u; s = u.find_spec("torch")
print(s.submodule_search_locations[0] if s else "")' 2>/dev/null
}

fail() {
  echo "nifty: $1" >&2
  exit 1
}

case " $without " in
  *" ${1:--} "*) fail "$1 is not in this archive, which is for checks; use one that scripts/package makes without --checks" ;;
esac

torch=
if [ -n "$NIFTY_TORCH" ]; then
  torch=$NIFTY_TORCH
  [ -e "$torch/lib/libtorch.so" ] || fail "NIFTY_TORCH is $torch, which holds no lib/libtorch.so"
elif [ -e "$here/torch/lib/libtorch.so" ]; then
  torch=$here/torch
else
  found=$(of_python)
  [ -e "$found/lib/libtorch.so" ] && torch=$found
fi

case ${1-} in
  laion | dataset | fetch | help | -h | --help | --version | "") ;;
  *)
    # These verbs compute.
    [ -n "$torch" ] || fail "$1 needs torch $wanted: it is not in NIFTY_TORCH, in $here/torch or in the \
Python environment; pip install 'torch==$wanted.*', or set NIFTY_TORCH to its folder"
    found=$(version "$torch")
    [ "$found" = "$wanted" ] || fail "$torch is torch ${found:-of an unknown version}, and nifty was compiled \
for $wanted: pip install 'torch==$wanted.*', or set NIFTY_TORCH to such a one"
    ;;
esac
[ -z "$torch" ] || export LD_LIBRARY_PATH="$torch/lib${LD_LIBRARY_PATH:+:$LD_LIBRARY_PATH}"
exec "$here/libexec/nifty" "$@"
