#!/usr/bin/env python3
"""Times `contra4 evaluate --model onellm/DIR` beside the published code on the same questions, on a CPU.

Makes a checkpoint of random weights (CLIP ViT-L/14 at full size, a small language model) unless --checkpoint
names one, and questions over copies of data/mini's media of which no two are alike. The published side is
csuhan/OneLLM's code in a process of its own, started as bench/onellm_published.py says; its media come in as
tensors of the right shapes, so that decoding and preparing them is in our times and not in its. Ours is the whole
process, start and loading included; of the published one only the loop counts. Neighbours on the same machine make
minutes differ, so ours in float32 is timed before and after it.

    bench/onellm.py --program build/contra4 --onellm DIR --script FILE [--questions 40] [--scenes N]
        [--dtype float32] [--threads N]

Without --onellm our side alone is timed. Its packages: see ONELLM_BENCH_REQUIREMENTS in tools/versions.sh; they go
into a folder beside the checkpoint.
"""

import argparse
import itertools
import json
import math
import os
import pathlib
import shutil
import subprocess
import sys
import tempfile
import time

ROOT = pathlib.Path(__file__).resolve().parent.parent
PYTHON = ROOT / ".venv/bin/python"
MEDIA = {"image": ("image", (".jpg", ".png")), "audio": ("audio", (".wav",)),
         "video": ("video", (".mp4",)), "pc": ("pc", ("_8192.npz",))}
SHAPES = {"image": (3, 224, 224), "video": (15, 3, 224, 224), "audio": (1, 128, 1024), "pc": (16384, 6)}
COPY = r"""
import io, pathlib, sys, zipfile
for line in sys.stdin:
    source, target, number = line.rstrip("\n").split("\t")
    content = pathlib.Path(source).read_bytes()
    if source.endswith(".npz"):  # a comment at the end of the zip
        buffer = io.BytesIO(content)
        with zipfile.ZipFile(buffer, "a") as archive:
            archive.comment = number.encode()
        content = buffer.getvalue()
    else:
        content += number.encode()
    pathlib.Path(target).write_bytes(content)
"""


def mini_items():
    return json.loads((ROOT / "data/mini/test.json").read_text())


def mixed(items):
    """Two, three and four scenes in turn, so that a few questions stand for all."""
    by_scenes = {}
    for item in items:
        by_scenes.setdefault(len(item["modalities"]), []).append(item)
    rows = itertools.zip_longest(*(by_scenes[number] for number in sorted(by_scenes)))
    return [item for row in rows for item in row if item is not None]


def make_questions(items, folder):
    """The items over media that are each used once; they differ in bytes, not in what they show."""
    pool = {name: sorted(path for path in (ROOT / "data/mini/media" / place).iterdir())
            for name, (place, _) in MEDIA.items()}
    copies, made, used = [], [], 0
    for number, item in enumerate(items):
        item = json.loads(json.dumps(item))
        item["id"] = f"bench_{number}"
        for modality, scene in zip(item["modalities"], item["examples"]):
            source = pool[modality][used % len(pool[modality])]
            scene["source"] = f"bench_{modality}"
            scene["id"] = f"m{used}"
            suffix = "_8192.npz" if modality == "pc" else source.suffix
            target = folder / "media" / scene["source"] / (scene["id"] + suffix)
            target.parent.mkdir(parents=True, exist_ok=True)
            copies.append(f"{source}\t{target}\t{used}")
            used += 1
        made.append(item)
    subprocess.run([PYTHON, "-c", COPY], input="\n".join(copies), text=True, check=True)
    (folder / "bench.json").write_text(json.dumps(made))
    return made


def run(command, **more):
    """Wall seconds, processor seconds and peak bytes of one process; it must succeed."""
    start = time.monotonic()
    process = subprocess.Popen([str(word) for word in command], stdout=subprocess.PIPE,
                               stderr=subprocess.PIPE, text=True, **more)
    output, errors = process.stdout.read(), process.stderr.read()
    _, status, usage = os.wait4(process.pid, 0)
    if os.waitstatus_to_exitcode(status) != 0:
        sys.exit(f"{command[0]}: {errors[-3000:]}")
    return time.monotonic() - start, usage.ru_utime + usage.ru_stime, usage.ru_maxrss * 1024, output


def run_ours(options, folder, name, *more):
    shutil.rmtree(folder / name, ignore_errors=True)
    command = [options.program, "evaluate", "--dataset", folder / "bench.json", "--model",
               f"onellm/{options.checkpoint}", "--media-root", folder / "media", "--output", folder / name,
               "--no-feature-store", "--quiet", "--json", *more]
    if options.threads:
        command += ["--threads", options.threads]
    return run(command)


def published_questions(items, path):
    program = f"""
import json, sys, torch
items = json.load(sys.stdin)
shapes = {SHAPES!r}
generator = torch.Generator().manual_seed(0)
rows = []
for item in items:
    names = item["modalities"]
    choices = ", ".join("Scene " + "ABCD"[i] for i in range(len(names)))
    rows.append(dict(question=item["question"] + " Choose from: " + choices,
                     modalities=[dict(pc="point").get(name, name) for name in names],
                     inputs=[torch.randn(shapes[name], generator=generator) for name in names]))
torch.save(rows, {str(path)!r})
"""
    subprocess.run([PYTHON, "-c", program], input=json.dumps(items), text=True, check=True)


def run_published(options, folder, items):
    install_packages(options.packages)
    published_questions(items, folder / "published.pt")
    command = [PYTHON, ROOT / "bench/onellm_published.py", "--onellm", options.onellm, "--script",
               options.script, "--checkpoint", options.checkpoint, "--questions", folder / "published.pt",
               "--dtype", options.dtype, "--threads", options.threads]
    _, _, peak, output = run(command, env=dict(os.environ, PYTHONPATH=str(options.packages)))
    return json.loads(output.strip().splitlines()[-1])["seconds"], peak


def install_packages(folder):
    """What the published code imports, besides torch."""
    if folder.exists():
        return
    listed = subprocess.run(["bash", "-c", "source tools/versions.sh; printf '%s\\n' "
                             '"${ONELLM_BENCH_REQUIREMENTS[@]}"'],
                            cwd=ROOT, capture_output=True, text=True, check=True).stdout.split()
    run([PYTHON, "-m", "pip", "install", "-q", "--no-deps", "--target", folder, *listed])


def num_orders(items):
    return sum(math.factorial(len(item["modalities"])) for item in items)


def answers(folder, name):
    rows = json.loads((folder / name / "predictions.json").read_text())
    return [row["pred_ans"] for row in rows]


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--program", type=pathlib.Path, default=ROOT / "build/contra4")
    parser.add_argument("--checkpoint", type=pathlib.Path)
    parser.add_argument("--onellm", type=pathlib.Path, default=os.environ.get("CONTRA4_ONELLM"))
    parser.add_argument("--script", type=pathlib.Path, default=os.environ.get("CONTRA4_ONELLM_SCRIPT"))
    parser.add_argument("--packages", type=pathlib.Path, help="folder with what the published code imports")
    parser.add_argument("--questions", type=int, default=40)
    parser.add_argument("--scenes", type=int, help="only questions over so many scenes")
    parser.add_argument("--published-questions", type=int, help="of those, the first so many [all]")
    parser.add_argument("--dtype", choices=("float32", "bf16"), default="float32")
    parser.add_argument("--threads", type=int, default=os.cpu_count())
    parser.add_argument("--folder", type=pathlib.Path)
    options = parser.parse_args()

    folder = options.folder or pathlib.Path(tempfile.mkdtemp(prefix="contra4-onellm-"))
    folder.mkdir(parents=True, exist_ok=True)
    if options.checkpoint is None:
        options.checkpoint = folder / "middle"
        if not (options.checkpoint / "params.json").exists():
            run([PYTHON, ROOT / "tools/make_onellm.py", options.checkpoint, "--size", "middle"])
    options.packages = options.packages or folder / "packages"
    mini = mixed([item for item in mini_items() if options.scenes in (None, len(item["modalities"]))])
    items = make_questions([mini[number % len(mini)] for number in range(options.questions)], folder)
    requests = num_orders(items)
    print(f"{len(items)} questions, {sum(len(item['modalities']) for item in items)} media, "
          f"{requests} in all orders, {options.threads} threads")

    ours = {}
    for dtype in dict.fromkeys(("float32", options.dtype, "bf16")):
        for name, flags in (("compat", ["--compat"]), ("logprobs", [])):
            seconds, processor, peak, _ = run_ours(options, folder, f"{name}-{dtype}", "--dtype", dtype, *flags)
            ours[name, dtype] = seconds, peak
            print(f"contra4 {dtype} {name:9} {seconds / len(items):7.3f} s a question "
                  f"({processor / len(items):.3f} s of processor), peak {peak / 1e6:.0f} MB")
    seconds, _, peak, _ = run_ours(options, folder, "orders", "--dtype", "float32", "--permutations", "all")
    print(f"contra4 float32 all orders {seconds / requests:7.3f} s a request, peak {peak / 1e6:.0f} MB")
    for name in ("compat", "logprobs"):
        pairs = list(zip(answers(folder, f"{name}-float32"), answers(folder, f"{name}-bf16")))
        print(f"answers that bf16 changes, {name}: {sum(a != b for a, b in pairs)} of {len(pairs)}")
    if not (options.onellm and options.script):
        print("published side: not measured, needs --onellm and --script")
        return
    asked = items[:options.published_questions or len(items)]
    loop, peak = run_published(options, folder, asked)
    after, _, _, _ = run_ours(options, folder, "after", "--dtype", "float32", "--compat")
    print(f"contra4 float32 compat    {after / len(items):7.3f} s a question, once more")
    each = sum(loop) / len(loop)
    print(f"published {options.dtype}      {each:7.3f} s a question, peak {peak / 1e6:.0f} MB ({len(asked)} questions)")
    of_four = sum(second * math.factorial(len(item["modalities"])) for second, item in zip(loop, asked[:4]))
    per_request = of_four / num_orders(asked[:4])
    print(f"every medium new: float32 {each / (ours['compat', 'float32'][0] / len(items)):.2f}x "
          f"and {each / (after / len(items)):.2f}x, "
          f"bf16 {each / (ours['compat', 'bf16'][0] / len(items)):.2f}x")
    print(f"all orders: {per_request * requests / seconds:.1f}x (published side from its first four questions)")
    print(f"peak memory: {ours['compat', options.dtype][1] / peak:.2f} of the published loop's")


if __name__ == "__main__":
    main()
