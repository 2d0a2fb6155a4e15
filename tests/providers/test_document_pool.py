"""Documents are read apart: a hostile one gets its outcome in time, and takes nobody along."""

import asyncio
import io
import shutil
import signal
import stat
import subprocess
import sys
from collections.abc import AsyncGenerator, Callable
from pathlib import Path

import psutil
import pypdfium2
import pytest
import pytest_asyncio

from domain.chunking import chunks_of
from domain.documents import DocumentParser, DocumentRefused
from providers.documents.limits import MIB, Limits
from providers.documents.pool import DocumentPool
from providers.documents.reading import read
from tests.support.hostile_documents import BILLION_LAUGHS, archive, lying_archive, pdf

pytestmark = [
    pytest.mark.asyncio(loop_scope="module"),
    pytest.mark.skipif(sys.platform != "linux", reason="not run: this system does not limit processes as Linux does"),
]

DATA = Path(__file__).parents[1] / "data" / "documents"
SCAN = DATA / "MEDRPT-2024-PAT-3847_medical_report_scan.pdf"
TRUSTEE = DATA / "unstructured-handbook-1p.docx"
INSTALLED = shutil.which("tesseract")
MEMORY = 512 * MIB
OUTCOME_SECONDS = 60
# Lexbor looks through all open elements at each new one.
ENDLESS = b"<html>" + b"<div>" * 400_000


@pytest_asyncio.fixture(loop_scope="module", scope="module")
async def pool() -> AsyncGenerator[DocumentPool]:
    async with DocumentPool(Limits(max_memory=MEMORY), size=2) as pool:
        yield pool


class Newborn:
    """The processes that have been started since, and live."""

    def __init__(self) -> None:
        self._before = {child.pid for child in psutil.Process().children()}

    def __call__(self) -> list[psutil.Process]:
        born = [child for child in psutil.Process().children() if child.pid not in self._before]
        return [child for child in born if child.status() != psutil.STATUS_ZOMBIE]

    async def at_work(self, count: int) -> list[psutil.Process]:
        """Those that have their first document, once there are so many: each document brings a limit of its own."""
        while True:
            working = [child for child in self() if child.rlimit(psutil.RLIMIT_CPU)[0] != psutil.RLIM_INFINITY]
            if len(working) == count:
                return working
            await asyncio.sleep(0.02)


@pytest.fixture
def newborn() -> Newborn:
    return Newborn()


async def outcome(pool: DocumentParser, content: bytes, name: str = "") -> str:
    """The type of what could be read, or why it could not."""
    try:
        parsed = await pool.parse(content, name)
        await pool.chunks_of(parsed, 400, 50)
    except DocumentRefused as refused:
        return refused.code
    return parsed.file_type


async def test_the_pool_reads_and_cuts_as_we_would(pool: DocumentPool) -> None:
    apart = await pool.parse(TRUSTEE, "handbook.docx")
    assert apart == read(TRUSTEE.read_bytes(), "handbook.docx", Limits())
    assert await pool.parse(TRUSTEE.read_bytes(), "handbook.docx") == apart
    assert await pool.chunks_of(apart, 60, 10) == chunks_of(apart, 60, 10)


# made where they are read: some take seconds
HOSTILE: dict[str, tuple[Callable[[], bytes], set[str]]] = {
    "zip bomb": (lambda: archive({"word/document.xml": b"\0" * 200_000_000}), {"bomb"}),
    "many parts": (lambda: archive({f"word/{number}.xml": b"" for number in range(20_001)}), {"bomb"}),
    "lying zip": (lambda: lying_archive(100_000_000), {"corrupt", "bomb"}),
    "billion laughs in a docx": (lambda: archive({"word/document.xml": BILLION_LAUGHS}), {"bomb"}),
    "billion laughs in an xlsx": (
        lambda: archive({"xl/workbook.xml": BILLION_LAUGHS.decode().encode("utf-16")}),
        {"bomb"},
    ),
    "billion laughs as text": (lambda: BILLION_LAUGHS, {"txt"}),
    "deep json": (lambda: b"[" * 200_000 + b"]" * 200_000, {"bomb"}),
    "deep html": (lambda: b"<html>" + b"<div>" * 5_000 + b"deep", {"html"}),
    "deep tables": (lambda: b"<html>" + b"<table><tr><td>x" * 1_000, {"html"}),
    "deep markdown": (lambda: b"# t\n" + b"> " * 20_000 + b"x", {"md"}),
    "deep message": (
        lambda: b"From: a\r\nTo: b\r\nSubject: c\r\nContent-Type: message/rfc822\r\n\r\n" * 3_000,
        {"bomb"},
    ),
    "wrong type": (lambda: b"\x7fELF" + bytes(range(256)) * 100, {"unsupported_type"}),
    "half a pdf": (lambda: pdf(50)[:4_000], {"corrupt"}),
    "too many pages": (lambda: pdf(10_001, lines=1), {"too_many_pages"}),
}


@pytest.mark.parametrize("case", HOSTILE)
async def test_the_hostile_get_their_outcome_in_time(pool: DocumentPool, case: str) -> None:
    make, expected = HOSTILE[case]
    content = make()
    async with asyncio.timeout(OUTCOME_SECONDS):
        assert await outcome(pool, content) in expected
    assert await outcome(pool, b"still alive") == "txt"


NAMES = ["../../etc/passwd", "a\0b.pdf", "x" * 300 + ".docx", "\u202egpj.exe\u200f", "", ".", "con\n\r.txt", "a/b\\c"]


@pytest.mark.parametrize("name", NAMES)
async def test_a_name_is_only_a_name(pool: DocumentPool, name: str) -> None:
    assert (await pool.parse(b"plain words", name)).text == "plain words"


async def test_a_document_of_thousands_of_pages_is_read(pool: DocumentPool) -> None:
    async with asyncio.timeout(OUTCOME_SECONDS):
        parsed = await pool.parse(pdf(2_000, lines=2), "long.pdf")
    assert len(parsed.pages) == 2_000
    assert parsed.text[parsed.pages[1_999] :].startswith("page 2000 says")


async def test_memory_has_an_end_and_the_next_document_its_own(newborn: Newborn) -> None:
    async with DocumentPool(Limits(max_memory=200 * MIB, seconds=300), size=1) as pool:
        assert await outcome(pool, b"words " * 10_000_000) == "parse_memory"
        assert newborn() == []
        assert await outcome(pool, b"next") == "txt"
        (child,) = newborn()
        assert child.rlimit(psutil.RLIMIT_AS) == (200 * MIB, 200 * MIB)


async def test_time_has_an_end_and_the_next_document_its_own() -> None:
    async with DocumentPool(Limits(seconds=5), size=1) as pool:
        async with asyncio.timeout(OUTCOME_SECONDS):
            assert await outcome(pool, ENDLESS) == "parse_timeout"
        assert (await pool.parse(b"next", "")).text == "next"


@pytest.mark.parametrize(
    ("sent", "code"),
    [(signal.SIGSEGV, "corrupt"), (signal.SIGABRT, "parse_memory"), (signal.SIGXCPU, "parse_timeout")],
)
async def test_a_reader_that_dies_ends_one_document(newborn: Newborn, sent: signal.Signals, code: str) -> None:
    async with DocumentPool(Limits(), size=1) as pool:
        reading = asyncio.create_task(outcome(pool, ENDLESS))
        (child,) = await newborn.at_work(1)
        child.send_signal(sent)
        assert await reading == code
        assert (await pool.parse(b"next", "")).text == "next"


async def test_a_process_that_died_while_resting_costs_no_document(newborn: Newborn) -> None:
    async with DocumentPool(Limits(), size=1) as pool:
        await pool.parse(b"words", "")
        (child,) = newborn()
        child.kill()
        assert (await pool.parse(b"next", "")).text == "next"


async def test_who_is_cancelled_stops_the_reading_at_once(newborn: Newborn) -> None:
    async with DocumentPool(Limits(), size=2) as pool:
        readings = [asyncio.create_task(pool.parse(ENDLESS, "")) for _ in range(3)]
        await newborn.at_work(2)
        for reading in readings:
            reading.cancel()
        results = await asyncio.gather(*readings, return_exceptions=True)
        assert [type(result) for result in results] == [asyncio.CancelledError] * 3
        assert newborn() == []
        assert (await pool.parse(b"next", "")).text == "next"
    assert newborn() == []


async def test_who_closes_the_pool_gives_no_document_an_outcome(newborn: Newborn) -> None:
    pool = DocumentPool(Limits(), size=1)
    reading = asyncio.create_task(pool.parse(ENDLESS, ""))
    await newborn.at_work(1)
    await pool.aclose()
    with pytest.raises(RuntimeError, match="closed"):
        await reading
    assert newborn() == []
    with pytest.raises(RuntimeError, match="closed"):
        await pool.parse(b"next", "")
    assert newborn() == []


async def test_many_wait_their_turn_and_processes_are_used_again(newborn: Newborn) -> None:
    async with DocumentPool(Limits(), size=2) as pool:
        parsed = await asyncio.gather(*(pool.parse(f"number {number}".encode(), "") for number in range(200)))
        assert [each.text for each in parsed] == [f"number {number}" for number in range(200)]
        assert len(newborn()) == 2


async def test_a_reader_knows_no_secrets_writes_no_files_and_lets_others_first(
    newborn: Newborn, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("OPENAI_API_KEY", "sk-secret")
    async with DocumentPool(Limits(), size=1) as pool:
        await pool.parse(b"words", "")
        (child,) = newborn()
        assert not {"OPENAI_API_KEY", "HOME"} & set(child.environ())
        assert child.rlimit(psutil.RLIMIT_FSIZE) == (0, 0)
        assert child.nice() > psutil.Process().nice()


async def test_a_path_that_is_not_there_is_no_fault_of_the_document(pool: DocumentPool) -> None:
    with pytest.raises(FileNotFoundError):
        await pool.parse(DATA / "nothing.pdf", "nothing.pdf")


async def test_a_file_too_large_is_refused_before_it_is_read(tmp_path: Path) -> None:
    path = tmp_path / "large.txt"
    path.write_bytes(b"x" * 2000)
    async with DocumentPool(Limits(max_bytes=1000), size=1) as pool:
        for source in (path, path.read_bytes()):
            with pytest.raises(DocumentRefused) as refused:
                await pool.parse(source, "large.txt")
            assert refused.value.code == "too_large"


async def test_an_overlap_too_large_is_refused(pool: DocumentPool) -> None:
    parsed = await pool.parse(b"words", "")
    with pytest.raises(ValueError, match="overlap"):
        await pool.chunks_of(parsed, 20, 20)


async def test_the_reading_process_does_not_load_the_product() -> None:
    code = "import sys, providers.documents.child; print(*{name.split('.')[0] for name in sys.modules})"
    loaded = subprocess.run([sys.executable, "-c", code], capture_output=True, check=True, text=True).stdout.split()
    assert not {
        "temporalio",
        "fastapi",
        "asyncpg",
        "openai",
        "anthropic",
        "httpx",
        "httpx2",
        "ledger",
        "workflows",
    } & set(loaded)
    assert not {"pypdfium2", "docx", "openpyxl", "pptx", "lxml"} & set(loaded)


TESSERACT = """#!{python}
import sys
image = sys.stdin.buffer.read()
assert sys.argv[1:] == ["stdin", "stdout", "-l", "eng"], sys.argv
magic, width, height, depth = image.split(maxsplit=4)[:4]
assert (magic, depth) == (b"P5", b"255"), magic
assert len(image) == len(b" ".join((magic, width, height, depth))) + 1 + int(width) * int(height)
print("Recognised", width.decode(), "by", height.decode())
"""


async def test_images_are_read_by_the_program_that_is_installed(tmp_path: Path) -> None:
    """A stand-in speaks tesseract's command line: the real one is a package of the system."""
    program = tmp_path / "tesseract"
    program.write_text(TESSERACT.format(python=sys.executable))
    program.chmod(program.stat().st_mode | stat.S_IXUSR)
    async with DocumentPool(Limits(tesseract=str(program)), size=1) as pool:
        parsed = await pool.parse(SCAN, SCAN.name)
    assert [note.code for note in parsed.notes] == ["ocr"]
    assert len(parsed.pages) == 3
    assert parsed.text.count("Recognised ") == 3


@pytest.mark.skipif(INSTALLED is None, reason="not run: tesseract is not installed")
async def test_the_real_program_reads_what_a_page_shows() -> None:
    page = pypdfium2.PdfDocument(pdf(1))[0]
    scan = pypdfium2.PdfDocument.new()
    image = pypdfium2.PdfImage.new(scan)
    image.set_bitmap(page.render(scale=2))
    image.set_matrix(pypdfium2.PdfMatrix().scale(*page.get_size()))
    shown = scan.new_page(*page.get_size())
    shown.insert_obj(image)
    shown.gen_content()
    written = io.BytesIO()
    scan.save(written)
    async with DocumentPool(Limits(tesseract=INSTALLED), size=1) as pool:
        parsed = await pool.parse(written.getvalue(), "scan.pdf")
    assert "page 1 says its line 2" in parsed.text
