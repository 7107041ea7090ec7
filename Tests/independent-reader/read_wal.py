#!/usr/bin/env python3
"""A second reader of the log's files, written from the FileFormat article alone (and BinaryFormat for --decode).

    read_wal.py [--json [--decode] | --info [--json]] DIR

prints one line for each record, in order of partition and LSN: partition, LSN, payload in hex (nothing where it is empty), with a
space between. It opens nothing for writing, and is not meant for a log that is being written to. A record in a frame that only a
codec or a key can take apart is counted, and has "?" (with --json null) for its payload.

    --json    a JSON object for each record instead: partition, lsn, codec (its ID), payload (hex)
    --decode  with --json, adds "value" for records of the binary and the JSON codec, or "error" where the bytes are no value
    --info    a summary of what the files hold instead of the records; with --json an object for each partition

Exit status: 0 whole; 1 damage; 2 unusable: wrong arguments, no log, a file that cannot be read, a newer format, or files of another
log or partition. What is wrong is said on stderr, in lines that begin with "damage:", "unusable:" or "foreign:". These lines are no
errors: "torn:" where a crash tore the log, "copy:" where a copy of a log ends early because its files are of different moments,
"lost:" for a range of LSNs that salvage could not save, "note:" for a log whose LOG must be written again. Records that stand
before damage are printed; a partition with files that belong elsewhere prints none.
"""

import ctypes
import json
import os
import re
import stat
import struct
import sys
from array import array
from bisect import bisect_left

HEADER_MAGIC = b"SWIFTWAL"
MARK_MAGIC = b"WALMARK2"
SEAL_MAGIC = b"WALSEAL2"
STATE_MAGIC = b"WALSTATE"
LOG_MAGIC = b"WALLOGID"
VERSION = 2
FRAMES = 12288
MARK_PLACES = (4096, 8192)
MARK_BYTES = 80
STATE_PLACES = (0, 4096)
SLOT_BYTES = 4096
MOST_HISTORIES = 239
LARGEST_FRAME = 1 << 30
LARGEST_LSN = (1 << 56) - 1
LARGEST_COUNTER = 1 << 62
RECORD, BATCH, MARK, FOOTER, CODED, ENCRYPTED, ENCRYPTED_BATCH, ENCRYPTED_CODED, WRAPPER, LOST = range(10)
COUNTED = (CODED, ENCRYPTED_BATCH, ENCRYPTED_CODED)
INSIDE = (RECORD, BATCH, CODED, ENCRYPTED, ENCRYPTED_BATCH, ENCRYPTED_CODED)
SKIPPED = range(0x80, 0xC0)
KINDS = ("record", "batch", "mark", "footer", "coded", "encrypted", "encryptedBatch", "encryptedCoded", "wrapper", "lost", "skipped")
ENDS_AT_TERMINATOR = 1
CLOSED_CLEANLY, REMOVED = 1, 2
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


# LOG ------------------------------------------------------------------------------------------------------------------

def read_log_id(path):
    """The ID that LOG states, or None and why it states none."""
    try:
        with File(path) as file:
            data = file.read(0, 64)
    except FileNotFoundError:
        return None, "LOG is missing"
    if len(data) < 64 or data[:8] != LOG_MAGIC or not sum_fits(data):
        return None, "LOG is empty or torn"
    version, flags = struct.unpack_from("<II", data, 8)
    if version != VERSION:
        raise Unusable("LOG has version %d" % version)
    if flags:
        raise Unusable("LOG has flags %#x" % flags)
    return data[16:32], None


# STATE ----------------------------------------------------------------------------------------------------------------

class State:
    """What STATE says, or what holds where there is none."""

    def __init__(self):
        self.there = False
        self.sequence = self.history = self.incarnation = self.oldest_incarnation = self.durable = 0
        self.first_retained = self.first_visible = self.next_free = 1
        self.inode = self.birth = 0
        self.flags = 0
        self.starts = []
        self.copied = None          # why the file is a copy

    def is_in_bounds(self):
        return (self.sequence <= LARGEST_COUNTER and self.history <= LARGEST_COUNTER
                and self.oldest_incarnation <= self.incarnation <= LARGEST_COUNTER
                and 1 <= self.first_retained <= LARGEST_LSN and self.durable <= LARGEST_LSN
                and self.first_retained <= self.first_visible <= self.next_free <= self.durable + 1
                and all(1 <= history <= self.history and 1 <= start <= LARGEST_LSN for history, start in self.starts)
                and all(one[0] < next[0] for one, next in zip(self.starts, self.starts[1:])))

    def end_of(self, history):
        """The first LSN that is no longer of that history; None if it has not ended."""
        return min((start for later, start in self.starts if later > history), default=None)

    def counted(self, history, durable):
        """How far a mark of that history counts."""
        end = self.end_of(history)
        return durable if end is None else min(durable, end - 1)


class Slot:
    """A whole slot of STATE: magic and sum are right, and its version is known."""

    def __init__(self, data):
        self.partition, self.sequence = struct.unpack_from("<IQ", data, 12)
        self.log_id = bytes(data[24:40])
        state = State()
        state.sequence = self.sequence
        (state.inode, state.birth, state.history, state.incarnation, state.oldest_incarnation, state.first_retained,
         state.first_visible, state.next_free, state.durable, state.flags, count) = struct.unpack_from("<11Q", data, 40)
        self.state = None           # None if it breaks a bound
        if count <= MOST_HISTORIES:
            state.starts = [struct.unpack_from("<QQ", data, 256 + 16 * index) for index in range(count)]
            if state.is_in_bounds():
                state.there = True
                self.state = state


def whole_slot(data):
    """The slot in these bytes; None if it is not whole."""
    if len(data) >= 512 and data[:8] == STATE_MAGIC and struct.unpack_from("<I", data, 8)[0] == 1 and sum_fits(data[:512]):
        raise Unusable("STATE has version 1, which was never released")
    if len(data) < SLOT_BYTES or data[:8] != STATE_MAGIC or not sum_fits(data):
        return None
    version = struct.unpack_from("<I", data, 8)[0]
    if version != VERSION:
        raise Unusable("STATE has version %d" % version)
    return Slot(data)


def identity(descriptor):
    """Inode number and time of birth of an open file; 0 for what this system does not tell."""
    about = os.fstat(descriptor)
    birth = getattr(about, "st_birthtime_ns", 0) or int(getattr(about, "st_birthtime", 0) * 10**9)
    if not birth and sys.platform.startswith("linux"):
        try:
            statx = ctypes.CDLL(None).statx
        except (AttributeError, OSError):
            return about.st_ino, 0
        told = ctypes.create_string_buffer(256)
        # AT_EMPTY_PATH, STATX_BTIME; the mask says whether there is one.
        if statx(descriptor, b"", 0x1000, 0x800, told) == 0 and struct.unpack_from("=I", told.raw)[0] & 0x800:
            seconds, nanoseconds = struct.unpack_from("=qI", told.raw, 80)
            birth = seconds * 10**9 + nanoseconds
    return about.st_ino, birth


def read_slots(path):
    """The whole slots of STATE, and its file's identity."""
    slots = []
    try:
        with File(path) as file:
            for place in STATE_PLACES:
                slot = whole_slot(file.read(place, SLOT_BYTES))
                if slot is not None:
                    slots.append(slot)
            return slots, identity(file.descriptor)
    except FileNotFoundError:
        return [], (0, 0)


def best_state(slots, inode, birth):
    """What the slot says that counts; what holds without STATE if none does."""
    state = max((slot.state for slot in slots if slot.state is not None), key=lambda state: state.sequence, default=State())
    if state.flags & ~(CLOSED_CLEANLY | REMOVED):
        raise Unusable("STATE has flags %#x" % state.flags)
    for what, stated, found in (("inode number", state.inode, inode), ("time of birth", state.birth, birth)):
        if stated and found and stated != found:
            state.copied = state.copied or "STATE's %s is %d, and it states %d" % (what, found, stated)
    return state


# Segments -------------------------------------------------------------------------------------------------------------

class Segment:
    """One segment file: its header, its marks, and its frames as far as they are whole and in a row."""

    def __init__(self, path, first, partition):
        self.path, self.name, self.first, self.partition = path, os.path.basename(path), first, partition
        self.refusal = None         # why a reader of this version must not read it
        self.broken = None          # why the header is none
        self.is_whole = False       # whether the header is of a known version and its sum is right
        self.log_id = None
        self.stated = None          # (partition, first LSN) as the header states them
        self.is_stray = False       # the header is that of another segment of this log, and nothing else of it is in the file
        self.flags = self.history = self.incarnation = self.salt = self.made = self.codec = 0
        self.items = {}
        self.schema = None          # what the record type looked like, for people
        self.marks = []             # (place, durable LSN, offset, sequence, salt, history)
        self.mark_frames = []       # (offset, durable LSN, history, durable offset), those after the end included
        self.lost = []              # (first, last LSN)
        self.next = first           # the LSN that follows the last whole frame
        self.end = FRAMES           # where the row of whole frames ends
        self.stop = None            # why it ends there; None if a footer is there
        self.stop_refuses = False
        self.rest = False           # whether there is anything that counts after the end
        self.footer = None          # (offset, number of records, last LSN, time, entries)
        self.offsets = array("Q")   # for each frame: where it starts
        self.lsns = array("Q")      # and the LSN that it states
        self.kinds = [0] * len(KINDS)
        self.faults = []            # (name, offset, LSN, message): what contradicts itself though its sum is right
        self.remarks = []           # the same, but a crash may leave it
        self.file = None            # while it is read
        self.size = 0
        self.state = State()

    def fault(self, offset, lsn, message):
        self.faults.append((self.name, offset, lsn, message))

    # Header and marks

    def read_header(self):
        with File(self.path) as file:
            self.size = file.size
            self.parse_header(file.read(0, 4096))

    def parse_header(self, head):
        if head[:8] != HEADER_MAGIC:
            self.broken = "the file is shorter than a header" if len(head) < 92 else "the header is no header"
            return
        if len(head) >= 68 and struct.unpack_from("<I", head, 8)[0] == 1:
            count = struct.unpack_from("<I", head, 60)[0]
            if 68 + count <= len(head) and sum_fits(head[:68 + count]):
                self.refusal = "the header has version 1, which was never released"
                return
        if len(head) < 92:
            self.broken = "the file is shorter than a header"
            return
        self.salt = struct.unpack_from("<Q", head, 48)[0]
        count = struct.unpack_from("<I", head, 84)[0]
        if 92 + count > len(head) or not sum_fits(head[:92 + count]):
            self.broken = "the header's sum is wrong"
            return
        (version, frames, self.flags, partition, first, self.history, self.incarnation, _, self.made) = struct.unpack_from(
            "<4I5Q", head, 8)
        if version != VERSION or self.flags & ~ENDS_AT_TERMINATOR or frames != FRAMES:
            self.refusal = "the header has version %d, flags %#x, frames from %d" % (version, self.flags, frames)
            return
        self.codec = struct.unpack_from("<I", head, 80)[0]
        if not (1 <= first <= LARGEST_LSN and 1 <= self.history <= LARGEST_COUNTER
                and 1 <= self.incarnation <= LARGEST_COUNTER):
            self.broken = "the header has a number out of range"
            return
        self.is_whole = True
        self.log_id = head[64:80]
        self.stated = (partition, first)
        self.zeros(92 + count, head[92 + count:])
        self.parse_items(head, 88, 88 + count)

    def zeros(self, offset, data):
        if data.strip(b"\0"):
            self.remarks.append((self.name, offset, self.first, "there is something where there should be zeros"))

    def parse_items(self, head, at, end):
        seen = set()
        unknown = None
        while at < end:
            if end - at < 4:
                self.broken = "the header's items do not fill their area"
                return
            tag, length = struct.unpack_from("<HH", head, at)
            at += 4
            if length > end - at:
                self.broken = "an item of the header is longer than their area"
                return
            if tag in seen:
                self.fault(at - 4, self.first, "item %#x is there twice" % tag)
            seen.add(tag)
            if 1 <= tag <= 3:
                self.items[tag] = head[at:at + length]
                if tag != 2 and text(self.items[tag]) is None:
                    self.fault(at, self.first, "item %#x is no UTF-8" % tag)
            elif tag == 0x8001:
                self.schema = text(head[at:at + length])
            elif tag < 0x8000:
                unknown = unknown or tag
            at += length
        if unknown is not None:
            self.refusal = "the header has an item %#x" % unknown

    def elsewhere(self, log_id):
        """Where a whole header says that the file belongs, if that is not here."""
        if not self.is_whole:
            return None
        if log_id is not None and self.log_id != log_id:
            return "the header is that of another log"
        if self.stated != (self.partition, self.first):
            return "the header is that of partition %d, first LSN %d" % self.stated
        return None

    def may_be_stray(self, log_id):
        """Whether the header, which belongs elsewhere in this log, is all that there is of the segment that it names."""
        if log_id is None or self.log_id != log_id or self.broken is not None or self.refusal is not None:
            return False
        named = Segment(self.path, self.stated[1], self.stated[0])
        named.read_header()
        with File(self.path) as named.file:
            named.read_marks(log_id)
            return not (named.marks or named.begins_with_a_frame() or named.ends_in_trailer())

    def begins_with_a_frame(self):
        frame = self.frame_at(FRAMES)
        if isinstance(frame, str):
            return False
        kind, self.next, data, length = frame
        return kind == FOOTER or self.take(kind, data, length) is not None or self.stop_refuses

    def ends_in_trailer(self):
        trailer = self.file.read(self.size - 32, 32) if self.size >= FRAMES + 88 else b""
        return len(trailer) == 32 and trailer[:8] == SEAL_MAGIC and sum_fits(trailer) \
            and struct.unpack_from("<Q", trailer, 16)[0] == self.salt

    def read_marks(self, log_id):
        """The marks of the two places. If the header is broken its salt is not known: then a mark must name this file."""
        for place in MARK_PLACES:
            if self.broken is None:
                self.zeros(place + MARK_BYTES, self.file.read(place + MARK_BYTES, 4096 - MARK_BYTES))
            mark = self.file.read(place, MARK_BYTES)
            if len(mark) < MARK_BYTES or mark[:8] != MARK_MAGIC or not sum_fits(mark):
                continue
            salt, history, durable, offset, sequence, first = struct.unpack_from("<6Q", mark, 8)
            partition = struct.unpack_from("<I", mark, 72)[0]
            if not (1 <= history <= LARGEST_COUNTER and durable <= LARGEST_LSN and sequence <= LARGEST_COUNTER
                    and 1 <= first <= LARGEST_LSN):
                continue
            if self.broken is None:
                counts = salt == self.salt
            else:
                counts = first == self.first and partition == self.partition and log_id in (None, mark[56:72])
            if counts:
                self.marks.append((place, durable, offset, sequence, salt, history))

    # Frames

    def frame_at(self, offset):
        """(kind, LSN, the frame with its padding, its length) or why there is none."""
        head = self.file.read(offset, 16)
        if len(head) < 4:
            return "the file ends"
        length = struct.unpack_from("<I", head)[0]
        if length == 0:
            if head.strip(b"\0") or len(head) < 16:
                return "the frame was not written"
            return "the frames end at a terminator" if self.flags & ENDS_AT_TERMINATOR else "nothing was written here"
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
        """Reads frames in order until one is not whole, is missing, has another LSN than the one that follows, or was taken
        back."""
        limit = self.state.end_of(self.history)
        while True:
            frame = self.frame_at(self.end)
            if isinstance(frame, str):
                self.stop = frame
                return
            kind, lsn, data, length = frame
            if lsn != self.next:
                self.stop = "the frame has LSN %d" % lsn
                return
            following = self.take(kind, data, length)
            if following is None:
                return
            if limit is not None and following > max(limit, lsn):
                self.stop = "the records from LSN %d on were taken back" % limit
                return
            if kind == LOST:
                self.lost.append((lsn, following - 1))
            self.kinds[len(KINDS) - 1 if kind in SKIPPED else kind] += 1
            self.offsets.append(self.end)
            self.lsns.append(lsn)
            self.end += len(data)
            self.next = following
            if kind == FOOTER:
                self.end += 32
                return

    def take(self, kind, data, length):
        """The LSN that follows a frame; None, and why in `stop`, if the frame is not one that can be taken."""
        if kind == MARK:
            return self.take_mark(data, length)
        if kind == FOOTER:
            return self.take_footer(data, length)
        if kind in SKIPPED:
            return self.next
        if kind == WRAPPER:
            return self.take_wrapper(data[:length])
        if kind == LOST:
            last = struct.unpack_from("<Q", data, 16)[0] if length == 24 else 0
            if length != 24 or not self.next <= last <= LARGEST_LSN:
                self.stop = "the lost range contradicts itself"
                return None
            return last + 1
        if kind in INSIDE:
            return self.take_records(kind, data, 16, length)
        self.stop = "a frame of kind %#x" % kind
        self.stop_refuses = True
        return None

    def take_records(self, kind, data, at, length):
        """For kinds that hold records, from the payload at `at` on."""
        if kind in (RECORD, ENCRYPTED):
            return self.next + 1
        count = struct.unpack_from("<I", data, at)[0] if length - at >= 4 else 0
        is_right = count > 0
        if kind == BATCH and is_right:
            is_right = count <= (length - at - 4) // 4
            if is_right:
                at += 4
                for _ in range(count):
                    if length - at < 4:
                        is_right = False
                        break
                    at += 4 + struct.unpack_from("<I", data, at)[0]
                is_right = is_right and at == length
        # Of a coded or encrypted batch only its codec or the key can tell more: the count that it states is taken.
        if not is_right:
            self.stop = "the batch contradicts itself"
            return None
        return self.next + count

    def take_wrapper(self, data):
        self.stop = "the wrapper contradicts itself"
        if len(data) < 24:
            return None
        kind, extras = data[16], struct.unpack_from("<I", data, 20)[0]
        if kind not in INSIDE or data[17:20].strip(b"\0") or extras == 0 or extras % 8 or extras > len(data) - 24:
            return None
        at, end = 24, 24 + extras
        types = []
        while at < end:
            type, zero, size = struct.unpack_from("<HHI", data, at)
            at += 8
            if zero or type in types or size > end - at or data[at + size:at + padded(size)].strip(b"\0"):
                return None
            at += padded(size)
            types.append(type)
        self.stop = None
        following = self.take_records(kind, data, end, len(data))
        if following is not None and min(types) < 0x8000:
            self.stop = "a wrapper with an extra of type %#x" % min(types)
            self.stop_refuses = True
            return None
        return following

    def take_mark(self, data, length):
        if length != 48:
            self.stop = "the mark frame has %d bytes" % length
            return None
        durable, offset, history, own = struct.unpack_from("<4Q", data, 16)
        if own != self.end:
            self.stop = "the mark frame is a copy of one at %d" % own
            return None
        if not (1 <= history <= LARGEST_COUNTER and durable <= LARGEST_LSN):
            self.stop = "the mark frame has a number out of range"
            return None
        self.mark_frames.append((self.end, durable, history, offset))
        if durable >= self.next:
            self.fault(self.end, self.next, "the mark frame states LSN %d, which comes after it" % durable)
        elif durable >= self.first - 1 and self.state.counted(history, durable) == durable \
                and not self.begins(offset, durable + 1) and (offset, durable + 1) != (self.end, self.next):
            self.fault(self.end, self.next, "LSN %d does not follow at the offset %d that the mark frame states" % (
                durable + 1, offset))
        return self.next

    def begins(self, offset, lsn):
        """Whether a frame starts at `offset` whose LSN is `lsn`."""
        index = bisect_left(self.offsets, offset)
        return index < len(self.offsets) and self.offsets[index] == offset and self.lsns[index] == lsn

    def take_footer(self, data, length):
        after = self.end + len(data)
        trailer = self.file.read(after, 32)
        if len(trailer) < 32 or trailer[:8] != SEAL_MAGIC or not sum_fits(trailer):
            self.stop = "the footer has no trailer"
            return None
        own, salt, _ = struct.unpack_from("<QQI", trailer, 8)
        if own != self.end or salt != self.salt:
            self.stop = "the trailer is that of another footer"
            return None
        if after + 32 != self.size:
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
            self.stop = "the footer counts %d records of %d" % (records, self.next - self.first)
            return None
        if last != self.next - 1:
            self.stop = "the footer's last LSN is %d" % last
            return None
        before = 0
        for index in range(count):
            lsn, offset, _ = struct.unpack_from("<3Q", data, 56 + 24 * index)
            if lsn <= before:
                self.fault(self.end + 56 + 24 * index, lsn, "the footer's index is not in order")
            before = lsn
            if not self.begins(offset, lsn):
                self.fault(self.end + 56 + 24 * index, lsn, "the index has LSN %d at %d, where no frame begins with it" % (lsn, offset))
        self.footer = (self.end, records, last, sealed, count)
        return self.next

    def find_mark_frames(self, salts):
        """Mark frames after the place where the row of frames ends: they tell damage from a torn end."""
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
                    checksum, word, durable, offset, history, own = struct.unpack_from("<I5Q", data, at + 4)
                    if own != base + at or word >> 56 != MARK or not 1 <= history <= LARGEST_COUNTER \
                            or durable > LARGEST_LSN:
                        continue
                    for salt in salts:
                        if crc32c(data[at + 16:at + 48] + struct.pack("<QQ", 48, word ^ salt)) == checksum:
                            self.mark_frames.append((own, durable, history, offset))
                            break
            base += step

    def check_marks(self):
        """What the marks say of offsets must agree with the frames, as far as they are whole."""
        for place, durable, offset, _, _, history in self.marks:
            # In a copy a mark may be ahead of what was copied.
            if durable < self.first - 1 or durable >= self.next and (self.footer is None or self.state.copied is not None):
                continue
            if self.state.counted(history, durable) != durable or self.stop is not None and durable + 1 == self.next and offset > self.end:
                continue
            if not self.begins(offset, durable + 1) and (offset, durable + 1) != (self.end, self.next):
                self.fault(place + 32, durable, "LSN %d does not follow at the offset %d that the mark states" % (
                    durable + 1, offset))
        for place in MARK_PLACES:
            if place not in [mark[0] for mark in self.marks] and self.file.read(place, MARK_BYTES).strip(b"\0"):
                self.remarks.append((self.name, place, self.first, "a mark is not what was written"))

    def durable_offset(self):
        """Up to where this segment was durable."""
        stated = [mark[1:3] + mark[5:] for mark in self.marks] + [(frame[1], frame[3], frame[2]) for frame in self.mark_frames]
        return max([offset for durable, offset, history in stated
                    if durable >= self.first - 1 and self.state.counted(history, durable) == durable], default=0)

    def read(self, log_id, state):
        """Marks and frames, once the header is known."""
        self.state = state
        if self.refusal is not None:
            return
        with File(self.path) as self.file:
            self.size = self.file.size
            self.read_marks(log_id)
            if self.broken is not None:
                # Its salt cannot be trusted. Whichever of these is right shows that something durable was here.
                self.find_mark_frames((set() if self.is_stray else {self.salt}) | {mark[4] for mark in self.marks})
                return
            self.walk()
            if self.stop is not None:
                self.find_mark_frames([self.salt])
            if self.stop == "the frames end at a terminator":
                self.rest = False
            self.check_marks()

    def durable(self):
        return max([self.state.counted(mark[5], mark[1]) for mark in self.marks]
                   + [self.state.counted(frame[2], frame[1]) for frame in self.mark_frames], default=0)

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
                kind, at = word >> 56, offset + 16
                if kind == WRAPPER:
                    kind, extras = struct.unpack("<B3xI", take(at, 8))
                    at += 8 + extras
                size = offset + length - at
                if kind == RECORD:
                    yield lsn, take(at, size)
                elif kind == BATCH:
                    count = struct.unpack("<I", take(at, 4))[0]
                    at += 4
                    for index in range(count):
                        size = struct.unpack("<I", take(at, 4))[0]
                        yield lsn + index, take(at + 4, size)
                        at += 4 + size
                elif kind == ENCRYPTED:
                    yield lsn, None
                elif kind in COUNTED:
                    count = struct.unpack("<I", take(at, 4))[0]
                    records = None
                    if kind == CODED and self.codec == ZSTD:
                        records = uncompressed(take(at + 4, size - 4), count)
                    for index in range(count):
                        yield lsn + index, records and records[index]


# Partitions -----------------------------------------------------------------------------------------------------------

class Partition:
    """One partition: which segments count, what is durable, where it ends, and the verdict on that."""

    def __init__(self, path, number):
        self.path, self.number = path, number
        self.foreign = []
        self.faults = []            # where the log can't be read on, though it should be
        self.contradictions = []    # what a verifier says, though the log can be read past it
        self.refusals = []
        self.notes = []             # of a copy
        self.torn = None            # (name, offset, LSN, message)
        self.found = []             # all segments
        self.slots = []
        self.identity = (0, 0)
        self.segments = []          # those that count
        self.ignored = []           # (segment, why)
        self.spans = []             # those whose records are the log's
        self.durable = 0
        self.next = 1
        self.state = State()
        self.error = None           # why it can't be read at all

    @property
    def verdict(self):
        if self.foreign:
            return "foreign"
        if self.faults or self.contradictions:
            return "damaged"
        if self.refusals or self.error:
            return "newer"
        return "torn" if self.torn else "end"

    def gather(self):
        """STATE and the headers of all segments."""
        for name in sorted(os.listdir(self.path)):
            match = re.fullmatch(r"([0-9]{20})\.wal", name)
            if match and 1 <= int(match.group(1)) <= LARGEST_LSN:
                segment = Segment(os.path.join(self.path, name), int(match.group(1)), self.number)
                segment.read_header()
                self.found.append(segment)
        self.slots, self.identity = read_slots(os.path.join(self.path, "STATE"))

    def log_id(self):
        """The ID of the log that this partition says it belongs to."""
        if self.slots:
            return max(self.slots, key=lambda slot: slot.sequence).log_id
        return next((segment.log_id for segment in self.found if segment.is_whole), None)

    def find_foreign(self, log_id):
        for slot in self.slots:
            if log_id is not None and slot.log_id != log_id:
                self.foreign.append(("STATE", 0, 0, "STATE is that of another log"))
            elif slot.partition != self.number:
                self.foreign.append(("STATE", 0, 0, "STATE is that of partition %d" % slot.partition))
        for segment in self.found:
            why = segment.elsewhere(log_id)
            if why is None:
                continue
            if segment.may_be_stray(log_id):
                segment.is_stray, segment.broken = True, why
            else:
                self.foreign.append((segment.name, 0, segment.first, why))

    def find_durable_strays(self):
        """No loss of power leaves the header of another segment where something was durable."""
        self.foreign.extend((segment.name, 0, segment.first, segment.broken) for segment in self.found
                            if segment.is_stray and (segment.first <= self.durable or self.state.flags & REMOVED))

    def read(self, log_id):
        self.find_foreign(log_id)
        if self.foreign:
            return
        self.state = best_state(self.slots, *self.identity)
        self.durable = self.state.durable
        self.find_durable_strays()
        if self.foreign:
            return
        for segment in self.found:
            if self.state.flags & REMOVED:
                self.ignored.append((segment, "removed"))
            elif segment.first < self.state.first_retained:
                self.ignored.append((segment, "purged"))
            elif segment.broken is None and segment.refusal is None and segment.incarnation < self.state.oldest_incarnation:
                self.ignored.append((segment, "truncated"))
            else:
                segment.read(log_id, self.state)
                self.segments.append(segment)
        if not self.state.flags & REMOVED:
            self.durable = max([self.durable] + [segment.durable() for segment in self.segments])
            self.find_durable_strays()
            if self.foreign:
                return
            self.join()
            if self.durable > 0 and not self.state.there:
                self.contradictions.append(("STATE", 0, self.durable, "something was synced, and no slot of STATE is right"))
        else:
            self.next = self.state.next_free
        if not self.refusals:
            self.refusals.extend((segment.name, 0, segment.first, segment.refusal)
                                 for segment in self.found if segment.refusal is not None)

    def join(self):
        """Puts the segments in a row, and decides what the first place means where they do not go on."""
        self.next = self.state.first_retained
        incarnation = 0
        for segment in self.segments:
            if segment.first != self.next:
                why = "the segment begins with LSN %d" % segment.first
                is_first = segment is self.segments[0]
                if self.state.copied and is_first:
                    self.notes.append((segment.name, 0, segment.first, "the records before it are not in this copy"))
                    self.next = segment.first
                elif segment.first < self.next or not self.state.there and is_first:
                    return self.damage(segment.name, 0, why, True)
                else:
                    return self.end(segment, 0, why)
            if segment.refusal is not None:
                return self.refusals.append((segment.name, 0, self.next, segment.refusal))
            if segment.broken is not None:
                return self.end(segment, 0, segment.broken)
            if segment.incarnation < incarnation:
                return self.end(segment, 0, "the segment is of an older incarnation than the one before")
            incarnation = segment.incarnation
            self.contradictions.extend(segment.faults)
            self.spans.append(segment)
            self.next = segment.next
            if segment.stop_refuses:
                return self.refusals.append((segment.name, segment.end, self.next, segment.stop))
            if segment.stop is not None:
                return self.end(segment, segment.end, segment.stop)
        if self.next <= self.durable:
            self.damage("%020d.wal" % self.next, 0, "it is missing, and LSN %d was durable" % self.durable, False)

    def damage(self, name, offset, why, has_rest):
        """An error; but in a copy the log ends here."""
        finding = (name, offset, self.next, why)
        if self.state.copied is None:
            self.faults.append(finding)
            return
        self.notes.append(finding)
        if has_rest:
            self.torn = finding

    def end(self, segment, offset, why):
        has_rest = offset == 0 or segment.rest or segment is not self.segments[-1]
        if self.next <= self.durable:
            self.damage(segment.name, offset, "%s, and LSN %d was durable" % (why, self.durable), has_rest)
        elif offset and offset < segment.durable_offset():
            self.damage(segment.name, offset, "%s, and offset %d was durable" % (why, segment.durable_offset()), has_rest)
        elif self.state.flags & CLOSED_CLEANLY and segment.first <= self.state.durable:
            self.damage(segment.name, offset, "%s, though the segment was sealed" % why, has_rest)
        elif has_rest:
            self.torn = (segment.name, offset, self.next, why)

    def findings(self):
        """What is said of it: pairs of a kind and a list of places."""
        found = [("remark", [remark for segment in self.segments for remark in segment.remarks]), ("foreign", self.foreign), ("contradiction", self.contradictions), ("damage", self.faults), ("unusable", self.refusals)]
        if self.verdict in ("end", "torn", "damaged"):
            found.append(("copy", self.notes))
            found.append(("torn", [self.torn] if self.torn is not None and not self.notes else []))
        return found

    def records(self):
        for segment in self.spans:
            for lsn, payload in segment.payloads():
                if lsn >= self.state.first_visible:
                    yield lsn, segment.codec, segment, payload

    def lost(self):
        """The ranges of LSNs that are lost, as far as they would be shown."""
        for segment in self.spans:
            for first, last in segment.lost:
                if last >= self.state.first_visible:
                    yield segment, max(first, self.state.first_visible), last


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
        "verdict": partition.verdict,
        "first": partition.state.first_visible,
        "next": partition.next,
        "durable": partition.durable,
        "copied": state.copied is not None,
        "torn": partition.torn is not None,
        "lost": [[first, last] for _, first, last in partition.lost()],
        "findings": [dict(zip(("kind", "segment", "offset", "lsn", "message"), (kind,) + finding))
                     for kind, findings in partition.findings() for finding in findings],
        "state": None if not state.there else {
            "sequence": state.sequence, "history": state.history, "incarnation": state.incarnation,
            "oldestIncarnation": state.oldest_incarnation, "firstRetained": state.first_retained,
            "firstVisible": state.first_visible, "nextFree": state.next_free, "durable": state.durable,
            "clean": state.flags & CLOSED_CLEANLY != 0, "removed": state.flags & REMOVED != 0,
            "histories": [list(start) for start in state.starts]},
        "segments": [],
    }
    reasons = dict(partition.ignored)
    for segment in partition.found:
        result["segments"].append({
            "name": segment.name, "bytes": segment.size, "ignored": reasons.get(segment),
            "header": segment.broken or segment.refusal or "whole",
            "history": segment.history, "incarnation": segment.incarnation, "flags": segment.flags, "codec": segment.codec,
            "codecName": segment.items.get(1, b"").decode("utf-8", "replace"),
            "parameters": segment.items.get(2, b"").hex(),
            "type": segment.items.get(3, b"").decode("utf-8", "replace"), "schema": segment.schema,
            "first": segment.first, "next": segment.next, "end": segment.end, "stop": segment.stop,
            "frames": dict(zip(KINDS, segment.kinds)),
            "marks": [{"place": mark[0], "durable": mark[1], "offset": mark[2], "sequence": mark[3], "history": mark[5]}
                      for mark in segment.marks],
            "markFrames": len(segment.mark_frames),
            "footer": None if segment.footer is None else dict(zip(
                ("offset", "records", "last", "sealed", "entries"), segment.footer)),
        })
    return result


def print_summary(partition, out):
    told = summary(partition)
    print("partition %(partition)d: %(verdict)s, first LSN %(first)d, next %(next)d, durable %(durable)d" % told
          + (", a copy" if told["copied"] else ""), file=out)
    if told["state"]:
        print("  STATE %(sequence)d: history %(history)d, incarnation %(incarnation)d, oldest %(oldestIncarnation)d, first retained "
              "%(firstRetained)d, next free %(nextFree)d, durable %(durable)d, clean %(clean)s, removed %(removed)s" % told["state"],
              file=out)
    for each in told["segments"]:
        print("  %(name)s: %(bytes)d bytes, header %(header)s, history %(history)d, incarnation %(incarnation)d, codec %(codec)d "
              "%(codecName)r of %(type)r" % each + (", ignored: %s" % each["ignored"] if each["ignored"] else ""), file=out)
        if each["ignored"] or told["verdict"] == "foreign":
            continue
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


def tell(partition):
    if partition.error is not None:
        print("unusable: partition %d: %s" % (partition.number, partition.error), file=sys.stderr)
    for kind, findings in partition.findings():
        for finding in findings if kind != "remark" else []:
            complain("damage" if kind == "contradiction" else kind, partition.number, finding)
    for segment, first, last in partition.lost():
        print("lost: partition %d, segment %s: LSNs %d to %d" % (partition.number, segment.name, first, last), file=sys.stderr)


class Log:
    """The directory: its partitions and the ID that they should have."""

    def __init__(self, directory):
        self.partitions = []
        self.log_id, self.note = None, None
        self.disagree = False
        is_log = False
        for name in os.listdir(directory):
            match = re.fullmatch(r"partition-([0-9]{5})", name)
            path = os.path.join(directory, name)
            if match and int(match.group(1)) <= 65535:
                if not stat.S_ISDIR(os.lstat(path).st_mode):
                    raise Unusable("%s is no directory" % name)
                self.partitions.append(Partition(path, int(match.group(1))))
            is_log = is_log or name in ("LOCK", "LOG")
        if not self.partitions and not is_log:
            raise Unusable("%s holds no log" % directory)
        self.partitions.sort(key=lambda partition: partition.number)
        self.log_id, why = read_log_id(os.path.join(directory, "LOG"))
        for partition in self.partitions:
            try:
                partition.gather()
            except (Unusable, OSError, MemoryError) as error:
                partition.error = error
        if self.log_id is None:
            stated = {partition.log_id() for partition in self.partitions} - {None}
            if stated:
                self.note = why
            self.disagree = len(stated) > 1
            if len(stated) == 1:
                self.log_id = stated.pop()

    def read(self, partition):
        if partition.error is not None:
            return
        if self.disagree and partition.log_id() is not None:
            partition.foreign.append(("STATE", 0, 0, "the partitions are of more than one log, and %s" % self.note))
            return
        try:
            partition.read(self.log_id)
        except (Unusable, OSError, MemoryError) as error:
            partition.error = error


def run(arguments, out):
    options = {each for each in arguments if each.startswith("--")}
    rest = [each for each in arguments if not each.startswith("--")]
    if len(rest) != 1 or options - {"--json", "--info", "--decode"}:
        print(__doc__.split("\n\n")[1].strip(), file=sys.stderr)
        return 2
    verdicts = set()
    try:
        log = Log(rest[0])
        if log.note is not None:
            print("note: %s" % log.note, file=sys.stderr)
        for partition in log.partitions:
            log.read(partition)
            try:
                if not partition.error:
                    show(partition, options, out)
            except (Unusable, OSError, MemoryError) as error:
                if isinstance(error, BrokenPipeError):
                    raise
                partition.error = error
            tell(partition)
            verdicts.add(partition.verdict)
    except (Unusable, OSError) as error:
        if isinstance(error, BrokenPipeError):
            raise
        verdicts.add("newer")
        print("unusable: %s" % error, file=sys.stderr)
    return 1 if "damaged" in verdicts else 2 if verdicts & {"foreign", "newer"} else 0


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
