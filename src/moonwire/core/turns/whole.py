"""Decides whether words are a whole utterance by themselves: a question, or nothing but "yes" or "no, thank you".

Acoustic models are weak where there is little to hear. The lists are data, language by language; what often opens a
longer sentence ("hello", "so", "sorry") or only fills a pause ("um") is in none of them.
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import lru_cache
from typing import Final

from moonwire.core.turns.questions import is_question
from moonwire.core.turns.words import Tokens, language_of, longest_match, phrases, tokens

WHOLE: Final[Mapping[str, frozenset[Tokens]]] = {
    "en": phrases(
        "yes, yeah, yep, yup, yes please, no, nope, no thanks, no thank you, thanks, thank you, "
        "thank you very much, thanks a lot, ok, okay, sure, right, correct, exactly, of course, all right, "
        "alright, great, perfect, fine, that's right, that is right, that's correct, that is correct, that's all, "
        "that is all, that's it, that's fine, bye, goodbye, bye bye, good bye, see you, wait, stop, wait please, "
        "stop please, hold on, never mind, nothing else, i don't know, i do"
    ),
    "es": phrases(
        "sí, si, no, sí por favor, no gracias, por favor, gracias, muchas gracias, vale, claro, de acuerdo, "
        "correcto, exacto, perfecto, eso es todo, nada más, adiós, hasta luego, espere, espera, un momento, "
        "está bien"
    ),
    "fr": phrases(
        "oui, ouais, non, oui s'il vous plaît, non merci, merci, merci beaucoup, s'il vous plaît, d'accord, "
        "bien sûr, exactement, parfait, c'est ça, c'est tout, c'est bon, au revoir, attendez, stop, un instant"
    ),
    "de": phrases(
        "ja, ja bitte, nein, nee, nein danke, bitte, danke, vielen dank, danke schön, okay, genau, richtig, "
        "stimmt, klar, alles klar, gut, in ordnung, das ist alles, das war's, das stimmt, tschüss, "
        "auf wiederhören, auf wiedersehen, halt, stopp, moment, moment bitte, warten sie"
    ),
    "it": phrases(
        "sì, si, no, sì grazie, no grazie, grazie, grazie mille, per favore, va bene, certo, esatto, giusto, "
        "perfetto, è tutto, basta così, arrivederci, ciao, aspetti, un momento"
    ),
    "pt": phrases(
        "sim, não, sim por favor, não obrigado, não obrigada, obrigado, obrigada, muito obrigado, por favor, "
        "claro, certo, isso, isso mesmo, exato, perfeito, é isso, é só isso, só isso, tchau, adeus, até logo, "
        "espere, um momento, está bem, tá bom"
    ),
    "nl": phrases(
        "ja, ja graag, nee, nee dank u, nee bedankt, bedankt, dank u, dank u wel, dank je wel, alstublieft, oké, "
        "prima, precies, klopt, dat klopt, dat is alles, goed, tot ziens, wacht, stop, een moment"
    ),
    "ru": phrases(
        "да, нет, да пожалуйста, нет спасибо, спасибо, большое спасибо, пожалуйста, хорошо, ладно, конечно, верно, "
        "правильно, точно, это всё, это все, всё, до свидания, пока, подождите, стоп, минуту"
    ),
    "pl": phrases(
        "tak, nie, tak proszę, nie dziękuję, dziękuję, dziękuję bardzo, proszę, dobrze, jasne, oczywiście, "
        "zgadza się, dokładnie, to wszystko, do widzenia, chwileczkę, proszę czekać, stop"
    ),
    "tr": phrases(
        "evet, hayır, evet lütfen, hayır teşekkürler, teşekkürler, teşekkür ederim, lütfen, tamam, tabii, doğru, "
        "aynen, bu kadar, hepsi bu, güle güle, hoşça kal, bekleyin, bir dakika, dur"
    ),
    "ar": phrases(
        "نعم, لا, لا شكرا, لا شكرًا, شكرا, شكرًا, شكرا جزيلا, من فضلك, حسنا, حسنًا, تمام, صحيح, بالضبط, طبعا, "
        "طبعًا, هذا كل شيء, مع السلامة, انتظر, توقف, لحظة"
    ),
    "hi": phrases(
        "हाँ, हां, जी, जी हाँ, जी हां, नहीं, जी नहीं, नहीं धन्यवाद, धन्यवाद, शुक्रिया, ठीक है, सही, बिल्कुल, बस, "
        "बस इतना ही, अलविदा, रुकिए, एक मिनट"
    ),
    "ja": phrases(
        "はい, いいえ, いえ, はいお願いします, お願いします, いいえ結構です, 結構です, ありがとう, "
        "ありがとうございます, ありがとうございました, わかりました, 分かりました, 了解です, そうです, "
        "その通りです, 以上です, 大丈夫です, 失礼します, さようなら, 待ってください, ちょっと待ってください"
    ),
    "zh": phrases(
        "是, 是的, 对, 对的, 不是, 不, 不用, 不用了, 不用谢谢, 不要, 没有, 没有了, 谢谢, 谢谢你, 谢谢您, 多谢, 好, "
        "好的, 好吧, 可以, 行, 没问题, 没错, 就这样, 就这些, 知道了, 明白了, 再见, 拜拜, 等一下, 等等, 停"
    ),
    "ko": phrases(
        "네, 예, 아니요, 아니오, 네 부탁합니다, 아니요 괜찮습니다, 괜찮습니다, 괜찮아요, 감사합니다, 고맙습니다, "
        "알겠습니다, 맞아요, 맞습니다, 그게 다예요, 안녕히 계세요, 잠깐만요, 잠시만요"
    ),
}
"""By language: phrases that may stand alone, and in a row. Questions are whole in every language."""

_LONGEST: Final = 12
"""Words in the longest phrase; characters in Chinese and Japanese."""


@lru_cache(maxsize=64)
def _list(language: str) -> frozenset[Tokens]:
    return WHOLE.get(language_of(language), frozenset())


def is_whole(text: str, language: str) -> bool:
    """Tell whether nobody need wait long for more: a question's mark, or only phrases of the list."""
    if is_question(text):
        return True
    words, known, position = tokens(text), (_list(language),), 0
    while position < len(words):
        matched = longest_match(words, position, known, _LONGEST)
        if not matched:
            return False
        position += matched
    return bool(words)
