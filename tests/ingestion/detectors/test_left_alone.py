"""Numbers and places that are nobody's: counting, games, years, prices, scores, dates."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ingestion.pipeline.detectors import registry
from ingestion.pipeline.detectors.lexicon import LANGUAGES

ENGLISH = """
Ten, nine, eight, seven, six, five, four, three, two, one, and the boat slides in.
We counted one, two, three, four, five, six, seven, eight baskets.
Five, ten, fifteen, twenty, twenty-five, thirty, thirty-five, forty, here I come!
Tonight's lottery numbers are four, eleven, nineteen, twenty-seven, thirty-three and forty-one.
The winning numbers: 3, 17, 22, 28, 36 and 41, bonus ball 9.
The well was dug in nineteen eighty-four and again in two thousand and six.
He was mayor from nineteen sixty-one to nineteen seventy-two, then nineteen eighty to eighty-eight.
From 1996 to 2004 the price went from 1,250 to 18,900 shillings.
It costs two thousand three hundred and fifty shillings a bag.
Rice is at one hundred and twenty, beans two hundred and forty, tea sixty-five.
They won three one, then two nil, then four two, one one and five three.
The score was 21-19, 18-21, 21-17.
The meeting on 14/03/2026 moved to 2026-04-02.
On the third of May twenty twenty-five we planted four hundred and twenty trees.
Buses leave at six fifteen, seven thirty, eight forty-five and ten.
You can find us at the market on Tuesday.
Look at the boat dot by dot.
Version 10.4.2.1 fixed the pump.
Take exit 12 and drive 40 miles along the main road.
We walked three miles along a dusty road.
One two three, one two three, dance with me, one two three.
Testing, testing, one two, one two, one two three four.
Add 250 grams of flour, 120 millilitres of milk and 3 eggs.
The population was 1,204,118 in the last census.
Psalm one hundred and nineteen, verses one to eight, ten and twelve.
Shop at books dot com or any other store.
The temperature was minus twelve point five at noon.
Multiply seven by eight and you get fifty-six, times two is one hundred and twelve.
He ran it in 12:45.33, she in 13:02.10.
There were two men on one road and five on another.
She works at the point, come and see.
Pi starts three point one four and I forget the rest.
Two for one on Mondays, three for two on Fridays.
"""
SWAHILI = """
Kumi, tisa, nane, saba, sita, tano, nne, tatu, mbili, moja, twende!
Tuhesabu: moja, mbili, tatu, nne, tano, sita, saba, nane.
Bahati nasibu ya leo ni nne, kumi na moja, ishirini na tatu, arobaini na mbili.
Mwaka elfu mbili na kumi na sita mvua ilinyesha sana.
Bei ni shilingi elfu kumi na mbili mia tano.
Mchele ni shilingi 2,400 na maharage 3,150 kwa kilo.
Walishinda tatu kwa moja, kisha mbili kwa sifuri.
Tarehe 12/06/2025 tulikutana saa mbili na nusu.
Moja mbili tatu, moja mbili tatu, tucheze.
Tulivuna magunia 120 mwaka 2019 na 245 mwaka 2020.
Nyumba yetu iko mbali na barabara kuu.
Watoto watatu walikwenda sokoni na mbuzi wawili.
"""
SPANISH = """
Diez, nueve, ocho, siete, seis, cinco, cuatro, tres, dos, uno, ¡ya!
Contamos uno, dos, tres, cuatro, cinco, seis, siete y ocho cestas.
La lotería de hoy: cuatro, once, diecinueve, veintisiete, treinta y tres y cuarenta y uno.
En mil novecientos ochenta y cuatro llovió mucho, y en dos mil seis también.
Cuesta doce mil quinientos pesos el saco.
Ganaron tres a uno, dos a cero y cuatro a dos.
El 14/03/2026 o el 2 de abril de 2026.
Entre 1998 y 2004 subió de 1.250 a 18.900 pesos.
La calle estaba llena de gente.
Caminamos por la calle tres horas.
El tren sale a las seis quince, siete treinta y ocho cuarenta y cinco.
Visita la tienda en libros punto com.
Llegaron a un punto de la carretera sin agua.
"""
TABLES = {"en": ENGLISH, "sw": SWAHILI, "es": SPANISH}
CASES = [
    pytest.param(language, line, id=f"{language}-{line}")
    for language, table in TABLES.items()
    for line in table.strip().splitlines()
]


@pytest.mark.parametrize(("language", "text"), CASES)
def test_nothing_is_claimed(language, text):
    hits = registry.find_all(text, language=language)
    assert [(hit.kind, text[hit.start : hit.end]) for hit in hits] == []


@pytest.mark.parametrize(
    ("language", "text"),
    [
        ("en", "Wanjiru Kamau met Peter O'Brien and Dr. Grace Achieng at noon."),
        ("sw", "Bi. Halima Abdallah na Mzee Juma Mwinyi walifika."),
        ("es", "Lucía Fernández y don José María Ortiz no vinieron."),
    ],
)
def test_names_of_people_are_never_claimed(language, text):
    assert registry.find_all(text, language=language) == []
    assert "name" not in registry.kinds_checked(language)
    assert "name" in registry.NEVER_CHECKED


@given(text=st.text(max_size=300), language=st.sampled_from([*sorted(LANGUAGES), "so"]))
def test_any_text_at_all_is_read_without_harm(text, language):
    for hit in registry.find_all(text, language=language):
        assert 0 <= hit.start < hit.end <= len(text)
        assert hit.kind in registry.PRECEDENCE


PIECES = st.sampled_from(
    [
        "one",
        "two",
        "oh",
        "double",
        "seventy",
        "hundred",
        "at",
        "dot",
        "com",
        "a",
        "b",
        "@",
        ".",
        "-",
        ",",
        "+",
        "0",
        "712",
        "448903",
        "arroba",
        "punto",
        "sifuri",
        "saba",
        "nukta",
        "y",
        "cuarenta",
        "calle",
        "plot",
        "P.O.",
        "Box",
        "street",
        "/",
        ":",
        "quatre",
        "vingt",
    ]
)


@given(
    words=st.lists(PIECES, max_size=60),
    language=st.sampled_from(sorted(LANGUAGES)),
)
def test_any_heap_of_telling_words_is_read_without_harm(words, language):
    text = " ".join(words)
    for hit in registry.find_all(text, language=language):
        assert 0 <= hit.start < hit.end <= len(text)


@pytest.mark.parametrize(
    "text",
    ["7 " * 20_000, "one " * 10_000, "a dot " * 10_000, "at " * 10_000, "0" * 50_000,
     "calle " * 8_000, "a." * 20_000, "@" * 20_000, "double " * 10_000, "x-" * 20_000,
     "P.O. Box " * 5_000, "12 Baker " * 5_000],
    ids=lambda text: text[:12],
)  # fmt: skip
@pytest.mark.parametrize("language", ["en", "es"])
def test_a_long_monotonous_text_is_read_in_a_moment(text, language, process_seconds):
    registry.find_all(text, language=language)
    assert process_seconds() < 8
