"""Writes inception-stand-in.pt and vgg16-stand-in.pt: TorchScript modules with the interface of the
original's detectors and a few hundred weights, and script_detectors.json with what they answer.

Development only: needs torch. The real files are called in the same way: Inception with uint8 images and
`return_features=True` or `no_output_bias=True`, VGG-16 with `return_features=True`, or with floats,
`resize_images=False` and `return_lpips=True`.
"""
import json, pathlib, sys
import torch

here = pathlib.Path(__file__).parent
sys.path.insert(0, str(here.parent.parent / "Goldens"))
from goldlib_reference import ftensor


def parameter(name, shape, scale):
    return torch.nn.Parameter(torch.tensor(ftensor("detectors/" + name, shape, scale)))


class Inception(torch.nn.Module):
    def __init__(self):
        super().__init__()
        self.weight = parameter("inception", (6, 3, 4, 4), 0.2)
        self.output = parameter("output", (5, 6), 0.4)
        self.bias = parameter("bias", (5,), 1.0)

    def forward(self, img, return_features: bool = False, use_fp16: bool = False,
                no_output_bias: bool = False):
        x = torch.nn.functional.interpolate(img.to(torch.float32), size=[16, 16], mode="bilinear",
                                            align_corners=False)
        x = torch.nn.functional.conv2d((x - 128) / 128, self.weight, stride=4).relu().mean([2, 3])
        if return_features:
            return x
        x = x @ self.output.t()
        if not no_output_bias:
            x = x + self.bias
        return x.softmax(dim=1)


class VGG16(torch.nn.Module):
    def __init__(self):
        super().__init__()
        self.weight = parameter("vgg", (4, 3, 4, 4), 0.2)

    def forward(self, img, resize_images: bool = True, return_features: bool = False,
                return_lpips: bool = False):
        x = img.to(torch.float32)
        if resize_images:
            x = torch.nn.functional.interpolate(x, size=[16, 16], mode="area")
        x = torch.nn.functional.conv2d(x / 255, self.weight, stride=4).tanh()
        if return_lpips:
            return (x / x.shape[2]).flatten(1) * 0.1
        if return_features:
            return x.mean([2, 3])
        return x.mean([2, 3]).softmax(dim=1)


torch.set_num_threads(1)
images = (torch.tensor(ftensor("detectors/images", (3, 3, 24, 24), 60, 128)).round().clamp(0, 255)
          .to(torch.uint8))
answers = {}
with torch.no_grad():
    for name, module, calls in [
        ("inception-stand-in", Inception(), [("return_features", {}), ("no_output_bias", {})]),
        ("vgg16-stand-in", VGG16(),
         [("return_features", {}), ("return_lpips", {"resize_images": False})]),
    ]:
        script = torch.jit.script(module.eval())
        script.save(str(here / (name + ".pt")))
        for flag, more in calls:
            given = images.to(torch.float32) if more else images
            answer = script(given, **{flag: True}, **more)
            answers[name + " " + flag] = {"shape": list(answer.shape), "values": answer.flatten().tolist()}
# A module of another interface: no flags at all.
class Plain(torch.nn.Module):
    def forward(self, img):
        return img.to(torch.float32).mean([2, 3])


torch.jit.script(Plain()).save(str(here / "plain-script.pt"))


# Answers that are no dense tensor of numbers on the device of the image.
class Sparse(torch.nn.Module):
    def forward(self, img, return_features: bool = False):
        return img.to(torch.float32).mean([2, 3]).to_sparse()


class Nested(torch.nn.Module):
    def forward(self, img, return_features: bool = False):
        return torch._nested_tensor_from_mask(
            img.to(torch.float32).mean([3]), torch.ones([1, 3], dtype=torch.bool))


class Meta(torch.nn.Module):
    def forward(self, img, return_features: bool = False):
        return img.to(torch.float32).mean([2, 3]).to("meta")


class Complex(torch.nn.Module):
    def forward(self, img, return_features: bool = False):
        return torch.view_as_complex(img.to(torch.float32).mean([3])[:, :, :2].contiguous())


for odd in [Sparse, Nested, Meta, Complex]:
    torch.jit.script(odd()).save(str(here / f"odd-script-{odd.__name__.lower()}.pt"))

(here / "script_detectors.json").write_text(json.dumps(answers))
