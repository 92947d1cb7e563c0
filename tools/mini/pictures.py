"""Pictures of data/mini: drawn with Pillow at three times their size, then made smaller."""

import math
import random

from PIL import Image, ImageDraw

WIDTH, HEIGHT = 320, 240
ZOOM = 3

SKY, NIGHT, GRASS, SNOW, WOOD = "#9fd3f5", "#101a3a", "#5ea84a", "#f4f8fb", "#a8733f"


class Canvas:
    """Shapes in picture coordinates (320 x 240, origin top left)."""

    def __init__(self, background, width=WIDTH, height=HEIGHT, zoom=ZOOM):
        self.size, self.zoom = (width, height), zoom
        self.image = Image.new("RGB", (width * zoom, height * zoom), background)
        self._draw = ImageDraw.Draw(self.image)

    def _scaled(self, points):
        return [tuple(round(v * self.zoom) for v in point) for point in points]

    def box(self, left, top, right, bottom, fill):
        self._draw.rectangle(self._scaled([(left, top), (right, bottom)]), fill)

    def disc(self, x, y, radius, fill, stretch=1.0):
        corners = [(x - radius, y - radius * stretch), (x + radius, y + radius * stretch)]
        self._draw.ellipse(self._scaled(corners), fill)

    def shape(self, points, fill):
        self._draw.polygon(self._scaled(points), fill)

    def line(self, points, fill, width=2):
        self._draw.line(self._scaled(points), fill, round(width * self.zoom), joint="curve")

    def blend(self, top, bottom, from_y, to_y):
        """A vertical run of colours."""
        first, last = Image.new("RGB", (1, 1), top).getpixel((0, 0)), \
            Image.new("RGB", (1, 1), bottom).getpixel((0, 0))
        for y in range(from_y, to_y):
            share = (y - from_y) / (to_y - from_y)
            colour = tuple(round(a + (b - a) * share) for a, b in zip(first, last))
            self.box(0, y, self.size[0], y + 1, colour)

    def finished(self):
        return self.image.resize(self.size, Image.LANCZOS)


def fir_tree(canvas, x, y, size, snowy=False):
    canvas.box(x - size * 0.08, y - size * 0.2, x + size * 0.08, y, "#6b4423")
    for level, half in ((0.15, 0.45), (0.45, 0.35), (0.72, 0.24)):
        top, bottom = y - size * (level + 0.5), y - size * level
        canvas.shape([(x - size * half, bottom), (x + size * half, bottom), (x, top)], "#2d6a3e")
        if snowy:
            canvas.shape([(x - size * half * 0.4, top + size * 0.2),
                          (x + size * half * 0.4, top + size * 0.2), (x, top)], SNOW)


def cloud(canvas, x, y, size, fill="#ffffff"):
    for dx, dy, radius in ((-0.6, 0.1, 0.35), (-0.2, -0.1, 0.45), (0.3, -0.05, 0.4), (0.7, 0.12, 0.3)):
        canvas.disc(x + dx * size, y + dy * size, radius * size, fill)


def fish(canvas, x, y, size, fill, left=True):
    side = 1 if left else -1
    canvas.disc(x, y, size, fill, 0.55)
    canvas.shape([(x + side * size * 0.8, y), (x + side * size * 1.6, y - size * 0.5),
                  (x + side * size * 1.6, y + size * 0.5)], fill)
    canvas.disc(x - side * size * 0.55, y - size * 0.1, size * 0.1, "#000000")


def car(canvas, x, y, size, fill):
    canvas.box(x - size, y - size * 0.45, x + size, y, fill)
    canvas.shape([(x - size * 0.6, y - size * 0.45), (x - size * 0.35, y - size * 0.85),
                  (x + size * 0.35, y - size * 0.85), (x + size * 0.6, y - size * 0.45)], fill)
    canvas.shape([(x - size * 0.45, y - size * 0.47), (x - size * 0.28, y - size * 0.76),
                  (x + size * 0.28, y - size * 0.76), (x + size * 0.45, y - size * 0.47)], "#d9eefc")
    for wheel in (-0.55, 0.55):
        canvas.disc(x + wheel * size, y, size * 0.22, "#222222")
        canvas.disc(x + wheel * size, y, size * 0.1, "#bbbbbb")


def stars(canvas, rng, count, bottom):
    for _ in range(count):
        canvas.disc(rng.uniform(0, canvas.size[0]), rng.uniform(0, bottom),
                    rng.uniform(0.5, 1.4), "#ffffff")


def _sunset(c, rng):
    c.blend("#5b4a8a", "#ffb066", 0, 150)
    c.disc(200, 145, 34, "#ffd75e")
    c.blend("#d97b4f", "#2f4a78", 150, 240)
    for _ in range(30):
        x, y = 200 + rng.uniform(-45, 45), rng.uniform(154, 225)
        c.line([(x, y), (x + 16, y)], "#ffc98a", 1.5)
    c.shape([(70, 165), (130, 165), (118, 180), (82, 180)], "#4a2f27")
    c.line([(98, 165), (98, 105)], "#4a2f27", 2)
    c.shape([(101, 108), (101, 160), (132, 160)], "#fff4e0")


def _house(c, rng):
    c.box(0, 0, 320, 160, SKY)
    cloud(c, 70, 45, 34)
    c.box(0, 160, 320, 240, GRASS)
    c.box(190, 62, 206, 100, "#8a3b30")
    c.box(100, 110, 220, 195, "#c94b3b")
    c.shape([(88, 112), (232, 112), (160, 58)], "#6d4030")
    c.box(146, 150, 174, 195, "#5a3a26")
    for x in (112, 184):
        c.box(x, 128, x + 24, 150, "#fdf3c0")
    c.box(262, 140, 274, 196, "#6b4423")
    for x, y in ((268, 112), (250, 128), (286, 128)):
        c.disc(x, y, 26, "#3e8a41")


def _moon(c, rng):
    c.box(0, 0, 320, 240, NIGHT)
    stars(c, rng, 90, 170)
    c.disc(220, 65, 32, "#f7f1cf")
    for x, y, radius in ((210, 56, 6), (230, 72, 8), (224, 48, 4)):
        c.disc(x, y, radius, "#ded6ac")
    c.disc(60, 300, 150, "#0a1022")
    c.disc(250, 320, 170, "#070c1a")


def _balloons(c, rng):
    c.box(0, 0, 320, 240, "#cfeaf9")
    for x, y, fill in ((110, 80, "#d8352a"), (165, 60, "#f2c21f"), (220, 85, "#2f63c8")):
        c.line([(x, y + 44), (x + (160 - x) * 0.4, 150), (160, 225)], "#555555", 1.5)
        c.disc(x, y, 34, fill, 1.25)
        c.shape([(x - 6, y + 48), (x + 6, y + 48), (x, y + 40)], fill)
        c.disc(x - 12, y - 14, 6, "#ffffff", 1.4)


def _oranges(c, rng):
    c.box(0, 0, 320, 150, "#efe3cf")
    c.box(0, 150, 320, 240, WOOD)
    for y in (172, 196, 220):
        c.line([(0, y), (320, y + 4)], "#8c5d30", 1.5)
    for x, y in ((120, 122), (200, 122), (140, 100), (182, 100), (160, 120), (160, 80)):
        c.disc(x, y, 25, "#e07b12")
        c.disc(x, y, 23, "#f59322")
        c.disc(x - 7, y - 8, 4, "#ffc069")
    c.shape([(80, 130), (240, 130), (205, 195), (115, 195)], "#3f6fa3")
    c.box(80, 126, 240, 134, "#5487bd")


def _traffic_light(c, rng):
    c.box(0, 0, 320, 180, SKY)
    c.box(0, 180, 320, 240, "#6b6f75")
    for x in range(10, 320, 60):
        c.box(x, 206, x + 34, 212, "#ffffff")
    c.box(150, 130, 162, 200, "#333333")
    c.box(126, 18, 186, 138, "#26292e")
    for y, fill in ((40, "#ff2a1f"), (78, "#4a431c"), (116, "#1c4428")):
        c.disc(156, y, 16, fill)


def _snowman(c, rng):
    c.box(0, 0, 320, 150, "#bcd3e3")
    fir_tree(c, 60, 165, 100, snowy=True)
    c.box(0, 150, 320, 240, SNOW)
    for y, radius in ((180, 44), (118, 32), (72, 23)):
        c.disc(190, y, radius + 1.5, "#9fb4c4")
        c.disc(190, y, radius, "#ffffff")
    c.box(160, 50, 220, 56, "#1c1c1c")
    c.box(172, 22, 208, 52, "#1c1c1c")
    for x, y in ((182, 68), (198, 68), (190, 106), (190, 122), (190, 165)):
        c.disc(x, y, 3.2, "#1c1c1c")
    c.shape([(190, 74), (190, 80), (216, 79)], "#f07f1b")


def _cat(c, rng):
    c.box(0, 0, 320, 240, "#d8c3a5")
    c.box(70, 20, 250, 190, "#ffffff")
    c.box(80, 30, 240, 180, SKY)
    c.box(156, 30, 164, 180, "#ffffff")
    c.box(50, 188, 270, 204, "#f7f2ea")
    c.disc(200, 150, 34, "#151515", 1.2)
    c.disc(188, 96, 24, "#151515")
    c.shape([(167, 88), (170, 58), (188, 76)], "#151515")
    c.shape([(209, 88), (206, 58), (188, 76)], "#151515")
    c.disc(179, 94, 4.5, "#f2d64b")
    c.disc(197, 94, 4.5, "#f2d64b")
    c.line([(228, 175), (252, 170), (256, 130)], "#151515", 9)


def _chess_board(c, rng):
    c.box(0, 0, 320, 240, "#51606b")
    c.box(52, 12, 268, 228, "#5d3b21")
    for row in range(8):
        for column in range(8):
            fill = "#f1dcb5" if (row + column) % 2 == 0 else "#8c5a32"
            c.box(64 + column * 24, 24 + row * 24, 88 + column * 24, 48 + row * 24, fill)


def _sheep(c, rng):
    c.box(0, 0, 320, 90, SKY)
    cloud(c, 240, 40, 30)
    c.box(0, 90, 320, 240, "#6cb552")
    for x, y in ((60, 130), (160, 115), (260, 140), (105, 195), (215, 200)):
        for leg in (-14, 12):
            c.box(x + leg, y + 8, x + leg + 4, y + 26, "#333333")
        for dx, dy in ((-14, 2), (0, -5), (14, 2), (-5, 7), (8, 8)):
            c.disc(x + dx, y + dy, 12, "#fbfbf7")
        c.disc(x - 26, y - 4, 8, "#333333", 1.2)


def _wall_clock(c, rng):
    c.box(0, 0, 320, 240, "#e9d9d0")
    c.disc(160, 120, 94, "#3b3b3b")
    c.disc(160, 120, 86, "#fffdf6")
    for hour in range(12):
        angle = hour * math.pi / 6
        x, y = math.sin(angle), -math.cos(angle)
        inner = 66 if hour % 3 == 0 else 74
        c.line([(160 + inner * x, 120 + inner * y), (160 + 80 * x, 120 + 80 * y)], "#222222", 4)
    c.line([(160, 120), (160, 52)], "#222222", 4)
    c.line([(160, 120), (206, 120)], "#222222", 7)
    c.disc(160, 120, 6, "#b3261e")


def _city(c, rng):
    c.blend("#0b1030", "#2c2a55", 0, 240)
    stars(c, rng, 30, 90)
    x = 0
    while x < 320:
        width, top = rng.randrange(28, 50), rng.randrange(50, 140)
        c.box(x, top, x + width - 3, 240, "#161a26")
        for wx in range(x + 5, x + width - 9, 9):
            for wy in range(top + 8, 232, 13):
                if rng.random() < 0.6:
                    c.box(wx, wy, wx + 4, wy + 6, "#ffd978")
        x += width


def _lighthouse(c, rng):
    c.blend("#8cc6ee", "#d5edf9", 0, 160)
    c.box(0, 160, 320, 240, "#2f6f9f")
    c.shape([(150, 240), (170, 165), (320, 150), (320, 240)], "#6e6257")
    for part in range(5):
        y, half = 158 - part * 22, 22 - part * 2
        fill = "#d63a2f" if part % 2 == 0 else "#ffffff"
        c.shape([(230 - half, y), (230 + half, y), (230 + half - 2, y - 22),
                 (230 - half + 2, y - 22)], fill)
    c.box(218, 30, 242, 48, "#fff3a3")
    c.shape([(214, 30), (246, 30), (230, 14)], "#333333")
    c.shape([(218, 36), (218, 42), (40, 78), (40, 20)], "#fff8cf")


def _bus(c, rng):
    c.box(0, 0, 320, 150, "#c9dbe6")
    for x, top in ((0, 40), (70, 60), (140, 30), (220, 55), (280, 45)):
        c.box(x, top, x + 62, 160, "#a9b6bf")
    c.box(0, 160, 320, 240, "#63676c")
    c.box(50, 80, 275, 185, "#f3c11b")
    for x in range(62, 255, 42):
        c.box(x, 94, x + 32, 128, "#d9eefc")
    c.box(50, 150, 275, 155, "#333333")
    for x in (95, 230):
        c.disc(x, 188, 20, "#222222")
        c.disc(x, 188, 8, "#bbbbbb")


def _apple(c, rng):
    c.box(0, 0, 320, 150, "#b8cdd6")
    c.box(0, 150, 320, 240, "#fafafa")
    c.disc(160, 196, 62, "#d5d9db", 0.2)
    c.disc(140, 140, 44, "#c6281f", 1.2)
    c.disc(180, 140, 44, "#c6281f", 1.2)
    c.disc(132, 118, 10, "#ea7a70", 1.4)
    c.line([(160, 98), (166, 68)], "#5b3a1e", 5)
    c.disc(190, 72, 22, "#4b9a3c", 0.45)


def _campfire(c, rng):
    c.box(0, 0, 320, 170, NIGHT)
    stars(c, rng, 60, 120)
    c.box(0, 170, 320, 240, "#25301f")
    for x in (70, 255):
        c.shape([(x - 60, 190), (x + 60, 190), (x, 105)], "#3b7a76")
        c.shape([(x - 14, 190), (x + 14, 190), (x, 130)], "#16302e")
    c.line([(135, 215), (190, 200)], "#5b3a1e", 8)
    c.line([(190, 215), (135, 200)], "#5b3a1e", 8)
    for half, top, fill in ((26, 130, "#e8541a"), (18, 150, "#f9a01b"), (9, 172, "#ffe680")):
        c.shape([(162 - half, 203), (162 + half, 203), (162 + half * 0.5, top + 25), (162, top),
                 (162 - half * 0.6, top + 30)], fill)


def _fish_bowl(c, rng):
    c.box(0, 0, 320, 190, "#f0e6d6")
    c.box(0, 190, 320, 240, WOOD)
    c.disc(160, 120, 90, "#bfe3f3")
    c.box(100, 25, 220, 50, "#f0e6d6")
    c.disc(160, 128, 82, "#6fb9dc", 0.95)
    c.disc(160, 60, 56, "#bfe3f3", 0.18)
    fish(c, 155, 130, 30, "#f5821f")
    for x, y, radius in ((110, 100, 4), (114, 84, 3), (109, 72, 2.5)):
        c.disc(x, y, radius, "#e8f7fd")


def _lake(c, rng):
    c.blend("#8fc8ee", "#dff1fa", 0, 140)
    for x, y, half in ((70, 40, 90), (170, 20, 105), (265, 50, 85)):
        c.shape([(x - half, 145), (x + half, 145), (x, y)], "#6f7f8c")
        c.shape([(x - half * 0.28, y + (145 - y) * 0.28), (x - half * 0.08, y + 24),
                 (x + half * 0.1, y + (145 - y) * 0.3), (x + half * 0.28, y + (145 - y) * 0.28),
                 (x, y)], SNOW)
    c.blend("#4f93b8", "#2d6a92", 145, 240)
    for x in range(15, 320, 44):
        fir_tree(c, x, 152, 26)


_DRAWINGS = {
    "balloons": _balloons, "cat": _cat, "chess_board": _chess_board, "city": _city,
    "house": _house, "moon": _moon, "oranges": _oranges, "sheep": _sheep, "snowman": _snowman,
    "sunset": _sunset, "traffic_light": _traffic_light, "wall_clock": _wall_clock,
    "apple": _apple, "bus": _bus, "campfire": _campfire, "fish_bowl": _fish_bowl, "lake": _lake,
    "lighthouse": _lighthouse,
}

# Those with runs of colours are smaller as JPEG; both formats are wanted in the set.
_AS_JPEG = {"sunset", "lighthouse", "lake", "city"}


def suffix(name):
    return ".jpg" if name in _AS_JPEG else ".png"


def write(path, name, seed):
    """A picture of the table above, by the suffix of `path`."""
    canvas = Canvas("#ffffff")
    _DRAWINGS[name](canvas, random.Random(seed))
    image = canvas.finished()
    if path.suffix == ".jpg":
        image.save(path, quality=85, optimize=True)
    else:
        image.quantize(64, dither=Image.Dither.NONE).convert("RGB").save(path, optimize=True)
