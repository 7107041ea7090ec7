"""Writes record types of every shape that @WalRecord takes, the same ones in each run: generate.py > Generated/Records.swift.

`Records.swift` is committed, so that a failure has a name and a line. What is random about the *values* is in Swift.
"""

import random

rng = random.Random(20251125)

SCALARS = ["Int", "Int8", "Int16", "Int32", "Int64", "Int128", "UInt", "UInt8", "UInt16", "UInt32", "UInt64", "UInt128",
           "Bool", "String", "Double", "Float", "Date", "UUID", "Data", "Decimal", "URL", "[UInt8]"]
LITERALS = {"Int": "-7", "UInt8": "200", "Int64": "1_000", "String": "\"é\\\"\"", "Bool": "true", "Double": "-1.5",
            "[UInt8]": "[1, 2]", "[String: Int]": "[:]", "UInt128": "1"}
# Keywords, the names of what the generated code has itself, long ones, and letters of other scripts.
NAMES = ["id", "name", "value", "key", "x", "y", "encoder", "decoder", "fields", "scope", "`in`", "`default`", "`case`",
         "`func`", "`class`", "`var`", "`inout`", "`let`", "`true`", "größe", "名前", "_0", "_1", "aNameOfExactly24Letters_",
         "aNameOfExactly23Letter_", "aNameThatIsLongerThanTwentyFourBytes", "type", "count", "indirect", "get", "`throws`"]
CASES = ["put", "delete", "clear", "`default`", "`in`", "`switch`", "rename", "x", "aCaseWhoseNameIsLongerThan24",
         "größer", "encoder", "`nil`", "move"]
STRINGS = ["k", "the key", "quo\\\"ted", "ключ", "a.b", "_", "\\u{1F600}", "tab\\t", "back\\\\slash"]

made = []  # (name, is generic of)
out = []


def call_label(name):
    """The one keyword that needs its backticks in a call, too."""
    return name if name == "`inout`" else name.strip("`")


def concrete():
    """A type made before, as a field would have it."""
    name, parameters = rng.choice(made)
    if not parameters:
        return name
    return f"{name}<{', '.join(rng.choice(SCALARS) for _ in range(parameters))}>"


def plain(depth=0, own=()):
    kind = rng.random()
    if own and kind < 0.4:
        return rng.choice(own)
    if kind < 0.5 or depth > 1:
        return rng.choice(SCALARS)
    if kind < 0.65 and made:
        return concrete()
    inner = lambda: plain(depth + 1, own)
    return rng.choice([
        lambda: f"[{inner()}]",
        lambda: f"[{inner()}?]",
        lambda: f"Array<{inner()}>",
        lambda: f"Set<{inner()}>",
        lambda: f"[String: {inner()}]",
        lambda: f"[Int: {inner()}?]",
        lambda: f"Dictionary<{rng.choice(['Int32', 'UUID', 'Bool', 'String'])}, {inner()}>",
    ])()


def field_type(own=()):
    kind = rng.random()
    base = plain(0, own)
    if kind < 0.2:
        return f"{base}?"
    if kind < 0.28:
        return f"Optional<{base}>"
    if kind < 0.33:
        return f"{base}??"
    if kind < 0.36:
        return f"Swift.Optional<{base}>"
    if kind < 0.4:
        return f"Maybe<{base}>"
    if kind < 0.42:
        return "MaybeInt"
    if kind < 0.44:
        return f"({base})"
    return base


def coding_keys(name, names, may_leave_out, indent="    "):
    """A CodingKeys enum: another order, other strings, some left out. Returns its text and what it leaves out."""
    kept = [n for n in names if not (n in may_leave_out and rng.random() < 0.6)]
    if not kept:
        return None, set()
    rng.shuffle(kept)
    style = rng.choice(["String", "String", "String", "", "Int"])
    lines = [f"{indent}enum {name}: {style + ', ' if style else ''}CodingKey {{"]
    strings = rng.sample(STRINGS, len(STRINGS))
    for n in kept:
        if style == "String" and strings and rng.random() < 0.6:
            lines.append(f"{indent}    case {n} = \"{strings.pop()}\"")
        else:
            lines.append(f"{indent}    case {n}")
    lines.append(f"{indent}}}")
    return "\n".join(lines), set(names) - set(kept)


def make_struct(name, parameters=(), access="", nested=None, size=None):
    count = rng.randint(0, 9) if size is None else size
    names = rng.sample(NAMES, count)
    body, arguments, optional, index = [], [], set(), 0
    if nested:
        body.append(nested)
    while index < count:
        n = names[index]
        kind = rng.random()
        member = access + rng.choice(["", "", "private(set) "]) if not access else access
        if kind < 0.08:
            body.append(f"    let {n}: {rng.choice(['Int', 'Int?', 'Double'])} = 3")
        elif kind < 0.14:
            text, value = rng.choice([("7", "Int"), ("-2.5", "Double"), ("\"s\"", "String"), ("false", "Bool")])
            body.append(f"    {member}var {n} = {text}")
            arguments.append((n, value))
            optional.add(n)
        elif kind < 0.24:
            t = rng.choice(list(LITERALS))
            body.append(f"    {member}var {n}: {t} = {LITERALS[t]}")
            arguments.append((n, t))
            optional.add(n)
        elif kind < 0.30 and index + 1 < count:
            t = field_type(parameters)
            body.append(f"    {member}var {n}, {names[index + 1]}: {t}")
            arguments += [(n, t), (names[index + 1], t)]
            index += 1
        elif kind < 0.36:
            t = field_type(parameters)
            body.append(f"    @WalField(aliases: \"old {index}\", \"older {index}\") var {n}: {t}")
            arguments.append((n, t))
        elif kind < 0.42:
            body.append(f"    @WalField(aliases: \"was {index}\", default: {index}) {member}var {n}: Int32")
            arguments.append((n, "Int32"))
        elif kind < 0.48:
            t = plain(0, parameters)
            body.append(f"    {member}var {n}: {t} {{ didSet {{ _ = oldValue }} }}")
            arguments.append((n, t))
        elif kind < 0.7:
            t = field_type(parameters)
            body.append(f"    let {n}: {t}")
            arguments.append((n, t))
        else:
            t = field_type(parameters)
            body.append(f"    {member}var {n}: {t}")
            arguments.append((n, t))
        index += 1
    if rng.random() < 0.3 and not parameters:
        body.append("    var computed: Int { 1 }")
        body.append("    static let shared = \"never written\"")
    left_out = set()
    if count and rng.random() < 0.4:
        keys, left_out = coding_keys("CodingKeys", names, optional)
        if keys:
            body.append(keys)
        # An alias of what is not written would be objected to; those all are written.
    arguments = [a for a in arguments if a[0] not in left_out]
    generics = f"<{', '.join(f'{p}: Arbitrary & Codable & Hashable & Sendable' for p in parameters)}>" if parameters else ""
    out.append(f"@WalRecord {access}struct {name}{generics}: Codable, Hashable {{")
    out.extend(body)
    out.append("}\n")
    emit_random(name, [("", arguments)], parameters, access)
    made.append((name, len(parameters)))


def emit_random(name, cases, parameters, access):
    """`cases` are a constructor each; that of a struct has no name."""
    where = ""
    out.append(f"extension {name}: Arbitrary{where} {{")
    out.append(f"    {access}static func random(_ source: inout Source) -> Self {{")
    calls = []
    for constructor, arguments in cases:
        inner = ", ".join(
            (f"{call_label(n)}: " if n and not n.startswith("#") else "") + f"arbitrary(&source)" for n, _ in arguments)
        if constructor:
            calls.append(f".{constructor}" + (f"({inner})" if arguments else ""))
        else:
            calls.append(f"Self({inner})")
    if len(calls) == 1:
        out.append(f"        {calls[0]}")
    else:
        out.append(f"        switch source.below({len(calls)}) {{")
        for i, call in enumerate(calls):
            out.append(f"        {'default' if i == len(calls) - 1 else f'case {i}'}: {call}")
        out.append("        }")
    out.append("    }\n}\n")


def make_enum(name, recursive=False, indent="", emit=True, parameters=()):
    body, cases = [], []
    for n in rng.sample(CASES, rng.randint(1, 6)):
        count = rng.choice([0, 0, 1, 1, 2, 3, 4])
        labels = rng.sample([l for l in NAMES if l not in ("_0", "_1")], count)
        parts, arguments, names = [], [], []
        for i, l in enumerate(labels):
            t = field_type(parameters)
            kind = rng.random()
            if kind < 0.3:
                parts.append(t)
                arguments.append((f"#{i}", t))
                names.append(f"_{i}")
            elif kind < 0.36:
                parts.append(f"_ {l}: {t}")
                arguments.append((f"#{i}", t))
                names.append(f"_{i}")
            else:
                parts.append(f"{l}: {t}")
                arguments.append((l, t))
                names.append(l)
        kept = arguments
        if count and rng.random() < 0.25:
            defaults = set()
            if rng.random() < 0.5:
                parts[-1] = f"{labels[-1]}: Int = 4"
                names[-1] = labels[-1]
                arguments[-1] = (labels[-1], "Int")
                defaults = {labels[-1]}
            bare = n.strip("`")
            keys, left_out = coding_keys(bare[0].upper() + bare[1:] + "CodingKeys", names, defaults)
            if keys:
                body.append(keys)
                kept = [a for a, coded in zip(arguments, names) if coded not in left_out]
        alias = f"@WalField(aliases: \"formerly {n.strip('`')}\") " if rng.random() < 0.15 else ""
        body.append(f"    {alias}case {n}" + (f"({', '.join(parts)})" if parts else ""))
        cases.append((n, kept, bool(parts)))
    if recursive:
        body.append("    indirect case again(Self, and: Self?)")
        body.append("    case many([Self])")
    if rng.random() < 0.4:
        keys, _ = coding_keys("CodingKeys", [c[0] for c in cases] + (["again", "many"] if recursive else []), set())
        body.append(keys)
    generics = f"<{', '.join(f'{p}: Arbitrary & Codable & Hashable & Sendable' for p in parameters)}>" if parameters else ""
    out.append(f"@WalRecord enum {name}{generics}: Codable, Hashable {{")
    out.extend(body)
    out.append("}\n")
    if recursive:
        constructors = [(c[0], c[1]) for c in cases]
        emit_random_recursive(name, constructors)
    else:
        # A case whose values are all left out is still called.
        emit_random(name, [(c[0] + ("()" if c[2] and not c[1] else ""), c[1]) for c in cases], parameters, "")
    made.append((name, len(parameters)))


def emit_random_recursive(name, constructors):
    emit_random(name, constructors, (), "")
    last = out.pop()
    body = out
    # The two cases that hold the type itself come as often as there is depth left.
    for i in range(len(body) - 1, -1, -1):
        if body[i].startswith("    static func random"):
            body.insert(i + 1, "        if source.goesDeeper() {\n            defer { source.depth += 1 }\n"
                               "            return source.below(2) == 0 ? .again(arbitrary(&source), and: arbitrary(&source))"
                               " : .many(arbitrary(&source))\n        }")
            rest = body[i + 2:]
            del body[i + 2:]
            body.extend(["        return " + line.lstrip() if line.startswith("        .") or line.startswith("        switch")
                         else line for line in rest])
            break
    out.append(last)


def make_raw(name, raw):
    cases = rng.sample([c for c in CASES], 4)
    values = {"String": ["\"r\"", "\"two words\"", "\"drei\""], "Int": ["5", "-3", "70000"], "UInt8": ["1", "200", "24"],
              "Double": ["1.5", "2.5", "-0.25"]}[raw]
    out.append(f"@WalRecord enum {name}: {raw}, Codable, CaseIterable {{")
    for i, c in enumerate(cases):
        out.append(f"    case {c}" + (f" = {values[i]}" if i < 3 and (raw != "String" or i < 2) else " = 9" if raw != "String" else ""))
    out.append("}\n")
    out.append(f"extension {name}: Arbitrary {{\n    static func random(_ source: inout Source) -> Self "
               "{ source.pick(allCases) }\n}\n")
    made.append((name, 0))


for i, raw in enumerate(["String", "Int", "UInt8", "Double"]):
    make_raw(f"Raw{i}", raw)
make_struct("Page", ("T",), size=4)
make_struct("Pair", ("A", "B"), size=5)
make_enum("Either", parameters=("A", "B"))
for i in range(22):
    make_struct(f"Struct{i}", access="public " if False else "")
    if i % 2 == 0:
        make_enum(f"Enum{i}", recursive=i % 6 == 0)
for i in range(4):
    make_struct(f"Late{i}", size=rng.randint(8, 14))

print("// Written by Generator/generate.py, and not by hand.\n// swift-format-ignore-file\n#if Macros\nimport Foundation\nimport WalMacros\n")
print("\n".join(out))
print("let generatedTypes: [any (Arbitrary & WalDirectCodable & Codable & Hashable).Type] = [")
for name, parameters in made:
    for arguments in (["Int", "String"], ["Struct1", "[UInt8]"], ["Int?", "Enum0"]) if parameters else ([],):
        suffix = f"<{', '.join(arguments[:parameters])}>" if parameters else ""
        print(f"    {name}{suffix}.self,")
print("]\n#endif")
