"""Templates: what a new project may begin with, as data. Due dates count working days from the project's first."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date
from types import MappingProxyType
from typing import Any, Final

from models.kinds import Kind, kind_of
from models.labels import Priority
from models.tables import Project
from models.working_days import after_working_days


@dataclass(frozen=True)
class Starter:
    """One record that a template logs: its kind's key, its title, after how many working days it is due, and more."""

    kind: str
    title: str
    due_in: int | None = None
    values: Mapping[str, Any] = field(default_factory=lambda: MappingProxyType({}))

    @property
    def its_kind(self) -> Kind:
        return kind_of(self.kind)

    def values_for(self, project: Project, start: date) -> dict[str, Any]:
        """The record's field values in a project that begins on `start`."""
        due = {} if self.due_in is None else {"due_date": after_working_days(project, start, self.due_in)}
        return {"title": self.title, **due, **self.values}


@dataclass(frozen=True)
class Template:
    key: str
    name: str
    summary: str
    starters: tuple[Starter, ...] = ()


BLANK: Final = Template("blank", "Blank", "An empty log.")

TEMPLATES: Final = (
    BLANK,
    Template(
        "network",
        "Network rollout",
        "Switches, cabling and a cut-over, site by site.",
        (
            Starter("action", "Survey every site: racks, power, cable runs", 10),
            Starter("action", "Order switches, optics and cables", 15),
            Starter("dependency", "Delivery dates confirmed by the supplier", 20),
            Starter("decision", "Which site goes first as the pilot", 10),
            Starter("action", "Write the address plan and the cut-over steps", 25),
            Starter("action", "Pilot: cut over the first site", 40),
            Starter(
                "risk",
                "Hardware arrives late and moves the pilot",
                20,
                {"probability": 3, "impact": 4, "cause": "Long delivery times", "effect": "The pilot moves"},
            ),
            Starter(
                "risk",
                "A cut-over takes longer than its window",
                35,
                {"probability": 2, "impact": 5, "contingency": "Rehearsed way back, decided at half time"},
            ),
            Starter("assumption", "Every rack has room, power and cooling for the new switches", 10),
            Starter("action", "Hand over to operations: diagrams, access, monitoring", 60),
        ),
    ),
    Template(
        "software",
        "Software go-live",
        "A new system from acceptance to the first weeks in use.",
        (
            Starter("decision", "What must work on the first day, and what may follow", 5),
            Starter("action", "Agree acceptance tests with those who will use it", 10),
            Starter("action", "Rehearse the data migration on a copy", 20),
            Starter("dependency", "Interfaces ready on the other systems' side", 20),
            Starter("action", "Train users and the service desk", 30),
            Starter("decision", "Go or no-go", 35, {"priority": Priority.HIGH}),
            Starter(
                "risk",
                "Migrated data is incomplete or wrong",
                20,
                {"probability": 3, "impact": 5, "contingency": "Stay on the old system and migrate again"},
            ),
            Starter("assumption", "The old system can run on for four weeks beside the new one", 15),
            Starter("action", "Look after users closely for two weeks, then hand over", 50),
        ),
    ),
    Template(
        "move",
        "Office move",
        "People, rooms and IT to another building.",
        (
            Starter("action", "List what moves, what is bought and what is thrown away", 10),
            Starter("decision", "The moving weekend", 10),
            Starter("dependency", "Internet line ordered and confirmed for the new address", 10),
            Starter("action", "Seating plan agreed with every team", 20),
            Starter("action", "Book the movers, and lifts and access in both buildings", 20),
            Starter("risk", "The internet line is not ready on the day", 30, {"probability": 3, "impact": 5}),
            Starter("assumption", "The new rooms are handed over finished and on time", 25),
            Starter("action", "Test network, phones and meeting rooms before anybody moves", 38),
            Starter("action", "Return keys and badges of the old building", 50),
        ),
    ),
)


def template_of(key: str) -> Template:
    """The template of that key; the blank one where there is none."""
    return next((template for template in TEMPLATES if template.key == key), BLANK)
