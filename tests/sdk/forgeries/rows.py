"""What an issuer with good keys may write into files.jsonl, and a verifier must not believe."""

import json

from commonhold import canonical

from tests.sdk.forgeries.lab import Forgery, Lab, index_edit, row_edit

CLIP = "audio/morning/0001.flac"
TEXT = "text/notes.jsonl"
TABLE = "metadata.jsonl"
SHA256 = "0" * 64


def refused(name, make, reason):
    """The index is refused; what it names is then not part of the release either."""
    return Forgery(name, make, "files", reason)


def rewritten(edit):
    """The issuer signs an index whose lines are written by hand."""

    def make(lab: Lab) -> None:
        lines = [edit(line) for line in lab.read("files.jsonl").splitlines()]
        lab.reindex(b"".join(line + b"\n" for line in lines))

    return make


def of_clip(edit):
    """Write the line of one clip by hand."""
    return rewritten(lambda line: edit(line) if CLIP.encode() in line else line)


def without(key):
    """Leave a key out of a clip's line."""

    def edit(line):
        row = json.loads(line)
        del row[key]
        return canonical.encode(row)

    return of_clip(edit)


def renamed(path, name):
    """Call a file otherwise in the index, and keep the lines in order."""

    def edit(lines):
        rows = [json.loads(line) for line in lines]
        for row in rows:
            if row["p"] == path:
                row["p"] = name
        rows.sort(key=lambda row: row["p"].encode())
        return [canonical.encode(row) + b"\n" for row in rows]

    return index_edit(edit)


def swapped(path, name, *, row=True, subject=True):
    """Sign a file under another name in the index, among the subjects, or in both; it lies there."""

    def make(lab: Lab) -> None:
        lab.write(name, lab.read(path))
        statement = lab.statement()
        for one in statement["subject"]:
            if subject and one["name"] == path:
                one["name"] = name
        lab.issue(statement)
        if row:
            renamed(path, name)(lab)
        if row and subject:
            (lab.folder / path).unlink()

    return make


def licensed(lab: Lab) -> None:
    """List a clip under the name of the license's text, where the subjects have the text."""
    (lab.folder / CLIP).unlink()
    lab.write("LICENSE.txt", b"fLaC")
    digest = {"n": 4, "sha256": canonical.sha256_hex(b"fLaC")}
    row_edit(CLIP, **digest)(lab)
    renamed(CLIP, "LICENSE.txt")(lab)


def miscounted(lab: Lab) -> None:
    """Sign another sum of bytes than the index has."""
    lab.reindex(lab.read("files.jsonl"), size=1)


CONSENTS = (
    refused("a clip without consent", row_edit(CLIP, c=[]), f"“{CLIP}” rests on nobody's consent"),
    refused("a text without consent", row_edit(TEXT, c=[]), f"“{TEXT}” rests on nobody's consent"),
    refused("a table without consent", row_edit(TABLE, c=[]), f"“{TABLE}” rests on nobody's consent"),
    refused("a clip on a consent that is not there", row_edit(CLIP, c=[99]), f"“{CLIP}” rests on consent 99, which is not in the manifest"),
    refused("a clip on one that is there and one that is not", row_edit(CLIP, c=[0, 2]), f"“{CLIP}” rests on consent 2, which is not in the manifest"),
    refused("a card on a consent that is not there", row_edit("README.md", c=[7]), "“README.md” rests on consent 7, which is not in the manifest"),
    refused("a clip on one consent twice", row_edit(CLIP, c=[1, 1]), f"“{CLIP}” names one of its consents twice"),
    refused("a segment of a consent that is not the clip's", row_edit(CLIP, c=[1], seg=[[0, 500, 0]]), f"“{CLIP}” has a segment of consent 0, on which it does not rest"),
    refused("a segment of a consent that is not there", row_edit(CLIP, seg=[[0, 500, 5]]), f"“{CLIP}” has a segment of consent 5, on which it does not rest"),
)  # fmt: skip

ORIGINS = (
    refused("a clip of no source", row_edit(CLIP, src="src-9"), f"“{CLIP}” comes from “src-9”, which is no source in the manifest"),
    refused("a clip of an empty source", row_edit(CLIP, src=""), f"“{CLIP}” comes from “”, which is no source"),
    refused("a text of no source", row_edit(TEXT, src="elsewhere"), f"“{TEXT}” comes from “elsewhere”, which is no source"),
    refused("a clip of no activity", row_edit(CLIP, act=["a9"]), f"“{CLIP}” was made by “a9”, which is no activity in the manifest"),
    refused("a clip of one activity more", row_edit(CLIP, act=["a1", "scrub"]), f"“{CLIP}” was made by “scrub”, which is no activity"),
)  # fmt: skip

FORM = (
    refused("an index out of order", index_edit(lambda lines: lines[::-1]), "Line 2 of files.jsonl is out of order"),
    refused("an index that names a file twice", index_edit(lambda lines: [lines[0], *lines[:1], *lines[2:]]), "“README.md”, which is there already or has a twin"),
    refused("an index with a case twin", index_edit(lambda lines: [lines[0].replace(b"README.md", b"README.MD"), lines[0], *lines[2:]]), "“README.md”, which is there already or has a twin"),
    refused("an index cut short", index_edit(lambda lines: [*lines[:-1], lines[-1][:-1]]), "is cut short: it does not end with a newline"),
    refused("an index with an empty line", index_edit(lambda lines: [*lines[:-1], b"\n"]), "This is not JSON"),
    refused("a line that is not JSON", of_clip(lambda line: line[:-1]), "This is not JSON: it can't be read from character"),
    refused("a line that is not text", of_clip(lambda line: line.replace(b"flac", b"fl\xff", 1)), "This is not text in UTF-8"),
    refused("a line with a space", of_clip(lambda line: line + b" "), "not in its canonical form"),
    refused("a line with keys out of order", of_clip(lambda line: json.dumps(dict(reversed(json.loads(line).items()))).encode()), "not in its canonical form"),
    refused("a line with one key twice", of_clip(lambda line: b'{"c":[0],' + line[1:]), "The JSON names “c” twice"),
    refused("a line with a fraction", of_clip(lambda line: line.replace(b'"n":64', b'"n":64.0')), "holds the number 64.0; only whole numbers"),
    refused("a line with NaN", of_clip(lambda line: line.replace(b'"n":64', b'"n":NaN')), "holds the number NaN"),
    refused("a line with a number beyond all", of_clip(lambda line: line.replace(b'"n":64', b'"n":' + b"9" * 5000)), "holds a number of 5,000 digits"),
    refused("a line with a number beyond 2^53", of_clip(lambda line: line.replace(b'"n":64', b'"n":9007199254740993')), "which is beyond 2^53"),
    refused("a line nested beyond all", of_clip(lambda line: line[:-1] + b',"x":' + b"[" * 100_000 + b"]" * 100_000 + b"}"), "nested too deeply"),
    refused("a line that is a list", of_clip(lambda _line: b"[]"), "must have the keys"),
    *(refused(f"a line without {key}", without(key), "must have the keys act, c, n, p, sha256, src, t") for key in ("act", "c", "n", "sha256", "src", "t")),
    refused("a line with another key", row_edit(CLIP, x=1), "must have the keys"),
    refused("a digest that is none", row_edit(CLIP, sha256="0" * 63), "has a digest or a size that can't be one"),
    refused("a negative size", row_edit(CLIP, n=-1), "has a digest or a size that can't be one"),
    refused("a size that is true", row_edit(CLIP, n=True), "has a digest or a size that can't be one"),
    refused("consents that are text", row_edit(CLIP, c="0"), "must list consent numbers in c"),
    refused("consents that are true", row_edit(CLIP, c=[True]), "must list consent numbers in c"),
    refused("activities that are numbers", row_edit(CLIP, act=[1]), "must list consent numbers in c and activity names in act"),
    refused("a type that is a number", row_edit(CLIP, t=1), "has something other than text in p, sha256, t or src"),
    refused("a segment that ends before it starts", row_edit(CLIP, seg=[[5, 5, 0]]), "must list [start_ms, end_ms, consent] in seg"),
    refused("no segments", row_edit(CLIP, seg=[]), "must list [start_ms, end_ms, consent] in seg"),
    refused("a segment of two numbers", row_edit(CLIP, seg=[[0, 5]]), "must list [start_ms, end_ms, consent] in seg"),
)  # fmt: skip

PATHS = (
    refused("a path that climbs", renamed(CLIP, "../outside.flac"), "has the part “..”, which points elsewhere"),
    refused("a path from the root", renamed(CLIP, "/etc/passwd"), "starts with “/”"),
    refused("a path with a backslash", renamed(CLIP, "audio\\1.flac"), "which some systems can't store"),
    refused("a path of Windows' own", renamed(CLIP, "audio/con.flac"), "a name that Windows keeps for itself"),
    refused("a path with a bidirectional sign", renamed(CLIP, "audio/\u202ecalf.exe"), "holds the invisible character U+202E"),
    refused("a path with a control character", renamed(CLIP, "audio/\x1b[2J.flac"), "holds the invisible character U+001B"),
    refused("a path that is decomposed", renamed(CLIP, "audio/u\u0308.flac"), "is not in Unicode NFC form"),
    refused("a path that ends in a dot", renamed(CLIP, "audio/1."), "ends in a dot or a space"),
    refused("a path with an empty part", renamed(CLIP, "audio//1.flac"), "has an empty part"),
    refused("a path of nothing", renamed(CLIP, ""), "is empty; give it a name"),
    refused("a path that is too long", renamed(CLIP, "a/" * 520 + "b"), "is longer than 1,024 bytes"),
    refused("a path with a part that is too long", renamed(CLIP, "a" * 256), "has a part longer than 255 bytes"),
)  # fmt: skip

SUMS = (
    refused("a file that is not there", row_edit(CLIP, sha256=SHA256), f"“{CLIP}” was changed"),
    refused("a file of another size", row_edit(CLIP, n=65), f"“{CLIP}” has 64 bytes instead of 65"),
    refused("another sum of bytes", miscounted, "“files.jsonl” does not add up to the size that was signed"),
    refused("a name that nobody has", renamed("text/notes.jsonl", "text/other.jsonl"), "“text/other.jsonl” is missing"),
)  # fmt: skip

NAMES = (
    refused("a clip that the index does not name", swapped(CLIP, "audio/evil.flac", row=False), "“audio/evil.flac” is in the manifest and not in the index"),
    refused("a clip that only the index names", swapped(CLIP, "audio/evil.flac", subject=False), "is in the index and not in the manifest"),
    *(
        refused(f"a clip called {name}", swapped(CLIP, name), f"“{name}” bears a name that belongs to the papers of a release")
        for name in ("license.txt", "Manifest.dsse.json", "Trusted_Root.json", "MANIFEST.tlog-proof", "Croissant.json", "Files.JSONL/clip.flac")
    ),
    *(
        refused(f"a clip called {name}", swapped(CLIP, name), f"“{name}” is hidden: a part of its name begins with a dot")
        for name in (".bashrc", ".git/config", "audio/.DS_Store")
    ),
    refused("the license as a clip", licensed, "“LICENSE.txt” bears a name that belongs to the papers of a release"),
)  # fmt: skip

ROWS = CONSENTS + ORIGINS + FORM + PATHS + SUMS + NAMES
