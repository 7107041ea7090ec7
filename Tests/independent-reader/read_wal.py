#!/usr/bin/env python3
"""A second reader of the log's files, written from the FileFormat article alone (and BinaryFormat for --decode).

    read_wal.py [--json [--decode] | --info [--json]] DIR

prints one line for each record, in order of partition and LSN: partition, LSN, payload in hex (nothing where it is empty), with a
space between. It opens nothing for writing, and is not meant for a log that is being written to. A record that stands in a frame
which only a codec or a key can take apart is counted, and has "?" (with --json null) for its payload.

    --json    a JSON object for each record instead: partition, lsn, codec (its id), payload (hex)
    --decode  with --json, adds "value" for records of the binary and the JSON codec, or "error" where it is none
    --info    a summary of what the files hold instead of the records; with --json an object for each partition

Exit status: 0 whole; 1 damage; 2 unusable: wrong arguments, no log, a file that cannot be read or a newer format. What is wrong is
said on stderr, in lines that begin with "damage:" or "unusable:". Where a crash tore the log there is a line "torn:", and that is
no error. Records that stand before damage are printed.
"""

import json
import os
import re
import stat
import struct
import sys
from array import array
from bisect import bisect_left

HEADER_MAGIC = b"SWIFTWAL"
MARK_MAGIC = b"WALMARK1"
SEAL_MAGIC = b"WALSEAL1"
STATE_MAGIC = b"WALSTATE"
FRAMES = 12288
MARK_PLACES = (4096, 8192)
STATE_PLACES = (0, 4096)
LARGEST_FRAME = 1 << 30
LARGEST_LSN = (1 << 56) - 1
RECORD, BATCH, MARK, FOOTER, CODED, SEALED, SEALED_BATCH, SEALED_CODED = range(8)
COUNTED = (CODED, SEALED_BATCH, SEALED_CODED)
KINDS = ("record", "batch", "mark", "footer", "coded", "sealed", "sealedBatch", "sealedCoded")
BINARY, JSON, ZSTD = 1, 2, 3


# CRC32C ---------------------------------------------------------------------------------------------------------------

def advance(crc, count):
    """The state after `count` zero bytes, bit by bit: for making tables."""
    for _ in range(8 * count):
        crc = (crc >> 1) ^ (0x82F63B78 if crc & 1 else 0)
    return crc


def spread(bits):
    """What a linear map that sends bit i to `bits[i]` does to all values of so many bits."""
    table = [0]
    for bit in bits:
        table.extend([bit ^ other for other in table])
    return table


STRIPE = 64
WORDS = spread([advance(1 << bit, 2) for bit in range(16)])
BYTES = spread([advance(1 << bit, 1) for bit in range(8)])
PLANES = [bytes(entry >> shift & 0xFF for entry in BYTES) for shift in (0, 8, 16, 24)]
STRIPES = [spread([advance(1 << bit, STRIPE) for bit in range(low, low + 16)]) for low in (0, 16)]


def by_words(crc, data):
    """The state after `data`, two bytes a step."""
    table = WORDS
    count = len(data) // 2
    for word in struct.unpack_from("<%dH" % count, data):
        crc = table[(crc ^ word) & 0xFFFF] ^ (crc >> 16)
    if len(data) % 2:
        crc = BYTES[(crc ^ data[-1]) & 0xFF] ^ (crc >> 8)
    return crc


def by_stripes(crc, data):
    """The same for whole stripes, all of them side by side: `bytes.translate` looks up a byte of each stripe at once."""
    count = len(data) // STRIPE
    number = int.from_bytes
    first = second = third = fourth = 0
    for column in range(STRIPE):
        index = (first ^ number(data[column::STRIPE], "little")).to_bytes(count, "little")
        first = second ^ number(index.translate(PLANES[0]), "little")
        second = third ^ number(index.translate(PLANES[1]), "little")
        third = fourth ^ number(index.translate(PLANES[2]), "little")
        fourth = number(index.translate(PLANES[3]), "little")
    low, high = STRIPES
    planes = [plane.to_bytes(count, "little") for plane in (first, second, third, fourth)]
    for a, b, c, d in zip(*planes):
        crc = low[crc & 0xFFFF] ^ high[crc >> 16] ^ (a | b << 8 | c << 16 | d << 24)
    return crc


def crc32c(data, start=0):
    """The sum of `data`; with `start`, of what gave `start` and then `data`."""
    crc = start ^ 0xFFFFFFFF
    size = len(data)
    begin = 0
    while size - begin >= 8192:
        length = min(size - begin, 1 << 20) // STRIPE * STRIPE
        crc = by_stripes(crc, data[begin:begin + length])
        begin += length
    return by_words(crc, data[begin:]) ^ 0xFFFFFFFF


def sum_fits(data):
    """Whether the last four bytes are the sum of those before."""
    return len(data) >= 4 and struct.unpack_from("<I", data, len(data) - 4)[0] == crc32c(data[:-4])


# Files ----------------------------------------------------------------------------------------------------------------

class Unusable(Exception):
    """What this reader must not or cannot read."""


class File:
    """Reads a file by pieces. Never asks for more than the file had when it was opened."""

    def __init__(self, path):
        # Links are not followed, and nothing waits for the other end of a pipe.
        flags = os.O_RDONLY | getattr(os, "O_NOFOLLOW", 0) | getattr(os, "O_NONBLOCK", 0) | getattr(os, "O_BINARY", 0)
        self.descriptor = os.open(path, flags)
        about = os.fstat(self.descriptor)
        self.size = about.st_size
        self.start, self.held = 0, b""
        if not stat.S_ISREG(about.st_mode):
            self.close()
            raise Unusable("%s is no regular file" % os.path.basename(path))

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()

    def close(self):
        os.close(self.descriptor)

    def read(self, offset, count):
        """The bytes from `offset` on: `count` of them, or fewer where the file ends."""
        count = max(0, min(count, self.size - offset))
        begin = offset - self.start
        if 0 <= begin and begin + count <= len(self.held):
            return self.held[begin:begin + count]
        want = min(max(count, 1 << 18), self.size - offset)
        pieces = []
        at = offset
        while want > 0:
            os.lseek(self.descriptor, at, os.SEEK_SET)
            piece = os.read(self.descriptor, want)
            if not piece:
                break
            pieces.append(piece)
            at += len(piece)
            want -= len(piece)
        self.start, self.held = offset, b"".join(pieces)
        return self.held[:count]


def text(data):
    """None where it is no UTF-8."""
    try:
        return data.decode("utf-8")
    except UnicodeDecodeError:
        return None


def padded(count):
    return (count + 7) & ~7


# STATE ----------------------------------------------------------------------------------------------------------------

class State:
    """What STATE says, or what holds where there is none."""

    def __init__(self):
        self.there = False
        self.sequence = self.epoch = self.oldest_epoch = self.durable = 0
        self.first_retained = self.next_free = 1
        self.clean = False
        self.starts = []


def state_of(slot, partition):
    """What a slot says; None if it is none of that partition."""
    if len(slot) < 512 or slot[:8] != STATE_MAGIC or not sum_fits(slot):
        return None
    version, of_partition = struct.unpack_from("<II", slot, 8)
    if version != 1:
        raise Unusable("STATE has version %d" % version)
    state = State()
    (state.sequence, state.epoch, state.oldest_epoch, state.first_retained, state.next_free, state.durable, flags,
     count) = struct.unpack_from("<8Q", slot, 16)
    if of_partition != partition or count > 24 or not 1 <= state.first_retained <= LARGEST_LSN \
            or state.oldest_epoch > state.epoch:
        return None
    if any(epoch > state.epoch for epoch, _ in struct.iter_unpack("<QQ", slot[80:80 + 16 * count])):
        return None
    if flags & ~1:
        raise Unusable("STATE has flags %#x" % flags)
    state.there = True
    state.clean = flags & 1 == 1
    state.starts = [struct.unpack_from("<QQ", slot, 80 + 16 * index) for index in range(count)]
    return state


def read_state(path, partition):
    """What the slot with the greater sequence says; what holds without a STATE if none is right."""
    best = State()
    try:
        with File(path) as file:
            for place in STATE_PLACES:
                state = state_of(file.read(place, 512), partition)
                if state is not None and state.sequence >= best.sequence:
                    best = state
    except FileNotFoundError:
        pass
    return best


# Segments -------------------------------------------------------------------------------------------------------------

class Segment:
    """One segment file: its header, its marks, and its frames as far as they are whole and in a row."""

    def __init__(self, path, first, partition):
        self.path, self.name, self.first, self.partition = path, os.path.basename(path), first, partition
        self.refusal = None         # why a reader of version 1 must not read it
        self.broken = None          # why the header is none
        self.epoch = self.salt = self.made = self.codec = 0
        self.items = {}
        self.schema = None          # what the record type looked like, for people
        self.marks = []             # (place, durable LSN, offset, sequence)
        self.mark_frames = []       # (offset, durable LSN), those behind the end included
        self.next = first           # the LSN that follows the last whole frame
        self.end = FRAMES           # where the row of whole frames ends
        self.stop = None            # why it ends there; None if a footer is there
        self.stop_refuses = False
        self.rest = False           # whether there is anything but zeros behind the end
        self.footer = None          # (offset, number of records, last LSN, time, entries)
        self.offsets = array("Q")   # for each frame: where it starts
        self.lsns = array("Q")      # and the LSN that it states
        self.kinds = [0] * len(KINDS)
        self.faults = []            # (name, offset, LSN, message): what contradicts itself though its sum is right
        self.file = None            # while it is read
        self.size = 0

    def fault(self, offset, lsn, message):
        self.faults.append((self.name, offset, lsn, message))

    # Header and marks

    def read_header(self):
        file = self.file
        head = file.read(0, 4096)
        if len(head) < 68:
            self.broken = "the file is shorter than a header"
            return
        (version, frames, flags, partition, first, self.epoch, self.salt, self.made, self.codec,
         count) = struct.unpack_from("<4I4Q2I", head, 8)
        if head[:8] != HEADER_MAGIC:
            self.broken = "the header is no header"
            return
        if 64 + count + 4 > len(head) or not sum_fits(head[:68 + count]):
            self.broken = "the header's sum is wrong"
            return
        if version != 1 or frames != FRAMES or flags != 0:
            self.refusal = "the header has version %d, frames from %d, flags %#x" % (version, frames, flags)
            return
        if head[68 + count:].strip(b"\0"):
            self.fault(68 + count, self.first, "there is something behind the header")
        if partition != self.partition or first != self.first:
            self.broken = "the header is that of partition %d, first LSN %d" % (partition, first)
            return
        at, end = 64, 64 + count
        while at < end:
            if end - at < 4:
                self.broken = "the header's items do not fill their area"
                return
            tag, length = struct.unpack_from("<HH", head, at)
            at += 4
            if length > end - at:
                self.broken = "an item of the header is longer than their area"
                return
            if tag in self.items:
                self.fault(at - 4, self.first, "item %#x is there twice" % tag)
            if 1 <= tag <= 3:
                self.items[tag] = head[at:at + length]
                if tag != 2:
                    try:
                        self.items[tag].decode("utf-8")
                    except UnicodeDecodeError:
                        self.fault(at, self.first, "item %#x is no UTF-8" % tag)
            elif tag == 0x8001:
                self.schema = text(head[at:at + length])
            elif tag < 0x8000:
                self.refusal = "the header has an item %#x" % tag
                return
            at += length

    def read_marks(self):
        """The marks of the two places. If the header is broken its salt is not known: then a mark must name this file."""
        for place in MARK_PLACES:
            mark = self.file.read(place, 64)
            if len(mark) < 64 or mark[:8] != MARK_MAGIC or not sum_fits(mark):
                continue
            salt, _, durable, offset, sequence, first, partition = struct.unpack_from("<6QI", mark, 8)
            if salt == self.salt if self.broken is None else (first == self.first and partition == self.partition):
                self.marks.append((place, durable, offset, sequence, salt))

    # Frames

    def frame_at(self, offset):
        """(kind, LSN, the frame with its padding, its length) or why there is none."""
        head = self.file.read(offset, 16)
        if len(head) < 4:
            return "the file ends"
        length = struct.unpack_from("<I", head)[0]
        if length == 0:
            return "the frame was not written" if head.strip(b"\0") else "nothing was written here"
        if length < 16 or length > LARGEST_FRAME:
            return "a frame cannot have %d bytes" % length
        if offset + padded(length) > self.size:
            return "the frame is longer than the file"
        data = self.file.read(offset, padded(length))
        if len(data) < padded(length):
            return "the file became shorter"
        checksum, word = struct.unpack_from("<IQ", data, 4)
        if crc32c(data[16:] + struct.pack("<QQ", length, word ^ self.salt)) != checksum:
            return "the frame's sum is wrong"
        if data[length:].strip(b"\0"):
            return "the frame's padding is not zero"
        return word >> 56, word & LARGEST_LSN, data, length

    def walk(self):
        """Reads frames in order until one is not whole, is missing or has another LSN than the one that follows."""
        while True:
            frame = self.frame_at(self.end)
            if isinstance(frame, str):
                self.stop = frame
                return
            kind, lsn, data, length = frame
            if lsn != self.next:
                self.stop = "the frame has LSN %d" % lsn
                return
            if kind in (RECORD, SEALED):
                following = lsn + 1
            elif kind == BATCH:
                following = self.take_batch(data, length)
            elif kind in COUNTED:
                following = self.take_counted(data, length)
            elif kind == MARK:
                following = self.take_mark(data, length)
            elif kind == FOOTER:
                following = self.take_footer(data, length)
            else:
                self.stop = "a frame of kind %#x" % kind
                self.stop_refuses = True
                return
            if following is None:
                return
            self.kinds[kind] += 1
            self.offsets.append(self.end)
            self.lsns.append(lsn)
            self.end += len(data)
            self.next = following
            if kind == FOOTER:
                self.end += 32
                return

    def take_batch(self, data, length):
        self.stop = "the batch contradicts itself"
        if length < 20:
            return None
        count = struct.unpack_from("<I", data, 16)[0]
        if count == 0 or count > (length - 20) // 4:
            return None
        at = 20
        for _ in range(count):
            if length - at < 4:
                return None
            at += 4 + struct.unpack_from("<I", data, at)[0]
        if at != length:
            return None
        self.stop = None
        return self.next + count

    def take_counted(self, data, length):
        """A batch that only its codec, or who has the key, can take apart: what it states counts."""
        count = struct.unpack_from("<I", data, 16)[0] if length >= 20 else 0
        if count == 0:
            self.stop = "the batch contradicts itself"
            return None
        return self.next + count

    def take_mark(self, data, length):
        if length != 48:
            self.stop = "the mark frame has %d bytes" % length
            return None
        durable, offset, _, own = struct.unpack_from("<4Q", data, 16)
        if own != self.end:
            self.stop = "the mark frame is a copy of one at %d" % own
            return None
        self.mark_frames.append((self.end, durable))
        if durable >= self.next:
            self.fault(self.end, self.next, "the mark frame states LSN %d, which comes behind it" % durable)
        elif durable >= self.first - 1 and not self.begins(offset, durable + 1) and offset != self.end:
            self.fault(self.end, self.next, "LSN %d does not follow at the offset %d that the mark frame states" % (
                durable + 1, offset))
        return self.next

    def begins(self, offset, lsn):
        """Whether a frame starts at `offset` whose LSN is `lsn`."""
        index = bisect_left(self.offsets, offset)
        return index < len(self.offsets) and self.offsets[index] == offset and self.lsns[index] == lsn

    def take_footer(self, data, length):
        behind = self.end + len(data)
        trailer = self.file.read(behind, 32)
        if len(trailer) < 32 or trailer[:8] != SEAL_MAGIC or not sum_fits(trailer):
            self.stop = "the footer has no trailer"
            return None
        own, salt, _ = struct.unpack_from("<QQI", trailer, 8)
        if own != self.end or salt != self.salt:
            self.stop = "the trailer is that of another footer"
            return None
        if behind + 32 != self.size:
            self.stop = "the file does not end with the trailer"
            return None
        if length < 56:
            self.stop = "the footer has %d bytes" % length
            return None
        records, last, own, sealed, count, _ = struct.unpack_from("<4Q2I", data, 16)
        if length != 56 + 24 * count or count > self.end // 65536 + 2:
            self.stop = "the footer of %d bytes claims %d entries" % (length, count)
            return None
        if own != self.end:
            self.stop = "the footer is a copy of one at %d" % own
            return None
        if records != self.next - self.first:
            self.fault(self.end + 16, self.next, "the footer counts %d records of %d" % (records, self.next - self.first))
        if last != self.next - 1:
            self.fault(self.end + 24, self.next, "the footer's last LSN is %d" % last)
        before = 0
        for index in range(count):
            lsn, offset, _ = struct.unpack_from("<3Q", data, 56 + 24 * index)
            if lsn <= before:
                self.fault(self.end + 56 + 24 * index, lsn, "the index is not in order")
            before = lsn
            if not self.begins(offset, lsn):
                self.fault(self.end + 56 + 24 * index, lsn, "no frame begins at %d with that LSN" % offset)
        self.footer = (self.end, records, last, sealed, count)
        return self.next

    def find_mark_frames(self, salts):
        """Mark frames behind the place where the row of frames ends: they tell damage from a torn end."""
        pattern = re.compile(re.escape(struct.pack("<I", 48)))
        step = 1 << 20
        base = self.end
        while base < self.size:
            data = self.file.read(base, step + 40)
            if data.strip(b"\0"):
                self.rest = True
                for match in pattern.finditer(data, 0, step + 4):
                    at = match.start()
                    if (base + at) % 8 or at >= step or len(data) - at < 48:
                        continue
                    checksum, word, durable, _, _, own = struct.unpack_from("<I5Q", data, at + 4)
                    if own != base + at or word >> 56 != MARK:
                        continue
                    for salt in salts:
                        if crc32c(data[at + 16:at + 48] + struct.pack("<QQ", 48, word ^ salt)) == checksum:
                            self.mark_frames.append((own, durable))
                            break
            base += step

    def check_marks(self):
        """What the marks say of offsets must agree with the frames, as far as they are whole."""
        for place, durable, offset, _, _ in self.marks:
            if durable < self.first - 1 or durable >= self.next and self.footer is None:
                continue
            if not self.begins(offset, durable + 1) and not (offset == self.end and durable + 1 == self.next):
                self.fault(place + 32, durable, "LSN %d does not follow at the offset %d that the mark states" % (
                    durable + 1, offset))

    def read(self):
        with File(self.path) as self.file:
            self.size = self.file.size
            self.read_header()
            if self.refusal is not None:
                return
            self.read_marks()
            if self.broken is not None:
                # Its salt cannot be trusted. Whichever of these is right shows that something durable was here.
                self.find_mark_frames({self.salt} | {mark[4] for mark in self.marks})
                return
            self.walk()
            if self.stop is not None:
                self.find_mark_frames([self.salt])
            self.check_marks()

    def durable(self):
        return max([mark[1] for mark in self.marks] + [frame[1] for frame in self.mark_frames], default=0)

    def payloads(self):
        """LSN and payload of each record; None for what can't be taken apart here. They were checked when the segment was
        read."""
        with File(self.path) as file:
            def take(offset, count):
                data = file.read(offset, count)
                if len(data) < count:
                    raise Unusable("%s became shorter while it was read" % self.name)
                return data

            for offset, lsn in zip(self.offsets, self.lsns):
                length, _, word = struct.unpack("<IIQ", take(offset, 16))
                if word >> 56 == RECORD:
                    yield lsn, take(offset + 16, length - 16)
                elif word >> 56 == BATCH:
                    at = offset + 20
                    for index in range(struct.unpack("<I", take(offset + 16, 4))[0]):
                        size = struct.unpack("<I", take(at, 4))[0]
                        yield lsn + index, take(at + 4, size)
                        at += 4 + size
                elif word >> 56 == SEALED:
                    yield lsn, None
                elif word >> 56 in COUNTED:
                    count = struct.unpack("<I", take(offset + 16, 4))[0]
                    records = None
                    if word >> 56 == CODED and self.codec == ZSTD:
                        records = uncompressed(take(offset + 20, length - 20), count)
                    for index in range(count):
                        yield lsn + index, records and records[index]


# Partitions -----------------------------------------------------------------------------------------------------------

class Partition:
    """One partition: which segments count, what is durable, and where it ends."""

    def __init__(self, path, number):
        self.path, self.number = path, number
        self.faults = []
        self.refusals = []
        self.torn = None            # (name, offset, LSN, message)
        self.segments = []          # those that count
        self.ignored = []           # (segment, why)
        self.spans = []             # those whose records are the log's
        self.durable = 0
        self.next = 1
        self.state = State()

    def read(self):
        self.state = read_state(os.path.join(self.path, "STATE"), self.number)
        found = []
        for name in os.listdir(self.path):
            match = re.fullmatch(r"([0-9]{20})\.wal", name)
            if match and 1 <= int(match.group(1)) <= LARGEST_LSN:
                found.append(Segment(os.path.join(self.path, name), int(match.group(1)), self.number))
        for segment in sorted(found, key=lambda segment: segment.first):
            if segment.first < self.state.first_retained:
                self.ignored.append((segment, "purged"))
                continue
            segment.read()
            if segment.broken is None and segment.refusal is None and segment.epoch < self.state.oldest_epoch:
                self.ignored.append((segment, "truncated"))
            else:
                self.segments.append(segment)
        self.durable = max([self.state.durable] + [segment.durable() for segment in self.segments])
        self.join()
        if self.durable > 0 and not self.state.there:
            self.faults.append(("STATE", 0, self.durable, "something was synced, and no slot of STATE is right"))

    def join(self):
        """Puts the segments in a row, and decides what the first place means where they do not go on."""
        self.next = self.state.first_retained
        epoch = 0
        for segment in self.segments:
            if segment.first != self.next:
                why = "the segment begins with LSN %d" % segment.first
                if segment.first < self.next or not self.state.there and segment is self.segments[0]:
                    return self.faults.append((segment.name, 0, self.next, why))
                return self.end(segment, 0, why)
            if segment.refusal is not None:
                return self.refusals.append((segment.name, 0, self.next, segment.refusal))
            if segment.broken is not None:
                return self.end(segment, 0, segment.broken)
            if segment.epoch < epoch:
                return self.end(segment, 0, "the segment is of an older epoch than the one before")
            epoch = segment.epoch
            self.faults.extend(segment.faults)
            self.spans.append(segment)
            self.next = segment.next
            if segment.stop_refuses:
                return self.refusals.append((segment.name, segment.end, self.next, segment.stop))
            if segment.stop is not None:
                return self.end(segment, segment.end, segment.stop)
        if self.next <= self.durable:
            self.faults.append(("%020d.wal" % self.next, 0, self.next, "it is missing, and LSN %d was durable" % self.durable))

    def end(self, segment, offset, why):
        if self.next <= self.durable:
            self.faults.append((segment.name, offset, self.next, "%s, and LSN %d was durable" % (why, self.durable)))
        elif self.state.clean and segment.first <= self.state.durable:
            self.faults.append((segment.name, offset, self.next, "%s, though the segment was sealed" % why))
        elif offset == 0 or segment.rest or segment is not self.segments[-1]:
            self.torn = (segment.name, offset, self.next, why)

    def records(self):
        for segment in self.spans:
            for lsn, payload in segment.payloads():
                yield lsn, segment.codec, segment, payload


# Values ---------------------------------------------------------------------------------------------------------------

class NoValue(Exception):
    """Bytes that are not what their codec writes."""


def uncompressed(content, count):
    """The records of a batch that zstd did not make smaller, each as it would stand by itself; None where it did."""
    if content[:1] != b"\0":
        return None
    at = 1

    def number():
        nonlocal at
        value = shift = 0
        while at < len(content):
            byte = content[at]
            value, shift, at = value | (byte & 127) << shift, shift + 7, at + 1
            if byte < 128:
                return value
        raise NoValue("the bytes end within a number")

    try:
        if number() != count or count > len(content):
            return None
        sizes = [number() for _ in range(count)]
    except NoValue:
        return None
    if sum(sizes) != len(content) - at:
        return None
    records = []
    for size in sizes:
        records.append(b"\0" + content[at:at + size])
        at += size
    return records


class Cbor:
    """A value of the binary codec's profile as one that JSON can show; bytes become {"bytes": hex}."""

    def __init__(self, data):
        self.data, self.at = data, 0

    def take(self, count):
        if count > len(self.data) - self.at:
            raise NoValue("the bytes end within a value")
        self.at += count
        return self.data[self.at - count:self.at]

    def argument(self, low):
        if low < 24:
            return low
        if low > 27:
            raise NoValue("additional information %d" % low)
        return int.from_bytes(self.take(1 << (low - 24)), "big")

    def at_break(self):
        if self.at < len(self.data) and self.data[self.at] == 0xFF:
            self.at += 1
            return True
        return False

    def elements(self, low, width, depth):
        """The values of an array or map, of definite length or not."""
        values = []
        if low == 31:
            while not self.at_break():
                values.extend(self.value(depth) for _ in range(width))
            return values
        count = self.argument(low) * width
        if count > len(self.data) - self.at:
            raise NoValue("a count beyond the bytes that are left")
        return [self.value(depth) for _ in range(count)]

    def value(self, depth=0):
        initial = self.take(1)[0]
        major, low = initial >> 5, initial & 31
        if major in (4, 5):
            if depth >= 128:
                raise NoValue("it nests deeper than 128")
            values = self.elements(low, major - 3, depth + 1)
            if major == 4:
                return values
            return {key if isinstance(key, str) else json.dumps(key): item for key, item in
                    zip(values[::2], values[1::2])}
        if major == 7:
            if low in (20, 21, 22):
                return (False, True, None)[low - 20]
            if low == 26:
                return self.real(struct.unpack(">f", self.take(4))[0])
            if low == 27:
                return self.real(struct.unpack(">d", self.take(8))[0])
            raise NoValue("initial byte %#x" % initial)
        number = self.argument(low)
        if major == 0:
            return number
        if major == 1:
            return -1 - number
        if major == 2:
            return {"bytes": self.take(number).hex()}
        if major == 3:
            try:
                return self.take(number).decode("utf-8")
            except UnicodeDecodeError:
                raise NoValue("text that is not UTF-8") from None
        if depth >= 128:
            raise NoValue("it nests deeper than 128")
        content = self.value(depth + 1)
        if number in (2, 3):
            if not isinstance(content, dict) or set(content) != {"bytes"}:
                raise NoValue("a big integer without bytes")
            large = int(content["bytes"] or "0", 16)
            return {"integer": hex(large if number == 2 else -1 - large)}
        return {"tag": number, "value": content}

    @staticmethod
    def real(number):
        return number if number - number == 0 else {"float": repr(number)}

    def whole(self):
        value = self.value()
        if self.at != len(self.data):
            raise NoValue("bytes behind the value")
        return value


def decoded(codec, parameters, payload):
    """{"value": …}, {"error": …}, or nothing for a codec that is not known here, and for what zstd compressed."""
    try:
        if codec == BINARY and parameters == b"\x01":
            return {"value": Cbor(payload).whole()}
        if codec == JSON and parameters == b"\x01":
            value = json.loads(payload.decode("utf-8"))
            json.dumps(value, allow_nan=False)
            return {"value": value}
        if codec == ZSTD and len(parameters) >= 18 and parameters[0] == 2 and payload[:1] == b"\0":
            return decoded(struct.unpack_from("<I", parameters, 2)[0], parameters[18:], payload[1:])
    except (NoValue, ValueError, RecursionError) as error:
        return {"error": str(error)}
    return {}


# The command ----------------------------------------------------------------------------------------------------------

def summary(partition):
    state = partition.state
    result = {
        "partition": partition.number,
        "first": partition.state.first_retained,
        "next": partition.next,
        "durable": partition.durable,
        "torn": partition.torn is not None,
        "state": None if not state.there else {
            "sequence": state.sequence, "epoch": state.epoch, "oldestEpoch": state.oldest_epoch,
            "firstRetained": state.first_retained, "nextFree": state.next_free, "durable": state.durable,
            "clean": state.clean, "epochStarts": [list(start) for start in state.starts]},
        "segments": [],
    }
    reasons = [(segment, None) for segment in partition.segments] + partition.ignored
    for segment, why in sorted(reasons, key=lambda pair: pair[0].first):
        result["segments"].append({
            "name": segment.name, "bytes": segment.size, "ignored": why, "header": segment.broken or segment.refusal or "whole",
            "epoch": segment.epoch, "codec": segment.codec,
            "codecName": segment.items.get(1, b"").decode("utf-8", "replace"),
            "parameters": segment.items.get(2, b"").hex(),
            "type": segment.items.get(3, b"").decode("utf-8", "replace"), "schema": segment.schema,
            "first": segment.first, "next": segment.next, "end": segment.end, "stop": segment.stop,
            "frames": dict(zip(KINDS, segment.kinds)),
            "marks": [{"place": mark[0], "durable": mark[1], "offset": mark[2], "sequence": mark[3]} for mark in segment.marks],
            "markFrames": len(segment.mark_frames),
            "footer": None if segment.footer is None else dict(zip(
                ("offset", "records", "last", "sealed", "entries"), segment.footer)),
        })
    return result


def print_summary(partition, out):
    told = summary(partition)
    print("partition %(partition)d: first LSN %(first)d, next %(next)d, durable %(durable)d" % told
          + (", torn" if told["torn"] else ""), file=out)
    if told["state"]:
        print("  STATE %(sequence)d: epoch %(epoch)d, oldest epoch %(oldestEpoch)d, first retained %(firstRetained)d, "
              "next free %(nextFree)d, durable %(durable)d, clean %(clean)s" % told["state"], file=out)
    for each in told["segments"]:
        print("  %(name)s: %(bytes)d bytes, header %(header)s, epoch %(epoch)d, codec %(codec)d %(codecName)r of %(type)r" % each
              + (", ignored: %s" % each["ignored"] if each["ignored"] else ""), file=out)
        print("    LSN %(first)d up to %(next)d, frames up to %(end)d" % each
              + " (%s)" % (each["stop"] or "sealed")
              + ": %(record)d records, %(batch)d batches, %(mark)d marks" % each["frames"]
              + "".join(", %d %s" % (each["frames"][kind], kind) for kind in KINDS[CODED:] if each["frames"][kind]), file=out)
        for mark in each["marks"]:
            print("    mark %(sequence)d: durable LSN %(durable)d up to %(offset)d" % mark, file=out)
        if each["footer"]:
            print("    footer at %(offset)d: %(records)d records, last LSN %(last)d, %(entries)d index entries" % each["footer"],
                  file=out)


def complain(kind, partition, finding):
    name, offset, lsn, message = finding
    print("%s: partition %d, segment %s, offset %d, LSN %d: %s" % (kind, partition, name, offset, lsn, message), file=sys.stderr)


def show(partition, options, out):
    if "--info" in options:
        if "--json" in options:
            print(json.dumps(summary(partition)), file=out)
        else:
            print_summary(partition, out)
        return
    for lsn, codec, segment, payload in partition.records():
        if "--json" not in options:
            print(partition.number, lsn, "?" if payload is None else payload.hex(), file=out)
            continue
        line = {"partition": partition.number, "lsn": lsn, "codec": codec, "payload": None if payload is None else payload.hex()}
        if "--decode" in options and payload is not None:
            line.update(decoded(codec, segment.items.get(2, b""), payload))
        print(json.dumps(line), file=out)


def partitions(directory):
    found = []
    is_log = False
    for name in os.listdir(directory):
        match = re.fullmatch(r"partition-([0-9]{5})", name)
        path = os.path.join(directory, name)
        if match and int(match.group(1)) <= 65535:
            if not stat.S_ISDIR(os.lstat(path).st_mode):
                raise Unusable("%s is no directory" % name)
            found.append(Partition(path, int(match.group(1))))
        is_log = is_log or name == "LOCK"
    if not found and not is_log:
        raise Unusable("%s holds no log" % directory)
    return sorted(found, key=lambda partition: partition.number)


def run(arguments, out):
    options = {each for each in arguments if each.startswith("--")}
    rest = [each for each in arguments if not each.startswith("--")]
    if len(rest) != 1 or options - {"--json", "--info", "--decode"}:
        print(__doc__.split("\n\n")[1].strip(), file=sys.stderr)
        return 2
    damaged = unusable = False
    try:
        for partition in partitions(rest[0]):
            try:
                partition.read()
                show(partition, options, out)
            except (Unusable, OSError, MemoryError) as error:
                if isinstance(error, BrokenPipeError):
                    raise
                unusable = True
                print("unusable: partition %d: %s" % (partition.number, error), file=sys.stderr)
            for finding in partition.faults:
                damaged = True
                complain("damage", partition.number, finding)
            for finding in partition.refusals:
                unusable = True
                complain("unusable", partition.number, finding)
            if partition.torn is not None:
                complain("torn", partition.number, partition.torn)
    except (Unusable, OSError) as error:
        if isinstance(error, BrokenPipeError):
            raise
        unusable = True
        print("unusable: %s" % error, file=sys.stderr)
    return 1 if damaged else 2 if unusable else 0


def main():
    for stream in (sys.stdout, sys.stderr):
        stream.reconfigure(errors="backslashreplace")
    try:
        status = run(sys.argv[1:], sys.stdout)
        sys.stdout.flush()
    except BrokenPipeError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        status = 2
    except OSError as error:
        print("unusable: %s" % error, file=sys.stderr)
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        status = 2
    return status


if __name__ == "__main__":
    sys.exit(main())
