"""How fast Steward answers, beside a bare app of the same library in the same run. `make bench` runs it."""
