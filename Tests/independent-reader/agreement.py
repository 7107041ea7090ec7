"""Asks read_wal.py and walctl the same questions about a log, and says where they do not agree: for mixtures.py and composed.py."""

import collections
import contextlib
import io
import json
import os
import re
import shutil
import signal
import subprocess
import sys
import tempfile
import threading

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))

import read_wal  # noqa: E402

REFUSED = ("damaged", "foreign", "newer")


class Failed(Exception):
    """A walctl that ended in a way that nothing explains."""


class Tool:
    def __init__(self, path):
        self.path = path

    def __call__(self, *arguments, lines=()):
        """Status, standard output, standard error."""
        done = subprocess.run([self.path] + list(arguments), input="".join(json.dumps(each) + "\n" for each in lines),
                              capture_output=True, text=True, timeout=120)
        if done.returncode < 0 or done.returncode > 128:
            raise Failed("%s ended with %d: %s" % (" ".join(arguments), done.returncode, done.stderr[-2000:]))
        return done.returncode, done.stdout, done.stderr

    def killed(self, directory, partition, lines):
        """Appends with --sync each and is killed once the last line is durable, so that the newest segment is not sealed."""
        process = subprocess.Popen([self.path, "append", directory, "--partition", str(partition), "--sync", "each", "--ack",
                                    "--segment-size", "65536", "--codec", "json"], stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE)
        try:
            for line in lines:
                process.stdin.write(json.dumps(line).encode() + b"\n")
            process.stdin.flush()
            for _ in lines:
                if not process.stdout.readline():
                    raise Failed("append ended early in %s: %s" % (directory, process.stderr.read().decode()))
        except BrokenPipeError:
            raise Failed("append ended early in %s: %s" % (directory, process.stderr.read().decode())) from None
        finally:
            process.send_signal(signal.SIGKILL)
            process.wait()
            for stream in (process.stdin, process.stdout, process.stderr):
                with contextlib.suppress(BrokenPipeError):
                    stream.close()


    def beside(self, directory, partition, sync, lines, action):
        """Does something while lines are appended, and waits for both."""
        process = subprocess.Popen([self.path, "append", directory, "--partition", str(partition), "--sync", sync,
                                    "--segment-size", "65536", "--codec", "json"],
                                   stdin=subprocess.PIPE, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE)

        def feed():
            with contextlib.suppress(BrokenPipeError):
                for line in lines:
                    process.stdin.write(json.dumps(line).encode() + b"\n")
                    process.stdin.flush()
                process.stdin.close()

        feeder = threading.Thread(target=feed)
        feeder.start()
        try:
            action()
        finally:
            feeder.join()
            if process.wait(60) != 0:
                raise Failed("append beside a copy: " + process.stderr.read().decode())
            process.stderr.close()


def by_reader(directory):
    """The second reader's view; partitions that are refused have no records."""
    out, said = io.StringIO(), io.StringIO()
    with contextlib.redirect_stderr(said):
        status = read_wal.run(["--json", "--decode", directory], out)
    told = io.StringIO()
    with contextlib.redirect_stderr(io.StringIO()):
        read_wal.run(["--json", "--info", directory], told)
    summaries = {each["partition"]: each for each in map(json.loads, told.getvalue().splitlines())}
    records = collections.defaultdict(list)
    for line in map(json.loads, out.getvalue().splitlines()):
        records[line["partition"]].append((line["lsn"], line.get("value")))
    # Of a partition that can't be read at all there is no summary.
    for number in re.findall(r"unusable: partition (\d+): ", said.getvalue()):
        summaries.setdefault(int(number), {"verdict": "newer", "copied": False, "segments": [], "findings": [], "lost": []})
    return status, summaries, records, said.getvalue()


def files_of(directory):
    """Path below `directory` to (inode, bytes) of each regular file."""
    found = {}
    for base, _, names in os.walk(directory):
        for name in names:
            path = os.path.join(base, name)
            with open(path, "rb") as file:
                found[os.path.relpath(path, directory)] = (os.fstat(file.fileno()).st_ino, file.read())
    return found


def numbers_in(files):
    """The numbers of all records that are in any of these files, as text."""
    return {int(number) for _, data in files.values() for number in re.findall(rb'"n": ?(\d+)[,}]', data)}


class Check:
    """One mixture, asked in every way."""

    def __init__(self, tool, directory, append_to, keeps_all=False):
        self.tool, self.directory, self.append_to = tool, directory, append_to
        self.keeps_all = keeps_all  # whether every record that is in a file will be missed if it goes
        self.states = None          # records that this log may have without a word of it
        self.begins = None          # for each partition the records that this log must have a beginning of
        self.wrong = []

    def expect(self, holds, *words):
        if not holds:
            self.wrong.append(" ".join(str(word) for word in words))

    def run(self):
        before = files_of(self.directory)
        self.status, self.summaries, self.records, self.said = by_reader(self.directory)
        # The partitions that are refused; those where reading must fail; and those where no frame has to be read to tell.
        self.bad = {number: each["verdict"] for number, each in self.summaries.items() if each["verdict"] in REFUSED}
        self.stopped = {number for number in self.bad if self.bad[number] != "damaged" or any(
            each["kind"] in ("damage", "unusable") for each in self.summaries[number]["findings"])}
        self.plain = {number for number in self.stopped if not any(
            each["kind"] in ("damage", "unusable") and each["offset"] > 0 for each in self.summaries[number]["findings"])}
        self.expect((self.status != 0) == bool(self.bad) or not self.summaries, "the reader's status is", self.status, "for", self.bad)
        for number, told in self.summaries.items() if self.states is not None else ():
            if not [each for each in told["findings"] if each["kind"] != "remark"] and self.records[number]:
                self.expect(self.was_so(number), "partition", number, "is called whole, and is what no directory was before")
        if self.begins is not None:
            self.expect(not self.bad, "a copy of a live log is refused")
            for number, records in self.records.items():
                found = [each for each in self.begins[number] if not records or each[0] >= records[0][0]]
                self.expect(records == found[:len(records)], "partition", number, "is not a beginning of the log that was copied")
        self.look()
        self.expect(files_of(self.directory) == before, "something that only reads wrote")
        self.open(before)

    def was_so(self, number):
        """Whether the records are those of one directory, perhaps with earlier ones that were purged or hidden there."""
        def key(each):
            return each[0], json.dumps(each[1])

        records = list(map(key, self.records[number]))
        for state in self.states:
            wanted = list(map(key, state[number]))
            if wanted and len(records) >= len(wanted) and records[-len(wanted):] == wanted:
                return True
        return False

    def look(self):
        """verify, info and cat against the reader."""
        refused = self.status != 0
        status, out, err = self.tool("verify", "--json", self.directory)
        self.expect((status != 0) == refused, "verify has status", status, "and says", out[-1500:], err[-500:])
        try:
            verified = {each["partition"]: each for each in json.loads(out)["partitions"]}
        except (ValueError, KeyError):
            verified = {}
        for number, each in verified.items():
            told = self.summaries.get(number)
            if told is not None:
                self.expect(bool(each.get("damage")) == (number in self.bad), "verify of partition", number, ":", each,
                            "but the reader:", told["verdict"])
        status, out, err = self.tool("info", "--json", self.directory)
        if refused and (self.plain or not self.summaries):
            self.expect(status != 0, "info has status 0 and says", out[-1500:])
        elif not refused:
            self.expect(status == 0, "info has status", status, "and says", out[-1500:], err[-500:])
        status, out, err = self.tool("cat", self.directory)
        # Nobody reads what is hidden, and so not that it is damaged.
        hidden = {number for number in self.stopped if all(
            each["lsn"] < self.summaries[number].get("first", 0) for each in self.summaries[number]["findings"])}
        if self.stopped - hidden or refused and not self.summaries:
            self.expect(status != 0, "cat has status 0")
        elif not refused:
            # What it says of lost ranges is its own.
            if not any(told["lost"] for told in self.summaries.values()):
                self.expect(status == 0, "cat has status", status, err[-500:])
            printed = [json.loads(line) for line in out.splitlines()]
            wanted = [value for number in sorted(self.records) for _, value in self.records[number]]
            self.expect(printed == wanted, "cat prints", len(printed), "records and the reader", len(wanted))

    def open(self, before):
        extra = {"appended": True}
        status, _, err = self.tool("append", self.directory, "--partition", str(self.append_to), "--segment-size", "65536",
                                   "--codec", "json", lines=[extra])
        after = files_of(self.directory)
        if self.append_to in self.plain or not self.summaries and self.status:
            self.expect(status != 0, "append to a partition that is", self.bad.get(self.append_to), "has status 0")
        if self.status == 0:
            self.expect(status == 0, "append has status", status, err[-800:])
        if status == 0:
            self.compare_after(extra)
        for name, (_, data) in before.items():
            match = re.match(r"partition-(\d{5})/", name)
            number = int(match.group(1)) if match else None
            # Damage within a segment that was durable is found when it is read, not when the log is opened.
            if number in self.plain or self.status and status != 0 and name != "LOCK":
                if after.get(name, (0, None))[1] != data:
                    self.expect(False, "of what is refused", name, "is gone" if name not in after else "was changed")
        if self.keeps_all:
            # What a purge left over may go.
            purged = {("partition-%05d/" % number) + each["name"] for number, told in self.summaries.items()
                      for each in told["segments"] if each.get("ignored") == "purged" and number not in self.bad}
            gone = numbers_in({name: file for name, file in before.items() if name not in purged}) - numbers_in(after)
            self.expect(not gone, "records are in no file any more:", sorted(gone))

    def compare_after(self, extra):
        """The log after an append that worked."""
        status, now, records, said = by_reader(self.directory)
        if not self.bad:
            self.expect(status == 0, "after the append the reader says", said)
            verified = self.tool("verify", self.directory)
            self.expect(verified[0] == 0, "after the append verify says", verified[1][-800:], verified[2][-800:])
        for number in set(self.summaries) | set(now):
            if number in self.bad:
                continue
            wanted = [value for _, value in self.records[number]] + ([extra] if number == self.append_to else [])
            found = [value for _, value in records[number]]
            self.expect(found == wanted, "after the append partition", number, "holds", len(found), "records instead of", len(wanted))
            lsns = [lsn for lsn, _ in records[number]]
            if number == self.append_to and len(lsns) > 1:
                self.expect(lsns[:-1] == [lsn for lsn, _ in self.records[number]] and lsns[-1] > lsns[-2], "LSNs changed")

    def verdicts(self):
        return sorted({each["verdict"] + (" in a copy" if each.get("copied") else "") for each in self.summaries.values()}) or ["no log"]


def run(make, doc):
    """The command line of both. `make(seed, tool, root)` makes a log; it returns a Check and the words that tell of it."""
    arguments = sys.argv[1:]
    keep, show_table = "--keep" in arguments, "--table" in arguments
    first, last = 1, 100
    if "--seeds" in arguments:
        at = arguments.index("--seeds")
        begin, _, end = arguments[at + 1].partition("-")
        first, last = int(begin), int(end or begin)
        del arguments[at:at + 2]
    arguments = [each for each in arguments if not each.startswith("--")]
    if len(arguments) != 1:
        print(doc, file=sys.stderr)
        return 64
    tool = Tool(os.path.abspath(arguments[0]))
    table = collections.defaultdict(collections.Counter)
    failed = []
    for seed in range(first, last + 1):
        root = tempfile.mkdtemp(prefix="agreement-%d-" % seed)
        story = []
        try:
            check, steps = make(seed, tool, root, story)
            check.run()
            for step in steps:
                table[step].update(check.verdicts())
            wrong, said = check.wrong, "%s %s" % (
                {number: each["verdict"] for number, each in check.summaries.items()}, check.said.strip())
        except (Failed, subprocess.TimeoutExpired) as error:
            steps, wrong, said = [], [str(error)], ""
        if wrong:
            failed.append(seed)
            print("seed %d: %s\n    %s\n    the reader: %s" % (seed, ", ".join(steps), "\n    ".join(story), said))
            for each in wrong:
                print("  * " + each)
            sys.stdout.flush()
        if keep:
            print("seed %d is kept in %s" % (seed, root))
        else:
            shutil.rmtree(root, True)
    if show_table:
        for step in sorted(table):
            print("%-32s %s" % (step, ", ".join("%s %d" % each for each in sorted(table[step].items()))))
    print("%d logs, %d did not hold%s" % (last + 1 - first, len(failed), ": seeds %s" % ", ".join(map(str, failed[:40])) if failed else ""))
    return 1 if failed else 0
