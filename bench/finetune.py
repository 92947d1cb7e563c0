#!/usr/bin/env python3
"""Times `contra4 finetune` beside the published training code on the same questions, on a CPU.

Makes a checkpoint of random weights (CLIP ViT-L/14 at full size, a small language model) unless --checkpoint names
one, and questions over copies of data/mini's media of which no two are alike; each of the first --questions / 2 items
of data/mini twice, so that batches of two show the same modalities. With --whole instead: one epoch over data/mini as
it is, where several questions show the same medium, as in a real training set, without --checkpointing. All of the
model but CLIP is trained, one step a batch. The published side is the loop of bench/finetune_published.py, its media
come in as tensors, so that decoding and preparing them is in our times and not in its; its texts are padded as
published. Positions are counted of the same questions on both sides, padding does not count. Of both only the steps
are timed; memory is that of the whole process.

    bench/finetune.py --program build/contra4 --onellm DIR --script FILE [--questions 8 | --whole] [--threads N]
        [--precision bf16]

With --scaling instead: one process of one thread against two, started as torchrun would.
"""

import argparse
import json
import os
import pathlib
import shutil
import socket
import subprocess
import sys
import tempfile

import onellm

BATCHES = r"""
import json, sys, torch, sentencepiece
given_batches, shapes, model, path = json.load(sys.stdin)
pieces = sentencepiece.SentencePieceProcessor(model_file=model)
generator = torch.Generator().manual_seed(0)
batches = []
for items in given_batches:
    names = items[0]["modalities"]
    bound = 180 - 35 * len(names)
    rows, labels = [], []
    for item in items:
        assert item["modalities"] == names
        choices = ", ".join("Scene " + "ABCD"[i] for i in range(len(names)))
        answer = item["gt_answer"]
        ids = [pieces.bos_id()] + pieces.encode(item["question"] + " Choose from: " + choices + " " + answer)
        ids.append(pieces.eos_id())
        assert len(ids) <= bound, (len(ids), bound)
        size = len(pieces.encode(answer)) + 1
        rows.append(ids + [0] * (bound - len(ids)))
        labels.append([0] * (len(ids) - size) + ids[-size:] + [0] * (bound - len(ids)))
    batches.append(dict(ids=torch.tensor(rows), labels=torch.tensor(labels),
                        modal=[dict(pc="point").get(name, name) for name in names],
                        inputs=[torch.randn(len(items), *shapes[name], generator=generator) for name in names]))
torch.save(batches, path)
"""


def batches_of_two(items):
    """Of questions over the same modalities, in the order of the file; a rest of one is a batch of its own."""
    groups = {}
    for item in items:
        groups.setdefault(tuple(item["modalities"]), []).append(item)
    return [group[first:first + 2] for group in groups.values() for first in range(0, len(group), 2)]


def run_published(options, folder, items):
    onellm.install_packages(options.packages)
    environment = dict(os.environ, PYTHONPATH=str(options.packages))
    path = str(folder / "batches.pt")
    given = json.dumps([batches_of_two(items), onellm.SHAPES, str(options.checkpoint / "tokenizer.model"), path])
    subprocess.run([onellm.PYTHON, "-c", BATCHES], input=given, text=True, check=True, env=environment)
    command = [onellm.PYTHON, onellm.ROOT / "bench/finetune_published.py", "--onellm", options.onellm, "--script",
               options.script, "--checkpoint", options.checkpoint, "--batches", path, "--threads", options.threads,
               "--precision", options.precision]
    _, _, peak, output = onellm.run(command, env=environment)
    return sum(json.loads(output.strip().splitlines()[-1])["seconds"]), peak


def questions_and_media(options, folder):
    if options.whole:
        return onellm.ROOT / "data/mini/test.json", onellm.ROOT / "data/mini/media"
    return folder / "bench.json", folder / "media"


def finetune_command(options, folder, name, *more):
    shutil.rmtree(folder / name, ignore_errors=True)
    data, media = questions_and_media(options, folder)
    return [options.program, "finetune", "--data", data, "--media-root", media,
            "--llama_ckpt_dir", options.checkpoint, "--output_dir", folder / name, "--epochs", "1", "--lr", "1e-5",
            "--precision", options.precision, "--prompt-template", "{question} Choose from: {choices}", "--quiet",
            "--json", *more]


def run_ours(options, folder, name, *more):
    """Outcome of the steps and peak bytes."""
    command = finetune_command(options, folder, name, "--threads", options.threads, *more)
    _, _, peak, output = onellm.run(command)
    return json.loads(output), peak


def free_port():
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        return listener.getsockname()[1]


def run_job(options, folder, name, count, *more):
    """Seconds of the steps of a job of `count` processes of one thread."""
    port = free_port()
    command = [str(word) for word in finetune_command(options, folder, name, "--threads", "1", *more)]
    processes = []
    for rank in range(count):
        environment = dict(os.environ, RANK=str(rank), WORLD_SIZE=str(count), LOCAL_RANK=str(rank),
                           MASTER_ADDR="127.0.0.1", MASTER_PORT=str(port))
        processes.append(subprocess.Popen(command, env=environment, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
                                          text=True))
    results = [process.communicate() for process in processes]
    for process, (_, errors) in zip(processes, results):
        if process.returncode != 0:
            sys.exit(f"finetune: {errors[-3000:]}")
    return json.loads(results[0][0])


def print_side(name, seconds, positions, peak):
    print(f"{name:20} {seconds:8.1f} s, {positions / seconds:6.1f} positions/s, peak {peak / 1e6:.0f} MB", flush=True)


def measure_scaling(options, folder):
    one = run_job(options, folder, "one", 1, "--batch_size", "2")
    print(f"1 process   {one['num_positions'] / one['seconds']:8.1f} positions/s")
    for way in ("ddp", "sdp", "fsdp"):
        two = run_job(options, folder, f"two-{way}", 2, "--batch_size", "1", "--data_parallel", way)
        rate = two["num_positions"] / two["seconds"]
        print(f"2 by {way:4}   {rate:8.1f} positions/s, {rate / (one['num_positions'] / one['seconds']):.2f} times one")


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--program", type=pathlib.Path, default=onellm.ROOT / "build/contra4")
    parser.add_argument("--checkpoint", type=pathlib.Path)
    parser.add_argument("--onellm", type=pathlib.Path, default=os.environ.get("CONTRA4_ONELLM"))
    parser.add_argument("--script", type=pathlib.Path, default=os.environ.get("CONTRA4_FINETUNE_SCRIPT"))
    parser.add_argument("--packages", type=pathlib.Path, help="folder with what the published code imports")
    parser.add_argument("--questions", type=int, default=8, help="an even number")
    parser.add_argument("--whole", action="store_true", help="data/mini as it is")
    parser.add_argument("--threads", type=int, default=os.cpu_count())
    parser.add_argument("--precision", choices=("fp32", "bf16"), default="fp32")
    parser.add_argument("--scaling", action="store_true", help="one process against two")
    parser.add_argument("--folder", type=pathlib.Path)
    options = parser.parse_args()

    folder = options.folder or pathlib.Path(tempfile.mkdtemp(prefix="contra4-finetune-"))
    folder.mkdir(parents=True, exist_ok=True)
    if options.checkpoint is None:
        options.checkpoint = folder / "middle"
        if not (options.checkpoint / "params.json").exists():
            onellm.run([onellm.PYTHON, onellm.ROOT / "tools/make_onellm.py", options.checkpoint, "--size", "middle"])
    options.packages = options.packages or folder / "packages"
    if options.whole:
        items = onellm.mini_items()
    else:
        chosen = [item for item in onellm.mini_items()[:options.questions // 2] for _ in range(2)]
        items = onellm.make_questions(chosen, folder)
    scenes = [(scene["source"], scene["id"]) for item in items for scene in item["examples"]]
    print(f"{len(items)} questions, {len(scenes)} scenes over {len(set(scenes))} media")
    if options.scaling:
        measure_scaling(options, folder)
        return
    ours = {}
    ways = [("plain", [])] if options.whole else [("plain", []), ("recomputing", ["--checkpointing"])]
    for name, flags in ways:
        outcome, peak = run_ours(options, folder, name, "--batch_size", "2", *flags)
        positions = outcome["num_positions"]
        ours[name] = outcome["seconds"], peak
        print_side(f"contra4 {name}", outcome["seconds"], positions, peak)
    if not (options.onellm and options.script):
        print("published side: not measured, needs --onellm and --script")
        return
    seconds, peak = run_published(options, folder, items)
    print_side("published", seconds, positions, peak)
    for name, (own_seconds, own_peak) in ours.items():
        print(f"{name}: {seconds / own_seconds:.2f} times as fast, {own_peak / peak:.2f} of the memory")


if __name__ == "__main__":
    main()
