"""A buffer where the standard library and others want a file or memory."""

import csv
import gzip
import io
import json
import shutil
import socket
import tarfile
import zipfile

import numpy as np
import pytest

from poolware import AlreadyLeased, BufferPool


@pytest.fixture
def buffer():
    pool = BufferPool(tiers=(64, 1024, 65536))
    made = pool.acquire(10)
    yield made
    made.release()
    assert pool.get_stats().in_use == 0
    assert all(not any(bytes(storage)) for tier in pool._store.idle.values() for storage in tier)


def test_csv(buffer):
    text = io.TextIOWrapper(buffer, encoding="utf-8", newline="")
    csv.writer(text).writerows([["name", "größe"], ["spam", "1"]])
    text.flush()
    assert buffer.getvalue().decode() == "name,größe\r\nspam,1\r\n"
    text.seek(0)
    assert list(csv.reader(text)) == [["name", "größe"], ["spam", "1"]]
    del text


def test_json(buffer):
    with io.TextIOWrapper(buffer, encoding="utf-8") as text:
        json.dump({"rows": list(range(1000))}, text)
    buffer.seek(0)
    assert json.load(buffer) == {"rows": list(range(1000))}


def test_zipfile(buffer):
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("a.txt", b"a" * 10_000)
        with archive.open("b.txt", "w") as member:
            member.write(b"spam")
    with zipfile.ZipFile(buffer) as archive:
        assert archive.testzip() is None
        assert (archive.read("a.txt"), archive.read("b.txt")) == (b"a" * 10_000, b"spam")


@pytest.mark.parametrize("content", [b"", b"PK", b"no archive at all, but long enough to look for its end"])
def test_zipfile_of_what_is_none(buffer, content):
    """H41: an upload that is shorter than it should be is told apart, not an error of the program."""
    buffer.write(content)
    assert not zipfile.is_zipfile(buffer)
    with pytest.raises(zipfile.BadZipFile):
        zipfile.ZipFile(buffer)


def test_tarfile(buffer):
    with tarfile.open(fileobj=buffer, mode="w:gz") as archive:
        info = tarfile.TarInfo("a.txt")
        info.size = 5
        archive.addfile(info, io.BytesIO(b"spam\n"))
    buffer.seek(0)
    with tarfile.open(fileobj=buffer) as archive:
        assert archive.extractfile("a.txt").read() == b"spam\n"


def test_gzip(buffer):
    with gzip.GzipFile(fileobj=buffer, mode="wb") as file:
        file.write(b"spam" * 1000)
    assert gzip.decompress(buffer.getvalue()) == b"spam" * 1000


def test_buffered_reader(buffer):
    buffer.write(b"a\nb\nc")
    buffer.seek(0)
    assert list(io.BufferedReader(buffer)) == [b"a\n", b"b\n", b"c"]


def test_copyfileobj(buffer):
    shutil.copyfileobj(io.BytesIO(b"x" * 5000), buffer, 1000)
    buffer.seek(0)
    target = io.BytesIO()
    shutil.copyfileobj(buffer, target, 1000)
    assert target.getvalue() == b"x" * 5000


def test_numpy_sees_the_memory(buffer):
    buffer.write(np.arange(4, dtype=np.uint32))
    array = np.frombuffer(buffer.view(0, 16), dtype=np.uint32)
    array[0] = 7
    assert buffer.getvalue() == np.array([7, 1, 2, 3], dtype=np.uint32).tobytes()


def test_numpy_saves_and_loads(buffer):
    np.save(buffer, np.arange(10))
    buffer.seek(0)
    assert np.load(buffer).tolist() == list(range(10))


def test_socket_receives_into_the_memory(buffer):
    ours, theirs = socket.socketpair()
    with ours, theirs:
        theirs.sendall(b"spam and eggs")
        received = ours.recv_into(buffer.view())
        buffer.truncate(received)
        ours.sendall(buffer.getbuffer())
        assert theirs.recv(100) == b"spam and eggs"


def test_readlines_up_to_a_hint(buffer):
    buffer.write(b"one\ntwo\nthree\nfour")
    for hint, lines in ((None, 4), (-1, 4), (0, 4), (1, 1), (4, 1), (5, 2), (8, 2), (9, 3), (99, 4)):
        buffer.seek(0)
        assert buffer.readlines(hint) == [b"one\n", b"two\n", b"three\n", b"four"][:lines]


def test_what_it_refuses(buffer):
    with pytest.raises(ValueError, match="negative size value -1"):
        buffer.truncate(-1)
    with pytest.raises(ValueError, match="negative seek position -1"):
        buffer.seek(-1)
    with pytest.raises(ValueError, match=r"invalid whence \(3, should be 0, 1 or 2\)"):
        buffer.seek(0, 3)
    for name in ("fileno", "detach"):
        with pytest.raises(io.UnsupportedOperation, match=name):
            getattr(buffer, name)()
    assert buffer.name == repr(buffer) == "<Buffer 0 of 64 bytes>"


def test_a_part_of_the_memory_in_the_middle(buffer):
    buffer.write(bytes(range(50)))
    assert bytes(buffer.view(10, 20)) == bytes(range(10, 20))


def test_a_lease_is_used_once_at_a_time():
    lease = BufferPool().lease(10)
    with lease, pytest.raises(AlreadyLeased, match="in use already"):
        lease.__enter__()
    with lease as buffer:
        buffer.write(b"again")
