"""Many threads at once."""

import threading

THREADS = 8


def run_in_threads(target):
    """Call `target` in each of them, with the thread's number, from 1 on; none may raise."""
    errors = []

    def run(number):
        try:
            target(number)
        except BaseException as error:
            errors.append(error)

    threads = [threading.Thread(target=run, args=(number,)) for number in range(1, THREADS + 1)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert errors == []
