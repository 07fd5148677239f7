"""What is written in a way of its own in the United States. No number or address belongs to anybody."""

from __future__ import annotations

from mock_server.contract import Json
from mock_server.seeded.chance import digits, mix
from mock_server.seeded.rows import Row

_AREA_CODES = (
    "201 202 206 212 213 214 215 216 240 248 253 267 281 302 303 305 310 312 313 314 317 321 330 336 347 352 360 404 "
    "407 410 412 415 419 425 440 469 480 501 502 503 504 505 510 512 513 515 520 530 540 559 561 570 585 602 603 608 "
    "609 610 612 614 615 616 617 619 630 631 650 651 678 702 703 704 706 713 716 717 719 720 732 757 763 770 773 781 "
    "786 801 802 803 804 805 808 810 812 813 814 816 817 828 832 843 845 847 850 856 858 860 901 904 907 908 909 910 "
    "913 914 916 918 919 920 925 937 941 949 951 952 954 970 972 973"
)
_AREAS = tuple(_AREA_CODES.split())


def phone(row: Row, key: int) -> Json:
    """555-0100 to 555-0199 are reserved for fiction in every area."""
    return f"+1-{_AREAS[key % len(_AREAS)]}-555-01{digits(key >> 20, 2)}"


def place(row: Row, key: int) -> Json:
    """Street, city, state and ZIP code, of which the last two fit."""
    words = row.table.baseline.words
    places, streets = words.pool("us_place"), words.pool("street_name")
    city, state, postal_code = places[key % len(places)].split("|")
    street = f"{1 + (key >> 16) % 9899} {streets[(key >> 32) % len(streets)]}"
    return {"street": street, "city": city, "state": state, "postal_code": postal_code, "country": "US"}


def employer_number(row: Row, key: int) -> Json:
    return f"{10 + key % 80}-{digits(mix(key), 7)}"
