"""Addresses of the station with a code in them, and their QR codes on the list that a teacher prints."""

from io import BytesIO

import pytest
import segno

from analytics.teacher.projector import projector_html
from analytics.teacher.station_links import is_web_address, leads_elsewhere, qr_code, station_address
from analytics.teacher.tabs.classes import codes_html
from analytics.words.sentences import child_code_text
from tests.analytics.examples import make_lesson

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


def test_on_the_screen_the_squares_open_the_lesson_that_was_started_with_the_codes() -> None:
    lesson = make_lesson()
    html = codes_html(CODES, "2B", "en", "https://school.example/teacher/", lesson)
    for code, _ in CODES:
        on_paper = qr_code(f"https://school.example/?child={code}")
        on_screen = qr_code(f"https://school.example/?lesson={lesson.code}&child={code}")
        assert html.index(on_paper) < html.index(on_screen)
    assert lesson.code in html
    assert 'data-dialog="start"' not in html, "it has begun"


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


@pytest.mark.parametrize(
    "host", ["localhost:7860", "127.0.0.1:7860", "127.8.0.1", "[::1]:7860", "0.0.0.0", "a.localhost"]
)
def test_the_address_of_this_computer_leads_no_tablet_here(host: str) -> None:
    assert not leads_elsewhere(station_address(f"http://{host}/teacher/", lesson="abcdef"))
    wall = projector_html(make_lesson("l", "abcdef"), f"http://{host}/teacher/", "en")
    assert "abcdef" in wall, "the code can be typed all the same"
    assert f"http://{host}/, and that address leads every device to itself" in wall
    assert "<svg" not in wall, "a code that leads nowhere is worse than none"
    assert "С планшета квадраты никуда не приведут" in codes_html(CODES, "2B", "ru", f"http://{host}/teacher/")


@pytest.mark.parametrize("host", ["10.0.0.5:7860", "school.example", "[2001:db8::1]", "localhost.example"])
def test_the_wall_shows_the_lesson_s_code_and_the_way_to_it(host: str) -> None:
    place = f"https://{host}/teacher/"
    wall = projector_html(make_lesson("l", "abcdef"), place, "ru")
    assert qr_code(f"https://{host}/?lesson=abcdef") in wall
    assert f"откройте https://{host}/ и введите код" in wall
    assert "никуда не приведут" not in codes_html(CODES, "2B", "ru", place)
