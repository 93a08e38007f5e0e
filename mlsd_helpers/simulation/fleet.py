"""The engine for fleets: an event loop with every feature, from a request's arrival to its answer.

The loop keeps one clock and, for each kind of event, the time of the next one (`next_at`). It moves the clock to
the earliest event, handles it, and repeats:

    DONE      a replica finishes what it works on             (a heap: service times differ)
    ARRIVAL   a request comes in                              (drawn beforehand, in order)
    FLUSH     the oldest request of a batch has waited enough (in order of sending, so no heap)
    TIMEOUT   an attempt times out                            (likewise)
    RETRY     a client retries                                (a queue: the delay is constant)
    INCIDENT  a replica fails, drains or returns              (planned beforehand, in order)
    READY     replicas ordered by the autoscaler start        (a queue again)
    TICK      the autoscaler compares load and target         (every few seconds)

A request may need several attempts. Each is a node of its own, so that an answer after its timeout counts as
work done and not as a request served. Everything random is drawn before the loop starts.

Functions share three arguments: `s`, the constant settings; `c`, the counters and sums; and `f`, the rows of the
fleet, allocated once: `f.attempts[node].sent_s`. With numba the functions are compiled, and rows
are records in an array; without it they are the same functions in plain Python and rows are objects in a list,
with the same results to the last bit.
"""

# mypy: disable-error-code="no-any-return"
# A row is a record or an object, which no type of ours describes: what is read from it is Any.

import math
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from mlsd_helpers.simulation.compiled import COMPILED, compiled, objects_of, record, write_back

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]
Nodes = NDArray[np.int32]
Flags = NDArray[np.int8]

INFINITY = math.inf
NOBODY = -1

# Kinds of event. Events at the same instant are handled in this order.
DONE, ARRIVAL, FLUSH, TIMEOUT, RETRY, INCIDENT, READY, TICK, KINDS = range(9)
# Routing, in the order of scenario.ROUTINGS.
CENTRAL, RANDOM, ROUND_ROBIN, POWER_OF_TWO, SHORTEST = range(5)
# The state of an attempt. An abandoned one has timed out and is still in a queue or on a replica.
WAITING, IN_SERVICE, ABANDONED, LEFT = range(4)
# How a request ends.
IN_FLIGHT, SERVED, SHED, TIMED_OUT, LOST = range(5)
# What an incident does.
CRASH, DRAIN, RETURN, CLEAR_CACHE = range(4)


class Settings(NamedTuple):
    """What does not change during a run; times in seconds."""

    requests: int
    warm_up: int  # requests before measuring starts
    stride: int  # distance between the draws of a request and those of its next attempt
    replicas: int  # the maximum, with all that the autoscaler may add
    concurrency: int
    routing: int
    queue_limit: int
    largest_batch: int  # 1: no batching
    batch_wait_s: float
    batch_fixed_s: float
    batch_item_s: float
    timeout_s: float
    retries: int
    backoff_s: float
    retry_budget: float  # retries allowed per request; infinite without a budget
    retry_burst: float  # retries that the budget may save up
    stops_work: int  # whether a timeout takes an attempt out of the queue
    cache_size: int  # 0: no cache
    keys: int
    ttl_s: float
    hit_s: float
    tick_s: float  # of the autoscaler; infinite without one
    delay_s: float
    target: float
    tolerance: float
    calm_s: float
    smallest_fleet: int


_int, _float, _node, _flag = np.int64, np.float64, np.int32, np.int8


def _row(**fields: type) -> np.dtype[np.void]:
    return np.dtype(list(fields.items()), align=True)


REQUEST = _row(
    arrival_s=_float, work=_float,  # service time in seconds; for batches a factor around 1
    first=_float, second=_float, key=_node,  # draws for routing, from 0 to 1, and what the cache is asked for
    latency_s=_float, wait_s=_float, end=_flag, tries=_flag,
)  # fmt: skip
ATTEMPT = _row(
    sent_s=_float, request=_node, replica=_node, doing=_flag,
    link=_node,  # the next attempt in the queue, or in the batch
)  # fmt: skip
REPLICA = _row(  # and its queue; the last row is the central queue
    ready=_flag, out=_node,  # ordered and started; number of incidents that keep it out
    busy=_node, waiting=_node, head=_node, tail=_node,
    up=_node,  # the first `c.up` rows list the replicas that take requests
)  # fmt: skip
IN_WORK = _row(at_s=_float, node=_node)
RETRIED = _row(at_s=_float, request=_node)
STEP = _row(at_s=_float, what=_int, replica=_int)
ORDER = _row(at_s=_float, replicas=_node)
KEY = _row(
    newer=_node, older=_node, expires_s=_float, cached=_flag
)  # a circular list, closed by one more row
STATE = _row(
    next_request=_int, attempts=_int, in_heap=_int, in_system=_int, busy=_int, up=_int, idle=_int, turn=_int,
    next_flush=_int, next_timeout=_int, retries_in=_int, retries_out=_int, next_incident=_int,
    orders_in=_int, orders_out=_int, ordered=_int, cached=_int, hits=_int, lookups=_int, wasted=_int,
    clock=_float, tokens=_float,
    busy_s=_float, up_s=_float, system_s=_float, sojourn_s=_float,  # sums over time
    from_s=_float, from_busy_s=_float, from_up_s=_float, to_s=_float, to_busy_s=_float, to_up_s=_float,
    tick_system_s=_float, calm_since_s=_float, calm_peak=_float,
)  # fmt: skip

State = Any  # a row of STATE


class Fleet(NamedTuple):
    """The rows, allocated once; each but the first and `idle` has one of the types above."""

    next_at: Any
    idle: Any  # the first `c.idle` entries name a replica with a free slot, for the central queue
    requests: Any
    attempts: Any
    replicas: Any
    heap: Any
    retries: Any
    plan: Any
    orders: Any
    keys: Any


@compiled
def run(settings: NDArray[np.void], state: NDArray[np.void], f: Fleet) -> None:
    """Handle all events in order of time until none is left."""
    s = settings[0]
    c = state[0]
    recompute_lists(s, c, f)
    while True:
        kind = earliest(f)
        now = f.next_at[kind]
        if now == INFINITY:
            return
        pass_time(s, c, now)
        if kind == DONE:
            finish(s, c, f, now)
        elif kind == ARRIVAL:
            arrive(s, c, f, now)
        elif kind == FLUSH:
            flush(s, c, f, now)
        elif kind == TIMEOUT:
            time_out(s, c, f, now)
        elif kind == RETRY:
            retry(s, c, f, now)
        elif kind == INCIDENT:
            incident(s, c, f, now)
        elif kind == READY:
            add_replicas(s, c, f, now)
        else:
            autoscale(s, c, f, now)


@compiled
def earliest(f: Fleet) -> int:
    """Return the kind of the event that is due first."""
    kind = DONE if f.next_at[DONE] <= f.next_at[ARRIVAL] else ARRIVAL
    first = f.next_at[FLUSH]
    for other in range(TIMEOUT, KINDS):
        first = min(first, f.next_at[other])
    if first < f.next_at[kind]:  # rare: most events are arrivals and answers
        kind = FLUSH
        while f.next_at[kind] != first:
            kind += 1
    return kind


@compiled
def pass_time(s: Settings, c: State, now: float) -> None:
    """Integrate over time the busy slots, the slots that are up, and the requests in the system."""
    passed_s = now - c.clock
    c.clock = now
    c.busy_s += c.busy * passed_s
    c.up_s += c.up * s.concurrency * passed_s
    c.system_s += c.in_system * passed_s


# ---------------------------------------------------------------- a request comes in


@compiled
def arrive(s: Settings, c: State, f: Fleet, now: float) -> None:
    """Answer from the cache, or send a first attempt."""
    request = c.next_request
    c.next_request = request + 1
    last = request + 1 == s.requests
    f.next_at[ARRIVAL] = INFINITY if last else f.requests[request + 1].arrival_s
    if request == s.warm_up:
        c.from_s, c.from_busy_s, c.from_up_s = now, c.busy_s, c.up_s
        c.hits = 0
        c.lookups = 0
    if last:
        c.to_s, c.to_busy_s, c.to_up_s = now, c.busy_s, c.up_s
        f.next_at[TICK] = INFINITY
    c.tokens = min(c.tokens + s.retry_budget, s.retry_burst)
    asked = f.requests[request]
    if s.cache_size > 0 and look_up(s, c, f, asked.key, now):
        asked.latency_s = s.hit_s
        asked.wait_s = 0.0
        asked.end = SERVED
    else:
        send(s, c, f, request, now)


@compiled
def send(s: Settings, c: State, f: Fleet, request: int, now: float) -> None:
    """Send an attempt: it starts on a free replica, joins a queue, or is shed."""
    node = c.attempts
    c.attempts = node + 1
    attempt = f.attempts[node]
    attempt.request = request
    attempt.sent_s = now
    attempt.link = NOBODY
    replica = choose(s, c, f, request)
    queue = s.replicas if s.routing == CENTRAL else replica
    free = replica != NOBODY and f.replicas[replica].busy < s.concurrency
    if queue == NOBODY or (not free and f.replicas[queue].waiting >= s.queue_limit):
        attempt.doing = LEFT
        fail(s, c, f, request, SHED, now)
        return
    c.in_system += 1
    attempt.doing = WAITING
    attempt.replica = queue
    if f.next_at[TIMEOUT] == INFINITY and s.timeout_s < INFINITY:
        c.next_timeout = node
        f.next_at[TIMEOUT] = now + s.timeout_s
    if s.largest_batch == 1 and free:
        begin(s, c, f, node, replica, now)
        return
    enqueue(f, queue, node)
    if s.largest_batch > 1:
        if f.next_at[FLUSH] == INFINITY and s.batch_wait_s > 0.0:
            c.next_flush = node
            f.next_at[FLUSH] = now + s.batch_wait_s
        if free:
            work_on(s, c, f, replica, now)


@compiled
def enqueue(f: Fleet, queue: int, node: int) -> None:
    """Append an attempt to a queue."""
    line = f.replicas[queue]
    if line.head == NOBODY:
        line.head = node
    else:
        f.attempts[line.tail].link = node
    line.tail = node
    line.waiting += 1


@compiled
def choose(s: Settings, c: State, f: Fleet, request: int) -> int:
    """Choose a replica by the routing policy; NOBODY where none can take the request."""
    up = c.up
    if s.routing == CENTRAL:
        idle = c.idle
        return f.idle[idle - 1] if idle > 0 else NOBODY
    if up == 0:
        return NOBODY
    if s.routing == ROUND_ROBIN:
        c.turn = (c.turn + 1) % up
        return f.replicas[c.turn].up
    draw = own_draw(s, f, request)
    one = int(f.requests[draw].first * up)
    if s.routing == RANDOM or up == 1:
        return f.replicas[one].up
    if s.routing == POWER_OF_TWO:
        other = int(f.requests[draw].second * (up - 1))
        if other >= one:
            other += 1
        shorter = load(f, f.replicas[one].up) <= load(f, f.replicas[other].up)
        return f.replicas[one if shorter else other].up
    return shortest(f, up, one)


@compiled
def shortest(f: Fleet, up: int, start: int) -> int:
    """Return the replica with the fewest requests; the first from `start` on where several have."""
    best = f.replicas[start].up
    fewest = load(f, best)
    for step in range(1, up):
        if fewest == 0:
            break
        place = start + step
        replica = f.replicas[place - up if place >= up else place].up
        if load(f, replica) < fewest:
            fewest = load(f, replica)
            best = replica
    return best


@compiled
def load(f: Fleet, replica: int) -> int:
    """Count the requests at a replica; a batch in service counts once."""
    return f.replicas[replica].waiting + f.replicas[replica].busy


@compiled
def own_draw(s: Settings, f: Fleet, request: int) -> int:
    """Return the row of this attempt's draws: the request's own, and another row for each retry."""
    tries = f.requests[request].tries
    if tries == 0:
        return request
    return (request + tries * s.stride) % s.requests


# ---------------------------------------------------------------- a replica works


@compiled
def work_on(s: Settings, c: State, f: Fleet, replica: int, now: float) -> None:
    """Let a replica with a free slot take the next attempt from its queue, or a batch that is due."""
    queue = s.replicas if s.routing == CENTRAL else replica
    if s.largest_batch > 1:
        if batch_due(s, f, queue, now):
            begin_batch(s, c, f, queue, replica, now)
    elif f.replicas[queue].waiting > 0:
        begin(s, c, f, dequeue(f, queue), replica, now)


@compiled
def dequeue(f: Fleet, queue: int) -> int:
    """Remove and return the first attempt of a queue, skipping those that have left it."""
    line = f.replicas[queue]
    node = line.head
    while f.attempts[node].doing == LEFT:
        node = f.attempts[node].link
    line.head = f.attempts[node].link
    line.waiting -= 1
    f.attempts[node].link = NOBODY
    return node


@compiled
def batch_due(s: Settings, f: Fleet, queue: int, now: float) -> bool:
    """Tell whether a batch is full, or its oldest request has waited long enough."""
    line = f.replicas[queue]
    if line.waiting == 0:
        return False
    while f.attempts[line.head].doing == LEFT:
        line.head = f.attempts[line.head].link
    return line.waiting >= s.largest_batch or f.attempts[line.head].sent_s + s.batch_wait_s <= now


@compiled
def begin(s: Settings, c: State, f: Fleet, node: int, replica: int, now: float) -> None:
    """Start the service of one attempt."""
    enter(f, node, replica, now)
    occupy(s, c, f, node, replica, now + f.requests[own_draw(s, f, f.attempts[node].request)].work)


@compiled
def begin_batch(s: Settings, c: State, f: Fleet, queue: int, replica: int, now: float) -> None:
    """Start the service of as many waiting attempts as fit, linked to the first of them."""
    lead = dequeue(f, queue)
    enter(f, lead, replica, now)
    size = 1
    last = lead
    while size < s.largest_batch and f.replicas[queue].waiting > 0:
        node = dequeue(f, queue)
        enter(f, node, replica, now)
        f.attempts[last].link = node
        last = node
        size += 1
    factor = f.requests[own_draw(s, f, f.attempts[lead].request)].work
    occupy(s, c, f, lead, replica, now + (s.batch_fixed_s + s.batch_item_s * size) * factor)


@compiled
def enter(f: Fleet, node: int, replica: int, now: float) -> None:
    """Record that an attempt's wait is over."""
    attempt = f.attempts[node]
    attempt.replica = replica
    if attempt.doing == WAITING:
        attempt.doing = IN_SERVICE
        f.requests[attempt.request].wait_s = now - attempt.sent_s


@compiled
def occupy(s: Settings, c: State, f: Fleet, node: int, replica: int, until_s: float) -> None:
    """Occupy one slot of a replica until a time."""
    f.replicas[replica].busy += 1
    c.busy += 1
    if s.routing == CENTRAL:
        c.idle -= 1  # always the topmost: see `choose` and `finish`
    push(c, f, until_s, node)


@compiled
def finish(s: Settings, c: State, f: Fleet, now: float) -> None:
    """Deliver the answers, free the slot, and start the next attempt."""
    lead = pop(c, f)
    if f.attempts[lead].doing == LEFT:  # its replica crashed in the meantime
        return
    replica = f.attempts[lead].replica
    f.replicas[replica].busy -= 1
    c.busy -= 1
    node = lead
    while node != NOBODY:
        answer(s, c, f, node, now)
        node = f.attempts[node].link
    if s.routing != CENTRAL:
        work_on(s, c, f, replica, now)
    elif f.replicas[replica].ready and f.replicas[replica].out == 0:
        f.idle[c.idle] = replica
        c.idle += 1
        work_on(s, c, f, replica, now)


@compiled
def answer(s: Settings, c: State, f: Fleet, node: int, now: float) -> None:
    """End an attempt: its request is served, unless it has timed out."""
    attempt = f.attempts[node]
    asked = f.requests[attempt.request]
    if attempt.doing == IN_SERVICE:
        asked.latency_s = now - asked.arrival_s
        asked.end = SERVED
    else:
        c.wasted += 1
    leave(c, f, node, now)
    if s.cache_size > 0:
        remember(s, c, f, asked.key, now)


@compiled
def leave(c: State, f: Fleet, node: int, now: float) -> None:
    """Take an attempt out of the system."""
    attempt = f.attempts[node]
    attempt.doing = LEFT
    c.in_system -= 1
    c.sojourn_s += now - attempt.sent_s


@compiled
def flush(s: Settings, c: State, f: Fleet, now: float) -> None:
    """Start the batch whose oldest request has waited enough, if a replica is free, and schedule the next."""
    node = c.next_flush
    if f.attempts[node].doing == WAITING or f.attempts[node].doing == ABANDONED:
        replica = choose(s, c, f, 0) if s.routing == CENTRAL else f.attempts[node].replica
        if replica != NOBODY and f.replicas[replica].busy < s.concurrency:
            work_on(s, c, f, replica, now)
    node += 1
    while node < c.attempts and f.attempts[node].doing != WAITING and f.attempts[node].doing != ABANDONED:
        node += 1
    c.next_flush = node
    f.next_at[FLUSH] = f.attempts[node].sent_s + s.batch_wait_s if node < c.attempts else INFINITY


# ---------------------------------------------------------------- timeouts and retries


@compiled
def time_out(s: Settings, c: State, f: Fleet, now: float) -> None:
    """Abandon an attempt that is still in progress, and schedule the next timeout."""
    node = c.next_timeout
    attempt = f.attempts[node]
    if attempt.doing == WAITING and s.stops_work:
        line = f.replicas[attempt.replica]
        line.waiting -= 1
        if line.waiting == 0:
            line.head = NOBODY  # every other attempt in the queue has left it too
        leave(c, f, node, now)
        fail(s, c, f, attempt.request, TIMED_OUT, now)
    elif attempt.doing in (WAITING, IN_SERVICE):
        attempt.doing = ABANDONED
        fail(s, c, f, attempt.request, TIMED_OUT, now)
    node += 1
    while node < c.attempts and f.attempts[node].doing == LEFT:
        node += 1
    c.next_timeout = node
    f.next_at[TIMEOUT] = f.attempts[node].sent_s + s.timeout_s if node < c.attempts else INFINITY


@compiled
def fail(s: Settings, c: State, f: Fleet, request: int, why: int, now: float) -> None:
    """Schedule a retry, or end the request without an answer."""
    asked = f.requests[request]
    if asked.tries >= s.retries or c.tokens < 1.0:
        asked.end = why
        return
    c.tokens -= 1.0
    asked.tries += 1
    later = f.retries[c.retries_in]
    later.request = request
    later.at_s = now + s.backoff_s
    c.retries_in += 1
    if f.next_at[RETRY] == INFINITY:
        f.next_at[RETRY] = now + s.backoff_s


@compiled
def retry(s: Settings, c: State, f: Fleet, now: float) -> None:
    """Retry a request."""
    first = c.retries_out
    c.retries_out = first + 1
    f.next_at[RETRY] = f.retries[first + 1].at_s if first + 1 < c.retries_in else INFINITY
    send(s, c, f, f.retries[first].request, now)


# ---------------------------------------------------------------- replicas leave and return


@compiled
def incident(s: Settings, c: State, f: Fleet, now: float) -> None:
    """Apply the next planned incident."""
    step = c.next_incident
    c.next_incident = step + 1
    f.next_at[INCIDENT] = f.plan[step + 1].at_s if step + 1 < len(f.plan) else INFINITY
    what = f.plan[step].what
    replica = f.plan[step].replica
    if what == CLEAR_CACHE:
        clear_cache(s, c, f)
        return
    f.replicas[replica].out += -1 if what == RETURN else 1
    recompute_lists(s, c, f)
    if what == CRASH:
        crash(s, c, f, replica, now)
    elif what == RETURN:
        resume_work(s, c, f, now)


@compiled
def crash(s: Settings, c: State, f: Fleet, replica: int, now: float) -> None:
    """Lose all that is on a replica and in its own queue."""
    for place in range(c.in_heap):
        lead = f.heap[place].node
        if f.attempts[lead].replica == replica and f.attempts[lead].doing != LEFT:
            lose(s, c, f, lead, now)
    c.busy -= f.replicas[replica].busy
    f.replicas[replica].busy = 0
    if s.routing != CENTRAL:
        lose(s, c, f, f.replicas[replica].head, now)
        f.replicas[replica].head = NOBODY
        f.replicas[replica].waiting = 0


@compiled
def lose(s: Settings, c: State, f: Fleet, node: int, now: float) -> None:
    """Lose an attempt and all that are linked to it."""
    while node != NOBODY:
        attempt = f.attempts[node]
        if attempt.doing != LEFT:
            wanted = attempt.doing != ABANDONED
            leave(c, f, node, now)
            if wanted:
                fail(s, c, f, attempt.request, LOST, now)
        node = attempt.link


@compiled
def recompute_lists(s: Settings, c: State, f: Fleet) -> None:
    """Recompute the lists of active replicas and idle slots."""
    c.up = 0
    c.idle = 0
    for replica in range(s.replicas):
        if f.replicas[replica].ready and f.replicas[replica].out == 0:
            f.replicas[c.up].up = replica
            c.up += 1
            for _ in range(s.concurrency - f.replicas[replica].busy):
                f.idle[c.idle] = replica
                c.idle += 1


@compiled
def resume_work(s: Settings, c: State, f: Fleet, now: float) -> None:
    """Let replicas that returned take attempts from the central queue."""
    if s.routing != CENTRAL:
        return
    idle = NOBODY
    while c.idle != idle and c.idle > 0:  # until a free replica takes nothing
        idle = c.idle
        work_on(s, c, f, f.idle[idle - 1], now)


@compiled
def autoscale(s: Settings, c: State, f: Fleet, now: float) -> None:
    """Compare requests in progress with the target; order replicas, or remove some after a calm period."""
    f.next_at[TICK] = now + s.tick_s
    progress = (c.system_s - c.tick_system_s) / s.tick_s
    c.tick_system_s = c.system_s
    ready = 0
    for replica in range(s.replicas):
        ready += f.replicas[replica].ready
    wanted = progress / (s.concurrency * s.target)
    if abs(wanted - ready) <= s.tolerance * ready:
        wanted = float(ready)
    wanted = min(max(math.ceil(wanted), s.smallest_fleet), s.replicas)
    if wanted >= ready:
        c.calm_since_s = now
        c.calm_peak = s.smallest_fleet
        if wanted > ready + c.ordered:
            order(s, c, f, int(wanted) - ready - c.ordered, now)
        return
    c.calm_peak = max(c.calm_peak, wanted)
    if now - c.calm_since_s >= s.calm_s:
        for replica in range(int(c.calm_peak), s.replicas):
            f.replicas[replica].ready = 0  # it finishes its work and takes no more
        recompute_lists(s, c, f)


@compiled
def order(s: Settings, c: State, f: Fleet, replicas: int, now: float) -> None:
    """Order replicas, which start after the delay."""
    place = c.orders_in % len(f.orders)
    f.orders[place].replicas = replicas
    f.orders[place].at_s = now + s.delay_s
    c.orders_in += 1
    c.ordered += replicas
    if f.next_at[READY] == INFINITY:
        f.next_at[READY] = now + s.delay_s


@compiled
def add_replicas(s: Settings, c: State, f: Fleet, now: float) -> None:
    """Start the replicas of the oldest order."""
    place = c.orders_out % len(f.orders)
    c.orders_out += 1
    more = f.orders[place].replicas
    c.ordered -= more
    for replica in range(s.replicas):
        if more > 0 and not f.replicas[replica].ready:
            f.replicas[replica].ready = 1
            more -= 1
    left = c.orders_out < c.orders_in
    f.next_at[READY] = f.orders[c.orders_out % len(f.orders)].at_s if left else INFINITY
    recompute_lists(s, c, f)
    resume_work(s, c, f, now)


# ---------------------------------------------------------------- the cache: least recently used is evicted


@compiled
def look_up(s: Settings, c: State, f: Fleet, key: int, now: float) -> bool:
    """Tell whether a key is cached and not expired; a lookup makes it the newest."""
    c.lookups += 1
    if f.keys[key].cached == 0 or f.keys[key].expires_s <= now:
        return False
    c.hits += 1
    unlink(f, key)
    link_as_newest(s, f, key)
    return True


@compiled
def remember(s: Settings, c: State, f: Fleet, key: int, now: float) -> None:
    """Cache a fresh answer; evict the least recently used one where the cache is full."""
    entry = f.keys[key]
    entry.expires_s = now + s.ttl_s
    if entry.cached:
        unlink(f, key)
    elif c.cached < s.cache_size:
        c.cached += 1
    else:
        oldest = f.keys[s.keys].newer
        unlink(f, oldest)
        f.keys[oldest].cached = 0
    entry.cached = 1
    link_as_newest(s, f, key)


@compiled
def unlink(f: Fleet, key: int) -> None:
    """Remove a key from the list."""
    entry = f.keys[key]
    f.keys[entry.newer].older = entry.older
    f.keys[entry.older].newer = entry.newer


@compiled
def link_as_newest(s: Settings, f: Fleet, key: int) -> None:
    """Insert a key at the head of the list."""
    ends = f.keys[s.keys]
    entry = f.keys[key]
    entry.older = ends.older
    entry.newer = s.keys
    f.keys[ends.older].newer = key
    ends.older = key


@compiled
def clear_cache(s: Settings, c: State, f: Fleet) -> None:
    """Empty the cache."""
    for key in range(s.keys):
        f.keys[key].cached = 0
    c.cached = 0
    f.keys[s.keys].newer = s.keys
    f.keys[s.keys].older = s.keys


# ---------------------------------------------------------------- a heap of attempts in service


@compiled
def push(c: State, f: Fleet, at_s: float, node: int) -> None:
    """Add an attempt that is done `at_s`."""
    place = c.in_heap
    c.in_heap = place + 1
    while place > 0:
        above = (place - 1) >> 1
        if f.heap[above].at_s <= at_s:
            break
        f.heap[place].at_s = f.heap[above].at_s
        f.heap[place].node = f.heap[above].node
        place = above
    f.heap[place].at_s = at_s
    f.heap[place].node = node
    f.next_at[DONE] = f.heap[0].at_s


@compiled
def pop(c: State, f: Fleet) -> int:
    """Remove and return the attempt that is done first."""
    node = f.heap[0].node
    size = c.in_heap - 1
    c.in_heap = size
    at_s = f.heap[size].at_s
    last = f.heap[size].node
    place = 0
    below = 1
    f.heap[size].at_s = INFINITY
    while below < size:
        below += f.heap[below + 1].at_s < f.heap[below].at_s  # the earlier of the two, without a branch
        if at_s <= f.heap[below].at_s:
            break
        f.heap[place].at_s = f.heap[below].at_s
        f.heap[place].node = f.heap[below].node
        place = below
        below = 2 * place + 1
    f.heap[place].at_s = at_s
    f.heap[place].node = last
    f.next_at[DONE] = f.heap[0].at_s if size > 0 else INFINITY
    return node


# ---------------------------------------------------------------- the initial state


def new_fleet(s: Settings, requests: NDArray[np.void], plan: NDArray[np.void], ready: int) -> Fleet:
    """Return an empty fleet, of which `ready` replicas take requests."""
    retries = s.requests * s.retries
    slots = s.replicas * s.concurrency
    left_by_crashes = (
        int(np.count_nonzero(plan["what"] == CRASH)) * s.concurrency
    )  # crashed attempts stay in the heap until their time
    orders = 2 + int(s.delay_s / s.tick_s) if s.tick_s < INFINITY else 1
    replicas = np.zeros(s.replicas + 1, REPLICA)
    replicas["ready"][:ready] = 1
    replicas["head"] = NOBODY
    keys = np.zeros(s.keys + 1, KEY)
    keys["newer"] = keys["older"] = s.keys
    next_at = np.full(KINDS, INFINITY)
    next_at[ARRIVAL] = requests["arrival_s"][0]
    next_at[INCIDENT] = plan["at_s"][0] if len(plan) else INFINITY
    next_at[TICK] = s.tick_s
    return Fleet(
        next_at=next_at,
        idle=np.zeros(slots, np.int32),
        requests=requests,
        attempts=np.zeros(s.requests + retries, ATTEMPT),
        replicas=replicas,
        heap=np.zeros(slots + 2 + left_by_crashes, IN_WORK),
        retries=np.zeros(retries + 1, RETRIED),
        plan=plan,
        orders=np.zeros(orders, ORDER),
        keys=keys,
    )


def simulate_fleet(s: Settings, f: Fleet, *, warm_cache: bool = False) -> NDArray[np.void]:
    """Run the loop on a new fleet, which updates its rows; return the counters and sums."""
    state = np.zeros(1, STATE)
    state["tokens"] = s.retry_burst
    if warm_cache:
        _fill_cache(s, state, f)
    if COMPILED:
        run(record(s), state, f)
        return state
    c, rows = objects_of(state), Fleet(*map(objects_of, f))
    run([s], c, rows)  # type: ignore[arg-type]
    for array, objects in zip((state, *f), (c, *rows), strict=True):
        write_back(array, objects)
    return state


def _fill_cache(s: Settings, state: NDArray[np.void], f: Fleet) -> None:
    """Put the most popular keys in the cache, the most popular as the newest."""
    popular = np.arange(s.cache_size)
    f.keys["cached"][popular] = 1
    f.keys["expires_s"][popular] = s.ttl_s
    f.keys["newer"][popular] = np.concatenate([[s.keys], popular[:-1]])
    f.keys["older"][popular] = np.concatenate([popular[1:], [s.keys]])
    f.keys["newer"][s.keys], f.keys["older"][s.keys] = s.cache_size - 1, 0
    state["cached"] = s.cache_size
