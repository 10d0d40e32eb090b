"""The scheduled jobs, one file each. A new job is a file and a line in `JOBS`."""

from scheduler.jobs.base import Job
from scheduler.jobs.channel_reminder import CHANNEL_REMINDER_JOB
from scheduler.jobs.digest import DIGEST_JOB
from scheduler.jobs.due_soon import DUE_SOON_JOB
from scheduler.jobs.escalations import ESCALATIONS_JOB
from scheduler.jobs.standups import STANDUPS_JOB
from scheduler.jobs.summaries import SUMMARIES_JOB

__all__ = ["JOBS", "Job"]

JOBS: tuple[Job, ...] = (
    DIGEST_JOB,
    STANDUPS_JOB,
    SUMMARIES_JOB,
    DUE_SOON_JOB,
    CHANNEL_REMINDER_JOB,
    ESCALATIONS_JOB,
)
