"""The program of one server process: `python -m loadtests.serve APP FD CORE` runs uvicorn on an inherited socket."""

import socket
import sys

import uvicorn

from loadtests import cores


def main() -> None:
    """Serve the app on the socket until terminated."""
    app, descriptor, core = sys.argv[1:]
    cores.pin(int(core))
    config = uvicorn.Config(app, http="httptools", loop="uvloop", access_log=False, log_level="warning")
    uvicorn.Server(config).run(sockets=[socket.socket(fileno=int(descriptor))])


if __name__ == "__main__":
    main()
