"""Kills evaluations at random moments and checks that nothing is lost, repeated or changed.

    tools/kill_test.py --kills 200 [--program build/contra4] [--server build/contra4_loopback_server]

One undisturbed run against the loopback server gives the reference and tells which request body
belongs to which journal line. Then evaluations against a server with failures on are ended by
SIGKILL at random moments and started again until they finish. After each kill no call that stands
in the journal may reach the server again; at the end predictions.json must be the reference's byte
for byte. When an evaluation finishes, the next begins in a new folder, until there were enough kills.
"""
import argparse
import json
import pathlib
import subprocess
import tempfile

from kills import Killer, Server, fail


def command(arguments, folder, url, concurrency):
    return [arguments.program, "evaluate", "--dataset", arguments.dataset, "--model", "openai/x",
            "--base-url", url, "--input", "oracle-captions", "--permutations", "all", "--quiet",
            "--max-tries", "100", "--concurrency", str(concurrency),
            "--max-concurrency", str(concurrency), "--output", str(folder)]


def journaled(folder):
    """(item, order) of each whole line with a final answer, in order."""
    path = folder / "journal.jsonl"
    keys = []
    if path.exists():
        for line in path.read_bytes().split(b"\n")[:-1]:
            entry = json.loads(line)
            if entry["status"] in ("answered", "blocked"):
                keys.append((entry["id"], entry["part"]))
    return keys


def reference(arguments, scratch):
    """predictions.json of an undisturbed run, and the body of each request."""
    server = Server(arguments.server, scratch / "reference.log")
    try:
        folder = scratch / "reference"
        subprocess.run(command(arguments, folder, server.url, 1), check=True,
                       stdout=subprocess.DEVNULL)
        bodies, keys = server.received(), journaled(folder)
    finally:
        server.stop()
    # One call at a time: the n-th body is the n-th line.
    if len(bodies) != len(keys) or len(set(bodies)) != len(bodies):
        fail(f"{len(bodies)} calls for {len(keys)} answers in the undisturbed run")
    return (folder / "predictions.json").read_bytes(), dict(zip(keys, bodies))


def main():
    parser = argparse.ArgumentParser(description=__doc__,
                                     formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--kills", type=int, default=200)
    parser.add_argument("--program", default="build/contra4")
    parser.add_argument("--server", default="build/contra4_loopback_server")
    parser.add_argument("--dataset", default="data/mini/test.json")
    parser.add_argument("--failure-rate", type=float, default=0.2)
    parser.add_argument("--delay-ms", type=int, default=3, help="of each reply")
    parser.add_argument("--longest-s", type=float, default=0.6, help="from start to kill")
    parser.add_argument("--seed", type=int, default=0)
    arguments = parser.parse_args()

    with tempfile.TemporaryDirectory(prefix="contra4-kills-") as name:
        scratch = pathlib.Path(name)
        expected, body_of = reference(arguments, scratch)
        server = Server(arguments.server, scratch / "kills.log",
                        "--failure-rate", str(arguments.failure_rate),
                        "--seed", str(arguments.seed), "--delay-ms", str(arguments.delay_ms))
        killer = Killer(server, arguments.kills, arguments.longest_s, arguments.seed)
        rounds, torn, asked_again = 0, 0, 0
        try:
            while not killer.is_done():
                rounds += 1
                folder = scratch / f"round{rounds}"
                seen_bodies = set()  # received in this round
                for received in killer.run_to_end(
                        command(arguments, folder, server.url, 8),
                        lambda folder=folder: {body_of[key] for key in journaled(folder)}):
                    asked_again += len(seen_bodies.intersection(received))
                    seen_bodies.update(received)
                    path = folder / "journal.jsonl"
                    torn += path.exists() and not path.read_bytes().endswith(b"\n") \
                        and path.stat().st_size > 0
                keys = journaled(folder)
                if len(set(keys)) != len(keys):
                    fail(f"round {rounds}: an answer stands in the journal twice")
                if (folder / "predictions.json").read_bytes() != expected:
                    fail(f"round {rounds}: predictions.json differs from the undisturbed run")
        finally:
            server.stop()
    print(f"kill_test: {killer.kills} kills over {rounds} evaluations of {len(body_of)} requests: every "
          f"predictions.json as undisturbed, no journaled call repeated, {asked_again} calls in "
          f"flight or failed at a kill made again, {torn} torn journal lines met")


if __name__ == "__main__":
    main()
