"""Personal data that people write and say, in sentences that the rules were not made from.

What must be found stands between « and ». A hit may be no shorter, and longer by one letter at most
(the word "a" before a spelled name).
"""

import itertools

import pytest

from ingestion.pipeline.detectors import registry

ENGLISH = """
phone | Just ring me on «+254 733 918 204» after lunch.
phone | My number? «020 7946 0813», ask for the nurse.
phone | Text «(415) 555-0137» and say the bus is late.
phone | You can reach him at «oh seven nine one, double six, three four eight».
phone | So it's «plus two five four, seven two two, um, one four three, nine oh six».
phone | the clinic is «zero eight hundred, four four one, nine two seven»
phone | dial «two one two five five five eighteen twenty two»
phone | my mobile is «oh seven triple three four one nine eight eight two»
phone | his number is «seven for three, one oh to, nine nine six eight»
phone | WhatsApp works too, «0733-918-204», but not on Sundays.
phone | the office line, that's «oh one six oh, four nine six, oh double three one», closes at five
phone | I have a new one, it is «zero seven one four uh three three six, hmm, nine oh two»
phone | ask Ruth, she is on «nine one nine, two eight four, sixty six fourteen»
phone | Ring «seven-oh-two, nine-one-one, three-eight-five-five» if the goats come back.
email | Send the form to «wanjiru.k_85@posta.co.ke» before Friday.
email | it's «grace underscore mwangi at gmail dot com»
email | write to «b o s c o at proton mail dot me»
email | my email is «lena dash fox ninety two at yahoo dot co dot uk»
email | please mail «otieno@hotmail dot com» with the list
email | that goes to «info dot kisumu at fishers dot org», thank you
email | and his is «t o m dot okello at u c t dot ac dot za», all small letters
email | You'll get me on «baraka seven seven at outlook dot com» any time.
address | We moved to «27 Baker Street» last spring.
address | She lives at «forty two Moi Avenue», third floor.
address | Post it to «P.O. Box 4471», Kisumu.
address | Our gate is at «plot number eighteen Lumumba Road».
address | The parcel went to «1186 North Fernwood Lane» by mistake.
address | I grew up at «six Chapel Road», above the bakery.
card | the card is «4539 1488 0343 6467» and it expires soon
card | my visa is «four five three nine one four eight eight oh three four three six four six seven»
id-number | My national ID number is «2 8 4 1 7 7 3 6».
id-number | Passport «A0483217», issued in Nakuru.
id-number | my P I N, well my pin is «four four nine one», don't tell
url | the pictures are on «www.kisumu-fishers.org/otieno»
handle | follow me «@amina_reads»
handle | on instagram it's at «amina underscore reads»
iban | Pay into «GB29 NWBK 6016 1331 9268 19» please.
ip | The gate camera answers at «192.168.14.77» all day.
"""
SWAHILI = """
phone | Nipigie kwa «0712 448 903» jioni.
phone | Namba yangu ni «+255 754 118 620».
phone | namba yangu ni «sifuri saba moja mbili nne nne nane tisa sifuri tatu»
phone | piga «sifuri saba mbili mbili, eee, tano tano moja, nane sita tatu»
phone | simu yake ni «oh seven two four, one one nine, six three oh»
phone | mtafute kwa «sifuri sita tano nne, tatu tatu nane, mbili moja tisa»
phone | andika namba: «jumlisha mbili tano tano, saba nne moja, sita tisa nane, tatu mbili moja»
email | Tuma barua kwa «juma.said@kilimo.or.tz» kesho.
email | barua pepe yangu ni «neema nukta juma at gmail nukta com»
email | andika kwa «halima dot ali at yahoo dot com»
email | anapatikana kwa «r e h e m a at kilimo nukta or nukta tz»
address | Tuma kwa «S.L.P. 2915», Dodoma.
address | Anaishi «mtaa wa Sokoine, nyumba namba 14».
address | «sanduku la posta mia tatu na kumi», Mwanza
address | «nyumba namba kumi na saba», karibu na soko
address | duka liko «barabara ya Nyerere, plot 88, ghorofa ya pili»
id-number | Kitambulisho changu ni namba «2417 7360».
id-number | kitambulisho changu ni «mbili nane moja saba, tatu tatu sifuri tano»
"""
SPANISH = """
phone | Llámame al «+34 612 480 917» por la tarde.
phone | Mi teléfono es el «55 4812 7730».
phone | mi número es «seis uno dos, cuatro ocho cero, nueve uno siete»
phone | apunta el móvil: «seiscientos doce, cuarenta y ocho, cero nueve, diecisiete»
phone | llama al «nueve uno, cinco tres dos, este, cuarenta y uno, ochenta»
phone | el celular de mi hija es «tres uno cero, doble siete cuatro, dos nueve, cero cinco»
phone | te dejo el fijo, «noventa y tres, dos catorce, sesenta y seis, cero ocho»
email | Escribe a «lucia.ferrer@correo.es» si llueve.
email | mi correo es «lucía punto ferrer arroba gmail punto com»
email | puedes escribir a «turnos arroba clinica punto es»
email | mándalo a «jorge guion bajo ruiz arroba hotmail punto com punto mx»
email | me llega todo a «n u r i a arroba yahoo punto es», gracias
address | Vivo en la «calle Mayor, número 14», segundo.
address | la oficina está en «avenida Insurgentes doscientos cuarenta»
address | nos mudamos a la «calle de la Luna número treinta y dos»
address | «Apartado de correos 318», Lugo.
id-number | Mi DNI es «12345678Z».
id-number | mi dni es el «siete cuatro uno, nueve cero dos, seis tres»
"""
TABLES = {"en": ENGLISH, "sw": SWAHILI, "es": SPANISH}
CASES = [
    pytest.param(language, *line.split(" | "), id=f"{language}-{line.split(' | ')[1]}")
    for language, table in TABLES.items()
    for line in table.strip().splitlines()
]


@pytest.mark.parametrize(("language", "kind", "marked"), CASES)
def test_it_is_found_whole_and_hardly_more(language, kind, marked):
    start, end = marked.index("«"), marked.index("»") - 1
    text = marked.replace("«", "").replace("»", "")
    hits = [hit for hit in registry.find_all(text, language=language) if hit.kind == kind]
    assert hits, "nothing found"
    first, last = min(hit.start for hit in hits), max(hit.end for hit in hits)
    assert start - 2 <= first <= start
    assert text[first:last].endswith(text[start:end].rstrip("."))
    assert all(0 < hit.confidence <= 1000 for hit in hits)


@pytest.mark.parametrize(
    ("language", "text"),
    [("so", "La soo xiriir +252 61 555 0198."), ("xx", "kontakt +48 22 555 01 98"),
     ("am", "ኢሜይል tigist@mail.et"), ("ar", "اكتب إلى salma@bareed.org")],
)  # fmt: skip
def test_written_numbers_and_mails_are_found_in_any_language(language, text):
    assert registry.find_all(text, language=language)


def test_the_surest_kind_names_what_two_rules_claim():
    (hit,) = registry.find_all("the visa 4539 1488 0343 6467", language="en")
    assert hit.kind == "card"


def test_hits_are_in_order_and_inside_the_text():
    text = "Mail a.b@c.ke or c.d@e.ke, or call 0712 448 903, or 0733 918 204."
    hits = registry.find_all(text, language="sw")
    assert [hit.kind for hit in hits] == ["email", "email", "phone", "phone"]
    assert all(earlier.end <= later.start for earlier, later in itertools.pairwise(hits))
