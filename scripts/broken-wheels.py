"""Prints the pinned wheels that are not whole in this virtual environment, one pin a line.

An install that was interrupted leaves files without a RECORD, or a RECORD whose files are missing
or short; pip takes such a wheel for installed. With --rest the wheels are those that are there
without a pin (what pip itself chose to install).
"""

import importlib.metadata
import pathlib
import re
import sys


def canonical(name):
  return re.sub(r"[-_.]+", "-", name).lower()


def whole(distribution):
  files = distribution.files
  if not files:
    return False
  for file in files:
    path = pathlib.Path(distribution.locate_file(file))
    if not path.is_file() or (file.size is not None and path.stat().st_size != file.size):
      return False
  return True


rest = sys.argv[1] == "--rest"
pins = {}
for requirements in sys.argv[2:] if rest else sys.argv[1:]:
  for line in pathlib.Path(requirements).read_text().splitlines():
    name, equals, version = line.split("#")[0].strip().partition("==")
    if equals:
      pins[canonical(name)] = (name, version)

installed = {}
for distribution in importlib.metadata.distributions():
  if distribution.metadata["Name"]:
    installed[canonical(distribution.metadata["Name"])] = distribution

if rest:
  for name, distribution in installed.items():
    if name not in pins and name not in ("pip", "setuptools") and not whole(distribution):
      print(f"{name}=={distribution.version}")
else:
  for key, (name, version) in pins.items():
    found = installed.get(key)
    # 2.13.0+cpu is 2.13.0 built for the CPU.
    if found is None or found.version.partition("+")[0] != version or not whole(found):
      print(f"{name}=={version}")
