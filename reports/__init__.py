"""Questions about the records, answered as frozen dataclasses. Knows no Slack."""
