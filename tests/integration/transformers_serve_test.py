"""contra4 evaluates a model behind Hugging Face's `transformers serve`, offline.

The model is random, so its answers are worth nothing; what is tested is that a server that is not
ours takes our requests, that every question is answered, and that a second run asks nothing again.
"""

import json
import subprocess
import sys
import tempfile
import unittest
import urllib.request
from pathlib import Path

from processes import BUILD, ROOT, free_port, running, wait_for_port

MINI = ROOT / "data" / "mini"
START_TIMEOUT_S = 240
NUM_QUESTIONS = 32


def post(url, body):
    request = urllib.request.Request(url, json.dumps(body).encode(),
                                     {"Content-Type": "application/json"})
    with urllib.request.urlopen(request, timeout=120) as reply:
        return json.load(reply)


class TransformersServeTest(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.folder = Path(cls.enterClassContext(tempfile.TemporaryDirectory()))
        subprocess.run([sys.executable, Path(__file__).with_name("make_tiny_llama.py"),
                        cls.folder / "tiny"], check=True)
        port = free_port()
        cls.log = cls.enterClassContext(open(cls.folder / "server.log", "w+", encoding="utf-8"))
        command = [Path(sys.executable).with_name("transformers"), "serve", "tiny", "--host",
                   "127.0.0.1", "--port", str(port), "--device", "cpu"]
        server = cls.enterClassContext(
            running(command, cwd=cls.folder, stdout=cls.log, stderr=subprocess.STDOUT))
        try:
            wait_for_port(server, port, START_TIMEOUT_S)
        except (RuntimeError, TimeoutError):
            cls.log.seek(0)
            print(cls.log.read(), file=sys.stderr)
            raise
        cls.base_url = f"http://127.0.0.1:{port}/v1"

    def evaluate(self, output, *arguments):
        command = [BUILD / "contra4", "evaluate", "--dataset", MINI / "test.json", "--model",
                   "openai/tiny", "--base-url", self.base_url, "--input", "oracle-captions",
                   "--output", output, "--concurrency", "2",
                   # A random model never ends by itself.
                   "--max-new-tokens", "16", *arguments]
        done = subprocess.run(command, capture_output=True, text=True, timeout=600)
        self.assertEqual(done.returncode, 0, done.stderr)
        return done

    def test_the_server_answers_as_we_expect_of_the_protocol(self):
        reply = post(f"{self.base_url}/chat/completions", {
            "model": "tiny", "messages": [{"role": "user", "content": "Scene A: a dog"}],
            "max_tokens": 5, "temperature": 0})
        self.assertIsInstance(reply["choices"][0]["message"]["content"], str)
        self.assertIn("finish_reason", reply["choices"][0])

    def test_every_question_is_answered_and_none_asked_twice(self):
        output = self.folder / "run"
        self.evaluate(output)
        text = (output / "predictions.json").read_text(encoding="utf-8")
        rows = json.loads(text)
        items = json.loads((MINI / "test.json").read_text(encoding="utf-8"))
        self.assertEqual([row["id"] for row in rows], [item["id"] for item in items])
        self.assertEqual(len(rows), NUM_QUESTIONS)
        results = json.loads((output / "results.json").read_text(encoding="utf-8"))
        self.assertEqual(results["accuracy"]["all"]["total"], NUM_QUESTIONS)

        journal = {path: path.read_bytes() for path in output.glob("*journal*") if path.is_file()}
        self.assertTrue(journal)
        self.evaluate(output)
        self.assertEqual((output / "predictions.json").read_text(encoding="utf-8"), text)
        for path, before in journal.items():
            self.assertEqual(path.read_bytes(), before, f"{path.name} grew: something was asked again")


if __name__ == "__main__":
    unittest.main()
