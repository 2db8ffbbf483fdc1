"""What the measurements of training and sampling work on: made pictures, a CLIP of random weights."""
import glob
import importlib.util
import json
import os
import struct
import subprocess
import sys

import numpy as np
import torch
from PIL import Image

CAPTIONS = ["a photo of a dog", "a photo of the cat", "the dog of a cat", "a cat of the dog"]


def clip_module():
    """OpenAI's model code, without the package around it, which wants torchvision."""
    found = glob.glob(os.path.join(sys.prefix, "lib/python3*/site-packages/clip/model.py"))
    if not found:
        raise SystemExit("clip-anytorch is missing: run scripts/setup --tests")
    spec = importlib.util.spec_from_file_location("clip_model", found[0])
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def random_clip():
    """A ViT-B/32."""
    torch.manual_seed(0)
    return clip_module().CLIP(512, 224, 12, 768, 32, 77, 49408, 512, 8, 12).eval().float()


def convolution_tower(channels=(48, 96, 192), embedding=512, side=32):
    """The shape of the image tower of the CLIP that the demonstration trains."""
    layers, before = [], 3
    for width in channels:
        for inputs, stride in ((before, 2), (width, 1)):
            layers += [
                torch.nn.Conv2d(inputs, width, 3, stride, 1, bias=False),
                torch.nn.BatchNorm2d(width), torch.nn.ReLU(),
            ]
        before = width
    layers += [torch.nn.AdaptiveAvgPool2d(1), torch.nn.Flatten(), torch.nn.Linear(before, embedding)]
    tower = torch.nn.Sequential(*layers).eval()
    tower.input_resolution = side
    return tower


def write_safetensors(path, state):
    header, offset = {}, 0
    for name, tensor in state.items():
        end = offset + 4 * tensor.numel()
        header[name] = {"dtype": "F32", "shape": list(tensor.shape), "data_offsets": [offset, end]}
        offset = end
    text = json.dumps(header).encode()
    text += b" " * (-len(text) % 8)
    with open(path, "wb") as out:
        out.write(struct.pack("<Q", len(text)) + text)
        for tensor in state.values():
            out.write(tensor.detach().float().contiguous().numpy().tobytes())


def small_clip(nifty, work):
    """The path of a CLIP of the demonstration's shape, trained for a moment."""
    pictures(f"{work}/small", 32, 32)
    path = f"{work}/small.safetensors"
    subprocess.run(
        [nifty, "clip", "train", f"--data={work}/small", f"--out={path}", "--kimg=0.032",
         "--batch=16"],
        capture_output=True, check=True,
    )
    return path


def full_width(nifty, work):
    """(CLIP, packed set): a ViT-B/32 of random weights, and eight pictures of 256²."""
    clip = f"{work}/clip.safetensors"
    write_safetensors(clip, random_clip().state_dict())
    return clip, packed(nifty, work, 256, 8, clip)


def pictures(folder, count, side):
    """Made pictures with noise and a caption each."""
    os.makedirs(folder)
    rng = np.random.RandomState(0)
    for i in range(count):
        small = Image.fromarray(rng.randint(0, 256, (8, 8, 3), dtype=np.uint8))
        large = np.asarray(small.resize((side, side), Image.BICUBIC), np.int16)
        noisy = np.clip(large + rng.normal(0, 3, large.shape), 0, 255).astype(np.uint8)
        Image.fromarray(noisy).save(f"{folder}/{i:03d}.png")
        with open(f"{folder}/{i:03d}.txt", "w") as out:
            out.write(CAPTIONS[i % len(CAPTIONS)] + "\n")


def packed(nifty, work, side, count, clip):
    """The path of a packed set of made pictures with features."""
    pictures(f"{work}/{side}", count, side)
    path = f"{work}/{side}.zip"
    subprocess.run(
        [nifty, "pack", f"--source={work}/{side}", f"--dest={path}", f"--width={side}",
         f"--height={side}", "--transform=center-crop", f"--clip={clip}", "--threads=1"],
        capture_output=True, check=True,
    )
    return path
