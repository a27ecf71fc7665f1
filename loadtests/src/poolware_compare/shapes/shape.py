"""What all shapes have in common."""

from abc import abstractmethod

from locust import LoadTestShape

SECONDS = 60.0


class Shape(LoadTestShape):
    """Follows `share` from the start to the end of the run, which `--users` and `--run-time` describe."""

    abstract = True
    use_common_options = True
    users: int | None = None
    seconds: float | None = None

    @abstractmethod
    def share(self, at: float) -> float:
        """Return the share of the load at a moment of the run, both from 0 to 1."""

    def tick(self) -> tuple[int, float] | None:
        options = self.runner.environment.parsed_options if self.runner else None
        users = self.users or (options and options.num_users) or 10
        seconds = self.seconds or (options and options.run_time) or SECONDS
        at = self.get_run_time() / seconds  # type: ignore[no-untyped-call]
        return None if at > 1 else (max(1, round(users * self.share(at))), users)
