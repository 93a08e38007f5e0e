"""Published incidents, moment by moment, and where each could first have been caught.

Times and figures are the sources'; where it could have been caught is our reading of them.
"""

from collections.abc import Mapping
from dataclasses import dataclass

EARLIEST, LATER, NOT_THERE = "Earliest.", "Later.", "Not there."


@dataclass(frozen=True)
class Incident:
    """What happened, moment by moment, and for each plane when it could have caught it, and why."""

    name: str
    moments: tuple[tuple[str, str], ...]
    planes: Mapping[str, tuple[str, str]]
    source: str

    def verdict(self, plane: str) -> tuple[str, str]:
        """Return when this plane could have caught it, and why."""
        return self.planes[plane]


CLOUDFLARE = Incident(
    name="Cloudflare, 18 November 2025",
    moments=(
        (
            "before",
            (
                "A model scores each request: person or bot? Its list of features is a file, made afresh by a query "
                "every five minutes and sent to every machine. It holds about 60 features."
            ),
        ),
        ("11:05", "A change of database permissions. The query now returns more than twice as many rows."),
        (
            "11:20",
            "A file with more than 200 features goes out, beyond a hard limit of the proxy. Requests fail.",
        ),
        (
            "then",
            "Files are made good or bad by turns, errors come and go, and the team first suspects an attack.",
        ),
        ("14:30", "The bad file is stopped, a good one put in its place; most traffic flows again."),
        ("17:06", "All systems are back."),
    ),
    planes={
        "data": (
            EARLIEST,
            (
                "The file is made here. Its size, its schema and its range can be checked before it leaves, at the "
                "first file after 11:05: data that we generate ourselves deserve the distrust that user input gets."
            ),
        ),
        "training": (
            NOT_THERE,
            "The model was as good as the day before. A new one would have read the same file.",
        ),
        "serving": (
            LATER,
            (
                "A proxy that cannot load a new file can keep the last good one. It limits the harm on each machine, "
                "after the file has reached it."
            ),
        ),
        "monitoring": (
            LATER,
            "Monitoring saw the errors at 11:20, and saw them come and go. By then customers saw them too.",
        ),
        "control": (
            LATER,
            (
                "Sent to a few machines first, the file would have harmed those few. That is a second net; the first "
                "hangs where the file is made."
            ),
        ),
    },
    source="Cloudflare's report of 18 November 2025",
)

ZILLOW = Incident(
    name="Zillow Offers, 2021",
    moments=(
        ("before", "Zillow buys homes at prices that rest on a forecast, and sells them months later."),
        ("2021", "Prices become hard to predict, and buying goes on at a larger scale."),
        (
            "Jul-Sep",
            "Homes are bought for more than they will fetch: a write-down of $304 million in the quarter.",
        ),
        (
            "2 Nov",
            "The business is closed; about 25 % of the staff go. Prices were harder to forecast than expected.",
        ),
    ),
    planes={
        "data": (
            NOT_THERE,
            "No data are reported as broken. The prices were true; it was the future that was not known.",
        ),
        "training": (
            EARLIEST,
            (
                "Here a model is judged for its use: is the error of a forecast so many months ahead small against "
                "the margin of a sale? That inequality can be written down before the first home is bought."
            ),
        ),
        "serving": (
            NOT_THERE,
            "Each forecast came, on time and well-formed. Serving does not know what it is worth.",
        ),
        "monitoring": (
            LATER,
            (
                "Holding sale prices against forecasts shows it, months after the purchase: the label comes late, and "
                "homes are bought meanwhile."
            ),
        ),
        "control": (
            LATER,
            (
                "A limit on purchases, independent of the model, bounds the loss. It needs a number to act on, and "
                "somebody has to have written that down."
            ),
        ),
    },
    source="Zillow's annual report for 2021, and press reports of its third quarter",
)

UBER = Incident(
    name="Uber's feature store, told in 2024",
    moments=(
        (
            "each day",
            "A job copies features into the store that models read. What is old expires after a set time.",
        ),
        ("day 1", "The job fails. Models go on answering, with the features of the day before."),
        ("day 2", "It fails again. Every answer is on time and well-formed, and its features are older."),
        ("later", "The last good features reach their expiry. Now there are none at all."),
        ("since", "The store keeps the last good version until there is a newer one."),
    ),
    planes={
        "data": (
            LATER,
            (
                "Keeping the last good version is what mended it: a better failure, when it comes. It does not tell "
                "anybody that the job has failed."
            ),
        ),
        "training": (NOT_THERE, "The model is as good as it was. What it is fed is not."),
        "serving": (
            LATER,
            "Serving sees that a feature is missing, and can answer with a default: on the last day.",
        ),
        "monitoring": (
            EARLIEST,
            (
                "The age of the features grows from day 1 on, and no answer fails. Watch the age of what is served, "
                "not only whether something is."
            ),
        ),
        "control": (LATER, "Control can run the job again, once somebody knows. Nothing told it."),
    },
    source="Feature Store Summit, 15 October 2024: Immutable KV Store on Cassandra (the days are ours)",
)

INCIDENTS = (CLOUDFLARE, ZILLOW, UBER)
