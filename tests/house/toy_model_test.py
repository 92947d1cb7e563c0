"""Follows docs/adding-a-model.md for a toy: one line in native_models.inc, one folder, nothing else.

    python3 tests/house/toy_model_test.py BUILD_FOLDER

The line goes into a copy of the list that lies in front of the source tree on the include path. The
sources that read the list are compiled against it, with the toy, and linked with the libraries of the
build; the program then finds the toy as a family and answers a question by it. Were another existing
line needed, it would not compile, link or answer.
"""

import json
import shlex
import subprocess
import sys
import tempfile
import unittest
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
LIST = "contra4/inference/native_models.inc"
LINE = 'CONTRA4_NATIVE_MODEL(toy, "answers the scene whose file is the longest")\n'
READERS = ["src/contra4/inference/native_model.cpp", "src/contra4/models/registry.cpp",
           "src/contra4/clients/families.cpp"]

TOY = r"""
#include <ATen/ops/tensor.h>

#include "contra4/inference/native_model.h"
#include "contra4/models/scene_model.h"

namespace contra4::models {

std::unique_ptr<SceneModel> make_toy(const NativeModelOptions& options);

namespace {

class Toy final : public SceneModel {
 public:
  Result<PreparedMedium> prepare(Modality, std::string_view bytes, std::string_view) const override {
    return PreparedMedium{at::tensor(static_cast<double>(bytes.size()))};
  }
  std::vector<SceneFeatures> encode(Modality, std::span<const PreparedMedium> media) override {
    return {media.begin(), media.end()};
  }
  std::vector<SceneAnswer> answer(std::span<const SceneQuestion> questions) override {
    std::vector<SceneAnswer> answers;
    for (const SceneQuestion& question : questions) {
      SceneAnswer& answer = answers.emplace_back();
      for (const SceneFeatures* one : question.features) {
        answer.scores.push_back(one->at(0).item<double>());
      }
      const auto best = std::max_element(answer.scores.begin(), answer.scores.end());
      answer.choice = static_cast<int>(best - answer.scores.begin());
    }
    return answers;
  }
  std::size_t encode_batch_size(Modality) const override { return 2; }
  std::size_t answer_batch_size() const override { return 2; }
  std::string feature_key() const override { return "toy"; }
  std::string description_json() const override { return "{}"; }
};

}  // namespace

std::unique_ptr<SceneModel> make_toy(const NativeModelOptions&) { return std::make_unique<Toy>(); }

}  // namespace contra4::models
"""

MAIN = r"""
#include <fstream>
#include <iostream>
#include <utility>

#include "contra4/clients/families.h"
#include "contra4/models/native_answerer.h"
#include "contra4/models/registry.h"

using namespace contra4;

int main(int, char** arguments) {
  const auto spec = clients::parse_model_spec("toy/anything", false);
  std::cout << spec.family << '\n';
  models::NativeAnswerer answerer(models::make_scene_model(spec.family, {}), {});
  Question question{.ticket = 1, .item_id = "q", .text = "Which file is the longest?"};
  for (const char* text : {"short", "the longest of all", "longer"}) {
    ShownScene& scene = question.scenes.emplace_back();
    scene.media = std::string(arguments[1]) + "/" + text;
    std::ofstream(scene.media) << text;
  }
  std::optional<Question> next = question;
  answerer.run([&] { return std::exchange(next, std::nullopt); },
               [](Answer answer) { std::cout << *answer.choice << '\n'; }, {});
}
"""


def compile_flags(build):
    """Compiler and flags of a source of the torch half, without precompiled headers."""
    commands = json.loads((build / "compile_commands.json").read_text())
    words = next(shlex.split(command["command"]) for command in commands
                 if command["file"].endswith("models/registry.cpp"))
    if "c++" in words[1:8]:  # behind `env X=Y ccache`
        words = words[[i for i, word in enumerate(words) if word.endswith("c++")][0]:]
    flags, skip = [], False
    for i, word in enumerate(words):
        if skip:
            skip = False
        elif word in ("-o", "-c") or (word == "-include" and "cmake_pch" in words[i + 1]):
            skip = True
        elif word not in ("-Winvalid-pch", "-fpch-preprocess", "-O2", "-O3"):
            flags.append(word)
    return flags


def link_libraries(build):
    """What a test of the models is linked with, behind its own objects."""
    done = subprocess.run(["ninja", "-C", build, "-t", "commands", "models_native_answerer_test"],
                          capture_output=True, text=True, check=True)
    line = [line for line in done.stdout.splitlines() if "-o models_native_answerer_test" in line][-1]
    words = shlex.split(line)
    behind = words[words.index("models_native_answerer_test") + 1:]
    return [word for word in behind if word not in ("&&", ":")]


class ToyModelTest(unittest.TestCase):
    build = ROOT / "build"

    def test_page_and_sources_are_found_by_themselves(self):
        cmake = (ROOT / "src/contra4/models/CMakeLists.txt").read_text()
        self.assertRegex(cmake, r"file\(GLOB \w+ CONFIGURE_DEPENDS .*\*/\*\.cpp\)")
        page = (ROOT / "docs/adding-a-model.md").read_text()
        self.assertIn("src/contra4/inference/native_models.inc", page)

    def test_one_line_and_a_folder_make_a_model(self):
        with tempfile.TemporaryDirectory() as name:
            folder = Path(name)
            listed = folder / "front" / LIST
            listed.parent.mkdir(parents=True)
            listed.write_text((ROOT / "src" / LIST).read_text() + LINE)
            (folder / "toy.cpp").write_text(TOY)
            (folder / "main.cpp").write_text(MAIN)
            flags = compile_flags(self.build)
            sources = [ROOT / reader for reader in READERS] + [folder / "toy.cpp", folder / "main.cpp"]
            objects = []
            for source in sources:
                objects.append(folder / (source.stem + ".o"))
                self.run_well([flags[0], f"-I{folder / 'front'}", *flags[1:], "-O0", "-c", source,
                               "-o", objects[-1]])
            clients = self.build / "src/contra4/clients/libcontra4_clients.a"
            libraries = link_libraries(self.build)
            self.run_well([flags[0], *objects, "-o", folder / "toy", *libraries, clients,
                           *self.rooms_below_clients(), *libraries, "-lcrypto", "-lcurl"])
            media = folder / "media"
            media.mkdir()
            self.assertEqual(self.run_well([folder / "toy", media]), "toy\n1\n")

    def rooms_below_clients(self):
        return [self.build / f"src/contra4/{room}/libcontra4_{room}.a"
                for room in ("media", "inference", "scoring", "text", "net", "data", "io", "base")]

    def run_well(self, command):
        done = subprocess.run([str(word) for word in command], capture_output=True, text=True,
                              cwd=self.build)
        self.assertEqual(done.returncode, 0, f"{shlex.join(map(str, command))}\n{done.stderr[-3000:]}")
        return done.stdout


if __name__ == "__main__":
    if len(sys.argv) > 1:
        ToyModelTest.build = Path(sys.argv.pop(1)).resolve()
    unittest.main()
