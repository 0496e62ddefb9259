"""The service under load: `make bench PART=service` prints rates, times and processor time of readers in a closed loop.

Debian's PostgreSQL with fsync, Redis, gunicorn as `deploy/web` starts it, and a client in one process, all on this
machine. Ratios first: rates depend on the machine and on other work. GRANIAN=/path/of/granian measures images by it
too.
"""

import asyncio
import os
import sys
import time
from collections.abc import Iterator
from functools import partial

import psutil

from tests.bench.output import write
from tests.load.client import Connection, Measured, Reading, closed_loop
from tests.load.installation import LoadedInstallation, running

Row = tuple[str, float, str]
READERS = (1, 10, 48, 100)
STAFF, STAFF_EVERY_S = 10, 15  # monitors that are open, and how often each asks
IMAGES, IMAGE_BYTES, PEOPLE = 100, 1_310_000, 400
SECONDS = float(os.environ.get("LOAD_SECONDS", "8"))
GOAL = 200  # verdicts a second
PACE_S = 0.5  # between two verdicts of a reader who reads faster than anybody


def main() -> None:
    rows: list[Row] = []
    running(lambda installation: rows.extend(asyncio.run(_Load(installation).rows())))
    write("service", rows)


class _Load:
    """All measurements on one installation."""

    def __init__(self, installation: LoadedInstallation) -> None:
        self.installation = installation
        made = installation.make_study(readers=PEOPLE, images=IMAGES, size=IMAGE_BYTES, coordinators=STAFF)
        self.study, self.session, self.waiting, self.staff = (
            made["study"], made["session"], made["readers"], made["coordinators"],
        )  # fmt: skip
        self.port = installation.ports["web"]
        self.rested: list[Reading] = []

    async def rows(self) -> list[Row]:
        load = os.getloadavg()[0]
        empty, cost_of_empty = await self._empty("GET", "empty")
        post, cost_of_post = await self._empty("POST", "empty-post")
        rows, costs, rates = [], {}, {}
        for readers in READERS:
            seats = await self._seats(readers)
            verdicts, web, database, client = await self._measured([seat.give_verdict for seat in seats])
            costs[readers], rates[readers] = web + database, verdicts.rate
            rows += _times("verdict", readers, verdicts)
            rows.append((f"processor of a verdict, {readers} readers: web", web, "ms"))
            rows.append((f"processor of a verdict, {readers} readers: PostgreSQL", database, "ms"))
            rows.append((f"processor of a verdict, {readers} readers: client", client, "ms"))
            rows += _times("step", readers, (await self._measured([seat.look for seat in seats], 0.4))[0])
            rows += _times("image", readers, (await self._measured([seat.fetch_image for seat in seats], 0.4))[0])
        rows += list(await self._paced())
        rows += list(await self._beside_monitors(rates[48]))
        rows += list(await self._granian())
        first: list[Row] = [
            ("verdict to an empty view of the framework", costs[10] / cost_of_post, "times its processor"),
            ("verdict to an empty view of Django", costs[10] / cost_of_empty, "times its processor"),
            ("verdicts at 48 readers to the goal", rates[48] / GOAL, f"times {GOAL}/s"),
        ]
        empties: list[Row] = [
            ("empty view of Django", cost_of_empty, f"ms of processor, {empty.rate:.0f}/s with 10 connections"),
            ("empty view of the framework", cost_of_post, f"ms of processor, {post.rate:.0f}/s with 10 connections"),
        ]
        ends: list[Row] = [("load average before", load, ""), ("load average after", os.getloadavg()[0], "")]
        return [*first, *empties, *rows, *(await self._statements()), *ends]

    async def _seats(self, count: int) -> list[Reading]:
        while len(self.rested) < count:
            seat = Reading(Connection(self.port, ""), self.study, self.session, self.waiting)
            await seat.sit_down()
            self.rested.append(seat)
        return self.rested[:count]

    async def _measured(self, acts, share: float = 1.0, pause_s: float = 0.0) -> tuple[Measured, float, float, float]:
        """Return what was done, and the processor time of each act in ms: web, PostgreSQL, client."""
        used: dict[str, float] = {}

        def begin() -> None:
            used.update(self._used())

        measured = await closed_loop(acts, share * SECONDS, begun=begin, pause_s=pause_s)
        now = self._used()
        # The last act of each connection ends after the time, and its processor counts.
        acts_done = len(measured.times_s) + len(acts)
        web, database, client = (1000 * (now[name] - used[name]) / acts_done for name in ("web", "postgres", "client"))
        return measured, web, database, client

    def _used(self) -> dict[str, float]:
        own = psutil.Process().cpu_times()
        services = {name: self.installation.processor_of(name) for name in ("web", "postgres")}
        return {**services, "client": own.user + own.system}

    async def _empty(self, method: str, name: str) -> tuple[Measured, float]:
        connections = [Connection(self.port, self.waiting[0] if method == "POST" else "") for _ in range(10)]
        body = {"a": 1} if method == "POST" else None

        async def ask(connection: Connection) -> None:
            status, content = await connection.call(method, f"/api/v1/load/{name}/", body)
            assert status == 200, content

        measured, web, database, _client = await self._measured([partial(ask, each) for each in connections], 0.5)
        return measured, web + database

    async def _paced(self) -> Iterator[Row]:
        seats = await self._seats(48)
        verdicts, *_processor = await self._measured([seat.give_verdict for seat in seats], pause_s=PACE_S)
        return iter(_times(f"verdict every {PACE_S:g} s", 48, verdicts))

    async def _beside_monitors(self, alone: float) -> Iterator[Row]:
        """Verdicts of 48 readers while ten coordinators have the monitor open."""
        pages: list[float] = []
        asking = [asyncio.create_task(self._watch(cookie, number, pages)) for number, cookie in enumerate(self.staff)]
        seats = await self._seats(48)
        verdicts, *_processor = await self._measured([seat.give_verdict for seat in seats], 2 * STAFF_EVERY_S / SECONDS)
        for task in asking:
            task.cancel()
        ends = await asyncio.gather(*asking, return_exceptions=True)
        failures = [end for end in ends if not isinstance(end, asyncio.CancelledError)]
        assert not failures, failures
        assert len(pages) >= STAFF
        rows = _times("verdict beside ten monitors", 48, verdicts)
        rows.insert(0, ("verdicts beside ten monitors to those alone", verdicts.rate / alone, "of the rate"))
        rows.append(("monitor beside 48 readers", 1000 * sum(pages) / len(pages), "ms, mean"))
        return iter(rows)

    async def _watch(self, cookie: str, number: int, pages: list[float]) -> None:
        connection = Connection(self.port, cookie)
        await asyncio.sleep(number * STAFF_EVERY_S / STAFF)
        while True:
            began = time.perf_counter()
            status, content = await connection.call("GET", f"/desk/studies/{self.study}/monitor/")
            assert status == 200, content
            pages.append(time.perf_counter() - began)
            await asyncio.sleep(STAFF_EVERY_S)

    async def _granian(self) -> Iterator[Row]:
        """Images by granian, if there is one, with as many processes and threads."""
        program = os.environ.get("GRANIAN")
        if not program:
            return iter(())
        command = [program, "--interface", "wsgi", "readerstudy.wsgi:application", "--workers", "2"]
        paths = {"PYTHONPATH": os.pathsep.join(sys.path)}  # it may be in an environment of its own
        self.installation.start_web("granian", [*command, "--blocking-threads", "4", "--no-access-log"], **paths)
        rows: list[Row] = []
        for readers in (1, 10, 48):
            seats = await self._seats(readers)
            by = {}
            for name in ("web", "granian"):
                for seat in seats:
                    seat.connection.close()
                    seat.connection.port = self.installation.ports[name]
                by[name], *_processor = await self._measured([seat.fetch_image for seat in seats], 0.5)
                rows.append((f"image by {name}, {readers} readers", by[name].rate, "/s"))
            rows.append((f"image by granian to gunicorn, {readers} readers", by["granian"].rate / by["web"].rate, ""))
        return iter(rows)

    async def _statements(self) -> Iterator[Row]:
        """Statements of one verdict as PostgreSQL counts them, after a restart with the module that counts."""
        self.installation.count_statements()
        seats = await self._seats(1)
        for _number in range(20):  # each thread connects again
            await seats[0].give_verdict()
        self.installation.as_superuser("SELECT pg_stat_statements_reset()")
        count = 50
        for _number in range(count):
            await seats[0].give_verdict()
        total = self.installation.as_superuser(_COUNTED)
        calls, ended, executing, planning = (float(value) for value in total.split("|"))
        return iter(
            [
                ("statements of a verdict", calls / count, "with their transaction's own"),
                ("transaction statements of a verdict", ended / count, "BEGIN, COMMIT, SAVEPOINT"),
                ("executing the statements of a verdict", executing / count, "ms"),
                ("planning the statements of a verdict", planning / count, "ms"),
            ]
        )


_COUNTED = """
SELECT sum(calls), sum(calls) FILTER (WHERE query ~* '^(begin|commit|rollback|savepoint|release)'),
       sum(total_exec_time), sum(total_plan_time)
FROM pg_stat_statements JOIN pg_roles ON pg_roles.oid = userid WHERE rolname = 'readerstudy_web'
"""


def _times(name: str, readers: int, measured: Measured) -> list[Row]:
    what = f"{name}, {readers} readers"
    shares = [(f"{what}, p{round(100 * share)}", measured.quantile_ms(share), "ms") for share in (0.5, 0.95, 0.99)]
    return [(what, measured.rate, "/s"), *shares]


if __name__ == "__main__":
    main()
