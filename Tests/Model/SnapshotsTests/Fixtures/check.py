"""Loads a snapshot as the original's loader does and compares it with what minipickle writes of the same
weights: python check.py MINIPICKLE_FOLDER SNAPSHOT.pkl

Every module must have the class, every attribute with its value, and every tensor that minipickle
gives it. Prints the number of modules and of tensors compared, the settings, and whether the
networks can be pickled again.
"""
import io
import json
import os
import pickle
import sys

import torch

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
sys.path.insert(0, sys.argv[1])
import minipickle
import standins

STATE = ("_parameters", "_buffers", "_modules")


def same(a, b, path):
    assert type(a) is type(b), f"{path}: {type(a)} is not {type(b)}"
    if isinstance(a, dict):
        assert set(a) == set(b), f"{path}: {set(a) ^ set(b)}"
        for key in a:
            same(a[key], b[key], f"{path}.{key}")
    elif isinstance(a, float):
        assert abs(a - b) <= 1e-15 * abs(b), f"{path}: {a} is not {b}"
    else:
        assert a == b, f"{path}: {a!r} is not {b!r}"


def compare(ours, theirs, path):
    """The numbers of modules and tensors."""
    assert type(ours) is type(theirs), f"{path}: {type(ours)}"
    attributes = [set(m.__dict__) for m in (ours, theirs)]
    assert attributes[0] == attributes[1], f"{path}: {attributes[0] ^ attributes[1]}"
    for key, value in theirs.__dict__.items():
        if key not in STATE and key != "_init_kwargs":
            same(ours.__dict__[key], value, f"{path}.{key}")
    modules, tensors = 1, 0
    for key in STATE[:2]:
        mine, other = ours.__dict__[key], theirs.__dict__[key]
        assert list(mine) == list(other), f"{path}: {list(mine)} is not {list(other)}"
        for name, tensor in mine.items():
            assert type(tensor) is type(other[name]), f"{path}.{name}"
            assert tensor.dtype == other[name].dtype and tensor.is_contiguous(), f"{path}.{name}"
            assert torch.equal(tensor, other[name]), f"{path}.{name}"
            tensors += 1
    assert list(ours._modules) == list(theirs._modules), path
    for name, child in ours._modules.items():
        more = compare(child, theirs._modules[name], f"{path}.{name}")
        modules, tensors = modules + more[0], tensors + more[1]
    return modules, tensors


with open(sys.argv[2], "rb") as file:
    data = pickle.load(file)
keys = ["training_set_kwargs", "args", "G", "D", "G_ema", "augment_pipe"]
assert list(data)[:6] == keys and data["augment_pipe"] is None, list(data)
total = [0, 0]
for part in ("G", "D", "G_ema"):
    network = data[part]
    assert isinstance(network, torch.nn.Module)
    state = {name: tensor.detach() for name, tensor in network.state_dict().items()}
    build = minipickle.Build(lambda name: (tuple(state[name].shape), state[name].numpy().tobytes()))
    make = build.discriminator if part == "D" else build.generator
    written = minipickle.Writer().dump(make(**network._init_kwargs))
    template = pickle.load(io.BytesIO(written))
    same(network._init_kwargs, template._init_kwargs, f"{part}._init_kwargs")
    counts = compare(network, template, part)
    total = [total[0] + counts[0], total[1] + counts[1]]
    # As resuming does: by name, into a network that is there.
    with torch.no_grad():
        for tensor in template.state_dict().values():
            tensor.zero_()
    assert not template.load_state_dict(network.state_dict(), strict=True).missing_keys
    for name, tensor in template.state_dict().items():
        assert torch.equal(tensor, state[name]), name
    # As the training loop does with what it loaded.
    again = pickle.loads(pickle.dumps(network.eval().requires_grad_(False)))
    assert list(again.state_dict()) == list(state)
print(*total)
print(json.dumps(data["args"]))
print(json.dumps(data["training_set_kwargs"]))
print(data["nifty"]["images_seen"], json.loads(data["nifty"]["generator"])["featureScale"])
