"""From bytes to a parsed document, in this process: only ever call it where the process may die of it."""

from collections.abc import Callable
from traceback import extract_tb

from domain.documents import DocumentRefused, FileType, Parsed
from providers.documents.decoding import decoded
from providers.documents.draft import Draft
from providers.documents.limits import Limits
from providers.documents.sniff import binary_type, misnamed, text_type


def read(data: bytes, filename: str, limits: Limits) -> Parsed:
    """Raises DocumentRefused, or MemoryError where the memory allowed does not do."""
    limits.check_size(len(data))
    if not data.strip():
        raise DocumentRefused("empty", "the file is empty")
    draft = Draft(limits)
    try:
        file_type, title = _read(data, filename, draft, limits)
    except (DocumentRefused, MemoryError):
        raise
    except RecursionError:
        raise DocumentRefused("bomb", "nested too deeply") from None
    except Exception as broken:  # the libraries raise anything at all on broken files
        raise DocumentRefused("corrupt", f"the document is damaged ({_place(broken)})") from broken
    if note := misnamed(filename, file_type):
        draft.note(note)
    return draft.parsed(data, file_type, title)


def _read(data: bytes, filename: str, draft: Draft, limits: Limits) -> tuple[FileType, str | None]:
    binary = binary_type(data, limits)
    if binary == "pdf":
        from providers.documents.from_pdf import read_pdf

        return binary, read_pdf(data, draft, limits)
    if binary is not None:
        return binary, _office_reader(binary)(data, draft)
    text, note = decoded(data)
    if note:
        draft.note(note)
    file_type = text_type(text, filename)
    if file_type == "eml":
        from providers.documents.from_eml import read_eml

        return file_type, read_eml(data, draft)
    return file_type, _text_reader(file_type)(text, draft)


def _office_reader(file_type: FileType) -> Callable[[bytes, Draft], str | None]:
    """Each library is loaded where its first document comes."""
    if file_type == "docx":
        from providers.documents.from_docx import read_docx

        return read_docx
    if file_type == "pptx":
        from providers.documents.from_pptx import read_pptx

        return read_pptx
    from providers.documents.from_xlsx import read_xlsx

    return read_xlsx


def _text_reader(file_type: FileType) -> Callable[[str, Draft], str | None]:
    if file_type == "html":
        from providers.documents.from_html import read_html

        return read_html
    from providers.documents import from_text

    return {"md": from_text.read_markdown, "csv": from_text.read_csv, "json": from_text.read_json}.get(
        file_type, from_text.read_txt
    )


def _place(broken: Exception) -> str:
    """Which error, and in which module; the error's own words may quote the document."""
    frames = extract_tb(broken.__traceback__)
    module = frames[-1].filename.rpartition("/")[2].removesuffix(".py") if frames else "?"
    return f"{type(broken).__name__} in {module}"
