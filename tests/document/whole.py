"""A design that says something in every part: a support assistant with retrieval, people and a vendor."""

from mlsd_helpers.design import Design

# ruff: noqa: E501 - a design file, one entry a line
WHOLE = Design.parse("""
name: Support assistant
summary: Answers customers from the help pages, and hands over to people.
about:
  status: in review
  owner: Support platform
  authors: [Ada, Grace]
  reviewers: Barbara
  approved_by: [Head of support, Data protection]
  date: 2026-11-30
  context: Customers wait two days for an answer today.
  context_file: context.md
requirements:
  goal: Answer half of the questions without a person.
  prediction: {type: generation, output: An answer with its sources, about_people: true}
  latency:
    budget: 8 s
    percentile: p95
    first_token: 2 s
    split: [{component: index, time: 60 ms}]
    also: [{what: whole answer, percentile: p99, within: 15 s}]
  throughput: {peak: 20 rps, mean: 5 rps}
  freshness: {index: 1 h, also: [{what: block list, component: guard, within: 5 min}]}
  availability: {target: 99.5%, window: 30 d, rto: 1 h}
  constraints:
  - {id: eu, text: Personal data stay in the EU, from: law, reference: GDPR Art. 44, region: eu, met_by: [vendor], how: Its EU region}
  assumptions: [{id: A1, text: Questions are as last year, owner: Support platform, check: Count them}]
planes:
  components:
  - {id: hub, kind: orchestrator, calls: at once, owner: Platform, latency: 20 ms, availability: 99.9%, trust_zone: internal, region: eu, replicas: 3, zones: 3}
  - {id: index, kind: vector index, latency: 60 ms, availability: 99.9%, items: 2M}
  - {id: guard, kind: guardrail, calls: one after another, latency: 40 ms, trust_zone: internal, region: eu}
  - {id: vendor, kind: external service, title: Model of a vendor, latency: 3 s, availability: 99%, trust_zone: vendor, region: us,
     quota: {tokens: 2M per min}, price: {per_million_input_tokens: $2, per_request: $0.001}, tokens: {input: 1500, output: 300},
     terms: {trains_on_our_data: false, retention: 30 d, agreement: DPA of May}}
  - {id: own, kind: model server, latency: 4 s, replicas: 4, zones: 2}
  - {id: agents, kind: people, hours: Mon-Fri 8-20, rate: 30 per hour, wait: 4 min}
  - {id: log, kind: prediction log, title: Questions and answers, owner: Platform}
  - {id: meter, kind: metrics}
  flows:
  - {from: hub, to: index, carries: request, timeout: 200 ms, retries: 1, fallback: Answer without sources}
  - {from: hub, to: guard, carries: request, timeout: 8 s}
  - {id: ask_vendor, from: guard, to: vendor, carries: request, timeout: 5 s, otherwise: ask_own, personal: true, auth: workload identity}
  - {id: ask_own, from: guard, to: own, carries: request, timeout: 6 s, fallback: Hand over to people, fails: closed}
  - {from: guard, to: agents, carries: request, share: 5%, timeout: 1 h, fallback: An e-mail}
  - {from: hub, to: log, carries: predictions, contract: {owner: Platform, version: "2", compatibility: backward}}
  - {from: hub, to: meter, carries: metrics}
  alerts:
  - {id: slow, raised_by: meter, watches: infrastructure, metric: p95, threshold: above 8 s, owner: Platform, action: Switch to own, runbook: runbooks/slow.md}
  retraining: {triggers: manual, period: 10 d}
  release:
    gates:
    - {id: grounded, metric: answers with a right source, of: [vendor, own], on: 500 questions, cases: 500, at_least: 90%, slices: [German, French], owner: Support}
    stages:
    - {id: staff, to: employees, for: 2 d, stops_on: [slow]}
    - {id: tenth, share: 10%, for: 7 d, stops_on: [slow, answered]}
    rollback_to: The prompt before
    rollback_time: 5 min
    rollback_takes_back: [prompt, index]
dataflow:
  features: [{id: question, source: request, personal: true}, {id: country, source: request, protected: true}]
pattern:
  paths: [{id: chat, pattern: request-time, component: hub, share: 100%}]
capacity:
  component: own
  load: 2 rps
  service_time: 4 s
  concurrency_per_replica: 8
  target_utilisation: 60%
  replicas: 4
  zones: 2
  headroom: {share: 50%, pays_for: [zone loss, rolling restart]}
  cost_per_replica_hour: $3
  fleets:
  - {id: lookup, component: index, load: 20 rps, service_time: 40 ms, target_utilisation: 60%, replicas: 3, zones: 3, cost_per_replica_hour: $0.5}
  costs: [{id: logs, text: Storage of logs, per_month: $200}]
data:
  datasets:
  - {id: chats, what: Questions and answers, personal: true, purpose: Quality, basis: contract, kept_in: [log, vendor], region: eu, retention: 30 d, deleted_by: log, deletion: By customer number, readers: [Support]}
  training: {snapshot: Table as of midnight, code: The commit, seed: 7, run_time: 2 h, cost_per_run: $40}
experiments:
- {id: handover, question: Fewer hand-overs, unit: customer, units_per_day: 20k, metric: share handed over, baseline: 30%, effect: 5%, duration: 14 d, guardrails: complaints}
operations:
  objectives: [{id: answered, indicator: answered in time / asked, target: 99.5%, window: 30 d, owner: Platform}]
decisions:
- {id: D1, chose: A vendor's model, over: [Our own alone], because: Better answers, flips_when: The price doubles, by: Ada, date: 2026-10-01}
risks:
- {id: R1, text: The vendor learns from our data, likelihood: low, impact: high, answer: Contract, left: low, owner: Ada}
- {id: R2, text: Injected instructions, likelihood: high, impact: high, owner: Grace}
questions:
- {id: Q1, text: May chats be kept, owner: Data protection, until: 2026-12-15}
- {id: Q2, text: Which languages, until: 2026-12-10}
does_not_apply: [{where: requirements.labels, because: Nobody labels answers.}]
accepted:
- {rule: PLANE005, where: planes.flows, because: The client has its own limit, by: Grace, until: 2027-03-01}
""")
