"""Says in a few lines what a test run came to.

    python3 tools/test_summary.py BUILD_FOLDER CTEST_STATUS [--golden-must-run]

Reads BUILD_FOLDER/tests.xml (JUnit, written by ctest). Exit 1 when a test failed, when ctest itself
failed, or, with --golden-must-run, when a test of the label `golden` was skipped.
"""

import json
import subprocess
import sys
import xml.etree.ElementTree as xml
from collections import Counter
from pathlib import Path

MAX_SHOWN = 10
MAX_OUTPUT_LINES = 60


def golden_tests(folder):
    """Names of the tests that carry the label `golden`."""
    listing = subprocess.run(
        ["ctest", "--test-dir", folder, "-L", "golden", "--show-only=json-v1"],
        check=True, capture_output=True, text=True)
    return {test["name"] for test in json.loads(listing.stdout)["tests"]}


def output_of(case):
    lines = (case.findtext("system-out") or "").strip().splitlines()
    return lines[-MAX_OUTPUT_LINES:]


def skip_reason(case):
    """The test's own words; ctest repeats only the pattern it was recognised by."""
    lines = [line.strip() for line in output_of(case)]
    for index, line in enumerate(lines):
        if line.endswith(": Skipped") and index + 1 < len(lines):
            return lines[index + 1]
    return "skipped"


def main():
    folder, ctest_status = sys.argv[1], int(sys.argv[2])
    golden_must_run = "--golden-must-run" in sys.argv[3:]
    report = Path(folder) / "tests.xml"
    if ctest_status != 0 and not report.exists():
        print((Path(folder) / "tests.log").read_text(errors="replace")[-4000:])
        return 1
    cases = list(xml.parse(report).getroot().iter("testcase"))
    failed = [case for case in cases if case.get("status") == "fail"]
    skipped = [case for case in cases if case.get("status") in ("notrun", "disabled")]

    for case in failed[:MAX_SHOWN]:
        print(f"FAILED {case.get('name')}")
        print("\n".join("  " + line for line in output_of(case)))
    for case in failed[MAX_SHOWN:]:
        print(f"FAILED {case.get('name')}")
    for reason, count in Counter(skip_reason(case) for case in skipped).most_common():
        print(f"{count} skipped: {reason}")

    wrongly_skipped = []
    if golden_must_run:
        golden = golden_tests(folder)
        wrongly_skipped = [case.get("name") for case in skipped if case.get("name") in golden]
        for name in wrongly_skipped:
            print(f"SKIPPED golden test {name}")

    num_failed = len(failed) + len(wrongly_skipped)
    num_passed = len(cases) - len(failed) - len(skipped)
    print(f"{num_passed} passed, {num_failed} failed, {len(skipped) - len(wrongly_skipped)} skipped")
    if ctest_status != 0 and num_failed == 0:
        print(f"ctest ended with {ctest_status}; see {folder}/tests.log")
    return 1 if num_failed or ctest_status != 0 else 0


if __name__ == "__main__":
    sys.exit(main())
