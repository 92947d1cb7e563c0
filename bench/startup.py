"""How long the program takes to start and to score: the whole process, median of many.

    bench/startup.py [--program build/contra4] [--dataset FILE] [--predictions FILE]

Without --predictions, 2,335 rows are made up for a data set of 2,335 questions, itself made up from
data/mini unless --dataset names one.
"""
import argparse
import json
import pathlib
import statistics
import subprocess
import tempfile
import time

ROWS = 2335


def made_up_dataset(path):
    mini = json.loads(pathlib.Path("data/mini/test.json").read_text())
    rows = [{**mini[i % len(mini)], "id": f"row_{i}"} for i in range(ROWS)]
    path.write_text(json.dumps(rows))


def made_up_predictions(dataset, path):
    rows = json.loads(pathlib.Path(dataset).read_text())
    path.write_text(json.dumps([{"id": row["id"], "pred_ans": "Scene " + "AB"[i % 2]}
                                for i, row in enumerate(rows)]))


def median_ms(command, repeats):
    times = []
    for _ in range(repeats):
        start = time.perf_counter()
        subprocess.run(command, check=True, stdout=subprocess.DEVNULL)
        times.append((time.perf_counter() - start) * 1000)
    return statistics.median(times), min(times)


def main():
    parser = argparse.ArgumentParser(description=__doc__,
                                     formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--program", default="build/contra4")
    parser.add_argument("--dataset")
    parser.add_argument("--predictions")
    parser.add_argument("--repeats", type=int, default=31)
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory() as name:
        folder = pathlib.Path(name)
        dataset = arguments.dataset or folder / "test.json"
        if not arguments.dataset:
            made_up_dataset(dataset)
        predictions = arguments.predictions or folder / "predictions.json"
        if not arguments.predictions:
            made_up_predictions(dataset, predictions)
        cases = [("--help", ["--help"], 30),
                 ("evaluate --help", ["evaluate", "--help"], 30),
                 ("score", ["score", "--dataset", str(dataset), "--predictions",
                            str(predictions)], 100)]
        for words, command, goal in cases:
            median, least = median_ms([arguments.program, *command], arguments.repeats)
            print(f"{words:<18} median {median:6.1f} ms, least {least:6.1f} ms, goal < {goal} ms")


if __name__ == "__main__":
    main()
