"""One fraud model, trained in seconds: gradient-boosted trees, in scikit-learn and as ONNX.

The same trees answer in hundreds of microseconds through scikit-learn and in a dozen through ONNX Runtime. A
pattern gives the model what it can know, and the rest is unknown to it; training rows are shown in all these ways.
"""

import pickle
from collections import defaultdict
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from mlsd_helpers.testbed import payments
from mlsd_helpers.testbed.payments import FEATURES, Payments, Recent, make_payments

Pattern = Literal["request-time", "pre-computed", "streaming", "by-event"]
"""When the answer is made, and from what: on request from the request alone; ahead, by a job; on request, with what a
stream knows of the card ("streaming"); ahead, at each payment of the card."""
Engine = Literal["onnx", "sklearn"]
PATTERNS: tuple[Pattern, ...] = ("request-time", "pre-computed", "streaming", "by-event")
FALSE_ALARMS = 0.01  # a score above which 1 % of the honest payments lie is an alarm

Rows = NDArray[np.float32]
Scores = NDArray[np.float64]


@dataclass(frozen=True)
class Model:
    """The trees, and each pattern's score threshold for fraud."""

    trees: Any
    thresholds: dict[Pattern, float]

    def score(self, rows: Any) -> Scores:
        """Return the probability of fraud for each row of features."""
        scores: Scores = self.trees.predict_proba(np.asarray(rows, np.float32))[:, 1]
        return scores

    def save(self, folder: Path) -> None:
        """Save it for each engine."""
        (folder / "model.pickle").write_bytes(pickle.dumps(self))
        (folder / "model.onnx").write_bytes(to_onnx(self.trees))


class Onnx:
    """The saved model on ONNX Runtime, on one thread."""

    def __init__(self, folder: Path) -> None:
        import onnxruntime  # noqa: PLC0415 - only the engine that is asked for

        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = options.inter_op_num_threads = 1
        self._session = onnxruntime.InferenceSession(
            str(folder / "model.onnx"), options, providers=["CPUExecutionProvider"]
        )

    def score(self, rows: Any) -> Scores:
        """Return the probability of fraud for each row of features."""
        (found,) = self._session.run(["fraud"], {"rows": np.asarray(rows, np.float32)})
        scores: Scores = found[:, 0].astype(float)
        return scores


def load(folder: Path, engine: Engine) -> Model | Onnx:
    """Load the model from the testbed's folder."""
    if engine == "onnx":
        return Onnx(folder)
    model: Model = pickle.loads((folder / "model.pickle").read_bytes())  # noqa: S301 - we wrote it
    return model


@lru_cache(maxsize=1)
def train(seed: int = 0) -> Model:
    """Train on 100 s of a stream of its own, and set the alarm's thresholds on another."""
    from sklearn.ensemble import HistGradientBoostingClassifier  # noqa: PLC0415 - takes a second to load
    from threadpoolctl import threadpool_limits  # noqa: PLC0415 - comes with scikit-learn

    seen = make_payments(seed + 1_000, rate_rps=100, lasts_s=100)
    views = examples(seen)
    trees = HistGradientBoostingClassifier(max_iter=60, max_leaf_nodes=15, random_state=seed)
    with threadpool_limits(1):  # on a shared machine, threads that wait for each other take longer than one
        trees.fit(np.concatenate([*views.values()]), np.tile(seen.fraud, len(views)))
        unseen = make_payments(seed + 2_000, rate_rps=100, lasts_s=100)
        model = Model(trees, {})
        for pattern, rows in examples(unseen).items():
            honest = model.score(rows)[~unseen.fraud]
            model.thresholds[pattern] = float(np.quantile(honest, 1 - FALSE_ALARMS))
    return model


def examples(stream: Payments) -> dict[Pattern, Rows]:
    """Return a row of features for each payment, as each pattern would know it without delays."""
    recent: defaultdict[int, list[Recent]] = defaultdict(list)
    rows, ahead = [], []
    for place, now_s in enumerate(stream.at_s.tolist()):
        question = stream.question(place)
        mine = [each for each in recent[question["card"]] if now_s - each[0] < payments.WINDOW_S]
        rows.append(known("streaming", question, mine, now_s))
        ahead.append(known("by-event", question, recent[question["card"]], now_s))
        recent[question["card"]] = [*mine, (now_s, question["amount"], question["merchant"])]
    whole = np.asarray(rows, np.float32)
    return {
        "request-time": _without(whole, payments.WINDOW),
        "pre-computed": _without(whole, payments.REQUEST),
        "streaming": whole,
        "by-event": np.asarray(ahead, np.float32),
    }


def _without(rows: Rows, names: tuple[str, ...]) -> Rows:
    less = rows.copy()
    less[:, [FEATURES.index(name) for name in names]] = payments.UNKNOWN
    return less


def known(pattern: Pattern, question: dict[str, Any], recent: list[Recent], now_s: float) -> list[float]:
    """Return what a pattern can know: the request, the card's last half minute, or both.

    A score made at each payment of the card knows the half minute that ended with the latest one.
    """
    if pattern == "request-time":
        return payments.row(question["card"], question)
    if pattern == "pre-computed":
        return payments.row(question["card"], None, recent, now_s)
    if pattern == "by-event":
        return payments.row(question["card"], None, recent, recent[-1][0] if recent else now_s)
    return payments.row(question["card"], question, recent, now_s)


# ---------------------------------------------------------------- ONNX


def to_onnx(trees: Any) -> bytes:
    """Write scikit-learn's trees as ONNX's operator for tree ensembles."""
    from onnx import TensorProto, helper  # noqa: PLC0415 - only where the model is made

    branches: defaultdict[str, list[Any]] = defaultdict(list)
    leaves: defaultdict[str, list[Any]] = defaultdict(list)
    for tree, (predictor,) in enumerate(trees._predictors):  # noqa: SLF001 - scikit-learn gives no other way in
        for place, node in enumerate(predictor.nodes):
            _add(branches, "nodes_", tree, place, _branch(node))
            if node["is_leaf"]:
                _add(leaves, "target_", tree, place, {"ids": 0, "weights": float(node["value"])})
    attributes: dict[str, Any] = branches | leaves
    ensemble = helper.make_node(
        "TreeEnsembleRegressor",
        ["rows"],
        ["log_odds"],
        domain="ai.onnx.ml",
        n_targets=1,
        base_values=[float(trees._baseline_prediction[0, 0])],  # noqa: SLF001
        **attributes,
    )
    graph = helper.make_graph(
        [ensemble, helper.make_node("Sigmoid", ["log_odds"], ["fraud"])],
        "fraud",
        [helper.make_tensor_value_info("rows", TensorProto.FLOAT, [None, len(FEATURES)])],
        [helper.make_tensor_value_info("fraud", TensorProto.FLOAT, [None, 1])],
    )
    operators = [helper.make_opsetid("", 17), helper.make_opsetid("ai.onnx.ml", 3)]
    written: bytes = helper.make_model(graph, opset_imports=operators, ir_version=9).SerializeToString()
    return written


def _add(
    columns: defaultdict[str, list[Any]], prefix: str, tree: int, place: int, values: dict[str, Any]
) -> None:
    for name, value in {"treeids": tree, "nodeids": place, **values}.items():
        columns[prefix + name].append(value)


def _branch(node: Any) -> dict[str, Any]:
    return {
        "modes": "LEAF" if node["is_leaf"] else "BRANCH_LEQ",
        "featureids": int(node["feature_idx"]),
        "values": 0.0 if node["is_leaf"] else _rounded_down(node["num_threshold"]),
        "truenodeids": int(node["left"]),
        "falsenodeids": int(node["right"]),
        "missing_value_tracks_true": int(node["missing_go_to_left"]),
    }


def _rounded_down(threshold: float) -> float:
    """Round down to a float32: a float32 input is below this threshold exactly when it is below the original one."""
    near = np.float32(threshold)
    return float(near if float(near) <= threshold else np.nextafter(near, np.float32(-np.inf)))
