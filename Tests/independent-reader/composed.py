#!/usr/bin/env python3
"""Composes logs byte by byte from the FileFormat article, right and wrong, and compares what walctl says with the second reader.

    composed.py [--seeds FIRST[-LAST]] [--keep] [--table] [--without=WHAT,…] WALCTL

A seed composes a partition of a few segments with every kind of frame, of which this release writes only some: wrappers, lost
ranges, frames without records, terminators, histories that ended, copies. Some are then made to contradict themselves under sums that are
right. WHAT is one of these, or any word that --table shows. The second reader, `walctl verify`, `info`, `cat` and an open for writing must agree on each. Exit status 1 if they do not.
"""

import os
import random
import struct
import sys

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))

from agreement import Check, run  # noqa: E402
from read_wal import BATCH, LOST, MARK, RECORD, WRAPPER, identity  # noqa: E402
from test_read_wal import OTHER_ID, LOG_ID, SEGMENT, SegmentWriter, batch, extra, frame, header_of_version_1, log_file, mark, \
    slot, slot_of_version_1, wrapped  # noqa: E402

LARGEST_LSN = (1 << 56) - 1
WITHOUT = {name for each in sys.argv if each.startswith("--without=") for name in each[10:].split(",")}
ITEMS = ((1, b"json"), (2, b"\1"), (3, b"wal.JSONValue"))


class Composer:
    def __init__(self, seed, directory):
        self.numbers = random.Random(seed)
        self.directory = directory
        self.partition = self.numbers.choice((0, 1, 7, 65535))
        self.count = 0
        self.steps = []
        self.wants = 0.5            # how likely it is that something is wrong, or another number than the obvious one

    def step(self, name):
        self.steps.append(name)
        return True

    def chance(self, share):
        return self.numbers.random() < share

    def wrong(self, share, name):
        """Whether to do what `name` says; few logs have more than one or two of these."""
        return self.chance(share * self.wants) and name not in WITHOUT and self.step(name)

    def value(self):
        self.count += 1
        return b'{"n": %d}' % self.count + b" " * self.numbers.choice((0, 0, 3, 500))

    def values(self):
        return batch([self.value() for _ in range(self.numbers.randrange(1, 4))])

    def extras(self):
        made = b"".join(extra(type, bytes(self.numbers.randrange(20)))
                        for type in self.numbers.sample((0x8000, 0x8001, 0x9000, 0xFFFF), self.numbers.randrange(1, 4)))
        if self.wrong(0.03, "critical extra"):
            made += extra(self.numbers.choice((0, 1, 0x7FFF)))
        if self.wrong(0.03, "extra twice"):
            made += made
        if self.wrong(0.03, "extra that contradicts itself"):
            made = self.numbers.choice((b"", made[:-8], made + bytes(8)[:4], struct.pack("<HHI", 0x8000, 1, 0),
                                        struct.pack("<HHI", 0x8000, 0, 9), struct.pack("<HHI", 0x8000, 0, 2) + b"\0\0\0\0\0\0\0\1"))
        return made

    def put(self, segment):
        """One frame."""
        way = self.numbers.choice(("record", "record", "record", "batch", "mark", "mark", "wrapper", "skipped", "wrapped batch", "lost"))
        if way in WITHOUT:
            way = "record"
        if way == "record":
            segment.put(RECORD, self.value(), 1)
        elif way == "batch":
            content = self.values()
            if self.wrong(0.03, "batch that contradicts itself"):
                content = self.numbers.choice((b"", bytes(4), content + b"\0", content[:-1], struct.pack("<I", 9) + content[4:]))
            segment.put(BATCH, content, struct.unpack("<I", content.ljust(4, b"\0")[:4])[0])
        elif way == "wrapper":
            segment.put(WRAPPER, wrapped(RECORD, self.value(), self.extras()), 1)
        elif way == "wrapped batch":
            content = self.values()
            inside = BATCH
            if self.wrong(0.03, "wrapped batch that contradicts itself"):
                content = self.numbers.choice((b"", bytes(4), content + b"\0", content[:-1]))
            if self.wrong(0.03, "another kind in a wrapper"):
                inside = self.numbers.choice((MARK, 3, WRAPPER, LOST, 10, 0x80))
            segment.put(WRAPPER, wrapped(inside, content, self.extras()), struct.unpack("<I", content.ljust(4, b"\0")[:4])[0])
        elif way == "skipped":
            segment.put(self.numbers.choice((0x80, 0x81, 0xA0, 0xBF)), self.numbers.choice((b"", b"x" * 8, b"time!", bytes(200))))
        elif way == "lost" and self.chance(0.3):
            last = segment.next + self.numbers.choice((0, 1, 5))
            if self.wrong(0.2, "lost range that contradicts itself"):
                segment.put(LOST, self.numbers.choice((b"", struct.pack("<Q", segment.next - 1), struct.pack("<Q", 1 << 56),
                                                       struct.pack("<QQ", last, 0))), last - segment.next + 1)
            else:
                self.step("lost range")
                segment.lost(last)
        elif way == "mark":
            self.put_mark(segment)
        if self.wrong(0.01, "unknown kind"):
            segment.put(self.numbers.choice((10, 0x7F, 0xC0, 0xFF)), b"new")
        if self.wrong(0.01, "wrong LSN"):
            segment.put(RECORD, self.value(), lsn=max(1, segment.next + self.numbers.choice((-1, 1, 100))))

    def put_mark(self, segment):
        """A mark frame that states what is true, mostly."""
        here = len(segment.data)
        durable, offset = self.numbers.choice(segment.ends)
        length = None
        history, own = segment.history, here
        if self.wrong(0.02, "mark frame of an LSN to come"):
            durable = segment.next + self.numbers.choice((0, 5))
        if self.wrong(0.02, "mark frame of another offset"):
            offset += 8
        if self.wrong(0.02, "copy of a mark frame"):
            own = 12288 + 8 * self.numbers.randrange(100)
        if self.wrong(0.02, "mark frame of another history"):
            history = self.numbers.choice((0, 1, history + 1, 1 << 63))
        if self.wrong(0.02, "mark frame of another length"):
            length = self.numbers.choice((24, 32, 40))
        segment.put(MARK, (struct.pack("<4Q", durable, offset, history, own) + bytes(8))[:length or 32])
        segment.ends.append((segment.next - 1, len(segment.data)))

    def segment(self, first, incarnation, history, is_last):
        numbers = self.numbers
        fields = {"items": ITEMS, "codec": 2, "flags": 1 if self.chance(0.15) and "terminator" not in WITHOUT and self.step("terminator") else 0}
        if self.wrong(0.02, "newer header"):
            fields[numbers.choice(("version", "flags", "frames"))] = numbers.choice((3, 6, 1 << 31))
        if self.wrong(0.02, "unknown item"):
            fields["items"] += ((numbers.choice((4, 0x7FFF)), b"new"),)
        if self.chance(0.1):
            fields["items"] += ((numbers.choice((0x8002, 0xFFFF)), b"new"),)
        if self.chance(0.1):
            fields["items"] += ((0x8001, b"R { }"),)
        if self.wrong(0.02, "header of another log"):
            fields["log_id"] = OTHER_ID
        named = first
        partition = self.partition
        if self.wrong(0.02, "header of another partition"):
            partition ^= 1
        if self.wrong(0.02, "header of another LSN"):
            first += 1
        if self.wrong(0.02, "header with a number out of range"):
            history, incarnation = numbers.choice(((0, incarnation), (history, 0), ((1 << 62) + 1, incarnation), (history, 1 << 63)))
        segment = SegmentWriter(first, partition, incarnation, history, numbers.randrange(1 << 64), **fields)
        segment.named = named
        segment.ends = [(first - 1, 12288)]
        for _ in range(numbers.randrange(0, 9)):
            self.put(segment)
            segment.ends.append((segment.next - 1, len(segment.data)))
        segment.sealed = self.chance(0.5) if is_last else not self.wrong(0.05, "not sealed, and not the last")
        if segment.sealed:
            self.seal(segment)
        else:
            self.leave(segment)
        for sequence in numbers.choice(((), (2,), (3,), (2, 3))):
            durable, offset = numbers.choice(segment.ends)
            more = {}
            if self.wrong(0.05, "mark of an LSN to come"):
                durable = segment.next + numbers.choice((0, 5, 1000))
            if self.wrong(0.02, "mark of another offset"):
                offset += 8
            if self.wrong(0.05, "mark of an earlier history"):
                more["history"] = max(1, history - 1)
            if self.wrong(0.03, "mark of another salt"):
                more["salt"] = 1
            if self.wrong(0.02, "mark with a number out of range"):
                more[numbers.choice(("history", "sequence"))] = numbers.choice((0, 1 << 63))
            fields = {"partition": segment.partition, "first": segment.first, "history": segment.history, "salt": segment.salt,
                      "log_id": segment.log_id}
            fields.update(more)
            place = 4096 * (1 + (sequence & 1))
            segment.data[place:place + 80] = mark(durable, offset, **dict({"sequence": sequence}, **fields))
        if self.wrong(0.03, "header of version 1"):
            segment.data[:4096] = header_of_version_1(self.partition, named)
        return segment

    def seal(self, segment):
        entries = [(lsn + 1, offset) for lsn, offset in segment.ends[:-1]]
        entries = [each for index, each in enumerate(entries) if index == 0 or each[0] > entries[index - 1][0]][:1]
        more = {}
        if segment.next == segment.first or len(segment.ends) < 2:
            entries = []
        if self.wrong(0.02, "index entry that is wrong"):
            entries = self.numbers.choice(([(segment.first, 12296)], [(segment.next + 3, 12288)]))
        if self.wrong(0.02, "footer that counts wrong"):
            more[self.numbers.choice(("records", "last"))] = segment.next + 7
        segment.seal(entries, **more)
        if self.wrong(0.02, "footer without its trailer"):
            segment.data[-1] ^= 1
        if self.wrong(0.02, "something after the trailer"):
            segment.data += bytes(8)

    def leave(self, segment):
        """What stands after the frames of a segment that is not sealed."""
        way = self.numbers.choice(("nothing", "zeros", "zeros", "garbage", "frames", "half a frame", "zeros and frames"))
        terminator = bytes(16) if not way.startswith("half") and way != "garbage" else b""
        rest = {"nothing": b"", "zeros": bytes(900), "garbage": self.numbers.randbytes(300)}.get(way)
        if rest is None:
            rest = b""
            base = len(segment.data) + len(terminator)
            if way == "half a frame":
                rest = frame(RECORD, segment.next, self.value() * 9, segment.salt)[:40]
            for index in range(self.numbers.randrange(4)):
                here = base + len(rest)
                lsn = segment.next + 1 + index
                if self.chance(0.2):
                    self.step("mark frame after the end")
                    durable = self.numbers.choice((segment.first - 1, segment.next - 1, segment.next - 1, lsn - 1, lsn + 9))
                    rest += frame(MARK, lsn, struct.pack("<4Q", durable, 12288, self.numbers.choice((segment.history, 1)),
                                                         here + self.numbers.choice((0, 0, 0, 8))), segment.salt)
                else:
                    rest += frame(RECORD, lsn, self.value(), self.numbers.choice((segment.salt, 5)))
        if rest.strip(b"\0"):
            self.step("something after the end")
        segment.data += (terminator if way not in ("nothing",) or segment.data[16] & 1 else b"") + rest

    def state(self, segments, ended):
        numbers = self.numbers
        last = segments[-1] if segments else None
        end = last.next - 1 if last else 0
        durable = numbers.choice((0, end, end, end // 2))
        starts = ended
        history = max([segment.history for segment in segments if segment.history <= 1 << 62] + [each[0] for each in starts] + [1])
        incarnation = max([segment.incarnation for segment in segments] + [1])
        fields = {"partition": self.partition, "history": history, "incarnation": incarnation, "durable": durable, "histories": starts,
                  "first": segments[0].named if segments else 1, "oldest": 1}
        if self.wrong(0.06, "STATE of an LSN to come"):
            fields["durable"] = end + numbers.choice((1, 2, 100))
        fields["durable"] = max(fields["durable"], fields["first"] - 1)
        if self.wrong(0.04, "first retained is another") and len(segments) > 1:
            fields["first"] = numbers.choice((segments[1].named, fields["first"] + 1, fields["first"] + 50))
            fields["durable"] = max(fields["durable"], fields["first"] - 1)
        if self.wrong(0.04, "a first visible LSN"):
            fields["visible"] = numbers.randrange(fields["first"], fields["durable"] + 2)
        if self.wrong(0.04, "an oldest incarnation"):
            fields["oldest"] = numbers.randrange(1, incarnation + 1)
        if all(segment.sealed for segment in segments if segment.named <= fields["durable"]) and self.chance(0.5):
            fields["flags"] = 1
        elif self.wrong(0.04, "closed cleanly, but it is not"):
            fields["flags"] = 1
        if self.wrong(0.03, "removed"):
            fields["flags"] = fields.get("flags", 0) | 2
        if self.wrong(0.03, "newer STATE"):
            fields[numbers.choice(("version", "flags"))] = numbers.choice((4, 5, 1 << 31))
        if self.wrong(0.02, "STATE of another log"):
            fields["log_id"] = OTHER_ID
        if self.wrong(0.02, "STATE of another partition"):
            fields["partition"] ^= 1
        if self.wrong(0.04, "STATE breaks a bound"):
            fields.update(numbers.choice(({"first": 0}, {"visible": 0}, {"free": fields["durable"] + 2},
                                          {"oldest": incarnation + 1}, {"history": 1 << 63}, {"count": 240},
                                          {"histories": ((history + 1, 1),)}, {"histories": ((1, 0),)}, {"incarnation": 1 << 63})))
        return fields

    def compose(self):
        numbers = self.numbers
        self.wants = numbers.choice((0, 0.3, 1, 2))
        place = os.path.join(self.directory, "partition-%05d" % self.partition)
        os.makedirs(place)
        first = numbers.choice((1, 1, 1, 1, 40, 1 << 40))
        incarnation = history = numbers.choice((1, 1, 5, 1 << 60))
        segments, ended = [], [(history, first)]
        count = numbers.randrange(1, 5)
        for index in range(count):
            segment = self.segment(first, incarnation, history, index == count - 1)
            segment.incarnation = incarnation
            segments.append(segment)
            first = segment.next
            if self.wrong(0.04, "a gap"):
                first += numbers.choice((1, 3))
            if self.wrong(0.03, "an overlap"):
                first = max(segment.named + 1, first - 1)
            incarnation += numbers.choice((0, 1, 1, 7))
            if self.wrong(0.03, "an older incarnation"):
                incarnation = max(1, incarnation - 9)
            if self.chance(0.3) and "histories" not in WITHOUT:
                history += 1
                begins = first
                if self.wrong(0.1, "a history that began earlier"):
                    begins = max(1, first - numbers.randrange(1, 4))
                ended.append((history, begins))
        if self.wrong(0.1, "a history that nothing has yet"):
            ended.append((history + 1, max(1, first - numbers.randrange(0, 4))))
        fields = self.state(segments, tuple(ended))
        for segment in segments:
            data = segment.data
            if self.wrong(0.04, "a bit turned"):
                at = numbers.choice((numbers.randrange(160), 4096 + numbers.randrange(80), 8192 + numbers.randrange(80),
                                     numbers.randrange(12288, len(data)) if len(data) > 12288 else 0))
                data[at] ^= 1 << numbers.randrange(8)
            if self.wrong(0.03, "cut"):
                del data[numbers.choice((0, 50, 5000, 12288, numbers.randrange(len(data)))):]
            if self.wrong(0.03, "missing"):
                continue
            with open(os.path.join(place, SEGMENT % segment.named), "wb") as file:
                file.write(data)
        if not self.wrong(0.05, "no STATE"):
            self.write_state(os.path.join(place, "STATE"), fields)
        if not self.wrong(0.04, "no LOG"):
            data = log_file()
            if self.wrong(0.04, "a torn LOG"):
                data = numbers.choice((b"", data[:40], data[:59] + b"\1" + data[60:]))
            if self.wrong(0.02, "LOG of another log"):
                data = log_file(OTHER_ID)
            if self.wrong(0.02, "newer LOG"):
                data = log_file(**{numbers.choice(("version", "flags")): 3})
            with open(os.path.join(self.directory, "LOG"), "wb") as file:
                file.write(data)
        with open(os.path.join(self.directory, "LOCK"), "wb"):
            pass

    def write_state(self, path, fields):
        numbers = self.numbers
        sequence = numbers.randrange(2, 1000)
        with open(path, "w+b") as file:
            inode, birth = identity(file.fileno())
            fields["inode"], fields["birth"] = numbers.choice(((inode, birth), (inode, birth), (inode, 0), (0, 0)))
            if self.chance(0.3) and "a copy" not in WITHOUT and self.step("a copy"):
                fields["inode"], fields["birth"] = numbers.choice(((inode + 1, 0), (inode, birth + 1 if birth else 0), (inode + 1, birth)))
            one = slot(sequence=sequence, **fields)
            # The slot before: as it may have been, or torn.
            other = dict(fields, sequence=sequence - 1, durable=max(1, fields["first"]) - 1, visible=fields["first"], free=fields["first"], flags=0)
            two = numbers.choice((bytes(4096), slot(**other), slot(**other)[:700].ljust(4096, b"\0")))
            if self.wrong(0.03, "an older slot of another log"):
                two = slot(**dict(other, log_id=OTHER_ID))
            if self.wrong(0.03, "an older slot of another version"):
                two = numbers.choice((slot(**dict(other, version=3)), slot_of_version_1().ljust(4096, b"\0")))
            if self.wrong(0.04, "a torn slot"):
                one = one[:800] + b"\1" + one[801:]
            slots = [one, two] if sequence % 2 == 0 else [two, one]
            file.write(slots[0] + slots[1])


def make(seed, tool, root, story):
    directory = os.path.join(root, "log")
    composer = Composer(seed, directory)
    composer.compose()
    return Check(tool, directory, composer.partition), composer.steps or ["nothing is wrong"]


if __name__ == "__main__":
    sys.exit(run(make, __doc__))
