"""`POST /upload`: a larger body that is hashed."""

import hashlib

from locust import task

from loadtests.locustfiles.visitor import Visitor

BODY = bytes(range(256)) * 1024
ANSWER = {"size": len(BODY), "sha256": hashlib.sha256(BODY).hexdigest()}


class Upload(Visitor):
    """Uploads 256 KiB."""

    @task
    def upload(self) -> None:
        """Upload the body and check its digest."""
        self.fetch("POST", "/upload", lambda response: bool(response.json() == ANSWER), data=BODY)
