"""What an iteration's convolutions, filters and CLIP cost at libtorch's own rate.

Each distinct shape and type is timed alone: forward, gradient of the input, gradient of the weight.
An iteration is Gmain + Dmain + Greg/4 + Dreg/16. With N images it passes (forward, input gradient,
weight gradient), Greg over N/2 images:
  G: Gmain f d w; Dmain f; Greg/4: f d, then of both again f w, d w.
  D: Gmain f d; Dmain twice f d w; Dreg/16: f d, then f w, d w.
"""
import functools
import time

import torch


def generator_layers(resolution, channels):
    layers = []
    side = 4
    while side <= resolution:
        if side > 4:
            layers.append((side, "up", channels(side // 2), channels(side), 3, side // 2))
            layers.append((side, "filter", channels(side), channels(side), 4, side + 3))
        layers.append((side, "same", channels(side), channels(side), 3, side))
        layers.append((side, "same", channels(side), 3, 1, side))
        side *= 2
    return layers


def discriminator_layers(resolution, channels):
    layers = [(resolution, "same", 3, channels(resolution), 1, resolution)]
    side = resolution
    while side > 4:
        layers.append((side, "filter down", channels(side), channels(side), 4, side + 2))
        layers.append((side, "same", channels(side), channels(side // 2), 1, side // 2))
        layers.append((side, "same", channels(side), channels(side), 3, side))
        layers.append((side, "filter", channels(side), channels(side), 4, side + 4))
        layers.append((side, "down", channels(side), channels(side // 2), 3, side + 1))
        side //= 2
    layers.append((4, "same", channels(4) + 1, channels(4), 3, 4))
    layers.append((4, "same", channels(4) * 16, channels(4), 1, 1))
    return layers


def passes(batch):
    """Images an iteration passes through each network: (forward, input gradient, weight gradient)."""
    n = batch
    generator = (n + n + n / 4, n + n / 4, n + n / 4)
    discriminator = (n + 2 * n + n / 8, n + 2 * n + n / 8, 2 * n + n / 8)
    return generator, discriminator


def multiplications(layer):
    """Multiplications of one image's forward pass."""
    _, kind, inputs, outputs, kernel, side = layer
    if kind == "up":
        return kernel**2 * inputs * outputs * side**2
    out = {"same": side, "down": (side - 3) // 2 + 1, "filter": side - 3,
           "filter down": (side - 4) // 2 + 1}[kind]
    return kernel**2 * (1 if kind.startswith("filter") else inputs) * outputs * out**2


def fastest(body, repeats=3):
    """Processor seconds of the fastest of some calls, after one that is not counted."""
    body()
    times = []
    for _ in range(repeats):
        start = time.process_time()
        body()
        times.append(time.process_time() - start)
    return min(times)


@functools.cache
def layer_costs(kind, inputs, outputs, kernel, side, batch, dtype):
    """Seconds of (forward, input gradient, weight gradient) of a batch."""
    depthwise = kind.startswith("filter")
    groups = inputs if depthwise else 1
    stride = 2 if kind in ("up", "down", "filter down") else 1
    padding = 1 if kind == "same" and kernel == 3 else 0
    form = torch.channels_last if dtype == torch.bfloat16 else torch.contiguous_format
    x = torch.randn(batch, inputs, side, side).to(dtype).contiguous(memory_format=form)
    shape = (inputs, outputs) if kind == "up" else (outputs, inputs // groups)
    w = torch.randn(*shape, kernel, kernel).to(dtype).contiguous(memory_format=form)
    settings = ([stride] * 2, [padding] * 2, [1, 1], kind == "up", [0, 0], groups)
    forward = lambda: torch.ops.aten.convolution(x, w, None, *settings)
    dy = torch.randn_like(forward())
    backward = lambda mask: torch.ops.aten.convolution_backward(dy, x, w, None, *settings, mask)
    return (
        fastest(forward),
        fastest(lambda: backward([True, False, False])),
        0.0 if depthwise else fastest(lambda: backward([False, True, False])),
    )


def clip_seconds(tower, batch, dtype):
    """Forward and gradient of the pixels of a CLIP's image tower; its norms stay in float32."""
    tower = tower.requires_grad_(False).to(dtype)
    for module in tower.modules():
        if isinstance(module, torch.nn.LayerNorm):
            module.float()
    x = torch.randn(batch, 3, tower.input_resolution, tower.input_resolution).to(dtype)
    x.requires_grad_()
    return fastest(lambda: torch.autograd.grad(tower(x).sum(), x))


def iteration(resolution, batch, channels, reduced, tower):
    """An iteration's cost: GFLOP and processor seconds of dense layers, filters and CLIP.

    - channels: Of a side, their number.
    - reduced: Whether the four highest resolutions compute in bfloat16.
    """
    gflop = {"dense": 0.0, "filter": 0.0}
    seconds = {"dense": 0.0, "filter": 0.0}
    networks = (generator_layers(resolution, channels), discriminator_layers(resolution, channels))
    with torch.no_grad():
        for layers, (f, d, w) in zip(networks, passes(batch)):
            for layer in layers:
                low = reduced and layer[0] > resolution // 16 and layer[0] >= 8
                cost = layer_costs(*layer[1:], batch, torch.bfloat16 if low else torch.float32)
                kind = "filter" if layer[1].startswith("filter") else "dense"
                amount = f + d + (w if kind == "dense" else 0)
                gflop[kind] += 2e-9 * multiplications(layer) * amount
                seconds[kind] += (cost[0] * f + cost[1] * d + cost[2] * w) / batch
    dtype = torch.bfloat16 if reduced else torch.float32
    seconds["clip"] = clip_seconds(tower, batch, dtype)
    return gflop, seconds
