"""Writes clip_namings.json and SnapshotsTests/Fixtures/clip-openai.pt: tiny CLIPs by the libraries that publish CLIP's weights.

Development only: needs torch and the pip packages clip-anytorch 2.6.0 (MIT), transformers 4.46.3 and
open_clip_torch 2.29.0 (MIT). Weights are formula tensors of Tests/Goldens/goldlib_reference.py by the
library's own names, rounded to half precision, so that only names, shapes and features are stored.
clip-openai.pt is a traced archive like OpenAI's: half precision but for the norms, with the three sizes
that theirs carry.
"""
import importlib.util, json, math, pathlib, sys, sysconfig
from unittest.mock import MagicMock
import torch

here = pathlib.Path(__file__).parent
sys.path.insert(0, str(here.parent.parent / "Goldens"))
from goldlib_reference import ftensor

for name in ["torchvision", "torchvision.ops", "torchvision.ops.misc", "torchvision.transforms",
             "torchvision.transforms.functional", "timm", "ftfy"]:
    sys.modules[name] = MagicMock(__spec__=importlib.util.spec_from_loader(name, None))
from transformers import CLIPConfig, CLIPModel
from open_clip.model import CLIP as OpenCLIP, CLIPTextCfg, CLIPVisionCfg, CustomTextCLIP

import clip
source = pathlib.Path(clip.__file__).parent / "model.py"
spec = importlib.util.spec_from_file_location("clip_model", source)
openai = importlib.util.module_from_spec(spec)
spec.loader.exec_module(openai)

E, SIDE, PATCH, VISION, TEXT, CONTEXT, VOCABULARY = 16, 32, 16, 128, 64, 8, 64
pixels = torch.tensor(ftensor("clip-namings/pixels", (2, 3, SIDE, SIDE)))
tokens = torch.tensor([[62, 5, 9, 63, 0, 0, 0, 0], [62, 7, 1, 2, 3, 4, 6, 63]])


def weight(name, shape):
    if len(shape) == 0:
        return ftensor(name, (), 0.0, math.log(1 / 0.07), "clip-namings/")
    if len(shape) == 1 and name.endswith("weight"):
        return ftensor(name, shape, 0.2, 1.0, "clip-namings/")
    if name.endswith("bias"):
        return ftensor(name, shape, 0.1, 0.0, "clip-namings/")
    fan_in = 1
    for size in shape[1:]:
        fan_in *= size
    return ftensor(name, shape, (fan_in if len(shape) > 1 else shape[0]) ** -0.5, 0.0, "clip-namings/")


def fill(model):
    state = {n: t for n, t in model.state_dict().items() if t.is_floating_point()}
    shapes = {n: list(t.shape) for n, t in state.items()}
    model.load_state_dict({n: torch.tensor(weight(n, s)).half().float() for n, s in shapes.items()},
                          strict=False)
    return shapes


def record(model, image, text):
    shapes = fill(model)
    model.eval()
    with torch.no_grad():
        return {"shapes": shapes, "image": image(model)(pixels).flatten().tolist(),
                "text": text(model)(tokens).flatten().tolist()}


torch.manual_seed(0)
torch.set_num_threads(1)
result = {}
encoders = (lambda m: m.encode_image, lambda m: m.encode_text)


model = openai.CLIP(E, SIDE, 1, VISION, PATCH, CONTEXT, VOCABULARY, TEXT, TEXT // 64, 2)
result["openai"] = record(model, *encoders)
for name, value in [("input_resolution", SIDE), ("context_length", CONTEXT), ("vocab_size", VOCABULARY)]:
    if hasattr(model, name):
        delattr(model, name)
    model.register_buffer(name, torch.tensor(value))
traced = torch.jit.trace(model, (pixels, tokens), check_trace=False)
with torch.no_grad():
    for name, parameter in traced.named_parameters():
        if "ln_" not in name and name != "logit_scale":
            parameter.data = parameter.data.half()
traced.save(str(here.parent.parent / "SnapshotsTests/Fixtures/clip-openai.pt"))

for act in ["quick_gelu", "gelu"]:
    config = CLIPConfig(
        text_config=dict(vocab_size=VOCABULARY, hidden_size=TEXT, intermediate_size=4 * TEXT,
                         num_hidden_layers=2, num_attention_heads=2, max_position_embeddings=CONTEXT,
                         hidden_act=act, eos_token_id=63, bos_token_id=62, pad_token_id=0),
        vision_config=dict(hidden_size=VISION, intermediate_size=4 * VISION, num_hidden_layers=1,
                           num_attention_heads=4, image_size=SIDE, patch_size=PATCH, hidden_act=act),
        projection_dim=E)
    own = record(CLIPModel._from_config(config, attn_implementation="eager"),
                 lambda m: m.get_image_features, lambda m: m.get_text_features)
    own["config"] = config.to_dict()
    result["huggingface " + act] = json.loads(json.dumps(own, default=str))

for quick in [True, False]:
    vision = CLIPVisionCfg(layers=1, width=VISION, head_width=32, patch_size=PATCH, image_size=SIDE)
    text = CLIPTextCfg(context_length=CONTEXT, vocab_size=VOCABULARY, width=TEXT, heads=2, layers=2)
    config = {"model_cfg": {
        "embed_dim": E, "quick_gelu": quick,
        "vision_cfg": {"image_size": SIDE, "layers": 1, "width": VISION, "head_width": 32, "patch_size": PATCH},
        "text_cfg": {"context_length": CONTEXT, "vocab_size": VOCABULARY, "width": TEXT, "heads": 2, "layers": 2}}}
    for kind, make in [("", OpenCLIP), (" custom", CustomTextCLIP)]:
        own = record(make(E, vision, text, quick_gelu=quick), *encoders)
        own["config"] = config
        result[f"openclip{kind} " + ("quick_gelu" if quick else "gelu")] = own

(here / "clip_namings.json").write_text(json.dumps(result) + "\n")
