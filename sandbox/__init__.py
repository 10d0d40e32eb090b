"""A stand-in Slack workspace on one's own machine, for any Slack app."""

from sandbox.calls import Call, Delivery
from sandbox.enterprise import Enterprise
from sandbox.errors import SandboxError
from sandbox.interactions import Outcome
from sandbox.sandbox import Sandbox
from sandbox.team import Team
from sandbox.timing import Timing

__all__ = ["Call", "Delivery", "Enterprise", "Outcome", "Sandbox", "SandboxError", "Team", "Timing"]
