"""contra4 starts Hugging Face's `transformers serve` by itself, asks it, and ends it.

The model is random, so its answers are worth nothing; what is tested is that a server that is not
ours becomes ready, is asked, and is gone when the command is.
"""

import json
import os
import subprocess
import sys
import tempfile
import unittest
from pathlib import Path

from processes import BUILD, ROOT

START_TIMEOUT_S = 240


def processes_with(words):
    """Command lines of running processes that hold `words`."""
    found = []
    for path in Path("/proc").glob("[0-9]*/cmdline"):
        try:
            line = path.read_bytes().replace(b"\0", b" ").decode(errors="replace")
        except OSError:
            continue
        if words in line:
            found.append(line)
    return found


class EngineTest(unittest.TestCase):
    def test_an_evaluation_starts_and_ends_its_server(self):
        with tempfile.TemporaryDirectory() as name:
            folder = Path(name)
            subprocess.run([sys.executable, Path(__file__).with_name("make_tiny_llama.py"),
                            folder / "tiny"], check=True)
            environment = dict(os.environ)
            environment["PATH"] = f"{Path(sys.executable).parent}:{environment['PATH']}"
            command = [BUILD / "contra4", "evaluate", "--dataset", ROOT / "data/mini/test.json",
                       "--engine", f"transformers:{folder / 'tiny'}", "--engine-args", "--device cpu",
                       "--engine-timeout-s", str(START_TIMEOUT_S), "--engine-log-dir", folder / "logs",
                       "--input", "oracle-captions", "--output", folder / "run", "--limit", "4",
                       "--concurrency", "2", "--max-new-tokens", "8"]
            done = subprocess.run(command, capture_output=True, text=True, timeout=600,
                                  env=environment)
            self.assertEqual(done.returncode, 0, done.stderr)
            rows = json.loads((folder / "run" / "predictions.json").read_text(encoding="utf-8"))
            self.assertEqual(len(rows), 4)
            self.assertIn("[engine] ready after", done.stderr)
            self.assertEqual(len(list((folder / "logs").iterdir())), 1)
            self.assertEqual(processes_with(str(folder / "tiny")), [])


if __name__ == "__main__":
    unittest.main()
