"""Makes the fixtures of DatasetsTests. Needs NumPy and Pillow; not needed to run the tests.

usage: make_fixtures.py shapes64.zip

shapes64.zip is a set of 40 images packed by the original LAFITE's dataset_tool.py. Made from it:

lafite_shapes.zip    the first six images with their entries of dataset.json, values unchanged
lafite_shapes.json   what Pillow and Python's json read in it: CRC-32 of the pixels, all features
numpy_random.json    draws of numpy.random.RandomState
"""
import io, json, struct, sys, zipfile, zlib
import numpy as np
from PIL import Image

(shapes,) = sys.argv[1:]
count = 6

with zipfile.ZipFile(shapes) as source:
    names = [i for i in source.infolist() if i.filename.endswith(".png")][:count]
    document = json.loads(source.read("dataset.json"))
    for key in ("clip_img_features", "clip_txt_features"):
        document[key] = document[key][:count]
    with zipfile.ZipFile("lafite_shapes.zip", "w", zipfile.ZIP_STORED) as out:
        for info in names:
            out.writestr(info, source.read(info))
        entry = zipfile.ZipInfo("dataset.json", names[0].date_time)
        out.writestr(entry, json.dumps(document))
    crcs = [zlib.crc32(np.array(Image.open(io.BytesIO(source.read(i)))).tobytes()) for i in names]


def bits(vector):
    return np.array(vector, np.float32).tobytes().hex()


json.dump(
    {
        "names": [i.filename for i in names],
        "pixel_crc32": crcs,
        "image_features": [bits(v) for _, v in document["clip_img_features"]],
        "text_features": [[bits(v) for v in vs] for _, vs in document["clip_txt_features"]],
    },
    open("lafite_shapes.json", "w"),
)

cases = []
for seed in (0, 1, 12345, 2**32 - 1):
    words = np.random.RandomState(seed).randint(0, 2**32, 700, dtype=np.uint32)
    bounds = [1, 2, 3, 5, 10, 16, 17, 1000, 2**16, 10**6, 2**31, 2**32 - 1, 2**32]
    r = np.random.RandomState(seed)
    integers = [int(r.randint(b)) for b in bounds * 3]
    shuffled = list(range(20))
    np.random.RandomState(seed).shuffle(shuffled)
    cases.append(
        {
            "seed": seed,
            "first_words": [int(w) for w in words[:4]],
            "words_crc32": zlib.crc32(words.astype("<u4").tobytes()),
            "bounds": bounds * 3,
            "integers": integers,
            "shuffled": shuffled,
            "permutation": [int(i) for i in np.random.RandomState(seed).permutation(33)],
            "permutation_10000_crc32": zlib.crc32(
                np.random.RandomState(seed).permutation(10000).astype("<u4").tobytes()
            ),
        }
    )
json.dump({"numpy": np.__version__, "cases": cases}, open("numpy_random.json", "w"))
