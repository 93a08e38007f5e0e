"""Rules on the capacity of a design."""

from mlsd_helpers.review.rule import Rule

RULES: tuple[Rule, ...] = ()
