"""What the page shows of a face: eight rows in the order of the charts, the largest set apart."""

import re

import pytest

from emotion.labels import KEYS, NAMES, Emotion
from emotion.station.responses import probability_bars


@pytest.mark.parametrize("language", ["en", "ru"])
def test_the_bars_name_every_expression_in_its_order_and_set_the_largest_apart(language):
    shares = dict.fromkeys(KEYS, 0.05) | {"happy": 0.652}
    html = probability_bars(shares, language)
    assert re.findall(r'data-expression="(\w+)"', html) == list(KEYS)
    assert re.findall(r'<th scope="row">([^<]+)</th>', html) == [NAMES[language][emotion] for emotion in Emotion]
    assert re.findall(r'class="top" data-expression="(\w+)"', html) == ["happy"]
    assert "width:65.2%" in html
    assert re.findall(r"<td>(\d+) %</td>", html) == ["65" if key == "happy" else "5" for key in KEYS]
