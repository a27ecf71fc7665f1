"""Whatever is wrong with the input: a sentence that says what to do, exit status 2, no traceback."""

import os
import subprocess
import sys

import pytest
from conftest import ROOT

CASES = {
    "": "Usage:",
    "nothing": "No such command 'nothing'",
    "--nothing": "No such option",
    # measure
    "measure": "it takes either a TARGET",
    "measure planted:Number --find planted:the_same": "it takes either a TARGET",
    "measure planted": "it takes module:name",
    "measure planted:": "it takes module:name",
    "measure ☃:☃": "there is no module '☃'",
    "measure nowhere:x": "there is no module 'nowhere'; run it where Python finds the module",
    "measure planted:nothing": "planted has no nothing",
    "measure planted:DOCUMENT": "it takes a class, or a function that builds an object",
    "measure planted:broken": "broken() failed: LookupError: no configuration for ☃",
    "measure planted:leaving": "leaving() failed: SystemExit: 3",
    "measure planted:needs_argument": "missing 1 required positional argument",
    "measure planted:the_same": "returns the same object each time",
    "measure planted:generator": "which is used up once",
    "measure planted:coroutine": "which is used up once",
    "measure planted:exhausted": "measuring exhausted failed: ConnectionError: no more than 5",
    "measure planted:ClosesBadly": "closing a ClosesBadly failed: OSError: bad descriptor",
    "measure planted:ClosesOddly": "looking for ClosesOddly.close failed: ValueError: not yet",
    "measure poolware:Context": "derive the class of your contexts from it",
    "measure planted:Number --use planted:cannot_use": "using a Number failed: KeyError: 'nothing here'",
    "measure planted:Number --use .nothing": "using a Number failed: AttributeError",
    "measure planted:Number --use .": "it takes module:function, or .method",
    "measure planted:Number --reset planted:one": "it takes a function of one argument",
    "measure planted:Number --bytes 10": "a Number has no writable memory of that size",
    "measure planted:scratch --bytes 5MiB": "a bytearray has no writable memory of that size",
    "measure planted:scratch --bytes -1": "it takes a size such as 4096, 64KiB or 4MiB",
    "measure planted:scratch --bytes 4XiB": "it takes a size such as 4096, 64KiB or 4MiB",
    "measure planted:Job --reset .clear": "Job is a context class, which resets itself",
    "measure planted:Number --seconds 0": "it takes a number of at least 0.05",
    "measure planted:Number --seconds nan": "it takes a number of at least 0.05",
    "measure planted:Number --seconds 1e9": "at most 3600",
    "measure --find nowhere:app": "there is no module 'nowhere'",
    "measure --find planted:one": "is a list; it takes a WSGI or ASGI application",
    "measure --find cli_apps:works --requests 0": "0 is not in the range",
    "measure --find cli_apps:works --path orders": "it takes a path that begins with /",
    "measure --find cli_apps:does_not_start": "no database; it takes an application that starts",
    "measure --find cli_apps:leaves --requests 1": "it takes an application that starts and goes on",
    "measure --find cli_apps:leaves_later --requests 1": "it takes an application that starts and goes on",
    "measure --find cli_apps:alien --requests 1": "it takes an application that starts and goes on",
    "measure --find cli_apps:works --header token": "it takes a header such as",
    "measure --find cli_apps:works --interface cgi": "is not one of 'asgi', 'wsgi'",
    # size
    "size": "it takes --rps and --hold-ms, --connections and --servers",
    "size --rps 500": "--rps and --hold-ms go together",
    "size --hold-ms 20": "--rps and --hold-ms go together",
    "size --rps 0 --hold-ms 20": "it takes a number above 0",
    "size --rps nan --hold-ms 20": "it takes a number above 0",
    "size --rps inf --hold-ms 20": "it takes a number above 0",
    "size --rps many --hold-ms 20": "'many': it takes a number above 0",
    "size --rps 1e300 --hold-ms 1e300": "it takes up to 1,000,000",
    "size --rps 1e9 --hold-ms 1000": "it takes up to 1,000,000",
    "size --rps 1e-300 --hold-ms 20 --simulate 10": "it takes a number of at least 1e-06",
    "size --rps 5 --hold-ms 20 --peak 0.5": "it takes a number of at least 1",
    "size --rps 5 --hold-ms 20 --idle 2": "and at most 1",
    "size --rps 5 --hold-ms 20 --size 0": "not in the range",
    "size --rps 5 --hold-ms 20 --size 3 --p99-ms 1": "--size and --p99-ms exclude each other",
    "size --rps 5 --hold-ms 20 --plot x.svg": "--plot needs --simulate",
    "size --rps 5 --hold-ms 20 --create-ms 5": "--create-ms needs --simulate",
    "size --rps 5 --hold-ms 20 --reserved 5": "--reserved needs --connections",
    "size --connections 10 --simulate 5": "--simulate needs --rps and --hold-ms",
    "size --connections 10 --servers 20": "not even one for each. Put a proxy",
    "size --connections 4 --reserved 5": "not even one for each",
    "size --rps 5 --hold-ms 20 --simulate 10 --plot x.txt": "ends in .svg, .png, .pdf",
    "size --rps 5 --hold-ms 20 --simulate 10 --plot no/such/folder/x.svg": "it takes a file that can be written",
    "size --rps 5 --hold-ms 20 --simulate 10 --plot /": "is a directory",
    "size --rps 5 --hold-ms 20 --simulate 10 --peak 20 --arrivals bursts": "at most 10",
    "size --rps 5 --hold-ms 20 --simulate 10 --arrivals often": "is not one of",
    "size --rps 5 --hold-ms 20 --simulate 10 --servers 100": "requests=10: it takes a whole number of at least 100",
    "size --from nowhere": "it takes an address that begins with http",
    "size --from http://127.0.0.1:1/": "it takes the address of an application that is running",
    "size --from http://127.0.0.1:1/ --rps 3": "--rps do not go with --from URL",
    # audit
    "audit": "Missing argument",
    "audit planted:one": "is a list; it takes a WSGI or ASGI application",
    "audit cli_apps:works --path orders": "it takes a path that begins with /",
    "audit cli_apps:works --requests 0": "not in the range",
    "audit cli_apps:does_not_start": "no database; it takes an application that starts",
    "audit cli_apps:leaves --requests 1": "it takes an application that starts and goes on",
    # describe
    "describe": "Missing argument",
    "describe planted:Number": "it takes a class derived from poolware.Context",
    "describe planted:DOCUMENT": "it takes a class derived from poolware.Context",
    "describe planted:Visitor.nothing": "planted has no Visitor.nothing",
    # doctor
    "doctor everything": "unexpected extra argument",
}


@pytest.mark.parametrize("line", CASES)
def test_bad_input(line, run):
    result = run(line)
    assert result.exit_code == 2
    said = " ".join(result.stderr.split())
    assert CASES[line] in said
    assert "Traceback" not in result.output


def poolware(*arguments: str, **environment: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-c", "from _poolware_command import main; main()", *arguments],
        capture_output=True,
        text=True,
        check=False,
        cwd=ROOT / "tests" / "sizing",
        env=os.environ | environment,
    )


@pytest.mark.parametrize("line", ["measure planted:broken", "size --rps nan --hold-ms 1", "describe planted:Number"])
def test_bad_input_in_a_process_of_its_own(line):
    result = poolware(*line.split(), PYTHONIOENCODING="utf-8")
    assert (result.returncode, result.stdout) == (2, "")
    assert CASES.get(line, "it takes a number above 0") in result.stderr
    assert "Traceback" not in result.stderr


@pytest.mark.parametrize(
    ("variable", "message"),
    [("POOLWARE_MODE", "it takes 'on', 'off' or 'debug'"), ("POOLWARE_CORE", "it takes 'compiled' or 'python'")],
)
def test_a_variable_that_keeps_poolware_from_being_imported(variable, message):
    result = poolware("doctor", **{variable: "wrong"})
    assert (result.returncode, result.stdout) == (2, "")
    assert result.stderr.startswith(f"poolware: {variable}='wrong': {message}")
    assert result.stderr.count("\n") == 1


def test_a_terminal_without_greek_letters():
    """A question mark for what it cannot show, and no UnicodeEncodeError."""
    result = poolware("size", "--rps", "500", "--hold-ms", "20", PYTHONIOENCODING="ascii")
    assert result.returncode == 0
    assert " ?s, " in result.stdout


def test_without_click_it_says_what_to_install():
    """As where poolware is installed alone."""
    hide = "import sys; sys.modules['click'] = None; from poolware.cli import main; main()"
    result = subprocess.run([sys.executable, "-c", hide], capture_output=True, text=True, check=False)
    assert (result.returncode, result.stdout) == (2, "")
    assert result.stderr == "poolware: the command needs click: pip install 'poolware[cli]'\n"


@pytest.mark.parametrize("module", ["numpy", "matplotlib"])
def test_without_numpy_or_matplotlib_the_simulation_says_what_to_install(module, run, monkeypatch):
    for name in [name for name in sys.modules if name.partition(".")[0] == module or name.startswith("poolware.siz")]:
        monkeypatch.delitem(sys.modules, name)
    monkeypatch.setitem(sys.modules, module, None)
    result = run("size --rps 5 --hold-ms 20 --simulate 10 --plot x.svg")
    assert result.exit_code == 2
    assert f"this needs {module}: pip install 'poolware[simulate]'" in result.stderr
