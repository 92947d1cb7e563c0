#!/usr/bin/env python3
"""Times `contra4 finetune` beside the published training code on the same questions, on a CPU.

Makes a checkpoint of random weights (CLIP ViT-L/14 at full size, a small language model) unless --checkpoint names
one, and questions over copies of data/mini's media of which no two are alike; each of the first --questions / 2 items
of data/mini twice, so that batches of two show the same modalities. All of the model but CLIP is trained, one step a
batch. The published side is the loop of bench/finetune_published.py, its media come in as tensors, so that
decoding and preparing them is in our times and not in its; its texts are padded as published, positions of padding do
not count. Of both only the steps are timed; memory is that of the whole process.

    bench/finetune.py --program build/contra4 --onellm DIR --script FILE [--questions 8] [--threads N]
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
items, shapes, model, path = json.load(sys.stdin)
pieces = sentencepiece.SentencePieceProcessor(model_file=model)
generator = torch.Generator().manual_seed(0)
batches, positions = [], 0
for first, second in zip(items[::2], items[1::2]):
    names = first["modalities"]
    assert names == second["modalities"]
    bound = 180 - 35 * len(names)
    rows, labels = [], []
    for item in (first, second):
        choices = ", ".join("Scene " + "ABCD"[i] for i in range(len(names)))
        answer = item["gt_answer"]
        ids = [pieces.bos_id()] + pieces.encode(item["question"] + " Choose from: " + choices + " " + answer)
        ids.append(pieces.eos_id())
        assert len(ids) <= bound, (len(ids), bound)
        size = len(pieces.encode(answer)) + 1
        positions += len(ids) + 37 * len(names)
        rows.append(ids + [0] * (bound - len(ids)))
        labels.append([0] * (len(ids) - size) + ids[-size:] + [0] * (bound - len(ids)))
    batches.append(dict(ids=torch.tensor(rows), labels=torch.tensor(labels),
                        modal=[dict(pc="point").get(name, name) for name in names],
                        inputs=[torch.randn(2, *shapes[name], generator=generator) for name in names]))
torch.save(batches, path)
print(positions)
"""


def run_published(options, folder, items):
    onellm.install_packages(options.packages)
    environment = dict(os.environ, PYTHONPATH=str(options.packages))
    path = str(folder / "batches.pt")
    given = json.dumps([items, onellm.SHAPES, str(options.checkpoint / "tokenizer.model"), path])
    made = subprocess.run([onellm.PYTHON, "-c", BATCHES], input=given, text=True, check=True, env=environment,
                          stdout=subprocess.PIPE)
    command = [onellm.PYTHON, onellm.ROOT / "bench/finetune_published.py", "--onellm", options.onellm, "--script",
               options.script, "--checkpoint", options.checkpoint, "--batches", path, "--threads", options.threads,
               "--precision", options.precision]
    _, _, peak, output = onellm.run(command, env=environment)
    return sum(json.loads(output.strip().splitlines()[-1])["seconds"]), int(made.stdout), peak


def finetune_command(options, folder, name, *more):
    shutil.rmtree(folder / name, ignore_errors=True)
    return [options.program, "finetune", "--data", folder / "bench.json", "--media-root", folder / "media",
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
    chosen = [item for item in onellm.mini_items()[:options.questions // 2] for _ in range(2)]
    items = onellm.make_questions(chosen, folder)
    print(f"{len(items)} questions, {sum(len(item['modalities']) for item in items)} media")
    if options.scaling:
        measure_scaling(options, folder)
        return
    ours = {}
    for name, flags in (("plain", []), ("recomputing", ["--checkpointing"])):
        outcome, peak = run_ours(options, folder, name, "--batch_size", "2", *flags)
        ours[name] = outcome["num_positions"] / outcome["seconds"], peak
        print(f"contra4 {name:11} {ours[name][0]:8.1f} positions/s, peak {peak / 1e6:.0f} MB")
    if not (options.onellm and options.script):
        print("published side: not measured, needs --onellm and --script")
        return
    seconds, positions, peak = run_published(options, folder, items)
    print(f"published           {positions / seconds:8.1f} positions/s, peak {peak / 1e6:.0f} MB")
    for name, (rate, own_peak) in ours.items():
        print(f"{name}: {rate * seconds / positions:.2f} times as fast, {own_peak / peak:.2f} of the memory")


if __name__ == "__main__":
    main()
