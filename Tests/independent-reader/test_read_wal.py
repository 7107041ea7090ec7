"""Tests of the second reader: `make test-reader`, or python3 -m unittest in this directory."""

import contextlib
import io
import json
import os
import random
import shutil
import struct
import subprocess
import sys
import tempfile
import unittest

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, HERE)

import read_wal  # noqa: E402
from read_wal import BATCH, CODED, ENCRYPTED, ENCRYPTED_BATCH, ENCRYPTED_CODED, FOOTER, LOST, MARK, RECORD, WRAPPER, crc32c  # noqa: E402

GOLDEN = os.path.join(HERE, "..", "WriteAheadLogTests", "Golden", "v2")
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


LOG_ID = bytes(range(1, 17))
OTHER_ID = bytes(range(17, 33))


def header(partition=1, first=1, incarnation=1, history=1, salt=99, codec=0, version=2, flags=0, frames=12288, log_id=LOG_ID,
           items=((1, b"bytes"), (2, b""), (3, b"bytes"))):
    area = b"".join(struct.pack("<HH", tag, len(content)) + content for tag, content in items)
    head = b"SWIFTWAL" + struct.pack("<4I5Q16s2I", version, frames, flags, partition, first, history, incarnation, salt, 0, log_id,
                                     codec, len(area))
    return signed(head + area).ljust(4096, b"\0")


def header_of_version_1(partition=1, first=1, version=1):
    head = b"SWIFTWAL" + struct.pack("<4I4Q2I", version, 12288, 0, partition, first, 1, 99, 0, 0, 9)
    return signed(head + struct.pack("<HH5s", 1, 5, b"bytes")).ljust(4096, b"\0")


def mark(durable, offset, sequence, partition=1, first=1, history=1, salt=99, log_id=LOG_ID):
    return signed(b"WALMARK2" + struct.pack("<6Q16sI", salt, history, durable, offset, sequence, first, log_id, partition))


def log_file(log_id=LOG_ID, version=2, flags=0):
    return signed((b"WALLOGID" + struct.pack("<II16sQ", version, flags, log_id, 0)).ljust(60, b"\0"))


def frame(kind, lsn, payload, salt=99):
    length = 16 + len(payload)
    body = payload.ljust(read_wal.padded(len(payload)), b"\0")
    word = kind << 56 | lsn
    checksum = crc32c(body + struct.pack("<QQ", length, word ^ salt))
    return struct.pack("<IIQ", length, checksum, word) + body


def batch(records):
    return struct.pack("<I", len(records)) + b"".join(struct.pack("<I", len(each)) + each for each in records)


def extra(type, content=b""):
    return struct.pack("<HHI", type, 0, len(content)) + content.ljust(read_wal.padded(len(content)), b"\0")


def wrapped(kind, payload, extras=extra(0x8000)):
    return struct.pack("<B3xI", kind, len(extras)) + extras + payload


def slot(partition=1, sequence=2, log_id=LOG_ID, inode=0, birth=0, history=1, incarnation=1, oldest=1, first=1, visible=None,
         free=None, durable=0, flags=0, histories=(), version=2, count=None):
    visible = first if visible is None else visible
    free = visible if free is None else free
    body = b"WALSTATE" + struct.pack(
        "<2IQ16s11Q", version, partition, sequence, log_id, inode, birth, history, incarnation, oldest, first, visible, free, durable,
        flags, len(histories) if count is None else count)
    body = body.ljust(256, b"\0") + b"".join(struct.pack("<QQ", *each) for each in histories)
    return signed(body.ljust(4092, b"\0"))


def slot_of_version_1(version=1):
    return signed((b"WALSTATE" + struct.pack("<2I8Q", version, 1, 2, 1, 1, 1, 1, 0, 0, 0)).ljust(508, b"\0"))


class SegmentWriter:
    def __init__(self, first=1, partition=1, incarnation=1, history=1, salt=99, log_id=LOG_ID, **more):
        self.first = self.next = first
        self.history, self.salt, self.partition, self.log_id = history, salt, partition, log_id
        self.data = bytearray(header(partition, first, incarnation, history, salt, log_id=log_id, **more)).ljust(12288, b"\0")

    def put(self, kind, payload, following=0, lsn=None):
        offset = len(self.data)
        self.data += frame(kind, self.next if lsn is None else lsn, payload, self.salt)
        self.next += following
        return offset

    def record(self, payload=None):
        return self.put(RECORD, b"record %d" % self.next if payload is None else payload, 1)

    def batch(self, records):
        return self.put(BATCH, batch(records), len(records))

    def wrapper(self, kind, payload, following=1, **more):
        return self.put(WRAPPER, wrapped(kind, payload, **more), following)

    def lost(self, last):
        return self.put(LOST, struct.pack("<Q", last), last - self.next + 1)

    def mark_frame(self, durable, offset=None, own=None, history=None):
        here = len(self.data)
        return self.put(MARK, struct.pack("<4Q", durable, here if offset is None else offset,
                                          self.history if history is None else history, here if own is None else own))

    def mark(self, durable, offset, sequence, **more):
        place = 4096 + 4096 * (sequence & 1)
        fields = {"partition": self.partition, "first": self.first, "history": self.history, "salt": self.salt, "log_id": self.log_id}
        self.data[place:place + 80] = mark(durable, offset, sequence, **dict(fields, **more))

    def seal(self, entries=(), records=None, last=None):
        here = len(self.data)
        payload = struct.pack("<4Q2I", self.next - self.first if records is None else records,
                              self.next - 1 if last is None else last, here, 0, len(entries), 0)
        self.put(FOOTER, payload + b"".join(struct.pack("<3Q", lsn, offset, 0) for lsn, offset in entries))
        self.data += signed(b"WALSEAL2" + struct.pack("<QQI", here, self.salt, 0))


def places(name, size):
    """Offsets in a file: all that mean something, and some of the others."""
    def is_zero(at):
        return at < 12288 and 300 < at % 4096 < (4092 if name.endswith("STATE") else 4096) or size - at > 4500 and at > 14000
    return [at for at in range(size) if not is_zero(at) or at % 61 == 0]


class LogCase(unittest.TestCase):
    def setUp(self):
        # In memory, where there is such a place: thousands of small files.
        base = "/dev/shm" if os.access("/dev/shm", os.W_OK) else None
        self.directory = tempfile.mkdtemp(prefix="read-wal-", dir=base)
        self.addCleanup(shutil.rmtree, self.directory, True)
        self.log(log_file())

    def log(self, data):
        """What LOG holds; None for no such file."""
        path = os.path.join(self.directory, "LOG")
        if data is not None:
            with open(path, "wb") as file:
                file.write(data)
        elif os.path.exists(path):
            os.remove(path)

    def path(self, name, partition=1):
        return os.path.join(self.directory, "partition-%05d" % partition, name)

    def write(self, *segments, state=None, partition=1):
        os.makedirs(os.path.dirname(self.path("", partition)), exist_ok=True)
        for segment in segments:
            with open(self.path(SEGMENT % segment.first, partition), "wb") as file:
                file.write(segment.data)
        if state is not None:
            with open(self.path("STATE", partition), "wb") as file:
                file.write(state.ljust(4096, b"\0") + bytes(4096))

    def expect(self, status, lsns, says=""):
        found, lines, said = read(self.directory)
        self.assertEqual((found, [int(line.split(" ")[1]) for line in lines]), (status, list(lsns)), said)
        if says:
            self.assertIn(says, said)
        else:
            self.assertEqual(said, "")
        return said

    def told(self, partition=1):
        """What --info says of a partition."""
        lines = [json.loads(line) for line in read(self.directory, "--info", "--json")[1]]
        return next((each for each in lines if each["partition"] == partition), None)

    def verdict(self, partition=1):
        told = self.told(partition)
        return told and told["verdict"]


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


@unittest.skipUnless(os.path.isdir(GOLDEN), "no golden files of version 2")
class GoldenTests(LogCase):
    def setUp(self):
        super().setUp()
        self.whole = {}
        for partition, count in ((7, 20), (8, 6)):
            name = "partition-%05d" % partition
            log = os.path.join(self.directory, str(partition))
            shutil.copytree(os.path.join(GOLDEN, name), os.path.join(log, name))
            shutil.copy(os.path.join(GOLDEN, "LOG"), log)
            self.take_for_the_original(os.path.join(log, name, "STATE"))
            self.whole[partition] = ["%d %d %s" % (partition, lsn, payload.hex())
                                     for lsn, payload in enumerate(golden_records()[:count], 1)]

    def take_for_the_original(self, path):
        """In a copy what would be damage is none."""
        with open(path, "r+b") as file:
            slots = [bytearray(file.read(4096)) for _ in (0, 1)]
            file.seek(0)
            for each in slots:
                if read_wal.whole_slot(bytes(each)):
                    each[40:56] = bytes(16)
                    each[:] = signed(bytes(each[:-4]))
                file.write(each)

    def test_version_1_was_never_released(self):
        status, lines, said = read(os.path.join(GOLDEN, "..", "v1"))
        self.assertEqual((status, lines), (2, []))
        for partition in (7, 8):
            self.assertIn("unusable: partition %d: STATE has version 1, which was never released" % partition, said)

    def test_listing(self):
        status, lines, said = read(GOLDEN)
        self.assertEqual((status, lines, said), (0, self.whole[7] + self.whole[8], ""))

    def test_what_this_release_does_not_write(self):
        """What FormatSamples.swift composes: verdict, LSNs, what is lost."""
        for name, verdict, lsns, lost in (("frames", "end", [1, 2, 3, 4, 5, 10, 11, 12], [[6, 9]]), ("histories", "end", [4, 5, 6], []),
                                          ("newer", "newer", [1], []), ("removed", "end", [], []), ("terminated", "end", [1, 2, 3], [])):
            directory = GOLDEN + "-" + name
            told = json.loads(read(directory, "--info", "--json")[1][0])
            self.assertEqual((told["verdict"], told["lost"]), (verdict, lost), name)
            self.assertEqual([int(line.split(" ")[1]) for line in read(directory)[1]], lsns, name)
            self.assertFalse([each for each in told["findings"] if each["kind"] in ("damage", "contradiction", "remark")], name)

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
        directory = os.path.join(HERE, "..", "WalSealedTests", "Golden", "v2")
        if not os.path.isdir(directory):
            self.skipTest("no encrypted golden files of version 2")
        self.assertEqual(read(directory), (0, ["1 %d ?" % lsn for lsn in range(1, 21)], ""))
        told = json.loads(read(directory, "--info", "--json")[1][0])
        self.assertEqual([(each["codec"], each["frames"]["encrypted"], each["frames"]["encryptedBatch"])
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
            for at in places(name, len(data)):
                with open(path, "r+b") as file:
                    file.seek(at)
                    file.write(bytes([data[at] ^ 1 << at % 8]))
                    file.flush()
                    status, count = self.expect_no_other(partition, directory, (name, at))
                    file.seek(at)
                    file.write(data[at:at + 1])
                if status == 0 and count < durable:
                    silent.append((partition, name, at))
        self.assertEqual(silent, [])

    def test_every_length(self):
        for partition, durable, name, directory, path, data in self.files():
            for length in places(name, len(data)):
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
        for incarnation in (1, 2, 3):
            segment = SegmentWriter(first, incarnation=incarnation, salt=incarnation)
            segment.record()
            segment.batch([b"", b"x"])
            segment.seal()
            segments.append(segment)
            first = segment.next
        return segments

    def test_they_follow_each_other(self):
        self.write(*self.three(), state=slot(durable=9, flags=1))
        self.expect(0, range(1, 10))

    def test_a_batch_is_split(self):
        segment = SegmentWriter()
        segment.batch([b"", b"\1\2", b"\3" * 9])
        self.write(segment)
        self.assertEqual(read(self.directory)[1], ["1 1 ", "1 2 0102", "1 3 " + "03" * 9])

    def test_the_last_lsn_of_all(self):
        last = SegmentWriter((1 << 56) - 1)
        last.record()
        last.mark((1 << 56) - 2, 12288, 2)
        self.write(last, state=slot(first=(1 << 56) - 1, durable=(1 << 56) - 1))
        self.expect(0, [(1 << 56) - 1])
        last.mark((1 << 56) - 1, len(last.data), 2)
        self.write(last, state=slot(first=(1 << 56) - 1, durable=(1 << 56) - 2))
        self.expect(0, [(1 << 56) - 1])

    def test_partitions_are_in_order_and_the_rest_is_left_alone(self):
        for partition in (300, 2, 65535):
            segment = SegmentWriter(partition=partition)
            segment.record(b"a")
            self.write(segment, partition=partition)
        for name in ("partition-99999", "partition-1", "partition-000001"):
            os.mkdir(os.path.join(self.directory, name))
            with open(os.path.join(self.directory, name, SEGMENT % 1), "wb") as file:
                file.write(header(partition=9))
        for name in (".prepared", "STATE.prepared", SEGMENT % 9 + ".aside", "STATE.aside", "x" + SEGMENT % 3, SEGMENT % 3 + "x", "next.prepared", "1.wal", SEGMENT % 0, SEGMENT % (1 << 60)):
            with open(self.path(name, 2), "wb") as file:
                file.write(b"anything")
        self.assertEqual(read(self.directory), (0, ["2 1 61", "300 1 61", "65535 1 61"], ""))

    def test_purged_ones_are_left_out(self):
        self.write(*self.three(), state=slot(first=4, durable=9))
        self.expect(0, range(4, 10))

    def test_truncated_ones_are_left_out(self):
        old = SegmentWriter(20, incarnation=1)
        old.record()
        old.mark_frame(20)
        self.write(*self.three()[:2], old, state=slot(incarnation=2, oldest=2, first=4, durable=6))
        self.expect(0, range(4, 7))

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

    def test_one_of_an_older_incarnation_does_not_join(self):
        first, middle, last = self.three()
        stray = SegmentWriter(7, incarnation=1, salt=8)
        stray.record()
        self.write(first, middle, stray, state=slot(durable=6))
        self.expect(0, range(1, 7), "torn:")
        self.write(state=slot(durable=7))
        self.expect(1, range(1, 7), "damage:")

    def test_one_that_begins_within_another_is_damage_in_any_case(self):
        stray = SegmentWriter(3, incarnation=9, salt=8)
        stray.record()
        self.write(*self.three(), stray, state=slot())
        self.expect(1, [1, 2, 3], "damage: partition 1, segment %s, offset 0, LSN 4: " % (SEGMENT % 3))

    def test_without_state_the_first_one_begins_with_1(self):
        self.write(*self.three()[1:])
        self.expect(1, [], "damage: partition 1, segment %s, offset 0, LSN 1: " % (SEGMENT % 4))
        self.write(self.three()[0])
        os.remove(self.path(SEGMENT % 4))
        self.expect(0, [1, 2, 3], "torn:")
        self.write(self.three()[1])
        os.remove(self.path(SEGMENT % 1))
        self.write(state=slot())
        self.expect(0, [], "torn:")

    def test_one_that_is_not_sealed_is_the_last(self):
        first, middle, last = self.three()
        del middle.data[-32:]
        self.write(first, middle, last, state=slot(durable=6))
        self.expect(0, range(1, 7), "torn:")
        self.write(state=slot(durable=7))
        self.expect(1, range(1, 7), "damage:")

    def test_no_log(self):
        self.log(None)
        self.assertEqual(read(self.directory)[:2], (2, []))
        self.assertEqual(read(os.path.join(self.directory, "none"))[:2], (2, []))
        with open(os.path.join(self.directory, "LOCK"), "wb"):
            pass
        self.assertEqual(read(self.directory), (0, [], ""))
        os.remove(os.path.join(self.directory, "LOCK"))
        self.log(log_file())
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
        for version in (0, 1, 3, 1 << 31):
            self.refused(version=version)
        for flags in (2, 3, 1 << 31):
            self.refused(flags=flags)
        self.refused(frames=4096)
        self.assertEqual(self.verdict(), "newer")

    def test_of_a_newer_header_only_the_version_is_looked_at(self):
        """Nothing else keeps its place: not the LSN, not the log."""
        self.refused(version=3, log_id=OTHER_ID, partition=9)
        self.assertEqual(self.verdict(), "newer")

    def test_a_newer_header_with_a_wrong_sum_is_damaged(self):
        segment = SegmentWriter(version=3)
        segment.data[30] ^= 1
        self.write(segment, state=slot(durable=1))
        self.expect(1, [], "the header's sum is wrong")

    def test_version_1_is_refused_as_such(self):
        segment = SegmentWriter()
        segment.data[:4096] = header_of_version_1()
        self.write(segment)
        self.expect(2, [], "the header has version 1, which was never released")
        # The same bytes with another version are no header of any: their sum stands elsewhere.
        segment.data[:4096] = header_of_version_1(version=2)
        self.write(segment)
        self.expect(0, [], "torn:")
        for wrong in (header_of_version_1()[:9], header_of_version_1()[:67], header_of_version_1()[:60] + b"\xff" * 4036,
                      header_of_version_1()[:70] + b"\1" + header_of_version_1()[71:]):
            segment.data[:] = wrong
            self.write(segment)
            self.expect(0, [], "torn:")
        self.write(SegmentWriter(), state=slot_of_version_1()[:300] + b"\1" + slot_of_version_1()[301:])
        self.expect(0, [])
        self.write(SegmentWriter(), state=slot_of_version_1())
        self.expect(2, [], "unusable: partition 1: STATE has version 1, which was never released")
        self.write(state=slot_of_version_1(version=2))
        self.expect(0, [])

    def test_a_newer_file_after_a_torn_place_is_told_of(self):
        """It must not look like something that recovery may remove."""
        torn = SegmentWriter()
        torn.record()
        torn.data += b"\1" * 8
        for later in (SegmentWriter(9, version=3), SegmentWriter(9, items=((4, b"new"),))):
            self.write(torn, later, state=slot())
            self.expect(2, [1], "unusable: partition 1, segment %s" % (SEGMENT % 9))
            self.assertEqual(self.verdict(), "newer")

    def test_of_a_newer_header_the_incarnation_is_not_known(self):
        first = SegmentWriter(incarnation=5)
        self.write(first, SegmentWriter(9, version=3, incarnation=1), state=slot(incarnation=5, oldest=5))
        self.expect(2, [], "unusable:")

    def test_what_is_left_over_is_refused_too(self):
        for state in (slot(first=5, durable=4), slot(flags=2)):
            self.write(SegmentWriter(version=3), SegmentWriter(5), state=state)
            self.expect(2, [], "unusable: partition 1, segment %s" % (SEGMENT % 1))
        broken = SegmentWriter(version=3)
        broken.data[30] ^= 1
        self.write(broken, state=slot(first=5, durable=4))
        self.expect(0, [])

    def test_log(self):
        segment = SegmentWriter()
        segment.record()
        self.write(segment)
        for wrong, says in ((log_file(version=3), "LOG has version 3"), (log_file(flags=1), "LOG has flags 0x1")):
            self.log(wrong)
            self.expect(2, [], "unusable: " + says)

    def test_items(self):
        self.refused(items=((4, b"new"),))
        self.refused(items=((0x7FFF, b"new"), (4, b"new")))
        segment = SegmentWriter(items=((0x8000, b""), (0x8001, b"may be skipped"), (1, b"bytes"), (2, b"\xff"), (0xFFFF, b"x")))
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
        for version in (1, 3):
            self.write(SegmentWriter(), state=slot(version=version))
            self.expect(2, [], "unusable: partition 1: STATE has version %d" % version)
            # Whichever of the two it is: its sequence has no place that can be relied on.
            self.write(state=slot(version=version, sequence=1) + slot(sequence=9))
            self.expect(2, [], "unusable: partition 1: STATE has version %d" % version)
        for flags in (4, 1 << 63):
            self.write(state=slot(flags=flags))
            self.expect(2, [], "STATE has flags")
            # Those of a slot that does not count say nothing.
            self.write(state=slot(flags=flags, sequence=2) + slot(sequence=9))
            self.expect(0, [])
        self.assertEqual(self.verdict(), "end")

    def test_frames(self):
        for kind in (10, 0x7F, 0xC0, 0xFF):
            segment = SegmentWriter()
            segment.record()
            segment.put(kind, b"what?")
            segment.record()
            self.write(segment)
            self.expect(2, [1], "a frame of kind %#x" % kind)
            self.assertEqual(self.verdict(), "newer")

    def test_a_newer_frame_of_another_lsn_is_none(self):
        segment = SegmentWriter()
        segment.put(10, b"", lsn=2)
        self.write(segment)
        self.expect(0, [], "torn:")


class MarkTests(LogCase):
    """The greatest mark tells damage from a torn end."""

    def broken_at_three(self):
        """A row whose third record is not whole, and what stands after it."""
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

    def test_by_a_mark_frame_after_it(self):
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
        segment.data[4096:4176] = other.data[4096:4176]
        self.write(segment, state=slot())
        self.expect(0, [1, 2], "torn:")

    def test_a_copy_of_a_mark_frame_is_none(self):
        segment = SegmentWriter()
        segment.record()
        segment.mark_frame(1, own=12288)
        segment.record()
        self.write(segment, state=slot())
        self.expect(0, [1], "the mark frame is a copy of one at 12288")

    def test_a_mark_with_a_wrong_sum_or_without_its_end_does_not_count(self):
        segment, at = self.broken_at_three()
        segment.mark(4, at, 2)
        for change in range(4096, 4176):
            worse = bytearray(segment.data)
            worse[change] ^= 0x10
            segment.data, whole = worse, segment.data
            self.write(segment, state=slot())
            self.expect(0, [1, 2], "torn:")
            segment.data = whole
        del segment.data[4170:]
        self.write(segment)
        self.expect(0, [])

    def test_where_the_header_is_broken_a_mark_must_name_the_file(self):
        for wrong, status in (({}, 1), ({"first": 9}, 0), ({"partition": 2}, 0), ({"log_id": OTHER_ID}, 0), ({"salt": 5}, 1)):
            segment, at = self.broken_at_three()
            segment.data[4096:4176] = mark(2, at, 2, **wrong)
            segment.data[20] ^= 1
            self.write(segment, state=slot())
            self.expect(status, [], "the header's sum is wrong")

    def test_where_the_header_is_broken_mark_frames_are_found_by_the_salts_that_are_left(self):
        for header_salt, mark_salt, status in ((99, None, 1), (5, 99, 1), (5, None, 0), (5, 6, 0)):
            segment = SegmentWriter()
            segment.record()
            segment.mark_frame(1)
            struct.pack_into("<Q", segment.data, 48, header_salt)
            segment.data[20] ^= 1
            if mark_salt is not None:
                segment.data[4096:4176] = mark(0, 12288, 2, salt=mark_salt)
            self.write(segment, state=slot())
            self.expect(status, [], "the header's sum is wrong")

    def test_what_a_mark_frame_states_must_be_so(self):
        def stated(durable, status, says="", where=None, history=1, first=1, state=None):
            segment = SegmentWriter(first)
            segment.record()
            second = segment.record()
            here = len(segment.data)
            segment.mark_frame(durable, {None: second, "here": here}.get(where, where), history=history)
            segment.record()
            segment.seal()
            self.write(segment, state=state or slot(first=first, durable=first - 1))
            self.expect(status, [first, first + 1, first + 2], says)
            os.remove(self.path(SEGMENT % first))
            return self.told()

        stated(1, 0)
        stated(2, 0, where="here")
        stated(1, 1, "LSN 2 does not follow at the offset", where="here")
        stated(1, 1, "LSN 2 does not follow at the offset", where=12296)
        stated(1, 1, "LSN 2 does not follow at the offset", where=1 << 40)
        stated(0, 0, where=12288)
        stated(0, 1, "LSN 1 does not follow at the offset", where=12320)
        stated(3, 1, "comes after it", where="here")
        stated((1 << 56) - 1, 1, "comes after it")
        # Of what is durable in an earlier segment it can't tell an offset, and of a history that ended earlier neither.
        stated(8, 0, where=77, first=10)
        stated(9, 1, "LSN 10 does not follow", where=77, first=10)

    def test_a_mark_frame_with_a_number_out_of_range_is_not_whole(self):
        for durable, history in ((1 << 56, 1), ((1 << 64) - 1, 1), (1, 0), (1, (1 << 62) + 1)):
            segment = SegmentWriter()
            segment.record()
            segment.mark_frame(durable, history=history)
            segment.record()
            for known, status in ((1, 0), (2, 1)):
                self.write(segment, state=slot(durable=known))
                self.expect(status, [1], "the mark frame has a number out of range")

    def test_what_stood_before_a_durable_offset_is_damage_whatever_its_lsn(self):
        """A frame without an LSN of its own."""
        for way in ("slot", "frame"):
            for history, histories, status in ((1, (), 1), (1, ((2, 2),), 1), (1, ((2, 1),), 0)):
                for stated in (0, 8):
                    segment = SegmentWriter(history=history)
                    segment.record()
                    at = segment.put(0x80, b"time")
                    segment.put(0x80, b"time")
                    end = len(segment.data)
                    segment.data[at + 16] ^= 1
                    if way == "slot":
                        segment.mark(1, at + stated, 2)
                    else:
                        segment.data += bytes(16)
                        here = len(segment.data)
                        segment.data += frame(MARK, 2, struct.pack("<4Q", 1, at + stated, 1, here))
                    self.write(segment, state=slot(history=2, histories=histories))
                    found, lines, said = read(self.directory)
                    # A history that ended before LSN 1 took the record back, too.
                    self.assertEqual(len(lines), 0 if status == 0 else 1, said)
                    self.assertEqual(found, status if stated else 0, (way, histories, stated, said))
                    self.assertLess(at + stated, end)

    def test_zeros_and_marks_that_are_none_are_remarked_on(self):
        """A crash may leave anything there, and a segment that it sealed may be kept."""
        for place, offset, says in ((4096 + 80, 4176, "should be zeros"), (8191, 4176, "should be zeros"), (8192 + 80, 8272, "should be zeros"),
                                    (12287, 8272, "should be zeros"), (4096, 4096, "a mark is not what"), (8192 + 79, 8192, "a mark is not what")):
            for sealed in (True, False):
                segment = SegmentWriter()
                segment.record()
                if sealed:
                    segment.seal()
                segment.data[place] = 1
                self.write(segment, state=slot())
                self.expect(0, [1])
                [found] = self.told()["findings"]
                self.assertEqual((found["kind"], found["offset"]), ("remark", offset))
                self.assertIn(says, found["message"])

    def test_the_offset_of_a_mark_of_an_ended_history_says_nothing(self):
        for durable, status in ((1, 1), (2, 1), (3, 0), (9, 0)):
            for way in ("slot", "frame"):
                first = SegmentWriter(history=1)
                first.record()
                first.record()
                first.seal()
                later = SegmentWriter(3, history=2, salt=5)
                for _ in range(10):
                    later.record()
                if way == "slot":
                    later.mark(durable, 7, 2, history=1)
                    first.mark(durable, 7, 2)
                else:
                    later.mark_frame(durable, 7, history=1)
                later.seal()
                self.write(first, later, state=slot(history=2, histories=((2, 3),)))
                # That of an LSN below the segment says nothing either.
                wanted = 1 if status and (way == "slot" or durable == 2) else 0
                found, lines, said = read(self.directory)
                self.assertEqual((found, len(lines)), (wanted, 12), (durable, way, said))

    def test_what_a_mark_states_of_another_segment_says_nothing(self):
        segment = SegmentWriter(10)
        segment.record()
        end = len(segment.data)
        for durable, offset, status in ((8, 7, 0), (9, 12288, 0), (9, 7, 1), (9, end, 1), (10, end, 0), (10, 12288, 1)):
            segment.mark(durable, offset, 2)
            self.write(segment, state=slot(first=10, durable=9))
            self.expect(status, [10], "does not follow" if status else "")

    def test_evidence_after_the_end(self):
        def evidence(counts, shift=0, kind=MARK, lsn=9, durable=8, history=1, gap=40, length=48):
            segment = SegmentWriter()
            segment.record()
            segment.data += b"\xff" * gap + bytes(shift)
            here = len(segment.data)
            segment.data += frame(kind, lsn, struct.pack("<4Q", durable, 12288, history, here)[:length - 16], 99)
            for rest in (b"", bytes(100)):
                segment.data += rest
                self.write(segment, state=slot())
                self.expect(1 if counts else 0, [1], "LSN %d was durable" % durable if counts else "torn:")

        evidence(True)
        evidence(False, shift=4)
        evidence(False, kind=RECORD)
        evidence(False, history=0)
        evidence(False, history=(1 << 62) + 1)
        evidence(True, history=1 << 62)
        evidence(False, durable=1 << 56)
        # It contradicts itself, but says what was durable.
        evidence(True, durable=9)
        # Wherever it stands.
        end = 12288 + 32
        for gap in range((1 << 20) - 56, (1 << 20) + 16, 8):
            evidence(True, gap=gap)
        evidence(True, gap=(3 << 20) - end)

    def test_a_mark_leads_to_the_frame_after_it(self):
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


class HistoryTests(LogCase):
    """Marks count up to where their history ended, and no record does that was taken back."""

    def after_a_cut(self, durable, *, by):
        """Records 1 to 3 of history 1, cut from 4 on; history 2 begins with 4. A mark of history 1 states `durable`."""
        first = SegmentWriter(incarnation=1, history=1, salt=1)
        for _ in range(3):
            first.record()
        if by == "frame":
            first.seal()
        second = SegmentWriter(4, incarnation=2, history=2, salt=2)
        second.record()
        if by == "slot":
            first.mark(durable, 99999, 2)
            first.seal()
        elif by == "frame":
            here = len(second.data)
            second.record()
            second.mark_frame(4, here)
            # After the place where the log can't be read on, in a later segment.
            second.data[-100] ^= 1
            last = SegmentWriter(9, incarnation=2, history=2, salt=3)
            last.put(RECORD, b"", 0, lsn=99)
            last.put(MARK, struct.pack("<4Q", durable, 12288, 1, len(last.data)), lsn=durable + 5)
            return [first, second, last]
        return [first, second]

    def test_a_mark_of_an_ended_history_counts_up_to_its_end(self):
        for durable in (2, 3, 4, 50, (1 << 56) - 1):
            for histories, status in ((((1, 1), (2, 4)), 0), (((1, 1),), 1)):
                self.write(*self.after_a_cut(durable, by="slot"), state=slot(history=2, incarnation=2, histories=histories))
                found, lines, said = read(self.directory)
                # That of a durable record whose offset is wrong is a contradiction, whether or not it ended.
                wanted = 1 if durable <= 3 and status == 0 else status
                self.assertEqual((found, len(lines)), (wanted, 4), said)

    def test_the_earliest_end_counts(self):
        segment = SegmentWriter(history=1)
        for _ in range(3):
            segment.record()
        segment.mark(9, 12288, 2)
        for histories, durable in ((((2, 8),), 7), (((2, 8), (3, 5)), 4), (((2, 5), (3, 8)), 4), (((1, 5),), 9)):
            self.write(segment, state=slot(history=3, histories=histories))
            self.assertEqual(self.told()["durable"], durable)
            self.assertEqual(read(self.directory)[0], 1)

    def test_mark_frames_too(self):
        for histories, durable in ((((1, 1), (2, 9)), 8), (((1, 1), (2, 4)), 3), (((1, 1),), 11)):
            segment = SegmentWriter(history=1)
            segment.record()
            segment.data += b"\1" * 8
            here = len(segment.data)
            segment.data += frame(MARK, 99, struct.pack("<4Q", 11, 12288, 1, here))
            self.write(segment, state=slot(history=2, histories=histories))
            self.assertEqual(self.told()["durable"], durable)

    def test_a_record_of_a_history_that_ended_before_it_is_no_longer_in_the_log(self):
        """A segment of an older backup that was put back over a newer log: whole, of this log, partition and LSN."""
        first = SegmentWriter(incarnation=1, history=1, salt=1)
        for _ in range(3):
            first.record()
        first.seal()
        old = SegmentWriter(4, incarnation=1, history=1, salt=7)
        for _ in range(3):
            old.record()
        old.seal()
        for histories, durable, status, count in (
                (((2, 4),), 5, 1, 3), (((2, 4),), 3, 0, 3), (((2, 6),), 6, 1, 5), (((2, 6),), 5, 0, 5), (((2, 7),), 6, 0, 6)):
            self.write(first, old, state=slot(history=2, incarnation=2, histories=histories, durable=durable))
            self.expect(status, range(1, count + 1), "were taken back" if count < 6 else "")

    def test_a_batch_is_taken_back_as_a_whole(self):
        segment = SegmentWriter(history=1)
        segment.batch([b"a", b"b", b"c"])
        self.write(segment, state=slot(history=2, histories=((2, 3),)))
        self.expect(0, [], "were taken back")
        self.write(segment, state=slot(history=2, histories=((2, 4),)))
        self.expect(0, [1, 2, 3])

    def test_frames_without_records_may_stand_where_a_history_ends(self):
        segment = SegmentWriter(history=1)
        segment.record()
        segment.mark_frame(1)
        segment.put(0x80, b"time")
        segment.seal()
        self.write(segment, state=slot(history=2, histories=((2, 2),), durable=1, flags=1))
        self.expect(0, [1])

    def test_a_mark_with_a_number_out_of_range_does_not_count(self):
        segment = SegmentWriter()
        segment.record()
        segment.data += b"\1" * 8
        for wrong in ({"history": 0}, {"history": (1 << 62) + 1}, {"durable": 1 << 56}, {"sequence": (1 << 62) + 2}):
            fields = dict({"durable": 9, "offset": 12288, "sequence": 2}, **wrong)
            segment.data[4096:4176] = mark(**fields)
            self.write(segment, state=slot())
            self.expect(0, [1], "torn:")
        segment.mark(9, 12288, 1 << 62)
        self.write(segment)
        self.expect(1, [1], "damage:")


class ForeignTests(LogCase):
    """Whole files of another log, partition or place: never torn, never damage, and nothing is shown of that partition."""

    def segment(self, **more):
        segment = SegmentWriter(**more)
        for _ in range(3):
            segment.record()
        return segment

    def foreign(self, says, partition=1):
        status, lines, said = read(self.directory)
        self.assertEqual(status, 2, said)
        self.assertEqual([line for line in lines if line.startswith("%d " % partition)], [])
        self.assertIn("foreign: partition %d, segment " % partition, said)
        self.assertIn(says, said)
        self.assertNotIn("torn:", said)
        self.assertEqual(self.verdict(partition), "foreign")

    def test_a_segment(self):
        for wrong, says in (({"log_id": OTHER_ID}, "another log"), ({"partition": 2}, "partition 2, first LSN 1"),
                            ({"first": 7}, "partition 1, first LSN 7")):
            for durable in (0, 3):
                segment = self.segment(**wrong)
                segment.first = 1
                self.write(segment, state=slot(durable=durable))
                self.foreign(says)

    def test_wherever_it_stands(self):
        """After a torn place, where a purge or a truncation left something, in a partition that was removed."""
        torn = self.segment()
        torn.data += b"\1" * 8
        for stray in (self.segment(first=50, log_id=OTHER_ID), self.segment(first=50, partition=3)):
            for state in (slot(), slot(durable=9), slot(first=100, durable=99), slot(incarnation=9, oldest=9), slot(flags=2)):
                self.write(torn, stray, state=state)
                self.foreign("the header is that of")

    def test_a_header_alone_is_torn_where_nothing_was_durable(self):
        for wrong in ({"partition": 3}, {"first": 50}, {"log_id": OTHER_ID}):
            for name, state, is_durable in ((4, slot(durable=3), False), (1, slot(durable=3), True), (1, slot(durable=3, first=4), True),
                                            (1, slot(flags=2), True)):
                for rest in (b"", bytes(20000), bytes(range(256)) * 80):
                    shutil.rmtree(self.path(""), True)
                    stray = SegmentWriter(**dict({"first": name}, **wrong))
                    stray.first = name
                    stray.data[4096:] = rest
                    first = self.segment()
                    first.seal()
                    self.write(*[first, stray] if name == 4 else [stray], state=state)
                    if is_durable or "log_id" in wrong:
                        self.foreign("the header is that of")
                    else:
                        self.expect(0, [1, 2, 3], "torn:")

    def test_marks_and_salt_of_a_stray_header_tell_nothing_here(self):
        first = self.segment()
        first.seal()
        stray = self.segment(first=4, partition=3)
        # Mark frames of another file, where they stood there, but no first frame.
        stray.mark_frame(9)
        stray.data[12288:12304] = bytes(16)
        self.write(first, stray, state=slot(durable=3))
        self.expect(0, [1, 2, 3], "torn:")
        # A mark with this file's name says that something durable was here.
        own = SegmentWriter(4, salt=5)
        own.mark(4, 12400, 2)
        stray.data[4096:8192] = own.data[4096:8192]
        self.write(first, stray, state=slot(durable=3))
        self.foreign("the header is that of")

    def test_a_header_with_more_of_its_segment_is_foreign_everywhere(self):
        first = self.segment()
        first.seal()
        for has_mark, has_frames, has_footer in ((True, False, False), (False, True, False), (False, False, True)):
            stray = self.segment(first=4, partition=3)
            if has_mark:
                stray.mark(6, len(stray.data), 2)
            if has_footer:
                stray.seal()
            if not has_frames:
                end = len(stray.data) if not has_footer else struct.unpack_from("<Q", stray.data, len(stray.data) - 24)[0]
                stray.data[12288:end] = bytes(end - 12288)
            self.write(first, stray, state=slot(durable=3))
            self.foreign("the header is that of")
        # Whatever LSN the frame has.
        stray = SegmentWriter(50)
        stray.put(RECORD, b"x", lsn=4)
        stray.first = 4
        self.write(first, stray, state=slot(durable=3))
        self.foreign("the header is that of")

    def test_one_with_a_damaged_header_is_not(self):
        stray = self.segment(first=4, log_id=OTHER_ID)
        stray.data[60] ^= 1
        first = self.segment()
        first.seal()
        self.write(first, stray, state=slot())
        self.expect(0, [1, 2, 3], "torn:")

    def test_a_number_out_of_range_is_damage_before_it_is_foreign(self):
        for wrong in ({"history": 0}, {"incarnation": 0}, {"history": (1 << 62) + 1}, {"incarnation": (1 << 62) + 1}):
            segment = self.segment(log_id=OTHER_ID, **wrong)
            self.write(segment, state=slot(durable=1))
            self.expect(1, [], "a number out of range")
        for first in (0, 1 << 56, (1 << 64) - 1):
            segment = SegmentWriter(first)
            segment.first = 1
            self.write(segment, state=slot(durable=1))
            self.expect(1, [], "a number out of range")
        self.write(self.segment(history=1 << 62, incarnation=1 << 62), state=slot(incarnation=1 << 62))
        self.expect(0, [1, 2, 3])

    def test_a_newer_header_comes_before(self):
        self.write(self.segment(log_id=OTHER_ID, flags=2), state=slot())
        self.expect(2, [], "unusable:")
        self.assertEqual(self.verdict(), "newer")

    def test_state(self):
        segment = self.segment()
        for wrong, says in (({"log_id": OTHER_ID}, "STATE is that of another log"), ({"partition": 2}, "STATE is that of partition 2")):
            self.write(segment, state=slot(**wrong))
            self.foreign(says)
            # Even if the slot that counts is right, and the wrong one breaks a bound.
            self.write(segment, state=slot(sequence=2, first=0, **wrong) + slot(sequence=9))
            self.foreign(says)

    def test_a_torn_slot_is_none(self):
        wrong = bytearray(slot(sequence=4, log_id=OTHER_ID))
        wrong[500] ^= 1
        self.write(self.segment(), state=bytes(wrong) + slot(sequence=3))
        self.expect(0, [1, 2, 3])

    def test_a_directory_that_was_copied_to_another_number(self):
        self.write(self.segment(), state=slot(durable=3))
        shutil.copytree(self.path(""), self.path("", 7))
        self.foreign("STATE is that of partition 1", 7)
        self.assertEqual(self.verdict(1), "end")
        os.remove(self.path("STATE", 7))
        self.foreign("the header is that of partition 1", 7)

    def test_a_partition_beside_it_is_read(self):
        self.write(self.segment(log_id=OTHER_ID), state=slot(log_id=OTHER_ID))
        self.write(self.segment(partition=2), state=slot(partition=2), partition=2)
        self.foreign("another log")
        self.assertEqual(read(self.directory)[1], ["2 %d %s" % (lsn, (b"record %d" % lsn).hex()) for lsn in (1, 2, 3)])


class LogTests(LogCase):
    """Whose ID the log has."""

    def put(self, number, log_id=LOG_ID, state_id=None):
        segment = SegmentWriter(partition=number, log_id=log_id)
        segment.record()
        state = None if state_id == b"" else slot(partition=number, log_id=state_id or log_id)
        self.write(segment, state=state, partition=number)

    def test_without_log_the_partitions_agree(self):
        self.put(1)
        self.put(2)
        torn = bytearray(log_file())
        torn[20] ^= 1
        magic = bytearray(log_file())
        magic[0] ^= 1
        for data in (None, b"", log_file()[:63], bytes(torn), bytes(magic), bytes(64)):
            self.log(data)
            status, lines, said = read(self.directory)
            self.assertEqual((status, lines), (0, ["1 1 7265636f72642031", "2 1 7265636f72642031"]), said)
            self.assertTrue(said.startswith("note: LOG is "), said)

    def test_without_log_they_do_not_agree(self):
        self.put(1)
        self.put(2, OTHER_ID)
        os.mkdir(self.path("", 3))
        self.assertEqual([self.verdict(number) for number in (1, 2, 3)], ["end", "foreign", "end"])
        self.log(None)
        self.assertEqual([self.verdict(number) for number in (1, 2, 3)], ["foreign", "foreign", "end"])
        self.assertEqual(read(self.directory)[1], [])

    def test_log_decides(self):
        self.put(1)
        self.log(log_file(OTHER_ID))
        self.assertEqual(self.verdict(), "foreign")

    def test_without_log_state_comes_before_segments(self):
        self.log(None)
        self.put(1, OTHER_ID, LOG_ID)
        self.put(2)
        self.assertEqual([self.verdict(1), self.verdict(2)], ["foreign", "end"])

    def test_without_log_the_greater_sequence_counts_even_if_it_breaks_a_bound(self):
        self.log(None)
        self.put(1)
        self.write(state=slot(sequence=2, log_id=OTHER_ID) + slot(sequence=3, first=0))
        self.assertIn("STATE is that of another log", read(self.directory)[2])
        self.write(state=slot(sequence=4, log_id=OTHER_ID) + slot(sequence=3))
        self.assertIn("the header is that of another log", read(self.directory)[2])

    def test_without_log_and_state_the_first_whole_header_counts(self):
        self.log(None)
        self.put(2)
        self.put(1, LOG_ID, b"")
        stray = SegmentWriter(9, log_id=OTHER_ID)
        self.write(stray)
        self.assertEqual([self.verdict(1), self.verdict(2)], ["foreign", "end"])
        broken = SegmentWriter(log_id=LOG_ID)
        broken.data[70] ^= 1
        self.write(broken)
        self.assertEqual([self.verdict(1), self.verdict(2)], ["foreign", "foreign"])

    def test_nothing_states_an_id(self):
        self.log(None)
        segment = SegmentWriter()
        segment.record()
        segment.mark(1, len(segment.data), 2)
        segment.data[70] ^= 1
        self.write(segment)
        self.expect(1, [], "the header's sum is wrong, and LSN 1 was durable")

    def test_it_is_a_file(self):
        self.put(1)
        self.log(None)
        for make in (os.mkfifo, os.mkdir, lambda path: os.symlink(self.path("STATE"), path)):
            path = os.path.join(self.directory, "LOG")
            make(path)
            self.assertEqual(read(self.directory)[0], 2)
            (os.rmdir if os.path.isdir(path) else os.remove)(path)


class CopyTests(LogCase):
    """A STATE that states another inode number or time of birth than its file has."""

    def own(self):
        """What STATE's file is."""
        if not os.path.exists(self.path("STATE")):
            self.write(state=b"")
        with open(self.path("STATE"), "rb") as file:
            return read_wal.identity(file.fileno())

    def judged(self, segments, original, copied, records, says="copy:", **fields):
        """The verdict and the records, where STATE is the original and where it was copied."""
        for name in os.listdir(self.path("")) if os.path.isdir(self.path("")) else []:
            if name.endswith(".wal"):
                os.remove(self.path(name))
        inode, birth = self.own()
        ways = [(0, 0, original), (inode, 0, original), (inode, birth, original), (inode + 1, 0, copied), (inode + 1, birth, copied)]
        if birth:
            ways += [(inode, birth + 1, copied), (0, birth - 1, copied)]
        for inode, birth, verdict in ways:
            self.write(*segments, state=slot(inode=inode, birth=birth, **fields))
            self.assertEqual(self.verdict(), verdict)
            status, lines, said = read(self.directory)
            self.assertEqual(status, {"damaged": 1, "foreign": 2, "newer": 2}.get(verdict, 0), said)
            if verdict == copied and verdict != original:
                self.assertEqual([int(line.split(" ")[1]) for line in lines], list(records), said)
                self.assertIn(says, said)
                self.assertTrue(self.told()["copied"])

    def rows(self, *firsts, seal=True, each=3, **more):
        found = []
        for first in firsts:
            segment = SegmentWriter(first, salt=first, **more)
            for _ in range(each):
                segment.record()
            if seal or first != firsts[-1]:
                segment.seal()
            found.append(segment)
        return found

    def test_identity(self):
        inode, birth = self.own()
        self.assertEqual(inode, os.stat(self.path("STATE")).st_ino)
        with contextlib.suppress(OSError, ValueError):
            told = subprocess.run(["stat", "-c", "%W", self.path("STATE")], capture_output=True, text=True)
            if told.returncode == 0:
                self.assertEqual(birth // 10**9, int(told.stdout))

    def test_what_is_not_known_is_not_compared(self):
        def copied(stated, found):
            one = read_wal.whole_slot(slot(inode=stated[0], birth=stated[1]))
            return read_wal.best_state([one], *found).copied is not None

        for stated, found, wanted in (((5, 6), (5, 6), False), ((5, 6), (5, 0), False), ((5, 6), (0, 6), False), ((0, 6), (5, 6), False),
                                      ((5, 0), (5, 6), False), ((0, 0), (5, 6), False), ((5, 6), (4, 6), True), ((5, 6), (5, 7), True),
                                      ((5, 6), (4, 0), True), ((0, 6), (5, 7), True)):
            self.assertEqual(copied(stated, found), wanted, (stated, found))

    def test_state_ahead_of_the_segments(self):
        self.judged(self.rows(1, 4), "damaged", "end", range(1, 7), durable=20)

    def test_a_mark_ahead_of_the_frames(self):
        segments = self.rows(1, 4, seal=False)
        segments[1].mark(9, 20000, 2)
        self.judged(segments, "damaged", "end", range(1, 7))
        segments[1].data += b"\1" * 24
        self.judged(segments, "damaged", "torn", range(1, 7))

    def test_a_missing_segment(self):
        self.judged(self.rows(1, 7), "damaged", "torn", range(1, 4), durable=9)

    def test_closed_cleanly_but_not_sealed(self):
        self.judged(self.rows(1, 4, seal=False), "damaged", "end", range(1, 7), durable=6, flags=1)

    def test_a_beginning_that_was_purged_since(self):
        self.judged(self.rows(7, 10), "damaged", "end", range(7, 13), "the records before it are not in this copy", durable=12)

    def test_state_that_was_purged_since(self):
        # Segments below the first retained LSN are left over; nothing else was copied.
        self.judged(self.rows(1, 4), "damaged", "end", [], first=20, durable=30)

    def test_a_damaged_frame_or_header(self):
        for at in (50, 12310):
            segments = self.rows(1, 4, 7)
            segments[1].data[at] ^= 1
            self.judged(segments, "damaged", "torn", range(1, 4), durable=9)

    def test_one_that_begins_within_another(self):
        stray = self.rows(3, incarnation=9)[0]
        self.judged(self.rows(1) + [stray], "damaged", "torn", range(1, 4), durable=3)

    def test_one_of_an_older_incarnation(self):
        self.judged(self.rows(1, incarnation=2) + self.rows(4), "damaged", "torn", range(1, 4), durable=6, incarnation=2)

    def test_files_of_another_log_are_refused_as_ever(self):
        self.judged(self.rows(1, log_id=OTHER_ID), "foreign", "foreign", [])

    def test_a_newer_format_is_refused_as_ever(self):
        self.judged(self.rows(1) + [SegmentWriter(4, version=3)], "newer", "newer", [])

    def test_a_whole_copy_is_whole(self):
        self.judged(self.rows(1, 4), "end", "end", [], durable=6, flags=1)

    def test_the_slot_that_counts_decides(self):
        inode, birth = self.own()
        mine, others = {"inode": inode, "birth": birth}, {"inode": inode + 1, "birth": birth}
        for even, odd, verdict in ((mine, others, "end"), (others, mine, "damaged")):
            self.write(*self.rows(1), state=slot(sequence=2, durable=9, **even) + slot(sequence=3, durable=9, **odd))
            self.assertEqual(self.verdict(), verdict)

    def test_a_copy_by_the_file_system(self):
        """As `cp -r` makes it, and as it is after a rename."""
        inode, birth = self.own()
        self.write(*self.rows(1), state=b"")
        with open(self.path("STATE"), "r+b") as file:
            file.write(slot(durable=9, inode=inode, birth=birth))
        self.assertEqual(self.verdict(), "damaged")
        shutil.copytree(os.path.join(self.directory), os.path.join(self.directory, "copy"))
        self.assertEqual(json.loads(read(os.path.join(self.directory, "copy"), "--info", "--json")[1][0])["verdict"], "end")
        os.rename(self.path(""), os.path.join(self.directory, "moved"))
        os.rename(os.path.join(self.directory, "moved"), self.path(""))
        self.assertEqual(self.verdict(), "damaged")


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

    def test_a_torn_slot_does_not(self):
        for wrong in (slot(sequence=4, durable=9)[:100], slot(sequence=4, durable=9)[:4095] + b"\0", bytes(4096)):
            self.put(wrong, slot(sequence=3, durable=1))
            self.expect(0, [1])

    def test_a_slot_that_breaks_a_bound_does_not(self):
        large = (1 << 62) + 1
        for wrong in ({"sequence": large + 1}, {"history": large}, {"incarnation": large}, {"oldest": 2},
                      {"first": 0, "visible": 1}, {"first": 1 << 56}, {"first": 3, "visible": 2, "free": 3}, {"visible": 3, "free": 2},
                      {"free": 11}, {"durable": 1 << 56}, {"histories": ((2, 1),)}, {"histories": ((0, 1),)},
                      {"histories": ((1, 0),)}, {"histories": ((1, 1 << 56),)}, {"history": 5, "histories": ((2, 1), (2, 1))},
                      {"history": 5, "histories": ((3, 1), (2, 1))}, {"count": 240}, {"count": 1 << 63}):
            self.put(slot(**dict({"sequence": 4, "durable": 9}, **wrong)), slot(sequence=3, durable=1))
            self.expect(0, [1])
        for right in ({"sequence": 1 << 62}, {"history": 1 << 62}, {"incarnation": 1 << 62}, {"free": 10}, {"durable": (1 << 56) - 1},
                      {"first": (1 << 56) - 1, "durable": (1 << 56) - 1}, {"histories": ((1, (1 << 56) - 1),)},
                      {"history": 5, "histories": ((2, 9), (5, 3))}, {"history": 0, "incarnation": 0, "oldest": 0}):
            self.put(slot(**dict({"sequence": 4, "durable": 9}, **right)), slot(sequence=3, durable=1))
            self.assertEqual(read(self.directory)[0], 1, right)

    def test_it_holds_239_histories(self):
        histories = tuple((number, 1000 - number) for number in range(1, 240))
        segment = SegmentWriter(history=238)
        segment.record()
        segment.mark(5000, 12288, 2)
        self.write(segment, state=slot(history=239, histories=histories))
        self.assertEqual(self.told()["durable"], 760)
        self.assertEqual(len(self.told()["state"]["histories"]), 239)

    def test_no_record_is_shown_below_the_first_visible_one(self):
        segment = SegmentWriter()
        segment.record()
        segment.batch([b"a", b"b", b"c"])
        segment.record()
        segment.seal()
        for visible in range(1, 7):
            self.write(segment, state=slot(visible=visible, durable=5))
            self.expect(0, range(visible, 6))
            self.assertEqual(self.told()["first"], visible)

    def test_of_a_removed_partition_nothing_counts(self):
        one = self.one()
        one.data[-1] ^= 1
        stray = SegmentWriter(9, incarnation=7)
        stray.mark(50, 12288, 2)
        self.write(one, stray, state=slot(durable=9, flags=2))
        self.expect(0, [])
        self.assertEqual([each["ignored"] for each in self.told()["segments"]], ["removed", "removed"])
        self.assertEqual(self.verdict(), "end")
        self.write(state=slot(durable=9, flags=3))
        self.expect(0, [])

    def test_there_is_one_if_anything_was_synced(self):
        self.write(self.one())
        self.expect(1, [1], "no slot of STATE is right")

    def test_closed_cleanly_there_is_no_torn_end(self):
        segment = self.one()
        segment.seal()
        self.write(segment, state=slot(durable=1, flags=1))
        self.expect(0, [1])
        segment.data[-1] ^= 1
        self.write(segment)
        self.expect(1, [1], "though the segment was sealed")
        self.write(state=slot(durable=1))
        self.expect(0, [1], "torn:")
        # Behind the close another writer had begun.
        segment.data[-1] ^= 1
        later = SegmentWriter(2, incarnation=2)
        later.data[12288:] = b"\1"
        self.write(segment, later, state=slot(durable=1, flags=1))
        self.expect(0, [1], "torn:")


class FooterTests(LogCase):
    def sealed(self, status, says, entries=lambda first, mark, second: (), **more):
        segment = SegmentWriter()
        first = segment.record()
        mark = segment.mark_frame(1)
        second = segment.batch([b"a", b"b"])
        segment.seal(entries(first, mark, second), **more)
        self.write(segment, state=slot(durable=3, flags=1))
        self.expect(status, [1, 2, 3], says)

    def test_index(self):
        self.sealed(0, "", lambda first, mark, second: ((1, first), (2, second)))
        # Where a mark was owed, it stands before the record.
        self.sealed(0, "", lambda first, mark, second: ((1, first), (2, mark)))
        self.sealed(1, "where no frame begins with it", lambda first, mark, second: ((3, second),))
        self.sealed(1, "where no frame begins with it", lambda first, mark, second: ((2, second + 8),))
        self.sealed(1, "not in order", lambda first, mark, second: ((2, mark), (2, second)))
        self.sealed(1, "not in order", lambda first, mark, second: ((2, second), (1, first)))

    def test_counts(self):
        self.sealed(1, "counts 4 records of 3", records=4)
        self.sealed(1, "last LSN is 2", last=2)
        # Such a footer is none, so that a crash may have torn the segment there.
        segment = SegmentWriter()
        segment.record()
        segment.seal(records=2)
        later = SegmentWriter(2, salt=5)
        later.record()
        self.write(segment, later, state=slot())
        self.expect(0, [1], "torn:")

    def test_the_file_ends_with_the_trailer(self):
        segment = SegmentWriter()
        segment.record()
        segment.seal()
        segment.data += bytes(8)
        self.write(segment, state=slot(durable=1))
        self.expect(0, [1], "the file does not end with the trailer")


    def test_what_is_no_footer(self):
        def footer(own=None, entries=0, count=None, offset=None, salt=99, cut=None):
            segment = SegmentWriter()
            segment.record()
            here = len(segment.data)
            payload = struct.pack("<4Q2I", 1, 1, here if own is None else own, 0, entries if count is None else count, 0)
            segment.put(FOOTER, (payload + struct.pack("<3Q", 1, 12288, 0) * entries)[:cut])
            segment.data += signed(b"WALSEAL2" + struct.pack("<QQI", here if offset is None else offset, salt, 0))
            return segment

        self.write(footer(entries=1))
        self.expect(0, [1])
        for wrong, says in (({"own": 12288}, "the footer is a copy of one at 12288"), ({"count": 1}, "claims 1 entries"),
                            ({"entries": 1, "count": 0}, "claims 0 entries"), ({"entries": 3}, "claims 3 entries"),
                            ({"count": 1 << 31}, "claims 2147483648 entries"), ({"cut": 32}, "the footer has 48 bytes"),
                            ({"offset": 12288}, "the trailer is that of another footer"),
                            ({"salt": 98}, "the trailer is that of another footer")):
            self.write(footer(**wrong), state=slot(durable=1))
            self.expect(0, [1], "torn:")
            self.assertIn(says, read(self.directory)[2])
            self.write(state=slot(durable=1, flags=1))
            self.expect(1, [1], says)


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
        head = bytearray(segment.data[:88])
        for area, says in ((b"\1", "do not fill"), (b"\1\0\xff\xff", "longer than their area"), (b"\1\0\2\0a", "longer than their area"),
                           (b"\4\0\0\0\1", "do not fill")):
            struct.pack_into("<I", head, 84, len(area))
            segment.data[:4096] = signed(bytes(head) + area).ljust(4096, b"\0")
            self.write(segment, state=slot())
            self.expect(0, [], says)
            self.write(state=slot(durable=1))
            self.expect(1, [], says)
        for count in (4005, 1 << 31, 0xFFFFFFFF):
            struct.pack_into("<I", head, 84, count)
            segment.data[:4096] = signed(bytes(head).ljust(4092, b"\1"))
            self.write(segment)
            self.expect(1, [], "the header's sum is wrong")
        struct.pack_into("<I", head, 84, 4004)
        segment.data[:4096] = signed(bytes(head) + struct.pack("<HH", 0x8002, 4000) + bytes(4000))
        self.write(segment, state=slot())
        self.expect(0, [])
        for length in (0, 60, 91):
            with open(self.path(SEGMENT % 1), "wb") as file:
                file.write(segment.data[:length])
            self.expect(0, [], "the file is shorter than a header")
        segment = SegmentWriter()
        segment.data[4000] = 1
        segment.record()
        self.write(segment)
        self.expect(0, [1])
        self.assertEqual([each["offset"] for each in self.told()["findings"]], [114])

    def test_padding(self):
        segment = SegmentWriter()
        segment.record()
        body = b"12345\0\0\1"
        segment.data += struct.pack("<IIQ", 21, crc32c(body + struct.pack("<QQ", 21, 2 ^ 99)), 2) + body
        self.write(segment)
        self.expect(0, [1], "the frame's padding is not zero")

    def test_magics(self):
        segment = SegmentWriter()
        segment.record()
        segment.mark(9, 12288, 2)
        segment.seal()
        self.write(segment, state=slot(durable=9))
        self.expect(1, [1], "LSN 9 was durable")
        # Without STATE and mark nothing is known to be durable; without the trailer it is not sealed.
        for start, end in ((0, 88 + 4 * 3 + 10), (4096, 4172), (len(segment.data) - 32, len(segment.data) - 4)):
            area = bytearray(segment.data[start:end])
            area[0] ^= 1
            segment.data[start:end + 4] = signed(bytes(area))
        wrong = bytearray(slot(durable=9))
        wrong[0] ^= 1
        self.write(segment, state=signed(bytes(wrong[:4092])))
        self.expect(0, [], "the header is no header")
        segment.data[:4096] = header()
        self.write(segment)
        self.expect(0, [1], "the footer has no trailer")
        wrong = bytearray(log_file(OTHER_ID))
        wrong[0] ^= 1
        self.log(signed(bytes(wrong[:60])))
        self.expect(0, [1], "note: LOG is empty or torn")

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
                                ("oldest", "first", "free", "durable", "incarnation")}
            self.write(segment, state=slot(flags=numbers.randrange(2), **numbers_of_state))
            for options in ((), ("--info",), ("--info", "--json")):
                self.assertIn(read(self.directory, *options)[0], (0, 1, 2))
            os.remove(self.path(SEGMENT % segment.first))


class SkippedTests(LogCase):
    """Frames that hold no records."""

    def test_unknown_ones_are_skipped(self):
        segment = SegmentWriter()
        for kind in (0x80, 0x81, 0xBF):
            segment.put(kind, bytes(kind % 20))
            segment.record()
        at = segment.put(0x90, b"")
        segment.mark(3, at, 2)
        segment.put(0x91, b"x")
        segment.seal([(4, at)])
        self.write(segment, state=slot(durable=3, flags=1))
        self.expect(0, [1, 2, 3])
        self.assertEqual(self.told()["segments"][0]["frames"]["skipped"], 5)

    def test_they_state_the_lsn_that_follows(self):
        segment = SegmentWriter()
        segment.record()
        segment.put(0x80, b"", lsn=1)
        segment.record()
        self.write(segment)
        self.expect(0, [1], "torn:")

    def test_they_are_checked(self):
        segment = SegmentWriter()
        segment.record()
        at = segment.put(0x80, b"12345678")
        segment.data[at + 20] ^= 1
        segment.record()
        self.write(segment, state=slot(durable=2))
        self.expect(1, [1], "the frame's sum is wrong")


class WrapperTests(LogCase):
    def wrapped(self, extras, kind=RECORD, payload=b"record", status=0, lsns=(1, 2, 3), says="", following=1, durable=0):
        segment = SegmentWriter()
        segment.record()
        segment.wrapper(kind, payload, following, extras=extras)
        segment.record()
        self.write(segment, state=slot(durable=durable))
        self.expect(status, lsns, says)

    def test_every_kind_inside(self):
        segment = SegmentWriter(codec=3, items=((1, b"x"), (2, ZSTD_OF_JSON)))
        segment.wrapper(RECORD, b"")
        segment.wrapper(RECORD, b"abc", extras=extra(0x8000, b"1234567") + extra(0xFFFF, bytes(16)))
        segment.wrapper(BATCH, batch([b"d", b"ef"]), 2)
        segment.wrapper(CODED, struct.pack("<I", 2) + b"\0\2\1\1gh", 2)
        segment.wrapper(CODED, struct.pack("<I", 2) + b"\1??", 2)
        segment.wrapper(ENCRYPTED, bytes(30))
        segment.wrapper(ENCRYPTED_BATCH, struct.pack("<I", 2) + bytes(30), 2)
        segment.wrapper(ENCRYPTED_CODED, struct.pack("<I", 1) + bytes(30))
        segment.seal()
        self.write(segment, state=slot(durable=12))
        payloads = ["", "616263", "64", "6566", "0067", "0068", "?", "?", "?", "?", "?", "?"]
        self.assertEqual(read(self.directory), (0, ["1 %d %s" % each for each in enumerate(payloads, 1)], ""))
        self.assertEqual(self.told()["segments"][0]["frames"]["wrapper"], 8)

    def test_extras_that_may_be_skipped(self):
        self.wrapped(extra(0x8000))
        self.wrapped(extra(0x8001, b"x") + extra(0x8000, b"y" * 8))

    def test_critical_ones_are_refused(self):
        for types in ((0,), (1,), (0x7FFF,), (0x8000, 5), (5, 0x8000)):
            self.wrapped(b"".join(extra(type) for type in types), status=2, lsns=[1], says="an extra of type %#x" % min(types))
            self.assertEqual(self.verdict(), "newer")

    def test_what_does_not_parse(self):
        wrongs = [b"", extra(0x8000)[:-4] + b"\1\0\0\0", extra(0x8000, b"x" * 8)[:-8], extra(0x8000)[:4],
                  struct.pack("<HHI", 0x8000, 1, 0), struct.pack("<HHI", 0x8000, 0, 1) + b"x\1\0\0\0\0\0\0",
                  struct.pack("<HHI", 0x8000, 0, 1 << 31), extra(0x8000) * 2, extra(5) * 2]
        for extras in wrongs:
            for durable, status in ((0, 0), (2, 1)):
                self.wrapped(extras, status=status, lsns=[1], says="the wrapper contradicts itself", durable=durable)
        for payload in (b"", bytes(7), wrapped(RECORD, b"")[:12], struct.pack("<B3xI", 0, 12) + extra(0x8000) + struct.pack("<HHI", 0x8001, 0, 0), b"\0\1\0\0" + wrapped(RECORD, b"")[4:],
                        struct.pack("<B3xI", 0, 1 << 31) + extra(0x8000), struct.pack("<B3xI", 0, 0xFFFFFFF8) + extra(0x8000)):
            segment = SegmentWriter()
            segment.put(WRAPPER, payload, 1)
            self.write(segment, state=slot())
            self.expect(0, [], "the wrapper contradicts itself")
        for kind in (MARK, FOOTER, WRAPPER, LOST, 10, 0x80, 0xFF):
            self.wrapped(extra(0x8000), kind, b"x" * 8, lsns=[1], says="the wrapper contradicts itself")

    def test_batches_inside(self):
        for payload in (b"", bytes(4), struct.pack("<I", 2) + batch([b"a"])[4:], batch([b"a"]) + b"\0"):
            self.wrapped(extra(0x8000), BATCH, payload, lsns=[1], says="the batch contradicts itself")
            self.wrapped(extra(5), BATCH, payload, lsns=[1], says="the batch contradicts itself")
        for kind in (CODED, ENCRYPTED_BATCH, ENCRYPTED_CODED):
            for payload in (b"", b"\1\0\0", bytes(4)):
                self.wrapped(extra(0x8000), kind, payload, lsns=[1], says="the batch contradicts itself")


class LostTests(LogCase):
    def test_the_log_goes_on_after_it(self):
        segment = SegmentWriter()
        segment.record()
        at = segment.lost(5)
        segment.record()
        segment.lost(7)
        segment.seal([(2, at), (6, at + 24)])
        last = SegmentWriter(8, salt=5)
        last.record()
        self.write(segment, last, state=slot(durable=7))
        said = self.expect(0, [1, 6, 8], "lost: partition 1, segment %s: LSNs 2 to 5" % (SEGMENT % 1))
        self.assertIn("LSNs 7 to 7", said)
        self.assertEqual(self.told()["lost"], [[2, 5], [7, 7]])
        self.assertEqual(self.told()["segments"][0]["footer"]["records"], 7)

    def test_only_what_would_be_shown_is_told_of(self):
        segment = SegmentWriter()
        segment.lost(5)
        segment.record()
        for visible, lost in ((1, [[1, 5]]), (4, [[4, 5]]), (5, [[5, 5]]), (6, [])):
            self.write(segment, state=slot(visible=visible, durable=6))
            self.assertEqual(self.told()["lost"], lost)

    def test_what_contradicts_itself(self):
        for payload in (b"", bytes(7), struct.pack("<Q", 1), struct.pack("<Q", 1 << 56), struct.pack("<Q", (1 << 64) - 1),
                        struct.pack("<QQ", 5, 0)):
            for durable, status in ((1, 0), (2, 1)):
                segment = SegmentWriter()
                segment.record()
                segment.put(LOST, payload, 1)
                segment.record()
                self.write(segment, state=slot(durable=durable))
                self.expect(status, [1], "the lost range contradicts itself")

    def test_one_that_was_taken_back(self):
        segment = SegmentWriter()
        segment.record()
        segment.lost(5)
        self.write(segment, state=slot(history=2, histories=((2, 4),)))
        self.expect(0, [1], "were taken back")


class TerminatorTests(LogCase):
    """Segments in recycled space: what stands after the terminator is an earlier file's."""

    def segment(self, rest, records=2, terminator=bytes(16), flags=1, first=1, salt=99):
        segment = SegmentWriter(first, flags=flags, salt=salt)
        for _ in range(records):
            segment.record()
        segment.data += terminator + rest
        return segment

    def old(self, at):
        """Frames of an earlier file: whole, with its salt."""
        data = b""
        for lsn in range(40, 60):
            data += frame(RECORD, lsn, b"old", 5)
            data += frame(MARK, lsn + 1, struct.pack("<4Q", lsn, at, 1, at + len(data)), 5)
        return data

    def test_what_stands_after_it_does_not_count(self):
        end = len(self.segment(b"").data)
        for rest in (b"", bytes(900), b"\xff" * 900, self.old(end), frame(RECORD, 3, b"same salt")):
            self.write(self.segment(rest), state=slot(durable=2))
            self.expect(0, [1, 2])
            self.assertEqual(self.verdict(), "end")
            # Without the flag the same is where a crash tore the log.
            self.write(self.segment(rest, flags=0), state=slot(durable=2))
            self.expect(0, [1, 2], "torn:" if rest.strip(b"\0") else "")

    def test_mark_frames_of_this_segment_are_evidence(self):
        end = len(self.segment(b"").data)
        mine = frame(MARK, 5, struct.pack("<4Q", 4, 12288, 1, end + 24))
        elsewhere = frame(MARK, 5, struct.pack("<4Q", 4, 12288, 1, end + 32))
        others = frame(MARK, 5, struct.pack("<4Q", 4, 12288, 1, end + 24), 5)
        for one, status in ((mine, 1), (elsewhere, 0), (others, 0)):
            self.write(self.segment(b"\xff" * 24 + one), state=slot())
            self.expect(status, [1, 2], "LSN 4 was durable" if status else "")

    def test_where_there_is_none_the_log_is_torn_or_damaged(self):
        for terminator in (b"", bytes(8), bytes(15) + b"\1", b"\1" + bytes(15)):
            for durable, status in ((2, 0), (3, 1)):
                self.write(self.segment(b"\xff" * 64, terminator=terminator), state=slot(durable=durable))
                self.expect(status, [1, 2], "damage:" if status else "torn:")

    def test_it_is_judged_like_a_frame(self):
        self.write(self.segment(b"\xff" * 64), state=slot(durable=3))
        self.expect(1, [1, 2], "the frames end at a terminator, and LSN 3 was durable")
        self.write(state=slot(durable=2, flags=1))
        self.expect(1, [1, 2], "though the segment was sealed")
        later = self.segment(b"", first=3, salt=4)
        self.write(later, state=slot(durable=2))
        self.expect(0, [1, 2], "torn:")

    def test_it_may_be_sealed(self):
        segment = SegmentWriter(flags=1)
        segment.record()
        segment.seal()
        last = self.segment(b"\xff" * 64, first=2, salt=4)
        self.write(segment, last, state=slot(durable=3))
        self.expect(0, [1, 2, 3])


class DamageTests(LogCase):
    """Any bytes: no traceback, no record that was not there, and nothing that was durable is lost without a word."""

    def make(self):
        first = SegmentWriter(incarnation=1, salt=0x1122334455667788)
        first.record()
        first.wrapper(BATCH, batch([b"x", b"yz"]), 2, extras=extra(0x8000, b"abc"))
        first.put(0x80, b"time")
        first.mark_frame(3)
        first.record()
        first.mark(3, 12288 + 32 + 72, 2)
        first.seal([(1, 12288)])
        second = SegmentWriter(5, incarnation=2, history=2, salt=0x99AABBCCDDEEFF)
        second.record()
        second.batch([b"", b"q"])
        at = len(second.data)
        second.mark(7, at, 3)
        second.record()
        second.mark_frame(7, at)
        second.data += bytes(64)
        # After the first sync of the second segment, so that its loss shows.
        self.write(first, second, state=slot(sequence=4, history=2, incarnation=2, durable=5, histories=((1, 1), (2, 5))))
        with open(self.path("STATE"), "r+b") as file:
            file.seek(4096)
            file.write(slot(sequence=3, incarnation=1, durable=0))
        self.expect(0, range(1, 9))
        self.whole = read(self.directory)[1]
        self.assertEqual(self.told()["durable"], 7)
        return [self.path(SEGMENT % 1), self.path(SEGMENT % 5), self.path("STATE"), os.path.join(self.directory, "LOG")]

    def check(self, what):
        status, lines, said = read(self.directory)
        self.assertIn(status, (0, 1, 2), what)
        self.assertEqual(lines, self.whole[:len(lines)], what)
        self.assertEqual(status != 0, any(word in said for word in ("damage:", "unusable:", "foreign:")), what)
        self.assertIn(self.verdict(), (("end", "torn"), ("damaged",), ("newer", "foreign"))[status])
        return status, len(lines)

    def test_every_byte_turned(self):
        for path in self.make():
            with open(path, "rb") as file:
                data = file.read()
            with open(path, "r+b") as file:
                for at in places(path, len(data)):
                    file.seek(at)
                    file.write(bytes([data[at] ^ 1 << at % 8]))
                    file.flush()
                    status, count = self.check((path, at))
                    if status == 0:
                        self.assertGreaterEqual(count, 7, (path, at))
                    file.seek(at)
                    file.write(data[at:at + 1])

    def test_every_length(self):
        for path in self.make():
            with open(path, "rb") as file:
                data = file.read()
            for length in places(path, len(data)):
                os.truncate(path, length)
                status, count = self.check((path, length))
                if status == 0:
                    self.assertGreaterEqual(count, 7, (path, length))
                with open(path, "wb") as file:
                    file.write(data)

    def test_every_file_missing(self):
        for path in self.make():
            os.rename(path, path + ".aside")
            status, count = self.check(path)
            self.assertEqual(status, 0 if path.endswith("LOG") else 1, path)
            os.rename(path + ".aside", path)

    def test_many_bytes_at_random(self):
        numbers = random.Random(7)
        for path in self.make():
            with open(path, "rb") as file:
                data = file.read()
            for _ in range(300):
                worse = bytearray(data)
                for _ in range(numbers.randrange(1, 20)):
                    at = numbers.choice((numbers.randrange(100), numbers.randrange(len(data)), 12288 + numbers.randrange(900)))
                    if at < len(data):
                        worse[at] = numbers.choice((0, 0xFF, numbers.randrange(256)))
                with open(path, "wb") as file:
                    file.write(worse)
                self.check(path)
            with open(path, "wb") as file:
                file.write(data)


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
        self.assertIn("1 coded, 2 encrypted, 1 encryptedBatch, 1 encryptedCoded", info)

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
