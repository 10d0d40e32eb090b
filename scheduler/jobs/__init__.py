"""The scheduled jobs, one file each. A new job is a file and a line in `JOBS`."""

from scheduler.jobs.base import Job
from scheduler.jobs.expired import EXPIRED_JOB
from scheduler.jobs.morning import MORNING_JOB
from scheduler.jobs.standups import STANDUPS_JOB

__all__ = ["JOBS", "Job"]

JOBS: tuple[Job, ...] = (MORNING_JOB, STANDUPS_JOB, EXPIRED_JOB)
