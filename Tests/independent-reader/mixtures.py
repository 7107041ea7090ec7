#!/usr/bin/env python3
"""Mixes the files of several lives of logs, and compares what walctl says of each mixture with the second reader.

    mixtures.py [--seeds FIRST[-LAST]] [--keep] [--table] WALCTL

A seed makes logs with walctl, some of whose writers are killed, copies them now and then as an operator would, and then mixes the
files: directories of partitions, segments, STATE and LOG that are swapped, renamed, removed, linked, put back from an older or a
newer copy, or taken from another log. Of the mixture it asks read_wal.py, `walctl verify`, `walctl info`, `walctl cat` and at last
an open for writing (`walctl append`), and expects that

- all agree on whether the log is whole, and on its records;
- nothing is written by anything but the open, and nothing at all to what is refused;
- no record is in no file any more, for all were durable: what the log does not show is set aside;
- what was appended follows the records that were there, and the log is whole then.

Exit status 1 if a mixture did not hold. TMPDIR says where the logs are made; --table shows which mixtures led to which verdict.
"""

import contextlib
import os
import random
import re
import shutil
import struct
import sys
import time

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))

import read_wal  # noqa: E402
from agreement import Check, Failed, by_reader, run  # noqa: E402

SEGMENT = re.compile(r"[0-9]{20}\.wal")


class World:
    """The lives of two logs, and copies of them from different moments."""

    def __init__(self, seed, tool, root, story):
        self.numbers = random.Random(seed)
        self.tool, self.root = tool, root
        self.count = 0
        self.story = story
        self.log, self.other = os.path.join(root, "log"), os.path.join(root, "other")
        self.copies = []            # of self.log, oldest first
        self.live()

    def say(self, *words):
        self.story.append(" ".join(str(word).replace(self.root + "/", "") for word in words))

    def lines(self, count):
        made = []
        for _ in range(count):
            self.count += 1
            # Some eight in a segment of the smallest size.
            made.append({"n": self.count, "pad": "%x" % self.count * self.numbers.choice((1, 300, 4000))})
        return made

    def append(self, log, partition):
        count = self.numbers.randrange(1, 30)
        way = self.numbers.choice(("end", "none", "each", "killed", "killed"))
        self.say("append", count, "to", log, partition, way)
        if way == "killed":
            self.tool.killed(log, partition, self.lines(count))
        else:
            status, _, said = self.tool("append", log, "--partition", str(partition), "--segment-size", "65536", "--codec", "json", "--sync", way,
                                        "--batch", str(self.numbers.choice((1, 1, 3))), lines=self.lines(count))
            if status != 0:
                raise Failed("append to a log of one life: %d: %s" % (status, said))

    def copy(self, log, name, link=False):
        """As `cp -r` or `cp -al` does."""
        target = os.path.join(self.root, name)
        self.say("cp", "-al" if link else "-r", log, target)
        shutil.copytree(log, target, copy_function=os.link if link else shutil.copyfile)
        return target

    def purge(self, log, partition, between=lambda: None):
        """What a purge does, in its order: STATE, and then the files, oldest first. Perhaps it is killed before it has removed all."""
        place = os.path.join(log, "partition-%05d" % partition)
        names = sorted(name for name in os.listdir(place) if SEGMENT.fullmatch(name)) if os.path.isdir(place) else []
        if len(names) < 2:
            return
        with open(os.path.join(place, "STATE"), "r+b") as file:
            slots = [bytearray(file.read(4096)) for _ in read_wal.STATE_PLACES]
            whole = [(read_wal.whole_slot(bytes(each)), bytes(each)) for each in slots]
            state, newest = max(((slot.state, data) for slot, data in whole if slot), key=lambda pair: pair[0].sequence, default=(None, b""))
            firsts = [int(name[:20]) for name in names if state and state.first_retained < int(name[:20]) <= state.durable]
            if not firsts:
                return
            first = self.numbers.choice(firsts)
            made = bytearray(newest)
            visible = self.numbers.choice((first, min(first + 2, state.durable + 1)))
            struct.pack_into("<Q", made, 16, state.sequence + 1)
            struct.pack_into("<3Q", made, 80, first, max(visible, state.first_visible), max(visible, state.next_free))
            file.seek(4096 * ((state.sequence + 1) & 1))
            file.write(made[:4092] + struct.pack("<I", read_wal.crc32c(bytes(made[:4092]))))
        self.say("purge", log, partition, "before", first)
        left = self.numbers.random() < 0.3
        for name in names:
            between()
            if int(name[:20]) < first and not (left and self.numbers.random() < 0.5):
                os.remove(os.path.join(place, name))

    def slowly(self, source, target):
        """Reads a file page by page, as it may change meanwhile."""
        with open(source, "rb", 0) as one, open(target, "wb") as two:
            while True:
                page = one.read(self.numbers.choice((512, 4096, 32768)))
                if not page:
                    return
                two.write(page)
                time.sleep(self.numbers.choice((0, 0, 0.0002, 0.001)))

    def copy_while_it_is_written(self, name):
        """As `cp -r` or `tar` copies a log under its writer, the files in any order."""
        target = os.path.join(self.root, name)
        partition, sync, lines = self.numbers.choice((0, 1)), self.numbers.choice(("each", "none", "end")), self.lines(120)
        self.say("copy", self.log, "to", target, "beside appends to", partition, sync)

        def action():
            time.sleep(self.numbers.choice((0.005, 0.02, 0.05)))
            # The listing is from one moment, too.
            found = [os.path.join(base, name) for base, _, names in os.walk(self.log) for name in names]
            order = self.numbers.choice((sorted, lambda all: sorted(all, reverse=True), lambda all: self.numbers.sample(all, len(all))))
            for path in order(found):
                there = os.path.join(target, os.path.relpath(path, self.log))
                os.makedirs(os.path.dirname(there), exist_ok=True)
                with contextlib.suppress(FileNotFoundError):
                    self.slowly(path, there)

        self.tool.beside(self.log, partition, sync, lines, action)
        return target

    def live(self):
        numbers = self.numbers
        for life in range(numbers.randrange(2, 6)):
            for _ in range(numbers.randrange(1, 3)):
                self.append(self.log, numbers.choice((0, 0, 1)))
            if numbers.random() < 0.3:
                self.purge(self.log, numbers.choice((0, 0, 1)))
            if numbers.random() < 0.7:
                self.copies.append(self.copy(self.log, "copy%d" % life, numbers.random() < 0.2))
        if not self.copies:
            self.copies.append(self.copy(self.log, "copy"))
        if numbers.random() < 0.4:
            # A copy that has a life of its own since.
            self.append(numbers.choice(self.copies), numbers.choice((0, 1)))
        if numbers.random() < 0.5:
            self.append(self.other, numbers.choice((0, 1)))
            self.append(self.other, 0)
        else:
            self.other = None

    # Mixing

    def partitions(self, log):
        return sorted(name for name in os.listdir(log) if re.fullmatch(r"partition-[0-9]{5}", name))

    def segments(self, log):
        return sorted(os.path.join(partition, name) for partition in self.partitions(log)
                      for name in os.listdir(os.path.join(log, partition)) if SEGMENT.fullmatch(name))

    def place(self, source, target):
        """Puts a file where another may be: into the same file, as a new one, or as a link."""
        way = self.numbers.choice(("over", "over", "new", "link", "move"))
        self.say("place", way, source, target)
        os.makedirs(os.path.dirname(target), exist_ok=True)
        if os.path.exists(target) and os.path.samefile(source, target):
            return
        if way == "over" or way == "move" and not source.startswith(self.target):
            shutil.copyfile(source, target)
            return
        if os.path.exists(target):
            os.remove(target)
        if way == "new":
            shutil.copyfile(source, target)
        elif way == "link":
            os.link(source, target)
        else:
            os.rename(source, target)

    def mix(self):
        """Changes `self.target`, which is the log itself or a copy; returns the names of what was done."""
        numbers = self.numbers
        if numbers.random() < 0.15:
            self.target = self.copy_while_it_is_written("live")
            return ["copy of a live log"]
        self.target = numbers.choice([self.log, self.log] + self.copies)
        self.say("target", self.target)
        return [self.step() for _ in range(numbers.choice((1, 1, 1, 2, 2, 3)))]

    def step(self):
        numbers, target = self.numbers, self.target
        sources = [each for each in [self.log, self.other] + 2 * self.copies if each and each != target]
        source = numbers.choice(sources)
        segments, others = self.segments(target), self.segments(source)
        partitions = self.partitions(target)
        ways = ["segment", "segment", "state", "state", "log", "partition", "swap segments", "rename segment", "remove segment",
                "remove state", "remove log", "tear log", "rename partition", "copy partition", "swap partitions", "restore", "restore",
                "missing from", "cut segment", "flip", "copy all", "rename all", "link all", "link state"]
        while True:
            way = numbers.choice(ways)
            if self.apply(way, target, source, segments, others, partitions):
                self.say(way, "from", source)
                kind = "" if source != self.other else " of another log"
                return way + (kind if way in ("segment", "state", "log", "partition", "restore", "missing from") else "")

    def apply(self, way, target, source, segments, others, partitions):
        numbers = self.numbers
        path = lambda name: os.path.join(target, name)  # noqa: E731
        if way == "segment" and others:
            name = numbers.choice(others)
            self.place(os.path.join(source, name), path(name))
        elif way == "state":
            names = [name for name in self.partitions(source) if os.path.exists(os.path.join(source, name, "STATE"))]
            if not names:
                return False
            name = numbers.choice(names)
            self.place(os.path.join(source, name, "STATE"), path(name + "/STATE"))
        elif way == "log" and os.path.exists(os.path.join(source, "LOG")):
            self.place(os.path.join(source, "LOG"), path("LOG"))
        elif way == "partition":
            name = numbers.choice(self.partitions(source))
            shutil.rmtree(path(name), True)
            shutil.copytree(os.path.join(source, name), path(name), copy_function=shutil.copyfile)
        elif way == "swap segments" and len(segments) > 1:
            one, two = numbers.sample(segments, 2)
            os.rename(path(one), path("x"))
            os.rename(path(two), path(one))
            os.rename(path("x"), path(two))
        elif way == "rename segment" and segments:
            name = numbers.choice(segments)
            first = int(os.path.basename(name)[:20]) + numbers.choice((-5, -1, 1, 5, 100))
            new = os.path.join(os.path.dirname(name), "%020d.wal" % max(1, first))
            self.say("rename", name, new)
            os.rename(path(name), path(new))
        elif way == "remove segment" and segments:
            name = numbers.choice(segments)
            self.say("remove", name)
            os.remove(path(name))
        elif way in ("remove state", "link state") and partitions:
            name = path(numbers.choice(partitions) + "/STATE")
            if not os.path.exists(name):
                return False
            self.say(name)
            os.remove(name) if way == "remove state" else os.link(name, os.path.join(self.root, "linked%d" % numbers.randrange(1 << 40)))
        elif way in ("remove log", "tear log") and os.path.exists(path("LOG")):
            if way == "remove log":
                os.remove(path("LOG"))
            else:
                os.truncate(path("LOG"), numbers.choice((0, 20, 63)))
        elif way in ("rename partition", "copy partition") and partitions:
            name = numbers.choice(partitions)
            new = "partition-%05d" % numbers.choice((0, 1, 2, 7, 65535))
            if os.path.exists(path(new)):
                return False
            self.say(name, new)
            os.rename(path(name), path(new)) if way == "rename partition" else \
                shutil.copytree(path(name), path(new), copy_function=shutil.copyfile)
        elif way == "swap partitions" and len(partitions) > 1:
            one, two = numbers.sample(partitions, 2)
            os.rename(path(one), path("x"))
            os.rename(path(two), path(one))
            os.rename(path("x"), path(two))
        elif way == "restore":
            # As `cp -r SOURCE/. TARGET` does: into the files that are there.
            shutil.copytree(source, target, dirs_exist_ok=True, copy_function=lambda a, b: os.path.samefile(a, b)
                            if os.path.exists(b) and os.path.samefile(a, b) else shutil.copyfile(a, b))
        elif way == "missing from":
            # As `cp -rn` or rsync --ignore-existing: only the files that are not there.
            for base, _, names in os.walk(source):
                for name in names:
                    there = os.path.join(target, os.path.relpath(os.path.join(base, name), source))
                    if not os.path.exists(there):
                        os.makedirs(os.path.dirname(there), exist_ok=True)
                        shutil.copyfile(os.path.join(base, name), there)
        elif way == "cut segment" and segments:
            name = path(numbers.choice(segments))
            size = os.path.getsize(name)
            os.truncate(name, numbers.choice((0, 100, 4096, 12288, numbers.randrange(size + 1))))
        elif way == "flip" and segments:
            with open(path(numbers.choice(segments)), "r+b") as file:
                at = numbers.choice((numbers.randrange(130), 4096 + numbers.randrange(80), 8192 + numbers.randrange(80),
                                     numbers.randrange(12288, 14000)))
                file.seek(at)
                old = file.read(1)
                if not old:
                    return False
                file.seek(at)
                file.write(bytes([old[0] ^ 1 << numbers.randrange(8)]))
        elif way in ("copy all", "rename all", "link all"):
            new = os.path.join(self.root, "whole%d" % numbers.randrange(1 << 40))
            if way == "rename all":
                os.rename(target, new)
                self.log = new if target == self.log else self.log
                self.copies = [new if each == target else each for each in self.copies]
            else:
                shutil.copytree(target, new, copy_function=os.link if way == "link all" else shutil.copyfile)
            self.target = new
        else:
            return False
        return True


def make(seed, tool, root, story):
    world = World(seed, tool, root, story)
    # The state in which each directory is before they are mixed.
    states = [by_reader(each)[2] for each in [world.log, world.other] + world.copies if each]
    steps = world.mix()
    numbers = sorted(int(name[10:]) for name in world.partitions(world.target))
    check = Check(tool, world.target, world.numbers.choice(numbers or [0]), keeps_all=True)
    # Several steps can make up a moment that was, between two copies.
    check.states = states if len(steps) == 1 else None
    if steps == ["copy of a live log"]:
        check.states = None
        # Not all of it was durable when it was copied.
        check.keeps_all = False
        check.begins = by_reader(world.log)[2]
    return check, steps


if __name__ == "__main__":
    sys.exit(run(make, __doc__))
