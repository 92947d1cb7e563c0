"""What the program and its torch module link: links_test.py BUILD [TORCH_DIR VENV]

The program links neither torch nor Arrow nor a codec. The module takes libtorch from TORCH_DIR, the wheel in the
virtual environment, even where CMake can see another installation first. Without TORCH_DIR only the
program is looked at.
"""
import os
import pathlib
import subprocess
import sys
import tempfile
import unittest

SOURCE = pathlib.Path(__file__).resolve().parents[2]
BUILD = pathlib.Path(sys.argv[1])
TORCH_DIR = pathlib.Path(sys.argv[2]) if len(sys.argv) > 3 else None
VENV = sys.argv[3] if len(sys.argv) > 3 else None


def linked_libraries(file):
    """{name: resolved path or ''} as the loader finds them, without help from the environment."""
    environment = {k: v for k, v in os.environ.items() if k != "LD_LIBRARY_PATH"}
    output = subprocess.run(["ldd", str(file)], check=True, env=environment,
                            capture_output=True, text=True).stdout
    libraries = {}
    for line in output.splitlines():
        name, _, target = line.strip().partition(" => ")
        libraries[name.split(" ")[0]] = target.split(" (")[0]
    return libraries


class Links(unittest.TestCase):
    def test_program_links_neither_torch_nor_arrow_nor_codecs(self):
        program = BUILD / "contra4"
        self.assertTrue(program.exists(), f"{program} is not built")
        names = " ".join(linked_libraries(program))
        for forbidden in ("torch", "libc10", "arrow", "parquet", "libav", "libsw", "jpeg"):
            self.assertNotIn(forbidden, names)

    @unittest.skipUnless(TORCH_DIR, "built without the torch half")
    def test_module_takes_libtorch_from_the_wheel(self):
        libraries = linked_libraries(BUILD / "libcontra4_torch.so")
        wheel = (TORCH_DIR / "lib").resolve()
        for name in ("libtorch_cpu.so", "libc10.so"):
            self.assertIn(name, libraries)
            self.assertEqual(pathlib.Path(libraries[name]).resolve().parent, wheel)

    @unittest.skipUnless(TORCH_DIR, "built without the torch half")
    def test_another_torch_in_the_prefix_path_is_not_picked_up(self):
        with tempfile.TemporaryDirectory() as folder:
            bogus = pathlib.Path(folder, "prefix", "share", "cmake", "Torch")
            bogus.mkdir(parents=True)
            (bogus / "TorchConfig.cmake").write_text(
                'message(FATAL_ERROR "a torch outside the virtual environment was picked up")\n')
            library = pathlib.Path(folder, "prefix", "lib")
            library.mkdir()
            (library / "libtorch_cpu.so").write_text("not a library\n")
            build = pathlib.Path(folder, "build")
            configured = subprocess.run(
                ["cmake", "-S", str(SOURCE), "-B", str(build), "-G", "Ninja",
                 f"-DCMAKE_PREFIX_PATH={folder}/prefix", f"-DCONTRA4_TORCH_DIR={TORCH_DIR}",
                 f"-DCONTRA4_VENV={VENV}", "-DCONTRA4_WITH_PARQUET=OFF",
                 "-DCONTRA4_TESTS=OFF", "-DCONTRA4_WITH_TORCH=ON"],
                capture_output=True, text=True)
            self.assertEqual(configured.returncode, 0, configured.stdout + configured.stderr)
            rules = (build / "build.ninja").read_text()
            self.assertIn(str(TORCH_DIR / "lib" / "libtorch_cpu.so"), rules)
            self.assertNotIn(f"{folder}/prefix/lib", rules)


if __name__ == "__main__":
    unittest.main(argv=sys.argv[:1])
