"""Writes encoder-stand-in.pt, an image encoder in TorchScript with a hundred weights, and encoder.json: what it
answers for images that torch resized and normalised as nifty metrics --detector says.

Development only: needs torch.
"""
import json, pathlib, sys
import torch

here = pathlib.Path(__file__).parent
sys.path.insert(0, str(here.parent.parent.parent / "Goldens"))
from goldlib_reference import ftensor

SIDE = 16
NORMALIZATION = {
    "imagenet": ([0.485, 0.456, 0.406], [0.229, 0.224, 0.225]),
    "clip": ([0.48145466, 0.4578275, 0.40821073], [0.26862954, 0.26130258, 0.27577711]),
    "unit": ([0, 0, 0], [1, 1, 1]),
    "signed": ([0.5, 0.5, 0.5], [0.5, 0.5, 0.5]),
}


class Encoder(torch.nn.Module):
    def __init__(self):
        super().__init__()
        self.weight = torch.nn.Parameter(torch.tensor(ftensor("encoder/weight", (5, 3, 4, 4), 0.3)))

    def forward(self, x):
        assert x.shape[2] == 16 and x.shape[3] == 16
        return torch.nn.functional.conv2d(x, self.weight, stride=4).tanh().mean([2, 3])


script = torch.jit.script(Encoder().eval())
script.save(str(here / "encoder-stand-in.pt"))
answers = {}
for size in [8, 16, 40]:
    images = torch.tensor(ftensor(f"encoder/images{size}", (3, 3, size, size), 60, 128))
    x = images.round().clamp(0, 255) / 255
    x = torch.nn.functional.interpolate(
        x, size=[SIDE, SIDE], mode="bicubic", antialias=True, align_corners=False).clamp(0, 1)
    for name, (mean, deviation) in NORMALIZATION.items():
        normalised = ((x - torch.tensor(mean).view(1, 3, 1, 1))
                      / torch.tensor(deviation).view(1, 3, 1, 1))
        with torch.no_grad():
            answers[f"{size} {name}"] = script(normalised).flatten().tolist()
(here / "encoder.json").write_text(json.dumps(answers))
