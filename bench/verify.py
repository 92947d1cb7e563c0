#!/usr/bin/env python3
"""Bookkeeping of `contra4 verify` at train size: 330,000 items and three models on a loopback server.

The server answers at once, by the text of the request alone, so that a question meets a random
scene: most items are settled by their first replies, as with --until unanimous. It has one core,
contra4 the other one, as in bench/requests.py, whose rate is the one to compare with.

    bench/verify.py BUILD [--items N] [--all-orders]

Items have 2 to 4 scenes in the proportions of the eleven combinations of modalities: six of two,
four of three, one of four.
"""
import argparse
import json
import os
import pathlib
import subprocess
import sys
import tempfile
import time

from requests import pinned_server

CAPTIONS = {
    "audio": "A crowd cheers while a band plays on a stage in the open air, number {}.",
    "pc": "A wooden chair with a round seat and four straight legs, number {}.",
    "image": "Two dogs run over wet sand at the edge of the sea, number {}.",
    "video": "A woman cuts vegetables and drops them into a pan of hot oil, number {}.",
}
MODALITIES = list(CAPTIONS)
COMBINATIONS = [[name for i, name in enumerate(MODALITIES) if bits >> i & 1]
                for bits in range(16) if bin(bits).count("1") >= 2]


def write_items(path, count):
    with open(path, "w") as file:
        for number in range(count):
            modalities = COMBINATIONS[number % len(COMBINATIONS)]
            answer = "ABCD"[number % len(modalities)]
            file.write(json.dumps({
                "id": f"random_{number}", "selection_type": "random",
                "q_type": f"mc_{len(modalities)}",
                "examples": [{"source": f"{name}_src", "id": number * 4 + i,
                              "caption": [CAPTIONS[name].format(number)],
                              "url": f"https://example.org/{number}/{i}", "meta": {}}
                             for i, name in enumerate(modalities)],
                "modalities": modalities,
                "questions": [f"Which scene is set in the busiest place of the {number}?"],
                "answers": [f"Scene {answer}. It is busier than the others."]}) + "\n")


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("build", type=pathlib.Path, help="build folder with contra4")
    parser.add_argument("--items", type=int, default=330_000)
    parser.add_argument("--concurrency", type=int, default=64, help="calls in flight per model")
    parser.add_argument("--all-orders", action="store_true", help="ask every order")
    options = parser.parse_args()
    cores = sorted(os.sched_getaffinity(0))
    if len(cores) < 2:
        sys.exit("verify: needs two cores, one for the server and one for contra4")
    environment = {name: value for name, value in os.environ.items() if name != "OPENAI_BASE_URL"}
    environment["OPENAI_API_KEY"] = "sk-bench"
    with tempfile.TemporaryDirectory() as folder, pinned_server(options.build, cores[0]) as url:
        questions = pathlib.Path(folder) / "step2_3" / "random_train.jsonl"
        questions.parent.mkdir()
        write_items(questions, options.items)
        command = ["taskset", "-c", str(cores[1]), str(options.build / "contra4"), "verify",
                   "--split", "train", "--output-dir", folder, "--base-url", url, "--json",
                   "--quiet", "--format", "jsonl", "--concurrency", str(options.concurrency),
                   "--max-concurrency", str(options.concurrency)]
        for name in ["llama", "mistral", "phi"]:
            command += ["--model", f"{name}=openai/{name}"]
        if options.all_orders:
            command.append("--all-orders")
        begun = time.perf_counter()
        process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True, env=environment)
        output = process.stdout.read()
        _, status, usage = os.wait4(process.pid, 0)
        wall = time.perf_counter() - begun
        if os.waitstatus_to_exitcode(status) != 0:
            sys.exit("verify: contra4 failed")
        again = time.perf_counter()
        subprocess.run(command, stdout=subprocess.DEVNULL, env=environment, check=True)
        again = time.perf_counter() - again
    counts = json.loads(output)["counts"]
    asked = counts["requests asked"]
    print(f"{options.items} items, 3 models, {options.concurrency} calls in flight each, one core "
          "each for server and contra4")
    print("| requests of all orders | asked | wall | requests/s | peak memory | nothing left to do |")
    print("|---|---|---|---|---|---|")
    print(f"| {counts['requests of all orders']} | {asked} | {wall:.1f} s | {asked / wall:.0f} | "
          f"{usage.ru_maxrss / 1024:.0f} MB | {again:.1f} s |")


if __name__ == "__main__":
    main()
