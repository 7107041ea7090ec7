"""Tests of the second reader: `make test-reader`, or python3 -m unittest in this directory."""

import contextlib
import io
import json
import os
import random
import shutil
import struct
import sys
import tempfile
import unittest

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, HERE)

import read_wal  # noqa: E402
from read_wal import BATCH, FOOTER, MARK, RECORD, crc32c  # noqa: E402

GOLDEN = os.path.join(HERE, "..", "WriteAheadLogTests", "Golden", "v1")
# Level 1 around JSON, without a dictionary.
ZSTD_OF_JSON = b"\2\1" + struct.pack("<IIQ", 2, 0, 0) + b"\1"
SEGMENT = "%020d.wal"


def read(directory, *options):
    """Exit status, lines, and what was said on stderr."""
    out, said = io.StringIO(), io.StringIO()
    with contextlib.redirect_stderr(said):
        status = read_wal.run(list(options) + [directory], out)
    return status, out.getvalue().splitlines(), said.getvalue()


def golden_records():
    """What the golden files hold: see GoldenFileTests.swift."""
    return [b"golden record %d" % k + b"\7" * (k % 9) for k in range(1, 21)]


# A small writer ---------------------------------------------------------------------------------------------------------

def signed(data):
    return data + struct.pack("<I", crc32c(data))


def header(partition=1, first=1, epoch=1, salt=99, codec=0, version=1, flags=0, frames=12288,
           items=((1, b"bytes"), (2, b""), (3, b"bytes"))):
    area = b"".join(struct.pack("<HH", tag, len(content)) + content for tag, content in items)
    head = b"SWIFTWAL" + struct.pack("<4I4Q2I", version, frames, flags, partition, first, epoch, salt, 0, codec, len(area))
    return signed(head + area).ljust(4096, b"\0")


def mark(durable, offset, sequence, partition=1, first=1, epoch=1, salt=99):
    body = b"WALMARK1" + struct.pack("<6QI", salt, epoch, durable, offset, sequence, first, partition)
    return signed(body)


def frame(kind, lsn, payload, salt=99):
    length = 16 + len(payload)
    body = payload.ljust(read_wal.padded(len(payload)), b"\0")
    word = kind << 56 | lsn
    checksum = crc32c(body + struct.pack("<QQ", length, word ^ salt))
    return struct.pack("<IIQ", length, checksum, word) + body


def batch(records):
    return struct.pack("<I", len(records)) + b"".join(struct.pack("<I", len(each)) + each for each in records)


def slot(partition=1, sequence=2, epoch=1, oldest=1, first=1, free=1, durable=0, clean=0, starts=(), version=1):
    body = b"WALSTATE" + struct.pack("<2I8Q", version, partition, sequence, epoch, oldest, first, free, durable, clean,
                                     len(starts))
    body += b"".join(struct.pack("<QQ", *start) for start in starts)
    return signed(body.ljust(508, b"\0"))


class SegmentWriter:
    def __init__(self, first=1, partition=1, epoch=1, salt=99, **more):
        self.first = self.next = first
        self.epoch, self.salt, self.partition = epoch, salt, partition
        self.data = bytearray(header(partition, first, epoch, salt, **more)).ljust(12288, b"\0")

    def put(self, kind, payload, following=0, lsn=None):
        offset = len(self.data)
        self.data += frame(kind, self.next if lsn is None else lsn, payload, self.salt)
        self.next += following
        return offset

    def record(self, payload=None):
        return self.put(RECORD, b"record %d" % self.next if payload is None else payload, 1)

    def batch(self, records):
        return self.put(BATCH, batch(records), len(records))

    def mark_frame(self, durable, offset=None, own=None):
        here = len(self.data)
        return self.put(MARK, struct.pack("<4Q", durable, here if offset is None else offset, self.epoch,
                                          here if own is None else own))

    def mark(self, durable, offset, sequence, **more):
        place = 4096 + 4096 * (sequence & 1)
        self.data[place:place + 64] = mark(durable, offset, sequence, self.partition, self.first, self.epoch, self.salt, **more)

    def seal(self, entries=(), records=None, last=None):
        here = len(self.data)
        payload = struct.pack("<4Q2I", self.next - self.first if records is None else records,
                              self.next - 1 if last is None else last, here, 0, len(entries), 0)
        self.put(FOOTER, payload + b"".join(struct.pack("<3Q", lsn, offset, 0) for lsn, offset in entries))
        self.data += signed(b"WALSEAL1" + struct.pack("<QQI", here, self.salt, 0))


class LogCase(unittest.TestCase):
    def setUp(self):
        # In memory, where there is such a place: thousands of small files.
        base = "/dev/shm" if os.access("/dev/shm", os.W_OK) else None
        self.directory = tempfile.mkdtemp(prefix="read-wal-", dir=base)
        self.addCleanup(shutil.rmtree, self.directory, True)

    def path(self, name, partition=1):
        return os.path.join(self.directory, "partition-%05d" % partition, name)

    def write(self, *segments, state=None, partition=1):
        os.makedirs(os.path.dirname(self.path("", partition)), exist_ok=True)
        for segment in segments:
            with open(self.path(SEGMENT % segment.first, partition), "wb") as file:
                file.write(segment.data)
        if state is not None:
            with open(self.path("STATE", partition), "wb") as file:
                file.write(state.ljust(4096, b"\0") + bytes(512))

    def expect(self, status, lsns, says=""):
        found, lines, said = read(self.directory)
        self.assertEqual((found, [int(line.split(" ")[1]) for line in lines]), (status, list(lsns)), said)
        if says:
            self.assertIn(says, said)
        else:
            self.assertEqual(said, "")


# Tests ------------------------------------------------------------------------------------------------------------------

class ChecksumTests(unittest.TestCase):
    def test_vectors(self):
        for data, wanted in [(b"", 0), (b"123456789", 0xE3069283), (bytes(32), 0x8A9136AA), (b"\xff" * 32, 0x62A8AB43),
                             (bytes(range(32)), 0x46DD794E), (bytes(reversed(range(32))), 0x113FDB5C)]:
            self.assertEqual(crc32c(data), wanted)

    def test_every_way_of_computing_it_gives_the_same(self):
        def plainly(data):
            crc = 0xFFFFFFFF
            for byte in data:
                crc ^= byte
                for _ in range(8):
                    crc = (crc >> 1) ^ (0x82F63B78 if crc & 1 else 0)
            return crc ^ 0xFFFFFFFF

        numbers = random.Random(1)
        for size in list(range(33)) + [8191, 8192, 8193, 8256, 20001]:
            data = bytes(numbers.randrange(256) for _ in range(size))
            self.assertEqual(crc32c(data), plainly(data))
            self.assertEqual(crc32c(data[size // 3:], crc32c(data[:size // 3])), plainly(data))


class GoldenTests(LogCase):
    def setUp(self):
        super().setUp()
        self.whole = {}
        for partition, count in ((7, 20), (8, 6)):
            name = "partition-%05d" % partition
            shutil.copytree(os.path.join(GOLDEN, name), os.path.join(self.directory, str(partition), name))
            self.whole[partition] = ["%d %d %s" % (partition, lsn, payload.hex())
                                     for lsn, payload in enumerate(golden_records()[:count], 1)]

    def test_listing(self):
        status, lines, said = read(GOLDEN)
        self.assertEqual((status, lines, said), (0, self.whole[7] + self.whole[8], ""))

    def test_json(self):
        status, lines, _ = read(GOLDEN, "--json")
        found = [json.loads(line) for line in lines]
        self.assertEqual(status, 0)
        self.assertEqual(["%(partition)d %(lsn)d %(payload)s" % each for each in found], self.whole[7] + self.whole[8])
        self.assertEqual({each["codec"] for each in found}, {0})

    def test_records_of_the_binary_codec_are_read_without_swift(self):
        """What GoldenBinaryTests.swift wrote with Codable."""
        status, lines, said = read(os.path.join(GOLDEN, "..", "binary"), "--json", "--decode")
        self.assertEqual((status, said), (0, ""))
        found = [json.loads(line) for line in lines]
        self.assertEqual([(each["partition"], each["lsn"], each["codec"]) for each in found],
                         [(3, lsn, 1) for lsn in range(1, 6)])
        self.assertEqual([each["value"] for each in found], [
            {"put": {"key": "größe", "value": {"bytes": "007fff"}, "times": -3}},
            {"measure": {"_0": [1.5, -0.25]}},
            {"clear": {}},
            {"measure": {"_0": [], "note": "none"}},
            {"put": {"key": "", "value": {"bytes": ""}, "times": 1 << 40}},
        ])

    def test_sealed_ones_are_counted(self):
        """What GoldenSealedTests.swift wrote: segments of two keys, five records and a batch of five in each."""
        directory = os.path.join(HERE, "..", "WalSealedTests", "Golden", "v1")
        self.assertEqual(read(directory), (0, ["1 %d ?" % lsn for lsn in range(1, 21)], ""))
        told = json.loads(read(directory, "--info", "--json")[1][0])
        self.assertEqual([(each["codec"], each["frames"]["sealed"], each["frames"]["sealedBatch"])
                          for each in told["segments"]], [(4, 5, 1), (4, 5, 1)])

    def files(self):
        # How much is durable whatever else is lost: partition 8 was written before STATE told of a first sync.
        for partition, durable in ((7, 20), (8, 3)):
            for name in (SEGMENT % 1, "STATE"):
                directory = os.path.join(self.directory, str(partition))
                path = os.path.join(directory, "partition-%05d" % partition, name)
                with open(path, "rb") as file:
                    yield partition, durable, name, directory, path, file.read()

    def expect_no_other(self, partition, directory, what):
        """Any bytes: no traceback, and no record that was not there. Returns the status and how many there were."""
        status, lines, said = read(directory)
        self.assertIn(status, (0, 1, 2), what)
        self.assertEqual(lines, self.whole[partition][:len(lines)], what)
        self.assertEqual(status != 0, "damage:" in said or "unusable:" in said, what)
        return status, len(lines)

    def test_every_byte_turned(self):
        silent = []
        for partition, durable, name, directory, path, data in self.files():
            for at in range(len(data)):
                with open(path, "r+b") as file:
                    file.seek(at)
                    file.write(bytes([data[at] ^ 1 << at % 8]))
                    file.flush()
                    status, count = self.expect_no_other(partition, directory, (name, at))
                    file.seek(at)
                    file.write(data[at:at + 1])
                if status == 0 and count < durable:
                    silent.append((partition, name, at))
        # With the salt the marks are gone, and this old STATE knows nothing: a log that was never synced.
        self.assertEqual(silent, [(8, SEGMENT % 1, at) for at in range(40, 48)])

    def test_every_length(self):
        for partition, durable, name, directory, path, data in self.files():
            for length in range(len(data)):
                with open(path, "wb") as file:
                    file.write(data[:length])
                status, count = self.expect_no_other(partition, directory, (name, length))
                if status == 0 and name != "STATE" and partition == 7:
                    self.assertGreaterEqual(count, durable, length)
            with open(path, "wb") as file:
                file.write(data)

    def test_many_bytes_at_random(self):
        numbers = random.Random(7)
        for partition, _, name, directory, path, data in self.files():
            for _ in range(300):
                worse = bytearray(data)
                for _ in range(numbers.randrange(1, 20)):
                    at = numbers.choice((numbers.randrange(100), numbers.randrange(len(data)), 12288 + numbers.randrange(900)))
                    if at < len(data):
                        worse[at] = numbers.choice((0, 0xFF, numbers.randrange(256)))
                with open(path, "wb") as file:
                    file.write(worse)
                self.expect_no_other(partition, directory, name)
            with open(path, "wb") as file:
                file.write(data)


class RowTests(LogCase):
    """Segments, and which of them count."""

    def three(self):
        segments = []
        first = 1
        for epoch in (1, 2, 3):
            segment = SegmentWriter(first, epoch=epoch, salt=epoch)
            segment.record()
            segment.batch([b"", b"x"])
            segment.seal()
            segments.append(segment)
            first = segment.next
        return segments

    def test_they_follow_each_other(self):
        self.write(*self.three(), state=slot(durable=9, clean=1))
        self.expect(0, range(1, 10))

    def test_a_batch_is_split(self):
        segment = SegmentWriter()
        segment.batch([b"", b"\1\2", b"\3" * 9])
        self.write(segment)
        self.assertEqual(read(self.directory)[1], ["1 1 ", "1 2 0102", "1 3 " + "03" * 9])

    def test_partitions_are_in_order_and_the_rest_is_left_alone(self):
        for partition in (300, 2, 65535):
            segment = SegmentWriter(partition=partition)
            segment.record(b"a")
            self.write(segment, partition=partition)
        for name in ("partition-99999", "partition-1", "partition-000001"):
            os.mkdir(os.path.join(self.directory, name))
        for name in ("next.prepared", "1.wal", SEGMENT % 0, SEGMENT % (1 << 60)):
            with open(self.path(name, 2), "wb") as file:
                file.write(b"anything")
        self.assertEqual(read(self.directory), (0, ["2 1 61", "300 1 61", "65535 1 61"], ""))

    def test_purged_ones_are_left_out(self):
        self.write(*self.three(), state=slot(first=4, durable=9))
        self.expect(0, range(4, 10))

    def test_truncated_ones_are_left_out(self):
        old = SegmentWriter(20, epoch=1)
        old.record()
        old.mark_frame(20)
        self.write(*self.three()[:2], old, state=slot(epoch=2, oldest=2, first=4, durable=6))
        self.expect(0, range(4, 7))

    def test_a_state_of_epochs_beyond_its_greatest_is_not_right(self):
        for wrong in (slot(epoch=1, oldest=2, durable=9), slot(epoch=1, starts=((2, 1),), durable=9)):
            self.assertFalse(read_wal.state_of(wrong[:512], 1))
        self.assertTrue(read_wal.state_of(slot(epoch=2, oldest=2, starts=((2, 1),), durable=9)[:512], 1))

    def test_a_missing_one_is_damage_where_it_was_durable(self):
        first, _, last = self.three()
        self.write(first, last, state=slot(durable=5))
        self.expect(1, range(1, 4), "damage: partition 1, segment %s, offset 0, LSN 4: " % (SEGMENT % 7))

    def test_a_missing_one_is_torn_where_it_was_not(self):
        first, _, last = self.three()
        self.write(first, last, state=slot(durable=3))
        self.expect(0, range(1, 4), "torn: partition 1")

    def test_the_last_or_all_are_missing(self):
        self.write(*self.three(), state=slot(durable=10))
        self.expect(1, range(1, 10), "segment %s, offset 0, LSN 10: it is missing" % (SEGMENT % 10))
        for first in (1, 4, 7):
            os.remove(self.path(SEGMENT % first))
        self.expect(1, [], "it is missing")

    def test_one_of_an_older_epoch_does_not_join(self):
        first, middle, last = self.three()
        stray = SegmentWriter(7, epoch=1, salt=8)
        stray.record()
        self.write(first, middle, stray, state=slot(durable=6))
        self.expect(0, range(1, 7), "torn:")
        self.write(state=slot(durable=7))
        self.expect(1, range(1, 7), "damage:")

    def test_one_that_begins_within_another_is_damage_in_any_case(self):
        stray = SegmentWriter(3, epoch=9, salt=8)
        stray.record()
        self.write(*self.three(), stray, state=slot())
        self.expect(1, [1, 2, 3], "damage: partition 1, segment %s, offset 0, LSN 4: " % (SEGMENT % 3))

    def test_without_state_the_first_one_begins_with_1(self):
        self.write(*self.three()[1:])
        self.expect(1, [], "damage: partition 1, segment %s, offset 0, LSN 1: " % (SEGMENT % 4))
        self.write(state=slot())
        self.expect(0, [], "torn:")

    def test_one_that_is_not_sealed_is_the_last(self):
        first, middle, last = self.three()
        del middle.data[-32:]
        self.write(first, middle, last, state=slot(durable=6))
        self.expect(0, range(1, 7), "torn:")
        self.write(state=slot(durable=7))
        self.expect(1, range(1, 7), "damage:")

    def test_a_header_of_another_place_is_none(self):
        for wrong in (SegmentWriter(4, partition=1), SegmentWriter(1, partition=2)):
            wrong.record()
            wrong.first = 1
            self.write(wrong, state=slot(durable=1))
            self.expect(1, [], "the header is that of")

    def test_no_log(self):
        self.assertEqual(read(self.directory)[:2], (2, []))
        self.assertEqual(read(os.path.join(self.directory, "none"))[:2], (2, []))
        with open(os.path.join(self.directory, "LOCK"), "wb"):
            pass
        self.assertEqual(read(self.directory), (0, [], ""))
        for arguments in ([], ["a", "b"], ["--unknown", "a"]):
            with contextlib.redirect_stderr(io.StringIO()):
                self.assertEqual(read_wal.run(arguments, io.StringIO()), 2)

    def test_what_is_no_file_is_not_opened(self):
        self.write(*self.three())
        for name in (SEGMENT % 1, "STATE"):
            for make in (os.mkfifo, os.mkdir, lambda path: os.symlink(self.path(SEGMENT % 4), path)):
                path = self.path(name)
                if os.path.isfile(path):
                    os.rename(path, path + ".aside")
                make(path)
                self.assertEqual(read(self.directory)[0], 2, name)
                (os.rmdir if os.path.isdir(path) else os.remove)(path)
            if os.path.exists(path + ".aside"):
                os.rename(path + ".aside", path)
        os.symlink(self.directory, os.path.join(self.directory, "partition-00009"))
        self.assertEqual(read(self.directory)[0], 2)


class NewerFormatTests(LogCase):
    def refused(self, **more):
        segment = SegmentWriter(**more)
        segment.record()
        self.write(segment)
        self.expect(2, [], "unusable: partition 1, segment")

    def test_versions_and_flags(self):
        self.refused(version=2)
        self.refused(flags=1)
        self.refused(frames=4096)

    def test_items(self):
        self.refused(items=((4, b"new"),))
        segment = SegmentWriter(items=((0x8001, b"may be skipped"), (1, b"bytes")))
        segment.record()
        self.write(segment)
        self.expect(0, [1])

    def test_schema(self):
        for schema, told in ((b"R { a: Int }", '"schema": "R { a: Int }"'), (b"\xff", '"schema": null')):
            segment = SegmentWriter(items=((1, b"bytes"), (0x8001, schema), (3, b"bytes")))
            segment.record()
            self.write(segment)
            self.expect(0, [1])
            self.assertIn(told, "".join(read(self.directory, "--info", "--json")[1]))

    def test_state(self):
        self.write(SegmentWriter(), state=slot(version=2))
        self.expect(2, [], "unusable: partition 1: STATE has version 2")
        self.write(state=slot(clean=2))
        self.expect(2, [], "STATE has flags")

    def test_frames(self):
        segment = SegmentWriter()
        segment.record()
        segment.put(0x80, b"time")
        self.write(segment)
        self.expect(2, [1], "a frame of kind 0x80")


class MarkTests(LogCase):
    """The greatest mark tells damage from a torn end."""

    def broken_at_three(self):
        """A row whose third record is not whole, and what stands behind it."""
        segment = SegmentWriter()
        segment.record()
        segment.record()
        at = segment.record()
        segment.data[at + 20] ^= 1
        segment.record()
        return segment, at

    def test_without_one_the_end_is_torn(self):
        segment, at = self.broken_at_three()
        self.write(segment, state=slot(durable=2))
        self.expect(0, [1, 2], "torn: partition 1, segment %s, offset %d, LSN 3: the frame's sum is wrong" % (SEGMENT % 1, at))

    def test_by_state(self):
        segment, at = self.broken_at_three()
        self.write(segment, state=slot(durable=3))
        self.expect(1, [1, 2], "damage: partition 1, segment %s, offset %d, LSN 3: " % (SEGMENT % 1, at))

    def test_by_a_mark(self):
        for durable, status in ((2, 0), (3, 1)):
            segment, at = self.broken_at_three()
            segment.mark(durable, at, 1)
            self.write(segment, state=slot())
            self.expect(status, [1, 2], "torn:" if status == 0 else "damage:")

    def test_by_a_mark_frame_behind_it(self):
        for durable, status in ((2, 0), (4, 1)):
            segment, at = self.broken_at_three()
            segment.mark_frame(durable, 12288 if durable == 2 else None)
            self.write(segment, state=slot())
            self.expect(status, [1, 2], "torn:" if status == 0 else "damage:")

    def test_by_a_mark_frame_in_a_later_segment(self):
        segment, _ = self.broken_at_three()
        later = SegmentWriter(5, salt=7)
        later.record()
        later.mark_frame(5)
        self.write(segment, later, state=slot())
        self.expect(1, [1, 2], "LSN 3: the frame's sum is wrong, and LSN 5 was durable")

    def test_a_mark_of_another_segment_does_not_count(self):
        segment, at = self.broken_at_three()
        other = SegmentWriter(salt=5)
        other.mark(4, at, 2)
        segment.data[4096:4160] = other.data[4096:4160]
        self.write(segment, state=slot())
        self.expect(0, [1, 2], "torn:")

    def test_a_copy_of_a_mark_frame_is_none(self):
        segment = SegmentWriter()
        segment.record()
        segment.mark_frame(1, own=12288)
        segment.record()
        self.write(segment, state=slot())
        self.expect(0, [1], "the mark frame is a copy of one at 12288")

    def test_where_the_header_is_broken_a_mark_must_name_the_file(self):
        for first, status in ((1, 1), (9, 0)):
            segment, at = self.broken_at_three()
            segment.data[4096:4160] = mark(2, at, 2, first=first)
            segment.data[20] ^= 1
            self.write(segment, state=slot())
            self.expect(status, [], "the header's sum is wrong")

    def test_a_mark_leads_to_the_frame_behind_it(self):
        segment = SegmentWriter()
        segment.record()
        at = segment.record()
        segment.mark(1, at, 2)
        self.write(segment, state=slot())
        self.expect(0, [1, 2])
        segment.mark(1, at + 8, 2)
        self.write(segment)
        self.expect(1, [1, 2], "LSN 2 does not follow at the offset")

    def test_a_whole_frame_of_another_lsn_is_none(self):
        for durable, status in ((1, 0), (2, 1)):
            segment = SegmentWriter()
            segment.record()
            segment.put(RECORD, b"", lsn=3)
            self.write(segment, state=slot(durable=durable))
            self.expect(status, [1], "the frame has LSN 3")

    def test_an_end_that_was_never_written_to_is_quiet(self):
        segment = SegmentWriter()
        segment.record()
        segment.data += bytes(5000)
        self.write(segment, state=slot(durable=1))
        self.expect(0, [1])
        self.write(state=slot(durable=2))
        self.expect(1, [1], "nothing was written here")


class StateTests(LogCase):
    def one(self):
        segment = SegmentWriter()
        segment.record()
        segment.mark_frame(1)
        return segment

    def put(self, even, odd):
        self.write(self.one(), state=even)
        with open(self.path("STATE"), "r+b") as file:
            file.seek(4096)
            file.write(odd)

    def test_the_greater_sequence_counts(self):
        self.put(slot(sequence=2, durable=9), slot(sequence=3, durable=1))
        self.expect(0, [1])
        self.put(slot(sequence=4, durable=9), slot(sequence=3, durable=1))
        self.expect(1, [1], "LSN 2: the file ends, and LSN 9 was durable")

    def test_a_torn_slot_or_one_of_another_partition_does_not(self):
        for wrong in (slot(sequence=4, durable=9)[:100], slot(sequence=4, durable=9, partition=2), slot(sequence=4, first=0)):
            self.put(wrong, slot(sequence=3, durable=1))
            self.expect(0, [1])

    def test_there_is_one_if_anything_was_synced(self):
        self.write(self.one())
        self.expect(1, [1], "no slot of STATE is right")

    def test_closed_cleanly_there_is_no_torn_end(self):
        segment = self.one()
        segment.seal()
        self.write(segment, state=slot(durable=1, clean=1))
        self.expect(0, [1])
        segment.data[-1] ^= 1
        self.write(segment)
        self.expect(1, [1], "though the segment was sealed")
        self.write(state=slot(durable=1))
        self.expect(0, [1], "torn:")
        # Behind the close another writer had begun.
        segment.data[-1] ^= 1
        later = SegmentWriter(2, epoch=2)
        later.data[12288:] = b"\1"
        self.write(segment, later, state=slot(durable=1, clean=1))
        self.expect(0, [1], "torn:")


class FooterTests(LogCase):
    def sealed(self, status, says, entries=lambda first, mark, second: (), **more):
        segment = SegmentWriter()
        first = segment.record()
        mark = segment.mark_frame(1)
        second = segment.batch([b"a", b"b"])
        segment.seal(entries(first, mark, second), **more)
        self.write(segment, state=slot(durable=3, clean=1))
        self.expect(status, [1, 2, 3], says)

    def test_index(self):
        self.sealed(0, "", lambda first, mark, second: ((1, first), (2, second)))
        # Where a mark was owed, it stands before the record.
        self.sealed(0, "", lambda first, mark, second: ((1, first), (2, mark)))
        self.sealed(1, "no frame begins at", lambda first, mark, second: ((3, second),))
        self.sealed(1, "no frame begins at", lambda first, mark, second: ((2, second + 8),))
        self.sealed(1, "not in order", lambda first, mark, second: ((2, second), (1, first)))

    def test_counts(self):
        self.sealed(1, "counts 4 records of 3", records=4)
        self.sealed(1, "last LSN is 2", last=2)

    def test_the_file_ends_with_the_trailer(self):
        segment = SegmentWriter()
        segment.record()
        segment.seal()
        segment.data += bytes(8)
        self.write(segment, state=slot(durable=1))
        self.expect(0, [1], "the file does not end with the trailer")


class HostileTests(LogCase):
    """Sums that are right over bytes that are not."""

    def test_batches(self):
        for payload in (b"", b"\0" * 4, struct.pack("<I", 1), struct.pack("<I", 1 << 31) + bytes(100),
                        struct.pack("<II", 1, 0xFFFFFFFF), struct.pack("<III", 2, 4, 0), batch([b"abc"]) + b"\0"):
            segment = SegmentWriter()
            segment.record()
            segment.put(BATCH, payload)
            self.write(segment)
            self.expect(0, [1], "the batch contradicts itself")

    def test_headers(self):
        for items in ([(1, b"\xff")], [(1, b"a"), (1, b"b")]):
            segment = SegmentWriter(items=items)
            segment.record()
            self.write(segment)
            self.expect(1, [1], "item 0x1")
        segment = SegmentWriter()
        head = bytearray(segment.data[:64])
        for area in (b"\1", b"\1\0\xff\xff", b"\1\0\2\0a"):
            struct.pack_into("<I", head, 60, len(area))
            segment.data[:4096] = signed(bytes(head) + area).ljust(4096, b"\0")
            self.write(segment)
            self.expect(0, [], "torn:")

    def test_lengths(self):
        for length in (1, 15, 17, 48, 1 << 20, 1 << 30, (1 << 30) + 1, 0xFFFFFFFF):
            segment = SegmentWriter()
            segment.record()
            segment.data += struct.pack("<I", length) + bytes(60)
            self.write(segment)
            self.expect(0, [1], "torn:")

    def test_a_file_that_is_mostly_a_hole(self):
        segment = SegmentWriter()
        segment.record()
        segment.data += struct.pack("<I", 1 << 30) + bytes(60)
        self.write(segment)
        os.truncate(self.path(SEGMENT % 1), 24 << 20)
        self.expect(0, [1], "torn:")

    def test_any_payload_under_a_right_sum(self):
        numbers = random.Random(3)
        for round in range(600):
            segment = SegmentWriter(first=numbers.choice((1, 1, 1, (1 << 56) - 2)))
            for _ in range(numbers.randrange(6)):
                kind = numbers.choice((RECORD, BATCH, MARK, FOOTER))
                size = numbers.choice((0, 4, 16, 32, 40, 64, 88))
                words = [numbers.choice((0, 1, 2, 3, 12288, len(segment.data), 1 << 63, (1 << 64) - 1)) for _ in range(size // 8)]
                payload = struct.pack("<%dQ" % len(words), *words) + bytes(size % 8)
                segment.put(kind, payload, numbers.randrange(2))
            if numbers.randrange(3) == 0:
                segment.seal([(numbers.randrange(4), 12288)] * numbers.randrange(3))
            numbers_of_state = {name: numbers.choice((0, 1, 2, 1 << 63)) for name in
                                ("oldest", "first", "free", "durable", "epoch")}
            self.write(segment, state=slot(clean=numbers.randrange(2), **numbers_of_state))
            for options in ((), ("--info",), ("--info", "--json")):
                self.assertIn(read(self.directory, *options)[0], (0, 1, 2))
            os.remove(self.path(SEGMENT % segment.first))


class OpaqueTests(LogCase):
    """Frames of which a codec or a key is needed to see the records."""

    def test_they_are_counted(self):
        segment = SegmentWriter(codec=4)
        segment.put(5, bytes(30), 1)
        segment.put(6, struct.pack("<I", 3) + bytes(40), 3)
        segment.put(7, struct.pack("<I", 2), 2)
        segment.put(4, struct.pack("<I", 4) + b"\1x", 4)
        segment.put(5, b"", 1)
        segment.seal()
        self.write(segment, state=slot())
        status, lines, said = read(self.directory)
        self.assertEqual((status, lines, said), (0, ["1 %d ?" % lsn for lsn in range(1, 12)], ""))
        self.assertIsNone(json.loads(read(self.directory, "--json", "--decode")[1][0])["payload"])
        info = "\n".join(read(self.directory, "--info")[1])
        self.assertIn("1 coded, 2 sealed, 1 sealedBatch, 1 sealedCoded", info)

    def test_without_a_count_they_are_none(self):
        for kind in (4, 6, 7):
            for payload in (b"", b"\1\0\0", bytes(4), bytes(50)):
                segment = SegmentWriter()
                segment.record()
                segment.put(kind, payload)
                self.write(segment)
                self.expect(0, [1], "the batch contradicts itself")

    def test_a_batch_that_did_not_shrink_is_taken_apart(self):
        def records(content, count):
            segment = SegmentWriter(codec=3, items=((1, b"x"), (2, ZSTD_OF_JSON)))
            segment.put(4, struct.pack("<I", count) + content, count)
            self.write(segment)
            status, lines, _ = read(self.directory, "--json", "--decode")
            self.assertEqual((status, len(lines)), (0, count))
            return [json.loads(line).get("value") for line in lines]

        self.assertEqual(records(b"\0\2\1\x83\0" + b"7" + b"[1]", 2), [7, [1]])
        for content in (b"", b"\1\2\1\1ab", b"\0\3\1\1ab", b"\0\2\1\1a", b"\0\2\1\1abc", b"\0\2\x80", b"\0"):
            self.assertEqual(records(content, 2), [None, None])


class ValueTests(LogCase):
    def values(self, codec, parameters, *payloads):
        segment = SegmentWriter(codec=codec, items=((1, b"x"), (2, parameters)))
        for payload in payloads:
            segment.record(payload)
        self.write(segment)
        status, lines, _ = read(self.directory, "--json", "--decode")
        self.assertEqual((status, len(lines)), (0, len(payloads)))
        return [json.loads(line) for line in lines]

    def test_binary(self):
        example = bytes.fromhex("BF63707574BF636B6579426B316576616C75654300FF10FFFF")
        cases = [
            (example, {"put": {"key": {"bytes": "6b31"}, "value": {"bytes": "00ff10"}}}),
            (bytes.fromhex("BF65636C656172BFFFFF"), {"clear": {}}),
            (bytes.fromhex("9F0A187F1903E8203863FBBFF8000000000000F6F5FF"), [10, 127, 1000, -1, -100, -1.5, None, True]),
            (bytes.fromhex("C249010000000000000000"), {"integer": "0x10000000000000000"}),
            (bytes.fromhex("C48221190D7E"), {"tag": 4, "value": [-2, 3454]}),
            (bytes.fromhex("FA7F800000"), {"float": "inf"}),
            (bytes.fromhex("82A1010203"), [{"1": 2}, 3]),
        ]
        found = self.values(1, b"\1", *[data for data, _ in cases])
        for line, (_, wanted) in zip(found, cases):
            self.assertEqual(line.get("value"), wanted)

    def test_what_is_no_value_is_said_to_be_none(self):
        bad = [b"", b"\x18", b"\x9f", b"\x7f\x61\x61\xff", b"\xf9\0\0", b"\x61\xff", b"\x01\x01", b"\x9b" + b"\xff" * 8,
               b"\x9f" * 200, b"\xc1" * 500, b"\xc2\x01", b"\xff", b"\x1f"]
        for line in self.values(1, b"\1", *bad):
            self.assertIn("error", line)

    def test_json(self):
        good, *bad = self.values(2, b"\1", b'{"a": [1, 2.5, "x"]}', b"{", b"\xff", b"NaN", b"[" * 100000, b"1e999")
        self.assertEqual(good["value"], {"a": [1, 2.5, "x"]})
        for line in bad:
            self.assertIn("error", line)

    def test_codecs_that_it_does_not_know(self):
        self.assertEqual(self.values(3, ZSTD_OF_JSON, b"\0[1]")[0]["value"], [1])
        for codec, parameters in ((0, b""), (3, b"\1"), (3, b"\2"), (3, b"\1\1" + struct.pack("<I", 2) + b"\1"), (0x80000001, b""), (1, b"\2"), (2, b"")):
            self.assertEqual(set(self.values(codec, parameters, b"\xf5")[0]), {"partition", "lsn", "codec", "payload"})


if __name__ == "__main__":
    unittest.main()
