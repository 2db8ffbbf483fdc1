"""Stand-ins for the modules that pickles of LAFITE name, so that Python can load and write them without
the original's code: networks are bare torch modules that keep whatever state they are given."""
import sys
import types

import torch

CLASSES = [
    "Generator", "SynthesisNetwork", "SynthesisBlock", "SynthesisLayer", "ToRGBLayer",
    "MappingNetwork", "FullyConnectedLayer", "Discriminator", "DiscriminatorBlock",
    "DiscriminatorEpilogue", "Conv2dLayer", "MinibatchStdLayer",
]
# Whether modules are pickled the way the original's `persistent_class` does it.
persistent = True


class EasyDict(dict):
    def __getattr__(self, name):
        return self[name]


def _reconstruct_persistent_obj(meta):
    assert meta["type"] == "class" and meta["version"] == 6
    module = getattr(sys.modules["training.networks"], meta["class_name"])
    result = module.__new__(module)
    result.__setstate__(meta["state"])
    return result


class Persistent(torch.nn.Module):
    def __reduce_ex__(self, protocol):
        if not persistent:
            return super().__reduce_ex__(protocol)
        meta = dict(
            type="class", version=6, module_src="# the original's source stands here\n",
            class_name=type(self).__name__, state=self.__dict__,
        )
        return _reconstruct_persistent_obj, (meta,)


def _package(name, **members):
    module = types.ModuleType(name)
    module.__path__ = []
    for key, value in members.items():
        if isinstance(value, type) or callable(value):
            value.__module__ = name
        setattr(module, key, value)
    sys.modules[name] = module


_package("training")
_package("training.networks", **{name: type(name, (Persistent,), {}) for name in CLASSES})
_package("dnnlib")
_package("dnnlib.util", EasyDict=EasyDict)
_package("torch_utils")
_package("torch_utils.persistence", _reconstruct_persistent_obj=_reconstruct_persistent_obj)
