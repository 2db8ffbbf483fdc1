"""Makes the pickles beside it with Python's own pickle, torch and NumPy: python make.py

Every file holds networks of the shape below. Weights follow from the tensor's name, so that the
tests can compute them too: element i of a tensor is sin(i + length of the name).
"""
import io
import os
import pickle
import sys

import numpy
import torch

here = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, here)
sys.path.insert(0, os.path.join(here, "../../../Goldens/snapshot"))
import minipickle
import standins
from standins import EasyDict

SYNTHESIS = dict(channel_base=32, channel_max=4, num_fp16_res=0, conv_clamp=None, change=4, f_dim=6)
GENERATOR = dict(
    z_dim=5, c_dim=0, w_dim=7, img_resolution=8, img_channels=3,
    mapping_kwargs=dict(num_layers=2), synthesis_kwargs=SYNTHESIS,
)
DISCRIMINATOR = dict(
    c_dim=0, img_resolution=8, img_channels=3, channel_base=32, channel_max=4, num_fp16_res=0,
    conv_clamp=None, use_norm=True, epilogue_kwargs=dict(mbstd_group_size=4, f_dim=6),
)
STYLE = 3
CLASSES = 3


def parts_of_mapping(name, kind, c_dim):
    """The shape of a tensor that another number of classes changes."""
    w = 7 if kind == "G" else 4
    fan = {"mapping.embed": (w, c_dim), "mapping.fc0": (w, w + 5 if kind == "G" else w)}
    if kind == "D":
        fan.update({f"mapping.fc{index}": (w, w) for index in range(1, 8)}, **{"b4.out": (4, 4)})
    layer, last = name.rsplit(".", 1)
    return fan[layer][: 2 if last == "weight" else 1] if layer in fan else None


def weights(name, shape):
    count = int(numpy.prod(shape))
    return numpy.sin(numpy.arange(count, dtype=numpy.float64) + len(name)).astype(numpy.float32)


def shape(name, kind, c_dim):
    """The shape of a tensor of these networks (style width 3 keeps the files small)."""
    if c_dim and parts_of_mapping(name, kind, c_dim):
        return parts_of_mapping(name, kind, c_dim)
    parts, last = name.split("."), name.split(".")[-1]
    hidden = (6 + STYLE) // 2
    if last == "w_avg":
        return (7,)
    if last == "noise_strength":
        return ()
    if last == "resample_filter":
        return (4, 4)
    side = int(next((p[1:] for p in parts if p[0] == "b" and p[1:].isdigit()), "4"))
    if last == "const":
        return (4, 4, 4)
    if last == "noise_const":
        return (side, side)
    layer = parts[-2]
    fan = {
        "fc0": (7, 5), "fc1": (7, 7), "pre_0": (hidden, 6), "pre_1": (STYLE, hidden),
        "affine_0": (4, 7 + STYLE), "affine": (4, 7), "fc": (4, 64), "fts": (6, 4), "out": (1, 4),
        "conv0": (4, 4, 3, 3), "conv1": (4, 4, 3, 3), "torgb": (3, 4, 1, 1), "conv": (4, 5, 3, 3),
        "fromrgb": (4, 3, 1, 1), "skip": (4, 4, 1, 1),
    }.get(layer)
    if fan is None:
        fan = [(hidden, 6), (STYLE, hidden), (4, STYLE)][int(layer[-1])]
    return fan if last == "weight" else fan[:1]


def network(kind, c_dim=0):
    def tensor(name):
        size = shape(name, kind, c_dim)
        return size, weights(name, size).tobytes()

    build = minipickle.Build(tensor)
    make, keywords = (build.generator, GENERATOR) if kind == "G" else (build.discriminator, DISCRIMINATOR)
    module = make(**dict(keywords, c_dim=c_dim))
    return pickle.load(io.BytesIO(minipickle.Writer().dump(module)))


def numpy_scalars(module):
    """Gains as NumPy scalars, as torch with NumPy leaves them in the original."""
    for child in module.modules():
        for key in ("weight_gain", "act_gain"):
            if key in child.__dict__:
                child.__dict__[key] = numpy.float64(child.__dict__[key])


def easy_dicts(module):
    kwargs = module.__dict__["_init_kwargs"]
    for key, value in kwargs.items():
        if isinstance(value, dict):
            kwargs[key] = EasyDict(value)


def drop(module, names):
    for child in module.modules():
        for name in names:
            child._modules.pop(name, None)


def without_text(G, D):
    """As StyleGAN2-ADA has them: no text layers, no semantic head."""
    for module in list(G.modules()):
        if "affine_0" in module._modules:
            affine = module._modules.pop("affine_0")
            affine.weight = torch.nn.Parameter(affine.weight[:, :7].clone())
            module._modules["affine"] = affine
    drop(G, ["pre_0", "pre_1", "fts"] + [f"{a}_layer_{i}" for a in ("scale", "bias") for i in range(3)])
    drop(D, ["fts"])
    for kwargs in (G.__dict__["_init_kwargs"]["synthesis_kwargs"], D.__dict__["_init_kwargs"]["epilogue_kwargs"]):
        kwargs.pop("f_dim")
        kwargs.pop("change", None)
    D.__dict__["_init_kwargs"].pop("use_fts")
    D.__dict__["_init_kwargs"].pop("use_norm")
    return snapshot(G, D)


def write(name, value, protocol):
    with open(f"{here}/{name}", "wb") as file:
        pickle.dump(value, file, protocol)


def snapshot(G, D=None):
    args = EasyDict(
        batch_size=4, temp=numpy.float32(0.5), itd=5.0, lam=0.0, gather=False, betas=(0, 0.99),
        note="消防車 \"a\"\n", loss_kwargs=EasyDict(r1_gamma=1.0, count=numpy.int64(7)),
        device=torch.device("cpu"),
    )
    kwargs = dict(path="d.zip", max_size=24, xflip=False, resolution=8)
    result = dict(training_set_kwargs=kwargs, args=args, G=G, D=D, G_ema=G, augment_pipe=None)
    return result if D is not None else dict(G_ema=G)


if __name__ == "__main__":
    # As the original writes them.
    G, D = network("G"), network("D")
    for module in (G, D):
        numpy_scalars(module)
        easy_dicts(module)
    write("network-snapshot-000012.pkl", snapshot(G, D), 4)
    for protocol in (2, 3, 5):
        standins.persistent = protocol == 3
        write(f"average-protocol{protocol}.pkl", snapshot(network("G")), protocol)
    standins.persistent = True
    # Half precision.
    write("average-half.pkl", snapshot(network("G").half()), 4)
    # Strides that are no row-major order, and one storage below all tensors.
    G = network("G")
    flat = torch.cat([p.detach().reshape(-1) for p in G.parameters()])
    start = 0
    for index, parameter in enumerate(G.parameters()):
        values = flat[start : start + parameter.numel()].view(parameter.shape)
        start += parameter.numel()
        if parameter.dim() == 2 and index % 2:
            values = values.t().contiguous().t()
        parameter.data = values
    write("average-strided.pkl", snapshot(G), 4)
    # Storages in the zip format.
    reduce = torch.UntypedStorage.__reduce__
    typed = torch.storage.TypedStorage.__reduce__

    def zipped(self):
        buffer = io.BytesIO()
        torch.save(self, buffer)
        return torch.storage._load_from_bytes, (buffer.getvalue(),)

    torch.storage.TypedStorage.__reduce__ = zipped
    write("average-zip.pkl", snapshot(network("G")), 4)
    torch.storage.TypedStorage.__reduce__ = typed
    write("stylegan2-ada.pkl", without_text(network("G"), network("D")), 3)
    write("stylegan2-ada-labels.pkl", without_text(network("G", CLASSES), network("D", CLASSES)), 3)
