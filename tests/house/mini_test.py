"""data/mini is what its README says: counts, balance, files for every scene, size.

    python3 tests/house/mini_test.py
"""

import itertools
import json
import unittest
import zipfile
from collections import Counter
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
MINI = ROOT / "data" / "mini"
MAX_BYTES = 4_000_000
SUFFIXES = {"image": (".png", ".jpg"), "audio": (".wav",), "video": (".mp4",),
            "pc": ("_8192.npz",)}
FIRST_BYTES = {".png": b"\x89PNG", ".jpg": b"\xff\xd8\xff", ".wav": b"RIFF", "_8192.npz": b"PK"}


def load(name):
    return json.loads((MINI / name).read_text(encoding="utf-8"))


def media_of(items):
    return {(example["source"], example["id"]) for item in items for example in item["examples"]}


class MiniTest(unittest.TestCase):
    def test_counts_are_those_of_the_readme(self):
        test = load("test.json")
        self.assertEqual(Counter(item["q_type"] for item in test),
                         {"mc_2": 12, "mc_3": 12, "mc_4": 8})
        self.assertEqual(Counter(item["selection_type"] for item in test),
                         {"random": 16, "similarity": 16})
        self.assertEqual(len(load("val.json")), 16)

    def test_items_are_well_formed(self):
        for name in ("test.json", "val.json"):
            items = load(name)
            self.assertEqual(len({item["id"] for item in items}), len(items))
            self.assertEqual(len({item["question"] for item in items}), len(items))
            for item in items:
                with self.subTest(item=item["id"]):
                    count = len(item["examples"])
                    self.assertEqual(item["q_type"], f"mc_{count}")
                    self.assertIn(item["gt_answer"], [f"Scene {c}" for c in "ABCD"[:count]])
                    self.assertEqual(item["modalities"],
                                     [e["source"].removeprefix("mini_") for e in item["examples"]])
                    self.assertEqual(len(set(item["modalities"])), count, "a modality repeats")
                    self.assertTrue(all(example["caption"] for example in item["examples"]))
                    self.assertTrue(item["category"])

    def test_every_letter_is_right_equally_often(self):
        for count, expected in ((2, 6), (3, 4), (4, 2)):
            answers = Counter(item["gt_answer"] for item in load("test.json")
                              if len(item["examples"]) == count)
            self.assertEqual(answers, {f"Scene {c}": expected for c in "ABCD"[:count]})

    def test_every_modality_is_right_about_equally_often(self):
        right = Counter(item["modalities"]["ABCD".index(item["gt_answer"][-1])]
                        for item in load("test.json"))
        self.assertEqual(set(right), set(SUFFIXES))
        self.assertLessEqual(max(right.values()) - min(right.values()), 2)

    def test_test_and_validation_share_no_medium_and_no_question(self):
        test, val = load("test.json"), load("val.json")
        self.assertFalse(media_of(test) & media_of(val))
        self.assertFalse({i["question"] for i in test} & {i["question"] for i in val})

    def test_every_scene_has_a_file_and_every_file_a_scene(self):
        scenes = {(modality, str(example["id"]))
                  for item in itertools.chain(load("test.json"), load("val.json"))
                  for modality, example in zip(item["modalities"], item["examples"])}
        files = set()
        for path in (MINI / "media").glob("*/*"):
            suffix = next(s for s in SUFFIXES[path.parent.name] if path.name.endswith(s))
            files.add((path.parent.name, path.name.removesuffix(suffix)))
            if suffix in FIRST_BYTES:
                self.assertTrue(path.read_bytes().startswith(FIRST_BYTES[suffix]), path)
            if suffix == ".mp4":
                self.assertEqual(path.read_bytes()[4:8], b"ftyp", path)
        self.assertLessEqual(scenes, files)
        self.assertFalse({f for f in files - scenes}, "files that no question shows")

    def test_point_clouds_have_8192_points(self):
        for path in (MINI / "media" / "pc").iterdir():
            header = zipfile.ZipFile(path).read("arr_0.npy")[:128]
            self.assertIn(b"'descr': '<f4'", header)
            self.assertIn(b"'shape': (8192, 3)", header)

    def test_predicted_captions_lack_only_a_few(self):
        lines = (MINI / "predicted_captions.jsonl").read_text(encoding="utf-8").splitlines()
        rows = [json.loads(line) for line in lines]
        predicted = {(row["source"], row["id"]) for row in rows}
        self.assertEqual(len(predicted), len(rows))
        self.assertTrue(all(row["caption"] for row in rows))
        self.assertEqual(len(media_of(load("test.json")) - predicted), 4)
        self.assertFalse(media_of(load("val.json")) - predicted)

    def test_predictions_cover_the_test_set(self):
        test = load("test.json")
        for path in sorted((MINI / "predictions").iterdir()):
            rows = json.loads(path.read_text(encoding="utf-8"))
            self.assertEqual([(r["id"], r["gt_answer"]) for r in rows],
                             [(i["id"], i["gt_answer"]) for i in test])

    def test_is_small(self):
        size = sum(path.stat().st_size for path in MINI.rglob("*") if path.is_file())
        self.assertLess(size, MAX_BYTES)


if __name__ == "__main__":
    unittest.main()
