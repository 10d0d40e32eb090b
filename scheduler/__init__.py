"""What happens by itself: jobs that find what is due, and the deliveries by which anything is posted."""
