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
