"""Checks that rooms depend downwards only, as docs/architecture.md says.

    python3 tests/house/layers.py [ROOT]

Reads two tables of that page: the rooms (floor, what each may use) and the doors (which rooms may see
a third party's headers and link its library). Fails on an #include or a CMake dependency below src/
that goes against them, and on tables that contradict themselves. Exit 1 with one line per finding.
"""

import re
import sys
from dataclasses import dataclass
from pathlib import Path

PAGE = "docs/architecture.md"
INCLUDE = re.compile(r'^\s*#\s*include\s*([<"])([^>"]+)[>"]')
CMAKE_CALL = re.compile(r"(contra4_library|contra4_module)\s*\(([^)]*)\)")
CMAKE_KEYWORDS = {"SRCS", "DEPS", "LIBS", "PUBLIC_LIBS"}
OWN_TARGET = re.compile(r"\bcontra4(?:::|_)([a-z_]+)\b")
SOURCE_SUFFIXES = {".h", ".hpp", ".cpp", ".cc", ".inc"}


@dataclass
class Room:
    floor: int
    may_use: set


@dataclass
class Door:
    headers: list  # beginnings of header names: "curl/"
    targets: list  # CMake targets
    rooms: set


def table_rows(text, heading):
    """Cells of the first table below a heading, without its two head lines."""
    part = text.split(f"\n## {heading}\n", 1)
    if len(part) < 2:
        raise ValueError(f"{PAGE}: no heading '## {heading}'")
    rows = []
    for line in part[1].splitlines():
        if line.startswith("## "):
            break
        if line.startswith("|"):
            rows.append([cell.strip() for cell in line.strip().strip("|").split("|")])
        elif rows:
            break
    if len(rows) < 3:
        raise ValueError(f"{PAGE}: no table below '## {heading}'")
    return rows[2:]


def names(cell):
    return re.findall(r"`([^`]+)`", cell)


def read_rooms(text):
    """Room by name, in the order of the page. Columns: room, floor, what for, may use."""
    rooms = {}
    for cells in table_rows(text, "Rooms"):
        (name,) = names(cells[0])
        rooms[name] = Room(int(cells[1]), set(names(cells[3])))
    return rooms


def read_doors(text):
    """Columns: library, headers, CMake targets, rooms."""
    return [Door(names(cells[1]), names(cells[2]), set(names(cells[3])))
            for cells in table_rows(text, "Doors")]


def check_tables(rooms, doors):
    for name, room in rooms.items():
        for used in sorted(room.may_use):
            if used not in rooms:
                yield f"{PAGE}: `{name}` uses `{used}`, which is no room"
            elif rooms[used].floor >= room.floor:
                yield (f"{PAGE}: `{name}` (floor {room.floor}) uses `{used}` "
                       f"(floor {rooms[used].floor}), which does not lie lower")
    for door in doors:
        for name in sorted(door.rooms - rooms.keys()):
            yield f"{PAGE}: a door names `{name}`, which is no room"


def check_include(name, room, rooms, doors, bracket, header):
    """What is wrong with one #include of room `name`, or None."""
    if header.startswith("contra4/"):
        used = header.split("/")[1]
        if used not in rooms:
            return f"'{used}' is no room of {PAGE}"
        if used != name and used not in room.may_use:
            return f"`{name}` may not use `{used}`"
        return None
    if bracket == '"':
        return f'"{header}": project headers are named from the root, "contra4/{name}/..."'
    for door in doors:
        if name not in door.rooms and any(header.startswith(start) for start in door.headers):
            return f"<{header}> stays behind the door of {', '.join(sorted(door.rooms))}"
    return None


def check_sources(folder, name, rooms, doors):
    for path in sorted(folder.rglob("*")):
        if path.suffix not in SOURCE_SUFFIXES:
            continue
        lines = path.read_text(encoding="utf-8", errors="replace").splitlines()
        for number, line in enumerate(lines, 1):
            found = INCLUDE.match(line)
            if not found:
                continue
            bracket, header = found.groups()
            where = f"{path}:{number}"
            if problem := check_include(name, rooms[name], rooms, doors, bracket, header):
                yield f"{where}: {problem}"
            if header == "torch/torch.h" and path.suffix == ".h":
                yield f"{where}: <torch/torch.h> is for sources: it takes seconds to compile"


def words_after(keyword, words):
    """The words between a keyword of a call and the next keyword."""
    if keyword not in words:
        return []
    rest = words[words.index(keyword) + 1:]
    end = next((i for i, word in enumerate(rest) if word in CMAKE_KEYWORDS), len(rest))
    return rest[:end]


def check_cmake(path, name, rooms, doors):
    text = re.sub(r"#.*", "", path.read_text(encoding="utf-8"))
    used = set()
    for _, arguments in CMAKE_CALL.findall(text):
        used.update(words_after("DEPS", arguments.split()))
    used.update(target for target in OWN_TARGET.findall(text) if target in rooms)
    for other in sorted(used - {name}):
        if other not in rooms:
            yield f"{path}: DEPS names '{other}', which is no room of {PAGE}"
        elif other not in rooms[name].may_use:
            yield f"{path}: `{name}` may not link `{other}`"
    for door in doors:
        for target in door.targets:
            if name not in door.rooms and re.search(rf"(?<![\w:]){re.escape(target)}(?![\w:])", text):
                yield f"{path}: {target} stays behind the door of {', '.join(sorted(door.rooms))}"


def check(root):
    """Every finding below a source tree."""
    root = Path(root)
    text = (root / PAGE).read_text(encoding="utf-8")
    rooms, doors = read_rooms(text), read_doors(text)
    yield from check_tables(rooms, doors)
    for folder in sorted(path for path in (root / "src" / "contra4").iterdir() if path.is_dir()):
        name = folder.name
        if name not in rooms:
            yield f"{folder}: no room of {PAGE}"
            continue
        yield from check_sources(folder, name, rooms, doors)
        for cmake in sorted(folder.rglob("CMakeLists.txt")):
            yield from check_cmake(cmake, name, rooms, doors)


def main():
    root = Path(sys.argv[1]) if len(sys.argv) > 1 else Path(__file__).resolve().parents[2]
    findings = list(check(root))
    for finding in findings:
        print(finding)
    print(f"rooms: {len(findings)} findings")
    return 1 if findings else 0


if __name__ == "__main__":
    sys.exit(main())
