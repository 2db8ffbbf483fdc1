"""Makes the image fixtures of ImagesTests with Pillow (13.0) and NumPy, from a fixed seed.

    python3 make-fixtures.py [FOLDER]

decode/NAME.EXT  an encoded image, decode/NAME.rgb.png what it must decode to
resize.json      FNV-1a hashes of Pillow's resized pixels, from decode/photo.png
wide.json        the same of wide crops between black bars
"""

import io
import json
import os
import struct
import sys
import zlib

import numpy as np
from PIL import Image

folder = sys.argv[1] if len(sys.argv) > 1 else os.path.dirname(os.path.abspath(__file__))
os.makedirs(os.path.join(folder, "decode"), exist_ok=True)
random = np.random.RandomState(7)


def photo(width, height):
    """Smooth colour, edges and noise: what a photograph asks of a codec and a filter."""
    y, x = np.mgrid[0:height, 0:width].astype(float)
    image = np.stack(
        [
            128 + 100 * np.sin(x / 17) * np.cos(y / 11),
            255 * x / width,
            128 + 90 * np.cos((x + 2 * y) / 23),
        ],
        -1,
    )
    image[(x - width * 0.6) ** 2 + (y - height * 0.4) ** 2 < (height * 0.25) ** 2] = [250, 30, 60]
    image[:, ::16] = 0
    image += random.randn(height, width, 3) * 12
    return np.clip(image, 0, 255).astype(np.uint8)


def alpha_ramp(width, height):
    y, x = np.mgrid[0:height, 0:width]
    return ((x * 7 + y * 5) % 256).astype(np.uint8)


def keep(name, encoded, expected):
    with open(os.path.join(folder, "decode", name), "wb") as file:
        file.write(encoded)
    stem = name.rsplit(".", 1)[0]
    expected.save(os.path.join(folder, "decode", stem + ".rgb.png"), optimize=True)


def encode(image, **options):
    out = io.BytesIO()
    image.save(out, **options)
    return out.getvalue()


def as_pil(name, image, **options):
    """The expectation is Pillow's own decoding, converted to RGB."""
    encoded = encode(image, **options)
    keep(name, encoded, Image.open(io.BytesIO(encoded)).convert("RGB"))


def on_white(name, image, **options):
    encoded = encode(image, **options)
    decoded = Image.open(io.BytesIO(encoded)).convert("RGBA")
    white = Image.new("RGB", decoded.size, (255, 255, 255))
    white.paste(decoded.convert("RGB"), mask=decoded.getchannel("A"))
    keep(name, encoded, white)


def png_chunks(width, height, depth, colour, rows):
    """A PNG written by hand, for the kinds that Pillow does not write."""

    def chunk(name, data):
        body = name + data
        return struct.pack(">I", len(data)) + body + struct.pack(">I", zlib.crc32(body))

    header = struct.pack(">IIBBBBB", width, height, depth, colour, 0, 0, 0)
    data = b"".join(b"\0" + row for row in rows)
    return (
        b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header)
        + chunk(b"IDAT", zlib.compress(data)) + chunk(b"IEND", b"")
    )


def adam7(pixels):
    """An interlaced PNG of 8-bit RGB or RGBA."""
    height, width, channels = pixels.shape
    passes = [(0, 0, 8, 8), (4, 0, 8, 8), (0, 4, 4, 8), (2, 0, 4, 4), (0, 2, 2, 4), (1, 0, 2, 2), (0, 1, 1, 2)]
    data = b""
    for x, y, dx, dy in passes:
        part = pixels[y::dy, x::dx]
        if part.size:
            data += b"".join(b"\0" + row.tobytes() for row in part)

    def chunk(name, body):
        return struct.pack(">I", len(body)) + name + body + struct.pack(">I", zlib.crc32(name + body))

    colour = {3: 2, 4: 6}[channels]
    header = struct.pack(">IIBBBBB", width, height, 8, colour, 0, 0, 1)
    return (
        b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header)
        + chunk(b"IDAT", zlib.compress(data)) + chunk(b"IEND", b"")
    )


def ycck(image):
    """Inks as Photoshop writes them: luma and chroma of the inverted inks, transform 2 in Adobe's marker.

    Pillow stores four channels as they are but inverted, so it is given what is to be stored.
    """
    cyan, magenta, yellow, black = image.convert("CMYK").split()
    luma = Image.merge("RGB", (cyan, magenta, yellow)).convert("YCbCr").split()
    # Some black ink, so that the fourth channel counts.
    black = black.point(lambda value: 60)
    stored = [*luma, black.point(lambda value: 255 - value)]
    given = Image.merge("CMYK", [channel.point(lambda value: 255 - value) for channel in stored])
    encoded = bytearray(encode(given, format="JPEG", quality=90))
    marker = encoded.index(b"Adobe")
    assert encoded[marker + 11] == 0
    encoded[marker + 11] = 2
    return bytes(encoded)


small = Image.fromarray(photo(61, 43))
ramp = Image.fromarray(alpha_ramp(61, 43))
transparent = small.copy()
transparent.putalpha(ramp)
grey = small.convert("L")

as_pil("jpeg-420.jpg", small, format="JPEG", quality=85)
as_pil("jpeg-444.jpg", small, format="JPEG", quality=85, subsampling=0)
as_pil("jpeg-422.jpg", small, format="JPEG", quality=85, subsampling=1)
as_pil("jpeg-progressive.jpg", small, format="JPEG", quality=85, progressive=True)
as_pil("jpeg-grey.jpg", grey, format="JPEG", quality=85)
as_pil("jpeg-cmyk.jpg", small.convert("CMYK"), format="JPEG", quality=85)
inked = ycck(small)
keep("jpeg-ycck.jpg", inked, Image.open(io.BytesIO(inked)).convert("RGB"))

as_pil("png-rgb.png", small, format="PNG")
as_pil("png-palette.png", small.quantize(16), format="PNG")
as_pil("png-grey.png", grey, format="PNG")
as_pil("png-bilevel.png", grey.convert("1"), format="PNG")
on_white("png-rgba.png", transparent, format="PNG")
on_white("png-grey-alpha.png", transparent.convert("LA"), format="PNG")
palette = small.quantize(16)
on_white("png-palette-key.png", palette, format="PNG", transparency=bytes(range(0, 256, 16)))
on_white("png-rgb-key.png", small, format="PNG", transparency=small.getpixel((3, 3)))

deep = random.randint(0, 65536, (9, 7, 3)).astype(">u2")
keep(
    "png-rgb16.png",
    png_chunks(7, 9, 16, 2, [row.tobytes() for row in deep]),
    Image.fromarray((deep.astype(int) >> 8).astype(np.uint8)),
)
deep_grey = (np.arange(7 * 9).reshape(9, 7) * 1040).astype(">u2")
high = (deep_grey.astype(int) >> 8).astype(np.uint8)
keep(
    "png-grey16.png",
    png_chunks(7, 9, 16, 0, [row.tobytes() for row in deep_grey]),
    Image.fromarray(high).convert("RGB"),
)
keep("png-interlaced.png", adam7(np.asarray(small)), small)
interlaced = adam7(np.asarray(transparent))
white = Image.new("RGB", small.size, (255, 255, 255))
white.paste(small, mask=ramp)
keep("png-interlaced-rgba.png", interlaced, white)

as_pil("webp-lossy.webp", small, format="WEBP", quality=80)
as_pil("webp-lossless.webp", small, format="WEBP", lossless=True)
on_white("webp-alpha.webp", transparent, format="WEBP", quality=80)
on_white("webp-lossless-alpha.webp", transparent, format="WEBP", lossless=True, exact=True)
frames = [small, Image.fromarray(255 - np.asarray(small))]
with open(os.path.join(folder, "decode", "animated.webp"), "wb") as file:
    file.write(encode(frames[0], format="WEBP", save_all=True, append_images=frames[1:]))

# Pictures whose upright form is the same for each EXIF orientation.
turns = [
    None,
    Image.Transpose.FLIP_LEFT_RIGHT,
    Image.Transpose.ROTATE_180,
    Image.Transpose.FLIP_TOP_BOTTOM,
    Image.Transpose.TRANSPOSE,
    Image.Transpose.ROTATE_90,
    Image.Transpose.TRANSVERSE,
    Image.Transpose.ROTATE_270,
]
tiles = np.zeros((16, 24, 3), np.uint8)
tiles[:8, :8], tiles[:8, 8:16], tiles[8:, :8] = [255, 0, 0], [0, 255, 0], [0, 0, 255]
upright = Image.fromarray(tiles)
for orientation, turn in enumerate(turns, 1):
    exif = Image.Exif()
    exif[0x0112] = orientation
    stored = upright.transpose(turn) if turn is not None else upright
    with open(os.path.join(folder, "decode", f"exif-{orientation}.jpg"), "wb") as file:
        file.write(encode(stored, format="JPEG", quality=95, subsampling=0, exif=exif))


def fnv1a(data):
    value = 0xCBF29CE484222325
    for byte in data:
        value = (value ^ byte) * 0x100000001B3 & 0xFFFFFFFFFFFFFFFF
    return f"{value:016x}"


source = Image.fromarray(photo(211, 149))
source.save(os.path.join(folder, "decode", "photo.png"), optimize=True)
cases = []
sizes = [
    (64, 64), (32, 45), (211, 149), (211, 40), (100, 149), (210, 148), (422, 298), (300, 200),
    (500, 16), (16, 500), (1, 1), (2, 3), (211, 1), (1, 149), (212, 150), (7, 7), (127, 129),
]
for name in ["LANCZOS", "BOX"]:
    for width, height in sizes:
        # Rows first, as every Pillow before 13 did; newer ones sometimes take the cheaper order.
        resample = getattr(Image.Resampling, name)
        resized = source.resize((width, 149), resample).resize((width, height), resample)
        cases.append(
            {"filter": name.lower(), "width": width, "height": height, "hash": fnv1a(resized.tobytes())}
        )
with open(os.path.join(folder, "resize.json"), "w") as file:
    file.write("[\n" + ",\n".join("  " + json.dumps(case) for case in cases) + "\n]\n")

# GIF: dithered, so that the palette is used up; Pillow writes rows interlaced if asked.
drawn = small.quantize(200)
as_pil("gif-plain.gif", drawn, format="GIF", interlace=0)
as_pil("gif-interlaced.gif", drawn, format="GIF", interlace=1)
as_pil("gif-grey.gif", grey, format="GIF", interlace=0)
as_pil("gif-bilevel.gif", grey.convert("1"), format="GIF", interlace=0)
on_white("gif-transparent.gif", drawn, format="GIF", interlace=0, transparency=drawn.getpixel((5, 5)))
as_pil(
    "gif-animated.gif", drawn, format="GIF", save_all=True, interlace=0,
    append_images=[Image.fromarray(255 - np.asarray(small)).quantize(32)],
)
# Codes of every size, and the table full more than once.
noisy = Image.fromarray(random.randint(0, 256, (120, 160)).astype(np.uint8), "L")
as_pil("gif-noise.gif", noisy, format="GIF", interlace=0)
# A picture of 61×43 at (5, 3) of a screen of 80×60: what it leaves out is white.
plain = bytearray(encode(drawn, format="GIF", interlace=0))
plain[6:10] = struct.pack("<HH", 80, 60)
descriptor = plain.index(b"\x2c\0\0\0\0" + struct.pack("<HH", 61, 43))
plain[descriptor + 1:descriptor + 5] = struct.pack("<HH", 5, 3)
screen = Image.new("RGB", (80, 60), (255, 255, 255))
screen.paste(drawn.convert("RGB"), (5, 3))
keep("gif-offset.gif", bytes(plain), screen)

as_pil("avif-444.avif", small, format="AVIF", quality=90, subsampling="4:4:4", codec="aom")
as_pil("avif-420.avif", small, format="AVIF", quality=80, subsampling="4:2:0", codec="aom")
as_pil("avif-grey.avif", grey, format="AVIF", quality=80, subsampling="4:0:0", codec="aom")
on_white("avif-alpha.avif", transparent, format="AVIF", quality=90, subsampling="4:4:4", codec="aom")
as_pil(
    "avif-sequence.avif", small, format="AVIF", quality=80, save_all=True, codec="aom",
    append_images=[Image.fromarray(255 - np.asarray(small))],
)
for orientation, turn in enumerate(turns, 1):
    exif = Image.Exif()
    exif[0x0112] = orientation
    stored = upright.transpose(turn) if turn is not None else upright
    with open(os.path.join(folder, "decode", f"turned-{orientation}.avif"), "wb") as file:
        file.write(encode(stored, format="AVIF", quality=95, subsampling="4:4:4", exif=exif, codec="aom"))

# The wide crop: the middle rows, as many as the picture would have if it were `width` wide, brought
# to width × height and laid between black bars.
cases = []
for name in ["LANCZOS", "BOX"]:
    for width, height in [(128, 64), (128, 90), (64, 32), (64, 45), (200, 141), (211, 100), (32, 8)]:
        resample = getattr(Image.Resampling, name)
        rows = round(width * source.height / source.width)
        top = (source.height - rows) // 2
        strip = source.crop((0, top, source.width, top + rows))
        strip = strip.resize((width, rows), resample).resize((width, height), resample)
        square = Image.new("RGB", (width, width))
        square.paste(strip, (0, (width - height) // 2))
        cases.append(
            {"filter": name.lower(), "width": width, "height": height, "hash": fnv1a(square.tobytes())}
        )
with open(os.path.join(folder, "wide.json"), "w") as file:
    file.write("[\n" + ",\n".join("  " + json.dumps(case) for case in cases) + "\n]\n")
