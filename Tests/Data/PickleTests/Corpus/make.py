"""Makes the seeds of the mutation tests beside it, each a few hundred bytes: python make.py"""
import collections
import io
import os
import pickle
import struct
import sys
import types

import numpy
import torch

here = os.path.dirname(os.path.abspath(__file__))


class EasyDict(dict):
    pass


class Module:
    pass


def _reconstruct_persistent_obj(meta):
    raise NotImplementedError


for name, member in [
    ("dnnlib.util", EasyDict), ("training.networks", Module),
    ("torch_utils.persistence", _reconstruct_persistent_obj),
]:
    package = sys.modules.setdefault(name, types.ModuleType(name))
    package.__path__ = []
    member.__module__ = name
    setattr(package, member.__name__, member)
    parent = name.split(".")[0]
    sys.modules.setdefault(parent, types.ModuleType(parent))


class Persistent:
    def __init__(self, state):
        self.state = state

    def __reduce__(self):
        meta = dict(type="class", version=6, module_src="", class_name="Layer", state=self.state)
        return _reconstruct_persistent_obj, (meta,)


class Zipped:
    def __init__(self, storage):
        self.storage = storage

    def __reduce__(self):
        buffer = io.BytesIO()
        torch.save(self.storage, buffer)
        return torch.storage._load_from_bytes, (buffer.getvalue(),)


def state(parameters={}, buffers={}, modules={}, **attributes):
    return dict(
        training=False, _parameters=parameters, _buffers=buffers,
        _non_persistent_buffers_set=set(), _modules=modules, **attributes,
    )


def instance(state):
    module = Module()
    module.__dict__.update(state)
    return module


def put(name, value, protocol):
    with open(f"{here}/{name}", "wb") as file:
        file.write(value if isinstance(value, bytes) else pickle.dumps(value, protocol))


weight = torch.nn.Parameter(torch.arange(4.0).reshape(2, 2))
half = torch.arange(3).half()
strided = torch.arange(6.0).reshape(2, 3).t()
kwargs = dict(z_dim=5, kwargs=EasyDict(conv_clamp=None, f_dim=numpy.int64(6)))
inner = Persistent(state({"weight": weight}))
put("persistent.pkl", dict(G_ema=Persistent(state(modules=dict(fc0=inner), _init_kwargs=kwargs))), 4)
put("buffers.pkl", dict(G=Persistent(state(buffers=dict(h=half, s=strided)))), 3)
put("instance.pkl", dict(D=instance(state({"weight": weight, "bias": None}))), 2)
storage = torch.FloatStorage([1.0, 2.0])
zipped = Zipped(storage)


class Tensor:
    def __reduce__(self):
        arguments = (zipped, 0, (2,), (1,), False, collections.OrderedDict())
        return torch._utils._rebuild_tensor_v2, arguments


put("zip-storage.pkl", dict(G=instance(state(buffers=dict(w=Tensor())))), 4)
scalars = dict(
    temp=numpy.float32(0.5), n=numpy.int64(7), on=numpy.bool_(True), lam=0.5, big=1 << 80, neg=-3,
    text="消防車", data=b"\x00\xff", tuple=(1, 2, 3, 4), none=None, easy=EasyDict(a=[1, [2]]),
    ordered=collections.OrderedDict(a=1),
)
for protocol in (0, 2, 4):
    put(f"args-{protocol}.pkl", dict(args=scalars), protocol)
loop = []
loop.append((loop, {"again": loop}))
containers = [loop, {1, 2}, frozenset([3]), bytearray(b"xyz"), (), (1,), (1, 2), {}, [[]] * 3]
put("containers-1.pkl", containers, 1)
put("containers-5.pkl", containers, 5)
for name, legacy in (("archive-zip.pt", False), ("archive-legacy.pt", True)):
    buffer = io.BytesIO()
    value = dict(a=torch.arange(3), b=strided, n=3)
    torch.save(value, buffer, _use_new_zipfile_serialization=not legacy)
    put(name, buffer.getvalue(), 0)
