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
import random
import signal
import subprocess
import sys
import tempfile
import time


class Server:
    """The loopback server as a process, with the log of what it received."""

    def __init__(self, program, log, *options):
        self.log = log
        self.process = subprocess.Popen([program, "--log", str(log), *options],
                                        stdout=subprocess.PIPE, text=True)
        self.url = f"http://127.0.0.1:{self.process.stdout.readline().strip()}/v1"

    def received(self):
        """Hashes of the bodies received so far, in order."""
        text = self.log.read_text() if self.log.exists() else ""
        return [line.split()[0] for line in text.splitlines() if " " in line]

    def stop(self):
        self.process.kill()
        self.process.wait()


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


def fail(message):
    sys.exit(f"kill_test: FAILED: {message}")


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

    draw = random.Random(arguments.seed)
    with tempfile.TemporaryDirectory(prefix="contra4-kills-") as name:
        scratch = pathlib.Path(name)
        expected, body_of = reference(arguments, scratch)
        server = Server(arguments.server, scratch / "kills.log",
                        "--failure-rate", str(arguments.failure_rate),
                        "--seed", str(arguments.seed), "--delay-ms", str(arguments.delay_ms))
        kills, rounds, torn, asked_again = 0, 0, 0, 0
        try:
            while kills < arguments.kills:
                rounds += 1
                folder = scratch / f"round{rounds}"
                done_bodies = set()  # of calls in the journal when the last process ended
                seen_bodies = set()  # received in this round
                is_finished = False
                while not is_finished:
                    before = len(server.received())
                    process = subprocess.Popen(command(arguments, folder, server.url, 8),
                                               stdout=subprocess.DEVNULL, stderr=subprocess.PIPE)
                    if kills < arguments.kills:
                        time.sleep(draw.uniform(0, arguments.longest_s))
                        process.send_signal(signal.SIGKILL)
                    words = process.communicate()[1].decode(errors="replace")
                    is_finished = process.returncode == 0
                    if process.returncode not in (0, -signal.SIGKILL):
                        fail(f"exit {process.returncode} after {kills} kills: {words}")
                    kills += process.returncode == -signal.SIGKILL
                    time.sleep(0.05)  # calls under way reach the log
                    received = server.received()[before:]
                    repeated = done_bodies.intersection(received)
                    if repeated:
                        fail(f"{len(repeated)} journaled calls were made again after kill {kills}")
                    asked_again += len(seen_bodies.intersection(received))
                    seen_bodies.update(received)
                    path = folder / "journal.jsonl"
                    torn += path.exists() and not path.read_bytes().endswith(b"\n") \
                        and path.stat().st_size > 0
                    done_bodies = {body_of[key] for key in journaled(folder)}
                keys = journaled(folder)
                if len(set(keys)) != len(keys):
                    fail(f"round {rounds}: an answer stands in the journal twice")
                if (folder / "predictions.json").read_bytes() != expected:
                    fail(f"round {rounds}: predictions.json differs from the undisturbed run")
        finally:
            server.stop()
    print(f"kill_test: {kills} kills over {rounds} evaluations of {len(body_of)} requests: every "
          f"predictions.json as undisturbed, no journaled call repeated, {asked_again} calls in "
          f"flight or failed at a kill made again, {torn} torn journal lines met")


if __name__ == "__main__":
    main()
