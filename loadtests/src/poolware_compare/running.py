"""Running a plan to its end, or to where it was interrupted: either way there are results."""

from poolware_compare import environment, interruption
from poolware_compare.apps.objects import KINDS, seconds_saved
from poolware_compare.comparison import Collected, run
from poolware_compare.errors import ComparisonError
from poolware_compare.plan import Plan
from poolware_compare.progress import Progress
from poolware_compare.results import Results, summarise
from poolware_compare.soak import SAMPLES, SoakResult, soak

Outcome = tuple[Results, ComparisonError | None]
"""What was measured, and what ended it early, if something did. An error before the first round is raised."""


def compared(plan: Plan) -> Outcome:
    """Run a comparison."""
    collected = Collected()
    progress = Progress(plan.total_rounds)
    where = environment.describe([plan.cores.note] if plan.cores.note else [])
    object_us: dict[str, float] = {}
    partial, failure = False, None
    try:
        kinds = {case.scenario.object_kind for case in plan.cases} - {None}
        object_us.update((kind, seconds_saved(KINDS[kind]) * 1e6) for kind in KINDS if kind in kinds)
        run(plan, collected, progress)
    except KeyboardInterrupt:
        partial = True
    except ComparisonError as error:
        if not any(rounds for _, rounds in collected.cases):
            raise
        partial, failure = True, error
    finally:
        interruption.ignore()
        progress.close()
    return summarise(plan, collected, where, partial=partial, object_us=object_us), failure


def soaked(plan: Plan) -> Outcome:
    """Run a soak."""
    (case,) = plan.cases
    result = SoakResult(case.app, case.server, case.scenario.name, case.arms[-1].name, plan.load.seconds)
    progress = Progress(SAMPLES)
    where = environment.describe([plan.cores.note] if plan.cores.note else [])
    partial, failure = False, None
    try:
        soak(plan, case, result, progress)
    except KeyboardInterrupt:
        partial = True
        result.findings.append("it was interrupted")
    except ComparisonError as error:
        if not result.samples:
            raise
        partial, failure = True, error
        result.findings.append("it ended with an error")
    finally:
        interruption.ignore()
        progress.close()
    results = Results(partial=partial, environment=where, settings=plan.settings(), controls={}, cases=[], soak=result)
    return results, failure
