"""Two revisions of an application, each in a working tree of its own."""

import subprocess
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path

import click

from poolware_compare.arms import Arm
from poolware_compare.errors import ComparisonError


@contextmanager
def checked_out(app: str, revisions: Sequence[str]) -> Iterator[list[Arm]]:
    """Check the revisions out beside the repository, and yield an arm for each; the trees are gone afterwards."""
    here = Path.cwd()
    inside = here.relative_to(Path(_git(here, "rev-parse", "--show-toplevel")))
    with ExitStack() as stack:
        arms = []
        for revision in revisions:
            commit = _commit(here, revision)
            tree = stack.enter_context(_worktree(here, commit))
            if not (tree / inside).is_dir():
                msg = f"--revisions: {revision} has no directory {str(inside)!r}, in which the application would start"
                raise click.UsageError(msg)
            arms.append(Arm(revision, app, directory=str(tree / inside)))
        yield arms


def _commit(here: Path, revision: str) -> str:
    try:
        return _git(here, "rev-parse", "--verify", "--quiet", "--end-of-options", f"{revision}^{{commit}}")
    except ComparisonError:
        msg = f"--revisions: there is no revision {revision!r} here"
        raise click.UsageError(msg) from None


@contextmanager
def _worktree(here: Path, commit: str) -> Iterator[Path]:
    with tempfile.TemporaryDirectory(prefix="poolware-") as folder:
        tree = Path(folder, "tree")
        try:
            _git(here, "worktree", "add", "--detach", "--quiet", str(tree), commit)
            yield tree
        finally:
            # Twice: also one that is still locked, because its making was interrupted.
            with suppress(ComparisonError):
                _git(here, "worktree", "remove", "--force", "--force", str(tree))


def _git(here: Path, *arguments: str) -> str:
    command = ["git", "-C", str(here), *arguments]
    try:
        return subprocess.run(command, capture_output=True, text=True, check=True).stdout.strip()
    except FileNotFoundError:
        msg = "comparing revisions needs git"
        raise ComparisonError(msg) from None
    except subprocess.CalledProcessError as error:
        msg = f"git {' '.join(arguments)}: {error.stderr.strip()}"
        raise ComparisonError(msg) from None
