"""TensorBoard reads the event files of a training, also of one that went on from a checkpoint."""

import os
import subprocess
import tempfile
import unittest

from processes import BUILD
from tensorboard.backend.event_processing.event_accumulator import EventAccumulator


class TensorBoardTest(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.folder = cls.enterClassContext(tempfile.TemporaryDirectory())
        subprocess.run([BUILD / "train_event_file_test",
                        "--gtest_filter=EventFile.LeavesPointsForOtherReaders"],
                       env={**os.environ, "CONTRA4_EVENT_FOLDER": cls.folder}, check=True,
                       capture_output=True)
        cls.events = EventAccumulator(cls.folder, size_guidance={"scalars": 0})
        cls.events.Reload()

    def test_curves_have_their_names(self):
        self.assertEqual(sorted(self.events.Tags()["scalars"]), ["lr", "train_loss"])

    def test_points_behind_a_restart_are_void(self):
        points = self.events.Scalars("train_loss")
        self.assertEqual([point.step for point in points], list(range(80)))
        for point in points:
            value = (1 if point.step < 60 else 2) / (1 + point.step)
            self.assertAlmostEqual(point.value, value, delta=1e-7)
        self.assertEqual(points[0].wall_time, 1700000000)
        self.assertEqual(points[79].wall_time, 1700000279)

    def test_small_rates_keep_their_digits(self):
        rates = {point.step: point.value for point in self.events.Scalars("lr")}
        self.assertEqual(sorted(rates), list(range(60)))
        self.assertAlmostEqual(rates[59], 59e-7, delta=1e-12)


if __name__ == "__main__":
    unittest.main()
