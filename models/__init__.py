"""The project log itself: records, rules, history, dates. Knows no Slack and no scheduler."""
