"""Cost: predictions, labels, storage, network, and where pre-computing starts to pay.

Money is in whatever currency the prices are in; prices are always arguments, since they change. Every
function refuses NaN, infinite, negative and boolean input with `RangeError`.
"""

from mlsd_helpers.errors import RangeError
from mlsd_helpers.formulas import _ranges
from mlsd_helpers.formulas._rounding import round_up
from mlsd_helpers.units import GB, hour

__all__ = [
    "cost_per_thousand_predictions",
    "crossover_requests_per_day",
    "feature_reads_per_s",
    "fleet_cost",
    "items_to_label",
    "labelling_cost",
    "network_cost",
    "precompute_cost_per_day",
    "precompute_excess",
    "precompute_waste",
    "request_time_cost_per_day",
    "storage_bytes",
    "storage_cost",
]


def fleet_cost(replicas: int, price_per_hour: float, hours: float) -> float:
    """Cost of `replicas` replicas at `price_per_hour` each for `hours` hours.

    All at least 0. Source: arithmetic.

    38 replicas at 0.20 for a day.

    >>> round(fleet_cost(replicas=38, price_per_hour=0.20, hours=24), 2)
    182.4
    """
    _ranges.whole(0, replicas=replicas)
    _ranges.not_negative(price_per_hour=price_per_hour, hours=hours)
    return replicas * price_per_hour * hours


def cost_per_thousand_predictions(replicas: int, price_per_hour: float, mean_rps: float) -> float:
    """Cost per 1,000 predictions of a fleet sized for its peak and paid for at its mean rate.

    `replicas` and `price_per_hour` of each at least 0; `mean_rps` above 0. It is the mean rate, not the peak,
    since idle capacity is paid for too. Source: arithmetic.

    38 × 0.20 an hour over 720,000 requests an hour.

    >>> round(cost_per_thousand_predictions(replicas=38, price_per_hour=0.20, mean_rps=200), 5)
    0.01056
    """
    _ranges.positive(mean_rps=mean_rps)
    return fleet_cost(replicas, price_per_hour, hours=1) / (mean_rps * hour) * 1000


def items_to_label(positives: int, base_rate: float) -> int:
    """Items to label at random to expect `positives` positive ones.

    `positives` at least 0; `base_rate`, the share of positives, above 0 and at most 1. Source: mean of the
    negative binomial distribution.

    >>> items_to_label(positives=1_000, base_rate=0.001)
    1000000
    """
    _ranges.whole(0, positives=positives)
    _ranges.share_above_0(base_rate=base_rate)
    return round_up(positives / base_rate)


def labelling_cost(items: int, labels_per_item: int, price_per_label: float) -> float:
    """Cost of labels: items × labels per item × price per label.

    `items` and `price_per_label` at least 0; `labels_per_item`, the people who label the same item, at least
    1. Source: arithmetic.

    A million items, three people each, at 0.012.

    >>> labelling_cost(items=1_000_000, labels_per_item=3, price_per_label=0.012)
    36000.0
    """
    _ranges.whole(0, items=items)
    _ranges.whole(labels_per_item=labels_per_item)
    _ranges.not_negative(price_per_label=price_per_label)
    return items * labels_per_item * price_per_label


def precompute_waste(computed: float, read: float) -> float:
    """Share of the pre-computed predictions that nobody reads.

    `computed` above 0; `read`, the distinct ones that are read at least once, from 0 to `computed`. Source:
    arithmetic.

    50 million users are scored each night, and 5 million of them come.

    >>> precompute_waste(computed=50e6, read=5e6)
    0.9
    """
    _ranges.positive(computed=computed)
    _ranges.not_negative(read=read)
    if read > computed:
        raise RangeError(f"read {read!r} must be at most computed {computed!r}. Count each prediction once.")
    return 1 - read / computed


def precompute_excess(computed: float, requested: float) -> float:
    """Inferences of pre-computing ÷ inferences at request time: above 1, pre-computing does more work.

    `computed` at least 0; `requested`, requests in the same period, above 0. Source: arithmetic.

    50 million pre-computed, against 5 million users who come three times each.

    >>> round(precompute_excess(computed=50e6, requested=15e6), 2)
    3.33
    """
    _ranges.not_negative(computed=computed)
    _ranges.positive(requested=requested)
    return computed / requested


def request_time_cost_per_day(requests_per_day: float, cost_per_prediction: float) -> float:
    """Cost per day of predicting at request time.

    Both at least 0. Source: arithmetic.

    >>> request_time_cost_per_day(requests_per_day=1_000_000, cost_per_prediction=0.00002)
    20.0
    """
    _ranges.not_negative(requests_per_day=requests_per_day, cost_per_prediction=cost_per_prediction)
    return requests_per_day * cost_per_prediction


def precompute_cost_per_day(
    keys: float,
    refreshes_per_day: float,
    cost_per_prediction: float,
    requests_per_day: float = 0,
    cost_per_read: float = 0,
) -> float:
    """Cost per day of pre-computing all keys `refreshes_per_day` times, and of reading them.

    All at least 0; `cost_per_prediction` is that of the batch job. Source: arithmetic.

    10,000 keys every hour at 0.00001, and a million reads at 0.000001.

    >>> round(precompute_cost_per_day(10_000, 24, 1e-5, requests_per_day=1e6, cost_per_read=1e-6), 6)
    3.4
    """
    _ranges.not_negative(
        keys=keys,
        refreshes_per_day=refreshes_per_day,
        cost_per_prediction=cost_per_prediction,
        requests_per_day=requests_per_day,
        cost_per_read=cost_per_read,
    )
    return keys * refreshes_per_day * cost_per_prediction + requests_per_day * cost_per_read


def crossover_requests_per_day(
    keys: float,
    refreshes_per_day: float,
    batch_cost_per_prediction: float,
    request_cost_per_prediction: float,
    cost_per_read: float = 0,
) -> float:
    """Daily requests from which pre-computing is cheaper than predicting at request time.

    `keys`, `refreshes_per_day` and costs at least 0; `request_cost_per_prediction` above `cost_per_read`, or
    pre-computing never pays. Source: break-even of `precompute_cost_per_day` and `request_time_cost_per_day`.

    240,000 predictions a day at 0.00001 cost 2.40; each request saves 0.00002.

    >>> round(crossover_requests_per_day(10_000, 24, 0.00001, 0.00002))
    120000
    """
    _ranges.not_negative(
        keys=keys,
        refreshes_per_day=refreshes_per_day,
        batch_cost_per_prediction=batch_cost_per_prediction,
        request_cost_per_prediction=request_cost_per_prediction,
        cost_per_read=cost_per_read,
    )
    if request_cost_per_prediction <= cost_per_read:
        raise RangeError(
            f"request_cost_per_prediction {request_cost_per_prediction!r} must be above "
            f"cost_per_read {cost_per_read!r}. Predict at request time: reading never pays."
        )
    saved = request_cost_per_prediction - cost_per_read
    return keys * refreshes_per_day * batch_cost_per_prediction / saved


def storage_bytes(items: int, values_per_item: int, bytes_per_value: float) -> float:
    """Size of a table of embeddings or features, in bytes, without index and replicas.

    `items` and `values_per_item` at least 0; `bytes_per_value` above 0: 4 for float32, 1 for int8. Source:
    arithmetic.

    100 million embeddings of 128 float32.

    >>> storage_bytes(items=100_000_000, values_per_item=128, bytes_per_value=4)
    51200000000
    """
    _ranges.whole(0, items=items, values_per_item=values_per_item)
    _ranges.positive(bytes_per_value=bytes_per_value)
    return items * values_per_item * bytes_per_value


def storage_cost(size_bytes: float, price_per_gb_month: float, months: float = 1, copies: int = 1) -> float:
    """Cost to keep `size_bytes` for `months`, in `copies` copies; a GB is 10⁹ bytes, as in price lists.

    `copies` at least 1, the others at least 0. Source: arithmetic.

    50 GB in three copies at 0.25 a GB and month.

    >>> storage_cost(size_bytes=50e9, price_per_gb_month=0.25, copies=3)
    37.5
    """
    _ranges.not_negative(size_bytes=size_bytes, price_per_gb_month=price_per_gb_month, months=months)
    _ranges.whole(copies=copies)
    return size_bytes / GB * price_per_gb_month * months * copies


def network_cost(mean_rps: float, payload_bytes: float, price_per_gb: float, period_s: float) -> float:
    """Cost of the traffic of `mean_rps` requests of `payload_bytes` each in `period_s` seconds; a GB is 10⁹ bytes.

    All at least 0. Source: arithmetic.

    200/s × 50 kB is 10 MB/s, 864 GB a day, at 0.01.

    >>> round(network_cost(mean_rps=200, payload_bytes=50e3, price_per_gb=0.01, period_s=86_400), 6)
    8.64
    """
    _ranges.not_negative(
        mean_rps=mean_rps, payload_bytes=payload_bytes, price_per_gb=price_per_gb, period_s=period_s
    )
    return mean_rps * payload_bytes * period_s / GB * price_per_gb


def feature_reads_per_s(predictions_per_s: float, features: int) -> float:
    """Feature values read per second: predictions × features.

    Both at least 0. Source: arithmetic; others report of DoorDash 23 features for each candidate.

    >>> feature_reads_per_s(predictions_per_s=1_000_000, features=23)
    23000000
    """
    _ranges.not_negative(predictions_per_s=predictions_per_s)
    _ranges.whole(0, features=features)
    return predictions_per_s * features
