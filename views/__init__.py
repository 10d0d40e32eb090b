"""What people see in Slack, drawn from records and reports: pure functions to Block Kit, nothing sent."""
