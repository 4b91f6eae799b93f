"""Two hundred odd pictures: every mode and format that Pillow opens, by hand where it does not write them."""

from __future__ import annotations

import importlib.util
import io
import struct
from collections.abc import Callable, Iterator

import numpy as np
from PIL import Image, features

from lariqa.photos.golden import golden_photo
from tests.support.handwritten_pictures import bmp, chunk, float_map, netpbm, png, run_lengths
from tests.sweeps.judge import Case

HEIGHT, WIDTH = 90, 122
PHOTO = golden_photo(HEIGHT, WIDTH)
GREY = PHOTO[..., :1]
ALPHA = np.tile(np.linspace(0, 255, WIDTH).astype(np.uint8), (HEIGHT, 1))[..., None]
LOSSY = 6.0  # levels on average
PALETTE = np.random.default_rng(5).integers(0, 256, (256, 3), np.uint8)
TURNS: dict[int, Callable[[np.ndarray], np.ndarray]] = {  # EXIF orientation -> stored pixels to shown ones
    1: lambda x: x,
    2: lambda x: x[:, ::-1],
    3: lambda x: x[::-1, ::-1],
    4: lambda x: x[::-1],
    5: lambda x: x.transpose(1, 0, 2),
    6: lambda x: np.rot90(x, -1),
    7: lambda x: np.rot90(x, 2).transpose(1, 0, 2),
    8: lambda x: np.rot90(x, 1),
}


def rgb(grey: np.ndarray) -> np.ndarray:
    return np.repeat(grey.reshape(*grey.shape[:2], 1), 3, -1)


def over_white(colours: np.ndarray, alpha: np.ndarray) -> np.ndarray:
    rgba = Image.fromarray(np.concatenate([colours, alpha], -1).astype(np.uint8), "RGBA")
    return np.asarray(Image.alpha_composite(Image.new("RGBA", rgba.size, (255,) * 4), rgba).convert("RGB"))


def case(
    group: str, name: str, data: bytes, shown: np.ndarray | None, mean: float = 0, sure: bool = True, most=0
) -> Case:
    """A file of these bytes; ``sure``: it must be read, not refused."""
    return Case(group, name, lambda path: path.write_bytes(data), shown, mean, most, may_be_refused=not sure)


def saved(image: Image.Image | np.ndarray, kind: str, **options) -> bytes:
    """As Pillow writes it."""
    image = Image.fromarray(image) if isinstance(image, np.ndarray) else image
    file = io.BytesIO()
    image.save(file, kind, **options)
    return file.getvalue()


def cases() -> Iterator[Case]:
    """All of them."""
    for made in (pngs, bitmaps, gifs, jpegs, modern, tiffs, netpbms):
        yield from made()


def pngs() -> Iterator[Case]:
    for woven in (False, True):
        for depth in (1, 2, 4, 8, 16):
            most = (1 << depth) - 1
            levels = (GREY.astype(int) * most // 255).astype(np.uint16)
            shown = rgb((levels.astype(int) * 255 + most // 2) // most).astype(np.uint8)
            name = f"{depth} bits{', interlaced' if woven else ''}"
            yield case("PNG, grey", name, png(levels, 0, depth, woven), shown)
            key = int(levels[40, 60, 0])
            clear = np.where(levels == key, 255, shown).astype(np.uint8)
            transparent = (chunk(b"tRNS", struct.pack(">H", key)),)
            yield case("PNG, grey", f"{name}, one transparent", png(levels, 0, depth, woven, transparent), clear)
            if depth <= 8:
                colours = PALETTE[: most + 1]
                plte = chunk(b"PLTE", colours.tobytes())
                yield case("PNG, palette", name, png(levels, 3, depth, woven, (plte,)), colours[levels[..., 0]])
                see_through = np.arange(most + 1, dtype=np.uint8)[:100] * 2
                opaque = np.full(most + 1, 255, np.uint8)
                opaque[: len(see_through)] = see_through
                shown = over_white(colours[levels[..., 0]], opaque[levels])
                parts = (plte, chunk(b"tRNS", see_through.tobytes()))
                yield case("PNG, palette", f"{name}, transparent", png(levels, 3, depth, woven, parts), shown, most=1)
            if depth >= 8:
                scale = most // 255
                coloured, clear = PHOTO.astype(np.uint16) * scale, ALPHA.astype(np.uint16) * scale
                yield case("PNG, colour", name, png(coloured, 2, depth, woven), PHOTO)
                both = np.concatenate([coloured, clear], -1)
                yield case(
                    "PNG, colour", f"{name}, alpha", png(both, 6, depth, woven), over_white(PHOTO, ALPHA), most=1
                )
                both = np.concatenate([GREY.astype(np.uint16) * scale, clear], -1)
                yield case(
                    "PNG, grey", f"{name}, alpha", png(both, 4, depth, woven), over_white(rgb(GREY), ALPHA), most=1
                )
                key = tuple(int(value) for value in coloured[40, 60])
                near = coloured.copy()
                near[41, 61] = np.array(key) + (depth == 16)  # the same 8 bits, another colour
                shown = np.where((near == key).all(-1, keepdims=True), 255, near // scale).astype(np.uint8)
                parts = (chunk(b"tRNS", struct.pack(">3H", *key)),)
                yield case("PNG, colour", f"{name}, one transparent", png(near, 2, depth, woven, parts), shown)
    frames = [Image.fromarray(PHOTO), Image.fromarray(255 - PHOTO)]
    animated = saved(frames[0], "PNG", save_all=True, append_images=frames[1:])
    yield case("PNG, animated", "the first frame is the picture", animated, PHOTO)
    default = saved(frames[1], "PNG", save_all=True, append_images=[frames[0]] * 2, default_image=True)
    yield case("PNG, animated", "the picture is no frame", default, PHOTO, sure=False)


def bitmaps() -> Iterator[Case]:
    levels, bgr = GREY[..., 0], PHOTO[..., ::-1]
    quads = np.concatenate([PALETTE[:, ::-1], np.zeros((256, 1), np.uint8)], -1)
    rows = [row.tobytes() for row in levels]
    shown = PALETTE[levels]
    yield case("BMP", "8 bits", bmp(rows, WIDTH, 8, palette=quads.tobytes()), shown)
    yield case("BMP", "8 bits, OS/2", bmp(rows, WIDTH, 8, palette=PALETTE[:, ::-1].tobytes(), header_bytes=12), shown)
    yield case("BMP", "8 bits, from the top", bmp(rows, WIDTH, 8, palette=quads.tobytes(), top_down=True), shown)
    lines = [run_lengths(row) for row in levels[::-1]]
    lines[-1] += b"\0\1"
    yield case("BMP", "8 bits, run lengths", bmp(lines, WIDTH, 8, palette=quads.tobytes(), compression=1), shown)
    for bits in (1, 4):
        few = levels >> (8 - bits)
        packed = [
            np.packbits(np.unpackbits(row.reshape(-1, 1), axis=1)[:, -bits:].reshape(-1)).tobytes() for row in few
        ]
        made = bmp(packed, WIDTH, bits, palette=quads[: 1 << bits].tobytes())
        yield case("BMP", f"{bits} bits", made, PALETTE[few])
    rows = [row.tobytes() for row in bgr]
    yield case("BMP", "24 bits", bmp(rows, WIDTH, 24), PHOTO)
    yield case("BMP", "24 bits, from the top", bmp(rows, WIDTH, 24, top_down=True), PHOTO)
    yield case("BMP", "24 bits, 124 bytes of header", bmp(rows, WIDTH, 24, header_bytes=124, masks=(0,) * 4), PHOTO)
    five = PHOTO.astype(np.uint16) >> 3
    packed = [row.astype("<u2").tobytes() for row in five[..., 0] << 10 | five[..., 1] << 5 | five[..., 2]]
    shown = (five.astype(int) * 255 + 15) // 31
    yield case("BMP", "16 bits, 5 5 5", bmp(packed, WIDTH, 16), shown, most=4)
    six = PHOTO[..., 1].astype(np.uint16) >> 2
    packed = [row.astype("<u2").tobytes() for row in five[..., 0] << 11 | six << 5 | five[..., 2]]
    made = bmp(packed, WIDTH, 16, compression=3, masks=(0xF800, 0x7E0, 0x1F))
    yield case("BMP", "16 bits, 5 6 5", made, shown, most=6)
    for alpha, name, shown in (
        (np.zeros_like(ALPHA), "empty", PHOTO),
        (np.full_like(ALPHA, 255), "full", PHOTO),
        (ALPHA, "rising", over_white(PHOTO, ALPHA)),
    ):
        rows = [row.tobytes() for row in np.concatenate([bgr, alpha], -1)]
        yield case("BMP", f"32 bits, {name} fourth byte without a mask", bmp(rows, WIDTH, 32), PHOTO)
        for size in (56, 108, 124):
            made = bmp(rows, WIDTH, 32, compression=3, masks=(0xFF0000, 0xFF00, 0xFF, 0xFF000000), header_bytes=size)
            yield case("BMP", f"32 bits, {name} alpha, header of {size}", made, shown, sure=size != 56, most=1)
        rows = [row.tobytes() for row in np.concatenate([PHOTO, alpha], -1)]
        made = bmp(rows, WIDTH, 32, compression=3, masks=(0xFF, 0xFF00, 0xFF0000, 0xFF000000), header_bytes=124)
        yield case("BMP", f"32 bits, {name} alpha, red first", made, shown, sure=False, most=1)


def gifs() -> Iterator[Case]:
    indexed = Image.fromarray(GREY[..., 0]).convert("P")
    indexed.putpalette(PALETTE.tobytes())
    shown = PALETTE[np.asarray(indexed)]
    for woven in (0, 1):
        yield case("GIF", f"interlace={woven}", saved(indexed, "GIF", interlace=woven), shown)
    clear = np.where(GREY[40, 60] == GREY, 255, shown).astype(np.uint8)
    yield case("GIF", "one transparent", saved(indexed, "GIF", transparency=int(GREY[40, 60, 0])), clear)
    other = Image.fromarray(255 - GREY[..., 0])
    yield case("GIF", "animated", saved(indexed, "GIF", save_all=True, append_images=[other]), shown)
    yield case("GIF", "grey", saved(Image.fromarray(GREY[..., 0]), "GIF"), rgb(GREY))
    plain = bytearray(saved(indexed, "GIF", interlace=0, optimize=False))
    plain[6:10] = struct.pack("<HH", WIDTH + 20, HEIGHT + 10)  # a screen larger than its first frame
    at = plain.index(b"\x2c" + struct.pack("<HHHH", 0, 0, WIDTH, HEIGHT))
    plain[at + 1 : at + 5] = struct.pack("<HH", 20, 10)
    screen = np.full((HEIGHT + 10, WIDTH + 20, 3), 255, np.uint8)  # what no frame covers is transparent in browsers
    screen[10:, 20:] = shown
    yield case("GIF", "a frame smaller than the screen", bytes(plain), screen, sure=False)


def exif(orientation: object, kind: int = 3, order: str = "<") -> bytes:
    value = struct.pack(order + {1: "B", 3: "H", 4: "I"}[kind], orientation).ljust(4, b"\0")
    begin = b"II*\0" if order == "<" else b"MM\0*"
    return b"Exif\0\0" + begin + struct.pack(f"{order}IHHHI", 8, 1, 274, kind, 1) + value + bytes(4)


def jpegs() -> Iterator[Case]:
    photo = Image.fromarray(PHOTO)
    plain = saved(photo, "JPEG", quality=95)
    for name, options in {
        "plain": {}, "progressive": {"progressive": True}, "4:4:4": {"subsampling": 0}, "4:2:2": {"subsampling": 1},
        "restarts": {"restart_marker_blocks": 2}, "RGB": {"keep_rgb": True}, "density": {"dpi": (72, 300)},
        "comment": {"comment": b"x" * 60000}, "profile in parts": {"icc_profile": bytes(200_000)},
    }.items():  # fmt: skip
        yield case("JPEG", name, saved(photo, "JPEG", quality=95, **options), PHOTO, LOSSY)
    yield case(
        "JPEG", "grey", saved(photo.convert("L"), "JPEG", quality=95), rgb(np.asarray(photo.convert("L"))), LOSSY
    )
    inks = Image.fromarray(np.concatenate([255 - PHOTO, ALPHA // 3], -1), "CMYK")
    yield case(
        "JPEG", "CMYK, inverted by Adobe", saved(inks, "JPEG", quality=95), np.asarray(inks.convert("RGB")), LOSSY
    )
    yield case("JPEG", "bytes behind the end", plain + b"tail" * 500, PHOTO, LOSSY)
    yield case("JPEG", "two in one file", plain + saved(255 - PHOTO, "JPEG"), PHOTO, LOSSY)
    yield case("JPEG", "without its end", plain[:-2], PHOTO, LOSSY, sure=False)
    for orientation, turn in TURNS.items():
        turned = saved(photo, "JPEG", quality=95, exif=exif(orientation))
        yield case("JPEG, turned", f"orientation {orientation}", turned, turn(PHOTO), LOSSY)
    for name, tag in {
        "0": exif(0), "9": exif(9), "6 as LONG": exif(6, 4), "6 big-endian": exif(6, order=">"),
        "cut EXIF": exif(6)[:20], "no EXIF in it": b"Exif\0\0",
    }.items():  # fmt: skip
        shown = TURNS[6](PHOTO) if name.startswith("6") else PHOTO
        yield case("JPEG, turned", name, saved(photo, "JPEG", quality=95, exif=tag), shown, LOSSY)
    both = saved(photo, "MPO", quality=95, save_all=True, append_images=[Image.fromarray(255 - PHOTO)])
    yield case("JPEG", "MPO", both, PHOTO, LOSSY)
    yield case("JPEG", "MPO, its second picture cut", both[: len(both) * 2 // 3], PHOTO, LOSSY, sure=False)


def modern() -> Iterator[Case]:
    photo, clear = Image.fromarray(PHOTO), Image.fromarray(np.concatenate([PHOTO, ALPHA], -1))
    second = [Image.fromarray(255 - PHOTO)]
    kinds = [("WEBP", {"quality": 95}), ("WEBP", {"lossless": True, "exact": True})]
    kinds += [("AVIF", {"quality": 95}), ("AVIF", {"quality": 95, "subsampling": "4:4:4"})]
    if importlib.util.find_spec("pillow_heif"):
        importlib.import_module("pillow_heif").register_heif_opener()
        kinds.append(("HEIF", {"quality": 95}))
    for kind, options in kinds:
        if kind == "AVIF" and not features.check("avif"):
            continue
        mean, name = (
            0.0 if options.get("lossless") else LOSSY,
            " ".join(f"{key}={value}" for key, value in options.items()),
        )
        yield case(kind, name, saved(photo, kind, **options), PHOTO, mean)
        yield case(kind, f"{name}, alpha", saved(clear, kind, **options), over_white(PHOTO, ALPHA), mean or 1)
        if kind != "HEIF":
            moving = saved(photo, kind, save_all=True, append_images=second, **options)
            yield case(kind, f"{name}, animated", moving, PHOTO, mean)
        for orientation in (1, 2, 3, 6, 8):
            turned = saved(photo, kind, exif=exif(orientation)[6:], **options)
            yield case(kind, f"{name}, orientation {orientation}", turned, TURNS[orientation](PHOTO), mean)


def tiffs() -> Iterator[Case]:
    photo = Image.fromarray(PHOTO)
    for orientation, turn in TURNS.items():
        yield case("TIFF", f"orientation {orientation}", saved(photo, "TIFF", tiffinfo={274: orientation}), turn(PHOTO))
    bilevel = photo.convert("1")
    for compression in ("group3", "group4", "packbits"):
        yield case(
            "TIFF",
            f"bilevel, {compression}",
            saved(bilevel, "TIFF", compression=compression),
            np.asarray(bilevel.convert("RGB")),
        )
    yield case("TIFF", "JPEG inside", saved(photo, "TIFF", compression="jpeg", quality=95), PHOTO, LOSSY)
    yield case("TIFF", "palette", saved(photo.quantize(64), "TIFF"), np.asarray(photo.quantize(64).convert("RGB")))
    pages = saved(photo, "TIFF", save_all=True, append_images=[Image.fromarray(255 - PHOTO)])
    yield case("TIFF", "two pages", pages, PHOTO)
    yield case("TIFF", "BigTIFF", saved(photo, "TIFF", big_tiff=True), PHOTO, sure=False)
    grey = GREY[..., 0]
    yield case("TIFF", "16-bit grey", saved(grey.astype(np.uint16) * 257, "TIFF"), rgb(GREY))
    yield case("TIFF", "float grey", saved(grey.astype(np.float32) / 255, "TIFF"), rgb(GREY))
    yield case("TIFF", "float grey up to 255", saved(grey.astype(np.float32), "TIFF"), None)
    yield case(
        "TIFF",
        "float grey with NaN",
        saved(np.where(grey == grey[40, 60], np.nan, grey / 255).astype(np.float32), "TIFF"),
        None,
    )
    yield case("TIFF", "32-bit integers", saved(grey.astype(np.int32), "TIFF"), None)
    for mode in ("LAB", "YCbCr"):
        yield case(
            "TIFF",
            mode,
            saved(photo.convert(mode) if mode == "YCbCr" else _lab(photo), "TIFF"),
            PHOTO,
            LOSSY,
            sure=False,
        )


def _lab(photo: Image.Image) -> Image.Image:
    from PIL import ImageCms

    lab, srgb = ImageCms.createProfile("LAB"), ImageCms.createProfile("sRGB")
    return ImageCms.profileToProfile(photo, srgb, lab, outputMode="LAB")


def netpbms() -> Iterator[Case]:
    comment = b"# made by hand\n"
    black = (GREY < 100).astype(int)
    for kind in (1, 4):
        yield case("PPM", f"P{kind}", netpbm(black, kind, 1, comment), rgb((1 - black) * 255).astype(np.uint8))
    for kind, shown in ((2, GREY), (3, PHOTO), (5, GREY), (6, PHOTO)):
        full = rgb(shown) if shown.shape[2] == 1 else shown
        for most in (100, 255, 1023, 65535):
            levels = (shown.astype(int) * most + 127) // 255
            yield case(
                "PPM", f"P{kind}, {most}", netpbm(levels, kind, most, comment), full, most=2 if most == 100 else 1
            )
    yield case("PPM", "float map", float_map(GREY[..., 0] / 255), rgb(GREY), sure=False)
    yield case("PPM", "float map up to 255", float_map(GREY[..., 0]), None)
