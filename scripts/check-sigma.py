"""Checks the Sigma rules of a directory with pySigma: YAML, form, modifiers, conditions, and the rules of style."""
import sys
from pathlib import Path

from sigma.rule import SigmaRule
from sigma.validation import SigmaValidator
from sigma.validators.core import validators

# These download the list of techniques.
ONLINE = {"ATTACKTagValidator", "D3FENDTagValidator"}

rules = [SigmaRule.from_yaml(path.read_text("utf-8")) for path in sorted(Path(sys.argv[1]).glob("*.yml"))]
chosen = {cls for cls in validators.values() if cls.__name__ not in ONLINE}
validator = SigmaValidator(chosen)
issues = [f"{rule.title}: {error}" for rule in rules for error in rule.errors]
for rule in rules:
    for condition in rule.detection.parsed_condition:
        condition.parse()
    issues += [str(issue) for issue in validator.validate_rule(rule)]
issues += [str(issue) for issue in validator.finalize()]
print("\n".join(issues))
print(f"{len(rules)} rules, {len(chosen)} checks, {len(issues)} issues")
sys.exit(1 if issues or not rules else 0)
