"""Writes pytorch-fid.npz, pytorch-fid-stored.npz and npz.json: statistics of formula features as
pytorch-fid keeps them, and its distance between two of them.

Development only: needs the pip packages pytorch-fid 0.3.0 (Apache-2.0), numpy and scipy.
"""
import json, pathlib, sys
from unittest.mock import MagicMock
import numpy as np
from scipy import linalg

here = pathlib.Path(__file__).parent
sys.path.insert(0, str(here.parent.parent / "Goldens"))
from goldlib_reference import ftensor
# Only its arithmetic is used, none of its networks.
for name in ["torchvision", "torchvision.transforms", "torchvision.models"]:
    sys.modules[name] = MagicMock()
from pytorch_fid.fid_score import calculate_frechet_distance


def moments(name, scale, offset):
    features = ftensor("npz/" + name, (50, 6), scale, offset).astype(np.float64)
    return np.mean(features, axis=0), np.cov(features, rowvar=False)


# scipy 1.18 dropped the `disp` argument that pytorch-fid 0.3.0 passes.
root = linalg.sqrtm
linalg.sqrtm = lambda matrix, disp=True: (root(matrix), 0.0)
(m1, s1), (m2, s2) = moments("real", 1.0, 0.0), moments("other", 1.5, 0.25)
np.savez_compressed(here / "pytorch-fid.npz", mu=m1, sigma=s1)
np.savez(here / "pytorch-fid-stored.npz", mu=m2, sigma=s2)
distance = calculate_frechet_distance(m1, s1, m2, s2)
(here / "npz.json").write_text(json.dumps({"distance": float(distance)}) + "\n")
