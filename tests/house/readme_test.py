"""The README's commands do what it says: each ```sh block is run, in order, in a scratch folder.

    python3 tests/house/readme_test.py BUILD_FOLDER

A comment in the line above a block decides about it:
    <!-- skip: why -->             it is not run
    <!-- needs: torch -->          it is run where the torch module was built
    <!-- with: loopback server --> http://localhost:8000 is our loopback server while it runs
"""

import contextlib
import os
import re
import subprocess
import sys
import tempfile
import unittest
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
BLOCK = re.compile(r"(?:^<!-- (?P<word>skip|needs|with): (?P<rest>.*?) -->\n)?"
                   r"^```sh\n(?P<text>.*?)^```$", re.MULTILINE | re.DOTALL)
PLACEHOLDER = "http://localhost:8000"
TIMEOUT_S = 100


def blocks(page):
    """(marker, its argument, shell text) of every block."""
    return [(found["word"], found["rest"], found["text"]) for found in BLOCK.finditer(page)]


@contextlib.contextmanager
def loopback_server(build):
    process = subprocess.Popen([build / "contra4_loopback_server"], stdout=subprocess.PIPE, text=True)
    try:
        yield f"http://127.0.0.1:{int(process.stdout.readline())}"
    finally:
        process.kill()
        process.communicate()


class BlocksTest(unittest.TestCase):
    def test_finds_markers_and_text(self):
        page = "a\n<!-- needs: torch -->\n```sh\nx \\\n  y\n```\n\n```sh\nz\n```\n```json\n{}\n```\n"
        self.assertEqual(blocks(page), [("needs", "torch", "x \\\n  y\n"), (None, None, "z\n")])

    def test_a_marker_further_up_does_not_count(self):
        page = "<!-- skip: why -->\ntext\n```sh\nx\n```\n"
        self.assertEqual(blocks(page), [(None, None, "x\n")])


class ReadmeTest(unittest.TestCase):
    build = ROOT / "build"

    def setUp(self):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.folder = Path(folder.name)
        for name in ("data", "examples", "docs", "tools", ".venv"):
            (self.folder / name).symlink_to(ROOT / name)
        (self.folder / "build").symlink_to(self.build)
        self.environment = {name: value for name, value in os.environ.items()
                            if not name.endswith("_API_KEY") and not name.lower().endswith("_proxy")}
        self.environment["CONTRA4_CACHE"] = str(self.folder / "cache")

    def run_block(self, text):
        done = subprocess.run(["bash", "-euc", text], cwd=self.folder, env=self.environment,
                              stdin=subprocess.DEVNULL, capture_output=True, text=True,
                              timeout=TIMEOUT_S)
        self.assertEqual(done.returncode, 0, f"{text}\n{done.stdout}\n{done.stderr}")
        return done.stdout + done.stderr

    def test_commands_run(self):
        has_torch = (self.build / "libcontra4_torch.so").exists()
        num_run = 0
        for word, rest, text in blocks((ROOT / "README.md").read_text(encoding="utf-8")):
            with self.subTest(command=text.split("\n")[0]):
                if word == "needs":
                    self.assertEqual(rest, "torch")
                if word == "skip" or (word == "needs" and not has_torch):
                    continue
                num_run += 1
                with contextlib.ExitStack() as stack:
                    if word == "with":
                        self.assertEqual(rest, "loopback server")
                        url = stack.enter_context(loopback_server(self.build))
                        text = text.replace(PLACEHOLDER, url)
                    self.assertTrue(self.run_block(text).strip(), "prints nothing")
        self.assertGreaterEqual(num_run, 4)


if __name__ == "__main__":
    if len(sys.argv) > 1:
        ReadmeTest.build = Path(sys.argv.pop(1)).resolve()
    unittest.main()
