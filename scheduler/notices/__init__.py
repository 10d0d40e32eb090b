"""The kinds of delivery, one file each. A new kind is a file and a line in `DELIVERY_KINDS`."""

from scheduler.deliveries import DeliveryKind
from scheduler.notices.answer import ANSWER
from scheduler.notices.assigned import ASSIGNED
from scheduler.notices.assigned_again import ASSIGNED_AGAIN
from scheduler.notices.assigned_batch import ASSIGNED_BATCH
from scheduler.notices.away import AWAY_KINDS
from scheduler.notices.begun import BEGUN
from scheduler.notices.card import CARD
from scheduler.notices.card_left import CARD_LEFT
from scheduler.notices.channel_reminder import CHANNEL_REMINDER_KINDS
from scheduler.notices.digest import DIGEST, DIGEST_AGAIN
from scheduler.notices.draft import DRAFT
from scheduler.notices.due_soon import DUE_SOON
from scheduler.notices.erased import ERASED_KINDS
from scheduler.notices.escalation import ASK, ESCALATION, ESCALATION_AGAIN
from scheduler.notices.hello import HELLO
from scheduler.notices.how_to import HOW_TO
from scheduler.notices.left_behind import LEFT_BEHIND
from scheduler.notices.nobodys import NOBODYS
from scheduler.notices.so_far import SO_FAR
from scheduler.notices.standup import STANDUP_KINDS
from scheduler.notices.summary import SUMMARY_KINDS
from scheduler.notices.trouble import TROUBLE
from scheduler.notices.watched import WATCHED
from scheduler.notices.word import WORD

DELIVERY_KINDS: tuple[DeliveryKind, ...] = (
    CARD,
    CARD_LEFT,
    ASSIGNED,
    ASSIGNED_AGAIN,
    ASSIGNED_BATCH,
    HELLO,
    BEGUN,
    SO_FAR,
    HOW_TO,
    TROUBLE,
    WORD,
    DIGEST,
    DIGEST_AGAIN,
    NOBODYS,
    LEFT_BEHIND,
    *ERASED_KINDS,
    ANSWER,
    DRAFT,
    WATCHED,
    ESCALATION,
    ESCALATION_AGAIN,
    ASK,
    *STANDUP_KINDS,
    *SUMMARY_KINDS,
    *AWAY_KINDS,
    DUE_SOON,
    *CHANNEL_REMINDER_KINDS,
)
