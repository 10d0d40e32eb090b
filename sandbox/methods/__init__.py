"""Every Web API method the workspace answers."""

from sandbox.methods import apps, chat, conversations, files, reactions, users, views
from sandbox.methods.method import Method

METHODS: dict[str, Method] = {
    name: method
    for family in (apps, chat, conversations, files, reactions, users, views)
    for name, method in family.METHODS.items()
}
