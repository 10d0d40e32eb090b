"""Everything of a workspace as plain data: people and channels as Slack ids, dates as ISO text, nothing as null."""

from dataclasses import dataclass
from typing import Any

from sqlmodel import col, select
from sqlmodel.ext.asyncio.session import AsyncSession

from models.carrying import plain
from models.items import with_own_rows
from models.kinds import Item
from models.permissions import Actor, Right, may, visible_projects, visible_records
from models.tables import Comment, History, Link, Project, Record, Watcher, Workspace


@dataclass(frozen=True)
class Export:
    """One workspace. Records carry the columns of all kinds and their own under the kind's field keys."""

    workspace: dict[str, Any]
    projects: list[dict[str, Any]]
    records: list[dict[str, Any]]
    links: list[dict[str, Any]]
    comments: list[dict[str, Any]]
    history: list[dict[str, Any]]


async def export(session: AsyncSession, actor: Actor | None = None) -> Export:
    """The whole workspace, archived records included; with an actor, the projects that person may see and export."""
    workspace = (await session.exec(select(Workspace))).one()
    project_query = select(Project).order_by(col(Project.id))
    query = select(Record, Project).join(Project, col(Project.id) == col(Record.project_id)).order_by(col(Record.id))
    if actor is not None:
        project_query = project_query.where(visible_projects(actor))
        query = query.where(visible_records(actor))
    projects = [
        project for project in await session.exec(project_query) if actor is None or may(actor, Right.EXPORT, project)
    ]
    query = query.where(col(Record.project_id).in_([project.id for project in projects]))
    items = await with_own_rows(session, [(record, project) for record, project in await session.exec(query)])
    references = {item.record.id: item.reference for item, _ in items}
    rows = (await session.exec(select(History).order_by(col(History.id)))).all()
    links = (await session.exec(select(Link).order_by(col(Link.at), col(Link.from_id), col(Link.to_id)))).all()
    said = (await session.exec(select(Comment).order_by(col(Comment.id)))).all()
    watchers: dict[int | None, list[str]] = {}
    for each in await session.exec(select(Watcher).order_by(col(Watcher.record_id), col(Watcher.person_id))):
        watchers.setdefault(each.record_id, []).append(each.person_id)
    seen_projects = {project.id for project in projects}
    return Export(
        workspace={"id": workspace.id, "name": workspace.name},
        projects=[_project(project) for project in projects],
        records=[_record(item, project, watchers.get(item.record.id, [])) for item, project in items],
        links=[
            {"from": references[link.from_id], "type": link.type.value, "to": references[link.to_id]}
            for link in links
            if link.from_id in references and link.to_id in references
        ],
        comments=[_comment(each, references[each.record_id]) for each in said if each.record_id in references],
        history=[
            _history(row, references.get(row.record_id))
            for row in rows
            if (row.record_id in references if row.record_id else row.project_id in seen_projects)
        ],
    )


def _project(project: Project) -> dict[str, Any]:
    return _plain(
        {
            "id": project.id,
            "name": project.name,
            "timezone": project.timezone,
            "coordinator": project.coordinator_id,
            "sponsor": project.sponsor_id,
            "working_days": project.working_days.split(),
            "holiday_country": project.holiday_country,
            "holiday_subdivision": project.holiday_subdivision,
            "days_off": project.days_off.split(),
            "currency": project.currency,
            "own_fields": project.own_fields.splitlines(),
            "who_may_edit": project.who_may_edit,
            "may_others_log": project.may_others_log,
            "has_summary": project.has_summary,
            "summary_day": project.summary_day,
            "summary_at": project.summary_at,
            "escalates": project.escalates,
            "grace_days": project.grace_days,
            "created_by": project.created_by,
            "created_at": project.created_at,
            "channel": project.home_channel_id,
            "is_private": project.is_private,
            "archived_at": project.archived_at,
        }
    )


def _record(item: Item, project: Project, watchers: list[str]) -> dict[str, Any]:
    record = item.record
    return _plain(
        {
            "reference": item.reference,
            "kind": record.kind,
            "title": record.title,
            "details": record.details,
            "status": record.status,
            "is_open": record.is_open,
            "priority": record.priority,
            "owner": record.owner_id,
            "helpers": record.helpers,
            "watchers": watchers,
            "confidentiality": record.confidentiality,
            "tags": record.tags.split(),
            "due_date": record.due_date,
            "due_time": record.due_time,
            "first_due_date": record.first_due_date,
            "due_moves": record.due_moves,
            "next_review": record.next_review,
            "remark": record.remark,
            "project": project.name,
            "project_id": project.id,
            "channel": record.channel_id,
            "raised_by": record.raised_by,
            "source_link": record.source_link,
            "source_change": record.source_change,
            "is_draft": record.is_draft,
            "is_archived": record.is_archived,
            "created_at": record.created_at,
            "updated_at": record.updated_at,
            "closed_at": record.closed_at,
            "version": record.version,
            **{field.key: item.value(field.key) for field in item.kind.fields},
        }
    )


def _comment(comment: Comment, reference: str) -> dict[str, Any]:
    return _plain(
        {
            "reference": reference,
            "author": comment.author_id,
            "at": comment.at,
            "text": comment.text,
            "taken_back_at": comment.taken_back_at,
            "reworded_at": comment.reworded_at,
        }
    )


def _history(row: History, reference: str | None) -> dict[str, Any]:
    return _plain(
        {
            "reference": reference,
            "project_id": row.project_id,
            "version": row.version,
            "at": row.at,
            "actor": row.actor_id,
            "act": row.act,
            "via": row.via,
            "field": row.field,
            "before": row.before,
            "after": row.after,
            "note": row.note,
            "batch": row.batch,
            "undone_by": row.undone_by,
        }
    )


def _plain(values: dict[str, Any]) -> dict[str, Any]:
    return {key: plain(value) for key, value in values.items()}
