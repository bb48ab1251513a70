"""The tokenizer of BLEU follows the target language, and the score is right for each of them."""

import pytest
import sacrebleu

from longspan.training.bleu_tokenizers import AUTO, TOKENIZERS, choose_tokenizer
from longspan.training.scores import corpus_bleu

UI = ["USB 0 (v2.0)", "OK", "Wi-Fi", "プリンターが見つかりません。"]  # half of it in Latin letters


@pytest.mark.parametrize(
    ("references", "language", "tokenizer"),
    [
        (["彼 ら は つい に 認め た 。", "はい"], None, "none"),
        (["彼 ら は つい に 認め た 。", "はい"], "ja", "none"),
        (["膝丸", "一色義清", "銅鐸について"], "ja", "ja-mecab"),
        (["これは犬です。", "Linux カーネルの設定", "はい"], None, "ja-mecab"),
        (["寛信　かんしん は僧である。"] * 3, None, "ja-mecab"),  # a full-width space is text
        (["我们都是学生。", "你好"], None, "zh"),
        (["我们 都 是 学生 。", "你好"], None, "none"),
        ([], None, "13a"),
        ([], "ja", "ja-mecab"),
        (["膝丸", "一色義清"], "ja-JP", "ja-mecab"),
        # The language decides where the script could mean another one, or is rare.
        (UI, "ja", "ja-mecab"),
        (["安娜・李说：你好。"] * 3, "zh", "zh"),
        (["安娜・李说：你好。"] * 3, None, "zh"),
        (["佢哋喺學校。"], "yue", "zh"),
        (["ฉันเห็นแมวในบ้าน", "เธอ เห็น แมว"], "th", "char"),
        (["ຂ້ອຍເຫັນແມວ", "OK"], "lo", "char"),
        (["ខ្ញុំឃើញឆ្មា។"], "km", "char"),
        (["ကျွန်တော် ကြောင်ကို မြင်တယ်။"], "my", "char"),
        (["ངས་ཞི་མི་མཐོང་བྱུང།"], "bo", "char"),
        # Without the language, and with a wrong one.
        (["ฉันเห็นแมวในบ้าน"], None, "char"),
        (["ngs", "ངས་ཞི་མི་མཐོང་བྱུང།", "ངས།"], None, "char"),
        (["Ich sehe eine Katze.", "Ja."], "ja", "13a"),
        (["ฉันเห็นแมวในบ้าน"], "de", "char"),
        (["나는 집에서 고양이를 본다."], "ko", "13a"),
    ],
)
def test_the_tokenizer_follows_the_target_language_and_the_script(references, language, tokenizer):
    assert choose_tokenizer(references, language).name == tokenizer


@pytest.mark.parametrize(
    ("references", "tokenizer"),
    [
        (["he didn 't care for swimming .", "break a leg ."], "none"),
        (["He did not care for swimming.", "Break a leg ."], "13a"),
        (["Hizamaru", "Noted dotaku"], "13a"),
        (["Où est la gare ?", "Quelle chance !", "Il dit : « bonjour »", "Oui ; non"], "13a"),
        (["Où est la gare, Marie ?", "Je ne sais pas.", "Attention !"], "13a"),
        (["Où est la gare\u00a0?", "Quelle chance\u202f!"], "13a"),
        (["où est la gare , marie ?", "je ne sais pas .", "attention !"], "none"),
        (["wait . . .", "mr. smith , please come in .", "no"], "none"),
        (["Wait ...", "Use .NET or 1 ,5 volts, please.", "no"], "13a"),
    ],
)
def test_text_is_tokenised_if_spaces_precede_its_full_stops_and_commas(references, tokenizer):
    for language in (None, "fr", "en"):
        assert choose_tokenizer(references, language).name == tokenizer


@pytest.mark.parametrize("name", TOKENIZERS)
def test_a_tokenizer_that_the_user_names_is_taken(name):
    assert choose_tokenizer(UI, "ja", name).name == name
    assert choose_tokenizer(UI, "ja", name).reason == "named by the user"


@pytest.mark.parametrize(
    ("references", "language", "reason"),
    [
        (UI, "ja", "target language ja"),
        (["Un chat.", "Deux !"], "fr", "target language fr"),
        (["ein Haus."], "ja", "hardly any reference is in the script of ja"),
        (["ein Haus ."], "de", "the references are tokenised already"),
        (["ein Haus."], None, "script of the references"),
    ],
)
def test_the_choice_says_why(references, language, reason):
    assert choose_tokenizer(references, language, AUTO).reason == reason


def test_a_nearly_right_translation_without_spaces_has_a_high_bleu():
    references = [f"เด็กชายคนที่{n}อ่านหนังสือเล่มใหญ่ในห้องสมุดของโรงเรียน" for n in "กขคงจฉชซ"]
    hypotheses = [text.replace("เล่มใหญ่", "เล่มเล็ก") for text in references]
    chosen = choose_tokenizer(references, "th").name
    expected = sacrebleu.corpus_bleu(hypotheses, [references], tokenize="char").score
    assert corpus_bleu(hypotheses, references, "13a") == 0
    assert corpus_bleu(hypotheses, references, chosen) == pytest.approx(expected)
    assert 70 < expected < 95
