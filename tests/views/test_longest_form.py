"""The longest form there can be."""

from models.kinds.base import FieldType
from models.kinds.decision import DECISION
from models.own_fields import kind_in
from models.tables import Project
from sandbox.block_kit import view_refusal
from views.forms import FormContext, record_form


def test_the_longest_form_is_one_that_slack_takes() -> None:
    """All texts as long as they may be, in a project with ten fields of its own; what does not fit stays as it is."""
    lines = "\n".join(f"Field {n}" for n in range(9)) + "\nSite: " + " | ".join(f"{n} Road" for n in range(50))
    kind = kind_in(DECISION, Project(own_fields=lines))
    long = {spec.key: "x" * 40_000 for spec in kind.form_fields if spec.type is FieldType.LONG_TEXT}

    form = record_form(kind, {"title": "Long", **long}, FormContext(kind="decision", shows_all=True))

    assert view_refusal(form) is None
    assert "Too long for this form, and left as it is: " in str(form["blocks"])
