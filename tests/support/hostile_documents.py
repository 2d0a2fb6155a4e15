"""Documents made to harm their reader, and plain ones of formats that are easily written."""

import io
import zipfile
from email.message import EmailMessage

from docx import Document
from openpyxl import Workbook
from pptx import Presentation
from pptx.util import Inches

BILLION_LAUGHS = (
    b'<?xml version="1.0"?><!DOCTYPE lolz [<!ENTITY a0 "lol">'
    + b"".join(b'<!ENTITY a%d "%s">' % (level, b"&a%d;" % (level - 1) * 10) for level in range(1, 10))
    + b"]><lolz>&a9;</lolz>"
)


def archive(parts: dict[str, bytes]) -> bytes:
    """A zip file."""
    written = io.BytesIO()
    with zipfile.ZipFile(written, "w", zipfile.ZIP_DEFLATED) as zipped:
        for name, content in parts.items():
            zipped.writestr(name, content)
    return written.getvalue()


def lying_archive(size: int) -> bytes:
    """A docx whose part is larger by far than its directory says."""
    honest = archive({"word/document.xml": b"\0" * size})
    return honest.replace(size.to_bytes(4, "little"), (100).to_bytes(4, "little"))


def pdf(pages: int, lines: int = 3) -> bytes:
    """Pages of text, the number of each in it."""
    written = io.BytesIO(b"%PDF-1.4\n")
    written.seek(0, io.SEEK_END)
    offsets: dict[int, int] = {}

    def put(number: int, content: bytes) -> None:
        offsets[number] = written.tell()
        written.write(b"%d 0 obj\n%s\nendobj\n" % (number, content))

    put(1, b"<</Type/Catalog/Pages 2 0 R>>")
    put(
        2,
        b"<</Type/Pages/Count %d/Kids[%s]>>" % (pages, b" ".join(b"%d 0 R" % (4 + 2 * each) for each in range(pages))),
    )
    put(3, b"<</Type/Font/Subtype/Type1/BaseFont/Helvetica>>")
    for page in range(pages):
        said = b"".join(b"(page %d says its line %d) Tj T* " % (page + 1, line) for line in range(lines))
        stream = b"BT /F1 10 Tf 12 TL 50 750 Td %sET" % said
        resources = b"/Resources<</Font<</F1 3 0 R>>>>"
        put(
            4 + 2 * page,
            b"<</Type/Page/Parent 2 0 R/MediaBox[0 0 612 792]/Contents %d 0 R%s>>" % (5 + 2 * page, resources),
        )
        put(5 + 2 * page, b"<</Length %d>>stream\n%s\nendstream" % (len(stream), stream))
    table = written.tell()
    rows = b"".join(b"%010d 00000 n \n" % offsets[number] for number in sorted(offsets))
    written.write(b"xref\n0 %d\n0000000000 65535 f \n%s" % (len(offsets) + 1, rows))
    written.write(b"trailer<</Size %d/Root 1 0 R>>\nstartxref\n%d\n%%%%EOF" % (len(offsets) + 1, table))
    return written.getvalue()


def pptx() -> bytes:
    """Two slides: a title, a table and a speaker's note; then words in groups."""
    deck = Presentation()
    first = deck.slides.add_slide(deck.slide_layouts[5])
    assert first.shapes.title is not None
    first.shapes.title.text = "Quarterly figures"
    table = first.shapes.add_table(2, 2, Inches(1), Inches(2), Inches(4), Inches(1)).table
    for row, column, text in ((0, 0, "Region"), (0, 1, "Revenue"), (1, 0, "North"), (1, 1, "1,200")):
        table.cell(row, column).text = text
    notes = first.notes_slide.notes_text_frame
    assert notes is not None
    notes.text = "Mention the harvest"
    second = deck.slides.add_slide(deck.slide_layouts[6])
    group = second.shapes.add_group_shape()
    for _ in range(50):
        group = group.shapes.add_group_shape()
    group.shapes.add_textbox(Inches(1), Inches(1), Inches(3), Inches(1)).text_frame.text = "Deep inside\va line below"
    written = io.BytesIO()
    deck.save(written)
    return written.getvalue()


def xlsx() -> bytes:
    """One sheet: a caption over a table, an empty row, a second table, and one cell at the far end of the sheet."""
    book = Workbook()
    sheet = book.active
    assert sheet is not None
    sheet.title = "Plan"
    for row in (["Budget of the year"], ["Item", "Cost"], ["Paint", 12.5], [], ["Day", "Hours"], ["Monday", 8]):
        sheet.append(row)
    sheet["XFD5000"] = "far away"
    written = io.BytesIO()
    book.save(written)
    return written.getvalue()


def docx_tracked() -> bytes:
    """A paragraph with a deletion and an insertion that nobody has accepted, and a content control."""
    document = Document()
    document.add_paragraph("Pay within ")
    written = io.BytesIO()
    document.save(written)
    with zipfile.ZipFile(written) as zipped:
        parts = {name: zipped.read(name) for name in zipped.namelist()}
    body = parts["word/document.xml"]
    tracked = b"<w:del><w:r><w:delText>thirty</w:delText></w:r></w:del><w:ins><w:r><w:t>sixty</w:t></w:r></w:ins></w:p>"
    control = b"<w:sdt><w:sdtContent><w:p><w:r><w:t>In a control</w:t></w:r></w:p></w:sdtContent></w:sdt>"
    parts["word/document.xml"] = body.replace(b"</w:p>", tracked + control, 1)
    return archive(parts)


def message(plain: str, html: str) -> bytes:
    """A multipart message with an attachment."""
    mail = EmailMessage()
    mail["From"], mail["To"] = "Ann <ann@example.com>", "bob@example.com"
    mail["Subject"], mail["Date"] = "Grüße aus Köln", "Mon, 05 Jan 2026 10:00:00 +0100"
    mail["Message-ID"] = "<1@example.com>"
    mail.set_content(plain)
    mail.add_alternative(html, subtype="html")
    mail.add_attachment(b"%PDF-", maintype="application", subtype="pdf", filename="offer.pdf")
    return mail.as_bytes()
