"""What tablets show: from the hub's page to a tablet that is read without the hub, and back."""
