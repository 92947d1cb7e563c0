"""Draws and writes data/mini: questions, pictures, sounds, videos, point clouds, predictions.

    make mini                              (or: tools/make_mini.sh [FOLDER])

Same tool versions, same bytes: every medium has a generator seeded by its name, and no file carries a
time. Needs numpy, Pillow and ffmpeg; building and testing contra4 do not.
"""

import csv
import hashlib
import json
import shutil
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from tools.mini import catalogue, pictures, points, questions, sounds, videos  # noqa: E402

CATALOGUES = {"test": catalogue.TEST, "val": catalogue.VALIDATION}
LETTERS = "ABCD"


def seed_of(modality, name):
    return int.from_bytes(hashlib.sha256(f"{modality}:{name}".encode()).digest()[:4], "big")


def write_medium(folder, modality, name, medium_id):
    seed = seed_of(modality, name)
    if modality == "image":
        pictures.write(folder / f"{medium_id}{pictures.suffix(name)}", name, seed)
    elif modality == "audio":
        sounds.write(folder / f"{medium_id}.wav", name, seed)
    elif modality == "video":
        videos.write(folder / f"{medium_id}.mp4", name, seed)
    else:
        points.write(folder / f"{medium_id}_8192.npz", points.cloud(name, seed))


def write_media(root):
    if root.exists():
        shutil.rmtree(root)
    for media in CATALOGUES.values():
        for modality, entries in media.items():
            folder = root / modality
            folder.mkdir(parents=True, exist_ok=True)
            for name, (medium_id, _, _) in entries.items():
                write_medium(folder, modality, name, medium_id)


def scene(media, reference):
    modality, name = reference.split(":")
    medium_id, caption, _ = media[modality][name]
    return modality, {"source": catalogue.SOURCES[modality], "id": medium_id, "caption": caption}


def items(split, rows):
    """Items in the schema of the README. The right scene of the k-th question with n scenes gets the
    letter k mod n; the other scenes follow in the order written, turned by k."""
    media, seen, result = CATALOGUES[split], {}, []
    for number, (strategy, category, question, scenes) in enumerate(rows):
        count = len(scenes)
        turn = seen.get(count, 0)
        seen[count] = turn + 1
        right, others = scenes[0], scenes[1:]
        others = others[turn % len(others):] + others[:turn % len(others)]
        shown = others[:turn % count] + [right] + others[turn % count:]
        modalities, examples = zip(*(scene(media, reference) for reference in shown))
        result.append({
            "id": f"mini_{split}_{number:02d}", "selection_type": strategy, "q_type": f"mc_{count}",
            "question": question, "gt_answer": f"Scene {LETTERS[turn % count]}",
            "category": category, "modalities": list(modalities), "examples": list(examples)})
    return result


def write_json(path, value):
    path.write_text(json.dumps(value, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")


def write_predicted_captions(path):
    with path.open("w", encoding="utf-8") as file:
        for media in CATALOGUES.values():
            for modality, entries in media.items():
                for medium_id, _, predicted in entries.values():
                    if predicted is None:
                        continue
                    row = {"source": catalogue.SOURCES[modality], "id": medium_id,
                           "model": "written-by-hand", "caption": predicted}
                    file.write(json.dumps(row, ensure_ascii=False) + "\n")


def write_captions(folder):
    """The media of both sets as corpora to make data sets from: a table per modality."""
    folder.mkdir(parents=True, exist_ok=True)
    for modality in catalogue.SOURCES:
        with (folder / f"{modality}.csv").open("w", encoding="utf-8", newline="") as file:
            table = csv.writer(file, lineterminator="\n")
            table.writerow(["id", "caption"])
            for media in CATALOGUES.values():
                for medium_id, caption, _ in media[modality].values():
                    table.writerow([medium_id, caption])


def write_predictions(folder, test):
    """Two made-up models in the styles that real ones answer in: `careful` is wrong on every sixth
    question and always names one scene; `hasty` says A whenever it can, and now and then names every
    scene or none."""
    folder.mkdir(parents=True, exist_ok=True)
    careful, hasty = [], []
    for number, item in enumerate(test):
        count, right = len(item["examples"]), LETTERS.index(item["gt_answer"][-1])
        letter = LETTERS[(right + (number % 6 == 5)) % count]
        style = ("Scene {}", "{}", "{}.", "**{}**", "Answer: Scene {}. It fits best.")[number % 5]
        row = {"id": item["id"], "gt_answer": item["gt_answer"]}
        careful.append({**row, "pred_ans": style.format(letter)})
        text = "Scene A"
        if number % 8 == 3:
            text = ", ".join(f"Scene {LETTERS[k]}" for k in range(count))
        elif number % 8 == 6:
            text = "I cannot tell."
        hasty.append({**row, "pred_ans": text})
    write_json(folder / "careful.json", careful)
    write_json(folder / "hasty.json", hasty)


def main():
    root = Path(sys.argv[1] if len(sys.argv) > 1 else "data/mini")
    root.mkdir(parents=True, exist_ok=True)
    write_media(root / "media")
    test = items("test", questions.TEST)
    validation = items("val", questions.VALIDATION)
    write_json(root / "test.json", test)
    write_json(root / "val.json", validation)
    write_predicted_captions(root / "predicted_captions.jsonl")
    write_captions(root / "captions")
    write_predictions(root / "predictions", test)
    size = sum(path.stat().st_size for path in root.rglob("*") if path.is_file())
    print(f"{root}: {len(test)} test and {len(validation)} validation questions, {size / 1e6:.1f} MB")


if __name__ == "__main__":
    main()
