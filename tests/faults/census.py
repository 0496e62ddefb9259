"""Prints what the installation has stored: readings in the order of insertion, sessions, jobs."""

import json

import django


def main() -> None:
    django.setup()
    from readerstudy.jobs.models import Job
    from readerstudy.jobs.progress_log import job_folder
    from readerstudy.reading.models import Reading, ReadingSession

    of_list = "presentation__reading_list"
    readings = Reading.objects.order_by("pk").values_list(
        f"{of_list}__enrollment__reader__username",
        f"{of_list}__session_plan__number",
        "presentation__position",
        "presentation__code",
        "verdict",
        "key",
        "answered_at",
    )
    sessions = ReadingSession.objects.values_list(
        "reading_list__enrollment__reader__username", "reading_list__session_plan__number", "answered"
    )
    jobs = []
    for job in Job.objects.filter(kind="tests.own_and_count").order_by("pk"):
        log = (job_folder(job.pk) / "log.txt").read_text() if (job_folder(job.pk) / "log.txt").exists() else ""
        facts = {"id": job.pk, "retried_from": job.retried_from_id, "folder": job.parameters["folder"]}
        facts |= {"status": job.status, "note": job.note, "result": job.result, "attempts": job.attempts}
        jobs.append({**facts, "deaths": job.deaths, "outages": job.outages, "done_lines": log.count(" Done.")})
    print(json.dumps({"readings": list(readings), "sessions": list(sessions), "jobs": jobs}, default=str))


if __name__ == "__main__":
    main()
