"""Writes metric_oracles.json: what torch-fidelity and prdc compute of formula features.

Development only: needs the pip packages torch-fidelity 0.4.0 (Apache-2.0), prdc 0.2 (MIT), torch, numpy, scipy and
scikit-learn.
"""
import json, pathlib, sys
from unittest.mock import MagicMock
import numpy as np
import torch

here = pathlib.Path(__file__).parent
sys.path.insert(0, str(here.parent.parent.parent / "Goldens"))
from goldlib_reference import ftensor
# Only their arithmetic is used, none of their networks.
for name in ["", ".transforms", ".transforms.functional", ".models", ".models.inception",
             ".models.vgg", ".datasets"]:
    sys.modules["torchvision" + name] = MagicMock()
from prdc import compute_prdc
from torch_fidelity.metric_fid import fid_features_to_statistics, fid_statistics_to_metric
from torch_fidelity.metric_isc import isc_features_to_metric
from torch_fidelity.metric_kid import kid_features_to_metric
from torch_fidelity.metric_prc import calculate_precision_recall_full

real = ftensor("oracle/real", (60, 6))
fake = ftensor("oracle/fake", (48, 6)) * 1.1 + 1.0
logits = torch.tensor(ftensor("oracle/logits", (50, 7), 2))
real_t, fake_t = torch.tensor(real), torch.tensor(fake)
fid = fid_statistics_to_metric(
    fid_features_to_statistics(real_t), fid_features_to_statistics(fake_t), False)
# The whole of both sets is the only subset, so that no draw counts.
kid = kid_features_to_metric(real_t[:48], fake_t, kid_subsets=1, kid_subset_size=48, verbose=False)
isc = isc_features_to_metric(logits, splits=10, shuffle=False)
precision, recall = calculate_precision_recall_full(fake_t, real_t, neighborhood=3)
answers = {
    "fid": float(list(fid.values())[0]),
    "kid": float(kid["kernel_inception_distance_mean"]),
    "isc_mean": float(isc["inception_score_mean"]),
    "isc_std": float(isc["inception_score_std"]),
    "precision": float(precision),
    "recall": float(recall),
    **{"prdc_" + key: float(value) for key, value in compute_prdc(real, fake, 5).items()},
}
(here / "metric_oracles.json").write_text(json.dumps(answers, indent=1) + "\n")
print(answers)
