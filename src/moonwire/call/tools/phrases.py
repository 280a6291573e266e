"""Finds words for a caller who waits: written by the model in the conversation's language, or from a small stock."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Final

import structlog

from moonwire.call.requests import Asking
from moonwire.core.dialog.messages import AssistantMessage, UserMessage
from moonwire.errors import VendorError

log = structlog.get_logger()

LIMIT_S: Final = 2.5
MOST_LETTERS: Final = 160
BRIEF_S: Final = 6.0
MOST_TRANSCRIPT: Final = 8000
"""Letters of the conversation's end that a brief is written from."""
PLAIN_BRIEF: Final = "A caller is waiting for you. I connect you now."

_STOCK: Final[dict[str, tuple[str, str]]] = {
    "en": ("One moment, please.", "This is taking a little longer than usual. Thank you for your patience."),
    "es": ("Un momento, por favor.", "Esto está tardando un poco más de lo normal. Gracias por su paciencia."),
    "fr": ("Un instant, s'il vous plaît.", "Cela prend un peu plus de temps que prévu. Merci de votre patience."),
    "de": ("Einen Moment, bitte.", "Das dauert etwas länger als sonst. Danke für Ihre Geduld."),
    "it": ("Un momento, per favore.", "Ci vuole un po' più del solito. Grazie per la pazienza."),
    "pt": ("Um momento, por favor.", "Está a demorar um pouco mais do que o normal. Obrigado pela paciência."),
    "nl": ("Een ogenblik, alstublieft.", "Dit duurt iets langer dan normaal. Dank u voor uw geduld."),
    "ja": ("少々お待ちください。", "いつもより少し時間がかかっております。もう少々お待ちください。"),
    "zh": ("请稍等。", "这比平时稍微久一点，感谢您的耐心等待。"),
    "hi": ("एक क्षण रुकिए।", "इसमें थोड़ा अधिक समय लग रहा है। धैर्य रखने के लिए धन्यवाद।"),
}

_SHORT: Final = "Write one very short phrase, at most six words, that says you are looking into it."
_LONG: Final = "Write one sentence that explains that this takes a little longer and thanks the caller for waiting."
_TASK: Final = (
    "You speak on the telephone and are waiting for a result. {what} Use the caller's language. {style}"
    "Write only the words to be spoken. Do not answer the caller's question and promise nothing."
)


def stock_phrase(language: str | None, *, longer: bool) -> str:
    """Return a phrase in a language, English where there is none."""
    pair = _STOCK.get((language or "en").partition("-")[0].lower(), _STOCK["en"])
    return pair[1] if longer else pair[0]


_BRIEF: Final = (
    "You hand a telephone caller over to a colleague. Write two or three short spoken sentences for the colleague, in "
    "the language of the conversation: who calls, what they need, what has been done. {guidance}"
)


async def brief(asking: Asking, guidance: str) -> str:
    """Write what a person is told who takes the call over; a plain sentence when the model fails."""
    said = [
        f"{'Caller' if isinstance(one, UserMessage) else 'Agent'}: {one.text}"
        for one in asking.history.messages()
        if isinstance(one, UserMessage | AssistantMessage) and one.text
    ]
    task, transcript = _BRIEF.format(guidance=guidance), "\n".join(said)[-MOST_TRANSCRIPT:]
    try:
        return await asking.aside(task, UserMessage(transcript), limit_s=BRIEF_S, max_tokens=200) or PLAIN_BRIEF
    except (TimeoutError, VendorError) as error:
        log.info("plain brief", reason=_reason(error))
        return PLAIN_BRIEF


def _reason(error: TimeoutError | VendorError) -> str:
    return error.code if isinstance(error, VendorError) else "timeout"


class Phrases:
    """Writes one agent's phrases."""

    def __init__(self, asking: Asking, *, style: str | None, stock: Callable[[bool], Awaitable[str]]) -> None:
        self._asking = asking
        self._style = f"Style: {style}. " if style else ""
        self._stock = stock

    async def write(self, longer: bool) -> str:
        """Ask the model; a phrase from stock when it is slow, fails or talks too much."""
        try:
            text = await self._ask(longer)
        except (TimeoutError, VendorError) as error:
            log.info("filler phrase from stock", reason=_reason(error))
            text = ""
        return text if 0 < len(text) <= MOST_LETTERS else await self._stock(longer)

    async def _ask(self, longer: bool) -> str:
        task = _TASK.format(what=_LONG if longer else _SHORT, style=self._style)
        messages = self._asking.history.messages()
        said = next((one.text for one in reversed(messages) if isinstance(one, UserMessage)), "")
        return await self._asking.aside(task, UserMessage(f"The caller said: {said}"), limit_s=LIMIT_S, max_tokens=60)
