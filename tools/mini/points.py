"""Point clouds of data/mini: surfaces of simple solids, drawn from a seeded generator.

A cloud is [8192, 3] float32, x right, y up, z to the viewer, within [-1, 1], rounded to 1/256 so that
it compresses well; it stands under `arr_0` in a deflated .npz, as the native models read it.
"""

import io
import zipfile

import numpy as np

NUM_POINTS = 8192
STEP = 1 / 256


def _box(rng, centre, size, count):
    """Points on the six faces, as many on each as its area asks for."""
    size = np.asarray(size, float)
    areas = np.array([size[1] * size[2], size[0] * size[2], size[0] * size[1]])
    axis = rng.choice(3, count, p=areas / areas.sum())
    points = rng.uniform(-0.5, 0.5, (count, 3))
    points[np.arange(count), axis] = rng.choice([-0.5, 0.5], count)
    return points * size + centre


def _ball(rng, centre, radius, count):
    points = rng.normal(size=(count, 3))
    return points / np.linalg.norm(points, axis=1, keepdims=True) * radius + centre


def _cone(rng, base, radius, top_radius, height, count, axis=1):
    """Mantle and both ends of a cone along an axis; equal radii make a cylinder."""
    slant = np.hypot(height, radius - top_radius)
    areas = np.array([(radius + top_radius) * slant, radius**2, top_radius**2])
    part = rng.choice(3, count, p=areas / areas.sum())
    along = np.where(part == 0, rng.uniform(0, 1, count), part - 1.0)
    rim = radius + (top_radius - radius) * along
    distance = np.where(part == 0, rim, rim * np.sqrt(rng.uniform(0, 1, count)))
    angle = rng.uniform(0, 2 * np.pi, count)
    points = np.stack([distance * np.cos(angle), along * height, distance * np.sin(angle)], axis=1)
    return np.roll(points, axis - 1, axis=1) + base


def _ring(rng, centre, radius, thickness, count, upright=False):
    """A torus, lying or upright."""
    around, across = rng.uniform(0, 2 * np.pi, (2, count))
    distance = radius + thickness * np.cos(across)
    points = np.stack([distance * np.cos(around), thickness * np.sin(across),
                       distance * np.sin(around)], axis=1)
    return (points[:, [0, 2, 1]] if upright else points) + centre


# name -> list of (share of the points, solid, arguments)
_SOLIDS = {
    "chair": [(3, _box, ((0, 0, 0), (0.9, 0.08, 0.9))), (3, _box, ((0, 0.5, -0.4), (0.9, 0.9, 0.08))),
              (1, _box, ((0.4, -0.5, 0.4), (0.1, 0.9, 0.1))),
              (1, _box, ((-0.4, -0.5, 0.4), (0.1, 0.9, 0.1))),
              (1, _box, ((0.4, -0.5, -0.4), (0.1, 0.9, 0.1))),
              (1, _box, ((-0.4, -0.5, -0.4), (0.1, 0.9, 0.1)))],
    "table": [(6, _cone, ((0, 0.5, 0), 0.9, 0.9, 0.08)), (2, _cone, ((0, -0.7, 0), 0.1, 0.1, 1.2)),
              (2, _cone, ((0, -0.8, 0), 0.5, 0.4, 0.1))],
    "mug": [(8, _cone, ((0, -0.6, 0), 0.5, 0.5, 1.2)),
            (2, _ring, ((0.55, 0, 0), 0.32, 0.06), {"upright": True})],
    "rocket": [(5, _cone, ((0, -0.6, 0), 0.25, 0.25, 1.0)), (2, _cone, ((0, 0.4, 0), 0.25, 0.0, 0.6)),
               (1, _box, ((0.38, -0.55, 0), (0.3, 0.4, 0.04))),
               (1, _box, ((-0.19, -0.55, 0.33), (0.04, 0.4, 0.3))),
               (1, _box, ((-0.19, -0.55, -0.33), (0.04, 0.4, 0.3)))],
    "fir_tree": [(4, _cone, ((0, -0.6, 0), 0.7, 0.2, 0.6)), (3, _cone, ((0, -0.1, 0), 0.5, 0.1, 0.6)),
                 (2, _cone, ((0, 0.4, 0), 0.35, 0.0, 0.6)), (1, _cone, ((0, -1.0, 0), 0.1, 0.1, 0.4))],
    "snowman": [(5, _ball, ((0, -0.5, 0), 0.5)), (3, _ball, ((0, 0.25, 0), 0.35)),
                (2, _ball, ((0, 0.75, 0), 0.22))],
    "car": [(5, _box, ((0, -0.2, 0), (1.8, 0.35, 0.8))), (3, _box, ((-0.1, 0.15, 0), (0.9, 0.35, 0.7))),
            (1, _cone, ((0.55, -0.4, -0.45), 0.22, 0.22, 0.12), {"axis": 2}),
            (1, _cone, ((-0.55, -0.4, -0.45), 0.22, 0.22, 0.12), {"axis": 2}),
            (1, _cone, ((0.55, -0.4, 0.33), 0.22, 0.22, 0.12), {"axis": 2}),
            (1, _cone, ((-0.55, -0.4, 0.33), 0.22, 0.22, 0.12), {"axis": 2})],
    "donut": [(1, _ring, ((0, 0, 0), 0.65, 0.28))],
    "dumbbell": [(1, _cone, ((-0.6, 0, 0), 0.07, 0.07, 1.2), {"axis": 0}),
                 (3, _cone, ((-0.9, 0, 0), 0.4, 0.4, 0.3), {"axis": 0}),
                 (3, _cone, ((0.6, 0, 0), 0.4, 0.4, 0.3), {"axis": 0})],
    "house": [(5, _box, ((0, -0.35, 0), (1.2, 0.8, 1.0))), (3, _cone, ((0, 0.05, 0), 0.85, 0.0, 0.7)),
              (1, _box, ((0.35, 0.5, 0), (0.15, 0.5, 0.15)))],
    "boat": [(3, _box, ((0, -0.3, 0), (1.6, 0.05, 0.5))), (2, _box, ((0, -0.1, 0.3), (1.7, 0.4, 0.05))),
             (2, _box, ((0, -0.1, -0.3), (1.7, 0.4, 0.05))),
             (1, _box, ((0.87, -0.1, 0), (0.05, 0.4, 0.6))),
             (1, _box, ((-0.87, -0.1, 0), (0.05, 0.4, 0.6))),
             (1, _box, ((0.3, 0, 0), (0.2, 0.04, 0.6))), (1, _box, ((-0.3, 0, 0), (0.2, 0.04, 0.6)))],
    "bridge": [(4, _box, ((0, 0.45, 0), (1.9, 0.12, 0.5))), (2, _box, ((-0.85, -0.1, 0), (0.2, 1, 0.5))),
               (2, _box, ((0.85, -0.1, 0), (0.2, 1, 0.5))),
               (3, _ring, ((0, -0.3, 0), 0.7, 0.05), {"upright": True})],
    "key": [(3, _ring, ((-0.65, 0, 0), 0.26, 0.06), {"upright": True}),
            (3, _cone, ((-0.35, 0, 0), 0.06, 0.06, 1.3), {"axis": 0}),
            (1, _box, ((0.85, -0.15, 0), (0.08, 0.3, 0.06))),
            (1, _box, ((0.65, -0.12, 0), (0.08, 0.24, 0.06)))],
    "lamp": [(2, _cone, ((0, -0.9, 0), 0.45, 0.4, 0.08)), (2, _cone, ((0, -0.85, 0), 0.05, 0.05, 1.2)),
             (4, _cone, ((0, 0.3, 0), 0.55, 0.25, 0.5))],
    "pyramid": [(9, _box, ((0, -0.5, 0), (1.8, 0.25, 1.8))), (6, _box, ((0, -0.25, 0), (1.4, 0.25, 1.4))),
                (4, _box, ((0, 0, 0), (1, 0.25, 1))), (2, _box, ((0, 0.25, 0), (0.6, 0.25, 0.6))),
                (1, _box, ((0, 0.5, 0), (0.3, 0.25, 0.3)))],
}


def cloud(name, seed):
    """[8192, 3] float32 of a solid of the table above."""
    rng = np.random.default_rng(seed)
    solids = _SOLIDS[name]
    shares = np.array([part[0] for part in solids], float)
    counts = np.floor(shares / shares.sum() * NUM_POINTS).astype(int)
    counts[0] += NUM_POINTS - counts.sum()
    parts = [part[1](rng, *part[2], count, **(part[3] if len(part) > 3 else {}))
             for part, count in zip(solids, counts)]
    points = np.concatenate(parts)
    return (np.round(np.clip(points, -1, 1) / STEP) * STEP).astype(np.float32)


def write(path, points):
    """A deflated .npz without the time of day in it."""
    array = io.BytesIO()
    np.save(array, points)
    entry = zipfile.ZipInfo("arr_0.npy", date_time=(1980, 1, 1, 0, 0, 0))
    entry.compress_type = zipfile.ZIP_DEFLATED
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr(entry, array.getvalue(), compresslevel=9)
