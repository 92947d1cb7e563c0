"""Videos of data/mini: drawn frame by frame, H.264 in MP4, 160 x 120, 12 frames a second, two seconds."""

import math
import random
import subprocess

from tools.mini.pictures import GRASS, NIGHT, SKY, SNOW, WOOD, Canvas, car, cloud, fir_tree, fish, stars

WIDTH, HEIGHT = 160, 120
FRAMES_PER_SECOND = 12
NUM_FRAMES = 24


def _ball(c, t, rng):
    c.box(0, 0, 160, 90, "#e6ddcf")
    c.box(0, 90, 160, 120, WOOD)
    height = abs(math.sin(2 * math.pi * t)) * 62
    c.disc(20 + 120 * t, 100, 10, "#7a5230", 0.25)
    c.disc(20 + 120 * t, 90 - height, 11, "#d8281e")


def _car(c, t, rng):
    c.box(0, 0, 160, 70, SKY)
    c.box(0, 70, 160, 85, GRASS)
    c.box(0, 85, 160, 120, "#6b6f75")
    for x in range(0, 160, 32):
        c.box(x, 106, x + 18, 109, "#ffffff")
    car(c, -25 + 210 * t, 97, 22, "#2757b8")


def _clouds(c, t, rng):
    c.box(0, 0, 160, 120, SKY)
    for x, y, size in ((10, 25, 20), (75, 40, 16), (125, 18, 22)):
        cloud(c, (x + 45 * t) % 200 - 20, y, size)
    c.disc(80, 190, 110, GRASS)


def _fireworks(c, t, rng):
    c.box(0, 0, 160, 120, NIGHT)
    for x, y, start, fill in ((45, 40, 0.05, "#ff5d5d"), (110, 30, 0.3, "#ffe066"),
                              (80, 55, 0.55, "#7ce38b")):
        age = (t - start) / 0.4
        if not 0 < age < 1:
            continue
        for ray in range(16):
            angle = ray * math.pi / 8
            reach = 34 * age**0.6
            c.disc(x + reach * math.cos(angle), y + reach * math.sin(angle) + 10 * age**2,
                   2.2 * (1 - age) + 0.6, fill)
    for x in range(0, 160, 20):
        c.box(x, 120 - 12 - (x * 7) % 17, x + 17, 120, "#05070f")


def _fish(c, t, rng):
    c.blend("#3d9bc7", "#1d5f8f", 0, 120)
    c.box(0, 108, 160, 120, "#d9c48f")
    for x in (20, 130):
        c.line([(x, 110), (x + 4 * math.sin(6 * t), 90), (x, 72)], "#2f8a4a", 4)
    for x, y, size, fill, pace in ((150, 35, 12, "#f5821f", 110), (110, 62, 9, "#f4d03f", 80),
                                   (165, 85, 11, "#d8452f", 95)):
        fish(c, x - pace * t, y + 3 * math.sin(9 * t + x), size, fill)


def _pendulum(c, t, rng):
    c.box(0, 0, 160, 120, "#efe8dc")
    c.box(40, 8, 120, 14, "#5b3a1e")
    angle = 0.7 * math.cos(4 * math.pi * t)
    x, y = 80 + 82 * math.sin(angle), 14 + 82 * math.cos(angle)
    c.line([(80, 14), (x, y)], "#444444", 2)
    c.disc(x, y, 11, "#c39a2b")


def _rocket(c, t, rng):
    c.box(0, 0, 160, 120, SKY)
    c.box(0, 104, 160, 120, "#8b8f94")
    lift = max(0.0, t - 0.2)
    y = 104 - 190 * lift**1.8
    for _ in range(14 if t > 0.1 else 0):
        c.disc(80 + rng.uniform(-20, 20) * (0.4 + t), 104 + rng.uniform(-6, 6),
               rng.uniform(4, 10), "#dcdcdc")
    if t > 0.1:
        c.shape([(73, y), (87, y), (80, y + 16 + rng.uniform(0, 8))], "#f9a01b")
    c.box(72, y - 44, 88, y, "#fafafa")
    c.shape([(72, y - 44), (88, y - 44), (80, y - 62)], "#cf2e2e")
    c.shape([(72, y - 12), (72, y), (62, y)], "#cf2e2e")
    c.shape([(88, y - 12), (88, y), (98, y)], "#cf2e2e")
    c.disc(80, y - 32, 4, "#4a90c2")


def _snow(c, t, rng):
    c.box(0, 0, 160, 120, "#7f93a8")
    c.box(0, 100, 160, 120, SNOW)
    fir_tree(c, 80, 106, 74, snowy=True)
    flakes = random.Random(7)  # the same flakes in every frame
    for _ in range(70):
        x, y, pace = flakes.uniform(0, 160), flakes.uniform(0, 120), flakes.uniform(30, 55)
        c.disc(x + 3 * math.sin(5 * t + x), (y + pace * t) % 120, flakes.uniform(0.9, 1.9), "#ffffff")


def _candle(c, t, rng):
    c.box(0, 0, 160, 120, "#15100c")
    c.disc(80, 45, 40 + 2 * math.sin(21 * t), "#2b1d10")
    c.box(68, 62, 92, 112, "#efe3c2")
    c.line([(80, 62), (80, 54)], "#222222", 2)
    sway = 3 * math.sin(17 * t) + rng.uniform(-1.5, 1.5)
    c.disc(80 + sway * 0.3, 44, 7, "#f9a01b", 1.6)
    c.shape([(74, 40), (86, 40), (80 + sway, 22 + rng.uniform(0, 4))], "#f9a01b")
    c.disc(80 + sway * 0.2, 48, 4, "#fff2b0", 1.5)


def _paddles(c, t, rng):
    c.box(0, 0, 160, 120, "#0d3b2a")
    for y in range(4, 120, 12):
        c.box(79, y, 81, y + 6, "#ffffff")
    position = abs((2 * t + 0.5) % 2 - 1)  # 0 left, 1 right
    x, y = 16 + 128 * position, 60 + 36 * math.sin(2 * math.pi * t)
    for left in (6, 149):
        c.box(left, y - 14, left + 5, y + 14, "#ffffff")
    c.disc(x, y, 5, "#ffffff")


def _train(c, t, rng):
    c.box(0, 0, 160, 120, SKY)
    c.box(0, 100, 160, 120, "#3f86b0")
    for x in range(5, 160, 38):
        c.box(x, 68, x + 8, 112, "#8a7763")
    c.box(0, 62, 160, 70, "#a08c76")
    for wagon, fill in enumerate(("#b3261e", "#2f6f4f", "#2f6f4f")):
        left = -10 + 190 * t - wagon * 42
        c.box(left - 38, 38, left, 58, fill)
        for x in (left - 33, left - 21, left - 10):
            c.box(x, 42, x + 7, 49, "#fdf3c0")
        for x in (left - 30, left - 8):
            c.disc(x, 59, 4, "#222222")


def _windmill(c, t, rng):
    c.box(0, 0, 160, 92, SKY)
    c.box(0, 92, 160, 120, GRASS)
    c.shape([(64, 100), (96, 100), (88, 45), (72, 45)], "#d8c3a5")
    c.shape([(70, 46), (90, 46), (80, 32)], "#7a4a2b")
    for sail in range(4):
        angle = math.pi * t + sail * math.pi / 2
        dx, dy = math.cos(angle), math.sin(angle)
        c.shape([(80, 46), (80 + 40 * dx - 8 * dy, 46 + 40 * dy + 8 * dx),
                 (80 + 42 * dx, 46 + 42 * dy)], "#f7f2ea")
        c.line([(80, 46), (80 + 42 * dx, 46 + 42 * dy)], "#5b3a1e", 1.5)
    c.disc(80, 46, 3, "#5b3a1e")


_SCENES = {
    "ball": _ball, "car": _car, "clouds": _clouds, "fireworks": _fireworks, "fish": _fish,
    "pendulum": _pendulum, "rocket": _rocket, "snow": _snow,
    "candle": _candle, "paddles": _paddles, "train": _train, "windmill": _windmill,
}


def frames(name, seed):
    """RGB pictures of a scene of the table above."""
    rng = random.Random(seed)
    for index in range(NUM_FRAMES):
        canvas = Canvas("#ffffff", WIDTH, HEIGHT)
        _SCENES[name](canvas, index / NUM_FRAMES, rng)
        yield canvas.finished()


def write(path, name, seed):
    """One thread and no build name of the encoder in the file: the same ffmpeg writes the same bytes."""
    command = ["ffmpeg", "-v", "error", "-y", "-f", "rawvideo", "-pix_fmt", "rgb24",
               "-s", f"{WIDTH}x{HEIGHT}", "-r", str(FRAMES_PER_SECOND), "-i", "-",
               "-c:v", "libx264", "-threads", "1", "-crf", "26", "-preset", "slow",
               "-pix_fmt", "yuv420p", "-bitexact", "-fflags", "+bitexact", "-flags:v", "+bitexact",
               "-movflags", "+faststart", str(path)]
    data = b"".join(frame.tobytes() for frame in frames(name, seed))
    subprocess.run(command, input=data, check=True)
