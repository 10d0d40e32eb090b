"""Date words of German, French and Spanish, put into the English that the grammar of `models.dates` reads.

Only words are translated; what they mean ("next week" is its Monday) stays one policy for everybody. dateparser knows
far more languages and is asked about those, but not about these three first: it takes "freitag 15 uhr" for the 15th of
the month, drops the time from "in 3 tagen um 9 uhr", and reads neither "nächsten freitag" nor "el viernes".

Tables are written without accents, and so is the text they are compared with, as many people type without them.
"""

import re
import unicodedata
from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from typing import Final


@dataclass(frozen=True)
class _Language:
    """`phrases` are regular expressions replaced first, in order, then single words (English: its spellings; "" drops).

    Days (from Monday), months (from January) and numbers (from one) stand in order, "/" parting spellings.
    """

    days: str
    months: str
    numbers: str
    phrases: tuple[tuple[str, str], ...]
    words: Mapping[str, str]


_ENGLISH_DAYS: Final = "monday tuesday wednesday thursday friday saturday sunday"
_ENGLISH_MONTHS: Final = "january february march april may june july august september october november december"
_ENGLISH_NUMBERS: Final = "a two three four five six seven eight nine ten"

_GERMAN_DAY: Final = "heute|morgen|ubermorgen|montag|dienstag|mittwoch|donnerstag|freitag|samstag|sonnabend|sonntag"
_GERMAN: Final = _Language(
    days="montag/mo dienstag/di mittwoch/mi donnerstag/do freitag/fr samstag/sonnabend/sa sonntag/so",
    months=(
        "januar/janner/jan februar/feb marz/mar/mrz april/apr mai juni/jun juli/jul august/aug september/sep/sept"
        " oktober/okt november/nov dezember/dez"
    ),
    numbers="ein/eine/einem/einer/einen zwei drei vier funf sechs sieben acht neun zehn",
    phrases=(
        (r"ae(?=chst)", "a"),
        (r"\buebermorgen\b", "ubermorgen"),
        (r"^vor (?=.* ?(?:minute|stunde|tag|woche|monat|jahr)[ens]*$)(.+)$", r"\1 ago"),
        (r"^(?:fallig )?(?:bis|spatestens|vor)(?: spatestens)? ", ""),
        (r"^(?:am|zum|den|der) (\d{1,2})\.?$", r"the \1th"),
        (r"(?:um )?(\d{1,2})[:.](\d{2}) ?uhr\b", r"\1:\2"),
        (r"(?:um )?(\d{1,2}) ?uhr (\d{2})\b", r"\1:\2"),
        (r"(?:um )?(\d{1,2}) ?uhr\b", r"\1:00"),
        (r"\bum (?=\d)", "at "),
        (rf"\b({_GERMAN_DAY}) ?(?:vormittag|morgen|fruh)s?\b", r"\1 morning"),
        (rf"\b({_GERMAN_DAY}) ?(nachmittag|abend|mittag|nacht)s?\b", r"\1 \2"),
        (r"\b(?:kommende|nachste)[nrms]? (?=woche|monat|quartal|jahr)", "next "),
        (r"\bubernachste[nrms]? (woche|monat|quartal|jahr)", r"\1 after next"),
        (r"\bso ?bald wie moglich\b", "asap"),
    ),
    words={
        "": "der die das des dem den am zum zur",
        "today": "heute",
        "tomorrow": "morgen",
        "day after tomorrow": "ubermorgen",
        "yesterday": "gestern",
        "next": "nachste nachsten nachster nachstem nachstes",
        "coming": "kommende kommenden kommender kommendem kommendes",
        "this": "diese diesen dieser diesem dieses",
        "last": "letzte letzten letzter letztem letztes",
        "minutes": "minute minuten",
        "hours": "stunde stunden",
        "days": "tag tage tagen",
        "bd": "werktag werktage werktagen arbeitstag arbeitstage arbeitstagen",
        "week": "woche wochen kalenderwoche",
        "month": "monat monate monaten monats",
        "quarter": "quartal quartale quartalen quartals",
        "year": "jahr jahre jahren jahres",
        "and": "und",
        "end of": "ende",
        "start of": "anfang beginn",
        "end of month": "monatsende",
        "end of quarter": "quartalsende",
        "end of year": "jahresende",
        "weekend": "wochenende",
        "morning": "vormittag",
        "noon": "mittag mittags",
        "afternoon": "nachmittag",
        "evening": "abend",
        "night": "nacht",
        "midnight": "mitternacht",
        "eod": "feierabend",
        "asap": "sofort bald baldmoglichst schnellstmoglich demnachst spater",
    },
)

_FRENCH: Final = _Language(
    days="lundi/lun mardi/mar mercredi/mer jeudi/jeu vendredi/ven samedi/sam dimanche/dim",
    months=(
        "janvier/janv fevrier/fevr mars avril/avr mai juin juillet/juil aout septembre/sept octobre/oct novembre/nov"
        " decembre/dec"
    ),
    numbers="un/une deux trois quatre cinq six sept huit neuf dix",
    phrases=(
        (r"\bd'ici (?:a )?(?=\d|une? |deux |trois |quatre |cinq |six |sept |huit |neuf |dix )", "in "),
        (r"^(?:avant|pour|d'ici|jusqu'a|jusqu'au|au plus tard) (?:(?:au|a) )?", ""),
        (r"\b1er\b", "1st"),
        (r"^le (\d{1,2})$", r"the \1th"),
        (r"\b[dl]'", ""),
        (r"\ba (\d{1,2}) ?(?:heures?|h) ?(\d{2})\b", r"\1:\2"),
        (r"\ba (\d{1,2}) ?(?:heures?|h)\b", r"\1:00"),
        (r"\ba (?=\d)", "at "),
        (r"\bapres[- ]demain\b", "day after tomorrow"),
        (r"\bcet apres[- ]midi\b", "this afternoon"),
        (r"\bapres[- ]midi\b", "afternoon"),
        (r"\bce soir\b", "tonight"),
        (r"\bjours? ouvr(?:e|able)s?\b", "bd"),
        (r"\b(\w+) prochaine?\b", r"next \1"),
        (r"\b(\w+) derniere?\b", r"last \1"),
        (r"\bfin de journee\b", "eod"),
        (r"\b(?:des que possible|au plus vite|tout de suite|le plus tot possible)\b", "asap"),
    ),
    words={
        "": "le la les l du de des d au a",
        "today": "aujourd'hui",
        "tomorrow": "demain",
        "yesterday": "hier",
        "in": "dans",
        "and": "et",
        "next": "prochain prochaine",
        "this": "ce cet cette",
        "hours": "heure heures",
        "days": "jour jours",
        "week": "semaine semaines",
        "month": "mois",
        "quarter": "trimestre trimestres",
        "year": "an ans annee annees",
        "end of": "fin",
        "start of": "debut",
        "morning": "matin",
        "noon": "midi",
        "evening": "soir",
        "midnight": "minuit",
        "asap": "bientot vite",
    },
)

_SPANISH: Final = _Language(
    days="lunes/lun martes/mar miercoles/mie jueves/jue viernes/vie sabado/sab domingo/dom",
    months=(
        "enero/ene febrero/feb marzo/mar abril/abr mayo/may junio/jun julio/jul agosto/ago septiembre/setiembre/sep"
        " octubre/oct noviembre/nov diciembre/dic"
    ),
    numbers="un/una dos tres cuatro cinco seis siete ocho nueve diez",
    phrases=(
        (r"^(?:antes de|antes del|para|hasta) ", ""),
        (r"^(?:el|el dia) (\d{1,2})$", r"the \1th"),
        (r"\ba las? (?=\d)", "at "),
        (r"\bpasado manana\b", "day after tomorrow"),
        (r"\b(?:por|de|en) la manana\b", "morning"),
        (r"\b(?:por|de|en) la (?:tarde|noche)\b", "evening"),
        (r"\besta tarde\b", "this afternoon"),
        (r"\besta noche\b", "tonight"),
        (r"\bdias? (?:habil(?:es)?|laborables?)\b", "bd"),
        (r"\b(\w+) (?:proxim[oa]|que viene)\b", r"next \1"),
        (r"\b(\w+) pasad[oa]\b", r"last \1"),
        (r"\bfin de semana\b", "weekend"),
        (r"\b(?:cuanto antes|lo antes posible)\b", "asap"),
        (r"\bdentro de\b", "in"),
    ),
    words={
        "": "el la los las de del al",
        "today": "hoy",
        "tomorrow": "manana",
        "yesterday": "ayer",
        "in": "en",
        "and": "y",
        "next": "proximo proxima",
        "this": "este esta",
        "minutes": "minuto minutos",
        "hours": "hora horas",
        "days": "dia dias",
        "week": "semana semanas",
        "month": "mes meses",
        "quarter": "trimestre trimestres",
        "year": "ano anos",
        "end of": "fin final finales",
        "start of": "principio principios comienzo comienzos inicio",
        "noon": "mediodia",
        "afternoon": "tarde",
        "night": "noche",
        "midnight": "medianoche",
        "asap": "pronto ya luego",
    },
)

_LANGUAGES: Final = {"de": _GERMAN, "fr": _FRENCH, "es": _SPANISH}


@dataclass(frozen=True)
class _Compiled:
    phrases: tuple[tuple[re.Pattern[str], str], ...]
    words: Mapping[str, str]


def in_english(text: str, language: str) -> str | None:
    """`text` (lower case, spaces single) with the date words of `language` ("de") in English; None for other languages.

    Words that are no date words stay as they are, so that the grammar cannot read the result by accident.
    """
    if language not in _LANGUAGES:
        return None
    compiled = _compiled(language)
    text = _without_accents(text)
    for pattern, replacement in compiled.phrases:
        text = pattern.sub(replacement, text)
    text = re.sub(r"[^\W\d_]+(?:'hui)?", lambda word: compiled.words.get(word[0], word[0]), text)
    return " ".join(text.replace("' ", " ").split())


def _without_accents(text: str) -> str:
    return "".join(mark for mark in unicodedata.normalize("NFD", text) if not unicodedata.combining(mark))


@lru_cache
def _compiled(language: str) -> _Compiled:
    table = _LANGUAGES[language]
    pairs = [
        *zip(_ENGLISH_DAYS.split(" "), table.days.split(" "), strict=True),
        *zip(_ENGLISH_MONTHS.split(" "), table.months.split(" "), strict=True),
        *zip(_ENGLISH_NUMBERS.split(" "), table.numbers.split(" "), strict=True),
        *((english, spellings.replace(" ", "/")) for english, spellings in table.words.items()),
    ]
    words = {spelling: english for english, spellings in pairs for spelling in spellings.split("/")}
    return _Compiled(tuple((re.compile(pattern), replacement) for pattern, replacement in table.phrases), words)
