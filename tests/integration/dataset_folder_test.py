"""A finished data set is what the programs of others take it for.

huggingface_hub reads the header of the card, mlcroissant validates croissant.json and reads the
records that it describes, datasets loads the folder as the card says. CONTRA4_DATASET_FOLDER names
a folder to look at; without it `contra4 pipeline data/mini/pipeline.yaml` makes one.
"""

import hashlib
import json
import os
import subprocess
import tempfile
import unittest
import xml.dom.minidom
from pathlib import Path

import datasets
import mlcroissant
from huggingface_hub import DatasetCard

from processes import BUILD, ROOT


class DatasetFolderTest(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        scratch = cls.enterClassContext(tempfile.TemporaryDirectory())
        cls.cache = Path(scratch) / "cache"
        folder = os.environ.get("CONTRA4_DATASET_FOLDER")
        if not folder:
            subprocess.run([BUILD / "contra4", "pipeline", "data/mini/pipeline.yaml",
                            "--output-dir", scratch], cwd=ROOT, check=True, capture_output=True)
            folder = Path(scratch) / "dataset"
        cls.folder = Path(folder)
        cls.manifest = json.loads((cls.folder / "manifest.json").read_text())
        cls.rows = {split: json.loads((cls.folder / f"{split}.json").read_text())
                    for split in cls.manifest["splits"]}

    def test_header_of_the_card(self):
        data = DatasetCard.load(self.folder / "README.md", repo_type="dataset").data.to_dict()
        self.assertEqual(data["pretty_name"], self.manifest["title"])
        self.assertEqual(data["license"], self.manifest["licence"]["id"])
        for member in ("language", "task_categories", "size_categories", "tags", "configs"):
            self.assertTrue(data[member], member)

    def test_croissant_is_valid_and_its_records_are_the_rows(self):
        dataset = mlcroissant.Dataset(self.folder / "croissant.json")
        self.assertEqual(list(dataset.metadata.ctx.issues.errors), [])
        for split, rows in self.rows.items():
            records = list(dataset.records(split))
            self.assertEqual(len(records), len(rows))
            for record, row in zip(records, rows):
                text = {name.removeprefix(f"{split}/"): value for name, value in record.items()}
                for name in ("id", "question", "gt_answer"):
                    self.assertEqual(text[name].decode(), str(row[name]))
                scenes = [{name.rsplit("/", 1)[1]: value.decode() for name, value in scene.items()}
                          for scene in text["examples"]]
                self.assertEqual(scenes, [
                    {"source": scene["source"], "id": str(scene["id"]),
                     "caption": scene["caption"], "modality": modality}
                    for scene, modality in zip(row["examples"], row["modalities"])])

    def test_datasets_loads_the_folder(self):
        loaded = datasets.load_dataset(str(self.folder), cache_dir=str(self.cache))
        for split, rows in self.rows.items():
            self.assertEqual(loaded[split]["question"], [row["question"] for row in rows])

    def test_manifest_knows_every_file(self):
        for name, file in self.manifest["files"].items():
            content = (self.folder / name).read_bytes()
            self.assertEqual(hashlib.sha256(content).hexdigest(), file["sha256"], name)
            self.assertEqual(len(content), file["bytes"], name)

    def test_picture_is_well_formed(self):
        root = xml.dom.minidom.parse(str(self.folder / "funnel.svg")).documentElement
        self.assertEqual(root.getAttribute("role"), "img")
        self.assertTrue(root.getElementsByTagName("title"))


if __name__ == "__main__":
    unittest.main()
