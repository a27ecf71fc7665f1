"""`POST /upload`: a larger body that is hashed."""

import hashlib

from locust import tag, task

from poolware_compare.locustfiles.visitor import Visitor

BODY = bytes(range(256)) * 1024
ANSWER: dict[str, int | str] = {"size": len(BODY), "sha256": hashlib.sha256(BODY).hexdigest()}


class Upload(Visitor):
    """Uploads 256 KiB."""

    @tag("256k")
    @task
    def upload(self) -> None:
        self.fetch("POST", "/upload", lambda response: response.json() == ANSWER, data=BODY)
