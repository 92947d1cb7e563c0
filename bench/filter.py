#!/usr/bin/env python3
"""Times `contra4 filter` and `contra4 balance` on a large set of answered questions.

Repeats the step 4 files of three models with fresh ids (2,688 rows 62 times: 166,656 questions), runs
both commands in processes of their own, with and without waiting for the disk, and prints times and
peak memory. With the published scripts at hand (--published DIR or CONTRA4_PUBLISHED, the folder that
holds filters.py and balance.py) they run on the same files, and every output is compared as JSON
values. Where other programs are running, the processor time is the one to look at.

    bench/filter.py --program build/contra4 --answers DIR [--published DIR] [--repeat 62] [--folder DIR]
"""

import argparse
import glob
import gzip
import json
import os
import re
import shutil
import subprocess
import sys
import tempfile
import time

MODELS = ("llama", "mistral", "phi")
STRATEGY = "random"


def read_json(path):
    opener = gzip.open if path.endswith(".gz") else open
    with opener(path, "rt", encoding="utf-8") as file:
        return json.load(file)


def make_files(answers, repeat, folder):
    """Rows of each model again and again, under ids of their own, laid out as json.dump does."""
    os.makedirs(os.path.join(folder, "step4"), exist_ok=True)
    rows = 0
    for model in MODELS:
        name = f"{model}_{STRATEGY}_test.json"
        found = glob.glob(os.path.join(answers, name + "*"))
        if not found:
            sys.exit(f"{answers} has no {name}")
        items = read_json(found[0])
        rows = len(items) * repeat
        with open(os.path.join(folder, "step4", name), "w", encoding="utf-8") as file:
            file.write("[")
            for i in range(rows):
                item = items[i % len(items)]
                item = dict(item, id=f"{item['id']}_{i // len(items)}")
                file.write((", " if i else "") + json.dumps(item))
            file.write("]")
    return rows


def read_into_cache(folder):
    for path in glob.glob(os.path.join(folder, "*")):
        with open(path, "rb") as file:
            while file.read(1 << 20):
                pass


def run(command, **more):
    """Wall and processor seconds and peak MB of one process; it must succeed."""
    start = time.monotonic()
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, **more)
    errors = process.stderr.read()
    _, status, usage = os.wait4(process.pid, 0)
    seconds = time.monotonic() - start
    if os.waitstatus_to_exitcode(status) != 0:
        sys.exit(f"{' '.join(command)}: {errors.decode(errors='replace')[-2000:]}")
    return seconds, usage.ru_utime + usage.ru_stime, usage.ru_maxrss / 1024


def published_copy(source, folder, data):
    """The scripts with their constants set to what is measured, in a folder of their own."""
    os.makedirs(folder, exist_ok=True)
    os.symlink(os.path.abspath(data), os.path.join(folder, "data"))
    for name in ("filters.py", "balance.py"):
        found = glob.glob(os.path.join(source, "**", name), recursive=True)
        if not found:
            sys.exit(f"{source} holds no {name}")
        with open(found[0], encoding="utf-8") as file:
            text = file.read()
        text = re.sub(r"^SELECTION_LIST = .*$", f"SELECTION_LIST = ['{STRATEGY}']", text, flags=re.M)
        with open(os.path.join(folder, name), "w", encoding="utf-8") as file:
            file.write(text)
    # What they draw on the terminal is not measured; where tqdm is missing, a loop does.
    with open(os.path.join(folder, "tqdm.py"), "w", encoding="utf-8") as file:
        file.write("def tqdm(values, **_):\n    return values\n")


def compare(ours, theirs):
    """Every file of theirs against ours, as JSON values. The number of rows that were compared."""
    rows = 0
    for path in sorted(glob.glob(os.path.join(theirs, "*.json"))):
        wanted = read_json(path)
        if read_json(os.path.join(ours, os.path.basename(path))) != wanted:
            sys.exit(f"{os.path.basename(path)} differs")
        rows += len(wanted)
    return rows


def show(name, figures):
    wall, processor, memory = figures
    print(f"{name:34} {wall:8.2f} s wall {processor:8.2f} s processor {memory:7.0f} MB", flush=True)


def main():
    root = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--program", default=os.path.join(root, "build", "contra4"))
    parser.add_argument("--answers", required=True, help="folder of the step 4 files that are repeated")
    parser.add_argument("--repeat", type=int, default=62)
    parser.add_argument("--runs", type=int, default=3, help="of each of our sides; the best counts")
    parser.add_argument("--published", default=os.environ.get("CONTRA4_PUBLISHED"),
                        help="folder of the published scripts; without it only ours is timed")
    parser.add_argument("--folder", help="where the files go; needs 7 GB [default: a temporary one]")
    options = parser.parse_args()

    with tempfile.TemporaryDirectory(dir=options.folder) as folder:
        data = os.path.join(folder, "data")
        rows = make_files(options.answers, options.repeat, data)
        read_into_cache(os.path.join(data, "step4"))
        print(f"{rows:,} questions, {len(MODELS)} models")
        flags = ["--strategies", STRATEGY, "--output-dir", data, "--overwrite", "--compat", "--quiet"]
        results = {}
        for command in ("filter", "balance"):
            models = ["--models", ",".join(MODELS)] if command == "filter" else []
            for name, more in ((command, []), (f"{command} --no-sync", ["--no-sync"])):
                runs = [run([options.program, command, *models, *flags, *more]) for _ in range(options.runs)]
                results[name] = tuple(min(values) for values in zip(*runs))
                show(f"contra4 {name}", results[name])
        if options.published:
            theirs = os.path.join(folder, "published_data")
            os.makedirs(theirs)
            os.symlink(os.path.join(data, "step4"), os.path.join(theirs, "step4"))
            scripts = os.path.join(folder, "scripts")
            published_copy(options.published, scripts, theirs)
            for command, script in (("filter", "filters.py"), ("balance", "balance.py")):
                figures = run([sys.executable, script], cwd=scripts)
                show(f"published {script}", figures)
                for name in (command, f"{command} --no-sync"):
                    print(f"  against contra4 {name}: {figures[0] / results[name][0]:.1f} times as fast, "
                          f"1/{figures[2] / results[name][2]:.0f} of the memory")
            compared = compare(os.path.join(data, "filters_test"), os.path.join(theirs, "filters_test"))
            print(f"all outputs equal as JSON values: {compared:,} rows")
        shutil.rmtree(data)


if __name__ == "__main__":
    main()
