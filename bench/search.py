#!/usr/bin/env python3
"""Similarity sampling at the size of the training set: our search against the published loop.

Synthetic unit vectors, 384 wide: 49,000 audio, 60,000 3D, 591,000 image and 6,500 video captions.
330,000 tuples, 30,000 for each of the 11 combinations of modalities, draw 480,000 neighbours; each
draw picks among the 30 best of one modality for a caption of another.

- The published way, in numpy: for each draw the products with all rows, a full sort, the first 30.
  50 draws of each modality are timed, the rest is extrapolated.
- Ours: each distinct query once, here a part of them; the time of each pair of modalities is scaled
  to all its distinct queries. Between its pieces the bare matrix products of the same blocks run.
- Optionally (--faiss) faiss-cpu's IndexFlatIP on the same queries, installed into .venv-bench-search.

    bench/search.py BUILD [--threads N] [--part SHARE] [--draws N] [--faiss]

Neighbours of the timed draws are compared with those of the search.
"""
import argparse
import collections
import itertools
import json
import os
import pathlib
import random
import subprocess
import sys
import tempfile

SOURCE = pathlib.Path(__file__).resolve().parents[1]
VENV = SOURCE / ".venv-bench-search"
SIZES = {"audio": 49_000, "pc": 60_000, "image": 591_000, "video": 6_500}
TUPLES_OF_COMBINATION = 30_000
DIMENSION = 384
NEIGHBOURS = 30

# Writes the vectors; runs with numpy of the bench's own environment, as the next one does.
MAKE = """
import pathlib, sys, numpy
folder, dimension = pathlib.Path(sys.argv[1]), int(sys.argv[2])
for seed, (name, rows) in enumerate(word.split("=") for word in sys.argv[3:]):
    generator = numpy.random.default_rng(seed)
    out = numpy.lib.format.open_memmap(folder / f"{name}.npy", mode="w+", dtype=numpy.float32,
                                       shape=(int(rows), dimension))
    for begin in range(0, len(out), 50000):
        block = generator.standard_normal((min(50000, len(out) - begin), dimension), numpy.float32)
        out[begin:begin + len(block)] = block / numpy.linalg.norm(block, axis=1, keepdims=True)
"""

PUBLISHED = """
import json, sys, time, numpy
base, queries, draws, k = (numpy.load(sys.argv[1]), numpy.load(sys.argv[2], mmap_mode="r"),
                           int(sys.argv[3]), int(sys.argv[4]))
def draw(query):
    return numpy.argsort(numpy.dot(base, query))[::-1][:k]
for row in range(3):
    draw(queries[row])
start = time.perf_counter()
found = [draw(queries[row]) for row in range(draws)]
seconds = time.perf_counter() - start
print(json.dumps({"seconds": seconds, "found": [[int(row) for row in rows] for rows in found]}))
"""

FAISS = """
import json, sys, time, numpy, faiss
base, count, k, threads = (numpy.load(sys.argv[1]), int(sys.argv[3]), int(sys.argv[4]),
                           int(sys.argv[5]))
queries = numpy.ascontiguousarray(numpy.load(sys.argv[2], mmap_mode="r")[:count])
faiss.omp_set_num_threads(threads)
index = faiss.IndexFlatIP(base.shape[1])
index.add(base)
index.search(queries[:512], k)
start = time.perf_counter()
index.search(queries, k)
print(json.dumps({"seconds": time.perf_counter() - start}))
"""


def make_venv(packages):
    stamp = VENV / "contra4-bench"
    if stamp.exists() and set(packages) <= set(stamp.read_text().split()):
        return
    print("search: making .venv-bench-search", file=sys.stderr)
    subprocess.run([sys.executable, "-m", "venv", str(VENV)], check=True)
    subprocess.run([VENV / "bin" / "pip", "install", "-q", *packages], check=True)
    stamp.write_text(" ".join(packages))


def run(command, threads):
    environment = dict(os.environ, OMP_NUM_THREADS=str(threads), OPENBLAS_NUM_THREADS=str(threads))
    output = subprocess.run([str(word) for word in command], check=True, env=environment,
                            stdout=subprocess.PIPE, text=True).stdout
    return json.loads(output.splitlines()[-1]) if output else None


def plan():
    """Draws and distinct queries of each pair of modalities (first of the tuple, searched)."""
    generator = random.Random(123)
    draws, queries = collections.Counter(), collections.defaultdict(set)
    for size in (2, 3, 4):
        for combination in itertools.combinations(SIZES, size):
            first = [generator.randrange(SIZES[combination[0]])
                     for _ in range(TUPLES_OF_COMBINATION)]
            for searched in combination[1:]:
                draws[combination[0], searched] += len(first)
                queries[combination[0], searched].update(first)
    return {pair: (count, len(queries[pair])) for pair, count in draws.items()}


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("build", type=pathlib.Path, help="build folder with search_bench")
    parser.add_argument("--threads", type=int, default=os.cpu_count(), help="of every side")
    parser.add_argument("--part", type=float, default=0.1,
                        help="share of the distinct queries that is searched")
    parser.add_argument("--draws", type=int, default=50,
                        help="draws of the published loop from each modality")
    parser.add_argument("--faiss", action="store_true", help="time faiss-cpu as well")
    options = parser.parse_args()
    make_venv(["numpy", "faiss-cpu"] if options.faiss else ["numpy"])
    python = VENV / "bin" / "python"
    totals = collections.Counter()
    peak_mb = 0
    print("| query, searched | draws | distinct | published loop, a draw | search, a query | products | ratio |"
          + (" faiss |" if options.faiss else ""))
    print("|---|---:|---:|---:|---:|---:|---:|" + ("---:|" if options.faiss else ""))
    with tempfile.TemporaryDirectory() as name:
        folder = pathlib.Path(name)
        run([python, "-c", MAKE, folder, DIMENSION, *(f"{m}={n}" for m, n in SIZES.items())],
            options.threads)
        loop = {}
        for (first, searched), (draws, distinct) in plan().items():
            base, queries, out = folder / f"{searched}.npy", folder / f"{first}.npy", folder / "rows"
            if searched not in loop:
                loop[searched] = run([python, "-c", PUBLISHED, base, folder / "audio.npy",
                                      options.draws, NEIGHBOURS], options.threads)
            draw_s = loop[searched]["seconds"] / options.draws
            count = max(options.draws, round(options.part * distinct))
            ours = run([options.build / "search_bench", base, queries, options.threads, count,
                        NEIGHBOURS, out], options.threads)
            peak_mb = max(peak_mb, ours["peak_mb"])
            if first == "audio":
                compare(out.read_bytes(), loop[searched]["found"])
            totals["published"] += draws * draw_s
            totals["search"] += distinct * ours["search_s"] / ours["queries"]
            totals["products"] += distinct * ours["products_s"] / ours["queries"]
            for side in ("search_cpu_s", "products_cpu_s"):
                totals[side] += distinct * ours[side] / ours["queries"]
            line = (f"| {first}, {searched} | {draws:,} | {distinct:,} | {1e3 * draw_s:.2f} ms "
                    f"| {1e3 * ours['search_s'] / ours['queries']:.3f} ms "
                    f"| {1e3 * ours['products_s'] / ours['queries']:.3f} ms "
                    f"| {ours['search_s'] / ours['products_s']:.2f} |")
            if options.faiss:
                theirs = run([python, "-c", FAISS, base, queries, count, NEIGHBOURS,
                              options.threads], options.threads)
                totals["faiss"] += distinct * theirs["seconds"] / count
                line += f" {1e3 * theirs['seconds'] / count:.3f} ms |"
            print(line, flush=True)
    print(f"all draws: published loop {totals['published']:.0f} s, search {totals['search']:.0f} s, "
          f"bare products {totals['products']:.0f} s"
          + (f", faiss {totals['faiss']:.0f} s" if options.faiss else ""))
    print(f"published loop / search {totals['published'] / totals['search']:.1f}, "
          f"search / products {totals['search'] / totals['products']:.2f} "
          f"({totals['search_cpu_s'] / totals['products_cpu_s']:.2f} in processor time), "
          f"peak memory of the search {peak_mb} MB")


def compare(found, published):
    """The same neighbours, but for places that rounding may swap."""
    rows = memoryview(found).cast("I")
    differ = sum(len(set(rows[i * NEIGHBOURS:(i + 1) * NEIGHBOURS]) ^ set(expected)) // 2
                 for i, expected in enumerate(published))
    if differ > len(published):
        raise SystemExit(f"search: {differ} neighbours differ from those of the published loop")


if __name__ == "__main__":
    main()
