"""Finds words for a caller who waits: written by the model in the conversation's language, or from a small stock."""

from __future__ import annotations

import asyncio
from contextlib import aclosing
from typing import Final

import structlog

from moonwire.core.dialog.history import History
from moonwire.core.dialog.messages import AssistantMessage, SystemMessage, UserMessage
from moonwire.core.dialog.spoken import SpokenText
from moonwire.errors import VendorError
from moonwire.ports.llm import ChatRequest, LanguageModel

log = structlog.get_logger()

LIMIT_S: Final = 2.5
MOST_LETTERS: Final = 160
BRIEF_S: Final = 6.0
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


async def brief(model: LanguageModel, model_id: str, history: History, guidance: str) -> str:
    """Write what a person is told who takes the call over; a plain sentence when the model fails."""
    said = [
        f"{'Caller' if isinstance(one, UserMessage) else 'Agent'}: {one.text}"
        for one in history.messages()
        if isinstance(one, UserMessage | AssistantMessage) and one.text
    ]
    request = ChatRequest(
        model=model_id,
        messages=(SystemMessage(_BRIEF.format(guidance=guidance)), UserMessage("\n".join(said))),
        max_tokens=200,
    )
    try:
        async with asyncio.timeout(BRIEF_S):
            return await _spoken(model, request) or PLAIN_BRIEF
    except (TimeoutError, VendorError) as error:
        log.info("plain brief", reason=type(error).__name__)
        return PLAIN_BRIEF


async def _spoken(model: LanguageModel, request: ChatRequest) -> str:
    spoken, text = SpokenText(), ""
    async with aclosing(model.stream(request)) as answer:
        async for item in answer:
            if isinstance(item, str):
                text += spoken.push(item)
    return (text + spoken.flush()).strip()


class Phrases:
    """Writes one agent's phrases."""

    def __init__(
        self, model: LanguageModel, model_id: str, history: History, *, style: str | None, language: str | None
    ) -> None:
        self._model = model
        self._model_id = model_id
        self._history = history
        self._style = f"Style: {style}. " if style else ""
        self._language = language

    async def write(self, longer: bool) -> str:
        """Ask the model; a phrase from stock when it is slow, fails or talks too much."""
        try:
            async with asyncio.timeout(LIMIT_S):
                text = await self._ask(longer)
        except (TimeoutError, VendorError) as error:
            log.info("filler phrase from stock", reason=type(error).__name__)
            text = ""
        return text if 0 < len(text) <= MOST_LETTERS else stock_phrase(self._language, longer=longer)

    async def _ask(self, longer: bool) -> str:
        task = _TASK.format(what=_LONG if longer else _SHORT, style=self._style)
        said = next((one.text for one in reversed(self._history.messages()) if isinstance(one, UserMessage)), "")
        request = ChatRequest(
            model=self._model_id, messages=(SystemMessage(task), UserMessage(f"The caller said: {said}")), max_tokens=60
        )
        return await _spoken(self._model, request)
