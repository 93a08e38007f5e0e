import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from mlsd_helpers import formulas as f
from mlsd_helpers.errors import RangeError
from mlsd_helpers.simulation import erlang_c_grid, wait_percentile_grid_s


@given(st.integers(1, 300), st.lists(st.floats(0, 0.999), min_size=1, max_size=5), st.floats(0.01, 0.999))
def test_a_grid_gives_what_the_formula_gives_at_each_point(servers, busy, share):
    loads = np.array(busy) * servers
    assert erlang_c_grid(servers, loads) == pytest.approx(
        [f.erlang_c(servers, load) for load in loads], rel=1e-9
    )
    expected = [f.wait_percentile_s(servers, load / 0.04, 0.04, share) for load in loads]
    assert wait_percentile_grid_s(servers, loads / 0.04, 0.04, share) == pytest.approx(
        expected, rel=1e-6, abs=1e-12
    )


def test_a_load_beyond_the_servers_is_refused():
    for loads in ([1, 2], [-1], [np.nan]):
        with pytest.raises(RangeError, match="Add servers"):
            erlang_c_grid(2, loads)
