"""What the judge of chaos.py must catch, each planted in a log that is otherwise in order: python3 -m unittest discover reference-broker/conformance"""
import unittest

import chaos

ACKED = {"0", "1", "2", "3"}
LOG = {(0, 0): "0", (0, 1): "2", (1, 0): "1", (1, 1): "3"}
READ = [(str(partition), str(offset), value) for (partition, offset), value in LOG.items()]


class JudgeTests(unittest.TestCase):
    def log(self, changes, idempotent=True, acked=ACKED, unsure=()):
        return chaos.judge_log(set(acked), set(unsure), {at: value for at, value in {**LOG, **changes}.items() if value}, idempotent)

    def group(self, rows):
        return chaos.judge_group(ACKED, LOG, lambda: rows, seconds=0)

    def test_a_log_in_order_is_held(self):
        self.assertIsNone(self.log({}))
        self.assertIsNone(self.log({(0, 2): "4"}, unsure=["4", "5"]))

    def test_a_lost_record_is_seen(self):
        self.assertIn("1 of 4 acknowledged records are lost, such as ['3']", self.log({(1, 1): None}))

    def test_a_record_that_is_there_twice_is_seen_unless_nobody_promised_once(self):
        self.assertIn("2 is there twice", self.log({(0, 2): "2"}))
        self.assertIsNone(self.log({(0, 2): "2"}, idempotent=False))
        self.assertIn("4 is there twice", self.log({(0, 2): "4", (0, 3): "4"}, unsure=["4"]))

    def test_a_record_out_of_order_is_seen(self):
        self.assertIn("0 at (0, 1) stands after 2 at (0, 0)", self.log({(0, 0): "2", (0, 1): "0"}))
        self.assertIn("stands after", self.log({(0, 0): "2", (0, 1): "0"}, idempotent=False))

    def test_a_record_that_nobody_sent_is_seen(self):
        self.assertIn("9 at (1, 2) was never sent", self.log({(1, 2): "9"}))

    def test_a_group_that_read_everything_is_held_however_often(self):
        self.assertIsNone(self.group(READ + READ[:2]))

    def test_a_record_that_the_group_never_read_is_seen(self):
        self.assertIn("never read 1 of 4", self.group(READ[:3]))

    def test_a_record_read_at_another_offset_is_seen(self):
        self.assertIn("where the log has None", self.group(READ + [("1", "7", "3")]))


if __name__ == "__main__":
    unittest.main()
