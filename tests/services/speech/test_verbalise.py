"""What is written and what is said."""

from __future__ import annotations

import pytest

from services.speech.verbalise import verbalise

KISWAHILI = [
    ("miezi 12", "miezi kumi na miwili"),
    ("482913", "nne nane mbili, tisa moja tatu"),
    ("482 913", "nne nane mbili, tisa moja tatu"),
    ("Nambari: 004821.", "Nambari: sifuri sifuri nne, nane mbili moja."),
    ("0711000001", "sifuri saba moja, moja sifuri sifuri, sifuri sifuri sifuri moja"),
    ("+254711000001", "jumlisha mbili tano nne, saba moja moja, sifuri sifuri sifuri, sifuri sifuri moja"),
    ("50%", "asilimia hamsini"),
    ("99.5 %", "asilimia tisini na tisa nukta tano"),
    ("2026-11-23", "tarehe ishirini na tatu Novemba elfu mbili na ishirini na sita"),
    ("1/1/2027", "tarehe mosi Januari elfu mbili na ishirini na saba"),
    ("2/02/2027", "tarehe pili Februari elfu mbili na ishirini na saba"),
    ("07:00", "saa moja asubuhi"),
    ("saa 07:00", "saa moja asubuhi"),
    ("9:15", "saa tatu na robo asubuhi"),
    ("12:45", "saa saba kasorobo mchana"),
    ("13:05", "saa saba na dakika tano mchana"),
    ("18:00", "saa kumi na mbili jioni"),
    ("19:30", "saa moja na nusu usiku"),
    ("00:00", "saa sita usiku"),
    ("05:45", "saa kumi na mbili kasorobo asubuhi"),
    ("140/90", "mia moja na arobaini juu ya tisini"),
    ("500mg", "miligramu mia tano"),
    ("2.5 mg", "miligramu mbili nukta tano"),
    ("1,500", "elfu moja mia tano"),
    ("10-12", "kumi hadi kumi na mbili"),
    ("miezi 3-5", "miezi mitatu hadi mitano"),
    ("watu 1,002", "watu elfu moja na wawili"),
    ("macho 2.", "macho mawili."),
    ("siku 30", "siku thelathini"),
    ("vidonge 2 mara 3", "vidonge viwili mara tatu"),
    ("K7M2QX", "kei, saba, em, mbili, kyu, eks"),
    ("namba A1.", "namba ei, moja."),
    ("482913A", "nne, nane, mbili, tisa, moja, tatu, ei"),
    ("kwa SMS au MMS", "kwa esemes au ememes"),
    ("TB na BP", "tibi na bipi"),
    ("NG'OMBE na NG\u2019OMBE", "NG'OMBE na NG\u2019OMBE"),
    ("RUFAA: MTU", "RUFAA: MTU"),
    ("Dr. Otieno", "daktari Otieno"),
    ("Bw. Mutua, Bi. Atieno", "bwana Mutua, bibi Atieno"),
    ("dawa, n.k.", "dawa, na kadhalika"),
    ("120/80 mmHg", "milimita za zebaki mia moja na ishirini juu ya themanini"),
    ("80 mmHg", "milimita za zebaki themanini"),
    ("7.2 mmol/L", "milimoli kwa lita saba nukta mbili"),
    ("70 kg", "kilo sabini"),
    ("5 kgs", "tano kgs"),
    ("-5", "kasoro tano"),
    ("*384#", "nyota, tatu, nane, nne, alama ya reli"),
    ("12345", "moja mbili tatu, nne tano"),
    ("macho & mwili", "macho na mwili"),
    ("ndiyo / hapana", "ndiyo, hapana"),
    ("Habari ng'ombe", "Habari ng'ombe"),
    ("24 Novemba 2026", "tarehe ishirini na nne Novemba elfu mbili na ishirini na sita"),
    ("tarehe 1 Mei", "tarehe mosi Mei"),
    ("tarehe 2026-11-23.", "tarehe ishirini na tatu Novemba elfu mbili na ishirini na sita."),
    ("saa 08:00-17:00", "saa mbili asubuhi hadi saa kumi na moja jioni"),
    ("7:30 pm", "saa moja na nusu usiku"),
    ("12:00 am", "saa sita usiku"),
    ("10-12%", "asilimia kumi hadi kumi na mbili"),
    ("500-1000mg", "miligramu mia tano hadi elfu moja"),
    ("jicho 6/18", "jicho sita juu ya kumi na nane"),
    ("kidonge 1/2", "kidonge nusu"),
    ("KSh 1,500/=", "shilingi elfu moja mia tano"),
    ("Ksh500", "shilingi mia tano"),
    ("HbA1c > 7%", "echbieiwansi zaidi ya asilimia saba"),
    ("<5", "chini ya tano"),
    ("38.5 °C", "nyuzi joto thelathini na nane nukta tano"),
    ("126 mg/dL", "miligramu kwa desilita mia moja na ishirini na sita"),
    ("0711 000 001", "sifuri saba moja, moja sifuri sifuri, sifuri sifuri sifuri moja"),
    ("+254 711 000 001", "jumlisha mbili tano nne, saba moja moja, sifuri sifuri sifuri, sifuri sifuri moja"),
    ("kati ya 1 na 9", "kati ya moja na tisa"),
    ("milo 2", "milo miwili"),
    ("Prof. Ngugi wa Thiong\u2019o", "profesa Ngugi wa Thiong\u2019o"),
]
ENGLISH = [
    ("12 months", "twelve months"),
    ("482913", "four eight two, nine one three"),
    ("+254711000001", "plus two five four, seven one one, zero zero zero, zero zero one"),
    ("50%", "fifty percent"),
    ("2026-11-23", "twenty-three November twenty twenty-six"),
    ("1990-01-02", "two January nineteen ninety"),
    ("1905-01-02", "two January nineteen oh five"),
    ("1900-01-02", "two January nineteen hundred"),
    ("2005-01-02", "two January two thousand and five"),
    ("07:00", "seven in the morning"),
    ("13:05", "one oh five in the afternoon"),
    ("19:30", "seven thirty in the evening"),
    ("23:10", "eleven ten at night"),
    ("12:00", "noon"),
    ("00:00", "midnight"),
    ("140/90", "one hundred and forty over ninety"),
    ("2.5 mg", "two point five milligrams"),
    ("K7M2QX", "K, seven, M, two, Q, X"),
    ("USSD, e.g. *384#", "U S S D, for example star, three, eight, four, hash"),
    ("SMS", "SMS"),
    ("150/95mmHg", "one hundred and fifty over ninety-five millimetres of mercury"),
    ("2026-13-45", "two zero two six one three four five"),
    ("24 November 2026", "twenty-four November twenty twenty-six"),
    ("31 February", "three one February"),
    ("9:00 - 17:30", "nine in the morning to five thirty in the evening"),
    ("at 7:30 p.m.", "at seven thirty in the evening"),
    ("the 1st, 2nd, 3rd, 12th, 20th and 25th", "the first, second, third, twelfth, twentieth and twenty-fifth"),
    ("vision 6/60", "vision six over sixty"),
    ("1/2 tablet", "half tablet"),
    ("KSh 250", "two hundred and fifty shillings"),
    ("a value \u2265 7 & rising", "a value at least seven and rising"),
    ("10-12 %", "ten to twelve percent"),
    ("Ng\u2019ang\u2019a, O\u2019Brien", "Ng\u2019ang\u2019a, O\u2019Brien"),
]
DHOLUO = [
    ("dweche 12", "dweche apar gariyo"),
    ("482913", "ang'wen aboro ariyo, ochiko achiel adek"),
    ("50%", "asilimia piero abich"),
    ("2026-11-23", "tarik piero ariyo gadek dwe mar apar gachiel higa alufu ariyo gi piero ariyo gauchiel"),
    ("07:00", "saa achiel gokinyi"),
    ("14:20", "saa aboro gi dakika piero ariyo godiechieng'"),
    ("19:30", "saa achiel gi dakika piero adek gotieno"),
    ("K7M2QX", "kei, abiriyo, em, ariyo, kyu, eks"),
    ("Dr. Ochieng", "daktar Ochieng"),
    ("HbA1c", "echbieiwansi"),
    ("PNG", "pienji"),
    ("NG'ATO", "NG'ATO"),
    ("140/90", "mia achiel gi piero ang'wen ewi piero ochiko"),
    (
        "24 Dwe mar Apar gi achiel 2026",
        "tarik piero ariyo gang'wen dwe mar apar gachiel higa alufu ariyo gi piero ariyo gauchiel",
    ),
    ("5 Dwe mar Abich", "tarik abich dwe mar abich"),
    ("07:00-18:00", "saa achiel gokinyi nyaka saa apar gariyo godhiambo"),
    ("KSh 500", "siling mia abich"),
    ("6/18", "auchiel ewi apar gaboro"),
    ("0711 000 001", "nono abiriyo achiel, achiel nono nono, nono nono nono achiel"),
    ("Ochieng\u2019 gi Nyong\u2019o", "Ochieng\u2019 gi Nyong\u2019o"),
]
TABLE = [(language, *row) for language, rows in (("sw", KISWAHILI), ("en", ENGLISH), ("luo", DHOLUO)) for row in rows]


@pytest.mark.parametrize(("language", "written", "said"), TABLE)
def test_written_and_said(language: str, written: str, said: str) -> None:
    assert verbalise(language, written) == said


@pytest.mark.parametrize("language", ["en", "sw", "luo"])
def test_every_minute_of_the_day_is_said_differently(language: str) -> None:
    said = {verbalise(language, f"{hour:02}:{minute:02}") for hour in range(24) for minute in range(60)}
    assert len(said) == 24 * 60


def test_an_unknown_language_is_an_error() -> None:
    with pytest.raises(KeyError):
        verbalise("fr", "12")
