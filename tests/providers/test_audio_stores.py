"""Where recordings lie: a folder, and Supabase Storage over real HTTP; and how those from elsewhere are brought."""

import asyncio
import os
import stat
from collections.abc import AsyncGenerator, Callable
from pathlib import Path

import pytest

from domain.errors import JobError, LongrunError, RateLimited, VendorError
from domain.interviews.audio import AudioRefused, AudioStore
from providers.storage.chosen import audio_fetcher, audio_store
from providers.storage.local import LocalAudio
from providers.storage.supabase import SupabaseAudio
from providers.supabase import Supabase, connected
from providers.web import GuardedClient
from tests.support.site_server import Answer, Asked, SiteServer, redirect
from tests.support.supabase_server import SERVICE_KEY, SupabaseServer, stored_error, told

SOUND = os.urandom(700_001)
BUCKET, KEY = "recordings", "0b7a4f6e-5b1e-4a8e-9a55-0d6a4a3c2b1f"


@pytest.fixture
async def server() -> AsyncGenerator[SupabaseServer]:
    async with SupabaseServer() as server:
        server.buckets = {BUCKET: {}, "uploads": {"u1/my talk?.mp3": SOUND}}
        yield server


@pytest.fixture
async def supabase(server: SupabaseServer) -> AsyncGenerator[Supabase]:
    async with Supabase(server.url, SERVICE_KEY) as supabase:
        yield supabase


@pytest.fixture
async def impatient(server: SupabaseServer) -> AsyncGenerator[Supabase]:
    async with Supabase(server.url, SERVICE_KEY, timeout=0.5) as supabase:
        yield supabase


@pytest.fixture(params=["local", "supabase"])
def store(request: pytest.FixtureRequest, tmp_path: Path, supabase: Supabase) -> AudioStore:
    return audio_store(request.param, folder=tmp_path / "kept" / "audio", supabase=supabase, bucket=BUCKET)


@pytest.fixture
def file(tmp_path: Path) -> Path:
    file = tmp_path / "sound"
    file.write_bytes(SOUND)
    return file


async def read(store: AudioStore, key: str, start: int, end: int) -> bytes:
    return b"".join([piece async for piece in store.pieces(key, start, end)])


async def test_what_is_put_is_what_is_fetched_whole_and_in_parts(store: AudioStore, file: Path, tmp_path: Path) -> None:
    await store.put(KEY, file, "audio/mpeg")
    await store.fetch(KEY, tmp_path / "back")
    assert (tmp_path / "back").read_bytes() == SOUND
    for start, end in [(0, len(SOUND)), (0, 1), (5, 300_000), (len(SOUND) - 1, len(SOUND)), (7, 7)]:
        assert await read(store, KEY, start, end) == SOUND[start:end], (start, end)
    file.write_bytes(b"newer")
    await store.put(KEY, file, "audio/mpeg")
    await store.fetch(KEY, tmp_path / "back")
    assert (tmp_path / "back").read_bytes() == b"newer"


async def test_what_is_deleted_is_gone_and_may_be_deleted_again(store: AudioStore, file: Path, tmp_path: Path) -> None:
    await store.put(KEY, file)
    await store.delete(KEY)
    await store.delete(KEY)
    with pytest.raises(JobError) as fetched:
        await store.fetch(KEY, tmp_path / "back")
    with pytest.raises(JobError) as streamed:
        await read(store, KEY, 0, 9)
    assert fetched.value.code == streamed.value.code == "file_gone"


async def test_a_folder_keeps_files_to_itself_and_nothing_half_written(tmp_path: Path, file: Path) -> None:
    folder = tmp_path / "audio"
    store = LocalAudio(folder)
    await store.put(KEY, file)
    assert stat.S_IMODE((folder / KEY).stat().st_mode) == 0o600
    assert stat.S_IMODE(folder.stat().st_mode) == 0o700
    with pytest.raises(LongrunError):
        await store.put(KEY, tmp_path / "none")
    assert [one.name for one in folder.iterdir()] == [KEY], "a put that fails leaves what was there, and no draft"
    (folder / f".{KEY}.left-by-one-that-died").write_bytes(SOUND)
    await store.delete(KEY)
    assert list(folder.iterdir()) == []
    assert await store.link(KEY) is None


async def test_a_put_that_is_cancelled_is_over_and_has_left_nothing(tmp_path: Path) -> None:
    folder, pipe = tmp_path / "audio", tmp_path / "pipe"
    os.mkfifo(pipe)
    putting = asyncio.create_task(LocalAudio(folder).put(KEY, pipe))
    # who opens one end waits for the other
    with await asyncio.to_thread(pipe.open, "wb", 0) as source:
        await asyncio.to_thread(source.write, bytes(300_000))
        putting.cancel()
    with pytest.raises(asyncio.CancelledError):
        await putting
    assert list(folder.iterdir()) == []


@pytest.mark.parametrize("key", ["../secret", "a/b", "/etc/passwd", "..", ".hidden", "", "a\0b", "a\n"])
async def test_no_key_leaves_the_folder(tmp_path: Path, file: Path, key: str) -> None:
    (tmp_path / "secret").write_bytes(b"secret")
    store = LocalAudio(tmp_path / "audio")
    for asked in (store.put(key, file), store.fetch(key, tmp_path / "back"), store.delete(key), read(store, key, 0, 9)):
        with pytest.raises(ValueError, match="a key is made of"):
            await asked
    assert (tmp_path / "secret").read_bytes() == b"secret"


async def test_a_folder_that_cannot_be_written_may_heal(tmp_path: Path, file: Path) -> None:
    (tmp_path / "audio").write_text("in the way")
    with pytest.raises(VendorError) as caught:
        await LocalAudio(tmp_path / "audio").put(KEY, file)
    assert (caught.value.code, caught.value.again) == ("audio_store", True)
    assert str(tmp_path) not in caught.value.message


async def test_the_bucket_is_told_what_it_gets(server: SupabaseServer, supabase: Supabase, file: Path) -> None:
    await SupabaseAudio(supabase, BUCKET).put(KEY, file, "audio/mpeg")
    assert server.types == {f"{BUCKET}/{KEY}": "audio/mpeg"}
    [asked] = server.asked
    assert asked.headers["content-length"] == str(len(SOUND))
    assert (asked.headers["apikey"], asked.headers["authorization"]) == (SERVICE_KEY, f"Bearer {SERVICE_KEY}")


async def test_a_link_opens_the_file_without_the_key(server: SupabaseServer, supabase: Supabase, file: Path) -> None:
    store = SupabaseAudio(supabase, BUCKET)
    await store.put(KEY, file)
    link = await store.link(KEY)
    assert link
    async with GuardedClient(allow=[server.authority]) as anybody:
        assert (await anybody.get(link)).body == SOUND
    assert SERVICE_KEY not in link
    with pytest.raises(JobError) as caught:
        await store.link("another")
    assert caught.value.code == "file_gone"


async def test_a_project_on_this_machine_gives_vendors_no_link(supabase: Supabase, tmp_path: Path) -> None:
    assert await audio_store("supabase", folder=tmp_path, supabase=supabase, bucket=BUCKET).link(KEY) is None
    assert [
        Supabase(url, "key").public
        for url in ("https://abc.supabase.co", "http://10.0.0.4", "http://localhost:54321", "http://[::1]:1")
    ] == [True, False, False, False]


FAILURES: dict[str, tuple[Answer, str, bool]] = {
    "401": (told({"message": "Invalid API key"}, 401), "http_401", False),
    "403 in the body": (stored_error(403, "Unauthorized", "jwt malformed"), "http_403", False),
    "429": (told({"message": "API rate limit exceeded"}, 429, **{"retry-after": "7"}), "rate_limited", True),
    "500": (stored_error(500, "InternalError", "Internal Server Error"), "http_500", True),
    "503": (Answer(503, body="upstream"), "http_503", True),
    "544 in the body": (stored_error(544, "DatabaseTimeout", "The connection timed out"), "http_544", True),
    "hang": (Answer(delay=30), "timeout", True),
    "dropped": (Answer(drop=True), "connection", True),
    "elsewhere": (redirect("http://127.0.0.1:1/"), "http_302", False),
}


@pytest.mark.parametrize("name", FAILURES)
async def test_a_refusal_is_classed_once_and_tells_no_secret(
    server: SupabaseServer, supabase: Supabase, impatient: Supabase, file: Path, tmp_path: Path, name: str
) -> None:
    answer, code, again = FAILURES[name]
    server.fault = lambda _: answer
    store = SupabaseAudio(impatient if answer.delay else supabase, BUCKET)
    asks: list[Callable[[], object]] = [
        lambda: store.put(KEY, file),
        lambda: store.fetch(KEY, tmp_path / "back"),
        lambda: read(store, KEY, 0, 9),
        lambda: store.link(KEY),
        lambda: store.delete(KEY),
    ]
    for ask in asks if answer.delay == 0 else asks[1:2]:
        with pytest.raises(VendorError) as caught:
            await ask()  # pyright: ignore[reportGeneralTypeIssues]
        assert (caught.value.code, caught.value.again) == (code, again)
        assert isinstance(caught.value, RateLimited) == (code == "rate_limited")
        assert caught.value.retry_after == (7 if code == "rate_limited" else None)
        for secret in (SERVICE_KEY, server.url, KEY, BUCKET):
            assert secret not in caught.value.message


async def test_what_is_broken_or_of_another_shape_is_a_bad_response(
    server: SupabaseServer, supabase: Supabase, impatient: Supabase
) -> None:
    store = SupabaseAudio(supabase, BUCKET)
    for answer in (Answer(body="{"), told([]), told({"signedURL": 7}), told({"signedURL": "x"}), Answer()):
        server.fault = lambda _, answer=answer: answer
        with pytest.raises(VendorError) as caught:
            await store.link(KEY)
        assert (caught.value.code, caught.value.again) == ("bad_response", True)
    server.fault = lambda _: Answer(200, {}, SOUND)
    with pytest.raises(VendorError) as caught:
        await read(store, KEY, 5, 9)
    assert caught.value.code == "bad_response", "a part was asked for and the whole came"
    server.fault = lambda _: Answer(200, {"content-length": "9000"}, b"half")
    with pytest.raises(VendorError) as caught:
        await SupabaseAudio(impatient, BUCKET).link(KEY)
    assert caught.value.code == "timeout"


async def test_a_store_with_a_limit_of_its_own_says_so(server: SupabaseServer, supabase: Supabase, file: Path) -> None:
    server.limit = 1000
    with pytest.raises(AudioRefused) as caught:
        await SupabaseAudio(supabase, BUCKET).put(KEY, file)
    assert caught.value.code == "too_large"


async def test_recordings_are_brought_from_the_products_own_objects(
    server: SupabaseServer, supabase: Supabase, tmp_path: Path
) -> None:
    path = tmp_path / "brought"
    async with GuardedClient() as client:
        bring = audio_fetcher(client, supabase, len(SOUND)).bring
        await bring("uploads/u1/my talk?.mp3", path)
        assert path.read_bytes() == SOUND
        server.tables["secrets"] = {}
        for gone in ("uploads/u1/none.mp3", "none/x", "uploads/../../../rest/v1/secrets", "uploads//x", "uploads/./x"):
            with pytest.raises(JobError) as caught:
                await bring(gone, path)
            assert caught.value.code == "file_gone"
        assert not [asked for asked in server.asked if "/rest/" in asked.target], "no path leaves the objects"
        with pytest.raises(AudioRefused) as refused:
            await audio_fetcher(client, supabase, len(SOUND) - 1).bring("uploads/u1/my talk?.mp3", path)
        assert refused.value.code == "too_large"
        with pytest.raises(JobError) as missing:
            await audio_fetcher(client, None, 1).bring("uploads/u1/my talk?.mp3", path)
        assert missing.value.code == "not_configured"


ADDRESSES: dict[str, tuple[Answer, str]] = {
    "gone": (Answer(404), "http_404"),
    "too large, said": (Answer(200, {}, b"x" * 2001), "too_large"),
    "limited": (Answer(429, {"retry-after": "3"}), "rate_limited"),
    "down": (Answer(502), "http_502"),
    "hangs": (Answer(delay=30), "timeout"),
    "drips": (Answer(200, {}, b"x" * 2000, pause=0.5, chunk=1), "timeout"),
    "packed": (Answer(200, {"content-encoding": "gzip"}, b"x"), "bad_response"),
    "to itself": (redirect("/sound"), "too_many_redirects"),
    "to the machine": (redirect("http://127.0.0.1:9/"), "address_refused"),
}


@pytest.mark.parametrize("name", ADDRESSES)
async def test_an_address_that_gives_no_recording_says_why(tmp_path: Path, name: str) -> None:
    answer, code = ADDRESSES[name]
    async with (
        SiteServer({"/sound": answer}) as site,
        GuardedClient(allow=[site.authority], timeout=0.5 if code == "timeout" else 20, max_bytes=2000) as client,
    ):
        with pytest.raises(LongrunError) as caught:
            await audio_fetcher(client, None, 2000).bring(f"{site.url}/sound", tmp_path / "sound")
    assert caught.value.code == code
    assert isinstance(caught.value, AudioRefused if code == "too_large" else VendorError)


async def test_an_address_is_read_after_redirects_and_not_packed(tmp_path: Path) -> None:
    def sound(asked: Asked) -> Answer:
        assert asked.headers["accept-encoding"] == "identity"
        return Answer(200, {"content-type": "text/plain"}, SOUND)

    async with (
        SiteServer({"/a": redirect("/b"), "/b": sound}) as site,
        GuardedClient(allow=[site.authority], max_bytes=len(SOUND)) as client,
    ):
        await audio_fetcher(client, None, 0).bring(f"{site.url}/a", tmp_path / "sound")
    assert (tmp_path / "sound").read_bytes() == SOUND


@pytest.mark.parametrize(
    ("url", "key"), [("abc", "k"), ("ftp://x", "k"), ("http://", "k"), ("http://x:y/", "k"), ("http://x", None)]
)
def test_settings_that_cannot_be_used_say_which(url: str, key: str | None, tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="SUPABASE_"):
        connected(url, key)
    for name in ("s3", "supabase"):
        with pytest.raises(ValueError, match="LONGRUN_AUDIO_STORE"):
            audio_store(name, folder=tmp_path, supabase=None, bucket=BUCKET)
