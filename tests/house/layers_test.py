"""The rooms depend downwards only, and the check that says so sees what goes against it.

    python3 tests/house/layers_test.py
"""

import sys
import tempfile
import unittest
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(Path(__file__).resolve().parent))

import layers  # noqa: E402

PAGE = """# Page

## Rooms

| room | floor | what for | may use |
|---|---|---|---|
| `base` | 0 | errors | |
| `io` | 1 | files | `base` |
| `net` | 1 | servers | `base` |
| `tensor` | 2 | numbers | `base` `io` |

## Doors

| library | headers | targets | rooms |
|---|---|---|---|
| libcurl | `curl/` | `CURL::libcurl` | `net` |
| libtorch | `torch/` `ATen/` | `contra4_libtorch` | `tensor` |
"""


class Tree:
    """A source tree in a temporary folder."""

    def __init__(self, test, page=PAGE):
        folder = tempfile.TemporaryDirectory()
        test.addCleanup(folder.cleanup)
        self.root = Path(folder.name)
        self.write("docs/architecture.md", page)
        self.write("src/contra4/base/error.h", "#include <string>\n")
        self.write("src/contra4/io/file.cpp",
                   '#include "contra4/io/file.h"\n#include "contra4/base/error.h"\n')
        self.write("src/contra4/io/CMakeLists.txt", "contra4_library(io SRCS file.cpp DEPS base)\n")

    def write(self, name, text):
        path = self.root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)

    def findings(self):
        return [finding.replace(f"{self.root}/", "") for finding in layers.check(self.root)]


class ProjectTest(unittest.TestCase):
    def test_no_room_goes_against_the_page(self):
        self.assertEqual(list(layers.check(ROOT)), [])

    def test_the_page_names_the_rooms_of_both_halves(self):
        rooms = layers.read_rooms((ROOT / layers.PAGE).read_text(encoding="utf-8"))
        torch_half = {"tensor", "features", "nn", "models", "train", "torch_module"}
        self.assertLess(torch_half, rooms.keys())
        for name in rooms.keys() - torch_half:
            self.assertFalse(rooms[name].may_use & torch_half, f"{name} uses the torch half")


class CheckTest(unittest.TestCase):
    def test_a_good_tree_has_no_findings(self):
        self.assertEqual(Tree(self).findings(), [])

    def test_finds_an_include_upwards(self):
        tree = Tree(self)
        tree.write("src/contra4/base/log.cpp", '\n#  include "contra4/io/file.h"\n')
        self.assertEqual(tree.findings(), ["src/contra4/base/log.cpp:2: `base` may not use `io`"])

    def test_finds_an_include_of_a_neighbour_in_angle_brackets(self):
        tree = Tree(self)
        tree.write("src/contra4/net/url.h", "#include <contra4/io/file.h>\n")
        self.assertEqual(tree.findings(), ["src/contra4/net/url.h:1: `net` may not use `io`"])

    def test_finds_an_include_without_its_room(self):
        tree = Tree(self)
        tree.write("src/contra4/io/other.cpp", '#include "file.h"\n')
        (finding,) = tree.findings()
        self.assertIn("named from the root", finding)

    def test_finds_headers_outside_their_door(self):
        tree = Tree(self)
        tree.write("src/contra4/io/load.cpp", "#include <curl/curl.h>\n#include <ATen/ATen.h>\n")
        self.assertEqual(tree.findings(),
                         ["src/contra4/io/load.cpp:1: <curl/curl.h> stays behind the door of net",
                          "src/contra4/io/load.cpp:2: <ATen/ATen.h> stays behind the door of tensor"])

    def test_finds_the_slow_header_of_torch_in_a_header(self):
        tree = Tree(self)
        tree.write("src/contra4/tensor/a.cpp", "#include <torch/torch.h>\n")
        self.assertEqual(tree.findings(), [])
        tree.write("src/contra4/tensor/a.h", "#include <torch/torch.h>\n")
        (finding,) = tree.findings()
        self.assertIn("is for sources", finding)

    def test_finds_a_link_upwards(self):
        tree = Tree(self)
        tree.write("src/contra4/base/CMakeLists.txt",
                   "contra4_library(base\n  SRCS a.cpp\n  DEPS\n    io # comment\n  LIBS fmt::fmt)\n")
        self.assertEqual(tree.findings(),
                         ["src/contra4/base/CMakeLists.txt: `base` may not link `io`"])

    def test_finds_a_link_by_target_name(self):
        for target in ("contra4::tensor", "contra4_tensor"):
            tree = Tree(self)
            tree.write("src/contra4/net/CMakeLists.txt",
                       f"target_link_libraries(contra4_net PRIVATE {target})\n")
            self.assertEqual(tree.findings(),
                             ["src/contra4/net/CMakeLists.txt: `net` may not link `tensor`"])

    def test_finds_a_library_outside_its_door(self):
        tree = Tree(self)
        tree.write("src/contra4/io/CMakeLists.txt",
                   "contra4_library(io SRCS a.cpp DEPS base LIBS CURL::libcurl contra4_libtorch)\n")
        self.assertEqual([finding.split(": ")[1].split(" ")[0] for finding in tree.findings()],
                         ["CURL::libcurl", "contra4_libtorch"])

    def test_finds_a_dependency_that_is_no_room(self):
        tree = Tree(self)
        tree.write("src/contra4/io/CMakeLists.txt", "contra4_library(io SRCS a.cpp DEPS bsae)\n")
        (finding,) = tree.findings()
        self.assertIn("'bsae', which is no room", finding)

    def test_ignores_comments(self):
        tree = Tree(self)
        tree.write("src/contra4/io/a.cpp", '// #include "contra4/net/url.h"\n')
        tree.write("src/contra4/base/CMakeLists.txt", "# contra4::io is not for base\n")
        self.assertEqual(tree.findings(), [])

    def test_finds_a_folder_that_is_no_room(self):
        tree = Tree(self)
        tree.write("src/contra4/utils/a.h", "")
        (finding,) = tree.findings()
        self.assertIn("no room of docs/architecture.md", finding)

    def test_finds_a_table_against_the_floors(self):
        tree = Tree(self, PAGE.replace("| servers | `base` |", "| servers | `base` `io` |"))
        (finding,) = tree.findings()
        self.assertIn("`net` (floor 1) uses `io` (floor 1), which does not lie lower", finding)

    def test_a_page_without_tables_is_an_error(self):
        with self.assertRaisesRegex(ValueError, "no heading '## Rooms'"):
            Tree(self, "# Page\n").findings()


if __name__ == "__main__":
    unittest.main()
