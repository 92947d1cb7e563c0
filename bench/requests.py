#!/usr/bin/env python3
"""Requests per second: our client against OpenAI's own Python client.

Both ask the same server, contra4_loopback_server, which answers at once and has a core of its own;
the client under test has the other one. The Python client is asynchronous, with one connection pool
and the same number of calls in flight; it lives in .venv-bench-requests, made on the first run.

    bench/requests.py BUILD [--requests N] [--peer-requests N] [--concurrency N] [--rounds N]

The last round of ours queues --queued requests (1,000,000): its peak memory is what the job costs,
whatever its size.
"""
import argparse
import contextlib
import json
import os
import pathlib
import statistics
import subprocess
import sys

SOURCE = pathlib.Path(__file__).resolve().parents[1]
VENV = SOURCE / ".venv-bench-requests"
REQUIREMENTS = ["openai==3.57.0"]

# The other side; prints the same line as requests_bench.
PEER = '''
import asyncio, json, resource, sys, time
import openai
base_url, count, concurrency = sys.argv[1], int(sys.argv[2]), int(sys.argv[3])

def prompt(ticket):
    return (f"Question {ticket}: Which scene is set in the busiest place?\\n"
            'Scene A: "A crowd cheers while a band plays on a stage in the open air."\\n'
            'Scene B: "A wooden chair with a round seat and four straight legs."\\n'
            'Scene C: "Two dogs run over wet sand at the edge of the sea."\\n'
            'Scene D: "A woman cuts vegetables and drops them into a pan of hot oil."\\n'
            "Answer with the name of one scene.")

async def main():
    client = openai.AsyncOpenAI(base_url=base_url, api_key="sk-bench")
    tickets = iter(range(count))
    answered = 0

    async def ask():
        nonlocal answered
        for ticket in tickets:
            reply = await client.chat.completions.create(
                model="bench", temperature=0, max_tokens=16,
                messages=[{"role": "user", "content": prompt(ticket)}])
            answered += bool(reply.choices[0].message.content)

    begun = time.perf_counter()
    await asyncio.gather(*(ask() for _ in range(concurrency)))
    wall = time.perf_counter() - begun
    usage = resource.getrusage(resource.RUSAGE_SELF)
    print(json.dumps({"requests": count, "answered": answered, "wall_s": wall,
                      "cpu_s": usage.ru_utime + usage.ru_stime,
                      "peak_rss_mb": usage.ru_maxrss / 1024}))

asyncio.run(main())
'''


def make_venv():
    stamp = VENV / "contra4-bench"
    wanted = " ".join(REQUIREMENTS)
    if stamp.exists() and stamp.read_text() == wanted:
        return
    print("requests: making .venv-bench-requests", file=sys.stderr)
    subprocess.run([sys.executable, "-m", "venv", str(VENV)], check=True)
    subprocess.run([VENV / "bin" / "pip", "install", "-q", *REQUIREMENTS], check=True)
    stamp.write_text(wanted)


@contextlib.contextmanager
def pinned_server(build, core):
    process = subprocess.Popen(
        ["taskset", "-c", str(core), str(build / "contra4_loopback_server")],
        stdout=subprocess.PIPE, text=True)
    try:
        yield f"http://127.0.0.1:{int(process.stdout.readline())}/v1"
    finally:
        process.terminate()
        process.wait()


def run(core, command):
    output = subprocess.run(["taskset", "-c", str(core), *[str(word) for word in command]],
                            check=True, stdout=subprocess.PIPE, text=True).stdout
    return json.loads(output.splitlines()[-1])


def rate(result):
    return result["requests"] / result["wall_s"]


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("build", type=pathlib.Path, help="build folder with requests_bench")
    parser.add_argument("--requests", type=int, default=50_000, help="of ours, each round")
    parser.add_argument("--peer-requests", type=int, default=5_000, help="of theirs, each round")
    parser.add_argument("--queued", type=int, default=1_000_000, help="of ours, in the last run")
    parser.add_argument("--concurrency", type=int, default=64, help="calls in flight, of either")
    parser.add_argument("--rounds", type=int, default=3, help="runs of each, in turn")
    options = parser.parse_args()
    cores = sorted(os.sched_getaffinity(0))
    if len(cores) < 2:
        sys.exit("requests: needs two cores, one for the server and one for the client")
    make_venv()
    bench = options.build / "requests_bench"
    python = VENV / "bin" / "python"
    with pinned_server(options.build, cores[0]) as url:
        sides = {
            "contra4": [bench, url, options.requests, options.concurrency],
            "openai (Python, async)": [python, "-c", PEER, url, options.peer_requests,
                                       options.concurrency],
        }
        results = {name: [] for name in sides}
        for number in range(options.rounds):
            for name, command in sides.items():
                result = run(cores[1], command)
                results[name].append(result)
                print(f"requests: round {number + 1} {name} {rate(result):.0f}/s", file=sys.stderr)
        queued = run(cores[1], [bench, url, options.queued, options.concurrency])

    print(f"{options.concurrency} calls in flight, {options.rounds} rounds in turn, one core each "
          "for server and client")
    print("| side | requests/s, median | best | per processor second | peak memory, MB |")
    print("|---|---|---|---|---|")
    for name, runs in results.items():
        rates = [rate(result) for result in runs]
        processor = statistics.median(result["requests"] / result["cpu_s"] for result in runs)
        memory = max(result["peak_rss_mb"] for result in runs)
        print(f"| {name} | {statistics.median(rates):.0f} | {max(rates):.0f} | {processor:.0f} | "
              f"{memory:.0f} |")
    ours, theirs = results.values()
    ratios = [rate(a) / rate(b) for a, b in zip(ours, theirs)]
    print(f"ratio, median of the rounds: {statistics.median(ratios):.1f}")
    print(f"{queued['requests']} queued: {rate(queued):.0f}/s, peak memory "
          f"{queued['peak_rss_mb']:.0f} MB, at most {queued['most_held']} held")


if __name__ == "__main__":
    main()
