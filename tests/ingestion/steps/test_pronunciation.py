import pytest
from hypothesis import given
from hypothesis import strategies as st

from ingestion.pipeline.steps.chain import PHONES
from ingestion.pipeline.steps.orthographies import TABLES
from ingestion.pipeline.steps.pronunciation import orthography, phones_of
from ingestion.pipeline.steps.spelling import readings


@pytest.mark.parametrize(
    ("language", "word", "phones"),
    [
        ("sw", "ng'ombe", "NG AO M B EH"),
        ("sw", "kupigia", "K UW P IY G IY AA"),
        ("es", "guitarra", "G IY T AA R AA"),
        ("es", "mañana", "M AA N Y AA N AA"),
        ("de", "Straße", "SH T R AA S AH"),
        ("fr", "beaucoup", "B OW K UW"),
        ("lg", "Kyambogo", "CH AA M B AO G AO"),
        ("am", "ሰላም", "S AA L AA M EH"),
        ("hi", "नमस्ते", "N AA M AA S T EH"),
        ("ru", "привет", "P R IY V Y EH T"),
        ("sw", "привет", "P R IY V Y EH T"),
        ("vi", "Việt", "V IY EH T"),
        ("zh", "你好", ""),
    ],
)
def test_words_are_said_by_their_letters(language, word, phones):
    assert " ".join(phones_of(word, language=language)) == phones


@pytest.mark.parametrize("language", sorted(TABLES))
def test_every_table_speaks_in_the_models_phones(language):
    table = orthography(language)
    assert {phone for phones in table.phones for phone in phones} <= set(PHONES)


@given(st.text(max_size=40), st.sampled_from(sorted(TABLES)))
def test_any_word_is_said_or_not_but_never_fails(word, language):
    assert set(phones_of(word, language=language)) <= set(PHONES)
    for reading in readings(word, language=language):
        assert reading


@pytest.mark.parametrize(
    ("language", "token", "said"),
    [
        ("en", "98.5", "ninety eight point five"),
        ("en", "1984", "nineteen eighty four"),
        ("en", "0772", "oh seven seven two"),
        ("en", "1,200", "one thousand two hundred"),
        ("en", "21st", "twenty first"),
        ("en", "BBC", "bee bee see"),
        ("en", "bob@gmail.com", "bob at gmail dot com"),
        ("sw", "1984", "elfu moja mia tisa themanini na nne"),
        ("sw", "0772", "sifuri saba saba mbili"),
        ("es", "21", "veintiuno"),
        ("de", "125", "einhundertfünfundzwanzig"),
        ("fr", "80%", "quatre vingts pour cent"),
        ("lg", "07", "zero seven"),
    ],
)
def test_figures_and_signs_have_the_reading_that_people_use(language, token, said):
    assert said.split() in readings(token, language=language)
