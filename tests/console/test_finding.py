"""The one box tells what it has not looked at."""

from __future__ import annotations

import pytest

from gateway.store import PersonRole, search
from tests.console.house import House


@pytest.mark.parametrize(
    ("walk", "said"), [(1, "type more of it"), (100, "Nothing that you may see")]
)
def test_the_box_says_nothing_is_there_only_if_it_looked_at_all(
    houses: tuple[House, House], monkeypatch: pytest.MonkeyPatch, walk: int, said: str
) -> None:
    monkeypatch.setattr(search, "WALK", walk)
    kenyan = houses[1].as_role(PersonRole.ISSUING_OFFICER)  # received here, issued elsewhere
    page = kenyan.get("/find?q=ZM-20260309&lang=en").get_data(as_text=True)
    assert said in page
    assert "ZM-20260309-000123" not in page
