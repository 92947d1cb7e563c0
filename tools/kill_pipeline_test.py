"""Kills `contra4 pipeline` at random moments and checks that nothing is lost, repeated or changed.

    tools/kill_pipeline_test.py --kills 100 [--program build/contra4] [--server build/contra4_loopback_server]

One undisturbed run of data/mini against the loopback server gives the reference. Then pipelines against
a server with failures on are ended by SIGKILL at random moments and started again until they finish.
After each kill no call whose reply stands in a journal may reach the server again; at the end every
file but the journals must be the reference's byte for byte. When a pipeline finishes, the next begins
in a new folder, until there were enough kills.
"""
import argparse
import pathlib
import re
import subprocess
import tempfile

from kills import Killer, Server, fail

CONFIG = """\
strategies: [random]
sample: {{sources: data/mini/sources.yaml, n-samples: {samples}}}
generate: {{model-id: openai/writer, {server}}}
verify: {{model: [one=openai/one, two=openai/two], until: majority, {server}}}
filter: {{}}
balance: {{}}
categorize: {{model-id: openai/sorter, {server}}}
dataset: {{name: kills}}
"""
# The server gives the SHA-256 of a request's body as the id of its reply.
REPLY_ID = re.compile(rb"cmpl-([0-9a-f]{64})")


def write_config(arguments, path, url, concurrency):
    server = (f"base-url: '{url}', max-tries: 100, concurrency: {concurrency}, "
              f"max-concurrency: {concurrency}")
    path.write_text(CONFIG.format(samples=arguments.samples, server=server))


def command(arguments, config, folder):
    return [arguments.program, "pipeline", str(config), "--output-dir", str(folder), "--quiet"]


def journaled(folder):
    """The bodies whose replies stand in whole lines of any journal, each as often as it does."""
    bodies = []
    for path in sorted(folder.rglob("*.journal.jsonl")):
        for line in path.read_bytes().split(b"\n")[:-1]:
            bodies += [match.decode() for match in REPLY_ID.findall(line)]
    return bodies


def results(folder):
    """Every file that a run leaves, but journals and locks."""
    kept = {}
    for path in sorted(folder.rglob("*")):
        if path.is_file() and not path.name.endswith((".journal.jsonl", ".lock")):
            kept[str(path.relative_to(folder))] = path.read_bytes()
    return kept


def main():
    parser = argparse.ArgumentParser(description=__doc__,
                                     formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--kills", type=int, default=100)
    parser.add_argument("--program", default="build/contra4")
    parser.add_argument("--server", default="build/contra4_loopback_server")
    parser.add_argument("--samples", type=int, default=12, help="per combination of modalities")
    parser.add_argument("--failure-rate", type=float, default=0.2)
    parser.add_argument("--delay-ms", type=int, default=1, help="of each reply")
    parser.add_argument("--longest-s", type=float, default=1.0, help="from start to kill")
    parser.add_argument("--seed", type=int, default=0)
    arguments = parser.parse_args()

    with tempfile.TemporaryDirectory(prefix="contra4-kills-") as name:
        scratch = pathlib.Path(name)
        config = scratch / "config.yaml"
        server = Server(arguments.server, scratch / "reference.log")
        try:
            write_config(arguments, config, server.url, 4)
            subprocess.run(command(arguments, config, scratch / "reference"), check=True,
                           stdout=subprocess.DEVNULL)
        finally:
            server.stop()
        expected = results(scratch / "reference")
        num_calls = len(journaled(scratch / "reference"))

        server = Server(arguments.server, scratch / "kills.log",
                        "--failure-rate", str(arguments.failure_rate),
                        "--seed", str(arguments.seed), "--delay-ms", str(arguments.delay_ms))
        write_config(arguments, config, server.url, 8)
        killer = Killer(server, arguments.kills, arguments.longest_s, arguments.seed)
        rounds = 0
        try:
            while not killer.is_done():
                rounds += 1
                folder = scratch / f"round{rounds}"
                for _ in killer.run_to_end(command(arguments, config, folder),
                                           lambda folder=folder: journaled(folder)):
                    pass
                bodies = journaled(folder)
                if len(set(bodies)) != len(bodies):
                    fail(f"round {rounds}: a reply stands in the journals twice")
                got = results(folder)
                if got.keys() != expected.keys():
                    fail(f"round {rounds}: other files: {sorted(got.keys() ^ expected.keys())}")
                differing = [path for path in got if got[path] != expected[path]]
                if differing:
                    fail(f"round {rounds}: differs from the undisturbed run: {differing}")
        finally:
            server.stop()
    print(f"kill_pipeline_test: {killer.kills} kills over {rounds} pipelines of {num_calls} calls: all of "
          f"{len(expected)} files as undisturbed each time, no journaled call repeated")


if __name__ == "__main__":
    main()
