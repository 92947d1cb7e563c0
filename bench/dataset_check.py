#!/usr/bin/env python3
"""Times `contra4 dataset check` against Python's json.load and a loop over the fields.

Makes a file of 174,000 rows by repeating a data set with fresh ids, runs both on it in processes of
their own and prints the best times of each, the ratios and the peak memory of both. Where other
programs are running, the processor time is the one to look at.

    bench/dataset_check.py [--program build/contra4] [--dataset FILE] [--rows 174000] [--runs 3]
"""

import argparse
import json
import os
import subprocess
import sys
import tempfile
import time

PYTHON_SIDE = """
import json, sys
seen = set()
wrong = 0
with open(sys.argv[1], encoding="utf-8") as file:
    rows = json.load(file)
for row in rows:
    name = row["id"]
    wrong += name in seen
    seen.add(name)
    scenes = row["examples"]
    wrong += len(scenes) != len(row["modalities"]) or not 2 <= len(scenes) <= 4
    wrong += row["q_type"] != f"mc_{len(scenes)}"
    wrong += not row["question"].strip()
    answer = row.get("gt_answer") or row.get("answer")
    wrong += ord(answer[-1]) - ord("A") not in range(len(scenes))
    for scene in scenes:
        wrong += not scene["source"] or not scene["id"]
sys.exit(wrong > 0)
"""


def make_file(dataset, rows, path):
    """The rows of `dataset` again and again, laid out as the published file is."""
    with open(dataset, encoding="utf-8") as file:
        items = json.load(file)
    with open(path, "w", encoding="utf-8") as file:
        file.write("[")
        for i in range(rows):
            item = dict(items[i % len(items)], id=f"bench_{i}")
            text = json.dumps(item, indent=4).replace("\n", "\n    ")
            file.write((",\n    " if i else "\n    ") + text)
        file.write("\n]")


def run(command):
    """Wall and processor seconds and peak kilobytes of one process; it must succeed."""
    start = time.monotonic()
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL)
    _, status, usage = os.wait4(process.pid, 0)
    seconds = time.monotonic() - start
    if os.waitstatus_to_exitcode(status) != 0:
        sys.exit(f"{' '.join(command)}: exit status {os.waitstatus_to_exitcode(status)}")
    return seconds, usage.ru_utime + usage.ru_stime, usage.ru_maxrss


def best(command, runs):
    wall, processor, memory = zip(*[run(command) for _ in range(runs)])
    return min(wall), min(processor), max(memory)


def find_dataset(root):
    release = os.environ.get("CONTRA4_RELEASE", "")
    for path in (os.path.join(release, "test.json"), os.path.join(root, "data", "mini", "test.json")):
        if os.path.exists(path):
            return path
    sys.exit("no data set: give --dataset FILE or set CONTRA4_RELEASE")


def main():
    root = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--program", default=os.path.join(root, "build", "contra4"))
    parser.add_argument("--dataset", help="JSON list; default $CONTRA4_RELEASE/test.json, else data/mini")
    parser.add_argument("--rows", type=int, default=174000)
    parser.add_argument("--runs", type=int, default=3, help="of each side; the best counts")
    options = parser.parse_args()
    dataset = options.dataset or find_dataset(root)

    with tempfile.TemporaryDirectory() as folder:
        path = os.path.join(folder, "bench.json")
        make_file(dataset, options.rows, path)
        size = os.path.getsize(path) / 1e6
        # Both read the file from memory; the first run would otherwise pay for the disk.
        with open(path, "rb") as file:
            while file.read(1 << 20):
                pass
        ours = best([options.program, "dataset", "check", path], options.runs)
        theirs = best([sys.executable, "-c", PYTHON_SIDE, path], options.runs)
    print(f"{options.rows} rows of {os.path.basename(dataset)}, {size:.0f} MB, best of {options.runs}")
    for name, (wall, processor, memory) in (("contra4 dataset check", ours), ("json.load and a loop", theirs)):
        print(f"{name:22} {wall:7.2f} s wall {processor:7.2f} s processor {memory / 1024:6.0f} MB")
    print(f"{'ratio':22} {theirs[0] / ours[0]:7.1f}        {theirs[1] / ours[1]:7.1f}")


if __name__ == "__main__":
    main()
