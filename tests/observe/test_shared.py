"""What processes tell each other: privately, whole, and not beyond their end."""

import json
import os
import stat
import subprocess
import sys
import threading
import time

import pytest

from poolware import ConfigurationError
from poolware.observe import processes, shared
from poolware.observe.shared import SCHEMA, Share, merged, read_all
from poolware.observe.snapshot import PoolSnapshot

posix = pytest.mark.skipif(not hasattr(os, "geteuid"), reason="needs POSIX")


@pytest.fixture
def folder(tmp_path):
    return tmp_path / "shared"


def figures(pools=(), **more):
    return {"time": time.time(), "every": 2.0, "pools": [pool.as_dict() for pool in pools], "alerts": [], **more}


def child(folder, pools=()):
    """Publish from another process, and keep that alive."""
    code = (
        "import sys, json; from poolware.observe.shared import Share;"
        "Share(sys.argv[1]).publish(json.loads(sys.argv[2])); print(flush=True); input()"
    )
    process = subprocess.Popen(
        [sys.executable, "-c", code, str(folder), json.dumps(figures(pools))],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
    )
    process.stdout.readline()
    return process


def end(process):
    process.communicate(b"\n", timeout=20)


def test_processes_read_what_the_others_say(folder):
    pool = PoolSnapshot("p", "object", {}, {"in_use": 1}, {"acquired": 3})
    process = child(folder, [pool])
    try:
        Share(folder).publish(figures([pool]))
        said = read_all(folder)
        assert {one["process"]["pid"] for one in said} == {os.getpid(), process.pid}
        assert {one["schema"] for one in said} == {SCHEMA}
        (together,) = merged(said)
        assert (together.gauges["in_use"], together.counters["acquired"], together.processes) == (2, 6, 2)
    finally:
        end(process)
    assert [one["process"]["pid"] for one in read_all(folder)] == [os.getpid()]


def test_what_a_dead_process_left_is_removed(folder):
    """Also what it was about to say."""
    process = child(folder)
    process.kill()
    process.communicate(timeout=20)
    (left,) = folder.iterdir()
    left.with_suffix(".new").write_text("{")
    assert read_all(folder) == []
    assert list(folder.iterdir()) == []


def test_a_number_that_is_used_again_is_not_mistaken(folder):
    """The file of a process of the same number that started at another time is not this process's."""
    Share(folder).publish(figures())
    (mine,) = folder.iterdir()
    stale = folder / f"{os.getpid()}-1.json"
    stale.write_bytes(mine.read_bytes())
    assert len(read_all(folder)) == 1
    assert list(folder.iterdir()) == [mine]


def test_a_zombie_is_dead():
    process = subprocess.Popen([sys.executable, "-c", "input()"], stdin=subprocess.PIPE)
    birth = processes.birth_of(process.pid)
    assert processes.is_alive(process.pid, birth)
    process.stdin.close()
    os.waitid(os.P_PID, process.pid, os.WEXITED | os.WNOWAIT)
    assert not processes.is_alive(process.pid, birth)
    process.wait()
    assert not processes.is_alive(process.pid)


def test_where_nothing_tells_when_a_process_started(folder, monkeypatch, tmp_path):
    """Then a process counts as gone that has none of its number, or says nothing any more."""
    monkeypatch.setattr(processes, "_PROC", tmp_path / "none")
    share = Share(folder)
    share.publish(figures())
    assert len(read_all(folder)) == 1
    share.publish(figures() | {"time": time.time() - 31})
    assert read_all(folder) == []
    process = subprocess.Popen([sys.executable, "-c", ""])
    process.wait()
    (folder / f"{process.pid}-.json").write_text("{}")
    assert read_all(folder) == []
    assert [path.name for path in folder.iterdir()] == [f"{os.getpid()}-.json"]


def test_withdrawn(folder):
    share = Share(folder)
    share.publish(figures())
    share.withdraw()
    share.withdraw()
    assert read_all(folder) == []


@posix
def test_only_their_user_may_look(folder):
    """Whatever the umask."""
    before = os.umask(0)
    try:
        Share(folder).publish(figures())
    finally:
        os.umask(before)
    assert stat.S_IMODE(folder.stat().st_mode) == 0o700
    (file,) = folder.iterdir()
    assert stat.S_IMODE(file.stat().st_mode) == 0o600


@posix
@pytest.mark.parametrize("use", [Share, read_all])
def test_a_directory_that_others_have_access_to_is_refused(folder, use):
    folder.mkdir()
    folder.chmod(0o750)
    with pytest.raises(ConfigurationError, match="mode 750; 700 is needed"):
        use(folder)


@posix
@pytest.mark.parametrize("use", [Share, read_all])
def test_a_directory_of_somebody_else_is_refused(folder, use, monkeypatch):
    folder.mkdir(0o700)
    owner = os.geteuid()
    monkeypatch.setattr(os, "geteuid", lambda: owner + 1)
    with pytest.raises(ConfigurationError, match=f"belongs to user {owner}, and this process runs as user {owner + 1}"):
        use(folder)


def test_a_directory_that_cannot_be_made(folder):
    folder.write_text("a file")
    with pytest.raises(ConfigurationError, match="cannot be made, to share figures in"):
        Share(folder / "below")


@posix
@pytest.mark.parametrize("use", [Share, read_all])
def test_a_link_is_refused(folder, use, tmp_path):
    """Somebody may have put it there, to have figures written where they like."""
    (tmp_path / "elsewhere").mkdir(0o700)
    folder.symlink_to(tmp_path / "elsewhere")
    with pytest.raises(ConfigurationError, match="it is no directory"):
        use(folder)


def test_the_directory_is_the_users_own_by_default(monkeypatch, tmp_path):
    monkeypatch.delenv("POOLWARE_SHARED_DIR", raising=False)
    monkeypatch.setenv("XDG_RUNTIME_DIR", str(tmp_path))
    assert Share().directory == tmp_path / f"poolware-{shared._user()}"
    monkeypatch.setenv("POOLWARE_SHARED_DIR", str(tmp_path / "named"))
    assert Share().directory == tmp_path / "named"
    assert read_all(tmp_path / "not there") == []


def test_a_directory_that_was_cleaned_away_is_made_again(folder):
    share = Share(folder)
    folder.rmdir()
    share.publish(figures())
    assert len(read_all(folder)) == 1


@pytest.mark.parametrize("text", ["", "{", "[]", "{}", '{"schema": 1, "time": 0}'])
def test_what_is_not_in_the_format_is_left_out(folder, text, caplog):
    Share(folder).publish(figures())
    (file,) = folder.iterdir()
    file.write_text(text)
    assert read_all(folder) == []
    assert "is not what poolware writes" in caplog.text


def test_another_version_is_left_out(folder):
    Share(folder).publish(figures(schema=SCHEMA + 1))
    assert read_all(folder) == []


def test_a_reader_never_sees_half_a_file(folder):
    """Written again and again, in two sizes; every look finds one of them whole."""
    share, done, sizes = Share(folder), threading.Event(), set()
    share.publish(figures(history="a"))

    def write():
        for number in range(100):
            share.publish(figures(history="ab"[number % 2] * (1 + number % 2 * 500_000)))
        done.set()

    writer = threading.Thread(target=write)
    writer.start()
    while not done.is_set():
        (said,) = read_all(folder)
        sizes.add(len(said["history"]))
    writer.join()
    assert sizes <= {1, 500_001}


@pytest.mark.skipif(not hasattr(os, "fork"), reason="no fork here")
def test_a_forked_child_publishes_for_itself(folder):
    """H26: and takes back nothing but its own."""
    share = Share(folder)
    share.publish(figures())
    child = os.fork()
    if not child:
        share.publish(figures())
        both = len(read_all(folder))
        share.withdraw()
        os._exit(both)
    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 2
    assert [one["process"]["pid"] for one in read_all(folder)] == [os.getpid()]
