"""Draws the small pictures, sounds and videos in tests/media/data and prints what the tests hold of them.

    python3 -m venv .venv-mini && .venv-mini/bin/pip install numpy==1.26.4 pillow==9.4.0
    .venv-mini/bin/python tools/make_codec_fixtures.py

Needs ffmpeg. The hashes of pictures are those of Pillow's convert("RGB"), the other program that decodes them.
"""

import hashlib
import io
import pathlib
import struct
import subprocess
import zlib

import numpy as np
from PIL import Image, ImageOps

FOLDER = pathlib.Path(__file__).resolve().parents[1] / "tests" / "media" / "data"
WIDTH, HEIGHT = 37, 23
ORIENTATION = 0x112


def drawing():
    """Slopes and a little noise: smooth enough for JPEG, uneven enough to show a wrong row or channel."""
    y, x = np.mgrid[0:HEIGHT, 0:WIDTH]
    noise = np.random.default_rng(5).integers(0, 24, (HEIGHT, WIDTH, 4))
    slopes = np.stack([x * 6, y * 10, (x + y) * 4, 40 + x * 5], axis=-1)
    return (slopes + noise).clip(0, 255).astype(np.uint8)


def png(depth, colour_type, row_bytes):
    """A PNG of kinds that Pillow does not write, filled with noise."""
    random = np.random.default_rng(6)
    rows = b"".join(b"\0" + random.integers(0, 256, row_bytes, dtype=np.uint8).tobytes()
                    for _ in range(HEIGHT))

    def chunk(name, content):
        return (struct.pack(">I", len(content)) + name + content
                + struct.pack(">I", zlib.crc32(name + content)))

    head = struct.pack(">IIBBBBB", WIDTH, HEIGHT, depth, colour_type, 0, 0, 0)
    return (b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", head) + chunk(b"IDAT", zlib.compress(rows))
            + chunk(b"IEND", b""))


def exif(orientation):
    block = Image.Exif()
    block[ORIENTATION] = orientation
    return block


def pictures():
    four = drawing()
    rgb = Image.fromarray(four[..., :3])
    rgba = Image.fromarray(four)
    grey = rgb.convert("L")
    saved = [
        ("rgb.jpg", rgb, {"quality": 85}), ("progressive.jpg", rgb, {"progressive": True}),
        ("grey.jpg", grey, {}), ("cmyk.jpg", Image.fromarray(four, "CMYK"), {"quality": 90}),
        ("rgb.png", rgb, {}), ("rgba.png", rgba, {}), ("grey_alpha.png", rgba.convert("LA"), {}),
        ("bits.png", rgb.convert("1"), {}), ("palette.png", rgb.quantize(12), {"bits": 4}),
        ("palette_alpha.png", rgb.quantize(12), {"transparency": 3}),
        ("lossy.webp", rgb, {"quality": 70}), ("lossy_alpha.webp", rgba, {"quality": 70}),
        ("lossless.webp", rgba, {"lossless": True, "exact": True}),
        ("still.gif", rgb, {}),
        ("two.gif", rgb, {"save_all": True, "append_images": [rgb.rotate(180)]}),
        ("two.webp", rgb, {"save_all": True, "append_images": [rgb.rotate(180)], "lossless": True}),
        ("rgb.bmp", rgb, {}), ("palette.bmp", grey, {}), ("bits.bmp", rgb.convert("1"), {}),
        ("lzw.tif", rgb, {"compression": "tiff_lzw"}), ("rgba.tif", rgba, {}),
        ("jpeg.tif", rgb, {"compression": "jpeg"}),
        ("turned.png", rgb, {"exif": exif(6)}), ("turned.webp", rgb, {"exif": exif(8), "lossless": True}),
    ]
    saved += [(f"orientation{i}.jpg", rgb, {"exif": exif(i), "quality": 60}) for i in range(1, 9)]
    for name, picture, options in saved:
        buffer = io.BytesIO()
        picture.save(buffer, pathlib.Path(name).suffix[1:].replace("jpg", "jpeg").replace("tif", "tiff")
                     if not name.endswith("tif") else "TIFF", **options)
        (FOLDER / name).write_bytes(buffer.getvalue())
    (FOLDER / "rgb16.png").write_bytes(png(16, 2, WIDTH * 6))
    (FOLDER / "rgba16.png").write_bytes(png(16, 6, WIDTH * 8))
    (FOLDER / "grey16.png").write_bytes(png(16, 0, WIDTH * 2))
    (FOLDER / "grey4.png").write_bytes(png(4, 0, (WIDTH + 1) // 2))
    (FOLDER / "grey2.png").write_bytes(png(2, 0, (WIDTH + 3) // 4))


def ffmpeg(*arguments):
    subprocess.run(["ffmpeg", "-y", "-hide_banner", "-loglevel", "error", "-nostdin", *arguments],
                   check=True)


def sounds():
    """A quarter of a second of 440 Hz at half the amplitude, in every kind of file."""
    tone = ["-f", "lavfi", "-i", "aevalsrc=0.5*sin(2*PI*440*t):s=16000:d=0.25"]
    exact = ["-fflags", "+bitexact", "-flags", "+bitexact", "-map_metadata", "-1"]
    for name, codec in (("tone.flac", ["-c:a", "flac", "-sample_fmt", "s16"]),
                        ("tone24.flac", ["-c:a", "flac", "-sample_fmt", "s32"]),
                        ("tone.mp3", ["-c:a", "libmp3lame", "-b:a", "64k"]),
                        ("tone.ogg", ["-c:a", "libvorbis", "-q:a", "4"]),
                        ("opus.ogg", ["-c:a", "libopus", "-b:a", "48k"]),
                        ("tone.m4a", ["-c:a", "aac", "-b:a", "64k"]),
                        ("alaw.wav", ["-c:a", "pcm_alaw"])):
        ffmpeg(*tone, *codec, *exact, str(FOLDER / name))


def videos():
    """Frame n is of brightness 20 + 10 n, its left half 100 brighter, so that a frame shows its number
    and its turn."""
    drawing = ("color=black:s=48x32:r=10:d=1.2,format=yuv420p,"
               "geq=lum='20+10*N+if(lt(X,24),100,0)':cb=128:cr=128")
    source = ["-f", "lavfi", "-i", drawing]
    exact = ["-fflags", "+bitexact", "-flags:v", "+bitexact", "-map_metadata", "-1", "-an"]
    h264 = ["-c:v", "libx264", "-qp", "0", "-preset", "veryfast", "-threads", "1"]
    uneven = ["-vf", "settb=1/1000,setpts='100*N+7*N*N'", "-fps_mode", "passthrough",
              "-enc_time_base", "1/1000", "-video_track_timescale", "1000"]
    ffmpeg(*source, *h264, "-bf", "2", "-g", "5", "-sc_threshold", "0", *uneven, *exact,
           str(FOLDER / "uneven.mp4"))
    ffmpeg(*source, *h264, "-frames:v", "1", *exact, str(FOLDER / "one_frame.mp4"))
    ffmpeg(*source, "-c:v", "libvpx-vp9", "-lossless", "1", "-g", "4", *exact, str(FOLDER / "vp9.webm"))
    ffmpeg(*source, "-c:v", "mpeg4", "-q:v", "2", "-frames:v", "4", *exact, str(FOLDER / "mpeg4.mov"))
    ffmpeg(*source, "-f", "lavfi", "-i", "aevalsrc=0.5*sin(2*PI*440*t):s=16000:d=0.5", "-frames:v", "5",
           *h264, "-c:a", "aac", "-shortest", "-fflags", "+bitexact", "-flags:v", "+bitexact",
           "-flags:a", "+bitexact", "-map_metadata", "-1", "-movflags", "+faststart",
           str(FOLDER / "with_sound.mp4"))
    ffmpeg("-i", str(FOLDER / "one_frame.mp4"), "-c", "copy", "-metadata:s:v", "rotate=90",
           "-fflags", "+bitexact", str(FOLDER / "turned.mp4"))
    # One colour, under two matrices and two ranges.
    for name, matrix, extent in (("bt601", "smpte170m", "tv"), ("bt709", "bt709", "tv"),
                                 ("full", "smpte170m", "pc")):
        ffmpeg("-f", "lavfi", "-i", "color=black:s=16x16:r=1:d=1,format=yuv420p,"
               "geq=lum=120:cb=90:cr=170", *h264, "-colorspace", matrix, "-color_range", extent,
               *exact, str(FOLDER / f"{name}.mp4"))


def print_hashes():
    for path in sorted(FOLDER.iterdir()):
        if path.suffix not in {".jpg", ".png", ".webp", ".gif", ".bmp", ".tif"}:
            continue
        stored = Image.open(path)
        turned = ImageOps.exif_transpose(stored)
        for kind, picture in (("stored", stored), ("turned", turned)):
            pixels = picture.convert("RGB")
            print(path.name, kind, *pixels.size, hashlib.sha256(pixels.tobytes()).hexdigest()[:16])


if __name__ == "__main__":
    FOLDER.mkdir(exist_ok=True)
    pictures()
    sounds()
    videos()
    print_hashes()
