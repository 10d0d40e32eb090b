"""One file a step, named by its number; the highest number is what this release of Steward expects."""
