"""Decides which words spoken over the agent only say "I am listening", language by language.

The lists are data: a phrase is added by writing it down. They are short on purpose. A word that often asks for
something ("no", "wait", "stop", "what") is never in them; "yes" is, because over a speaking agent it agrees, and where
it answers a question the machine is told so (`asked`).
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import lru_cache
from typing import Final

from moonwire.core.turns.words import Tokens, language_of, longest_match, phrases, tokens

EVERYWHERE: Final = phrases(
    "mm, mmm, mhm, mmhm, mm hm, mm-hmm, hm, hmm, uh-huh, uhuh, uh huh, aha, ah, oh, uh, um, ok, okay, ahem, ha, haha"
)
"""Sounds and words that recognisers write down in any language."""

BACKCHANNELS: Final[Mapping[str, frozenset[Tokens]]] = {
    "en": phrases(
        "yeah, yep, yup, yes, right, alright, all right, sure, i see, got it, gotcha, i know, cool, great, good, "
        "nice, fine, wow, really, oh really, exactly, true, of course, makes sense, makes sense to me, "
        "understood, very good, perfect, absolutely, definitely, er, erm, that's right, that's true, okay then, "
        "right on, ah yes, oh yeah"
    ),
    "es": phrases(
        "sí, si, ajá, vale, claro, claro que sí, ya, ya veo, bueno, bien, muy bien, entiendo, entendido, "
        "de acuerdo, perfecto, exacto, exactamente, cierto, eh, ah sí, está bien, genial, por supuesto"
    ),
    "fr": phrases(
        "oui, ouais, mouais, d'accord, d'acc, bien, très bien, bien sûr, je vois, je comprends, compris, "
        "entendu, voilà, exactement, parfait, c'est ça, ah bon, ah oui, euh, hein, ça marche, super"
    ),
    "de": phrases(
        "ja, jaja, ja ja, jo, genau, richtig, gut, sehr gut, alles klar, klar, na klar, verstehe, ich verstehe, "
        "verstanden, stimmt, ach so, achso, ach ja, aha, in ordnung, äh, ähm, hm ja, schön, super, prima, eben"
    ),
    "it": phrases(
        "sì, si, già, certo, va bene, bene, d'accordo, ho capito, capito, capisco, esatto, giusto, perfetto, "
        "ecco, eh sì, ah sì, ottimo, certamente"
    ),
    "pt": phrases(
        "sim, tá, tá bom, está bem, certo, claro, entendi, entendo, percebo, pois, pois é, isso, isso mesmo, "
        "exato, exatamente, beleza, bom, muito bem, é, né, tudo bem, perfeito, ótimo"
    ),
    "nl": phrases(
        "ja, jaja, ja ja, jawel, goed, heel goed, oké, prima, precies, klopt, inderdaad, begrijp ik, "
        "ik begrijp het, snap ik, duidelijk, juist, natuurlijk, eh, tuurlijk, zeker, mooi"
    ),
    "ru": phrases(
        "да, да да, ага, угу, так, хорошо, понятно, понял, поняла, ясно, конечно, ладно, точно, верно, м, мм, "
        "ммм, эм, э, ну да, отлично, правильно, окей"
    ),
    "pl": phrases(
        "tak, no, no tak, dobrze, dobra, jasne, rozumiem, aha, mhm, pewnie, zgadza się, racja, okej, świetnie"
    ),
    "tr": phrases("evet, hı hı, hıhı, tamam, tabii, tabi, anladım, peki, doğru, aynen, güzel, olur, ha"),
    "ar": phrases(
        "نعم, أيوه, ايوه, أجل, طيب, حسنا, حسنًا, تمام, صحيح, أكيد, اكيد, مفهوم, فهمت, ماشي, أها, اها, آه, بالضبط, "
        "ممتاز, جيد, بالطبع, طبعا, طبعًا, أوكي, اوكي"
    ),
    "hi": phrases(
        "हाँ, हां, जी, जी हाँ, जी हां, अच्छा, ठीक, ठीक है, सही, समझा, समझ गया, समझ गई, हम्म, हूँ, haan, ji, accha, theek hai"
    ),
    "ja": phrases(
        "はい, ええ, うん, うんうん, そう, そうです, そうですね, そうですか, なるほど, へえ, ああ, はいはい, "
        "わかりました, 分かりました, 了解, 了解です, ふーん, ほう, オッケー, ですね"
    ),
    "zh": phrases(
        "嗯, 嗯嗯, 恩, 哦, 喔, 噢, 啊, 对, 对对, 对对对, 对啊, 是, 是的, 是啊, 好, 好的, 好好, 行, 可以, 明白, "
        "明白了, 知道, 知道了, 了解, 没错, 當然, 当然, 對, 對對, 好吧, 这样啊, 是吗, 原来如此"
    ),
    "ko": phrases(
        "네, 네네, 예, 응, 음, 그래, 그래요, 그렇군요, 그렇죠, 맞아요, 알겠습니다, 알았어요, 아, 아하, 좋아요, 오케이"
    ),
}
"""By language; a language that is missing is read with the English list."""

_LONGEST: Final = 5
"""Words in the longest phrase of all lists; characters in Chinese, Japanese and Korean, where 7 are enough."""
_LONGEST_CHARACTERS: Final = 7


@lru_cache(maxsize=64)
def _lists(language: str) -> tuple[frozenset[Tokens], ...]:
    return (EVERYWHERE, BACKCHANNELS.get(language_of(language), BACKCHANNELS["en"]))


def content_words(text: str, language: str) -> int:
    """Count the words that are more than a back-channel; 0 for "mm-hm, okay" and for no words at all."""
    words, known = tokens(text), _lists(language)
    count = position = 0
    while position < len(words):
        matched = longest_match(words, position, known, max(_LONGEST, _LONGEST_CHARACTERS))
        count += 0 if matched else 1
        position += matched or 1
    return count
