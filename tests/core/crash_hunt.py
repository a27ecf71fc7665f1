"""Two million random cycles on the compiled core under AddressSanitizer, or some under valgrind.

``PYTHONPATH=tests python -m core.crash_hunt [cycles] [seed]`` builds the core into a temporary copy of the package and
starts itself there. It ends with 0 if nothing was found, 1 if something was, and 2 where it cannot look.
"""

from __future__ import annotations

import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

from native_build import build, compiler, copied, environment

CYCLES, SEED = 2_000_000, 1
VALGRIND_SHARE = 100
"""How many times fewer cycles valgrind has: it is that much slower."""
SANITIZED = ("-O1", "-g", "-fno-omit-frame-pointer", "-fsanitize=address,undefined", "-fno-sanitize-recover=undefined")
DRIVER = Path(__file__).with_name("crash_cycles.py")


def asan() -> str | None:
    """The library that has to be loaded before the interpreter."""
    found = subprocess.run([compiler(), "-print-file-name=libasan.so"], capture_output=True, text=True, check=True)
    path = found.stdout.strip()
    return path if Path(path).is_absolute() else None


def hunted(cycles: int, seed: int, folder: Path) -> int:
    """Build, run, and return the exit status."""
    copied(folder)
    library, valgrind = asan(), shutil.which("valgrind")
    more: dict[str, str] = {"PYTHONMALLOC": "malloc"}
    prefix: list[str] = []
    if library is not None:
        print(f"AddressSanitizer and UndefinedBehaviorSanitizer, {cycles:,} cycles, seed {seed}", flush=True)
        build(folder, *SANITIZED)
        more |= {
            "LD_PRELOAD": library,
            "ASAN_OPTIONS": "detect_leaks=0:quarantine_size_mb=16:malloc_context_size=8",
            "UBSAN_OPTIONS": "print_stacktrace=1",
        }
    elif valgrind is not None:
        cycles //= VALGRIND_SHARE
        print(f"valgrind memcheck (there is no libasan), {cycles:,} cycles, seed {seed}", flush=True)
        build(folder, "-O1", "-g")
        prefix = [valgrind, "--tool=memcheck", "--quiet", "--error-exitcode=9"]
    else:
        print("there is neither libasan nor valgrind: nothing was hunted")
        return 2
    command = [*prefix, sys.executable, "-X", "faulthandler", str(DRIVER), str(cycles), str(seed)]
    return 1 if subprocess.run(command, env=environment(folder) | more, check=False).returncode else 0


def main(arguments: list[str]) -> int:
    cycles, seed = (*map(int, arguments), *(CYCLES, SEED)[len(arguments) :])
    if compiler() is None:
        print("there is no C compiler: nothing was hunted")
        return 2
    with tempfile.TemporaryDirectory() as folder:
        return hunted(cycles, seed, Path(folder, "src"))


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
