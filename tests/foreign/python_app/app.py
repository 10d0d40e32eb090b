"""A small Slack app as its author would write it for real Slack; only the API address comes from outside."""

import os

from slack_bolt import App
from slack_bolt.adapter.socket_mode import SocketModeHandler
from slack_sdk import WebClient

client = WebClient(token=os.environ["SLACK_BOT_TOKEN"], base_url=os.environ.get("SLACK_API_URL", WebClient.BASE_URL))
app = App(client=client)


def form(channel):
    return {
        "type": "modal",
        "callback_id": "proposal",
        "private_metadata": channel,
        "title": {"type": "plain_text", "text": "Lunch"},
        "submit": {"type": "plain_text", "text": "Propose"},
        "blocks": [
            {
                "type": "input",
                "block_id": "place",
                "label": {"type": "plain_text", "text": "Where?"},
                "element": {"type": "plain_text_input", "action_id": "name"},
            }
        ],
    }


def poll(place, count):
    return [
        {"type": "section", "text": {"type": "mrkdwn", "text": f"*{place}*: {count} coming"}},
        {
            "type": "actions",
            "elements": [
                {
                    "type": "button",
                    "action_id": "join",
                    "text": {"type": "plain_text", "text": "Me too"},
                    "value": f"{count}|{place}",
                }
            ],
        },
    ]


@app.command("/lunch")
def lunch(ack, command, client):
    if command["text"]:
        ack(f"You proposed {command['text']}")
    else:
        ack()
        client.views_open(trigger_id=command["trigger_id"], view=form(command["channel_id"]))


@app.shortcut("propose")
def propose(ack, shortcut, client):
    ack()
    client.views_open(trigger_id=shortcut["trigger_id"], view=form(""))


@app.view("proposal")
def proposed(ack, view, client):
    place = view["state"]["values"]["place"]["name"]["value"]
    if place == "nowhere":
        ack(response_action="errors", errors={"place": "That is no place."})
        return
    ack()
    client.chat_postMessage(channel=view["private_metadata"], text=f"Lunch at {place}", blocks=poll(place, 1))


@app.action("join")
def join(ack, action, respond):
    ack()
    count, place = action["value"].split("|")
    respond(text=f"Lunch at {place}", blocks=poll(place, int(count) + 1), replace_original=True)


@app.event("app_mention")
def mentioned(event, say):
    say(text=f"Hungry, <@{event['user']}>?", thread_ts=event["ts"])


@app.event("app_home_opened")
def opened(event, client):
    blocks = [{"type": "header", "text": {"type": "plain_text", "text": "Lunch is at noon"}}]
    client.views_publish(user_id=event["user"], view={"type": "home", "blocks": blocks})


if __name__ == "__main__":
    SocketModeHandler(app, os.environ["SLACK_APP_TOKEN"]).start()
