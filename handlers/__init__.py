"""What people do in Slack: parse, one operation, reply. `registry` lists every way in."""
