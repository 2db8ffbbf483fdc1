"""Writes clip_resnet.json: features of a tiny ResNet CLIP image tower from the published model code.

Development only: needs torch and the pip package clip-anytorch (MIT). Weights are formula tensors of
Tests/Goldens/goldlib_reference.py, so only names, shapes and results are stored.
"""
import importlib.util, json, pathlib, sys, sysconfig
import torch

here = pathlib.Path(__file__).parent
sys.path.insert(0, str(here.parent.parent / "Goldens"))
from goldlib_reference import ftensor

source = pathlib.Path(sysconfig.get_paths()["purelib"]) / "clip" / "model.py"
spec = importlib.util.spec_from_file_location("clip_model", source)
module = importlib.util.module_from_spec(spec)
spec.loader.exec_module(module)


def weight(name, shape):
    if name.endswith("running_var") or len(shape) == 1 and name.endswith("weight"):
        return ftensor(name, shape, 0.2, 1.0, "clip-resnet/")
    if len(shape) > 1:
        fan_in = 1
        for size in shape[1:]:
            fan_in *= size
        return ftensor(name, shape, fan_in**-0.5, 0.0, "clip-resnet/")
    return ftensor(name, shape, 0.1, 0.0, "clip-resnet/")


torch.manual_seed(0)
tower = module.ModifiedResNet([1, 2, 1, 1], 16, 2, input_resolution=64, width=4)
shapes = {n: list(t.shape) for n, t in tower.state_dict().items() if "num_batches" not in n}
tower.load_state_dict(
    {n: torch.tensor(weight("visual." + n, s)) for n, s in shapes.items()}, strict=False
)
pixels = torch.tensor(ftensor("clip-resnet/pixels", (3, 3, 64, 64)))
with torch.no_grad():
    evaluation = tower.eval()(pixels)
    training = tower.train()(pixels)
result = {
    "shapes": {"visual." + n: s for n, s in shapes.items()},
    "evaluation": evaluation.flatten().tolist(),
    "training": training.flatten().tolist(),
    "runningMean": tower.state_dict()["layer2.0.bn2.running_mean"].tolist(),
}
(here / "clip_resnet.json").write_text(json.dumps(result))
