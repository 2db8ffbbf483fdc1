"""Makes small sources in the layouts of LSUN, CIFAR-10 and MNIST; not needed to run the tests.

Needs lmdb, numpy and Pillow. LMDB files are written by the LMDB library itself. CIFAR-10's pickles
are written opcode by opcode as Python 2 wrote the real ones (byte strings, protocol 2). Pixels are
formulas, so that the tests need no recorded values:

    CIFAR image i, plane c, pixel p:   (37 i + 85 c + p) mod 256, label (7 i) mod 10
    MNIST image i, row y, column x:    (11 i + 9 y + x) mod 256, label (3 i) mod 10
    LSUN value i: PNG of one colour (i mod 256, 2 i mod 256, 255 − i mod 256), 4×4 pixels; from 300 on
    96×96 pixels of (x + i, y, x y) mod 256, stored without compression: larger than a page
"""
import gzip, hashlib, io, os, shutil, struct, sys, tarfile, pickle
import lmdb, numpy as np
from PIL import Image

out = os.path.dirname(os.path.abspath(__file__))


def string(data):
    if len(data) < 256:
        return b"U" + bytes([len(data)]) + data
    return b"T" + struct.pack("<i", len(data)) + data


def integer(value):
    return b"K" + bytes([value]) if value < 256 else b"M" + struct.pack("<H", value)


def batch(number, count):
    first = number * count
    data = np.zeros((count, 3072), np.uint8)
    for i in range(count):
        for c in range(3):
            data[i, c * 1024 : (c + 1) * 1024] = (37 * (first + i) + 85 * c + np.arange(1024)) % 256
    labels = [7 * (first + i) % 10 for i in range(count)]
    array = (
        b"cnumpy.core.multiarray\n_reconstruct\ncnumpy\nndarray\n" + integer(0) + b"\x85"
        + string(b"b") + b"\x87R(" + integer(1) + integer(count) + integer(3072) + b"\x86"
        + b"cnumpy\ndtype\n" + string(b"u1") + integer(0) + integer(1) + b"\x87R("
        + integer(3) + string(b"|") + b"NNN" + b"J\xff\xff\xff\xff" * 2 + integer(0) + b"tb"
        + b"\x89" + string(data.tobytes()) + b"tb"
    )
    blob = (
        b"\x80\x02}(" + string(b"batch_label") + string(b"training batch") + string(b"labels")
        + b"](" + b"".join(integer(l) for l in labels) + b"e" + string(b"data") + array + b"u."
    )
    back = pickle.loads(blob, encoding="latin1")
    assert back["labels"] == labels and (back["data"] == data).all()
    return blob


def add(tar, name, data):
    info = tarfile.TarInfo(name)
    info.size = len(data)
    tar.addfile(info, io.BytesIO(data))


with open(f"{out}/cifar-10-python.tar.gz", "wb") as file:
    with gzip.GzipFile(fileobj=file, mode="wb", mtime=0, filename="") as stream:
        with tarfile.open(fileobj=stream, mode="w") as tar:
            add(tar, "cifar-10-batches-py/batches.meta", b"not needed")
            for number in (3, 1, 4, 0, 2):
                add(tar, f"cifar-10-batches-py/data_batch_{number + 1}", batch(number, 2))
            add(tar, "cifar-10-batches-py/test_batch", b"not needed")


def gz(name, data):
    with open(f"{out}/{name}", "wb") as file:
        with gzip.GzipFile(fileobj=file, mode="wb", mtime=0, filename="") as stream:
            stream.write(data)


count = 3
i, y, x = np.mgrid[0:count, 0:28, 0:28]
digits = ((11 * i + 9 * y + x) % 256).astype(np.uint8)
gz("train-images-idx3-ubyte.gz", struct.pack(">IIII", 0x803, count, 28, 28) + digits.tobytes())
labels = bytes(3 * i % 10 for i in range(count))
gz("train-labels-idx1-ubyte.gz", struct.pack(">II", 0x801, count) + labels)

folder = f"{out}/bedroom_tiny_lmdb"
shutil.rmtree(folder, ignore_errors=True)
env = lmdb.open(folder, map_size=1 << 24)
for i in range(302):
    if i < 300:
        pixels = np.full((4, 4, 3), (i % 256, 2 * i % 256, (255 - i) % 256), np.uint8)
    else:
        y, x = np.mgrid[0:96, 0:96]
        pixels = np.stack([x + i, y, x * y], -1).astype(np.uint8)
    png = io.BytesIO()
    Image.fromarray(pixels).save(png, "PNG", compress_level=0 if i >= 300 else 9)
    key = hashlib.sha1(b"%d" % i).hexdigest().encode()
    # A transaction each for some, so that both meta pages have been used.
    with env.begin(write=True) as transaction:
        transaction.put(key, png.getvalue())
env.close()
env = lmdb.open(folder, readonly=True, lock=False)
with env.begin() as transaction:
    entries = [(k.decode(), hashlib.sha256(v).hexdigest()) for k, v in transaction.cursor()]
    stat = transaction.stat()
env.close()
# The number that LMDBTests compare with.
print(stat, hashlib.sha256("".join(f"{k} {d}\n" for k, d in entries).encode()).hexdigest())
os.remove(f"{folder}/lock.mdb")
# The file has the size of the map in memory; the rest behind the last page is empty.
os.chmod(f"{folder}/data.mdb", 0o644)
print(os.path.getsize(f"{folder}/data.mdb"))
