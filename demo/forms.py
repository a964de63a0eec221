"""A one-page PDF (ISO 32000-1): the consent form that a speaker of the demo has signed."""

import textwrap

TOP, LEFT, LEADING, SIZE, COLUMNS = 770, 60, 17, 12, 74


def signed_form(*, notice: str, name: str, day: str) -> bytes:
    """Return the form: the notice as it was read out, the name and the day."""
    lines = [line for part in notice.split("\n") for line in textwrap.wrap(part, COLUMNS) or [""]]
    return page([*lines, "", "", f"{name}, {day}", "", "Made up for Commonhold's demonstration."])


def page(lines: list[str]) -> bytes:
    """Return a PDF of one A4 page in Helvetica; what is not Latin-1 becomes a question mark."""
    text = b" T* ".join(b"(" + escape(line) + b") Tj" for line in lines)
    content = b"BT /F1 %d Tf %d TL %d %d Td %s ET" % (SIZE, LEADING, LEFT, TOP, text)
    font = b"<</Type/Font/Subtype/Type1/BaseFont/Helvetica/Encoding/WinAnsiEncoding>>"
    objects = (
        b"<</Type/Catalog/Pages 2 0 R>>",
        b"<</Type/Pages/Kids[3 0 R]/Count 1>>",
        (
            b"<</Type/Page/Parent 2 0 R/MediaBox[0 0 595 842]/Contents 4 0 R"
            b"/Resources<</Font<</F1 5 0 R>>>>>>"
        ),
        b"<</Length %d>>stream\n%s\nendstream" % (len(content), content),
        font,
    )
    document, places = b"%PDF-1.4\n", []
    for number, body in enumerate(objects, start=1):
        places.append(len(document))
        document += b"%d 0 obj%s endobj\n" % (number, body)
    table = b"".join(b"%010d 00000 n \n" % place for place in places)
    size = len(objects) + 1
    return document + (
        b"xref\n0 %d\n0000000000 65535 f \n%s"
        b"trailer<</Size %d/Root 1 0 R>>\nstartxref\n%d\n%%%%EOF\n"
        % (size, table, size, len(document))
    )


def escape(line: str) -> bytes:
    """Return a line as the bytes of a PDF string."""
    data = line.encode("cp1252", "replace")
    return data.replace(b"\\", b"\\\\").replace(b"(", b"\\(").replace(b")", b"\\)")
