"""A reader at another installation, as a process: `python -m tests.backup.reader STUDY NAME SESSION… | --picture`.

Prints a line for each verdict once it is acknowledged: SAID and the code of the image. Logs have other lines.
"""

import os
import sys
import time

os.environ["DJANGO_SETTINGS_MODULE"] = "readerstudy.configuration.settings"

import django

if __name__ == "__main__":
    django.setup()

from readerstudy.accounts.models import User
from tests import walk

PAUSE_S = 0.2
SAID = "verdict:"


def read(study: str, name: str, sessions: list[int]) -> None:
    program = walk.program_of(walk.client_of(User.objects.get(username=name)))
    for number in sessions:
        step = program.open_session(study, number)
        while step["kind"] in ("read", "teach"):
            code = step["stimulus"]["code"]
            step = program.give_verdict(study, number, step, step["verdicts"][0], elapsed_ms=4000)["step"]
            print(SAID, code, flush=True)
            time.sleep(PAUSE_S)


def show_picture(study: str, name: str, session: int) -> None:
    client = walk.client_of(User.objects.get(username=name))
    step = walk.open_session(client, study, session)
    response = client.get(step["stimulus"]["image"])
    body = b"".join(response.streaming_content) if response.streaming else response.content
    print(SAID, response.status_code, body[:8] == b"\x89PNG\r\n\x1a\n", len(body))


if __name__ == "__main__":
    study, name, *rest = sys.argv[1:]
    if rest[-1] == "--picture":
        show_picture(study, name, int(rest[0]))
    else:
        read(study, name, [int(number) for number in rest])
