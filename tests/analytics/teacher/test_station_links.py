"""Addresses of the station with a code in them, and their QR codes on the list that a teacher prints."""

from io import BytesIO

import pytest
import segno

from analytics.teacher.station_links import is_web_address, qr_code, station_address
from analytics.teacher.tabs.classes import codes_html
from analytics.words.sentences import child_code_text

CODES = [("beaver-4k7p", "beaver"), ("fox-7mq3", "fox")]


@pytest.mark.parametrize(
    ("place", "address"),
    [
        ("https://school.example/teacher/", "https://school.example/?child=fox-4k7p"),
        ("http://10.0.0.5:7860/teacher", "http://10.0.0.5:7860/?child=fox-4k7p"),
        ("https://school.example/faces/teacher/?__theme=dark#top", "https://school.example/faces/?child=fox-4k7p"),
        ("", "../?child=fox-4k7p"),
        ("javascript:alert(1)", "../?child=fox-4k7p"),
        ("https://[", "../?child=fox-4k7p"),
    ],
)
def test_the_station_lies_beside_the_teacher_s_page(place: str, address: str) -> None:
    assert station_address(place, child="fox-4k7p") == address
    assert is_web_address(address) == address.startswith("http")


@pytest.mark.parametrize("language", ["en", "ru"])
def test_each_code_of_the_list_has_a_qr_code_of_its_own_address(language: str) -> None:
    html = codes_html(CODES, "2B", language, "https://school.example/teacher/")
    for code, _ in CODES:
        drawn = BytesIO()
        same = segno.make(f"https://school.example/?child={code}", error="m", micro=False)
        same.save(drawn, kind="svg", scale=6, border=4, light="white", xmldecl=False, omitsize=True)
        assert drawn.getvalue().decode() in html
        assert f'<td class="code">{child_code_text(language, code)}</td>' in html
    assert html.count("<svg") == len(CODES)


def test_without_an_address_that_a_camera_can_open_the_list_has_codes_alone() -> None:
    html = codes_html(CODES, "2B", "en")
    assert "<svg" not in html
    assert all(f'<td class="code">{code}</td>' in html for code, _ in CODES)


def test_a_qr_code_scales_with_its_place() -> None:
    assert 'viewBox="0 0 ' in qr_code("https://school.example/?child=fox-4k7p")
    assert " width=" not in qr_code("https://school.example/?child=fox-4k7p").split(">", 1)[0]


def test_a_russian_list_names_the_animals_in_russian() -> None:
    html = codes_html(CODES, "2B", "ru")
    assert '<td class="code">бобр-4k7p</td>' in html
    assert '<td class="code">лиса-7mq3</td>' in html
