"""What is written in a way of its own in Finland, with the check digits right."""

from __future__ import annotations

from operator import mul

from mock_server.contract import Json
from mock_server.seeded.chance import digits, mix
from mock_server.seeded.rows import Row

_PLACES = tuple(
    tuple(line.split(maxsplit=1))
    for line in """00100 Helsinki
00120 Helsinki
00180 Helsinki
00240 Helsinki
00500 Helsinki
00510 Helsinki
00700 Helsinki
00880 Helsinki
01300 Vantaa
01510 Vantaa
01600 Vantaa
02100 Espoo
02600 Espoo
02770 Espoo
02700 Kauniainen
03100 Nummela
04200 Kerava
04400 Järvenpää
05800 Hyvinkää
06100 Porvoo
08100 Lohja
10600 Tammisaari
11100 Riihimäki
13100 Hämeenlinna
15100 Lahti
15140 Lahti
18100 Heinola
20100 Turku
20500 Turku
20520 Turku
21200 Raisio
21100 Naantali
24100 Salo
26100 Rauma
28100 Pori
30100 Forssa
33100 Tampere
33200 Tampere
33500 Tampere
33720 Tampere
37100 Nokia
37600 Valkeakoski
40100 Jyväskylä
40320 Jyväskylä
45100 Kouvola
48100 Kotka
50100 Mikkeli
53100 Lappeenranta
55100 Imatra
57100 Savonlinna
60100 Seinäjoki
65100 Vaasa
67100 Kokkola
68600 Pietarsaari
70100 Kuopio
74100 Iisalmi
78200 Varkaus
80100 Joensuu
87100 Kajaani
90100 Oulu
90400 Oulu
92100 Raahe
94100 Kemi
95400 Tornio
96100 Rovaniemi""".splitlines()
)
_AREAS = ("9", "2", "3", "5", "6", "8", "13", "14", "15", "16", "17", "19")
_MOBILES = ("41", "44", "45", "46")
_BANKS = (  # first digits of an account number, BIC, name
    ("1", "NDEAFIHH", "Nordea"),
    ("2", "NDEAFIHH", "Nordea"),
    ("5", "OKOYFIHH", "Osuuspankki"),
    ("8", "DABAFIHH", "Danske Bank"),
    ("31", "HANDFIHH", "Handelsbanken"),
    ("36", "SBANFIHH", "S-Pankki"),
    ("6", "AABAFI22", "Ålandsbanken"),
)


def phone(row: Row, key: int) -> Json:
    """No range is set aside for fiction; but no subscriber's number begins with 0, which leads out of the area."""
    return f"+358 {_AREAS[key % len(_AREAS)]} 0{digits(key >> 16, 2)} {digits(key >> 32, 4)}"


def mobile(row: Row, key: int) -> Json:
    """One digit short of a number that could be given out."""
    return f"+358 {_MOBILES[key % len(_MOBILES)]} 0{digits(key >> 16, 2)} {digits(key >> 32, 3)}"


def place(row: Row, key: int) -> Json:
    """Street, postal code and city; the last two belong together."""
    streets = row.table.baseline.words.pool("street_name")
    postal_code, city = _PLACES[key % len(_PLACES)]
    return {"street": f"{streets[(key >> 16) % len(streets)]} {1 + (key >> 32) % 98}", "postal_code": postal_code, "city": city}


def business_id(row: Row, key: int) -> Json:
    """Seven digits and a check digit: 1740598-7."""
    number = 1_000_000 + key % 2_600_000
    while (rest := _weighted(f"{number}", (7, 9, 10, 5, 8, 4, 2)) % 11) == 1:  # Such numbers are not given out.
        number += 1
    return f"{number}-{(11 - rest) % 11}"


def account(row: Row, key: int) -> Json:
    """A bank account: IBAN, BIC and the bank's name, which fit; the number as it is written in Finland."""
    start, bic, bank = _BANKS[key % len(_BANKS)]
    number = start + digits(mix(key), 13 - len(start))
    number += str(-sum(_doubled(int(digit), place % 2 == 0) for place, digit in enumerate(number)) % 10)
    check = 98 - int(f"{number}151800") % 97
    return {"iban": f"FI{check:02}{number}", "bic": bic, "bank": bank, "number": f"{number[:6]}-{number[6:].lstrip('0')}"}


def reference(number: int) -> str:
    """A reference number: the digits and their check digit."""
    weights = (7, 3, 1) * 7
    total = sum(int(digit) * weight for digit, weight in zip(reversed(f"{number}"), weights, strict=False))
    return f"{number}{-total % 10}"


def creditor_reference(number: int) -> str:
    """The same as an international one: RF and two check digits before it."""
    national = reference(number)
    return f"RF{98 - int(f'{national}271500') % 97:02}{national}"


def _doubled(digit: int, double: bool) -> int:
    return sum(divmod(digit * 2, 10)) if double else digit


def _weighted(text: str, weights: tuple[int, ...]) -> int:
    return sum(map(mul, map(int, text), weights))
